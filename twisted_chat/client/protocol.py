"""One connection to the server: objects, one a line, and a watch that notices when it is dead."""

from collections.abc import Callable
from typing import Any, NamedTuple

from twisted.internet.interfaces import IDelayedCall, IReactorTime, ITCPTransport
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure

from twisted_chat.client.failed import Failed
from twisted_chat.client.foreign import CHECK, recognize
from twisted_chat.client.harmless import harmless
from twisted_chat.refusal import Refused
from twisted_chat.wire.lines import Lines
from twisted_chat.wire.structured import decode, encode

IDLE = 60.0
"""Seconds of silence after which the server is asked whether it is still there."""

PATIENCE = 30.0
"""Seconds in which a server that is there says something."""


class Talker(NamedTuple):
    """Who talks over the connection.

    Args:
        hello: gives the first object that is sent.
        heard: is told every object that the server sends.
        lost: is told why there is no connection, after how many seconds a new one is tried, and
            where, if that is elsewhere.
        gave_up: is told why no new one is tried.
    """

    hello: Callable[[], dict[str, Any]]
    heard: Callable[[dict[str, Any]], None]
    lost: Callable[[str, float, str], None]
    gave_up: Callable[[Failed], None]


class ClientProtocol(Lines):
    """One connection to the server.

    Args:
        talker: who talks over it.
        clock: the time and its timers.
        lost: told, with this protocol, when the connection is gone.
    """

    MAX_LENGTH = 16 * 2**20  # a page of history is one line
    transport: ITCPTransport

    def __init__(
        self, talker: Talker, clock: IReactorTime, lost: "Callable[[ClientProtocol], None]"
    ) -> None:
        super().__init__()
        self.excuse = ""  # what a server says in words that does not let us in
        self.was_silent = True  # all the time
        self.other: str | None = None  # what this is instead of a chat server, once we know
        self._known = False  # to be a chat server
        self._talker = talker
        self._clock = clock
        self._lost = lost
        self._watch: IDelayedCall | None = None

    def connectionMade(self) -> None:
        """There is a connection."""
        if ITCPTransport.providedBy(self.transport):
            self.transport.setTcpNoDelay(True)
        self._watch = self._clock.callLater(PATIENCE, self._dead)

    def greet(self) -> None:
        """Say who we are: this connection is the one that is used."""
        self.send(self._talker.hello())

    def send(self, thing: dict[str, Any]) -> None:
        """Send an object."""
        self.transport.write(encode(thing))

    def dataReceived(self, data: bytes) -> None:
        """Bytes: the first ones may tell what kind of server this is, and need be no line."""
        self.was_silent = False
        if not self._known and self.other is None and (kind := recognize(self.beginning + data)):
            self.other = kind
            self.transport.abortConnection()
        else:
            super().dataReceived(data)

    def lineReceived(self, line: bytes) -> None:
        """The server says something; what is no object (its greeting) is passed over."""
        try:
            thing = decode(line) if line.startswith(b"{") else None
        except Refused:
            return
        if thing is None:
            self._in_words(line)
        elif self._known or isinstance(thing.get("event"), str):
            self._known, self.other = True, None
            self._expect(IDLE, self._ask)
            self._talker.heard(thing)
        else:  # an echo of what we said ourselves
            self.other = f"not a chat server: {CHECK}"
            self.transport.abortConnection()

    def _in_words(self, line: bytes) -> None:
        if line.startswith(b"!!! "):
            self._known = True
            self.excuse = harmless(line[4:].decode(errors="replace"))
        elif b"nickname" in line:  # so a chat server greets
            self._known = True
        elif not self._known:
            self.other = f"not a chat server: {CHECK}"

    def lineLengthExceeded(self, line: bytes) -> None:
        """No server of ours sends such a line: it is passed over."""

    def inputEnded(self) -> None:
        """The server will say no more."""
        self.transport.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is gone."""
        super().connectionLost(reason)
        if self._watch is not None and self._watch.active():
            self._watch.cancel()
        self._watch = None
        self._lost(self)

    def _expect(self, seconds: float, otherwise: Callable[[], None]) -> None:
        if self._watch is not None:
            if self._watch.active():
                self._watch.cancel()
            self._watch = self._clock.callLater(seconds, otherwise)

    def _ask(self) -> None:
        self.send({"do": "ping"})
        self._expect(PATIENCE, self._dead)

    def _dead(self) -> None:
        if not self._known:
            self.excuse = "The server does not answer"
        self.transport.abortConnection()
