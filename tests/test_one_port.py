"""One port for all clients: their protocol is recognised by the first bytes."""

import contextlib
from typing import Any

from OpenSSL import SSL
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from tests.browsers import HANDSHAKE, request
from tests.people import ChatTestCase, Person
from tests.secure import certificate
from twisted_chat import Limits
from twisted_chat.frontends.one_port import OnePort
from twisted_chat.frontends.web_files import File
from twisted_chat.wire.beginnings import Speaks, recognize

PAGE = File("text/html", b'W/"1"', b"<!doctype html>", b"")


class BeginningTests(SynchronousTestCase):
    def test_first_bytes_tell_the_protocol(self) -> None:
        for data, speaks in (
            (b"\x16\x03\x01\x02\x00", Speaks.TLS),
            (b"\x16\x03", Speaks.TLS),
            (b"\x16\x04", Speaks.LINES),
            (b"GET / HTTP/1.1\r\n", Speaks.HTTP),
            (b"POST /x HTTP/1.0\nHost: x", Speaks.HTTP),
            (b"GET /\r\n", Speaks.LINES),
            (b"GET / HTTP/2\r\n", Speaks.LINES),
            (b"PRI * HTTP/2.0\r\n", Speaks.LINES),
            (b"OPTIONS rtsp://x RTSP/1.0\r\n", Speaks.LINES),
            (b"{", Speaks.LINES),
            (b"alice\n", Speaks.LINES),
            (b"a", Speaks.LINES),
            (b"ALICE\n", Speaks.LINES),
            (b"\n", Speaks.LINES),
            (b"SSH-2.0-x\r\n", Speaks.LINES),
            (b"\xff\xfd\x03", Speaks.LINES),
            (b"A" * 11, Speaks.LINES),
            (b"GET /" + b"x" * 9_000, Speaks.LINES),
        ):
            self.assertEqual(recognize(data), speaks, data[:40])

    def test_some_first_bytes_are_not_enough_to_tell(self) -> None:
        for data in (b"", b"\x16", b"\x16\x03", b"GET / HTTP/1.1\r\n"):
            for end in range(len(data) - 1):
                self.assertIsNone(recognize(data[:end]), data[:end])


class Newcomer(Person):
    """Somebody who connects to the one port.

    Args:
        port: the port.
        test: the test they are in.
        host: where they come from.
    """

    def __init__(self, port: OnePort, test: ChatTestCase, host: str = "127.0.0.1") -> None:
        self._factory = test.factory
        self.transport: _Network = _Network()
        self.transport.peerAddr = type("Peer", (), {"host": host})()
        self.protocol = port.buildProtocol(self.transport.peerAddr)
        self.transport.protocol = self.protocol
        self.protocol.makeConnection(self.transport)

    def sends(self, data: bytes) -> None:
        """See `Somebody.sends`."""
        self.transport.protocol.dataReceived(data)
        self.turn_ends()


class _Network(StringTransport):
    protocol: Any = None

    def setTcpNoDelay(self, enabled: bool) -> None:
        """Nothing is ever held back here."""


class PortTestCase(ChatTestCase):
    limits = Limits(clients=300)

    def setUp(self) -> None:
        """A port for lines, browsers and TLS."""
        super().setUp()
        self.port = OnePort(
            self.factory.server, self.factory, self.factory.web({b"/": PAGE}), certificate()
        )

    def comes(self, host: str = "127.0.0.1") -> Newcomer:
        """Somebody who has said nothing yet."""
        return Newcomer(self.port, self, host)


