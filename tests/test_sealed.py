"""Bytes through TLS go to the socket at once where it takes them, and arrive in order whatever."""

import contextlib
import sys

from hypothesis import given, settings
from hypothesis import strategies as st
from OpenSSL import SSL
from twisted.internet.main import CONNECTION_LOST
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.trial.unittest import SynchronousTestCase

from tests.people import ChatTestCase
from tests.secure import certificate
from tests.test_outlet import Wire
from twisted_chat import Limits
from twisted_chat.frontends.outlet import Outlet
from twisted_chat.log.window import PIECE


class SecureWire:
    """A connection with TLS through a real socket, without a reactor.

    Args:
        factory: makes who is at our end.
    """

    def __init__(self, factory: Factory | None = None) -> None:
        self.clock = Clock()
        inside = factory or Factory.forProtocol(Protocol)
        self.tls = TLSMemoryBIOFactory(certificate(), False, inside, self.clock).buildProtocol(None)
        self.wire = Wire(self.tls)
        self.below = self.wire.transport
        self.tls.makeConnection(self.below)
        self._theirs = SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD), None)
        self._theirs.set_connect_state()

    @property
    def is_paused(self) -> bool:
        """Whether nothing is read from the socket."""
        return not self.wire.poller.readers

    @property
    def waits(self) -> bool:
        """Whether anything waits for the socket."""
        return bool(self.wire.poller.writers)

    def shakes_hands(self) -> bytes:
        """TLS is established, and nothing is left to send; gives what the other end reads."""
        data = b""
        for _ in range(3):
            with contextlib.suppress(SSL.WantReadError):
                self._theirs.do_handshake()
            with contextlib.suppress(SSL.WantReadError):
                self.tls.dataReceived(self._theirs.bio_read(1 << 20))
            data += self.arrives()
        return data

    def arrived(self) -> bytes:
        """What the other end finds to read just now."""
        return self._takes(self.wire.arrived())

    def arrives(self) -> bytes:
        """What the other end reads until nothing more comes."""
        return self._takes(self.wire.arrives())

    def _takes(self, sealed: bytes) -> bytes:
        if sealed:
            self._theirs.bio_write(sealed)
        data = b""
        with contextlib.suppress(SSL.WantReadError, SSL.ZeroReturnError):
            while True:
                data += self._theirs.recv(1 << 16)
        return data


