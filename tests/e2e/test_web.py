"""Browsers on real sockets: the page, and WebSockets that behave or do not."""

import base64
import json
import re
import socket
import ssl
import urllib.request

import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.events import CloseConnection, Ping, Request, TextMessage

from tests.e2e.conftest import Start
from tests.e2e.patience import PATIENCE, eventually
from tests.e2e.people import Plain, Program
from tests.e2e.server import Server, with_many_files

pytestmark = pytest.mark.e2e

NEVER_READ = 1_000


def page(server: Server, scheme: str = "http") -> str:
    """Where the page is; the last of its places, if there are several."""
    return str(re.findall(rf"Open in a browser: ({scheme}://\S+)", server.output)[-1])


class Tab(Program):
    """A page with a WebSocket.

    Args:
        server: where it is.
        nickname: who is in front of it.
        before: the tab that it goes on for.
    """

    def __init__(self, server: Server, nickname: str, before: "Tab | None" = None) -> None:
        self._ws = WSConnection(ConnectionType.CLIENT)
        self._text = ""
        self.closed: object = None
        port = int(page(server).rstrip("/").rpartition(":")[2])
        self._first = self._ws.send(Request(host=f"127.0.0.1:{port}", target="/ws"))
        super().__init__(port, nickname, before)

    def _send(self, data: bytes) -> None:
        first, self._first = self._first, b""
        if first:
            self.socket.sendall(first)
            self.reads(PATIENCE)
        for line in data.decode().splitlines():
            self.socket.sendall(self._ws.send(TextMessage(line)))

    def _receive(self) -> bytes:
        data = self.socket.recv(65_536)
        if not data or self.closed is not None:
            return b""
        self._ws.receive_data(data)
        lines = ""
        for event in self._ws.events():
            match event:
                case TextMessage():
                    lines += event.data + ("\n" if event.message_finished else "")
                case Ping():
                    self.socket.sendall(self._ws.send(event.response()))
                case CloseConnection():
                    self.closed = event.code
        return lines.encode() or b"\n"

    def closes(self) -> None:
        """Close in good order."""
        self.socket.sendall(self._ws.send(CloseConnection(1001)))
        self.sees_the_end()


def test_two_pages_and_somebody_with_netcat_talk(start: Start) -> None:
    server = start("--web-port", "0")
    ann, ben, carl = Tab(server, "ann"), Tab(server, "ben"), Plain(server.port, "carl")
    ann.gets(event="state")
    ann.says("hello 漢字 😀")
    assert ben.gets(event="message")["text"] == "hello 漢字 😀"
    carl.sees("ann: hello 漢字 😀")
    carl.types("x" * 1_000)
    assert ann.gets(event="message", **{"from": "carl"})["text"] == "x" * 1_000
    ann.closes()
    assert ann.closed == 1001
    carl.types("/quit")
    server.stop()
    ben.sees_the_end()
    assert ben.closed == 1001
    assert ben.gets(event="notice")["text"] == "The server is shutting down"


def test_a_page_that_comes_back_has_missed_nothing(start: Start) -> None:
    server = start("--web-port", "0")
    ann, carl = Tab(server, "ann"), Plain(server.port, "carl")
    ann.gets(event="state")
    ann.vanishes()
    carl.types("one", "two", "three")
    carl.types("/time")
    carl.sees("*** The server's time is")
    back = Tab(server, "ann", ann)
    assert back.gets(event="welcome", resumed=True)["nick"] == "ann"
    back.gets(event="message", text="three")
    texts = [event["text"] for event in back.events if event["event"] == "message"]
    assert texts == ["one", "two", "three"]


def test_the_page_has_its_security_headers_also_over_tls(start: Start) -> None:
    server = start("--web-endpoint", "ssl:0:interface=127.0.0.1")
    https = page(server, "https")
    anyone = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anyone.check_hostname, anyone.verify_mode = False, ssl.CERT_NONE
    with urllib.request.urlopen(https, timeout=PATIENCE, context=anyone) as answer:
        assert answer.status == 200
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        assert answer.read().lower().startswith(b"<!doctype html>")


def test_a_thousand_websockets_that_never_read_cost_little(start: Start) -> None:
    with with_many_files():
        server = start("--web-port", "0", "--flood", "off", "--no-db")
        port = int(page(server).rstrip("/").rpartition(":")[2])
        talker, watcher = Program(server.port, "talker"), Plain(server.port, "watcher")
        talker.gets(event="state")
        watcher.lines.clear()
        crowd = [never_reads(port, number) for number in range(NEVER_READ)]
        eventually(lambda: all_are_there(watcher), "all are there")

        memory = 0
        for number in range(3_000):
            talker.does(do="say", text=f"{number} {'x' * 394}", ref=str(number))
            if number % 50 == 0:
                talker.gets(event="message", ref=str(number))
                talker.forgets()
                watcher.sees(f"talker: {number} x")
                watcher.lines.clear()
            if number == 1_500:
                memory = server.memory
        watcher.sees("talker: 2999 x")
        # 600 kB more for each of them would be 600 MB
        assert server.memory - memory < 64 << 20
        for link in crowd:
            link.close()


def all_are_there(watcher: Plain) -> bool:
    """Whether everybody is in the lobby."""
    watcher.types("/users")
    watcher.sees("*** In #lobby: ")
    there = watcher.has_seen(f"({NEVER_READ + 2})")
    watcher.lines.clear()
    return there


def never_reads(port: int, number: int) -> socket.socket:
    """Somebody from an address of their own who says hello, and reads nothing."""
    link = socket.socket()
    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
    link.bind((f"127.8.{number // 250}.{1 + number % 250}", 0))
    link.connect(("127.0.0.1", port))
    key = base64.b64encode(number.to_bytes(16, "big")).decode()
    link.sendall(
        "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
    )
    hello = json.dumps({"do": "hello", "nick": f"tab{number}", "quiet": True}).encode()
    link.sendall(bytes((0x81, 0x80 | len(hello))) + bytes(4) + hello)
    return link
