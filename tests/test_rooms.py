"""Rooms, who is in them, and what they are about."""

from tests.people import ChatTestCase, Person
from twisted_chat import Limits


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

    def test_rooms_that_somebody_is_in_do_not(self) -> None:
        self.bob.types("/join a", "/join b", "/join c")
        self.alice.types("/join kept", "/join d").raw()
        self.assertEqual(
            self.answer(self.alice, "/join e"),
            "!!! There are too many rooms already: /rooms lists them.",
        )

    def test_a_room_with_a_topic_gives_way_last_and_keeps_it(self) -> None:
        self.bob.types("/join a", "/join b", "/join c")
        self.alice.types("/join kept", "/topic tea", "/leave", "/join d").raw()
        self.alice.types("/join e", "/leave e").raw()
        self.assertNotIn("#kept", self.alice.types("/rooms").raw())
        self.alice.types("/join kept", "/topic")
        self.assertIn("*** The topic of #kept is: tea", self.alice.sees())

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
