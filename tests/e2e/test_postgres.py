"""A real server whose database is a real PostgreSQL, which is killed and started again."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Start
from tests.e2e.people import Plain, Program
from tests.e2e.server import ENVIRONMENT, TWISTD
from tests.e2e.test_crash import Talker, messages
from tests.postgres import Engine, why_not

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(bool(why_not()), reason=why_not())]


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """A PostgreSQL of these tests' own."""
    own = Engine()
    yield own
    own.remove()


class Stubborn(Talker):
    """Says again what was refused, when told to."""

    refused: dict[str, str]

    def hears(self, seconds: float) -> None:
        """Read what is there; what is refused is not acknowledged."""
        known, waiting = len(self.events), dict(self.unacknowledged)
        super().hears(seconds)
        for event in self.events[known:]:
            if event["event"] == "error":
                self.refused[event["ref"]] = waiting[event["ref"]]

    def says_again(self) -> None:
        """Say again what was refused."""
        for ref, text in self.refused.items():
            self.unacknowledged[ref] = text
            self.does(do="say", room="#lobby", text=text, ref=ref)
        self.refused = {}


def test_what_anybody_saw_outlives_a_killed_database_and_nobody_is_disconnected(
    engine: Engine, start: Start
) -> None:
    server = start("--flood", "off", "--db", engine.new())
    witness = Program(server.port, "witness")
    watcher = Plain(server.port, "watcher")
    talkers = {name: Stubborn(server.port, name) for name in ("ann", "ben", "cleo")}
    for talker in talkers.values():
        talker.refused = {}
        talker.talks_on(None)

    def talk() -> None:
        for name, talker in talkers.items():
            talker.talks(name)
            talker.hears(0.05)
        witness.reads()
        watcher.reads()

    for round_ in range(1, 4):
        while len(messages(witness)) < 150 * round_:
            talk()
        engine.kill()
        while not any(talker.refused for talker in talkers.values()):
            talk()
        engine.start()
        for talker in talkers.values():
            talker.says_again()
        while any(talker.unacknowledged for talker in talkers.values()):
            for talker in talkers.values():
                talker.says_again()
                talker.hears(0.05)
    talkers["ann"].says("the end")
    for person in (witness, watcher):
        person.sees("the end")
        assert not person.ended
    seen = messages(witness)
    assert [number for number, _ in seen] == list(range(1, len(seen) + 1)), "a hole, or a repeat"
    texts = sorted(text for _, text in seen)
    said = [f"{name} {n}" for name, each in talkers.items() for n in range(1, each.said + 1)]
    assert texts == sorted([*said, "the end"]), "each line once, and none that was not said"
    for talker in talkers.values():
        heard = messages(talker)
        assert heard == [each for each in seen if each[0] >= heard[0][0]][: len(heard)]


def test_who_resumes_misses_nothing_when_the_server_was_killed(
    engine: Engine, start: Start
) -> None:
    url = engine.new()
    server = start("--db", url)
    bot = Program(server.port, "bot")
    bot.says("one")
    alice = Plain(server.port, "alice")
    alice.types("/topic tea", "two")
    bot.waits(lambda: any(e.get("text") == "two" for e in bot.events), "two")
    server.kill()
    again = Program(start("--db", url, port=server.port).port, "bot", bot)
    again.says("three")
    assert again.gets(event="welcome", resumed=True)["session"] == bot.session
    assert [number for number, _ in messages(again)] == [1, 3, 4]
    assert again.gets(event="state", room="#lobby", topic="tea")


def test_a_second_server_on_the_same_database_says_why_it_does_not_start(
    engine: Engine, start: Start, tmp_path: Path
) -> None:
    url = engine.new()
    server = start("--db", url)
    where = ("--interface", "127.0.0.1", "--port", "0", "--db", url)
    for more, text in (
        ((), "twisted-chat: another twisted-chat uses the database postgres"),
        (("--check",), "the options are valid, but another server is using the database"),
    ):
        second = subprocess.run(
            [*TWISTD, "-n", "--pidfile=", "chat", *where, *more],
            cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert second.returncode == 1
        assert text in second.stderr
        assert "Traceback" not in second.stdout + second.stderr
    Program(server.port, "bot").says("still here")
