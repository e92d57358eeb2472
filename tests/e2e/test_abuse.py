"""Those who mean no good, or speak something else, disturb nobody."""

import random
import socket

import pytest

from tests.e2e.conftest import Start
from tests.e2e.patience import run
from tests.e2e.people import Plain, Program
from tests.e2e.server import Server

pytestmark = pytest.mark.e2e


def is_clean(line: str) -> bool:
    return all(character.isprintable() for character in line)


def test_random_bytes(start: Start) -> None:
    server = start("--flood", "off")
    watcher = Plain(server.port, "watcher")
    rng = random.Random(1)
    for number in range(150):
        vandal = Plain(server.port)
        if number % 3:
            vandal.types(f"vandal{number}")
        if number % 5 == 0:
            vandal.types("{")
        junk = rng.randbytes(rng.randrange(1, 4000))
        vandal.socket.sendall(junk)
        if number % 2:
            vandal.vanishes()
        else:
            vandal.closes()
    honest = Plain(server.port, "honest")
    honest.types("still here")
    watcher.sees("honest: still here")
    assert all(is_clean(line) for line in watcher.lines)
    assert "Traceback" not in server.output


@pytest.mark.parametrize(
    "request_line", ["POST / HTTP/1.1", "GET / HTTP/1.0", "PRI * HTTP/2.0", "OPTIONS * HTTP/1.1"]
)
@pytest.mark.parametrize("one_port", ["on", "off"])
def test_a_browser_says_nothing_in_the_chat(start: Start, request_line: str, one_port: str) -> None:
    server = start("--one-port", one_port)
    watcher = Plain(server.port, "watcher")
    body = "mallory\nbuy my things\n"
    browser = Plain(server.port)
    browser.types(
        request_line, "Host: localhost", f"Content-Length: {len(body)}", "", body, end="\r\n"
    )
    is_served = one_port == "on" and "HTTP/1" in request_line
    browser.sees("400 Bad Request" if is_served else "!!! This is a chat port, not a web server")
    browser.sees_the_end()
    honest = Plain(server.port, "honest")
    honest.types("still here")
    watcher.sees("honest: still here")
    assert watcher.has_seen_last(2) == ["*** honest has joined #lobby", "honest: still here"]


@pytest.mark.parametrize("evil", ["\x1b[2J", "\x07", "\b\b", "\x9b2J", "\u202eevil", "\0"])
def test_nothing_that_is_typed_moves_anybodys_cursor(server: Server, evil: str) -> None:
    watcher = Plain(server.port, "watcher")
    vandal = Plain(server.port, "vandal")
    vandal.types(f"a {evil} b", f"/me {evil}", f"/topic {evil} c", f"/nick v{evil}", "honest line")
    watcher.sees(": honest line")
    assert all(is_clean(line) for line in watcher.lines)


@pytest.mark.parametrize("start_of_line", ["", "vandal\n", '{"do":"hello","nick":"vandal"}\n'])
def test_a_line_without_end_is_not_kept(server: Server, start_of_line: str) -> None:
    watcher = Plain(server.port, "watcher")
    vandal = Plain(server.port)
    vandal.types(start_of_line, end="")
    before = server.memory
    for _ in range(32):
        vandal.types("x" * (1 << 20), end="")
        vandal.reads()
    watcher.types("/time")
    watcher.sees("*** ")
    assert server.memory - before < 16 << 20
    if start_of_line:
        vandal.types("", "/quit")
        vandal.sees("too long (the limit is")


def test_telnet_negotiation_does_not_get_into_a_name(server: Server) -> None:
    watcher = Plain(server.port, "watcher")
    person = Plain(server.port)
    person.socket.sendall(b"\xff\xfd\x03\xff\xfb\x18\xff\xfb\x1fmid\xff\xf1dle\xff\xfd\x01\r\n")
    watcher.sees("*** middle has joined #lobby")


def test_a_hundred_connections_in_the_same_instant_are_all_greeted(server: Server) -> None:
    crowd = [Plain(server.port) for _ in range(100)]
    for person in crowd:
        person.sees("What is your nickname?")


def test_ten_who_want_one_name(server: Server) -> None:
    crowd = [Plain(server.port) for _ in range(10)]
    for person in crowd:
        person.types("Zoë")
    for person in crowd:
        person.waits(lambda p=person: len(p.lines) > 1, "an answer")  # type: ignore[misc]  # its default
    welcomed = [person for person in crowd if person.has_seen("*** Welcome, Zoë!")]
    refused = [person for person in crowd if person.has_seen("!!! ")]
    assert (len(welcomed), len(refused)) == (1, 9)


def test_who_is_reset_leaves_the_name_and_the_room(server: Server) -> None:
    watcher = Plain(server.port, "watcher")
    for _ in range(2):
        person = Plain(server.port, "comet")
        person.vanishes()
        watcher.sees("*** comet has left #lobby (connection lost)")
        watcher.lines.clear()


def test_four_hundred_resets_leave_nothing_behind(server: Server) -> None:
    beginnings = (b"", b"na", b"name", b"name\n", b'{"do":"hello","nick":"name"}\n', b"\xff\xfa")
    watcher = Plain(server.port, "watcher")
    for number in range(400):
        person = Plain(server.port)
        beginning = beginnings[number % len(beginnings)]
        person.socket.sendall(beginning.replace(b"name", f"n{number}".encode()))
        if number % 2:
            person.reads(0.01)
        person.vanishes()
    honest = Program(server.port, "honest")
    honest.gets(event="state")
    honest.says("still here")
    watcher.sees("honest: still here")
    assert open_sockets(server) < 20


def open_sockets(server: Server) -> int:
    listed = run("ls", "-l", f"/proc/{server.process.pid}/fd")
    return listed.stdout.count("socket:")


def test_small_windows_do_not_keep_the_room_waiting(start: Start) -> None:
    server = start("--flood", "off")
    for number in range(20):
        sleeper = Plain(server.port)
        sleeper.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        sleeper.types(f"sleeper{number}")
    ann = Plain(server.port, "ann")
    talker = Plain(server.port, "talker")
    for number in range(40):
        talker.types(*["x" * 400] * 50, f"line {number}")
        ann.sees(f"talker: line {number}")
