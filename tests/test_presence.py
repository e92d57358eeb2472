"""What the others in a room are told of who comes and goes."""

import gc
from collections.abc import Callable
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.people import NOW, ChatTestCase, Person, Program
from twisted_chat import ChatFactory, Limits, Pace
from twisted_chat.chat import person as people
from twisted_chat.chat.room import Room
from twisted_chat.rate import Bucket
from twisted_chat.text import names


class PresenceTests(ChatTestCase):
    limits = Limits(pace=None)

    def setUp(self) -> None:
        """Alice watches."""
        super().setUp()
        self.alice = self.joins("alice")
        self.time_passes(60)
        self.alice.raw()

    def test_coming_and_going_is_told_once(self) -> None:
        bob = self.joins("bob")
        self.assertEqual(self.alice.sees(), ["*** bob has joined #lobby"])
        bob.vanishes()
        self.assertEqual(self.alice.sees(), ["*** bob has left #lobby (connection lost)"])
        self.time_passes(600)
        self.assertEqual(self.alice.raw(), "")

    def test_one_is_not_told_of_oneself(self) -> None:
        bob = self.connects().types("bob")
        self.assertNotIn("has joined", bob.raw())
        bob.types("/join dev", "/leave dev")
        self.assertNotIn("has", bob.raw())

    def test_somebody_who_comes_and_goes_all_the_time_drowns_nobody(self) -> None:
        for _ in range(40):
            self.joins("bob").vanishes()
            self.time_passes(1)
        self.time_passes(120)
        lines = self.alice.sees()
        self.assertLessEqual(len(lines), 12)
        self.assertEqual(lines[-1][:21], "*** bob has left #lob")

    def test_who_is_told_to_be_here_is_here_in_the_end(self) -> None:
        for _ in range(20):
            self.joins("bob").vanishes()
        self.joins("bob")
        self.time_passes(120)
        self.assertEqual(self.alice.sees()[-1], "*** bob has joined #lobby")

    def test_of_forty_who_only_look_in_not_everyone_is_told_twice(self) -> None:
        for number in range(40):
            self.joins(f"guest{number}").vanishes()
        self.time_passes(60)
        self.assertLessEqual(len(self.alice.sees()), 22)

    def test_a_crowd_is_told_in_a_line(self) -> None:
        for number in range(100):
            self.joins(f"guest{number}")
        self.time_passes(3)
        lines = self.alice.sees()
        self.assertEqual(lines[:20], [f"*** guest{n} has joined #lobby" for n in range(20)])
        names = ", ".join(f"guest{number}" for number in range(20, 30))
        self.assertEqual(lines[20:], [f"*** {names} and 70 more have joined #lobby"])
        self.assertEqual(len(self.alice.types("/users").sees()), 1)

    def test_a_crowd_that_goes_is_told_in_a_line(self) -> None:
        crowd = [self.joins(f"guest{number}") for number in range(30)]
        self.time_passes(60)
        self.alice.raw()
        for somebody in crowd:
            somebody.vanishes()
        self.time_passes(3)
        lines = self.alice.sees()
        self.assertEqual(len(lines), 21)
        self.assertTrue(lines[-1].endswith("have left #lobby"), lines[-1])

    def test_programs_are_told_of_each_of_a_crowd(self) -> None:
        bot = self.program("bot")
        bot.gets()
        for number in range(50):
            self.joins(f"guest{number}")
        self.time_passes(3)
        self.assertEqual(
            [event["from"] for event in bot.gets("join")], [f"guest{n}" for n in range(50)]
        )

    def test_who_was_not_yet_told_of_is_told_of_before_their_new_name(self) -> None:
        for number in range(25):
            self.joins(f"guest{number}")
        bob = self.joins("bob")
        bob.types("/nick robert")
        bob.vanishes()
        self.time_passes(60)
        lines = [line for line in self.alice.sees() if "bob" in line or "robert" in line]
        self.assertEqual(lines[:2], ["*** bob has joined #lobby", "*** bob is now known as robert"])
        self.assertIn("robert has left #lobby", lines[-1])


