"""Somebody at a client, and the server that they talk to, without a network or a terminal."""

import io
import json
import os
from typing import Any

from twisted.internet import error
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.internet.testing import MemoryReactorClock, StringTransportWithDisconnection
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from twisted_chat.client.chat_client import ChatClient
from twisted_chat.client.conversation import Conversation
from twisted_chat.client.failed import Failed
from twisted_chat.client.patience import FOR_EVER, Patience
from twisted_chat.client.pipe import Pipe
from twisted_chat.client.plain import Plain
from twisted_chat.client.protocol import ClientProtocol
from twisted_chat.client.route import Address

NOON = "2026-11-20T12:00:00.000Z"

COMMANDS = [
    {"name": "/whisper", "usage": "NICK TEXT", "aliases": ["/msg", "/w"], "help": "to one alone"},
    {"name": "/reply", "usage": "TEXT", "aliases": ["/r"], "help": "to the last whisperer"},
    {"name": "/me", "usage": "TEXT", "aliases": [], "help": "do something"},
    {"name": "/join", "usage": "ROOM", "aliases": ["/j"], "help": "enter a room"},
    {"name": "/leave", "usage": "[ROOM]", "aliases": ["/part"], "help": "leave a room"},
    {"name": "/users", "usage": "[ROOM]", "aliases": ["/who"], "help": "who is there"},
    {"name": "/help", "usage": "[COMMAND]", "aliases": [], "help": "this list"},
    {"name": "/quit", "usage": "[TEXT]", "aliases": ["/exit"], "help": "leave"},
]


@implementer(IStreamClientEndpoint)
class Server:
    """The other end: a test says what it does."""

    def __init__(self) -> None:
        self._attempts: list[tuple[IProtocolFactory, Deferred[IProtocol]]] = []
        self._protocol: ClientProtocol | None = None
        self._transport = StringTransportWithDisconnection()

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        attempt: Deferred[IProtocol] = Deferred(self._cancelled)
        self._attempts.append((factory, attempt))
        return attempt

    def _cancelled(self, attempt: Deferred[IProtocol]) -> None:
        self._attempts = [each for each in self._attempts if each[1] is not attempt]

    @property
    def is_called(self) -> bool:
        """Whether somebody tries to connect just now."""
        return bool(self._attempts)

    @property
    def hung_up(self) -> bool:
        """Whether the client has closed the connection."""
        return not self._transport.connected

    def refuses(self, why: Exception | None = None) -> None:
        _, attempt = self._attempts.pop(0)
        attempt.errback(Failure(why or error.ConnectionRefusedError()))

    def ignores(self) -> None:
        """Nobody answers an attempt to connect."""
        self._attempts.pop(0)

    def accepts(self) -> None:
        factory, attempt = self._attempts.pop(0)
        protocol = factory.buildProtocol(IPv4Address("TCP", "127.0.0.1", 5000))
        assert isinstance(protocol, ClientProtocol)
        self._protocol = protocol
        self._transport = StringTransportWithDisconnection()
        self._transport.protocol = protocol
        protocol.makeConnection(self._transport)
        attempt.callback(protocol)

    def sends(self, data: bytes) -> None:
        assert self._protocol is not None
        self._protocol.dataReceived(data)

    def says(self, event: str, **keys: Any) -> None:
        """Send an event; `from_` is what the wire calls `from`."""
        thing = {"event": event, "time": NOON} | {name.rstrip("_"): keys[name] for name in keys}
        self.sends(json.dumps(thing).encode() + b"\n")

    def hears(self) -> list[dict[str, Any]]:
        """What the client has sent since the last time."""
        sent = self._transport.value()
        self._transport.clear()
        return [json.loads(line) for line in sent.splitlines()]

    def is_told(self) -> list[str]:
        """The texts that the client has sent since the last time, without their refs."""
        return [thing["text"] for thing in self.hears() if "text" in thing]

    def welcomes(self, nick: str, *, resumed: bool = False, **keys: Any) -> None:
        self.says(
            "welcome",
            nick=nick,
            session="token",
            server="Test Chat",
            resumed=resumed,
            commands=COMMANDS,
            **keys,
        )
        if not resumed:
            self.shows_room("#lobby", nick)

    def shows_room(self, room: str, *nicks: str, topic: str = "") -> None:
        members = [{"nick": nick, "away": None, "role": "member"} for nick in nicks]
        self.says("state", room=room, topic=topic, members=members, count=len(nicks))

    def vanishes(self) -> None:
        """The connection breaks."""
        assert self._protocol is not None
        self._transport.connected = False
        self._protocol.connectionLost(Failure(error.ConnectionLost()))


