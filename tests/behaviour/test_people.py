"""Whispers, away notes, and whom one does not hear."""

from tests.behaviour.case import Behaviour
from tests.behaviour.seen import (
    Here,
    Left,
    Renamed,
    Said,
    Told,
    Whispered,
)
from twisted_chat import Limits


class _PeopleTests(Behaviour):
    """Alice, bob and carol are in the lobby, and may type as fast as they like."""

    limits = Limits(pace=None)

    def setUp(self) -> None:
        """Everybody has read everything."""
        super().setUp()
        self.alice, self.bob, self.carol = self.come("alice", "bob", "carol")
        self.everybody = (self.alice, self.bob, self.carol)

    def assert_nobody_saw_anything(self) -> None:
        """Nobody has anything to read."""
        self.assertEqual([person.sees() for person in self.everybody], [[], [], []])


class WhisperTests(_PeopleTests):
    def test_one_person_reads_it_and_its_sender_sees_that_it_went(self) -> None:
        for command in ("/whisper bob", "/msg BOB", "/w bob", "/tell bob", "@bob", "@Bob  "):
            self.alice.does(f"{command} psst")
            for person in (self.alice, self.bob):
                self.assert_sees(person, Whispered("alice", "bob", "psst"))
        self.assert_sees(self.carol)

    def test_several_people_read_it_each_once(self) -> None:
        self.alice.whispers("bob,CAROL,bob", "psst")
        to_bob, to_carol = (Whispered("alice", name, "psst") for name in ("bob", "carol"))
        self.assert_sees(self.alice, to_bob, to_carol)
        self.assert_sees(self.bob, to_bob)
        self.assert_sees(self.carol, to_carol)

    def test_when_one_of_several_is_not_here_nobody_reads_it(self) -> None:
        self.assert_refused(self.alice.whispers("bob,zed", "psst"), "nobody called zed")
        self.assert_nobody_saw_anything()

    def test_more_than_ten_people_are_a_room(self) -> None:
        crowd = [self.comes(f"guest{number}").nickname for number in range(11)]
        self.look_away(*self.everybody)
        self.assert_refused(self.alice.whispers(",".join(crowd), "psst"), "/join a room")
        self.alice.whispers(",".join(crowd[:10]), "psst")
        self.assertEqual(len(self.alice.sees(Whispered)), 10)

    def test_to_oneself_is_refused(self) -> None:
        for to in ("alice", "ALICE", "bob,alice"):
            self.assert_refused(self.alice.whispers(to, "hm"), "You cannot whisper to yourself")
        self.assert_nobody_saw_anything()

    def test_to_nobody_is_refused(self) -> None:
        for to, reason in (
            ("zed", "There is nobody called zed: /users lists who is here."),
            ("carl", "did you mean carol?"),
            (",", "Usage: /whisper NICK TEXT"),
        ):
            self.assert_refused(self.alice.whispers(to, "psst"), reason)
        self.assert_nobody_saw_anything()

    def test_to_somebody_who_has_just_left_says_that(self) -> None:
        self.bob.does("/quit")
        self.look_away(self.alice)
        left = "bob has left: /users lists who is here."
        self.assert_refused(self.alice.whispers("bob", "wait"), left)
        self.time_passes(601)
        self.assert_refused(self.alice.whispers("bob", "wait"), "There is nobody called bob")

    def test_without_a_text_or_with_blanks_alone_is_refused(self) -> None:
        for line in ("/w bob", "/w bob ", "@bob", "@bob   ", "@bob \u200b", "/w bob \u3000"):
            self.assert_refused(self.alice.does(line), "Usage: ")
        self.assert_nobody_saw_anything()

    def test_the_text_is_shown_as_it_was_typed(self) -> None:
        text = "/quit  with   blanks, @carol"
        self.alice.whispers("bob", text)
        self.assert_sees(self.bob, Whispered("alice", "bob", text))

    def test_it_is_in_no_rooms_history(self) -> None:
        self.carol.says("aloud").whispers("bob", "secret")
        for person in (*self.everybody, self.comes("dave")):
            person.sees()
            self.assert_sees(person.does("/history"), Said("carol", "aloud"))

    def test_who_takes_the_nickname_later_cannot_read_it(self) -> None:
        self.alice.whispers("bob", "the key is under the mat")
        self.bob.does("/quit")
        other = self.connects().answers("bob").does("/history")
        self.assertNotIn("mat", str(other.sees()))

    def test_who_is_renamed_meanwhile_is_found_under_the_new_name_alone(self) -> None:
        self.bob.is_called("robert")
        self.look_away(*self.everybody)
        self.assert_refused(self.alice.whispers("bob", "psst"))
        self.alice.whispers("robert", "psst")
        for person in (self.alice, self.bob):
            self.assert_sees(person, Whispered("alice", "robert", "psst"))


