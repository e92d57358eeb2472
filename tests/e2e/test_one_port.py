"""One port for netcat, programs, browsers and TLS."""

import urllib.request
from http.client import HTTPConnection

import pytest

from tests.e2e.conftest import Start
from tests.e2e.patience import PATIENCE
from tests.e2e.people import Plain, Program, Typist
from tests.e2e.server import Server
from tests.e2e.tab import Tab

pytestmark = pytest.mark.e2e


def test_everybody_can_use_the_same_address(start: Start) -> None:
    server = start("--tls-port", "0")
    where = f"127.0.0.1:{server.port}"
    ann, bot, tab = Plain(server.port, "ann"), Program(server.port, "bot"), Tab(server.port, "tab")
    secure = Typist("openssl", "s_client", "-quiet", "-connect", where)
    secure.comes_in("carl")
    with urllib.request.urlopen(f"http://{where}/", timeout=PATIENCE) as page:
        assert page.read().lower().startswith(b"<!doctype html>")
    for person in (ann, secure):
        person.types("hello")
    ann.sees("carl: hello")
    for program in (bot, tab):
        program.gets(event="message", **{"from": "carl"})
        program.gets(event="message", **{"from": "ann"})


def test_with_it_off_the_greeting_comes_at_once_and_browsers_are_refused(start: Start) -> None:
    server: Server = start("--one-port", "off")
    browser = HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    browser.connect()
    browser.sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    answer = b""
    while more := browser.sock.recv(65_536):
        answer += more
    assert b"!!! This is a chat port, not a web server" in answer
    browser.close()
    assert "Open in a browser" not in server.output
