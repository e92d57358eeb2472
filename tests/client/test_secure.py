"""A connection with TLS is there once the handshake is done, and not before."""

from twisted.internet.address import IPv4Address
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IProtocol
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from twisted_chat.client.protocol import PATIENCE
from twisted_chat.client.secure import SecureEndpoint
from twisted_chat.client.trust import Trust


class HandshakeTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = MemoryReactorClock()
        self.made: list[Protocol] = []
        below = TCP4ClientEndpoint(self.reactor, "chat.example", 5000)
        trust = Trust("chat.example:5000", None, self.fail)
        endpoint = SecureEndpoint(below, self.reactor, "chat.example", trust)
        factory = Factory.forProtocol(self.make)
        self.connecting: Deferred[IProtocol] = endpoint.connect(factory)
        self.wire = StringTransport()
        connector = self.reactor.tcpClients[0][2]
        protocol = connector.buildProtocol(IPv4Address("TCP", "192.0.2.2", 5000))
        assert protocol is not None
        protocol.makeConnection(self.wire)
        self.protocol = protocol

    def make(self) -> Protocol:
        self.made.append(Protocol())
        return self.made[-1]

    def test_the_server_is_greeted_with_tls_and_the_host_that_is_meant(self) -> None:
        self.assertEqual(self.wire.value()[:2], b"\x16\x03")
        self.assertIn(b"chat.example", self.wire.value())
        self.assertNoResult(self.connecting)
        self.assertEqual(self.made, [])

    def test_a_server_that_does_not_answer_is_given_up(self) -> None:
        self.reactor.advance(PATIENCE - 1)
        self.assertNoResult(self.connecting)
        self.reactor.advance(1)
        why = self.failureResultOf(self.connecting, OSError)
        self.assertIn("took too long", why.getErrorMessage())
        self.assertTrue(self.wire.disconnected)

    def test_who_is_not_interested_any_more_hangs_up(self) -> None:
        self.connecting.cancel()
        self.failureResultOf(self.connecting, CancelledError)
        self.assertTrue(self.wire.disconnected)

    def test_an_answer_without_tls_is_recognized(self) -> None:
        self.protocol.dataReceived(b"Welcome to the lab. What is your nickname?\r\n")
        self.assertTrue(self.wire.disconnecting)
        self.protocol.connectionLost(Failure(ConnectionDone()))
        why = self.failureResultOf(self.connecting)
        self.assertIn("is not a TLS server: leave out --tls", why.getErrorMessage())
        self.assertEqual(self.made, [])
        self.assertEqual(self.reactor.getDelayedCalls(), [])
