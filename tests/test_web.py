"""What the web frontend answers: files, and the handshake of a WebSocket."""

import gzip
import re
from pathlib import Path

from tests.browsers import HANDSHAKE, Asker, Tab, request
from tests.people import ChatTestCase
from twisted_chat import Limits
from twisted_chat.frontends.networks import Networks
from twisted_chat.frontends.web_files import read_page


class WebTestCase(ChatTestCase):
    def setUp(self) -> None:
        """A page of three files, and a file beside it that is nobody's."""
        super().setUp()
        folder = Path(self.mktemp())
        page = folder / "page"
        (page / "icons").mkdir(parents=True)
        (page / "index.html").write_text("<!doctype html><p>" + "hello " * 100)
        (page / "chat.js").write_text("export const a = 1;")
        (page / "manifest.webmanifest").write_text("{}")
        (page / "icons" / "small.png").write_bytes(b"\x89PNG")
        (page / "notes.txt").write_text("not for others")
        (folder / "secret.html").write_text("secret")
        self.web = self.factory.web(read_page(page))

    def asks(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, str, bytes]:
        """Ask for something: the status, the type and the body of the answer."""
        status, sent, body = Asker(self.web).asks(path, headers).gets()
        return status, sent.get("content-type", ""), body


class FileTests(WebTestCase):
    def test_the_page_is_at_the_root(self) -> None:
        status, kind, body = self.asks("/")
        self.assertEqual((status, kind), (200, "text/html; charset=utf-8"))
        self.assertIn(b"hello", body)

    def test_its_files_are_below_page(self) -> None:
        for path, expected in (
            ("/page/chat.js", "text/javascript; charset=utf-8"),
            ("/page/icons/small.png", "image/png"),
            ("/manifest.webmanifest", "application/manifest+json"),
        ):
            self.assertEqual(self.asks(path)[:2], (200, expected))

    def test_nothing_else_is_served(self) -> None:
        for path in (
            "/page/notes.txt",
            "/page/../secret.html",
            "/page/%2e%2e/secret.html",
            "/page/..%2fsecret.html",
            "/page/....//secret.html",
            "//etc/passwd",
            "/page/",
            "/page",
            "/page/chat.js/",
            "/page/chat.js%00.png",
            "/PAGE/chat.js",
            "page/chat.js",
            "http://chat.example/secret.html",
            "/../../../../etc/passwd",
            "/page/icons/..\\..\\secret.html",
            "*",
        ):
            status, _, body = self.asks(path)
            self.assertEqual(status, 404, path)
            self.assertNotIn(b"secret", body)

    def test_the_query_of_a_url_is_ignored(self) -> None:
        self.assertEqual(self.asks("/?room=dev")[0], 200)

    def test_every_response_has_the_security_headers(self) -> None:
        for path in ("/", "/page/chat.js", "/nothing", "/ws"):
            _, headers, _ = Asker(self.web).asks(path).gets()
            policy = headers["content-security-policy"].split("; ")
            for rule in (
                "default-src 'none'",
                "script-src 'self'",
                "connect-src 'self'",
                "frame-ancestors 'none'",
                "require-trusted-types-for 'script'",
                "trusted-types 'none'",
            ):
                self.assertIn(rule, policy, path)
            self.assertNotIn("unsafe", headers["content-security-policy"])
            self.assertEqual(headers["x-content-type-options"], "nosniff")
            self.assertEqual(headers["referrer-policy"], "no-referrer")
            self.assertNotIn("set-cookie", headers)
            self.assertNotIn("server", headers)

    def test_an_unchanged_file_is_not_sent_again(self) -> None:
        _, headers, _ = Asker(self.web).asks("/").gets()
        self.assertEqual(headers["cache-control"], "no-cache")
        seen = {"Host": "chat.example", "If-None-Match": headers["etag"]}
        status, _, body = Asker(self.web).asks("/", seen).gets()
        self.assertEqual((status, body), (304, b""))

    def test_files_are_compressed_for_browsers_that_accept_it(self) -> None:
        accepts = {"Host": "chat.example", "Accept-Encoding": "br, gzip"}
        _, headers, body = Asker(self.web).asks("/", accepts).gets()
        self.assertEqual(headers["content-encoding"], "gzip")
        self.assertEqual(gzip.decompress(body), self.asks("/")[2])

    def test_head_has_no_body(self) -> None:
        status, headers, body = Asker(self.web).asks("/", method="HEAD").gets()
        self.assertEqual((status, body, headers["content-length"]), (200, b"", "618"))

    def test_other_methods_are_refused(self) -> None:
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT"):
            status, headers, _ = Asker(self.web).asks("/", method=method).gets()
            self.assertEqual((status, headers["allow"]), (405, "GET, HEAD"))

    def test_several_files_can_be_requested_over_one_connection(self) -> None:
        browser = Asker(self.web)
        for path in ("/", "/page/chat.js", "/nothing"):
            self.assertIn(browser.asks(path).gets()[0], (200, 404))
        browser.sends(request("/page/chat.js") * 2)
        self.assertEqual(browser.transport.value().count(b"export const"), 2)


