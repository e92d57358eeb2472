"""Writes through TLS: bytes are sealed at once, and go straight to the socket if possible.

Twisted's own way keeps them until the reactor's next turn, a timer for each connection, and then
as its plain transport does: 36 us a delivery instead of the plain line's 7. What is sealed has to
be sent in the order in which it was sealed, so whatever the socket does not take goes into the
transport's buffer, and so does everything while that holds something.
"""

from OpenSSL.SSL import Error
from twisted.internet.interfaces import IPushProducer
from twisted.internet.tcp import Connection
from twisted.protocols.tls import BufferingTLSTransport, TLSMemoryBIOProtocol

_RECORD = 2**14
"""Most bytes in a record of TLS."""

_SEALED = 2**15
"""More bytes than that is when it is sealed."""


class Sealed:
    """Writes to one connection with TLS.

    Args:
        tls: the connection's TLS.
        below: the transport that it uses.
    """

    __slots__ = ("_below", "_seal", "_socket", "_take", "_tls")

    def __init__(self, tls: TLSMemoryBIOProtocol, below: Connection) -> None:
        if isinstance(tls, BufferingTLSTransport):
            tls._aggregator.flush()  # what was written before this, such as a handshake of HTTP
        self._tls = tls
        self._below = below
        self._seal = tls.getHandle().send
        self._take = tls.getHandle().bio_read
        self._socket = below.socket.send

    def send(self, data: bytes) -> int:
        """Send bytes; all of them are taken, and the producer is told if it is to send no more."""
        size, below = len(data), self._below
        if size > _RECORD or below.dataBuffer or below._tempDataBuffer:
            self.write(data)
            return size
        try:
            self._seal(data)
        except Error:  # still shaking hands, or broken, which TLS finds out by itself
            self.write(data)
            return size
        sealed = self._take(_SEALED)
        try:
            sent = self._socket(sealed)
        except OSError:  # full, or broken, which the transport finds out
            sent = 0
        if sent < len(sealed):
            below.write(sealed[sent:])
            self._pause()
        return size

    def write(self, data: bytes) -> None:
        """Seal bytes, and let the transport send them; what cannot be sealed yet is kept."""
        TLSMemoryBIOProtocol.write(self._tls, data)  # the other one keeps it until the next turn

    def _pause(self) -> None:
        """As the transport does when its buffer is full; it goes on when that is empty."""
        below = self._below
        if IPushProducer.providedBy(below.producer):
            below.producerPaused = True
            below.producer.pauseProducing()