class Desk:
    """Somebody at a client. In a pipe unless `plain`; with so many `others` beside their server."""

    def __init__(
        self,
        nick: str = "alice",
        *,
        plain: bool = False,
        json: bool = False,
        room: str = "",
        patience: Patience = FOR_EVER,
        out: io.StringIO | None = None,
        others: int = 0,
    ) -> None:
        self.clock = MemoryReactorClock()
        self.server, *self.others = [Server() for _ in range(1 + others)]
        self.told = Server()  # what the server tells of, if it says "there:5000"
        self.out = out or io.StringIO()
        self.errors = io.StringIO()
        self._input, self._keys = os.pipe()
        os.set_blocking(self._input, False)  # a reactor reads only when there is something
        self.view = (
            Plain(self.clock, self.out, fd=self._input)
            if plain
            else Pipe(self.clock, self.out, self.errors, json=json, fd=self._input)
        )
        client = ChatClient(
            self.clock,
            raw=self.view.raw,
            quiet=self.view.quiet,
            patience=patience,
            elsewhere=lambda told: [Address(self.told, each) for each in told],
            jitter=lambda: 1.0,
        )
        names = ("home port 5000", "away port 5000", "far port 5000")
        addresses = list(map(Address, (self.server, *self.others), names))
        self.talk = Conversation(nick, self.view, client, addresses, room)
        self.ended = ""  # how, once it has
        self.talk.finished.addCallbacks(self._finished, self._failed)
        self.view.open(self.talk)
        self.talk.start()

    def _finished(self, _: None) -> None:
        self.ended = "well"

    def _failed(self, failure: Failure) -> None:
        failure.trap(Failed)
        self.ended = failure.getErrorMessage()

    def types(self, *lines: str | bytes) -> None:
        """Type lines, each with a line end."""
        for line in lines:
            self.pipes((line.encode() if isinstance(line, str) else line) + b"\n")

    def pipes(self, data: bytes) -> None:
        """Put bytes into the input."""
        os.write(self._keys, data)
        self._read()

    def ends_input(self) -> None:
        """Ctrl-D, or the end of a pipe."""
        os.close(self._keys)
        self._keys = -1
        self._read()

    def _read(self) -> None:
        for reader in list(self.clock.getReaders()):
            reader.doRead()

    def waits(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def sees(self) -> list[str]:
        """The lines that have appeared since the last time."""
        lines = self.out.getvalue().splitlines()
        self.out.seek(0)
        self.out.truncate()
        return lines

    def is_warned(self) -> list[str]:
        """The lines that have appeared on the error output since the last time."""
        lines = self.errors.getvalue().splitlines()
        self.errors.seek(0)
        self.errors.truncate()
        return lines

    def goes(self) -> None:
        """Clear the desk."""
        for fd in {self._input, self._keys} - {-1}:
            os.close(fd)


class DeskTest(SynchronousTestCase):
    """A test with somebody at a client."""

    def desk(self, nick: str = "alice", **keys: Any) -> tuple[Desk, Server]:
        """Somebody who is not connected yet, and their server."""
        desk = Desk(nick, **keys)
        self.addCleanup(desk.goes)
        return desk, desk.server

    def connected(self, nick: str = "alice", **keys: Any) -> tuple[Desk, Server]:
        """Somebody who is in the lobby."""
        desk, server = self.desk(nick, **keys)
        server.accepts()
        server.hears()
        server.welcomes(nick)
        desk.sees()
        return desk, server
