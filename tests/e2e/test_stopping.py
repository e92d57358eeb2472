"""The server is stopped: everybody is told, and it is gone in time, without a mess."""

import signal
import socket
import time

import pytest

from tests.e2e.conftest import Start
from tests.e2e.patience import PATIENCE
from tests.e2e.people import Plain, Program, Typist
from tests.e2e.server import Server

pytestmark = pytest.mark.e2e

GOODBYE = "*** The server is shutting down"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
def test_everybody_is_told_and_it_is_gone(server: Server, number: signal.Signals) -> None:
    ann = Plain(server.port, "ann")
    bot = Program(server.port, "bot")
    nell = Typist("nc", "127.0.0.1", str(server.port)).comes_in("nell")
    nameless = Plain(server.port)
    ann.sees("*** nell has joined")
    ann.types("my last words")
    bot.gets(event="message", text="my last words")
    server.signal(number)
    for person in (ann, nell):
        assert person.sees(GOODBYE).endswith(GOODBYE)
    bot.gets(event="notice", text="The server is shutting down")
    for connected in (ann, bot, nameless):
        connected.sees_the_end()
    assert server.process.wait(PATIENCE) == -number
    assert "Traceback" not in server.output
    assert not ann.has_seen("has left")


def test_it_is_gone_within_five_seconds_though_somebody_does_not_read(start: Start) -> None:
    server = start("--flood", "off")
    sleeper = Plain(server.port, "sleeper")
    sleeper.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    ann = Plain(server.port, "ann")
    talker = Program(server.port, "talker")
    talker.gets(event="state")
    for number in range(200):
        for _ in range(50):
            talker.does(do="say", text="x" * 400)
        talker.says(f"line {number}")
        ann.sees(f"line {number}")
        talker.forgets()
    began = time.monotonic()
    server.signal(signal.SIGTERM)
    ann.sees(GOODBYE)
    assert server.process.wait(PATIENCE) == -signal.SIGTERM
    assert time.monotonic() - began < 5
    assert "Traceback" not in server.output


def test_what_was_said_just_before_is_heard_by_everybody(start: Start) -> None:
    server = start("--flood", "off")
    ann = Plain(server.port, "ann")
    bob = Plain(server.port, "bob")
    bob.types(*(f"line {number}" for number in range(500)))
    ann.sees("bob: line 0")
    server.signal(signal.SIGTERM)
    ann.sees_the_end()
    heard = [line.split()[-1] for line in ann.lines if "bob: line" in line]
    assert heard == [str(number) for number in range(len(heard))]
    assert GOODBYE in ann.lines[-1]


def test_the_end_of_a_terminal_is_not_the_end_of_the_chat(server: Server) -> None:
    ann = Plain(server.port, "ann")
    for _ in range(3):
        server.signal(signal.SIGHUP)
    bob = Plain(server.port, "bob")
    bob.types("still here?")
    ann.sees("bob: still here?")
    assert server.is_running
