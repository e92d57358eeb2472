"""Writes to a transport: straight to the socket if possible, else through its buffer.

Twisted's own `write` keeps the bytes, registers the socket with the poller, sends in the next
turn and unregisters it again: two system calls and 6 us more for each delivery than trying the
socket first, which made the median delivery to 1,000 readers five times quicker. This is the only
place that knows of it. It is done for a plain TCP or UNIX socket that holds nothing and is not
closing, and in `sealed` for one with TLS; other transports and everything else go through `write`.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from twisted.internet.interfaces import IConsumer, IPushProducer, ITransport
from twisted.internet.main import CONNECTION_DONE
from twisted.internet.tcp import Connection
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_chat.frontends.socket_options import connection_under

if TYPE_CHECKING:
    from twisted_chat.frontends.sealed import Sealed


def _pass_on(transport: ITransport, data: bytes) -> int:
    transport.write(data)
    return len(data)


def _nobody() -> None:
    """Whom it would tell that it takes more is gone."""


@implementer(IPushProducer)
class Outlet:
    """Writes bytes to one transport, and tells whether it is ready for more.

    Args:
        transport: where they go.
        drained: called when it takes more again, after it did not.
    """

    __slots__ = (
        "_direct",
        "_drained",
        "_open",
        "_sealed",
        "_transport",
        "is_reset",
        "ready",
        "send",
    )

    def __init__(self, transport: ITransport, drained: Callable[[], None]) -> None:
        self.ready = True
        self.is_reset = False
        """Whether the other end has broken the connection, as far as a write was told so."""
        self._transport = transport
        self._drained = drained
        self._open = True
        self._direct: Connection | None = None
        self._sealed: Sealed | None = None
        self.send: Callable[[bytes], int] = partial(_pass_on, transport)
        below = getattr(transport, "transport", None)
        if isinstance(transport, Connection) and not transport.TLS:
            self._direct = transport
            self.send = transport.socket.send
        elif isinstance(below, Connection):
            self._begin_sealed(transport, below)
        if IConsumer.providedBy(transport):
            transport.registerProducer(self, True)
        if self._direct is not None and self.held:
            self._wait_for(self._direct)  # something was written before, such as a handshake

    def _begin_sealed(self, transport: ITransport, below: Connection) -> None:
        from twisted.protocols.tls import TLSMemoryBIOProtocol  # only where there is TLS

        from twisted_chat.frontends.sealed import Sealed

        if isinstance(transport, TLSMemoryBIOProtocol):
            self._sealed = Sealed(transport, below)
            self.send = self._sealed.send

    def _write(self, data: bytes) -> None:
        (self._sealed or self._transport).write(data)

    def write(self, data: bytes) -> None:
        """Send bytes; after `close` they are dropped."""
        if not data:
            return  # a broken socket would refuse even that, and nobody be told that it is sent
        if not self.ready:
            if self._open:
                self._write(data)
            return
        try:
            sent = self.send(data)
        except OSError as why:
            self.hold(data, why)
            return
        if sent < len(data):
            self.hold(data[sent:])

    def hold(self, rest: bytes, why: OSError | None = None) -> None:
        """Hand the rest to the transport's buffer, and wait until it is sent.

        The socket is full, or broken, which the transport finds out by itself. But a socket tells
        of a reset once: to whoever reads after that, the connection has ended in good order.
        """
        self.is_reset = self.is_reset or isinstance(why, ConnectionResetError)
        self._write(rest)
        if self._direct is not None:
            self._wait_for(self._direct)

    def _wait_for(self, direct: Connection) -> None:
        self.ready = False
        direct.producerPaused = True  # so that it calls `resumeProducing` when empty

    @property
    def held(self) -> int:
        """Bytes that wait for the other end to read, as far as the transport tells."""
        connection = connection_under(self._transport)
        if connection is None:
            return 0
        return len(connection.dataBuffer) - connection.offset + connection._tempDataLen

    def close(self) -> None:
        """Send what has been written, and take no more."""
        if self._open:
            self._open = False
            self.ready = False
            if IConsumer.providedBy(self._transport):
                self._transport.unregisterProducer()  # a transport with a producer stays open

    def cut(self) -> bool:
        """Close immediately if everything is sent, and return whether that was possible.

        So a refused connection uses no descriptor while the next hundred are accepted.
        """
        direct = self._direct
        if direct is None or not self.ready or direct.dataBuffer or direct._tempDataBuffer:
            return False
        self.close()
        direct.connectionLost(Failure(CONNECTION_DONE))
        return True

    def pauseProducing(self) -> None:
        """The transport's buffer is full."""
        self.ready = False

    def resumeProducing(self) -> None:
        """The transport's buffer is empty."""
        if self._open:
            self.ready = True
            self._drained()

    def stopProducing(self) -> None:
        """The transport is gone."""
        self._open = self.ready = False
        self._drained = _nobody  # it knows us, and nothing may keep itself in memory
        self._sealed, self.send = None, len  # which takes all of it, and knows nobody