class ReplyTests(_PeopleTests):
    def test_it_goes_to_who_whispered_last(self) -> None:
        self.bob.whispers("alice", "one")
        self.carol.whispers("alice", "two")
        self.look_away(*self.everybody)
        self.alice.does("/reply three", "/r four")
        replies = [Whispered("alice", "carol", text) for text in ("three", "four")]
        for person in (self.alice, self.carol):
            self.assert_sees(person, *replies)
        self.assert_sees(self.bob)

    def test_whispering_oneself_changes_nothing(self) -> None:
        self.bob.whispers("alice", "one")
        self.alice.whispers("carol", "two").sees()
        self.assert_sees(self.alice.does("/r three"), Whispered("alice", "bob", "three"))

    def test_it_finds_who_has_another_name(self) -> None:
        self.bob.whispers("alice", "one").is_called("robert")
        self.look_away(self.alice)
        self.assert_sees(self.alice.does("/r two"), Whispered("alice", "robert", "two"))

    def test_it_does_not_go_to_somebody_else_of_that_name(self) -> None:
        self.bob.whispers("alice", "one").does("/quit")
        other = self.comes("bob")
        self.look_away(self.alice)
        left = "bob has left: /users lists who is here."
        self.assert_refused(self.alice.does("/r two"), left)
        self.assert_sees(other)

    def test_to_nobody_is_refused(self) -> None:
        self.assert_refused(self.alice.does("/r hello"), "Nobody has whispered to you yet")

    def test_it_does_not_go_to_somebody_who_is_not_heard(self) -> None:
        self.alice.does("/ignore bob").sees()
        self.carol.whispers("alice", "from carol")
        self.bob.whispers("alice", "never seen")
        self.assert_sees(self.alice, Whispered("carol", "alice", "from carol"))
        self.assert_sees(self.alice.does("/r secret"), Whispered("alice", "carol", "secret"))


class AwayTests(_PeopleTests):
    def test_it_stands_beside_the_name(self) -> None:
        away = Told("You are away: at lunch. /back ends it.")
        self.assert_sees(self.bob.does("/away at lunch"), away)
        here = Here(("alice", "bob (away: at lunch)", "carol"))
        self.assert_sees(self.alice.does("/users"), here)
        self.assertIn(Told("bob is away: at lunch"), self.alice.does("/whois bob").sees())

    def test_a_newcomer_reads_it(self) -> None:
        self.bob.does("/away at lunch, back at two")
        here = Here(("alice", "bob (away: at lunch, back at two)", "carol", "dave"))
        self.assertEqual(self.connects().answers("dave").sees(Here), [here])

    def test_it_is_told_once_to_who_whispers(self) -> None:
        self.bob.does("/away at lunch")
        for person in (self.alice, self.carol):
            told = [person.whispers("bob", "psst").sees(Told) for _ in range(2)]
            self.assertEqual(told, [[Told("bob is away: at lunch")], []])

    def test_it_is_told_again_when_it_has_changed(self) -> None:
        self.bob.does("/away at lunch")
        self.alice.whispers("bob", "psst").sees()
        self.bob.does("/back", "/away asleep")
        told = self.alice.whispers("bob", "psst").sees(Told)
        self.assertEqual(told, [Told("bob is away: asleep")])

    def test_it_ends(self) -> None:
        self.bob.does("/away").sees()
        self.assert_sees(self.bob.does("/back"), Told("You are back."))
        self.assert_sees(self.bob.does("/back"), Told("You were not away."))
        self.assert_sees(self.alice.does("/users"), Here(("alice", "bob", "carol")))

    def test_without_a_reason_there_is_one(self) -> None:
        for line in ("/away", "/away  ", "/away \u200b"):
            away = Told("You are away: not here just now. /back ends it.")
            self.assert_sees(self.bob.does(line), away)

    def test_nobody_is_disturbed_by_it(self) -> None:
        self.bob.does("/away", "/back").sees()
        self.assert_nobody_saw_anything()


