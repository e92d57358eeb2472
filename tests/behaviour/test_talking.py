"""Talking in a room, and coming into one where others talked."""

from tests.behaviour.case import Behaviour
from tests.behaviour.seen import Did, Here, Joined, Left, Noticed, Refusal, Said, TopicIs, TopicSet
from tests.test_text import HONEST
from twisted_chat import Limits, Pace


class TalkingTests(Behaviour):
    limits = Limits(pace=None)

    def setUp(self) -> None:
        """Alice, bob and carol are in the lobby."""
        super().setUp()
        self.alice, self.bob, self.carol = self.come("alice", "bob", "carol")

    def test_what_one_says_the_others_read_in_the_order_in_which_it_was_said(self) -> None:
        for number in range(20):
            (self.alice, self.bob)[number % 2].says(str(number))
        said = [Said(("alice", "bob")[number % 2], str(number)) for number in range(20)]
        self.assert_sees(self.carol, *said)
        self.assert_sees(self.alice, *said[1::2])
        self.assert_sees(self.bob, *said[0::2])

    def test_what_one_does_everybody_reads(self) -> None:
        self.bob.does("/me waves  twice")
        for person in (self.alice, self.bob, self.carol):
            self.assert_sees(person, Did("bob", "waves  twice"))

    def test_a_slash_can_be_said(self) -> None:
        self.bob.says("/help is a command", "//")
        self.assert_sees(self.alice, Said("bob", "/help is a command"), Said("bob", "//"))
        self.assert_sees(self.bob)

    def test_coming_and_going_are_told(self) -> None:
        dave = self.comes("dave")
        dave.does("/quit see you")
        self.assertTrue(dave.is_gone)
        self.assert_sees(self.alice, Joined("dave"), Left("dave", "see you"))
        for line in ("/quit", "/q", "/quit \u200b"):
            self.time_passes(60)
            self.comes("erin").does(line)
            self.assert_sees(self.alice, Joined("erin"), Left("erin"))

    def test_who_loses_the_line_has_left_when_nobody_can_come_back_to_it(self) -> None:
        self.bob.loses_the_line()
        self.time_passes(self.factory.chat.limits.resume_seconds + 1)
        self.assert_sees(self.alice, Left("bob", "connection lost"))
        self.assert_sees(self.alice.does("/users"), Here(("alice", "carol")))

    def test_a_newcomer_reads_the_last_twenty_lines_and_then_who_is_here(self) -> None:
        self.bob.does("/topic tea")
        for number in range(25):
            self.bob.says(f"line {number}")
        self.assertEqual(
            self.connects().answers("dave").sees()[1:],
            [
                *(Said("bob", f"line {number}") for number in range(5, 25)),
                Here(("alice", "bob", "carol", "dave")),
                TopicIs("tea"),
            ],
        )

    def test_of_what_was_told_a_newcomer_reads_what_is_kept(self) -> None:
        self.bob.says("one").does("/me waves", "/topic tea").whispers("alice", "secret")
        self.comes("dave").does("/quit")
        self.assertEqual(
            self.connects().answers("erin").sees()[1:4],
            [Said("bob", "one"), Did("bob", "waves"), TopicSet("bob", "tea")],
        )

    def test_text_that_would_do_something_to_a_screen_is_refused(self) -> None:
        for text, reason in (
            ("x" * 2001, "too long"),
            ("\x1b[2Jgotcha", "Control characters"),
            ("\x9b2J", "Control characters"),
            ("nul\0byte", "Control characters"),
            ("next\u2028line", "Control characters"),
            ("\ue000", ""),
            ("Zo" + "\u0301" * 8, ""),
        ):
            self.assert_refused(self.bob.says(text), reason)
            self.assert_refused(self.bob.does(f"/me {text}"), reason)
        self.bob.says("still here")
        self.assert_sees(self.alice, Said("bob", "still here"))

    def test_a_line_of_two_thousand_bytes_is_whole(self) -> None:
        self.bob.says("x" * 2000)
        self.assert_sees(self.alice, Said("bob", "x" * 2000))

    def test_honest_text_of_every_script_arrives_unchanged(self) -> None:
        self.bob.says(*HONEST)
        self.assert_sees(self.alice, *(Said("bob", text) for text in HONEST))
        self.assert_sees(self.bob)

    def test_a_command_that_there_is_not_is_told_to_nobody(self) -> None:
        for typed, hint in (
            *(("/usres", "did you mean /users?"), ("/wisper bob hm", "did you mean /whisper?")),
            ("/say hi", ""),  # saying is a command without a word
            *((f"/{word}", "/help lists the commands") for word in ("xyzzy", "", " hello")),
            *((f"/{word}", "/help lists the commands") for word in ("\u200b", "x" * 1000, "漢字")),
        ):
            self.alice.does(typed)
            (refusal,) = self.alice.sees()
            self.assertIn("There is no command /", str(refusal))
            self.assertIn(hint, str(refusal))
            self.assertLess(len(str(refusal)), 150)
        self.assert_sees(self.bob)

    def test_what_a_command_cannot_do_without_is_asked_for(self) -> None:
        for command in ("/whisper bob", "/me", "/join  ", "/nick \u200b"):
            self.assert_refused(self.alice.does(command), "Usage: ")
        self.assert_sees(self.bob)

    def test_who_stops_reading_reads_everything_later_in_order(self) -> None:
        self.alice.stops_reading()
        self.bob.says(*(str(number) for number in range(60)))
        self.assert_sees(self.alice)
        self.alice.reads_again()
        self.assert_sees(self.alice, *(Said("bob", str(number)) for number in range(60)))

    def test_when_the_server_stops_everybody_is_told_and_let_go(self) -> None:
        for server in self.servers:
            server.say_goodbye()
        self.clock.advance(0)
        for person in (self.alice, self.bob, self.carol):
            self.assert_sees(person, Noticed("The server is shutting down"))
            self.assertTrue(person.is_gone)

    def test_what_is_said_after_that_is_refused(self) -> None:
        self.alice.stops_reading()
        for server in self.servers:
            server.say_goodbye()
        self.alice.says("too late")
        late = "The server is shutting down, and that was not done: try again later."
        self.assertEqual(self.alice.sees(Refusal), [Refusal(late)])