class QuietTests(ChatTestCase):
    """A program that only posts comes and goes without a word."""

    limits = Limits(pace=None, presence=Pace(3, 20))

    def setUp(self) -> None:
        """Alice watches."""
        super().setUp()
        self.alice = self.joins("alice")
        self.alice.raw()

    def test_only_what_it_says_is_read(self) -> None:
        ci = self.program("ci", quiet=True)
        ci.asks(do="say", text="build 42 passed").asks(do="command", text="/quit")
        self.time_passes(600)
        self.assertEqual(self.alice.sees(), ["ci: build 42 passed"])

    def test_no_state_has_it_since_nobody_is_told_when_it_goes(self) -> None:
        ci = self.program("ci", quiet=True)
        (state,) = self.program("bot").gets("state")
        self.assertEqual([each["nick"] for each in state["members"]], ["alice", "bot"])
        (own,) = ci.gets("state")
        self.assertEqual([each["nick"] for each in own["members"]], ["alice", "ci"])

    def test_whoever_asks_who_reads_along_sees_it(self) -> None:
        self.program("ci", quiet=True)
        self.assertEqual(
            self.alice.types("/users").sees(), ["*** In #lobby: alice, ci (only posts) (2)"]
        )

    def test_it_may_change_its_nickname_and_its_room(self) -> None:
        ci = self.program("ci", quiet=True)
        for text in ("/nick deploy", "/join dev", "/leave dev", "/quit"):
            ci.asks(do="command", text=text)
        self.assertEqual(self.alice.sees(), ["*** ci is now known as deploy"])
        self.assertTrue(ci.is_gone)

    def test_the_leave_of_who_had_its_nickname_is_told_before_it_speaks(self) -> None:
        bob = self.joins("bob")
        self.joins("carol")
        self.alice.raw()
        bob.closes()
        self.assertEqual(self.alice.raw(), "", "there was a rush, so the leave is told later")
        self.program("bob", quiet=True).asks(do="say", text="I am another")
        self.assertEqual(self.alice.sees(), ["*** bob has left #lobby", "bob: I am another"])

    def test_quiet_is_true_and_nothing_else(self) -> None:
        self.program("ci", quiet="yes")
        self.assertEqual(self.alice.sees(), ["*** ci has joined #lobby"])


