"""Browsers on real sockets: the page, and WebSockets that behave or do not."""

import base64
import json
import re
import socket
import ssl
import urllib.request

import pytest

from tests.e2e.conftest import Start
from tests.e2e.patience import PATIENCE, eventually
from tests.e2e.people import Plain, Program
from tests.e2e.server import Server, with_many_files
from tests.e2e.tab import Tab

pytestmark = pytest.mark.e2e

NEVER_READ = 1_000


def page(server: Server, scheme: str = "http") -> str:
    """Where the page is, at the port for browsers alone."""
    logged = re.compile(rf"Open in a browser: ({scheme}://\S+:(?!{server.port}/)\S+)")
    eventually(lambda: logged.search(server.output), "the log has the address of the page")
    return str(logged.findall(server.output)[0])


def page_port(server: Server) -> int:
    """The port for browsers alone."""
    return int(page(server).rstrip("/").rpartition(":")[2])


def test_two_pages_and_somebody_with_netcat_talk(start: Start) -> None:
    server = start("--web-port", "0")
    ann, ben, carl = (
        Tab(page_port(server), "ann"),
        Tab(page_port(server), "ben"),
        Plain(server.port, "carl"),
    )
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
    ann, carl = Tab(page_port(server), "ann"), Plain(server.port, "carl")
    ann.gets(event="state")
    ann.vanishes()
    carl.types("one", "two", "three")
    carl.types("/time")
    carl.sees("*** The server's time is")
    back = Tab(page_port(server), "ann", ann)
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
        port = page_port(server)
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
