"""People who connect with TLS, in a chat without a network."""

import contextlib
from functools import cache
from typing import Any

from OpenSSL import SSL
from twisted.internet.testing import StringTransport
from twisted.protocols.tls import TLSMemoryBIOFactory

from tests.people import Person
from twisted_chat import ChatFactory
from twisted_chat.service import tls


@cache
def certificate() -> tls.Certificate:
    """A certificate for all tests."""
    pem = tls.make("chat.example")
    return tls.Certificate(tls.Pair(pem, pem))


class SecurePerson(Person):
    """Somebody with `openssl s_client`.

    Args:
        factory: the chat.
        host: where they come from.
        context: what they accept.
        is_silent: whether they never begin to shake hands.
    """

    def __init__(
        self,
        factory: ChatFactory,
        host: str | None = "127.0.0.1",
        context: SSL.Context | None = None,
        *,
        is_silent: bool = False,
    ) -> None:
        self._factory = factory
        self.below = StringTransport()
        self.below.peerAddr = type("Peer", (), {"host": host})()
        secure = TLSMemoryBIOFactory(certificate(), False, factory, factory.clock)
        self.protocol: Any = secure.buildProtocol(self.below.peerAddr)
        self._tls = SSL.Connection(context or SSL.Context(SSL.TLS_CLIENT_METHOD), None)
        self._tls.set_connect_state()
        self._read = b""
        self.protocol.makeConnection(self.below)
        for _ in range(0 if is_silent else 2):  # round trips
            self._shake_hands()
            self._deliver()
        self.turn_ends()

    def _shake_hands(self) -> None:
        with contextlib.suppress(SSL.WantReadError, SSL.Error):
            self._tls.do_handshake()

    def _deliver(self) -> None:
        """What this side has to send is received, and what the server has sent is taken."""
        with contextlib.suppress(SSL.WantReadError):
            self.protocol.dataReceived(self._tls.bio_read(1 << 20))
        self._take()

    def _take(self) -> None:
        if self.below.value():
            self._tls.bio_write(self.below.value())
            self.below.clear()

    def sends(self, data: bytes) -> None:
        """See `Somebody.sends`."""
        self._tls.send(data)
        self._deliver()
        self.turn_ends()

    def raw(self) -> str:
        """See `Somebody.raw`."""
        self._take()
        data = b""
        try:
            while True:
                data += self._tls.recv(1 << 16)
        except (SSL.WantReadError, SSL.ZeroReturnError, SSL.Error):
            return data.decode()

    @property
    def fingerprint(self) -> str:
        """That of the certificate which was shown."""
        shown = self._tls.get_peer_certificate()
        assert shown is not None
        return f"SHA256:{shown.digest('sha256').decode()}"

    @property
    def is_gone(self) -> bool:
        """See `Somebody.is_gone`."""
        return bool(self.below.disconnecting or self.protocol.disconnecting)

    def stops_reading(self) -> None:
        """See `Somebody.stops_reading`."""
        self.protocol.wrappedProtocol.outlet.pauseProducing()

    def reads_again(self) -> None:
        """See `Somebody.reads_again`."""
        self.protocol.wrappedProtocol.outlet.resumeProducing()
        self.turn_ends()