class OnlyInPlainTests(PortTestCase):
    def test_a_script_that_sends_and_closes_at_once_is_heard(self) -> None:
        alice = self.joins("alice")
        bob, carl = self.comes(), self.comes()
        bob.transport.protocol.dataReceived(b"bob\nhello\nlast")
        bob.transport.protocol.readConnectionLost()
        carl.transport.protocol.dataReceived(b"CARL")
        carl.transport.protocol.readConnectionLost()
        self.time_passes(1)
        seen = alice.sees()
        self.assertEqual(
            seen[:4], ["*** bob has joined #lobby", "bob: hello", "bob: last", seen[3]]
        )
        self.assertIn("*** bob has left #lobby", seen)
        self.assertIn("*** Welcome, CARL!", carl.raw())

    def test_leaving_without_a_word_leaves_nothing_behind(self) -> None:
        before = len(self.clock.getDelayedCalls())
        somebody = self.comes()
        somebody.transport.protocol.connectionLost(Failure(ConnectionDone()))
        self.time_passes(1)
        self.assertEqual(somebody.raw(), "")
        self.assertEqual(len(self.clock.getDelayedCalls()), before)

    def test_two_thousand_share_one_timer(self) -> None:
        self.factory.chat.limits.clients = 10_000
        before = len(self.clock.getDelayedCalls())
        many = [self.comes() for _ in range(2_000)]
        self.assertEqual(len(self.clock.getDelayedCalls()), before + 1)
        self.clock.advance(0.2)
        self.assertTrue(all(each.raw().startswith("Welcome") for each in many))

    def test_a_full_server_says_so_at_once(self) -> None:
        for _ in range(300):
            self.comes()
        self.clock.advance(0.2)
        self.assertEqual(self.comes().sees(), ["!!! The server is full: try again in a minute."])

    def test_without_a_certificate_tls_is_refused(self) -> None:
        self.port = OnePort(self.factory.server, self.factory, self.factory.web({}))
        somebody = self.comes()
        somebody.sends(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        self.assertIn("!!! This is a chat port without TLS", somebody.raw())


class OnePortTests(PortTestCase):
    def test_a_silent_client_is_greeted_after_a_moment(self) -> None:
        somebody = self.comes()
        self.clock.advance(0.19)
        self.assertEqual(somebody.raw(), "")
        self.clock.advance(0.02)
        self.assertEqual(somebody.sees(), ["Welcome to the lab. What is your nickname?"])
        somebody.types("alice", "/time")
        self.assertIn("*** Welcome, alice!", somebody.raw())

    def test_a_client_that_sends_first_is_greeted_at_once(self) -> None:
        somebody = self.comes().types("alice", "hello")
        self.assertEqual(somebody.sees()[0], "Welcome to the lab. What is your nickname?")
        program = self.comes()
        program.sends(b'{"do":"hello","nick":"bot"}\n')
        greeting, welcome = program.raw().split("\r\n", 1)
        self.assertEqual(greeting, "Welcome to the lab. What is your nickname?")
        self.assertTrue(welcome.startswith('{"event":"welcome","nick":"bot"'))

    def test_a_line_in_pieces_is_heard_whole(self) -> None:
        alice = self.joins("alice")
        somebody = self.comes()
        for piece in (b"G", b"ET", b" / HT", b"TPX\nhello", b" there\n"):
            somebody.sends(piece)
        self.assertIn("Welcome to the lab", somebody.raw())
        bob = self.comes()
        for piece in (b"B", b"OB\nhel", b"lo\n"):
            bob.sends(piece)
        self.assertEqual(alice.sees(), ["*** BOB has joined #lobby", "BOB: hello"])

    def test_capital_letters_without_a_line_end_are_no_request_after_a_moment(self) -> None:
        somebody = self.comes()
        somebody.sends(b"BOB")
        self.assertEqual(somebody.raw(), "")
        self.clock.advance(0.2)
        self.assertIn("Welcome to the lab", somebody.raw())
        somebody.sends(b"BY\n")
        self.assertIn("*** Welcome, BOBBY!", somebody.raw())

    def test_a_browser_gets_the_page(self) -> None:
        browser = self.comes()
        for byte in request("/"):
            browser.sends(bytes([byte]))
        answer = browser.raw()
        self.assertTrue(answer.startswith("HTTP/1.1 200 OK\r\n"))
        self.assertTrue(answer.endswith("<!doctype html>"))

    def test_a_browser_gets_its_websocket(self) -> None:
        browser = self.comes()
        browser.sends(request("/ws", HANDSHAKE))
        self.assertIn("101 Switching Protocols", browser.raw())
        (connection,) = self.factory.connections
        self.assertEqual(connection.state, ("websocket", "nameless"))

    def test_everyone_is_greeted_after_their_own_moment(self) -> None:
        early = self.comes()
        self.clock.advance(0.15)
        late = self.comes()
        self.clock.advance(0.05)
        self.assertEqual((bool(early.raw()), late.raw()), (True, ""))
        self.clock.advance(0.15)
        self.assertIn("Welcome", late.raw())

    def test_people_who_are_refused_are_told_why(self) -> None:
        somebody = self.comes()
        somebody.sends(b"SSH-2.0-OpenSSH_9.2\r\n")
        self.assertIn("!!! This is a chat port, not SSH", somebody.raw())


class InsideTlsTests(OnePortTests):
    """The same with TLS around it: the port looks again inside."""

    def comes(self, host: str = "127.0.0.1") -> Newcomer:
        """Somebody who has shaken hands, and said nothing yet."""
        return SecureNewcomer(self.port, self, host)


class SecureNewcomer(Newcomer):
    """Somebody who begins with TLS; the arguments are those of `Newcomer`."""

    def __init__(self, port: OnePort, test: ChatTestCase, host: str = "127.0.0.1") -> None:
        super().__init__(port, test, host)
        self._tls = SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD), None)
        self._tls.set_connect_state()
        self._shakes_hands()
        self._shakes_hands()

    def _shakes_hands(self) -> None:
        with contextlib.suppress(SSL.WantReadError):
            self._tls.do_handshake()
        super().sends(self._tls.bio_read(1 << 16))
        self._tls.bio_write(self.transport.value())
        self.transport.clear()

    def sends(self, data: bytes) -> None:
        """See `Somebody.sends`."""
        self._tls.send(data)
        super().sends(self._tls.bio_read(1 << 16))

    def raw(self) -> str:
        """See `Somebody.raw`."""
        if self.transport.value():
            self._tls.bio_write(self.transport.value())
            self.transport.clear()
        data = b""
        try:
            while True:
                data += self._tls.recv(1 << 16)
        except (SSL.WantReadError, SSL.ZeroReturnError):
            return data.decode()


