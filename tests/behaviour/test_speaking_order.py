"""Raised hands, and who has the word: also in a class of two hundred."""

from tests.behaviour.case import DiskBehaviour
from tests.behaviour.registered import Registered
from tests.behaviour.seen import Noticed, Refusal, Said, Seen, Told
from tests.behaviour.visitor import Visitor


class _Class(Registered):
    def setUp(self) -> None:
        """A teacher owns #class; ann, ben and cleo are in it, without accounts."""
        super().setUp()
        self.teacher, *pupils = self.come("teacher", "ann", "ben", "cleo")
        self.ann, self.ben, self.cleo = pupils
        self.registers(self.teacher)
        for visitor in (self.teacher, *pupils):
            visitor.joins("class")
            self.all_is_done()
        self.look_away(self.teacher, *pupils)

    def assert_notices(self, visitor: Visitor, *texts: str) -> None:
        """They see these notices, beside answers to what they did themselves."""
        self.all_is_done()
        self.assertEqual(visitor.sees(Noticed), [Noticed(text) for text in texts])

    def hands(self) -> list[Seen]:
        """What the list of hands says."""
        self.look_away(self.cleo)
        return self.cleo.does("/hands").sees()


class HandTests(_Class):
    def test_everybody_sees_a_raised_hand_and_that_it_is_lowered(self) -> None:
        self.ann.does("/hand")
        self.assertIn(Told("Your hand is raised: /hand lowers it."), self.ann.sees())
        self.assert_notices(self.ben, "ann raised a hand in #class")
        self.ann.does("/hand")
        self.assertIn(Told("Your hand is lowered."), self.ann.sees())
        self.assert_notices(self.ben, "ann lowered a hand in #class")
        self.assertEqual(self.hands(), [Told("Nobody has raised a hand in #class.")])

    def test_hands_are_listed_in_the_order_of_raising(self) -> None:
        self.ben.does("/hand")
        self.ann.does("/hand up")
        self.assertEqual(self.hands(), [Told("Raised hands in #class: ben, ann (2)")])

    def test_raising_twice_changes_nothing(self) -> None:
        self.ben.does("/hand up")
        self.look_away(self.ann, self.ben)
        self.assert_sees(self.ben.does("/hand up"), Told("Your hand is raised already."))
        self.assert_sees(self.ann.does("/hand down"), Told("Your hand is not raised."))
        self.assert_refused(self.ann.does("/hand please"), "Usage: /hand")

    def test_the_hand_of_who_leaves_goes(self) -> None:
        self.ann.does("/hand")
        self.ben.does("/hand")
        self.ann.does("/leave")
        self.ben.loses_the_line()
        self.time_passes(400)
        self.assertEqual(self.hands(), [Told("Nobody has raised a hand in #class.")])
        self.assertNotIn("lowered", str(self.teacher.sees(Noticed)))

    def test_who_is_removed_has_no_hand_either(self) -> None:
        self.ann.does("/hand")
        self.teacher.does("/kick ann")
        self.clock.advance(0)
        self.assertEqual(self.hands(), [Told("Nobody has raised a hand in #class.")])

    def test_a_muted_person_raises_no_hand(self) -> None:
        self.registers(self.ben)  # or a mute of ann would be one of his address too
        self.teacher.does("/mute ann")
        self.look_away(self.ann)
        self.assert_refused(self.ann.does("/hand"), "You are muted in #class")


