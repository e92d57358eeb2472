"""Bytes go to the socket at once where it takes them, and in order where it does not."""

import socket
import struct
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.interfaces import IReactorFDSet, IReadDescriptor, IWriteDescriptor
from twisted.internet.main import CONNECTION_DONE, CONNECTION_LOST
from twisted.internet.protocol import Protocol
from twisted.internet.tcp import Server
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from tests.people import ChatTestCase
from twisted_chat import Limits
from twisted_chat.frontends.outlet import Outlet
from twisted_chat.log.window import PIECE


@implementer(IReactorFDSet)
class Poller:
    """Knows who waits for their socket, and lets them go on when the test says so."""

    def __init__(self) -> None:
        self.writers: set[Any] = set()
        self.readers: set[Any] = set()

    def addReader(self, reader: IReadDescriptor) -> None:
        """Somebody waits for something to read."""
        self.readers.add(reader)

    def addWriter(self, writer: IWriteDescriptor) -> None:
        """Somebody waits until they can write."""
        self.writers.add(writer)

    def removeReader(self, reader: IReadDescriptor) -> None:
        """They wait no more."""
        self.readers.discard(reader)

    def removeWriter(self, writer: IWriteDescriptor) -> None:
        """They wait no more."""
        self.writers.discard(writer)

    def removeAll(self) -> list[Any]:
        """Nobody waits any more."""
        return []

    def getReaders(self) -> list[Any]:
        """Who waits for something to read."""
        return list(self.readers)

    def getWriters(self) -> list[Any]:
        """Who waits until they can write."""
        return list(self.writers)

    def writable(self) -> list[object]:
        """Let those write who wait to; gives what became of them."""
        return [writer.doWrite() for writer in list(self.writers)]


