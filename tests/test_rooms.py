"""Rooms, who is in them, and what the others are told of who comes and goes."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.people import ChatTestCase, Person
from twisted_chat import Limits, Pace


class RoomTests(ChatTestCase):
    limits = Limits(pace=None, rooms_per_person=4, rooms=6)

    def setUp(self) -> None:
        """Alice and bob are in the lobby."""
        super().setUp()
        self.alice, self.bob = self.joins("alice"), self.joins("bob")
        self.alice.raw(), self.bob.raw()

    def answer(self, person: Person, line: str) -> str:
        """The one line that somebody reads who types this."""
        (answer,) = person.types(line).sees()
        return answer

    def test_a_room_is_made_by_entering_it(self) -> None:
        self.assertIn("!!! There is no room #dev", self.answer(self.alice, "/users dev"))
        self.assertEqual(
            self.bob.types("/join dev").sees(),
            [
                "*** In #dev: bob (1)",
                "*** You are in #dev: what you type goes there. /leave leaves it.",
            ],
        )
        self.assertEqual(self.answer(self.alice, "/users #DEV"), "*** In #dev: bob (1)")
        self.assertEqual(self.alice.raw(), "")

    def test_however_its_name_is_written_it_is_one_room(self) -> None:
        for number, name in enumerate(("#Straße", "strasse", "#STRASSE", "ｓtrasse")):
            self.joins(f"guest{number}").types(f"/join {name}")
        self.bob.raw()
        self.assertIn("*** In #Straße: guest0, ", self.answer(self.bob, "/users strasse"))

    def test_what_is_typed_goes_to_the_room_entered_last(self) -> None:
        self.alice.types("/join dev").raw()
        self.bob.types("/join dev", "in dev", "/join lobby", "in the lobby", "/join dev", "back")
        seen = self.alice.sees()
        self.assertEqual(
            [line for line in seen if "#dev" in line],
            ["*** bob has joined #dev", "#dev bob: in dev", "#dev bob: back"],
        )
        self.assertIn("bob: in the lobby", seen)

    def test_who_is_not_in_a_room_does_not_hear_it(self) -> None:
        self.bob.types("/join dev", "a secret", "/me hides", "/topic secrets", "/nick robert")
        self.assertEqual(self.alice.sees(), ["*** bob is now known as robert"])

    def test_who_is_in_several_hears_them_all(self) -> None:
        for person in (self.alice, self.bob):
            person.types("/join dev", "/join tea").raw()
        self.alice.raw()
        for room in ("lobby", "dev", "tea"):
            self.bob.types(f"/join {room}", "hi")
        self.assertEqual(self.alice.sees(), ["bob: hi", "#dev bob: hi", "#tea bob: hi"])

    def test_a_newcomer_to_a_room_reads_what_was_said_there(self) -> None:
        self.bob.types("in the lobby", "/join dev", "one", "two", "/topic tea")
        self.alice.raw()
        self.assertEqual(
            self.alice.types("/join dev").sees(),
            [
                "#dev bob: one",
                "#dev bob: two",
                "*** bob changed the topic of #dev to: tea",
                "*** In #dev: bob, alice (2)",
                "*** The topic of #dev is: tea",
                "*** You are in #dev: what you type goes there. /leave leaves it.",
            ],
        )

    def test_what_cannot_be_a_room_is_refused(self) -> None:
        for name in ("two words", "#", "a.b", "x" * 31, "-x", "😀"):
            self.assertIn("!!! A room's name has at most", self.answer(self.bob, f"/join {name}"))

    def test_one_can_be_in_so_many_rooms_at_once(self) -> None:
        self.bob.types("/join a", "/join b", "/join c").raw()
        self.assertEqual(
            self.answer(self.bob, "/join d"),
            "!!! You are in 4 rooms, which is the most: /leave one first.",
        )
        self.bob.types("/leave a").raw()
        self.assertIn("You are in #d", self.bob.types("/join d").raw())

    def test_empty_rooms_make_place_for_new_ones(self) -> None:
        for number in range(20):
            self.assertIn(f"You are in #r{number}", self.bob.types(f"/join r{number}").raw())
            self.bob.types(f"/leave r{number}").raw()

    def test_rooms_that_somebody_is_in_or_that_have_a_topic_do_not(self) -> None:
        self.bob.types("/join a", "/join b", "/join c")
        self.alice.types("/join kept", "/topic tea", "/leave", "/join d").raw()
        self.assertEqual(
            self.answer(self.alice, "/join e"),
            "!!! There are too many rooms already: /rooms lists them.",
        )

    def test_rooms_are_listed_with_people_and_topics(self) -> None:
        self.bob.types("/join dev", "/topic tea", "/join quiet", "/topic peace", "/leave quiet")
        self.assertEqual(
            self.alice.types("/rooms").sees(),
            [
                "*** #lobby: 2 people",
                "*** #dev: 1 person, topic: tea",
                "*** #quiet: 0 people, topic: peace",
            ],
        )

    def test_a_topic_is_shown_changed_and_taken_away(self) -> None:
        self.assertEqual(
            self.answer(self.alice, "/topic"), "*** #lobby has no topic: /topic TEXT gives it one."
        )
        self.assertEqual(
            self.answer(self.bob, "/topic  tea "), "*** bob changed the topic of #lobby to: tea"
        )
        self.alice.raw()
        self.assertEqual(self.answer(self.alice, "/topic"), "*** The topic of #lobby is: tea")
        self.assertIn("topic of #lobby is: tea", self.answer(self.alice, "/topic \u200b"))
        self.bob.types("/topic -")
        self.assertEqual(self.alice.sees(), ["*** bob took away the topic of #lobby"])
        self.assertIn("has no topic", self.answer(self.alice, "/topic"))

    def test_leaving_is_told_and_nothing_more_is_heard(self) -> None:
        for person in (self.alice, self.bob):
            person.types("/join dev").raw()
        self.alice.raw()
        self.assertEqual(
            self.answer(self.bob, "/leave"),
            "*** You left #dev; you are in #lobby, and what you type goes there.",
        )
        self.alice.types("gone?").raw()
        self.bob.types("hello")
        self.assertEqual(self.bob.raw(), "")
        self.assertEqual(self.alice.sees(), ["bob: hello"])

    def test_another_room_than_the_one_typed_into_is_left_by_name(self) -> None:
        self.bob.types("/join dev", "/join tea").raw()
        self.assertEqual(self.answer(self.bob, "/part DEV"), "*** You left #dev.")
        self.assertEqual(self.answer(self.bob, "/users"), "*** In #tea: bob (1)")

    def test_the_last_room_is_not_left(self) -> None:
        self.assertEqual(
            self.answer(self.bob, "/leave"),
            "!!! #lobby is the only room you are in: /join another one first, or /quit.",
        )
        self.bob.types("/join dev", "/leave lobby").raw()
        self.assertIn("!!! #dev is the only room", self.answer(self.bob, "/leave"))

    def test_a_room_that_one_is_not_in_is_not_left(self) -> None:
        self.alice.types("/join dev").raw()
        self.assertEqual(
            self.answer(self.bob, "/leave dev"), "!!! You are not in #dev: /join #dev first."
        )
        self.assertIn("!!! There is no room #nowhere", self.answer(self.bob, "/leave nowhere"))

    def test_who_quits_has_left_every_room(self) -> None:
        for person in (self.alice, self.bob):
            person.types("/join dev", "/join tea").raw()
        self.alice.raw()
        self.bob.types("/quit bye")
        self.assertEqual(
            sorted(self.alice.sees()),
            [f"*** bob has left #{room} (bye)" for room in ("dev", "lobby", "tea")],
        )

    def test_what_is_said_and_left_in_one_breath_is_all_read_by_its_speaker(self) -> None:
        self.alice.types("/join dev").raw()
        self.bob.types("/join dev").raw()
        self.alice.protocol.dataReceived(b"one\n")
        self.bob.types("/leave")
        self.assertIn("#dev alice: one", self.bob.sees())


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

    def test_a_room_that_is_left_tells_nothing_of_the_others(self) -> None:
        bob = self.joins("bob").types("/join dev", "/leave lobby")
        bob.raw()
        self.joins("carol").vanishes()
        self.assertEqual(bob.raw(), "")


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


def believed(lines: list[str], here: set[str]) -> None:
    """Follow what a room is told of who comes and goes."""
    for line in lines:
        if match := re.fullmatch(r"\*\*\* (\w+) is now known as (\w+)", line):
            assert match[1] in here, f"a stranger is renamed: {line}"
            here.remove(match[1])
            here.add(match[2])
        elif match := re.fullmatch(r"\*\*\* (.+) (?:has|have) (joined|left) #lobby.*", line):
            names = set(re.split(", | and ", match[1]))
            if match[2] == "joined":
                here |= names
            else:
                assert names <= here, f"a stranger leaves: {line}"
                here -= names


class BeliefTests(ChatTestCase):
    limits = Limits(pace=None)

    @settings(max_examples=60, deadline=None)
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["comes", "goes", "is renamed", "time passes", "a crowd looks in"]),
                st.integers(0, 4),
            ),
            max_size=40,
        )
    )
    def test_whatever_happens_what_the_others_believe_is_true_in_the_end(
        self, story: list[tuple[str, int]]
    ) -> None:
        ChatTestCase.setUp(self)
        alice = self.joins("alice")
        here: dict[str, Person] = {}
        told = {"alice"}
        for what, which in story:
            nickname = f"bob{which}"
            if what == "comes" and nickname not in here:
                here[nickname] = self.joins(nickname)
            elif what == "goes" and here:
                here.pop(sorted(here)[which % len(here)]).vanishes()
            elif what == "is renamed" and here and nickname not in here:
                old = sorted(here)[which % len(here)]
                seen = here[old].types(f"/nick {nickname}").raw()
                if f"{old} is now known as {nickname}" in seen.splitlines()[-1]:
                    here[nickname] = here.pop(old)
            elif what == "a crowd looks in":
                for person in [self.joins(f"guest{number}") for number in range(5)]:
                    person.vanishes()
            elif what == "time passes":
                self.time_passes(which)
            believed(alice.sees(), told)
        self.time_passes(300)
        believed(alice.sees(), told)
        self.assertEqual(told, {"alice", *here})
