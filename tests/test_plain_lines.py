"""What people read on a terminal, to the letter."""

import re
import time

from tests.people import NOW, ChatTestCase
from twisted_chat.events import By, Entry
from twisted_chat.wire.plain import PlainWire


def longest_blank(line: str) -> int:
    """How many blanks, and what is not seen among them, stand in a row at the most."""
    return max(map(len, re.findall("[\\s\u2800\u200b]+", line)), default=0)


class PlainLineTests(ChatTestCase):
    def setUp(self) -> None:
        """Alice and bob are in the lobby."""
        super().setUp()
        self.alice = self.joins("alice")
        self.bob = self.joins("bob")
        self.alice.raw()

    def test_a_message_carries_the_time_and_its_sender(self) -> None:
        self.bob.types("hello everyone")
        stamp = time.strftime("%H:%M:%S", time.localtime(NOW))
        self.assertEqual(self.alice.raw(), f"[{stamp}] bob: hello everyone\r\n")

    def test_who_says_a_line_does_not_get_it_back(self) -> None:
        self.bob.types("hello everyone")
        self.assertEqual(self.bob.raw(), "")

    def test_each_event_has_its_form(self) -> None:
        self.bob.types("/me waves", "/nick robert", "/topic tea", "/whisper alice psst")
        self.assertEqual(
            self.alice.sees(),
            [
                "* bob waves",
                "*** bob is now known as robert",
                "*** robert changed the topic of #lobby to: tea",
                "[whisper from robert] psst",
            ],
        )
        self.assertEqual(
            self.bob.sees(),
            [
                "* bob waves",
                "*** bob is now known as robert",
                "*** robert changed the topic of #lobby to: tea",
                "[whisper to alice] psst",
            ],
        )

    def test_lines_of_other_rooms_say_so(self) -> None:
        self.alice.types("/join dev").raw()
        self.bob.types("/join dev", "hello", "/me waves")
        self.assertEqual(
            self.alice.sees(),
            ["*** bob has joined #dev", "#dev bob: hello", "#dev * bob waves"],
        )

    def test_coming_and_going_are_told(self) -> None:
        carol = self.joins("carol")
        carol.vanishes()
        dave = self.joins("dave")
        dave.types("/quit see you")
        erin = self.joins("erin")
        erin.closes()
        self.assertEqual(
            self.alice.sees(),
            [
                "*** carol has joined #lobby",
                "*** carol has left #lobby (connection lost)",
                "*** dave has joined #lobby",
                "*** dave has left #lobby (see you)",
                "*** erin has joined #lobby",
                "*** erin has left #lobby",
            ],
        )

    def test_a_line_older_than_today_carries_its_date(self) -> None:
        self.bob.types("good night")
        self.time_passes(1)
        self.clock.advance(24 * 3600)
        newcomer = self.connects().types("carol")
        date = time.strftime("%Y-%m-%d", time.localtime(NOW))
        old = [line for line in newcomer.sees_with_times() if "good night" in line]
        self.assertEqual(old[0][:12], f"[{date} ")

    def test_who_leaves_by_a_word_has_left(self) -> None:
        for word in ("exit", "quit", " Quit", ":q", "!Disconnect", "/quit"):
            somebody = self.joins("carol").types(word)
            self.assertTrue(somebody.is_gone)
            self.assertEqual(self.alice.sees()[-1], "*** carol has left #lobby")
            self.time_passes(60)

    def test_a_word_that_may_mean_leaving_is_asked_about_before_anybody_reads_it(self) -> None:
        for word in ("bye", "Logout", ":q!", "q"):
            self.bob.types(word)
            (answer,) = self.bob.sees()
            low = word.lower()
            self.assertEqual(
                answer,
                f"*** That was not sent. To leave, type /quit; to say it, type {low} again.",
            )
            self.assertEqual(self.alice.raw(), "")
            self.bob.types(word)
            self.assertEqual(self.alice.sees(), [f"bob: {word}"])
            self.assertEqual(self.bob.raw(), "")
            self.time_passes(5)
        self.bob.types("bye", "see you tomorrow", "bye")
        self.assertEqual(self.alice.sees(), ["bob: see you tomorrow"])

    def test_help_alone_is_the_command(self) -> None:
        self.bob.types("help")
        self.assertIn("*** /help [COMMAND]: ", self.bob.raw())
        self.assertEqual(self.alice.raw(), "")

    def test_control_keys_are_answered_and_do_not_spoil_the_next_line(self) -> None:
        for keys in (b"\x03", b"\x1a", b"\xff\xf4\xff\xfd\x06", b"\xff\xed\xff\xfd\x06"):
            self.bob.sends(keys)
            answer = self.bob.transport.value()
            self.assertTrue(answer.endswith(b"*** To leave, type /quit.\r\n"), answer)
            self.bob.transport.clear()
            self.bob.types("hello")
            self.assertEqual(self.alice.sees(), ["bob: hello"])
            self.time_passes(2)
        for keys in (b"half a line\x03", b"half a line\x04", b"half a line\x1a"):
            self.bob.sends(keys)
            self.assertEqual(self.bob.sees(), ["*** To leave, type /quit: that line was not sent."])
            self.bob.types("hello")
            self.assertEqual(self.alice.sees(), ["bob: hello"])
            self.time_passes(2)

    def test_the_end_of_the_file_key_leaves(self) -> None:
        for keys in (b"\x04", b"\xff\xec"):
            self.bob.sends(b"the end\n")
            self.bob.sends(keys)
            self.assertTrue(self.bob.is_gone)
            self.assertEqual(self.alice.sees(), ["bob: the end", "*** bob has left #lobby"])
            self.bob = self.joins("bob")
            self.alice.raw()

    def test_empty_and_blank_lines_do_nothing(self) -> None:
        self.bob.types("", "   ", "\u3000\u200b", "\t")
        self.assertEqual(self.alice.raw() + self.bob.raw(), "")

    def test_any_line_end_will_do(self) -> None:
        self.bob.sends(b"one\ntwo\r\nthree\r\0four\r")
        self.assertEqual(self.alice.sees(), ["bob: one", "bob: two", "bob: three", "bob: four"])

    def test_a_line_that_comes_in_pieces_is_one_line(self) -> None:
        for byte in "grüße 漢字 😀\r\n".encode():
            self.bob.sends(bytes([byte]))
        self.assertEqual(self.alice.sees(), ["bob: grüße 漢字 😀"])

    def test_telnets_negotiation_is_answered_and_shown_to_nobody(self) -> None:
        self.bob.sends(b"mid\xff\xf1dle\xff\xfd\x01\xff\xfb\x1f\r\n")
        self.assertEqual(self.alice.sees(), ["bob: middle"])
        self.assertEqual(self.bob.transport.value(), b"\xff\xfc\x01\xff\xfe\x1f")

    def test_who_sends_and_closes_at_once_has_it_all_delivered(self) -> None:
        somebody = self.connects()
        somebody.sends(b"bot\nfirst\nlast without an end")
        somebody.says_no_more()
        self.assertEqual(self.alice.sees()[1:3], ["bot: first", "bot: last without an end"])
        self.assertTrue(somebody.is_gone)

    def test_half_a_line_is_not_said_when_the_connection_breaks(self) -> None:
        self.bob.sends(b"I never")
        self.bob.vanishes()
        self.assertEqual(self.alice.sees(), ["*** bob has left #lobby (connection lost)"])

    def test_bad_input_gets_one_line_and_the_link_lives(self) -> None:
        for bad, reason in (
            (b"x" * 2001, "too long"),
            (b"x" * 100_000, "too long"),
            (b"\xff\xff\xfe latin \xe9", "not UTF-8"),
            (b"\x1b[2Jgotcha", "Control characters"),
            (b"\xc2\x9b2J", "Control characters"),
            (b"nul\0byte", "Control characters"),
        ):
            self.bob.sends(bad + b"\n")
            (answer,) = self.bob.sees()
            self.assertTrue(answer.startswith("!!! "), answer)
            self.assertIn(reason, answer)
            self.assertEqual(self.alice.raw(), "")
            self.time_passes(2)
        self.bob.types("still here")
        self.assertEqual(self.alice.sees(), ["bob: still here"])

    def test_direction_marks_are_taken_out_and_their_sender_is_told(self) -> None:
        self.bob.types("\u202egnp.exe\u202c")
        self.assertEqual(self.alice.sees(), ["bob: gnp.exe"])
        self.assertIn("direction marks were removed", self.bob.sees()[0])

    def test_nobody_can_forge_a_line(self) -> None:
        self.bob.sends(b"hello\rvictim: I am a fool\n")
        self.bob.types("*** alice has left #lobby", "[12:00:00] alice: hi")
        self.assertEqual(
            self.alice.sees(),
            [
                "bob: hello",
                "bob: victim: I am a fool",
                "bob: *** alice has left #lobby",
                "bob: [12:00:00] alice: hi",
            ],
        )

    def test_blanks_up_to_the_edge_of_the_screen_forge_no_line(self) -> None:
        for blanks in (" " * 65, "\t" * 65, "\u3000" * 32, "\u2800" * 65, " \u200b\u00a0" * 30):
            forged = f"hi{blanks}[12:00:01] carol: I am a fool"
            for before in ("", "/me ", "@alice ", "/topic ", "/away "):
                self.bob.types(before + forged)
            self.alice.types("/whois bob", "/users", "/topic", "@bob hi", "/history 3")
            self.bob.types("/quit " + forged)
            lines = [line for line in self.alice.sees() if "I am a fool" in line]
            self.assertEqual(len(lines), 12)
            for line in lines:
                self.assertEqual(longest_blank(line), 16, ascii(line))
            self.time_passes(60)
            self.bob = self.joins("bob")
            self.alice.raw()

    def test_a_bell_from_the_server_rings_only_when_asked_for(self) -> None:
        self.bob.types("alice, look")
        self.assertNotIn("\a", self.alice.raw())
        self.alice.types("/bell name").raw()
        self.bob.types("alice, look")
        self.assertEqual(self.alice.sees(), ["bob: alice, look\a"])

    def test_every_form_is_as_the_protocol_says(self) -> None:
        self.alice.types("/join dev").raw()
        for line in (
            *("/join dev", "hello", "/me waves", "/topic tea", "/topic -", "/join lobby"),
            *("hello", "/me waves", "/nick robert", "/topic more tea"),
        ):
            self.bob.types(line)
        self.time_passes(10)
        for line in ("/w alice psst", "/leave dev", "/quit see you"):
            self.bob.types(line)
        stamp = time.strftime("[%H:%M:%S]", time.localtime(NOW))
        later = time.strftime("[%H:%M:%S]", time.localtime(NOW + 10))
        self.assertEqual(
            self.alice.sees_with_times(),
            [
                f"{stamp} *** bob has joined #dev",
                f"{stamp} #dev bob: hello",
                f"{stamp} #dev * bob waves",
                f"{stamp} *** bob changed the topic of #dev to: tea",
                f"{stamp} *** bob removed the topic of #dev",
                f"{stamp} bob: hello",
                f"{stamp} * bob waves",
                f"{stamp} *** bob is now known as robert",
                f"{stamp} *** bob is now known as robert",
                f"{stamp} *** robert changed the topic of #lobby to: more tea",
                f"{later} [whisper from robert] psst",
                f"{later} *** robert has left #dev",
                f"{later} *** robert has left #lobby (see you)",
            ],
        )

    def test_two_slashes_say_one(self) -> None:
        self.bob.types("//help is a command", "///")
        self.assertEqual(self.alice.sees(), ["bob: /help is a command", "bob: //"])
        self.assertEqual(self.bob.raw(), "")

    def test_an_address_in_front_whispers_and_one_inside_does_not(self) -> None:
        carol = self.joins("carol")
        self.alice.raw()
        carol.raw()
        self.bob.types("@alice psst")
        self.assertEqual(self.alice.sees(), ["[whisper from bob] psst"])
        self.bob.types("write to bob@example.org", "@ home", "@@ both")
        self.assertEqual(
            self.alice.sees(), ["bob: write to bob@example.org", "bob: @ home", "bob: @@ both"]
        )
        self.assertNotIn("psst", carol.raw())

    def test_words_that_leave_do_so_only_alone_on_a_line(self) -> None:
        self.bob.types("exit the room quietly", "the exit", "!Disconnect me", "quit")
        self.assertEqual(len(self.alice.sees()), 4)
        self.assertTrue(self.bob.types(" EXIT ").is_gone)

    def test_no_control_character_reaches_anybody(self) -> None:
        for bad in (
            b"\x1b[2J\x1b[H",
            b"\x1b[8mhidden",
            b"\x1b]0;title\x07",
            b"\x1b]52;c;cm0gLXJm\x07",
            b'\x1bP$q"p\x1b\\',
            b"\x1b[6n",
            b"\xc2\x9b2J",
            b"\xc2\x9d0;x\xc2\x9c",
            b"\x9b2J",
            b"\x07\x08\x0b\x0c",
            b"\x05\x11\x13\x1a\x7f",
            b"\xc2\x85next",
            b"\xe2\x80\xa8next",
            b"\0" * 500,
            b"abc\xc3",
            b"\xc0\xaf",
            b"\xed\xa0\x80",
            b"\xf4\x90\x80\x80",
            "Zo\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301".encode(),
            b"\xee\x80\x80",
        ):
            self.bob.sends(b"look: " + bad + b"\n")
            (answer,) = self.bob.sees()
            self.assertTrue(answer.startswith("!!! "), answer)
            self.assertTrue(answer.isprintable(), answer)
            self.assertEqual(self.alice.raw(), "", bad)
            self.time_passes(1)

    def test_a_byte_order_mark_is_not_shown(self) -> None:
        self.bob.sends(b"\xef\xbb\xbfhello\n")
        self.assertEqual(self.alice.sees(), ["bob: hello"])
        self.assertEqual(self.bob.raw(), "")

    def test_a_tab_is_shown_as_a_blank(self) -> None:
        self.bob.types("a\tb")
        self.assertEqual(self.alice.sees(), ["bob: a b"])

    def test_lines_around_one_that_is_too_long_are_said(self) -> None:
        self.bob.sends(b"before\n" + b"x" * 1_000_000 + b"\nafter\n")
        self.assertEqual(self.alice.sees(), ["bob: before", "bob: after"])
        (answer,) = self.bob.sees()
        self.assertIn("too long (the limit is 2000 bytes)", answer)

    def test_of_history_only_what_is_kept_is_shown(self) -> None:
        self.bob.types("one", "/me waves", "/topic tea", "/w alice secret")
        self.joins("dave").vanishes()
        newcomer = self.connects().types("carol")
        self.assertEqual(
            newcomer.sees()[1:],
            [
                "*** Welcome, carol! You are in #lobby. /help lists the commands, /quit leaves.",
                "bob: one",
                "* bob waves",
                "*** bob changed the topic of #lobby to: tea",
                "*** In #lobby: alice, bob, carol (3)",
                "*** The topic of #lobby is: tea",
            ],
        )

    def test_a_line_that_cannot_be_shown_does_not_spoil_the_history_beside_it(self) -> None:
        show = PlainWire.show

        def fails_once(
            wire: PlainWire, entry: Entry, by: By = By.OTHERS, *, replayed: bool = False
        ) -> bytes:
            if getattr(entry.event, "text", "") == "two":
                raise RuntimeError("this cannot be shown")
            return show(wire, entry, by, replayed=replayed)

        self.bob.types("one", "two", "three")
        self.alice.raw()
        bot = self.program("bot")
        bot.gets()
        self.patch(PlainWire, "show", fails_once)
        self.alice.types("/history 3")
        self.assertEqual(self.alice.sees()[-2:], ["bob: one", "bob: three"])
        bot.asks(do="command", text="/history 3", ref="h")
        (answer,) = bot.gets("answer")
        self.assertEqual(
            [line.split("] ")[1] for line in answer["lines"]], ["bob: one", "bob: three"]
        )
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 2)

    def test_ones_own_lines_are_shown_from_history(self) -> None:
        self.bob.types("I was here", "/join dev", "/leave lobby", "/join lobby")
        self.assertIn("bob: I was here", self.bob.sees())

    def test_who_half_closes_leaves_when_all_their_lines_are_said(self) -> None:
        self.bob.sends("".join(f"line {number}\n" for number in range(25)).encode())
        self.bob.says_no_more()
        self.assertEqual(len(self.alice.sees()), 10)
        self.assertFalse(self.bob.is_gone)
        self.time_passes(10)
        self.assertEqual(
            self.alice.sees(),
            [*(f"bob: line {number}" for number in range(10, 25)), "*** bob has left #lobby"],
        )
        self.assertTrue(self.bob.is_gone)

    def test_who_closes_with_lines_waiting_has_them_said_too(self) -> None:
        self.bob.sends("".join(f"line {number}\n" for number in range(25)).encode())
        self.bob.closes()
        self.time_passes(10)
        lines = self.alice.sees()
        self.assertEqual(lines[:-1], [f"bob: line {number}" for number in range(25)])
        self.assertEqual(lines[-1], "*** bob has left #lobby")

    def test_who_half_closes_still_reads_the_answers(self) -> None:
        self.bob.sends(b"/users\n/time")
        self.bob.says_no_more()
        members, now = self.bob.sees()
        self.assertEqual(members, "*** In #lobby: alice, bob (2)")
        self.assertIn("*** The server's time is 2026-09-21 ", now)

    def test_who_stops_reading_reads_everything_later_in_order(self) -> None:
        self.alice.stops_reading()
        self.bob.types("one", "/w alice psst", "two")
        self.joins("carol")
        self.assertEqual(self.alice.raw(), "")
        self.alice.reads_again()
        lines = self.alice.sees()
        self.assertEqual(
            [line for line in lines if "psst" not in line],
            ["bob: one", "bob: two", "*** carol has joined #lobby"],
        )
        self.assertIn("[whisper from bob] psst", lines)

    def test_what_is_said_and_left_in_one_breath_is_all_read_by_the_others(self) -> None:
        for person in (self.alice, self.bob):
            person.types("/join dev").raw()
        self.alice.protocol.dataReceived(b"one\n")
        self.bob.types("/leave")
        self.assertIn("#dev alice: one", self.bob.sees())