class NextTests(_Class):
    def test_the_first_gets_the_word_until_they_are_done(self) -> None:
        self.ann.does("/hand")
        self.ben.does("/hand")
        self.teacher.does("/moderated on", "/next")
        self.look_away(self.teacher, self.ann, self.ben, self.cleo)
        self.assert_refused(self.ben.says("me too"), "Only voiced people can speak in #class")
        self.ann.says("tea is ready").does("/hand")
        self.assertEqual(self.teacher.sees(Said), [Said("ann", "tea is ready", "#class")])
        self.look_away(self.ann)
        self.assert_refused(self.ann.says("and more"), "Only voiced people can speak in #class")
        self.assertEqual(self.hands(), [Told("Raised hands in #class: ben (1)")])

    def test_next_moves_on(self) -> None:
        self.ann.does("/hand")
        self.ben.does("/hand")
        self.teacher.does("/freeze on", "/next", "/next")
        self.look_away(self.teacher, self.ann, self.ben)
        self.assert_refused(self.ann.says("wait"), "#class is frozen")
        self.ben.says("my turn")
        self.assertEqual(self.teacher.sees(Said), [Said("ben", "my turn", "#class")])
        self.assertEqual(self.hands()[0], Told("ben has the word."))
        self.teacher.does("/next")
        self.assert_notices(self.cleo, "teacher ended ben's turn in #class")
        self.look_away(self.ben, self.teacher)
        self.assert_refused(self.ben.says("wait"), "#class is frozen")
        self.assert_refused(self.teacher.does("/next"), "Nobody has raised a hand in #class.")

    def test_whose_voice_is_taken_has_not_the_word_either(self) -> None:
        self.teacher.does("/freeze on")
        for has_voice in (False, True):
            self.ann.does("/hand")
            self.teacher.does("/next")
            if has_voice:
                self.teacher.does("/voice ann")
            self.look_away(self.teacher, self.ann, self.cleo)
            self.teacher.does("/devoice ann")
            told = "made ann an ordinary member of" if has_voice else "ended ann's turn in"
            self.assert_notices(self.cleo, f"teacher {told} #class")
            self.look_away(self.ann)
            self.assert_refused(self.ann.says("and more"), "#class is frozen")
        self.look_away(self.teacher)
        self.assert_refused(self.teacher.does("/devoice ann"), "ann is not voiced in #class")

    def test_everybody_reads_who_has_the_word(self) -> None:
        self.ann.does("/hand")
        self.teacher.does("/next")
        self.ann.does("/hand")
        self.assert_notices(
            self.cleo,
            "ann raised a hand in #class",
            "teacher gives the word to ann in #class",
            "ann has given back the word in #class",
        )

    def test_who_has_left_is_passed_over_and_the_word_goes_with_them(self) -> None:
        self.ann.does("/hand")
        self.ben.does("/hand")
        self.ann.does("/quit")
        self.teacher.does("/next")
        self.assertEqual(self.hands()[0], Told("ben has the word."))
        self.ben.does("/quit")
        self.assertEqual(self.hands(), [Told("Nobody has raised a hand in #class.")])

    def test_only_operators_give_the_word_clear_and_freeze(self) -> None:
        self.ben.does("/hand").sees()
        for command in ("/next", "/clear hands", "/freeze on"):
            (told,) = self.ann.does(command).sees(Refusal)
            self.assertIn("is for operators of #class: teacher.", str(told))
        self.assertEqual(self.hands(), [Told("Raised hands in #class: ben (1)")])

    def test_all_hands_are_cleared(self) -> None:
        self.ann.does("/hand")
        self.ben.does("/hand")
        self.look_away(self.teacher)
        self.assert_refused(self.teacher.does("/clear screen"), "Usage: /clear hands")
        self.teacher.does("/clear hands")
        self.assertEqual(self.hands(), [Told("Nobody has raised a hand in #class.")])
        self.teacher.sees()
        self.assert_refused(self.teacher.does("/clear hands"), "Nobody has raised a hand")

    def test_a_frozen_room_thaws(self) -> None:
        self.teacher.does("/freeze on")
        self.look_away(self.ann, self.teacher)
        self.assert_refused(self.ann.says("hello"), "#class is frozen")
        self.teacher.does("/freeze off")
        self.ann.says("hello")
        self.assertEqual(self.teacher.sees(Said), [Said("ann", "hello", "#class")])


