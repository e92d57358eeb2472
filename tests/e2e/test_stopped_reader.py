"""Somebody stops reading while the room goes on, on a server that keeps nothing on disk."""

from itertools import pairwise

import pytest

from tests.e2e.conftest import Start
from tests.e2e.people import Plain, Program

pytestmark = pytest.mark.e2e

LINES = 30_000


def test_it_costs_the_others_nothing_and_the_server_little(start: Start) -> None:
    server = start("--flood", "off", "--no-db")
    sleeper = Plain(server.port)
    sleeper.types("sleeper")
    watcher = Plain(server.port, "watcher")
    watcher.sees("*** In #lobby: sleeper, watcher (2)")
    talker = Program(server.port, "talker")
    talker.gets(event="state")

    heard: list[int] = []
    memory = 0
    for number in range(1, LINES + 1):
        talker.does(do="say", text=f"{number} {'x' * 394}", ref=str(number))
        if number % 50 == 0:
            talker.gets(event="message", ref=str(number))
            talker.forgets()
            watcher.sees(f"talker: {number} x")
            heard += numbers(watcher)
            watcher.lines.clear()
        if number == LINES // 10:  # by now it holds what it holds of a room
            memory = server.memory
    assert heard == list(range(1, LINES + 1))
    assert server.memory - memory < 16 << 20

    sleeper.sees(f"talker: {LINES} x")
    read = numbers(sleeper)
    missed = [line for line in sleeper.lines if line.startswith("*** You missed")]
    assert len(missed) <= 1
    gaps = [(one, two) for one, two in pairwise(read) if two != one + 1]
    assert (read[0], read[-1]) == (1, LINES)
    if missed:
        ((before, after),) = gaps
        assert f"missed {after - before - 1} lines of #lobby" in missed[0]
        assert f"talker: {before} x" in sleeper.lines[sleeper.lines.index(missed[0]) - 1]
    else:
        assert not gaps


def numbers(person: Plain) -> list[int]:
    return [int(line.split()[2]) for line in person.lines if "] talker: " in line]
