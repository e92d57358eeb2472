"""One port for all clients: recognises those that send first, and greets the others."""

from itertools import islice, takewhile
from typing import Any, Final

from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IHalfCloseableProtocol,
    IHandshakeListener,
)
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_chat.frontends.connection import host_of
from twisted_chat.frontends.crowd import Crowd
from twisted_chat.frontends.handover import hand_over
from twisted_chat.frontends.server import Server
from twisted_chat.wire.beginnings import Speaks, recognize

WAIT: Final = 0.2
"""Seconds in which programs send something first; people with netcat wait for the greeting."""

AT_ONCE: Final = 200
"""Connections greeted in one event-loop turn: 10 ms of work."""

HANDSHAKE_SECONDS: Final = 10.0
"""Most seconds that a TLS handshake may take."""


@implementer(IHandshakeListener, IHalfCloseableProtocol)
class Undecided(Protocol):
    """A connection whose protocol is not known yet.

    Args:
        port: what all of them share.
        address: where the other end is.
    """

    def __init__(self, port: "OnePort", address: IAddress | None) -> None:
        self._port = port
        self.came_from = address
        self.address = host_of(address)
        self.beginning = b""
        self._has_ended = False
        self._deadline: IDelayedCall | None = None  # for the handshake

    def connectionMade(self) -> None:
        """Wait for the first bytes, or for the handshake that comes before them."""
        self._deadline = self._port.enter(self)

    def handshakeCompleted(self) -> None:
        """TLS is established: what comes next is the protocol inside."""
        self._stop_deadline()
        self._port.waits(self)

    def _stop_deadline(self) -> None:
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()

    def dataReceived(self, data: bytes) -> None:
        """Look at the first bytes."""
        self.beginning += data
        if recognize(self.beginning) is not None:
            self._port.knows(self)

    def readConnectionLost(self) -> None:
        """No more will come."""
        self._has_ended = True
        self._port.knows(self)

    def writeConnectionLost(self) -> None:
        """We never say that we will send no more."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is lost before its protocol is known."""
        self._stop_deadline()
        self._port.leave(self)

    def abort(self) -> None:
        """Close at once."""
        transport: Any = self.transport
        transport.abortConnection()

    def become(self, factory: Factory) -> None:
        """Continue as a connection of this kind."""
        protocol: Any = factory.buildProtocol(self.came_from)
        hand_over(self.transport, protocol)
        if self.beginning:
            protocol.dataReceived(self.beginning)
        if not self._has_ended:
            return
        if IHalfCloseableProtocol.providedBy(protocol):
            protocol.readConnectionLost()
        else:
            protocol.transport.loseConnection()


class OnePort(Factory):
    """Recognises what connections speak, and hands them over.

    Args:
        server: what all connections share.
        lines: makes connections for plain and structured lines.
        web: makes connections for browsers.
        certificate: the certificate for TLS; without it, there is no TLS.
        is_inside: whether the connections are inside TLS already.
    """

    noisy = False

    def __init__(
        self,
        server: Server,
        lines: Factory,
        web: Factory,
        certificate: Any = None,
        *,
        is_inside: bool = False,
    ) -> None:
        self._server = server
        self._clock = server.clock
        self._lines = lines
        self._kinds: dict[Speaks, Any] = {Speaks.HTTP: web}
        if certificate is not None:
            from twisted.protocols.tls import TLSMemoryBIOFactory  # an extra

            inside = OnePort(server, lines, web, is_inside=True)
            self._kinds[Speaks.TLS] = TLSMemoryBIOFactory(certificate, False, inside, server.clock)
        self._is_inside = is_inside
        self._crowd = Crowd(server)
        self._due: dict[Undecided, float] = {}  # in the order of their times
        self._known: dict[Undecided, None] = {}
        self._looks = False

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """A connection; if the server is full, one that is told so at once."""
        there = len(self._server.connections) + len(self._due)
        if not self._is_inside and there >= self._server.chat.limits.clients:
            return self._lines.buildProtocol(addr)
        return Undecided(self, addr)

    def enter(self, connection: Undecided) -> IDelayedCall | None:
        """Wait for the first bytes; inside TLS, for the end of the handshake first."""
        if not self._is_inside:
            self.waits(connection)
        elif self._crowd.enter(connection):
            return self._clock.callLater(HANDSHAKE_SECONDS, connection.abort)
        else:
            connection.abort()
        return None

    def waits(self, connection: Undecided) -> None:
        """From now on the client may send something, or wait for the greeting."""
        self._crowd.leave(connection)
        self._due[connection] = self._clock.seconds() + WAIT
        self._look_later()

    def leave(self, connection: Undecided) -> None:
        """The connection is lost."""
        self._crowd.leave(connection)
        self._due.pop(connection, None)
        self._known.pop(connection, None)

    def knows(self, connection: Undecided) -> None:
        """The protocol is known: hand over at the end of the turn.

        Not at once: a refused connection may be closed right away, which must not happen while
        the reactor is reading from it.
        """
        if not self._known:
            self._clock.callLater(0, self._hand_over)
        self._known[connection] = None

    def _hand_over(self) -> None:
        known, self._known = self._known, {}
        for connection in known:
            self._decide(connection)

    def _look_later(self) -> None:
        """One timer for all of them."""
        if self._due and not self._looks:
            self._looks = True
            due = next(iter(self._due.values()))
            self._clock.callLater(max(0.0, due - self._clock.seconds()), self._look)

    def _look(self) -> None:
        self._looks = False
        now = self._clock.seconds()
        late = takewhile(lambda each: self._due[each] <= now, self._due)
        for connection in list(islice(late, AT_ONCE)):
            self._decide(connection)
        self._look_later()

    def _decide(self, connection: Undecided) -> None:
        self.leave(connection)
        speaks = recognize(connection.beginning) or Speaks.LINES
        connection.become(self._kinds.get(speaks, self._lines))