class BanTests(_Class):
    def test_who_has_the_word_is_banned_like_anybody_else(self) -> None:
        self.ann.does("/hand")
        self.teacher.does("/next").sees()
        self.teacher.does("/ban ann")
        self.time_passes(1)
        self.look_away(self.teacher, self.ann)
        self.assertNotIn("ann", str(self.teacher.does("/users").sees()))
        self.assert_refused(self.ann.does("/join class"), "You are banned from #class")
        self.assertEqual(self.hands(), [Told("Nobody has raised a hand in #class.")])


class BigClassTests(_Class):
    def test_two_hundred_hands_at_once_are_a_few_lines_and_all_are_in_order(self) -> None:
        pupils = [self.comes(f"pupil-{n:03}", f"198.18.0.{n % 250}") for n in range(200)]
        for pupil in pupils:
            pupil.joins("class")
        self.time_passes(30)
        self.look_away(self.teacher, *pupils)
        for pupil in pupils:
            pupil.does("/hand")
        self.time_passes(3)
        self.assertLess(len(self.teacher.sees()), 10 * len(self.servers))
        for pupil in pupils:
            answers = [seen for seen in pupil.sees(Told) if "Your hand is raised" in str(seen)]
            self.assertEqual(len(answers), 1, pupil.nickname)
        held = len(self.servers)  # each of them shows those together that it held back
        order = sorted(range(15, 200), key=lambda n: n % held) if held > 1 else range(15, 200)
        names = ", ".join(f"pupil-{n:03}" for n in (*range(15), *order))
        self.assertEqual(self.hands(), [Told(f"Raised hands in #class: {names} (200)")])
        for pupil in pupils:
            pupil.does("/quit")
        self.time_passes(5)
        self.assertEqual(self.hands(), [Told("Nobody has raised a hand in #class.")])

    def test_who_leaves_before_their_hand_is_shown_has_not_raised_it(self) -> None:
        pupils = [self.comes(f"pupil-{n}") for n in range(8)]
        for pupil in pupils:
            pupil.joins("class")
        self.time_passes(30)
        for pupil in pupils:
            pupil.does("/hand")
        pupils[-1].does("/quit")
        self.time_passes(3)
        self.assertNotIn("pupil-7", str(self.hands()))
        self.assertIn("pupil-6", str(self.hands()))


class DiskTests(DiskBehaviour, _Class):
    def test_hands_and_the_word_are_as_they_were_after_the_server_was_killed(self) -> None:
        for visitor in (self.cleo, self.ben, self.ann):
            visitor.does("/hand")
            self.the_disk_works()
        self.teacher.does("/next")
        self.the_disk_works()
        self.the_server_is_killed()
        self.the_disk_works()
        order = self.factory.chat.rooms["#class"].order
        self.assertEqual([name for _, name in order.hands()], ["ben", "ann"])
        assert order.word is not None
        self.assertEqual(order.word[1], "cleo")

    def test_what_the_full_disk_does_not_take_is_refused_once(self) -> None:
        self.writing.is_full = True
        self.ann.does("/hand")
        self.the_disk_works()
        self.assert_refused(self.ann, "That could not be stored")
        self.writing.is_full = False
        self.ann.does("/hand up")
        self.the_disk_works()
        self.assertIn(Told("Your hand is raised: /hand lowers it."), self.ann.sees())

    def test_those_who_do_not_come_back_after_a_restart_are_passed_over(self) -> None:
        self.ann.does("/hand")
        self.the_disk_works()
        self.the_server_is_killed()
        self.the_disk_works()
        self.time_passes(400)
        self.the_disk_works()
        tutor = self.comes("tutor").joins("class")
        self.all_is_done()
        self.assertIn(Told("Nobody has raised a hand in #class."), tutor.does("/hands").sees())


for _tests in (HandTests, NextTests, BanTests, BigClassTests, DiskTests):
    globals().update(_tests.make_test_case_classes())
