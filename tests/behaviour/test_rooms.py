"""Rooms, who is in them, and what they are about."""

from tests.behaviour.case import Behaviour
from tests.behaviour.seen import (
    Here,
    Joined,
    Left,
    Refusal,
    Renamed,
    Said,
    Told,
    TopicIs,
    TopicSet,
)
from twisted_chat import Limits


class RoomTests(Behaviour):
    limits = Limits(pace=None, rooms_per_person=4, rooms=6)

    def setUp(self) -> None:
        """Alice and bob are in the lobby."""
        super().setUp()
        self.alice, self.bob = self.come("alice", "bob")

    def both_join(self, *rooms: str) -> None:
        """Both are in some rooms too, and have read what there was to read."""
        for person in (self.alice, self.bob):
            person.joins(*rooms)
        self.look_away(self.alice, self.bob)

    def test_a_room_is_made_by_entering_it(self) -> None:
        self.assert_refused(self.alice.does("/users dev"), "There is no room #dev")
        self.assert_sees(
            self.bob.joins("dev"),
            Here(("bob",), "#dev"),
            Told("You are in #dev: what you type goes there. /leave leaves it."),
        )
        self.assert_sees(self.alice.does("/users #DEV"), Here(("bob",), "#dev"))

    def test_however_its_name_is_written_it_is_one_room(self) -> None:
        for number, name in enumerate(("#Straße", "strasse", "#STRASSE", "ｓtrasse")):
            self.comes(f"guest{number}").joins(name)
        names = ("guest0", "guest1", "guest2", "guest3")
        self.assertEqual(self.bob.does("/users strasse").sees(Here), [Here(names, "#Straße")])

    def test_no_room_can_look_like_another(self) -> None:
        refusal = "#1obby looks like #lobby: join that, or choose another name."
        self.assert_refused(self.bob.joins("#1obby"), refusal)
        self.bob.joins("#dev", "#DEV")
        self.assertEqual(list(self.factory.chat.rooms), ["#lobby", "#dev"])

    def test_what_is_said_goes_to_the_room_entered_last(self) -> None:
        self.alice.joins("dev").sees()
        self.bob.joins("dev").says("in dev").joins("lobby").says("in the lobby")
        self.bob.joins("dev").says("back")
        seen = self.alice.sees()
        self.assertEqual(
            [each for each in seen if each != Said("bob", "in the lobby")],
            [Joined("bob", "#dev"), Said("bob", "in dev", "#dev"), Said("bob", "back", "#dev")],
        )
        self.assertIn(Said("bob", "in the lobby"), seen)

    def test_who_is_not_in_a_room_does_not_hear_it(self) -> None:
        self.bob.joins("dev").says("a secret").does("/me hides", "/topic secrets")
        self.bob.is_called("robert")
        self.assert_sees(self.alice, Renamed("bob", "robert"))

    def test_who_is_in_several_hears_them_all(self) -> None:
        self.both_join("dev", "tea")
        for room in ("#lobby", "#dev", "#tea"):
            self.bob.joins(room).says("hi")
        self.assert_sees(
            self.alice, *(Said("bob", "hi", room) for room in ("#lobby", "#dev", "#tea"))
        )

    def test_a_newcomer_to_a_room_reads_what_was_said_there(self) -> None:
        self.bob.says("in the lobby").joins("dev").says("one", "two").does("/topic tea")
        self.look_away(self.alice)
        self.assertEqual(
            self.alice.joins("dev").sees()[:-1],
            [
                Said("bob", "one", "#dev"),
                Said("bob", "two", "#dev"),
                TopicSet("bob", "tea", "#dev"),
                Here(("bob", "alice"), "#dev"),
                TopicIs("tea", "#dev"),
            ],
        )

    def test_what_cannot_be_a_room_is_refused(self) -> None:
        for name in ("two words", "#", "a.b", "x" * 31, "-x", "😀"):
            self.assert_refused(self.bob.joins(name), "A room name has at most")

    def test_one_can_be_in_so_many_rooms_at_once(self) -> None:
        self.bob.joins("a", "b", "c").sees()
        refusal = "You are in 4 rooms, which is the limit: /leave one first."
        self.assert_refused(self.bob.joins("d"), refusal)
        self.bob.does("/leave a").joins("d")
        self.assertIn(Here(("bob",), "#d"), self.bob.sees())

    def test_empty_rooms_make_place_for_new_ones(self) -> None:
        for number in range(20):
            self.assertIn(Here(("bob",), f"#r{number}"), self.bob.joins(f"r{number}").sees())
            self.bob.does(f"/leave r{number}").sees()

    def test_rooms_that_somebody_is_in_do_not(self) -> None:
        self.bob.joins("a", "b", "c")
        self.alice.joins("kept", "d").sees()
        refusal = "There are too many rooms already: join one that /rooms lists."
        self.assert_refused(self.alice.joins("e"), refusal)

    def test_rooms_are_listed_with_people_and_topics(self) -> None:
        self.bob.joins("dev").does("/topic tea")
        self.bob.joins("quiet").does("/topic peace", "/leave quiet")
        self.assert_sees(
            self.alice.does("/rooms"),
            Told("#lobby: 2 people"),
            Told("#dev: 1 person, topic: tea"),
            Told("#quiet: 0 people, topic: peace"),
        )

    def test_a_topic_is_shown_changed_and_taken_away(self) -> None:
        none = Told("#lobby has no topic: /topic TEXT sets one.")
        self.assert_sees(self.alice.does("/topic"), none)
        self.assert_sees(self.bob.does("/topic  tea "), TopicSet("bob", "tea"))
        self.assert_sees(self.alice, TopicSet("bob", "tea"))
        self.assert_sees(self.alice.does("/topic"), TopicIs("tea"))
        self.assert_sees(self.alice.does("/topic \u200b"), TopicIs("tea"))
        self.bob.does("/topic -")
        self.assert_sees(self.alice, TopicSet("bob", ""))
        self.assert_sees(self.alice.does("/topic"), none)

    def test_leaving_is_told_and_nothing_more_is_heard(self) -> None:
        self.both_join("dev")
        left = Told("You left #dev; you are in #lobby: what you type goes there.")
        self.assert_sees(self.bob.does("/leave"), left)
        self.assert_sees(self.alice, Left("bob", "", "#dev"))
        self.alice.says("gone?")
        self.bob.says("hello")
        self.assert_sees(self.bob)
        self.assert_sees(self.alice, Said("bob", "hello"))

    def test_who_leaves_a_room_that_nobody_watches_is_not_in_it(self) -> None:
        self.bob.joins("dev", "tea").sees()
        self.assert_sees(self.bob.does("/part DEV"), Told("You left #dev."))
        self.assert_sees(self.bob.does("/users"), Here(("bob",), "#tea"))

    def test_the_last_room_is_not_left(self) -> None:
        refusal = "is the only room you are in: /join another one first, or /quit."
        self.assert_refused(self.bob.does("/leave"), "#lobby " + refusal)
        self.bob.joins("dev").does("/leave lobby").sees()
        self.assert_refused(self.bob.does("/leave"), "#dev " + refusal)

    def test_a_room_that_one_is_not_in_is_not_left(self) -> None:
        self.alice.joins("dev")
        self.assert_refused(self.bob.does("/leave dev"), "You are not in #dev: /join #dev first.")
        self.assert_refused(self.bob.does("/leave nowhere"), "There is no room #nowhere")

    def test_who_quits_has_left_every_room(self) -> None:
        self.both_join("dev", "tea")
        self.bob.does("/quit bye")
        rooms = {"#dev", "#lobby", "#tea"}
        self.assertEqual(set(self.alice.sees()), {Left("bob", "bye", room) for room in rooms})

    def test_a_room_that_is_left_tells_nothing_more_of_the_others(self) -> None:
        self.bob.joins("dev").does("/leave lobby").sees()
        self.comes("carol").does("/quit")
        self.assert_sees(self.bob)

    def test_all_that_was_said_before_one_left_is_read(self) -> None:
        self.both_join("dev")
        self.bob.stops_reading()
        self.alice.says("one")
        self.bob.does("/leave")
        self.alice.says("two")
        self.bob.reads_again()
        self.assertEqual(self.bob.sees(Said, Refusal), [Said("alice", "one", "#dev")])


globals().update(RoomTests.make_test_case_classes())