def tcp() -> tuple[socket.socket, socket.socket]:
    """Both ends of a TCP connection."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        theirs = socket.create_connection(listening.getsockname())
        return listening.accept()[0], theirs


class Wire:
    """A connection through a real socket, without a reactor.

    Args:
        protocol: who is at our end.
        ends: the sockets, ours first.
    """

    def __init__(
        self,
        protocol: Protocol | None = None,
        ends: tuple[socket.socket, socket.socket] | None = None,
    ) -> None:
        self.ours, self.theirs = ends or socket.socketpair()
        ours = self.ours
        ours.setblocking(False)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        self.theirs.setblocking(False)
        self.poller = Poller()
        nobody: Any = None
        self.transport = Server(
            ours, protocol or Protocol(), ("192.0.2.1", 1), nobody, 0, self.poller
        )

    def readable(self) -> None:
        """Let our end read, and then write, and be told of the end, as a reactor does."""
        for reader in list(self.poller.readers):
            if reader.doRead() is CONNECTION_DONE:
                reader.readConnectionLost(Failure(CONNECTION_DONE))
        for writer in list(self.poller.writers):
            why = writer.doWrite()
            if why is not None:
                writer.connectionLost(Failure(why))

    def arrived(self) -> bytes:
        """What the other end finds to read just now."""
        data = b""
        while True:
            try:
                piece = self.theirs.recv(65536)
            except BlockingIOError:
                return data
            if not piece:
                return data
            data += piece

    def arrives(self) -> bytes:
        """What the other end reads until nothing more comes."""
        data = self.arrived()
        while self.poller.writers:
            self.poller.writable()
            data += self.arrived()
        return data

    def cut(self) -> None:
        """Let go of both sockets."""
        self.ours.close()
        self.theirs.close()


class OutletTests(SynchronousTestCase):
    def setUp(self) -> None:
        """An outlet on a real socket."""
        self.wire = Wire()
        self.addCleanup(self.wire.cut)
        self.drained = 0
        self.outlet = Outlet(self.wire.transport, self.drains)

    def drains(self) -> None:
        """The outlet takes more again."""
        self.drained += 1

    def test_what_the_socket_takes_is_there_before_the_turn_ends(self) -> None:
        self.outlet.write(b"hello ")
        self.outlet.write(b"world")
        self.assertEqual(self.wire.arrived(), b"hello world")
        self.assertEqual(self.wire.poller.writers, set())
        self.assertTrue(self.outlet.ready)

    def test_what_it_does_not_take_follows_in_order(self) -> None:
        data = bytes(range(256)) * 4000
        self.outlet.write(data)
        self.assertFalse(self.outlet.ready)
        self.outlet.write(b"the end")
        self.assertEqual(self.drained, 0)
        self.assertEqual(self.wire.arrives(), data + b"the end")
        self.assertTrue(self.outlet.ready)
        self.assertEqual(self.drained, 1)

    def test_when_all_is_sent_it_goes_at_once_again(self) -> None:
        self.outlet.write(b"x" * 1_000_000)
        self.wire.arrives()
        self.outlet.write(b"hello")
        self.assertEqual(self.wire.arrived(), b"hello")
        self.assertEqual(self.wire.poller.writers, set())

    def test_nothing_is_written_where_there_is_nothing(self) -> None:
        self.outlet.write(b"")
        self.assertEqual(self.wire.arrived(), b"")
        self.assertEqual(self.wire.poller.writers, set())

    def test_nothing_waits_for_who_is_gone_where_there_is_nothing_to_write(self) -> None:
        self.wire.theirs.close()
        self.outlet.write(b"")
        self.assertTrue(self.outlet.ready)

    def test_closing_sends_what_was_written_and_takes_no_more(self) -> None:
        self.outlet.write(b"x" * 100_000)
        self.outlet.close()
        self.wire.transport.loseConnection()
        self.outlet.write(b"too late")
        data, ends = self.wire.arrived(), []
        while CONNECTION_DONE not in ends:
            ends = self.wire.poller.writable()
            data += self.wire.arrived()
        self.assertEqual(data, b"x" * 100_000)
        self.assertEqual(self.drained, 0)

    def test_who_is_gone_is_found_out_by_the_transport(self) -> None:
        self.wire.theirs.close()
        self.outlet.write(b"is anybody there?")
        self.assertFalse(self.outlet.ready)
        self.assertEqual(self.wire.poller.writable(), [CONNECTION_LOST])
        self.outlet.stopProducing()
        self.outlet.write(b"nobody")

    def test_two_closings_are_one(self) -> None:
        self.outlet.close()
        self.outlet.close()
        self.assertFalse(self.outlet.ready)

    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.tuples(st.integers(0, 40_000), st.booleans(), st.booleans()), max_size=15))
    def test_whatever_is_written_arrives_once_and_in_order(
        self, writes: list[tuple[int, bool, bool]]
    ) -> None:
        wire = Wire()
        outlet = Outlet(wire.transport, lambda: None)
        sent = arrived = b""
        for number, (size, they_read, poll) in enumerate(writes):
            data = bytes([number]) * size
            outlet.write(data)
            sent += data
            if they_read:
                arrived += wire.arrived()
            if poll:
                wire.poller.writable()
            self.assertEqual(outlet.ready, not wire.poller.writers)
        arrived += wire.arrives()
        wire.cut()
        self.assertEqual(arrived, sent)


class OtherTransportTests(SynchronousTestCase):
    def test_where_there_is_no_socket_it_goes_through_the_transport(self) -> None:
        transport = StringTransport()
        outlet = Outlet(transport, lambda: None)
        outlet.write(b"hello")
        self.assertEqual(transport.value(), b"hello")

    def test_it_stands_still_while_the_transport_says_so(self) -> None:
        drained: list[bool] = []
        transport = StringTransport()
        outlet = Outlet(transport, lambda: drained.append(outlet.ready))
        producer = transport.producer
        assert producer is not None
        producer.pauseProducing()
        self.assertFalse(outlet.ready)
        producer.resumeProducing()
        self.assertTrue(outlet.ready)
        self.assertEqual(drained, [True])

    def test_a_closed_one_does_not_keep_the_transport_open(self) -> None:
        transport = StringTransport()
        Outlet(transport, lambda: None).close()
        self.assertIsNone(transport.producer)


class SocketTests(ChatTestCase):
    limits = Limits(pace=None)

    def test_who_does_not_read_holds_a_piece_in_memory_and_reads_it_all_later(self) -> None:
        protocol = self.factory.buildProtocol(None)
        wire = Wire(protocol)
        self.addCleanup(wire.cut)
        protocol.makeConnection(wire.transport)
        protocol.dataReceived(b"sleeper\n")
        self.clock.advance(0)
        bob = self.joins("bob")
        wire.arrives()
        lines = [f"line {number} " + "x" * 500 for number in range(2000)]
        for line in lines:
            bob.types(line)
        held = len(wire.transport.dataBuffer) + wire.transport._tempDataLen
        self.assertLessEqual(held, PIECE)
        arrived = wire.arrives().decode().split("\r\n")
        self.assertEqual([line.partition("bob: ")[2] for line in arrived], [*lines, ""])

    def test_half_a_line_is_not_said_when_a_write_was_told_of_the_reset(self) -> None:
        protocol = self.factory.buildProtocol(None)
        wire = Wire(protocol, tcp())
        self.addCleanup(wire.cut)
        protocol.makeConnection(wire.transport)
        wire.theirs.sendall(b"bob\n")
        wire.readable()
        self.clock.advance(0)
        ann = self.joins("ann")
        wire.theirs.sendall(b"half a li")
        wire.readable()
        wire.theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        wire.theirs.close()
        ann.types("hello")  # which bob's socket cannot send, and says why
        wire.readable()
        ann.turn_ends()
        self.time_passes(10)
        self.assertEqual(ann.sees()[-1], "*** bob has left #lobby (connection lost)")
