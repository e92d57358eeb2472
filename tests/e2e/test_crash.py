"""Killed under load: what anybody saw is kept, in the order seen, once."""

from pathlib import Path

import pytest

from tests.e2e.people import Plain, Program
from tests.e2e.server import Server

pytestmark = pytest.mark.e2e

KILLS = 6


class Talker(Program):
    """Says numbered lines, eight at a time, and says again what was not acknowledged."""

    said = 0
    unacknowledged: dict[str, str]

    def talks_on(self, before: "Talker | None") -> None:
        """Go on where the last connection ended."""
        self.said = before.said if before else 0
        self.unacknowledged = before.unacknowledged if before else {}
        for ref, text in self.unacknowledged.items():
            self.does(do="say", room="#lobby", text=text, ref=ref)

    def talks(self, name: str) -> None:
        """Say what may be said now."""
        while len(self.unacknowledged) < 8:
            self.said += 1
            ref = f"{name}-{self.said}"
            self.unacknowledged[ref] = f"{name} {self.said}"
            self.does(do="say", room="#lobby", text=self.unacknowledged[ref], ref=ref)

    def hears(self, seconds: float) -> None:
        """Read what is there, and strike off what is acknowledged."""
        known = len(self.events)
        self.reads(seconds)
        for event in self.events[known:]:
            self.unacknowledged.pop(event.get("ref", ""), None)


def messages(program: Program) -> list[tuple[int, str]]:
    """The messages that a program has seen, with their numbers, in the order seen."""
    return [(event["id"], event["text"]) for event in program.events if event["event"] == "message"]


def test_what_anybody_saw_outlives_a_killed_server(tmp_path: Path) -> None:
    names = ("ann", "ben", "cleo")
    server = Server(tmp_path, "--flood", "off")
    talkers: dict[str, Talker] = {}
    plain_lines: list[str] = []
    try:
        for round_ in range(KILLS):
            for name in names:
                before = talkers.get(name)
                talkers[name] = Talker(server.port, name, before)
                talkers[name].talks_on(before)
            watcher = Plain(server.port, f"watcher{round_}")
            wanted = 120 + 37 * round_  # so that the kill comes at another moment each time
            while sum(len(messages(talker)) for talker in talkers.values()) < wanted * (round_ + 1):
                for name, talker in talkers.items():
                    talker.talks(name)
                    talker.hears(0.05)
                watcher.reads()
            server.kill()
            for talker in talkers.values():
                while not talker.ended:
                    talker.hears(1)
            while not watcher.ended:
                watcher.reads(1)
            plain_lines += watcher.lines
            server = Server(tmp_path, "--flood", "off", port=server.port)

        for name in names:
            before = talkers[name]
            talkers[name] = Talker(server.port, name, before)
            talkers[name].talks_on(before)
        for talker in talkers.values():
            talker.gets(event="state")
            while talker.unacknowledged:
                talker.hears(0.5)
        last = max(talker.seen["#lobby"] for talker in talkers.values())
        for talker in talkers.values():
            talker.waits(lambda t=talker: t.seen["#lobby"] >= last, "the last line")  # type: ignore[misc]  # its default
        kept = whole_history(talkers["ann"])
    finally:
        server.kill()

    assert [number for number, _ in kept] == list(range(1, len(kept) + 1))
    for name, talker in talkers.items():
        assert messages(talker) == kept, f"{name} saw another order, a gap or a repeat"
        said = [text for _, text in kept if text.startswith(name)]
        assert said == [f"{name} {number + 1}" for number in range(talker.said)]
    texts = {text for _, text in kept}
    shown = [line.partition(": ")[2] for line in plain_lines if line.startswith("[")]
    assert {line for line in shown if line} <= texts


def whole_history(program: Program) -> list[tuple[int, str]]:
    """Everything that is kept of the lobby, page by page from its end."""
    events: list[tuple[int, str]] = []
    before = 2**40
    while before > 1:
        ref = f"page-{before}"
        program.does(do="history", room="#lobby", before=before, limit=200, ref=ref)
        page = program.gets(event="history", ref=ref)["events"]
        events[:0] = [(event["id"], event["text"]) for event in page]
        before = page[0]["id"]
    return events


def test_a_stopped_reader_costs_nothing_and_gets_everything(tmp_path: Path) -> None:
    server = Server(tmp_path, "--flood", "off")
    try:
        sleeper = Plain(server.port).socket
        sleeper.sendall(b"sleeper\n")
        talker = Program(server.port, "talker")
        talker.gets(event="state")
        count, window = 30_000, 50
        memory = 0
        for number in range(1, count + 1):
            talker.does(do="say", room="#lobby", text=f"{number} {'x' * 394}", ref=str(number))
            if number % window == 0:
                talker.gets(event="message", ref=str(number))
                talker.events.clear()
                talker.lines.clear()
                talker._looked_at = 0
            if number == 2_000:
                memory = server.memory
        grown = server.memory - memory
        data = bytearray()
        while f"] talker: {count} x".encode() not in data[-2000:]:
            piece = sleeper.recv(1 << 20)
            assert piece, "the server has closed"
            data += piece
    finally:
        server.kill()
    lines = data.decode().split("\r\n")
    numbers = [int(line.split()[2]) for line in lines if "] talker: " in line]
    assert numbers == list(range(1, count + 1))
    assert grown < 16 << 20
