"""Several servers that are one chat, over a database that is only a model of one."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import cycle
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.modelled_database import Database
from tests.modelled_store import Node
from tests.people import NOW, AccountsTestCase, Person, Program, Somebody, cheap_accounts
from twisted_chat import ChatFactory, Limits
from twisted_chat.chat.chat import Chat
from twisted_chat.turn import Turn


def store_of(server: ChatFactory) -> Node:
    """What a server stores in."""
    store = server.chat._store
    assert isinstance(store, Node)
    return store


class SpreadTestCase(AccountsTestCase):
    """A chat of three servers, to which people come in turn."""

    def setUp(self) -> None:
        """An empty chat."""
        self.clock = Clock()
        self.clock.advance(NOW)
        database, limits = Database(), replace(self.limits)
        self._servers = [ChatFactory(self.clock, chat=self.opens(database, limits)) for _ in "123"]
        self.factory = self._servers[0]
        uses = [chat.administrators.use for chat in self.chats]
        self.patch(self.factory.chat.administrators, "use", lambda names: [u(names) for u in uses])
        self._turns = cycle(self._servers)

    @property
    def servers(self) -> Sequence[ChatFactory]:
        """See `ChatTestCase.servers`."""
        return self._servers

    def opens(self, database: Database, limits: Limits) -> Chat:
        """One of the servers."""
        turn = Turn(partial(self.clock.callLater, 0))
        store = database.joins(
            partial(Node, database, Turn())
        )  # so that answers come at once, as where all is in memory
        accounts = cheap_accounts(self.clock, store, limits)
        chat = Chat(self.clock, store, turn, "the lab", limits, accounts=accounts)
        self.successResultOf(chat.ready)
        return chat

    def next_server(self) -> ChatFactory:
        """Where the next one comes to."""
        return next(self._turns)


class SeveralTestCase(SynchronousTestCase):
    """Three servers that are one chat, and people at each."""

    limits = Limits()
    count = 3

    def setUp(self) -> None:
        """An empty chat."""
        self.clock = Clock()
        self.clock.advance(NOW)
        self.database = Database()
        self.servers = [self.starts() for _ in range(self.count)]

    def starts(self) -> ChatFactory:
        """One more server."""
        turn = Turn(partial(self.clock.callLater, 0))
        store = self.database.joins(partial(Node, self.database, turn))
        limits = replace(self.limits)
        accounts = cheap_accounts(self.clock, store, limits)
        chat = Chat(self.clock, store, turn, "the lab", limits, accounts=accounts)
        self.successResultOf(chat.ready)
        return ChatFactory(self.clock, chat=chat)

    def dies(self, server: int) -> None:
        """A server is killed; the others find that out."""
        factory = self.servers[server]
        self.servers = [each for each in self.servers if each is not factory]
        store = store_of(factory)
        self.database.buries(store)
        store.is_killed()
        self.clock.advance(0)

    def hears_nothing(self, server: int) -> None:
        """A server hears late of what is stored."""
        store_of(self.servers[server]).is_deaf = True

    def hears_again(self) -> None:
        """All servers hear of everything again."""
        for server in self.servers:
            store_of(server).is_deaf = False
        self.database.all_hear()
        self.clock.advance(0)

    def joins(self, nickname: str, server: int = 0, host: str = "127.0.0.1") -> Person:
        """Somebody with netcat at a server, who has read what stands in the lobby."""
        person = Person(self.servers[server], host).types(nickname)
        self.clock.advance(0)
        seen = person.raw()
        assert f"*** Welcome, {nickname}! You are in #lobby." in seen, seen
        return person

    def program(self, nickname: str, server: int = 0, **hello: Any) -> Program:
        """A program that has said hello at a server, and has not looked at the answer yet."""
        return Program(self.servers[server]).asks(do="hello", nick=nickname, **hello)

    def time_passes(self, seconds: float) -> None:
        """Let time pass, a second at a time."""
        for _ in range(int(seconds)):
            self.clock.advance(1)
        self.clock.advance(seconds % 1)

    def look_away(self, *people: Somebody) -> None:
        """What has come until now is of no interest."""
        self.clock.advance(0)
        for person in people:
            person.raw()
