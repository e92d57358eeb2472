"""Servers, the database and what is between them fail: nothing is lost, or seen twice."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.history import figures, findings
from tests.e2e.cluster import Cluster
from tests.e2e.patience import eventually
from tests.e2e.people import Typist
from tests.postgres import Engine, why_not

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(bool(why_not()), reason=why_not())]

NAMES = ("ann", "ben", "cleo")
LEASE = 10.0
"""Seconds after which a server that is gone is given up by the others."""


class Watched:
    """Three servers, and on each somebody who talks and resumes, and a watcher with netcat."""

    def __init__(self, folder: Path, engine: Engine, url: str = "") -> None:
        self.folder = folder
        self.cluster = Cluster(folder, engine, url=url)
        try:
            self.talkers = [self.cluster.brings(name, node) for node, name in enumerate(NAMES)]
            self.watchers = [self.cluster.at_netcat(node, f"nc-{node}") for node in range(3)]
        except BaseException:
            self.cluster.ends()
            raise

    def talk(self) -> None:
        """Everybody talks, and is heard."""
        for talker in self.talkers:
            talker.talks()
        self.hear_each_other()

    def hear_each_other(self) -> None:
        """What each says from now on is stored, and the others see it."""
        for talker in self.talkers:
            text = talker.says_until_stored(
                f"can you hear {talker.who}, after {len(talker.lines)}?"
            )
            for other in self.talkers:
                other.sees(event="message", text=text)

    def is_right(self) -> None:
        """All talk to the end, and what everybody saw is one chat."""
        for talker in self.talkers:
            talker.is_quiet()
        self.cluster.crowd.all_see()
        for talker in self.talkers:
            assert not talker.why_over
        story = self.cluster.crowd.story("#lobby")
        found = findings(story)
        assert found == [], f"{figures(story)}; the transcripts are in {self.folder}"
        kept = [event.get("text") for event in story.final["#lobby"]]
        for watcher in self.watchers:
            watcher.reads()
            shown = [line.partition(": ")[2] for line in watcher.lines if " says " in line]
            places = [kept.index(text) for text in shown]
            assert places == sorted(set(places))


@pytest.fixture
def engine() -> Iterator[Engine]:
    """A PostgreSQL that may die."""
    own = Engine()
    yield own
    own.remove()


Watch = Callable[..., Watched]


@pytest.fixture
def watch(tmp_path: Path, engine: Engine) -> Iterator[Watch]:
    """Makes three servers, and people."""
    made: list[Watched] = []

    def make(url: str = "") -> Watched:
        made.append(Watched(tmp_path, engine, url))
        return made[-1]

    yield make
    for watched in made:
        watched.cluster.crowd.transcripts().save(tmp_path / "transcripts")
        watched.cluster.ends()
        assert "Traceback" not in watched.cluster.output


def all_stayed(*people: Any) -> None:
    """Nobody was disconnected."""
    for person in people:
        if isinstance(person, Typist):
            person.reads()
            assert not person.ended
        else:
            assert sum(line.kind == "on" for line in person.lines) == 1, person.who


def test_a_server_is_killed_and_its_people_go_on_at_the_others(watch: Watch) -> None:
    watched = watch()
    watched.talk()
    ann, ben, _ = watched.talkers
    watched.cluster[0].kills()
    assert ann.node == "node-1"
    eventually(lambda: ann.is_in and ann.node != "node-1", "ann is in again")
    assert ann.longest_away < 5
    watched.hear_each_other()
    ben.sees(event="leave", **{"from": "nc-0"})  # after the lease
    assert watched.watchers[1].sees("nc-0 has left #lobby (connection lost)")
    all_stayed(*watched.talkers[1:], *watched.watchers[1:])
    watched.cluster[0].starts()
    late = watched.cluster.brings("late", 0)
    assert "nc-0" not in {member["nick"] for member in late.sees(event="state")["members"]}
    watched.hear_each_other()
    watched.is_right()
    for talker in watched.talkers[1:]:
        left = [
            line.what["from"]
            for line in talker.lines
            if line.kind == "got" and line.what["event"] == "leave"
        ]
        assert left == ["nc-0"]


def test_a_server_is_killed_and_started_again_at_once(watch: Watch) -> None:
    watched = watch()
    watched.talk()
    watched.cluster[1].kills()
    watched.cluster[1].starts()
    watched.hear_each_other()
    all_stayed(watched.talkers[0], watched.talkers[2])
    watched.is_right()


@pytest.mark.parametrize("speaks", [False, True])
def test_a_server_stands_still_for_a_while(watch: Watch, speaks: bool) -> None:
    watched = watch()
    watched.talk()
    ann = watched.talkers[0]
    if not speaks:
        ann.is_quiet()
    watched.cluster[0].freezes()
    try:
        eventually(lambda: ann.is_in and ann.node != "node-1", "ann is in again")
        watched.hear_each_other()
    finally:
        watched.cluster[0].thaws()
    watched.hear_each_other()
    watched.watchers[0].types("and I am still here")
    ann.sees(event="message", text="and I am still here")
    watched.is_right()


def test_a_server_that_stood_still_past_its_lease_harms_nobody(watch: Watch) -> None:
    watched = watch()
    watched.talk()
    ben = watched.talkers[1]
    watched.cluster[0].freezes()
    try:
        watched.watchers[0].types("from beyond the grave")
        ben.sees(event="leave", **{"from": "nc-0"})
        watched.hear_each_other()
    finally:
        watched.cluster[0].thaws()
    eventually(lambda: not watched.cluster[0].server.is_running, "it ends by itself")
    assert "cut off" in watched.cluster[0].server.output
    watched.watchers[0].sees("cut off from the others for too long: connect again.")
    assert sum("cut off" in line for line in watched.watchers[0].lines) == 1
    watched.hear_each_other()
    watched.is_right()
    assert not ben.is_seen(text="from beyond the grave")


def test_the_database_is_killed_and_started_again(watch: Watch, engine: Engine) -> None:
    watched = watch()
    watched.talk()
    engine.kill()
    for talker in watched.talkers:
        assert talker.says_until_refused()["code"] == "not-stored"
    engine.start()
    watched.hear_each_other()
    all_stayed(*watched.talkers, *watched.watchers)
    watched.is_right()


def test_the_database_stands_still(watch: Watch, engine: Engine) -> None:
    watched = watch()
    watched.talk()
    engine.freezes()
    try:
        for talker in watched.talkers:
            talker.says_until_refused()
    finally:
        engine.thaws()
    watched.hear_each_other()
    all_stayed(*watched.talkers, *watched.watchers)
    watched.is_right()


def test_the_database_stands_still_for_longer_than_a_lease_and_nobody_is_swept(
    watch: Watch, engine: Engine
) -> None:
    watched = watch()
    watched.talk()
    engine.freezes()
    try:
        end = time.monotonic() + LEASE + 2
        eventually(lambda: time.monotonic() > end, "the leases are over")
    finally:
        engine.thaws()
    watched.hear_each_other()
    all_stayed(*watched.talkers, *watched.watchers)
    watched.is_right()
    assert not watched.talkers[0].is_seen(event="leave")


def test_a_synchronous_standby_takes_over(watch: Watch, engine: Engine) -> None:
    standby = engine.make_standby()
    try:
        hosts = f"{engine.folder},{standby.folder}"
        url = f"postgresql://chat@/postgres?host={hosts}&target_session_attrs=read-write"
        watched = watch(url)
        watched.talk()
        engine.kill()
        for talker in watched.talkers:
            talker.says_until_refused()
        standby.promote()
        watched.hear_each_other()
        all_stayed(*watched.talkers, *watched.watchers)
        watched.is_right()
    finally:
        standby.remove()


def test_a_server_is_cut_off_from_the_database_for_a_while(watch: Watch) -> None:
    watched = watch()
    watched.talk()
    ann, ben, _ = watched.talkers
    cable = watched.cluster[0].cable
    assert cable is not None
    cable.cuts()
    assert ann.says_until_refused()["code"] == "not-stored"
    ben.says_until_stored("the others go on")
    cable.mends()
    watched.hear_each_other()
    all_stayed(*watched.talkers, *watched.watchers)
    watched.is_right()


def test_nothing_passes_between_a_server_and_the_database_for_a_while(watch: Watch) -> None:
    watched = watch()
    watched.talk()
    ann, ben, _ = watched.talkers
    cable = watched.cluster[0].cable
    assert cable is not None
    cable.stalls()
    text = f"in doubt, after {len(ann.lines)}"
    doubt = ann.says(text)
    for _ in range(5):
        seen = ben.says_until_stored(f"the others go on, after {len(ben.lines)}")
        assert not ann.is_seen(text=seen)
    assert not ben.is_seen(text=text)
    cable.mends()
    assert ann.hears(doubt)["event"] == "message"
    watched.hear_each_other()
    all_stayed(*watched.talkers, *watched.watchers)
    watched.is_right()


def test_a_server_that_was_cut_off_past_its_lease_harms_nobody(watch: Watch) -> None:
    watched = watch()
    watched.talk()
    ben = watched.talkers[1]
    cable = watched.cluster[0].cable
    assert cable is not None
    cable.cuts()
    watched.watchers[0].types("from beyond the grave")
    ben.sees(event="leave", **{"from": "nc-0"})
    cable.mends()
    eventually(lambda: not watched.cluster[0].server.is_running, "it ends by itself")
    watched.hear_each_other()
    watched.is_right()
    assert not ben.is_seen(text="from beyond the grave")


def test_a_servers_connections_to_the_database_break(watch: Watch) -> None:
    watched = watch()
    watched.talk()
    for node in watched.cluster.nodes:
        assert watched.cluster.ends_connections(node)
        watched.hear_each_other()
    all_stayed(*watched.talkers, *watched.watchers)
    watched.is_right()