class IgnoreTests(_PeopleTests):
    def setUp(self) -> None:
        """Alice ignores bob, who does not know."""
        super().setUp()
        self.bob.says("before")
        self.look_away(*self.everybody)
        ignored = Told("You are ignoring bob: /unignore bob ends it.")
        self.assert_sees(self.alice.does("/ignore bob"), ignored)

    def test_nothing_of_what_they_say_is_seen(self) -> None:
        self.bob.says("hello").does("/me waves").whispers("alice", "psst")
        self.carol.says("hi")
        self.assert_sees(self.alice, Said("carol", "hi"))

    def test_nor_in_the_history(self) -> None:
        self.assert_sees(self.alice.does("/history"))

    def test_the_others_see_it_and_they_are_not_told(self) -> None:
        self.bob.says("hello")
        self.assert_sees(self.bob)
        self.assert_sees(self.carol, Said("bob", "hello"))

    def test_another_name_does_not_help_them(self) -> None:
        self.bob.is_called("robert").says("hello").whispers("alice", "psst")
        self.assert_sees(self.alice, Renamed("bob", "robert"))

    def test_coming_back_does_not_help_them(self) -> None:
        self.bob.does("/quit")
        self.comes("Bob").says("hello")
        self.assertEqual(self.alice.sees(Said), [])

    def test_it_ends_by_either_name(self) -> None:
        self.bob.is_called("robert")
        for name in ("bob", "ROBERT"):
            self.alice.does("/ignore robert").sees()
            again = Told(f"You are no longer ignoring {name}.")
            self.assert_sees(self.alice.does(f"/unignore {name}"), again)
            self.alice.does("/unignore bob", "/unignore robert").sees()
            self.bob.says("hello")
            self.assert_sees(self.alice, Said("robert", "hello"))

    def test_nothing_that_they_write_is_seen(self) -> None:
        self.bob.does("/topic boo", "/away boo").whispers("alice", "boo")
        self.assert_sees(self.alice)
        for command in ("/users", "/whois bob", "/w bob hi"):
            self.assertNotIn("boo", str(self.alice.does(command).sees()), command)
        self.bob.does("/back", "/quit boo")
        self.assert_sees(self.alice, Left("bob"))

    def test_whom_one_ignores_is_listed(self) -> None:
        self.alice.does("/ignore somebody-else").sees()
        self.assert_sees(self.alice.does("/ignore"), Told("You are ignoring: bob, somebody-else"))
        self.assert_sees(self.carol.does("/ignore"), Told("You are not ignoring anybody."))

    def test_who_was_not_ignored_cannot_be_heard_again(self) -> None:
        self.assert_refused(self.alice.does("/unignore carol"), "You are not ignoring carol")

    def test_oneself_is_not_ignored(self) -> None:
        self.assert_refused(self.alice.does("/ignore ALICE"), "You cannot ignore yourself")


globals().update(WhisperTests.make_test_case_classes())
globals().update(ReplyTests.make_test_case_classes())
globals().update(AwayTests.make_test_case_classes())
globals().update(IgnoreTests.make_test_case_classes())
