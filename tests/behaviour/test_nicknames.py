"""Taking a nickname, and taking another one."""

from tests.behaviour.case import Behaviour
from tests.behaviour.seen import Here, Joined, Left, Refusal, Renamed, Said, Welcomed


class NicknameTests(Behaviour):
    def test_who_has_one_is_in_the_lobby(self) -> None:
        alice = self.connects().answers("alice")
        self.assert_sees(alice, Welcomed("alice"), Here(("alice",)))

    def test_one_that_is_in_use_is_refused_however_it_is_written(self) -> None:
        self.comes("Zoë")
        for same in ("Zoë", "ZOË", " zoë ", "Zoe\u0308", "Ｚoë"):
            self.assert_refused(self.connects().answers(same), "is taken")

    def test_nobody_can_look_like_somebody_who_is_here(self) -> None:
        for name, other in (
            *(("paypal", "paypaI"), ("MARK", "ᴍᴀʀᴋ"), ("wanda", "vvanda")),
            *(("dave", "clave"), ("bob", "ƅob")),
        ):
            self.comes(name)
            self.assert_refused(
                self.connects().answers(other),
                f"The nickname {other} looks like {name}, who is here: choose another one.",
            )

    def test_a_name_is_the_same_with_the_joiners_that_its_letters_take_and_without(self) -> None:
        self.comes("علی\u200cرضا")
        self.assert_refused(self.connects().answers("علیرضا"), "The nickname علیرضا is taken")

    def test_what_cannot_be_one_is_refused_with_the_reason(self) -> None:
        for nickname, reason in {
            "two words": "letters, digits, _ and -",
            "4you": "starts with a letter",
            "x" * 21: "too long",
            "\ufdfa\ufdfa": "too long",  # 18 letters each, once normalised
            "Server": "reserved",
            "раураl": "mixes letters of several alphabets",
            "al\u200bice": "letters, digits, _ and -",
            "al\x1b[2Jice": "Control characters are not allowed",
            "al\x85ice": "Control characters are not allowed",
        }.items():
            self.assert_refused(self.connects().answers(nickname), reason)

    def test_what_nobody_could_see_is_no_part_of_one(self) -> None:
        self.comes("alice")
        for hidden in ("\u200b", "\u00ad", "\u2060", "\u200d", "\ufe0f", "\u3164", "\u2800"):
            for nickname in (f"al{hidden}ice", f"alice{hidden}"):
                somebody = self.connects().answers(nickname)
                self.assert_refused(somebody, "letters, digits, _ and -")

    def test_it_shows_in_one_form_however_it_was_composed(self) -> None:
        self.assertIn(Welcomed("Zo\u00eb"), self.connects().answers("Zoe\u0308").sees())

    def test_who_was_refused_may_try_again(self) -> None:
        somebody = self.connects().answers("1").answers("2").answers("3").answers("carol")
        self.assertIn(Welcomed("carol"), somebody.sees())

    def test_but_not_for_ever(self) -> None:
        somebody = self.connects()
        for answer in "1234567890":
            self.assertFalse(somebody.is_gone)
            somebody.answers(answer)
        self.assertIn("That was the last try", str(somebody.sees(Refusal)[-1]))
        self.assertTrue(somebody.is_gone)

    def test_who_was_refused_is_not_heard_of(self) -> None:
        alice = self.comes("alice")
        self.connects().answers("ALICE").answers("9").answers("Server").loses_the_line()
        self.assert_sees(alice)

    def test_who_has_none_after_thirty_seconds_is_let_go(self) -> None:
        somebody = self.connects().answers("9")
        self.time_passes(29)
        self.assertFalse(somebody.is_gone)
        self.time_passes(1)
        self.assertIn("You chose no nickname within 30 seconds", str(somebody.sees(Refusal)[-1]))
        self.assertTrue(somebody.is_gone)

    def test_who_has_one_may_be_silent_for_hours(self) -> None:
        alice = self.comes("alice")
        self.time_passes(7200)
        self.assertFalse(alice.is_gone)

    def test_who_has_none_hears_nothing(self) -> None:
        listener = self.connects()
        self.comes("alice").says("a secret")
        self.assert_sees(listener)

    def test_of_ten_who_ask_for_one_one_gets_it(self) -> None:
        seen = [each for _ in range(10) for each in self.connects().answers("highlander").sees()]
        self.assertEqual(seen.count(Welcomed("highlander")), 1)
        self.assertEqual("".join(map(str, seen)).count("highlander is taken"), 9)

    def test_it_is_free_again_when_its_holder_has_gone(self) -> None:
        self.comes("alice").does("/quit")
        self.comes("alice")