class RestlessTests(ChatTestCase):
    limits = Limits(pace=None, presence_per_person=Pace(4, 40))

    def test_who_comes_and_goes_all_the_time_is_told_no_faster_than_their_pace(self) -> None:
        alice = self.joins("alice")
        alice.raw()
        for _ in range(100):
            bob = self.joins("bob")
            self.time_passes(1)
            bob.closes()
            self.time_passes(2)
        self.assertLessEqual(len(alice.sees()), 4 + 300 // 10)


class RushTests(ChatTestCase):
    """Many come or go at once."""

    limits = Limits(pace=None)

    def setUp(self) -> None:
        """A program watches; as many have come as are told of one by one."""
        super().setUp()
        self.bot = self.program("bot")
        self.time_passes(60)
        self.crowd = [self.joins(f"guest{number}") for number in range(20)]
        self.bot.gets()

    def told(self, kind: str) -> list[str]:
        """Of whom the program is told, since the last look, that they came, or that they went."""
        return [event["from"] for event in self.bot.gets(kind)]

    def test_a_rush_is_told_half_a_second_after_it_began(self) -> None:
        self.joins("alice")
        self.clock.advance(0.25)
        self.joins("bob")
        self.assertEqual(self.told("join"), [])
        self.clock.advance(0.25)
        self.assertEqual(self.told("join"), ["alice", "bob"])

    def test_two_thousand_who_come_at_once_are_all_told_of_within_a_second(self) -> None:
        for number in range(2_000):
            self.joins(f"other{number}")
            self.clock.advance(0.3 / 2_000)
        self.clock.advance(0.5)
        self.assertEqual(set(self.told("join")), {f"other{number}" for number in range(2_000)})

    def test_while_it_goes_on_it_is_told_with_growing_pauses(self) -> None:
        alice = self.joins("alice")
        alice.raw()
        told_after = []
        for quarter in range(1, 33):
            for number in range(5):
                self.joins(f"other{quarter}x{number}")
            self.clock.advance(0.25)
            if any("have joined" in line for line in alice.sees()):
                told_after.append(quarter / 4)
        self.assertEqual(told_after, [0.5, 1.5, 3.5, 5.5, 7.5])

    def test_after_a_calm_the_next_is_told_as_soon_as_the_first(self) -> None:
        for number in range(40):
            self.joins(f"other{number}")
            self.clock.advance(0.125)
        self.time_passes(4)
        self.bot.gets()
        for number in range(5):
            self.joins(f"third{number}")
        self.clock.advance(0.5)
        self.assertEqual(self.told("join")[-1], "third4")

    def test_somebody_who_comes_all_the_time_does_not_make_it_later(self) -> None:
        self.time_passes(60)
        for _ in range(3):
            self.joins("zed").vanishes()
        self.joins("zed")
        self.time_passes(5)
        for number in range(40):
            self.joins(f"other{number}")
        self.bot.gets()
        self.clock.advance(0.5)
        self.assertEqual(self.told("join")[-1], "other39")

    def test_who_leaves_alone_is_told_of_with_the_reason(self) -> None:
        alice = self.joins("alice")
        self.time_passes(1)
        alice.raw()
        for somebody in self.crowd[:2]:
            somebody.vanishes()
        self.time_passes(3)
        gone = "has left #lobby (connection lost)"
        self.assertEqual(alice.sees(), [f"*** guest0 {gone}", f"*** guest1 {gone}"])

    def test_who_joins_alone_is_told_of_to_the_others_only(self) -> None:
        alice = self.joins("alice")
        alice.raw()
        self.time_passes(3)
        self.assertEqual(self.told("join"), ["alice"])
        self.assertEqual(alice.raw(), "")


class AnnouncementTests(ChatTestCase):
    """In a rush, which holds back who comes and goes, somebody does something."""

    limits = Limits(pace=None)

    def setUp(self) -> None:
        """Alice watches, and bob is here; as many have come as are told of one by one."""
        super().setUp()
        self.alice, self.bob = self.joins("alice"), self.joins("bob")
        self.time_passes(60)
        for number in range(20):
            self.joins(f"guest{number}")
        self.alice.raw()

    def test_who_speaks_has_joined_before(self) -> None:
        self.joins("carol").types("hello", "again")
        self.assertEqual(
            self.alice.sees(), ["*** carol has joined #lobby", "carol: hello", "carol: again"]
        )

    def test_so_has_who_acts_or_gives_the_room_a_topic(self) -> None:
        self.joins("carol").types("/me waves")
        self.joins("dave").types("/topic tea")
        self.assertEqual(
            self.alice.sees(),
            [
                "*** carol has joined #lobby",
                "* carol waves",
                "*** dave has joined #lobby",
                "*** dave changed the topic of #lobby to: tea",
            ],
        )

    def test_so_has_who_goes_away(self) -> None:
        bot = self.program("bot")
        self.joins("carol").types("/away at lunch")
        told = [(event["event"], event["from"]) for event in bot.gets("join", "away")]
        self.assertEqual(told, [("join", "carol"), ("away", "carol")])

    def test_so_has_who_is_renamed(self) -> None:
        self.joins("carol").types("/nick caroline").vanishes()
        self.time_passes(3)
        self.assertEqual(
            self.alice.sees()[:2],
            ["*** carol has joined #lobby", "*** carol is now known as caroline"],
        )
        self.assertNotIn("carol", self.alice.types("/users").raw())

    def test_who_spoke_and_left_at_once_is_told_of_as_leaving(self) -> None:
        self.joins("carol").types("hello").vanishes()
        self.time_passes(3)
        self.assertEqual(
            self.alice.sees(),
            [
                "*** carol has joined #lobby",
                "carol: hello",
                "*** carol has left #lobby (connection lost)",
            ],
        )

    def test_who_comes_and_goes_and_does_nothing_is_not_told_of(self) -> None:
        self.joins("carol").vanishes()
        self.time_passes(60)
        self.assertEqual(self.alice.raw(), "")

    def test_a_stranger_under_the_name_of_somebody_who_left_is_told_of_as_a_stranger(self) -> None:
        self.bob.vanishes()
        self.joins("bob").types("it is me")
        self.assertEqual(
            self.alice.sees(),
            [
                "*** bob has left #lobby (connection lost)",
                "*** bob has joined #lobby",
                "bob: it is me",
            ],
        )

    def test_so_is_a_stranger_who_does_nothing(self) -> None:
        self.bob.vanishes()
        self.joins("bob")
        self.time_passes(3)
        self.assertEqual(
            self.alice.sees(),
            ["*** bob has left #lobby (connection lost)", "*** bob has joined #lobby"],
        )

    def test_so_is_somebody_who_takes_that_name(self) -> None:
        self.bob.vanishes()
        self.joins("carol").types("/nick bob")
        self.assertEqual(
            self.alice.sees(),
            [
                "*** carol has joined #lobby",
                "*** bob has left #lobby (connection lost)",
                "*** carol is now known as bob",
            ],
        )

    def test_names_that_many_others_take_over_are_told_as_leaving_in_one_line(self) -> None:
        crowd = [self.joins(f"other{number}") for number in range(30)]
        self.time_passes(3)
        self.alice.raw()
        for somebody in crowd:
            somebody.vanishes()
        for number in range(30):
            self.joins(f"other{number}")
        self.time_passes(1)
        self.assertEqual(len(self.alice.sees()), 5)

    def test_a_program_hears_that_its_name_was_somebody_elses_before_it_is_told_who_is_here(
        self,
    ) -> None:
        self.bob.vanishes()
        told = [event["event"] for event in self.program("bob").gets("leave", "join", "state")]
        self.assertEqual(told, ["leave", "state"])

    def test_whoever_comes_back_before_it_was_told_that_they_left_was_never_gone(self) -> None:
        self.bob.types("/join dev", "/leave lobby", "/join lobby", "I am back")
        self.assertEqual(self.alice.sees(), ["bob: I am back"])

    def test_but_who_entered_meanwhile_and_was_told_that_they_are_not_here_hears_both(self) -> None:
        self.bob.types("/join dev", "/leave lobby")
        carol = self.connects().types("carol")
        self.assertNotIn("bob", carol.raw())
        self.bob.types("/join lobby", "I am back")
        told = [line for line in carol.sees() if "bob" in line]
        self.assertEqual(
            told, ["*** bob has left #lobby", "*** bob has joined #lobby", "bob: I am back"]
        )


class MemoryTests(ChatTestCase):
    """The others' memory is short, and so is the room's."""

    limits = Limits(pace=None)

    def paces(self) -> int:
        """How many paces of anything are kept."""
        gc.collect()
        return sum(isinstance(each, Bucket) for each in gc.get_objects())

    def test_of_names_that_were_here_nothing_is_kept(self) -> None:
        alice = self.joins("alice")
        alice.raw()
        self.time_passes(100)
        before = self.paces()
        for number in range(100):
            self.joins(f"guest{number}").vanishes()
        self.time_passes(100)
        self.assertLessEqual(self.paces(), before)  # what an earlier test has left may go

    def test_nobody_who_left_is_kept_by_what_was_told_of_them(self) -> None:
        watcher = self.joins("watcher")
        crowd = [self.joins(f"visitor{number}").types("hello") for number in range(40)]
        self.time_passes(3)
        while crowd:
            crowd.pop().vanishes()
        self.time_passes(3)
        watcher.raw()
        gc.collect()
        kept = [each.nickname for each in gc.get_objects() if isinstance(each, people.Person)]
        self.assertEqual([nickname for nickname in kept if nickname.startswith("visitor")], [])

    def test_nor_of_those_who_were_here_together(self) -> None:
        before = self.paces()
        crowd = [self.joins(f"guest{number}") for number in range(100)]
        self.time_passes(3)
        while crowd:
            crowd.pop().vanishes()
        self.time_passes(3)
        self.assertLessEqual(self.paces(), before)  # what an earlier test has left may go


class Believer:
    """A program that believes what it is told, and nothing else.

    Args:
        program: the program, which has just come.
        room: the room in which it is, whose known members it begins with.
    """

    def __init__(self, program: Program, room: Room) -> None:
        program.gets()
        self._program = program
        self.here = {names.key(each.nickname): "" for each in room.shown.values()}
        """What each person says who is here, whatever they do; nothing as long as they did none."""

    def looks(self) -> None:
        """Take in what was told since the last look."""
        kinds = ("join", "leave", "rename", "message", "action", "topic", "away")
        for event in self._program.gets(*kinds):
            self._believe(event, names.key(event["from"]))

    def _believe(self, event: dict[str, Any], name: str) -> None:
        match event["event"]:
            case "join":
                assert name not in self.here, f"somebody joins who is here: {event}"
                self.here[name] = ""
            case "leave":
                self.here.pop(name, None)  # they may have left before the program came
            case "rename":
                assert name in self.here, f"a stranger is renamed: {event}"
                person, new_name = self.here.pop(name), names.key(event["to"])
                assert new_name not in self.here, f"two have one name: {event}"
                self.here[new_name] = person
            case _:
                assert name in self.here, f"a stranger does something: {event}"
                assert self.here[name] in ("", event["text"]), f"that is somebody else: {event}"
                self.here[name] = event["text"]


class ALobby(RuleBasedStateMachine):
    """A lobby in which anything happens, in any order, under a few nicknames."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.clock.advance(NOW)
        limits = Limits(pace=None, presence=Pace(1, 10), renames=Pace(100, 1))
        self.factory = ChatFactory(self.clock, limits=limits)
        self.watchers: list[Believer] = []
        self.people: dict[str, Person] = {}  # by nickname's key
        self.outside: set[str] = set()  # of these, who is in another room only
        self.mark: dict[Person, str] = {}  # what somebody says, whatever they do
        self.a_program_comes()

    @rule()
    def a_program_comes(self) -> None:
        program = Program(self.factory).asks(do="hello", nick=f"watcher{len(self.watchers)}")
        self.watchers.append(Believer(program, self.factory.chat.lobby))

    @rule(name=st.sampled_from(["ann", "Ann", "ben", "cid", "Cid"]))
    def somebody_comes(self, name: str) -> None:
        if names.key(name) not in self.people:
            person = self.people[names.key(name)] = Person(self.factory).types(name)
            self.mark[person] = f"person {len(self.mark)}"

    def _anybody(self, which: int) -> str:
        return list(self.people)[which % len(self.people)]

    @precondition(lambda self: self.people)
    @rule(which=st.integers(0, 2))
    def somebody_goes(self, which: int) -> None:
        name = self._anybody(which)
        self.people.pop(name).vanishes()
        self.outside.discard(name)

    @precondition(lambda self: self.people)
    @rule(which=st.integers(0, 2), come=st.sampled_from([str.lower, str.title]))
    def somebody_else_comes_under_their_name(self, which: int, come: Callable[[str], str]) -> None:
        name = self._anybody(which)
        self.somebody_goes(which)
        self.somebody_comes(come(name))

    @precondition(lambda self: self.people)
    @rule(which=st.integers(0, 2), to=st.sampled_from(["ann", "ben", "cid", "Dan"]))
    def somebody_is_renamed(self, which: int, to: str) -> None:
        name, new_name = self._anybody(which), names.key(to)
        if new_name not in self.people:
            self.people[new_name] = self.people.pop(name).types(f"/nick {to}")
            if name in self.outside:
                self.outside = self.outside - {name} | {new_name}

    @precondition(lambda self: len(self.people) > 1)
    @rule(which=st.integers(0, 2))
    def somebody_goes_and_another_takes_their_name(self, which: int) -> None:
        name = self._anybody(which)
        self.somebody_goes(which)
        self.somebody_is_renamed(which, name)

    @precondition(lambda self: self.people)
    @rule(which=st.integers(0, 2))
    def somebody_steps_out_or_in(self, which: int) -> None:
        name = self._anybody(which)
        if name in self.outside:
            self.people[name].types("/join lobby")
            self.outside.remove(name)
        else:
            self.people[name].types("/join dev", "/leave lobby")
            self.outside.add(name)

    @precondition(lambda self: self.people)
    @rule(which=st.integers(0, 2), what=st.sampled_from(["{}", "/me {}", "/topic {}", "/away {}"]))
    def somebody_does_something(self, which: int, what: str) -> None:
        person = self.people[self._anybody(which)]
        person.types(what.format(self.mark[person]))

    @rule(count=st.integers(1, 3))
    def a_crowd_looks_in(self, count: int) -> None:
        for person in [Person(self.factory).types(f"guest{number}") for number in range(count)]:
            person.vanishes()

    @rule(seconds=st.sampled_from([0.125, 0.5, 1, 4, 20]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @invariant()
    def nobody_is_taken_for_anybody_else(self) -> None:
        for watcher in self.watchers:
            watcher.looks()

    def teardown(self) -> None:
        """After a while everybody knows who is here, and first of all who is not."""
        here = {*self.people} - self.outside
        here |= {f"watcher{number}" for number in range(len(self.watchers))}
        self.clock.pump([1] * 3)
        self.nobody_is_taken_for_anybody_else()
        for watcher in self.watchers:
            assert not {*watcher.here} - here, "somebody has left, and nobody was told"
        self.clock.pump([1] * 20)
        self.nobody_is_taken_for_anybody_else()
        for watcher in self.watchers:
            assert {*watcher.here} == here, "somebody has come, and nobody was told"


class BeliefTests(SynchronousTestCase):
    def test_whatever_happens_the_others_know_who_does_it_and_in_the_end_who_is_here(self) -> None:
        run_state_machine_as_test(
            ALobby, settings=settings(max_examples=100, stateful_step_count=40, deadline=None)
        )
