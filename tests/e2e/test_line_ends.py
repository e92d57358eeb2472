"""Lines arrive whole and in order, however they are sent."""

import socket

import pytest

from tests.e2e.people import Plain
from tests.e2e.server import Server

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r\0", "\r"], ids=["LF", "CR LF", "CR NUL", "CR"])
def test_every_line_end_is_one(server: Server, end: str) -> None:
    ann = Plain(server.port, "ann")
    bob = Plain(server.port)
    bob.types("bob", "one", "", "two", end=end)
    ann.sees("bob: two")
    assert ann.has_seen_last(3) == ["*** bob has joined #lobby", "bob: one", "bob: two"]


def test_a_line_may_come_byte_by_byte(server: Server) -> None:
    ann = Plain(server.port, "ann")
    bob = Plain(server.port)
    bob.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in "bob\r\ngrüße, 漢字 😀\r\nthe end\r\n".encode():
        bob.socket.sendall(bytes([byte]))
    ann.sees("bob: the end")
    assert ann.has_seen_last(3) == [
        "*** bob has joined #lobby",
        "bob: grüße, 漢字 😀",
        "bob: the end",
    ]


def test_what_was_sent_just_before_hanging_up_is_delivered(server: Server) -> None:
    ann = Plain(server.port, "ann")
    for number in range(10):
        bob = Plain(server.port)
        bob.sees("What is your nickname?")
        bob.types(f"bob{number}", f"first {number}", f"last {number}")
        bob.closes()
        ann.sees(f"bob{number}: last {number}")
        assert ann.has_seen(f"bob{number}: first {number}")


def test_what_was_sent_without_waiting_for_the_greeting_is_delivered(server: Server) -> None:
    ann = Plain(server.port, "ann")
    for number in range(10):
        bob = Plain(server.port)
        bob.types(f"bob{number}", f"last {number}")
        bob.closes()  # with the greeting unread, so that the answer to it is a reset
        ann.sees(f"bob{number}: last {number}")


def test_half_a_line_of_somebody_who_vanishes_is_shown_to_nobody(server: Server) -> None:
    ann = Plain(server.port, "ann")
    bob = Plain(server.port, "bob")
    ann.sees("*** bob has joined")
    bob.types("half a li", end="")
    bob.vanishes()
    ann.sees("*** bob has left #lobby (connection lost)")
    assert not ann.has_seen("half")
