"""An endpoint with TLS: there is a connection once the server's certificate is accepted."""

from ipaddress import ip_address
from typing import Any

from OpenSSL import SSL
from OpenSSL.crypto import X509
from service_identity import CertificateError, VerificationError
from service_identity.pyopenssl import verify_hostname, verify_ip_address
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import wrapClientTLS
from twisted.internet.interfaces import (
    IDelayedCall,
    IHandshakeListener,
    IOpenSSLClientConnectionCreator,
    IProtocol,
    IProtocolFactory,
    IReactorTime,
    IStreamClientEndpoint,
)
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_chat.client.failed import Untrusted
from twisted_chat.client.protocol import PATIENCE
from twisted_chat.client.trust import Trust

_NOT_TLS = {"wrong version number", "packet length too long", "http request", "record too small"}
"""What OpenSSL says of an answer that is not TLS."""


@implementer(IStreamClientEndpoint)
class SecureEndpoint:
    """Connects with TLS.

    The protocol is made once the handshake is done and the certificate accepted, so that
    nothing can be sent before.

    Args:
        endpoint: what connects without TLS.
        clock: the time and its timers.
        host: the name or address that the certificate should be for.
        trust: decides whether the certificate is the server's.
    """

    def __init__(
        self, endpoint: IStreamClientEndpoint, clock: IReactorTime, host: str, trust: Trust
    ) -> None:
        self._endpoint = wrapClientTLS(_Connections(host), endpoint)
        self._clock = clock
        self._host = host
        self._trust = trust

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """Connect; fails with `Untrusted`, or with `Failed` where nobody speaks TLS, too."""
        factory = _Handshakes(protocolFactory, self._clock, self._host, self._trust)
        connecting: Deferred[Any] = self._endpoint.connect(factory)
        return connecting.addCallback(lambda handshake: handshake.done)


@implementer(IOpenSSLClientConnectionCreator)
class _Connections:
    """Makes TLS connections whose handshake is judged by who waits for it, not by OpenSSL."""

    def __init__(self, host: str) -> None:
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        context.set_min_proto_version(SSL.TLS1_2_VERSION)
        context.set_default_verify_paths()
        self._context = context
        self._host = host

    def clientConnectionForTLS(self, tlsProtocol: Any) -> SSL.Connection:
        """See Twisted."""
        connection = SSL.Connection(self._context, None)
        connection.set_verify(SSL.VERIFY_PEER, tlsProtocol.wrappedProtocol.note)
        if not _is_address(self._host):
            connection.set_tlsext_host_name(self._host.encode("idna"))
        return connection


class _Handshakes(Factory):
    noisy = False

    def __init__(
        self, wrapped: IProtocolFactory, clock: IReactorTime, host: str, trust: Trust
    ) -> None:
        self._wrapped = wrapped
        self._clock = clock
        self._host = host
        self._trust = trust

    def buildProtocol(self, addr: Any) -> "_Handshake":
        def make() -> IProtocol | None:
            return self._wrapped.buildProtocol(addr)

        return _Handshake(make, self._clock, self._host, self._trust)


@implementer(IHandshakeListener)
class _Handshake(Protocol):
    """Stands where the protocol will be until the certificate is accepted."""

    transport: Any  # TLSMemoryBIOProtocol

    def __init__(self, make: Any, clock: IReactorTime, host: str, trust: Trust) -> None:
        self.done: Deferred[IProtocol] = Deferred(lambda _: self.transport.abortConnection())
        self._make = make
        self._clock = clock
        self._host = host
        self._trust = trust
        self._is_chain_good = True
        self._patience: IDelayedCall | None = None

    def note(self, _: SSL.Connection, cert: X509, error: int, depth: int, is_good: int) -> bool:
        """Note what OpenSSL thinks of one of the certificates, and let the handshake go on."""
        self._is_chain_good = self._is_chain_good and bool(is_good)
        return True

    def connectionMade(self) -> None:
        self._patience = self._clock.callLater(PATIENCE, self._too_slow)

    def handshakeCompleted(self) -> None:
        if self.done.called:
            return
        try:
            shown = self.transport.getPeerCertificate().digest("sha256").decode()
            self._trust.check(f"SHA256:{shown}", is_vouched_for=self._is_vouched_for())
        except Untrusted:
            self._fail(Failure())
            self.transport.abortConnection()
            return
        self._stop_waiting()
        protocol = self._make()
        self.transport.wrappedProtocol = protocol
        protocol.makeConnection(self.transport)
        self.done.callback(protocol)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        error = reason.value
        self._fail(Failure(self._why(error)) if isinstance(error, SSL.Error) else reason)

    def _is_vouched_for(self) -> bool:
        connection = self.transport.getHandle()
        try:
            if _is_address(self._host):
                verify_ip_address(connection, self._host)
            else:
                verify_hostname(connection, self._host)
        except (VerificationError, CertificateError):
            return False
        return self._is_chain_good

    def _why(self, error: SSL.Error) -> Exception:
        reasons = [reason for *_, reason in error.args[0]] if error.args else []
        if not _NOT_TLS.intersection(reasons):
            return OSError(f"the TLS handshake failed ({', '.join(reasons) or 'no reason given'})")
        return self._trust.without_tls()

    def _too_slow(self) -> None:
        self._fail(Failure(OSError("the TLS handshake took too long")))
        self.transport.abortConnection()

    def _fail(self, why: Failure) -> None:
        self._stop_waiting()
        if not self.done.called:
            self.done.errback(why)

    def _stop_waiting(self) -> None:
        if self._patience is not None and self._patience.active():
            self._patience.cancel()


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
