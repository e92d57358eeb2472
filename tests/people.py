"""People and programs in a chat without a network: what they type, and what they see."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Self, TypeVar

from twisted.internet.defer import Deferred, execute
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from twisted_chat import ChatFactory, Limits
from twisted_chat.chat.accounts import Accounts
from twisted_chat.chat.chat import Chat
from twisted_chat.chat.passwords import Hasher, OwnPasswords
from twisted_chat.refusal import Refused
from twisted_chat.stores import Store
from twisted_chat.stores.memory import MemoryStore
from twisted_chat.turn import Turn
from twisted_chat.wire.structured import decode, encode

_T = TypeVar("_T")

BANNED = Refused("banned", "You are banned from this server.")
"""What somebody is told whose address is banned."""

NOW = 1_790_000_000
"""A Monday in September 2026, in seconds since 1970."""

_STAMP = re.compile(r"^\[(\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d\] ")


def at_once(work: Callable[[], _T]) -> Deferred[_T]:
    """A disk that is never busy."""
    return execute(work)


class Somebody:
    """Somebody with a connection to the chat.

    Args:
        factory: the chat.
        host: where they come from; None if that is known to a proxy alone.
    """

    def __init__(self, factory: ChatFactory, host: str | None = "127.0.0.1") -> None:
        self.transport: StringTransport = StringTransport()
        self.protocol = (factory if host else factory.behind_proxy()).buildProtocol(None)
        if host:
            self.protocol.address = host
        self.protocol.makeConnection(self.transport)
        self._factory = factory

    def sends(self, data: bytes) -> None:
        """Send bytes, as they are."""
        self.protocol.dataReceived(data)
        self.turn_ends()

    def types(self, *lines: str) -> Self:
        """Send lines."""
        self.sends("".join(line + "\r\n" for line in lines).encode())
        return self

    def turn_ends(self) -> None:
        """The reactor's turn is over."""
        clock = self._factory.clock
        assert isinstance(clock, Clock)
        clock.advance(0)

    def raw(self) -> str:
        """Everything that has come since the last look."""
        data: str = self.transport.value().decode()
        self.transport.clear()
        return data

    @property
    def is_gone(self) -> bool:
        """Whether the server has closed the connection."""
        return self.transport.disconnecting or self.transport.disconnected

    def stops_reading(self) -> None:
        """Leave what comes where it is, until the server's buffer is full."""
        self.protocol.outlet.pauseProducing()

    def reads_again(self) -> None:
        """Read what has come, so that the server's buffer is empty."""
        self.protocol.outlet.resumeProducing()
        self.turn_ends()

    def says_no_more(self) -> None:
        """Close the sending half."""
        self.protocol.readConnectionLost()
        self.turn_ends()

    def closes(self) -> None:
        """Close in good order."""
        self.protocol.connectionLost(Failure(ConnectionDone()))
        self.turn_ends()

    def vanishes(self) -> None:
        """Lose the connection."""
        self.protocol.connectionLost(Failure(ConnectionLost()))
        self.turn_ends()


class Person(Somebody):
    """Somebody with netcat."""

    def sees(self) -> list[str]:
        """The lines since the last look, without their times."""
        return [_STAMP.sub("", line) for line in self.sees_with_times()]

    def sees_with_times(self) -> list[str]:
        """The lines since the last look."""
        lines = self.raw().split("\r\n")
        assert lines.pop() == "", "a line without its end"
        return lines


class Program(Somebody):
    """A program that speaks structured lines."""

    def asks(self, **thing: Any) -> Self:
        """Send an object."""
        self.sends(encode(thing))
        return self

    def gets(self, *kinds: str) -> list[dict[str, Any]]:
        """The objects since the last look, or those of some kinds."""
        lines = self.raw().splitlines()
        things = [decode(line.encode()) for line in lines if line.startswith("{")]
        return [thing for thing in things if not kinds or thing["event"] in kinds]


def cheap_accounts(clock: Clock, store: Store, limits: Limits) -> Accounts:
    """Accounts whose passwords cost no time."""
    return Accounts(clock, store, limits, OwnPasswords(Hasher(memory=8)), clock.seconds)


class ChatTestCase(SynchronousTestCase):
    """A chat, and people in it."""

    limits = Limits()

    def setUp(self) -> None:
        """An empty chat."""
        self.clock = Clock()
        self.clock.advance(NOW)
        self.factory = ChatFactory(self.clock, name="the lab", limits=replace(self.limits))

    @property
    def servers(self) -> Sequence[ChatFactory]:
        """The servers that are one chat, of which there may be several."""
        return (self.factory,)

    @property
    def chats(self) -> Sequence[Chat]:
        """The chat, as each of the servers has it."""
        return [server.chat for server in self.servers]

    def next_server(self) -> ChatFactory:
        """The server that the next one comes to: there is only one."""
        return self.factory

    def connects(self, host: str = "127.0.0.1") -> Person:
        """Somebody who has not answered the question for a nickname yet."""
        return Person(self.factory, host)

    def joins(self, nickname: str, host: str = "127.0.0.1") -> Person:
        """Somebody who is in the lobby, and has read what stands there."""
        person = self.connects(host).types(nickname)
        assert f"*** Welcome, {nickname}! You are in #lobby." in person.raw()
        return person

    def program(self, nickname: str, host: str = "127.0.0.1", **hello: Any) -> Program:
        """A program that has said hello, and has not looked at the answer yet."""
        program = Program(self.factory, host)
        return program.asks(do="hello", nick=nickname, **hello)

    def time_passes(self, seconds: float) -> None:
        """Let time pass, a second at a time."""
        for _ in range(int(seconds)):
            self.clock.advance(1)
        self.clock.advance(seconds % 1)


class AccountsTestCase(ChatTestCase):
    """A chat where passwords cost no time, and people in it."""

    def setUp(self) -> None:
        """An empty chat."""
        super().setUp()
        store, limits = MemoryStore(), replace(self.limits)
        accounts = cheap_accounts(self.clock, store, limits)
        turn = Turn(partial(self.clock.callLater, 0))
        chat = Chat(self.clock, store, turn, "the lab", limits, accounts=accounts)
        self.factory = ChatFactory(self.clock, chat=chat)