class ReadingTests(WebTestCase):
    """Clients that do not read their responses."""

    def test_requests_wait_until_the_responses_before_them_are_read(self) -> None:
        browser = Asker(self.web)
        browser.channel.pauseProducing()  # as the transport does when its buffer is full
        browser.sends(request("/page/chat.js") * 200)
        self.assertEqual(browser.transport.value().count(b"HTTP/1.1 200"), 1)
        browser.channel.resumeProducing()
        self.assertEqual(browser.transport.value().count(b"HTTP/1.1 200"), 200)

    def test_a_client_that_never_reads_is_disconnected(self) -> None:
        browser = Asker(self.web)
        browser.channel.pauseProducing()
        browser.sends(request("/page/chat.js") * 3)
        self.time_passes(20)
        self.assertTrue(browser.is_gone)

    def test_leaving_with_unread_responses_leaves_nothing_behind(self) -> None:
        browser = Asker(self.web)
        browser.channel.pauseProducing()
        browser.sends(request("/page/chat.js") * 3)
        browser.channel.connectionLost()
        self.assertEqual(self.clock.getDelayedCalls(), [])


class BadRequestTests(WebTestCase):
    def assert_refused(self, data: bytes, status: int = 400) -> None:
        """It is refused, no answer to another request follows, and it is closed."""
        somebody = Asker(self.web).sends(data)
        answer = somebody.transport.value()
        self.assertTrue(answer.startswith(b"HTTP/1.1 %d " % status), (data[:80], answer))
        self.assertEqual(answer.count(b"HTTP/1.1 "), 1, answer)
        self.assertTrue(somebody.is_gone)

    def test_requests_with_a_body_are_refused(self) -> None:
        smuggled = b"GET /page/chat.js HTTP/1.1\r\nHost: x\r\n\r\n"
        for headers in (
            b"Content-Length: 42",
            b"Content-Length: 0\r\nContent-Length: 42",
            b"Content-Length: 0\r\nContent-Length: 0",
            b"Content-Length: 0, 42",
            b"Content-Length: +0",
            b"Content-Length: -1",
            b"Content-Length : 42",
            b"Content-Length:\x0b42",
            b"Transfer-Encoding: chunked",
            b"Transfer-Encoding: chunked\r\nContent-Length: 0",
            b"Content-Length: 0\r\nTransfer-Encoding: chunked",
            b"Transfer-Encoding: identity",
            b"Transfer-Encoding:\r\n chunked",
            b"Transfer-Encoding: x\r\nTransfer-Encoding: chunked",
            b"transfer-encoding:\tchunked",
        ):
            for method in (b"GET", b"POST"):
                start = method + b" / HTTP/1.1\r\nHost: chat.example\r\n"
                self.assert_refused(start + headers + b"\r\n\r\n0\r\n\r\n" + smuggled)

    def test_an_invalid_request_is_refused(self) -> None:
        for line in (b"hello", b"GET", b"GET /", b"{}", b"\x16\x03\x01", b"GET / HTTP/1.1 x y"):
            self.assert_refused(line + b"\r\nHost: x\r\n\r\n")
        self.assert_refused(b"GET / HTTP/1.1\r\nHost chat\r\n\r\n")
        self.assert_refused(b"GET / HTTP/1.1\r\nHo st: x\r\n\r\n")

    def test_a_request_needs_one_host(self) -> None:
        for hosts in (b"", b"Host: a\r\nHost: b\r\n", b"Host:\r\n"):
            somebody = Asker(self.web).sends(b"GET / HTTP/1.1\r\n" + hosts + b"\r\n")
            self.assertEqual(somebody.gets()[0], 400)

    def test_endless_headers_are_refused(self) -> None:
        for data in (
            b"GET / HTTP/1.1\r\n" + b"X: " + b"x" * 1_000_000,
            b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 10_000,
            b"GET / HTTP/1.1\r\n" + b" x\r\n" * 10_000,
            b"GET /" + b"x" * 1_000_000,
        ):
            somebody = Asker(self.web)
            for at in range(0, len(data), 1_000):
                if not somebody.is_gone:
                    somebody.sends(data[at : at + 1_000])
            self.assertTrue(somebody.is_gone)

    def test_a_request_sent_byte_by_byte_has_twenty_seconds(self) -> None:
        slow = Asker(self.web)
        for byte in request("/", {"Host": "x", "X-Slow": "x" * 100})[:19]:
            slow.sends(bytes([byte]))
            self.clock.advance(1)
        self.assertFalse(slow.is_gone)
        self.clock.advance(1)
        self.assertTrue(slow.is_gone)

    def test_an_idle_connection_is_closed(self) -> None:
        browser = Asker(self.web).asks("/")
        self.clock.advance(19)
        self.assertFalse(browser.asks("/").is_gone)
        self.clock.advance(19)
        self.assertFalse(browser.is_gone)
        self.clock.advance(1)
        self.assertTrue(browser.is_gone)

    def test_the_oldest_connection_makes_room(self) -> None:
        slow = [Asker(self.web, f"192.0.2.{number}") for number in range(200)]
        self.clock.advance(2)
        self.assertFalse(any(each.is_gone for each in slow))
        self.assertEqual(Asker(self.web, "203.0.113.1").asks("/").gets()[0], 200)
        self.assertEqual([each.is_gone for each in slow], [True] + [False] * 199)

    def test_a_rush_is_served_as_far_as_the_server_has_room(self) -> None:
        self.factory.chat.limits.clients = 300
        rush = [Asker(self.web, f"192.0.2.{number}") for number in range(301)]
        self.assertEqual([each.is_gone for each in rush], [False] * 300 + [True])

    def test_one_address_has_a_limit(self) -> None:
        many = [Asker(self.web, "2001:db8::1") for _ in range(65)]
        self.assertEqual([each.is_gone for each in many], [False] * 64 + [True])
        self.assertFalse(Asker(self.web, "2001:db8:1::1").is_gone)

    def test_closed_connections_are_not_counted(self) -> None:
        for _ in range(100):
            Asker(self.web, "192.0.2.1").channel.connectionLost()
        self.assertFalse(Asker(self.web, "192.0.2.1").is_gone)
        self.assertEqual(self.clock.getDelayedCalls()[1:], [])


