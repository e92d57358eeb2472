from prompt_toolkit.utils import get_cwidth
from twisted.trial.unittest import SynchronousTestCase

from twisted_chat import events
from twisted_chat.client.colours import colour
from twisted_chat.client.display import Display
from twisted_chat.client.incoming import Happened, Member, State
from twisted_chat.client.model import Model
from twisted_chat.client.toolbar import toolbar
from twisted_chat.client.wrapping import Fragments, Row, wrapped
from twisted_chat.events import Entry, Event
from twisted_chat.wire.plain import PlainWire


def text(line: Fragments) -> str:
    return "".join(piece for _, piece in line)


class LineTests(SynchronousTestCase):
    def line(self, event: Event, ref: str | None = None) -> Fragments:
        display = Display(Model("alice"), PlainWire(lambda: 0.0))
        row = display.row(Happened(Entry(event, ref=ref, id=1), replayed=False))
        return row.fragments if row else []

    def test_ones_own_name_stands_out_in_what_others_say(self) -> None:
        line = self.line(events.Message(0.0, "#dev", "bob", "Alice: ask alice"))
        self.assertEqual([piece for style, piece in line if "called" in style], ["Alice", "alice"])
        self.assertTrue(text(line).endswith("] #dev bob: Alice: ask alice"))

    def test_ones_own_name_does_not_stand_out_in_what_one_says_oneself(self) -> None:
        line = self.line(events.Message(0.0, "#lobby", "alice", "I am alice"))
        self.assertFalse(any("called" in style for style, _ in line))

    def test_the_speaker_is_coloured_and_nothing_else_of_that_name(self) -> None:
        line = self.line(events.Message(0.0, "#bob", "bob", "I am bob"))
        self.assertEqual([piece for style, piece in line if style == colour("bob")], ["bob"])
        self.assertTrue(text(line).endswith("] #bob bob: I am bob"))

    def test_a_whisper_names_the_other_one(self) -> None:
        whisper = events.Whisper(0.0, "@", "alice", "bob", "psst")
        self.assertTrue(text(self.line(whisper, "c-1")).endswith("[whisper to bob] psst"))
        whisper = events.Whisper(0.0, "@", "bob", "alice", "psst")
        self.assertTrue(text(self.line(whisper)).endswith("[whisper from bob] psst"))

    def test_ones_own_coming_and_going_is_answered_and_not_told_again(self) -> None:
        self.assertEqual(self.line(events.Join(0.0, "#dev", "alice")), [])
        self.assertIn("bob has joined #dev", text(self.line(events.Join(0.0, "#dev", "bob"))))

    def test_a_name_has_one_colour_in_every_case_and_in_every_run(self) -> None:
        self.assertEqual(colour("Alice"), colour("aLICE"))
        self.assertEqual(colour("alice"), "#a0703c")


class ToolbarTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.model = Model("alice")
        self.enter("#lobby", "alice", "bob", "漢字")

    def enter(self, room: str, *nicks: str) -> None:
        self.model.state(State(room, "", tuple(map(Member, nicks)), len(nicks)))

    def shows(self, state: str = "connected", waiting: int = 0, width: int = 80) -> str:
        return text(toolbar(self.model, state, waiting, width))

    def test_it_says_where_one_types_and_who_is_there(self) -> None:
        self.assertEqual(self.shows(), " #lobby | 3 here: alice, bob, 漢字 | connected")

    def test_it_counts_what_is_unread_elsewhere(self) -> None:
        self.enter("#dev", "alice")
        for said in ("hi", "alice!"):
            event = events.Message(0.0, "#dev", "bob", said)
            self.model.happened(Happened(Entry(event, id=1), replayed=False))
        self.assertIn(" | 2:#dev +2 | ", self.shows())

    def test_other_rooms_have_numbers_and_those_without_news_may_be_left_out(self) -> None:
        for room in ("#dev", "#ops", "#music"):
            self.enter(room, "alice")
        event = events.Message(0.0, "#music", "bob", "hi")
        self.model.happened(Happened(Entry(event, id=1), replayed=False))
        self.assertIn(" | 2:#dev | 3:#ops | 4:#music +1 | ", self.shows())
        self.assertIn("here | 2:#dev | 4:#music +1", self.shows(width=50))
        self.assertIn("here | 4:#music +1", self.shows(width=40))

    def test_it_says_what_waits_while_there_is_no_connection(self) -> None:
        self.assertTrue(self.shows("offline", 2).endswith(" | offline | 2 lines waiting"))
        self.assertTrue(self.shows("connected", 1).endswith(" | 1 line waiting | connected"))

    def test_names_are_shown_as_far_as_they_fit(self) -> None:
        self.assertEqual(self.shows(width=42), " #lobby | 3 here: alice, +2 | connected")
        self.assertEqual(self.shows(width=34), " #lobby | 3 here | connected")

    def test_it_is_never_wider_than_the_terminal(self) -> None:
        self.enter("#漢字漢字漢字", "alice")
        self.model.go("#漢字漢字漢字")
        for width in range(1, 60):
            self.assertLessEqual(get_cwidth(self.shows("offline", 12, width)), width)

    def test_before_the_first_connection_it_says_so(self) -> None:
        self.assertEqual(text(toolbar(Model("alice"), "connecting", 0, 80)), " #lobby | connecting")


class WrappingTests(SynchronousTestCase):
    def wraps(self, said: str, width: int, head: str = "[12:35:02] bob: ") -> list[str]:
        row = Row([("", head)], [("bold", said[:5]), ("", said[5:])])
        return text(wrapped(row, width)).split("\n")

    def test_a_line_that_fits_stays_as_it_is(self) -> None:
        self.assertEqual(self.wraps("one two", 23), ["[12:35:02] bob: one two"])

    def test_a_line_is_broken_between_words_and_goes_on_below_its_text(self) -> None:
        self.assertEqual(
            self.wraps("one two three four", 33),
            ["[12:35:02] bob: one two three", " " * 16 + "four"],
        )

    def test_a_word_is_never_broken_where_its_colour_changes(self) -> None:
        self.assertEqual(self.wraps("12 4567", 22)[1].strip(), "4567")

    def test_a_long_name_leaves_room_for_the_text(self) -> None:
        lines = self.wraps("one two three", 40, "[12:35:02] [whisper from somebody] ")
        self.assertEqual(lines[1:], [" " * 11 + "two three"])

    def test_a_word_that_is_longer_than_any_line_begins_none(self) -> None:
        for said in ("a" * 60, "see " + "a" * 60):
            first, *lines = self.wraps(said, 32)
            self.assertEqual(get_cwidth(first), 32)
            self.assertTrue(all(line.startswith(" " * 16 + "a") for line in lines))

    def test_text_without_blanks_is_broken_between_wide_characters(self) -> None:
        lines = self.wraps("漢字漢字漢字漢字漢字漢字漢字", 30)
        self.assertEqual([get_cwidth(line) for line in lines], [30, 25])
        self.assertEqual(len(self.wraps("👩\u200d💻" * 3, 24)[1].strip()), 3)

    def test_no_line_is_too_wide(self) -> None:
        said = "to be or not  to be, that   is the 漢字 question " * 5
        for width in range(20, 90):
            for line in self.wraps(said, width):
                self.assertLessEqual(get_cwidth(line), width)
