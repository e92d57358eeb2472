"""A real server whose database is a real PostgreSQL, which is killed and started again."""

import pytest

from tests.e2e.conftest import Start
from tests.e2e.patience import eventually
from tests.e2e.people import Plain, Program
from tests.e2e.test_crash import Talker, messages
from tests.postgres import Engine, why_not

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(bool(why_not()), reason=why_not())]


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
        while any(talker.unacknowledged or talker.refused for talker in talkers.values()):
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


def test_two_servers_on_one_database_show_the_same_events_under_the_same_numbers(
    engine: Engine, start: Start
) -> None:
    url = engine.new()
    first = Program(start("--db", url).port, "ann")
    second = Program(start("--db", url).port, "ben")
    first.says("one")
    second.waits(lambda: any(e.get("text") == "one" for e in second.events), "one")
    second.says("two")
    first.waits(lambda: any(e.get("text") == "two" for e in first.events), "two")
    for bot in (first, second):
        assert [number for number, _ in messages(bot)] == [1, 2]


def test_a_frozen_database_is_noticed_and_stops_no_server_and_what_was_in_doubt_is_there_once(
    engine: Engine, start: Start
) -> None:
    other = start("--db", engine.new())
    carol = Plain(other.port, "carol")
    server = start("--flood", "off", "--db", engine.new() + "&connect_timeout=2")
    bot, alice = Program(server.port, "bot"), Plain(server.port, "alice")
    bot.says("before")
    engine.freezes()
    try:
        bot.does(do="say", room="#lobby", text="in doubt", ref="doubt")
        carol.types("in doubt")
        other.stop()
        assert not other.is_running
        eventually(lambda: "hanging up" in server.output, "it is noticed")
        eventually(lambda: "connection to the database is lost" in server.output, "it is given up")
        bot.does(do="say", room="#lobby", text="refused", ref="refused")
        assert bot.gets(event="error", ref="refused")["code"] == "not-stored"
        assert not alice.has_seen("in doubt")
    finally:
        engine.thaws()
    assert bot.gets(event="message", ref="doubt")["id"] == 2
    bot.says("after")
    alice.sees("after")
    assert [line.split("] ")[1] for line in alice.lines if "bot:" in line] == [
        "bot: before",
        "bot: in doubt",
        "bot: after",
    ]


def test_a_synchronous_standby_takes_over_and_nothing_that_was_seen_is_lost(start: Start) -> None:
    primary = Engine()
    standby = primary.make_standby()
    try:
        hosts = f"{primary.folder},{standby.folder}"
        url = f"postgresql://chat@/postgres?host={hosts}&target_session_attrs=read-write"
        server = start("--flood", "off", "--db", url)
        bot, alice = Program(server.port, "bot"), Plain(server.port, "alice")
        for number in range(50):
            bot.does(do="say", room="#lobby", text=f"line {number}", ref=str(number))
        alice.sees("line 30")
        primary.kill()
        bot.waits(lambda: any(e["event"] == "error" for e in bot.events) or _all(bot), "an end")
        standby.promote()
        bot.gets(event="message", ref="30")
        eventually(lambda: "can be stored again" in server.output, "all goes on")
        bot.says("after")
        alice.sees("after")
        assert not alice.ended
        seen = messages(bot)
        assert [number for number, _ in seen] == list(range(1, len(seen) + 1))
        with standby.connect(standby.url()) as look:
            query = b"SELECT text FROM events WHERE kind = 'message' ORDER BY id"
            stored = [text for (text,) in look.execute(query)]
        assert stored == [text for _, text in seen]
    finally:
        for each in (standby, primary):
            each.remove()


def _all(bot: Program) -> bool:
    return len(messages(bot)) == 50