class PaceTests(Behaviour):
    def setUp(self) -> None:
        """Alice and bob are in the lobby."""
        super().setUp()
        self.alice, self.bob = self.come("alice", "bob")

    def test_a_pasted_paragraph_is_said_whole_and_in_order(self) -> None:
        lines = [Said("bob", f"line {number}") for number in range(30)]
        self.bob.says(*(line.text for line in lines))
        self.assert_sees(self.alice, *lines[:10])
        self.time_passes(10)
        self.assert_sees(self.alice, *lines[10:])
        self.assert_sees(self.bob)

    def test_of_a_flood_the_rest_is_refused(self) -> None:
        self.bob.says(*map(str, range(100)))
        self.assertIn("You are sending too fast", str(self.bob.sees(Refusal)[0]))
        self.time_passes(10)
        self.assert_sees(self.alice, *(Said("bob", str(number)) for number in range(30)))

    def test_who_calms_down_talks_again(self) -> None:
        self.bob.says(*map(str, range(300)))
        self.time_passes(12)
        self.look_away(self.alice, self.bob)
        self.bob.says("sorry")
        self.assert_sees(self.alice, Said("bob", "sorry"))
        self.assert_sees(self.bob)

    def test_who_does_not_stop_is_sent_away(self) -> None:
        self.factory.chat.limits.refused_lines = Pace(20, 60)
        self.bob.says(*["x"] * 50)
        self.assertFalse(self.bob.is_gone)
        self.bob.says("x")
        self.assertTrue(self.bob.is_gone)
        self.assertIn("You kept sending too fast", str(self.bob.sees(Refusal)[-1]))
        self.assertEqual(self.alice.sees()[-1], Left("bob", "flooding"))

    def test_commands_keep_the_pace_too(self) -> None:
        self.bob.does(*["/users"] * 100)
        self.assertEqual(self.bob.sees(Here), [Here(("alice", "bob"))] * 10)

    def test_one_persons_flood_slows_nobody_else(self) -> None:
        self.bob.says(*map(str, range(300))).sees()
        self.alice.says("excuse me")
        self.assert_sees(self.bob, Said("alice", "excuse me"))

    def test_who_quits_in_a_flood_says_nothing_after_that(self) -> None:
        self.bob.says("one").does("/quit").says("two")
        self.time_passes(10)
        self.assert_sees(self.alice, Said("bob", "one"), Left("bob"))


globals().update(TalkingTests.make_test_case_classes())
globals().update(PaceTests.make_test_case_classes())
