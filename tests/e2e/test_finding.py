"""A server announces itself, and clients find it; nothing of it leaves this machine."""

import pytest

from tests.e2e.conftest import Start
from tests.e2e.patience import PATIENCE, eventually
from tests.e2e.people import Plain
from tests.e2e.server import Server
from twisted_chat.client.finding import find
from twisted_chat.client.looking import Found
from twisted_chat.client.place import Place

pytestmark = pytest.mark.e2e

LOOPBACK = ["127.0.0.1"]


def found(name: str, seconds: float = PATIENCE) -> list[Found]:
    """The servers of this name that are found on this machine."""
    return [each for each in find(seconds, LOOPBACK) if each.name == name]


def test_a_server_is_found_until_it_stops(start: Start) -> None:
    server = start("--announce", "--name", "the lab 1")
    eventually(lambda: "Announced on the local network" in server.output, "it is announced")
    assert found("the lab 1") == [Found("the lab 1", Place("127.0.0.1", server.port))]
    server.stop()
    assert found("the lab 1", 1.0) == []


def test_a_server_with_tls_first_says_so(start: Start) -> None:
    where = ("-e", "ssl:0:interface=127.0.0.1", "-e", "tcp:0:interface=127.0.0.1")
    server = start("--announce", "--name", "the lab 2", where=where)
    eventually(lambda: "Announced on the local network" in server.output, "it is announced")
    (lab,) = found("the lab 2")
    assert lab.place.tls


def test_a_server_that_cannot_be_announced_says_why_and_runs(start: Start) -> None:
    server = start("--announce", where=("-e", r"tcp:0:interface=\:\:1"))
    eventually(lambda: "Cannot --announce the server" in server.output, "it says so")
    assert "it has no IPv4 address" in server.output
    assert server.is_running


def test_a_server_that_is_not_told_to_announces_nothing(start: Start) -> None:
    start("--name", "the lab 3")
    assert found("the lab 3", 1.0) == []


def test_the_doors_of_a_server(server: Server) -> None:
    ann = Plain(server.port, "ann")
    ann.types("/doors")
    ann.sees(f"*** Join with: nc 127.0.0.1 {server.port}, or: twisted-chat 127.0.0.1 {server.port}")
    ann.sees(f"*** Open in a browser: http://127.0.0.1:{server.port}/")


def test_a_code_for_phones_is_shown_at_the_start(start: Start) -> None:
    server = start("--qr")
    eventually(lambda: server.output.count("\x1b[97;40m") >= 15, "the code is shown")
    assert "\u2580" in server.output