class RenamingTests(Behaviour):
    def setUp(self) -> None:
        """Alice and bob are in the lobby."""
        super().setUp()
        self.alice, self.bob = self.come("alice", "bob")

    def test_everybody_is_told_once(self) -> None:
        self.bob.is_called("robert")
        for person in (self.alice, self.bob):
            self.assert_sees(person, Renamed("bob", "robert"))

    def test_the_same_name_is_no_new_name(self) -> None:
        self.assert_refused(self.bob.is_called("bob"), "You are already called bob.")
        self.assert_sees(self.alice)

    def test_ones_own_name_may_be_written_otherwise(self) -> None:
        self.bob.is_called("BOB").says("hi")
        self.assert_sees(self.alice, Renamed("bob", "BOB"), Said("BOB", "hi"))
        self.assert_sees(self.alice.does("/users"), Here(("alice", "BOB")))

    def test_a_name_in_use_is_refused_and_the_old_one_stays(self) -> None:
        refusal = "The nickname ALICE is taken: choose another one."
        self.assert_refused(self.bob.is_called("ALICE"), refusal)
        self.bob.says("hi")
        self.assert_sees(self.alice, Said("bob", "hi"))

    def test_what_cannot_be_a_nickname_cannot_become_one(self) -> None:
        for name, reason in (
            *(("Server", "reserved"), ("two words", "letters"), ("9", "starts")),
            *(("aIice", "looks like alice"), ("аlice", "mixes letters")),
        ):
            self.assert_refused(self.bob.is_called(name), reason)

    def test_the_old_name_is_free_at_once_and_the_new_one_taken(self) -> None:
        self.bob.is_called("robert")
        self.comes("bob")
        self.assert_refused(self.connects().answers("Robert"), "is taken")

    def test_what_was_said_before_keeps_the_old_name(self) -> None:
        self.bob.says("before").is_called("robert").says("after")
        self.assertEqual(
            self.connects().answers("carol").sees(Said, Renamed),
            [Said("bob", "before"), Renamed("bob", "robert"), Said("robert", "after")],
        )

    def test_it_is_told_in_every_room(self) -> None:
        for person in (self.alice, self.bob):
            person.joins("dev")
        self.look_away(self.alice)
        self.bob.is_called("robert")
        self.assert_sees(self.alice, *[Renamed("bob", "robert")] * 2)
        carol = self.connects().answers("carol")
        self.assertEqual(carol.sees(Renamed), [Renamed("bob", "robert")])
        self.assertEqual(carol.joins("dev").sees(Renamed), [Renamed("bob", "robert")])

    def test_who_changes_all_the_time_is_told_to_wait(self) -> None:
        for number in range(5):
            self.bob.is_called(f"bob{number}")
        self.assertEqual(len(self.alice.sees(Renamed)), 3)
        self.assertIn("You are changing your nickname too often: wait", str(self.bob.sees()[-1]))
        self.time_passes(21)
        self.bob.is_called("robert")
        self.assert_sees(self.alice, Renamed("bob2", "robert"))

    def test_a_new_name_leaves_with_its_holder(self) -> None:
        self.bob.is_called("robert").does("/quit")
        self.assertEqual(self.alice.sees()[-1], Left("robert"))
        self.comes("robert")
        self.comes("bob")
        self.assert_sees(self.alice, Joined("robert"), Joined("bob"))


globals().update(NicknameTests.make_test_case_classes())
globals().update(RenamingTests.make_test_case_classes())
