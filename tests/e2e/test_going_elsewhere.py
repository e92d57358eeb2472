"""A client that knows several addresses of a chat goes on at the next when it loses one."""

import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.cluster.cable import Cable
from tests.e2e.client import CLIENT, PLAIN, without_home
from tests.e2e.conftest import Start
from tests.e2e.patience import eventually
from tests.e2e.people import Plain, Program, Typist
from tests.e2e.server import Server
from tests.e2e.terminal import Terminal

pytestmark = pytest.mark.e2e


def home(*ports: int) -> str:
    """These ports of this machine, as the client is told of them."""
    return ",".join(f"127.0.0.1:{port}" for port in ports)


def messages(events: list[dict[str, Any]]) -> list[tuple[int, str]]:
    """What was said in the lobby, with its numbers."""
    said = [each for each in events if (each["event"], each.get("room")) == ("message", "#lobby")]
    return [(each["id"], each["text"]) for each in said]


@pytest.fixture
def server(start: Start) -> Server:
    """A server where one may talk fast."""
    return start("--flood", "off")


@pytest.fixture
def cable(server: Server) -> Iterator[Cable]:
    """Another way to the server."""
    cable = Cable(server.port)
    yield cable
    cable.closes()


def test_it_misses_nothing_and_says_nothing_twice(server: Server, cable: Cable) -> None:
    other = Cable(server.port)
    ann = Program(server.port, "ann")
    ann.gets(event="state")
    where = home(cable.port, other.port)
    bob = Typist(*CLIENT, where, "--nick", "bob", "--json", "--reconnect", env=PLAIN)
    bob.sees('"event":"state"')
    ways = [cable, other]
    for number in range(40):
        bob.types(f"bob {number}")
        ann.does(do="say", text=f"ann {number}")
        if number % 10 == 5:  # in the middle of it
            ways[0].cuts()
        if number % 10 == 8:
            ways[0].mends()
            ways.reverse()
            ann.gets(event="message", text=f"bob {number}")
    ann.says("the end")
    bob.sees("the end")
    ann.waits(lambda: any(text == "bob 39" for _, text in messages(ann.events)), "bob's last line")
    bob.sees("bob 39")
    heard = messages([json.loads(line) for line in bob.lines])
    told = messages(ann.events)
    assert [number for number, _ in told] == list(range(1, 82))
    assert heard == told
    lines = [text for _, text in told if text.startswith("bob")]
    assert lines == [f"bob {number}" for number in range(40)]
    assert not [event for event in ann.events if event["event"] == "leave"]
    other.closes()


def test_one_sees_a_line_that_says_so(server: Server, cable: Cable) -> None:
    ann = Plain(server.port, "ann")
    with TemporaryDirectory() as folder:  # a path that is short enough for a socket's name
        where = home(cable.port, server.port)
        bob = Terminal(
            Path(folder),
            *(*CLIENT, where, "--nick", "bob"),
            environment=without_home(Path(folder)),
        )
        bob.shows("*** In #lobby: ann, bob (2)")
        ann.types("before")
        bob.shows("ann: before")
        cable.cuts()
        ann.types("after")
        bob.shows("ann: after")
        bob.shows(f"*** Connection lost; trying 127.0.0.1 port {server.port}")
        bob.types("here I am")
        bob.presses("Enter")
        ann.sees("bob: here I am")
        assert sum("ann: after" in line for line in bob.screen) == 1
        assert not ann.has_seen("bob has left")
        bob.goes()


def test_a_script_is_told_by_the_server_where_else_the_chat_is(
    start: Start, tmp_path: Path
) -> None:
    config = tmp_path / "chat.toml"
    config.write_text("")
    server = start("--config", "chat.toml")
    Plain(server.port, "kim")  # who is greeted: from then on it hears signals
    config.write_text(f"join-with = ['chat.example:5000', '{home(server.port)}']\n")
    server.signal(signal.SIGHUP)
    eventually(lambda: "were reloaded" in server.output, "the options are reloaded")
    cable = Cable(server.port)
    ann = Plain(server.port, "ann")
    ann.types("/doors")
    ann.sees("*** Join with: nc chat.example 5000, or: twisted-chat chat.example:5000,127.0.0.1")
    ci = Typist(*CLIENT, home(cable.port), "--nick", "ci", "--json", env=PLAIN)
    ci.sees('"event":"state"')
    ci.types("one")
    ann.sees("ci: one")
    cable.closes()
    ci.types("two")
    ci.ends_input()
    ann.sees("ci: two")
    assert ci.exits() == 0
    assert sum("ci: " in line for line in ann.lines) == 2


def test_an_address_where_nobody_answers_is_passed_by(server: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the machine takes connections itself
        where = home(silent.getsockname()[1], server.port)
        ci = Typist(*CLIENT, where, "--nick", "ci", env=PLAIN)
        ann = Plain(server.port, "ann")
        ci.types("done")
        ci.ends_input()
        ann.sees("ci: done")
        assert ci.exits() == 0