class HandshakeTests(ChatTestCase):
    def setUp(self) -> None:
        """A port for TLS."""
        super().setUp()
        web = self.factory.web({})
        self.port = OnePort(self.factory.server, self.factory, web, certificate())

    def begins(self, host: str = "127.0.0.1") -> Newcomer:
        """Somebody who sends the beginning of a handshake, and no more."""
        somebody = Newcomer(self.port, self, host)
        somebody.sends(b"\x16\x03\x01\x02\x00\x01")
        return somebody

    def test_an_unfinished_handshake_ends_after_ten_seconds(self) -> None:
        somebody = self.begins()
        self.time_passes(9)
        self.assertFalse(somebody.is_gone)
        self.time_passes(1)
        self.assertTrue(somebody.is_gone)
        self.assertEqual(len(self.factory.connections), 0)

    def test_one_address_has_a_limit(self) -> None:
        many = [self.begins("192.0.2.1") for _ in range(65)]
        self.assertEqual([each.is_gone for each in many], [False] * 64 + [True])
        self.assertFalse(self.begins("192.0.2.2").is_gone)

    def test_the_oldest_handshake_makes_room(self) -> None:
        many = [self.begins(f"192.0.2.{number}") for number in range(200)]
        self.clock.advance(2)
        self.begins("203.0.113.1")
        self.assertEqual([each.is_gone for each in many], [True] + [False] * 199)