class HandshakeTests(WebTestCase):
    def handshake(self, **headers: str | None) -> tuple[int, dict[str, str]]:
        """A handshake with other headers, or without some: status and headers of the answer."""
        sent = HANDSHAKE | {name.replace("_", "-"): value for name, value in headers.items()}
        kept = {name: value for name, value in sent.items() if value is not None}
        return Asker(self.web).asks("/ws", kept).gets()[:2]

    def test_the_handshake_is_answered_as_rfc_6455_says(self) -> None:
        status, headers = self.handshake()
        self.assertEqual(status, 101)
        self.assertEqual(headers["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        self.assertEqual((headers["upgrade"], headers["connection"]), ("websocket", "Upgrade"))

    def test_extensions_and_subprotocols_are_not_accepted(self) -> None:
        _, headers = self.handshake(
            Sec_WebSocket_Extensions="permessage-deflate", Sec_WebSocket_Protocol="chat"
        )
        self.assertNotIn("sec-websocket-extensions", headers)
        self.assertNotIn("sec-websocket-protocol", headers)

    def test_another_version_is_told_the_supported_one(self) -> None:
        for version in ("8", "14", "", None):
            status, headers = self.handshake(Sec_WebSocket_Version=version)
            self.assertEqual((status, headers["sec-websocket-version"]), (426, "13"))

    def test_an_invalid_handshake_is_refused(self) -> None:
        for headers in (
            {"Upgrade": None},
            {"Upgrade": "h2c"},
            {"Connection": None},
            {"Connection": "keep-alive"},
        ):
            self.assertEqual(self.handshake(**headers)[0], 426)
        for key in (None, "", "short", "not base64!!!!!!!!!!!!!!", "A" * 100):
            self.assertEqual(self.handshake(Sec_WebSocket_Key=key)[0], 400)
        self.assertEqual(Asker(self.web).asks("/ws", HANDSHAKE, "POST").gets()[0], 426)

    def test_a_page_from_elsewhere_may_not_connect(self) -> None:
        for origin in (
            "http://evil.example",
            "https://chat.example.evil.example",
            "https://evil.example/chat.example",
            "http://chat.example:8080",
            "http://chat.example@evil.example",
            "null",
            "",
            "file://",
            "chrome-extension://chat.example",
            "http://[",
        ):
            self.assertEqual(self.handshake(Origin=origin)[0], 403, origin)

    def test_the_servers_own_page_and_programs_may_connect(self) -> None:
        for origin in ("http://chat.example", "https://chat.example", "https://CHAT.example", None):
            self.assertEqual(self.handshake(Origin=origin)[0], 101, origin)

    def test_pages_of_named_origins_may_connect(self) -> None:
        self.web = self.factory.web({}, ["https://other.example"])
        self.assertEqual(self.handshake(Origin="https://other.example")[0], 101)
        self.assertEqual(self.handshake(Origin="http://other.example")[0], 403)

    def test_the_chats_pages_at_its_other_addresses_may_connect(self) -> None:
        self.web.spread(["https://b.example:5001"])
        self.assertEqual(self.handshake(Origin="https://b.example:5001")[0], 101)
        self.assertEqual(self.handshake(Origin="https://b.example")[0], 403)
        self.assertEqual(self.handshake(Origin="https://chat.example")[0], 101)

    def test_a_page_may_connect_to_the_chats_other_addresses_and_to_no_others(self) -> None:
        def policy() -> str:
            _, headers, _ = Asker(self.web).asks("/").gets()
            (connects,) = re.findall("connect-src ([^;]*);", headers["content-security-policy"])
            return str(connects)

        self.assertEqual(policy(), "'self'")
        self.web.spread(["https://b.example:5001", "http://c.example"])
        self.assertEqual(policy(), "'self' wss://b.example:5001 ws://c.example")
        self.web.spread([])
        self.assertEqual(policy(), "'self'")

    def test_a_message_right_behind_the_handshake_is_heard(self) -> None:
        alice = self.joins("alice")
        hello = b'{"do":"hello","nick":"bob"}'
        data = request("/ws", HANDSHAKE) + bytes((0x81, 0x80 | len(hello))) + b"\0\0\0\0" + hello
        Asker(self.web).sends(data)
        self.clock.advance(0)
        self.assertEqual(alice.sees(), ["*** bob has joined #lobby"])

    def test_a_websocket_no_longer_counts_as_an_http_connection(self) -> None:
        tabs = [Tab(self.factory, "127.0.0.1", self.web) for _ in range(250)]
        for tab in tabs[::50]:
            tab.asks(do="hello", nick=f"tab{tabs.index(tab)}")
        self.clock.advance(25)
        self.assertEqual([tab.is_gone for tab in tabs], [False] * 250)


class ProxyTests(ChatTestCase):
    limits = Limits(nameless_per_address=1)

    def address(self, peer: str, forwarded: str | None, *proxies: str) -> str:
        """The address that a connection from `peer` counts as."""
        headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
        web = self.factory.web({}, (), Networks(proxies))
        return str(Tab(self.factory, peer, web, headers).protocol.address)

    def test_a_header_from_anyone_but_a_proxy_is_ignored(self) -> None:
        self.assertEqual(self.address("192.0.2.7", "198.51.100.1"), "192.0.2.7")
        self.assertEqual(self.address("127.0.0.1", "198.51.100.1"), "127.0.0.1")

    def test_a_proxy_tells_the_clients_address(self) -> None:
        self.assertEqual(self.address("127.0.0.1", "192.0.2.7", "127.0.0.1"), "192.0.2.7")
        self.assertEqual(self.address("::1", "2001:db8::7", "::/0"), "2001:db8::7")
        self.assertEqual(self.address("127.0.0.1", "::ffff:192.0.2.9", "127.0.0.1"), "192.0.2.9")

    def test_a_forged_header_does_not_count(self) -> None:
        forged = "127.0.0.1, 10.0.0.1,192.0.2.7"
        self.assertEqual(self.address("127.0.0.1", forged, "127.0.0.1", "10.0.0.0/8"), "192.0.2.7")

    def test_several_proxies_in_a_row_work(self) -> None:
        hops = "192.0.2.7, 10.0.0.1"
        self.assertEqual(self.address("127.0.0.1", hops, "127.0.0.1", "10.0.0.0/8"), "192.0.2.7")

    def test_an_invalid_address_is_ignored(self) -> None:
        for text in ("", "unknown", "192.0.2.7:80", "x" * 100, "\x1b[31m"):
            self.assertEqual(self.address("127.0.0.1", text, "127.0.0.1"), "127.0.0.1")

    def test_people_behind_a_proxy_are_counted_by_their_own_address(self) -> None:
        web = self.factory.web({}, (), Networks(["127.0.0.1"]))
        for host in ("192.0.2.1", "192.0.2.2"):
            tab = Tab(self.factory, "127.0.0.1", web, {"X-Forwarded-For": host})
            self.assertFalse(tab.is_gone)
        again = Tab(self.factory, "127.0.0.1", web, {"X-Forwarded-For": "192.0.2.1"})
        self.assertTrue(again.is_gone)
