"""What the system is asked to do for a connection."""

import socket
from typing import Any

from twisted.internet.protocol import Protocol
from twisted.internet.tcp import Server
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from tests.test_outlet import Poller
from twisted_chat.frontends.liveness import has_vanished
from twisted_chat.frontends.socket_options import UNREAD, prepare


class SocketTests(SynchronousTestCase):
    def setUp(self) -> None:
        """A connection to ourselves."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            theirs = socket.create_connection(server.getsockname())
            self.socket, address = server.accept()
        self.addCleanup(theirs.close)
        self.addCleanup(self.socket.close)
        nobody: Any = None
        prepare(Server(self.socket, Protocol(), address, nobody, 0, Poller()))

    def option(self, name: int, level: int = socket.IPPROTO_TCP) -> int:
        """What an option is set to."""
        return self.socket.getsockopt(level, name)

    def test_a_dead_line_on_which_nothing_is_said_is_noticed_within_two_minutes(self) -> None:
        self.assertTrue(self.option(socket.SO_KEEPALIVE, socket.SOL_SOCKET))
        silence = self.option(socket.TCP_KEEPIDLE)
        tries = self.option(socket.TCP_KEEPCNT) * self.option(socket.TCP_KEEPINTVL)
        self.assertLessEqual(silence + tries, 120)

    def test_who_stands_still_is_not_taken_for_gone(self) -> None:
        self.socket.setblocking(False)
        with self.assertRaises(BlockingIOError):
            while True:
                self.socket.send(b"x" * 65_536)
        self.assertEqual(self.option(socket.TCP_USER_TIMEOUT), 0)
        self.assertFalse(has_vanished(self.socket))

    def test_nothing_waits_to_fill_a_packet(self) -> None:
        self.assertTrue(self.option(socket.TCP_NODELAY))

    def test_the_system_holds_little_for_who_does_not_read(self) -> None:
        self.assertLessEqual(self.option(socket.SO_SNDBUF, socket.SOL_SOCKET), 2 * UNREAD)

    def test_what_is_no_socket_is_left_alone(self) -> None:
        prepare(StringTransport())