class SealedTests(SynchronousTestCase):
    def setUp(self) -> None:
        """An outlet on a connection with TLS."""
        self.wire = SecureWire()
        self.addCleanup(self.wire.wire.cut)
        self.wire.shakes_hands()
        self.drained = 0
        self.outlet = Outlet(self.wire.tls, self.drains)

    def drains(self) -> None:
        """The outlet takes more again."""
        self.drained += 1

    def test_what_the_socket_takes_is_there_before_the_turn_ends(self) -> None:
        self.outlet.write(b"hello ")
        self.assertEqual(self.outlet.send(b"world"), 5)
        self.assertEqual(self.wire.arrived(), b"hello world")
        self.assertFalse(self.wire.waits)
        self.assertEqual(self.wire.clock.getDelayedCalls(), [])
        self.assertTrue(self.outlet.ready)

    def test_what_it_does_not_take_follows_in_order(self) -> None:
        data = bytes(range(256)) * 60
        while self.outlet.ready:
            self.outlet.write(data)
        self.outlet.write(b"the end")
        self.assertEqual(self.drained, 0)
        arrived = self.wire.arrives()
        self.assertEqual(arrived.replace(data, b""), b"the end")
        self.assertTrue(self.outlet.ready)
        self.assertEqual(self.drained, 1)

    def test_more_than_a_record_arrives_too(self) -> None:
        data = bytes(range(256)) * 4000
        self.outlet.write(data)
        self.outlet.write(b"the end")
        self.assertEqual(self.wire.arrives(), data + b"the end")

    def test_nothing_overtakes_what_tls_itself_has_to_send(self) -> None:
        for number in range(5):
            self.wire.below.write(b"")
            self.wire.tls.write(b"an answer %d. " % number)  # by way of Twisted, in a moment
            self.wire.clock.advance(0)
            self.assertTrue(self.wire.waits)
            self.outlet.write(b"a line %d. " % number)
        self.assertEqual(
            self.wire.arrives(), b"".join(b"an answer %d. a line %d. " % (n, n) for n in range(5))
        )

    def test_nothing_overtakes_what_was_written_before_there_was_an_outlet(self) -> None:
        wire = SecureWire()
        self.addCleanup(wire.wire.cut)
        wire.shakes_hands()
        wire.tls.write(b"HTTP/1.1 101 Switching Protocols. ")  # which Twisted keeps for a moment
        Outlet(wire.tls, self.drains).write(b"a frame")
        self.assertEqual(wire.arrives(), b"HTTP/1.1 101 Switching Protocols. a frame")

    def test_closing_sends_what_was_written_and_takes_no_more(self) -> None:
        self.outlet.write(b"x" * 100_000)
        self.outlet.close()
        self.wire.tls.loseConnection()
        self.outlet.write(b"too late")
        self.assertEqual(self.wire.arrives(), b"x" * 100_000)

    def test_who_is_gone_is_found_out_by_the_transport(self) -> None:
        self.wire.wire.theirs.close()
        self.outlet.write(b"is anybody there?")
        self.assertFalse(self.outlet.ready)
        self.assertEqual(self.wire.wire.poller.writable(), [CONNECTION_LOST])
        self.outlet.stopProducing()
        self.outlet.write(b"nobody")

    def test_an_outlet_keeps_nothing_in_memory_of_who_is_gone(self) -> None:
        wire = SecureWire()
        self.addCleanup(wire.wire.cut)
        wire.shakes_hands()
        handle = wire.tls.getHandle()
        before = sys.getrefcount(handle)
        outlet = Outlet(wire.tls, self.drains)
        outlet.write(b"hello")
        self.assertGreater(sys.getrefcount(handle), before)
        outlet.stopProducing()
        self.assertEqual(sys.getrefcount(handle), before)
        outlet.write(b"nobody")

    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.tuples(st.integers(0, 40_000), st.booleans(), st.booleans()), max_size=15))
    def test_whatever_is_written_arrives_once_and_in_order(
        self, writes: list[tuple[int, bool, bool]]
    ) -> None:
        wire = SecureWire()
        outlet = Outlet(wire.tls, lambda: None)
        sent = arrived = b""
        for number, (size, they_read, poll) in enumerate(writes):
            data = bytes([number]) * size
            outlet.write(data)
            sent += data
            if number == 3:
                arrived += wire.shakes_hands()  # not before there is something to keep until then
            if they_read:
                arrived += wire.arrived()
            if poll:
                wire.wire.poller.writable()
        if len(writes) <= 3:
            arrived += wire.shakes_hands()
        wire.clock.advance(0)  # what was written before that is sealed at the turn's end
        arrived += wire.arrives()
        self.assertTrue(outlet.ready)
        wire.wire.cut()
        self.assertEqual(arrived, sent)


class GreetingTests(ChatTestCase):
    """A server that speaks first, before TLS is established."""

    def test_who_is_greeted_before_the_handshake_goes_on_shaking_hands(self) -> None:
        wire = SecureWire(self.factory)
        self.addCleanup(wire.wire.cut)
        self.assertFalse(wire.is_paused)
        wire.clock.advance(0)
        self.assertIn(b"What is your nickname?", wire.shakes_hands())
        self.assertFalse(wire.is_paused)


class SocketTests(ChatTestCase):
    limits = Limits(pace=None)

    def test_who_does_not_read_holds_a_piece_in_memory_and_reads_it_all_later(self) -> None:
        wire = SecureWire(self.factory)
        self.addCleanup(wire.wire.cut)
        wire.shakes_hands()
        wire.tls.wrappedProtocol.dataReceived(b"sleeper\n")
        self.clock.advance(0)
        bob = self.joins("bob")
        wire.arrives()
        lines = [f"line {number} " + "x" * 500 for number in range(2000)]
        for line in lines:
            bob.types(line)
        held = len(wire.below.dataBuffer) + wire.below._tempDataLen
        self.assertLessEqual(held, 2 * PIECE)
        arrived = wire.arrives().decode().split("\r\n")
        self.assertEqual([line.partition("bob: ")[2] for line in arrived], [*lines, ""])
