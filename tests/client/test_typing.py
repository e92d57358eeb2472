import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from twisted.trial.unittest import SynchronousTestCase

from tests.client.desk import COMMANDS
from twisted_chat import events
from twisted_chat.client.completion import ChatCompleter
from twisted_chat.client.history import InputHistory
from twisted_chat.client.incoming import Command, Happened, Member, State, Welcome, read
from twisted_chat.client.model import Model
from twisted_chat.client.typed import Typed, parse
from twisted_chat.events import Entry


def model() -> Model:
    """Alice is in the lobby, where Robert and Rob have spoken, in this order, and in #dev."""
    model = Model("alice")
    welcome = read({"event": "welcome", "nick": "alice", "commands": COMMANDS})
    assert isinstance(welcome, Welcome)
    model.welcome(welcome)
    for room, *nicks in (("#lobby", "alice", "rob", "Robert", "Roy"), ("#dev", "alice", "dave")):
        model.state(State(room, "", tuple(map(Member, nicks)), len(nicks)))
    for nick in ("Robert", "rob"):
        event = events.Message(0.0, "#lobby", nick, "hi")
        model.happened(Happened(Entry(event, id=1), replayed=False))
    return model


class ParsingTests(SynchronousTestCase):
    def test_a_line_says_or_does_what_it_would_on_plain_lines(self) -> None:
        for line, typed in {
            "hello": Typed("hello", command=False),
            " indented": Typed(" indented", command=False),
            "/me waves": Typed("/me waves", command=True),
            "  /me waves": Typed("/me waves", command=True),
            "//text": Typed("/text", command=False),
            "@bob psst": Typed("/whisper bob psst", command=True),
            "@a,b psst": Typed("/whisper a,b psst", command=True),
            "@ home": Typed("@ home", command=False),
            "EXIT": Typed("/quit", command=True),
            "!disconnect ": Typed("/quit", command=True),
            "exit now": Typed("exit now", command=False),
        }.items():
            self.assertEqual(parse(line), typed)


class CompletionTests(SynchronousTestCase):
    def completes(self, text: str) -> list[str]:
        completer = ChatCompleter(model())
        found = completer.get_completions(Document(text), CompleteEvent())
        return [text[: len(text) + each.start_position] + each.text for each in found]

    def test_a_command_by_its_beginning_or_by_another_name(self) -> None:
        self.assertEqual(self.completes("/wh"), ["/whisper ", "/who "])
        self.assertEqual(self.completes("/msg"), ["/msg "])

    def test_all_commands_once_each(self) -> None:
        self.assertEqual(
            self.completes("/"),
            [f"{command['name']} " for command in COMMANDS],
        )

    def test_a_nickname_the_last_speaker_first(self) -> None:
        self.assertEqual(self.completes("ro"), ["rob: ", "Robert: ", "Roy: "])
        self.assertEqual(self.completes("ask RO"), ["ask rob ", "ask Robert ", "ask Roy "])

    def test_nobody_is_offered_their_own_name(self) -> None:
        self.assertEqual(self.completes("al"), [])

    def test_an_empty_line_offers_whom_one_may_answer(self) -> None:
        self.assertEqual(self.completes(""), ["rob: ", "Robert: ", "Roy: ", "dave: "])

    def test_people_elsewhere_may_be_whispered_to(self) -> None:
        self.assertEqual(self.completes("/whisper da"), ["/whisper dave "])
        self.assertEqual(self.completes("/w "), ["/w rob ", "/w Robert ", "/w Roy ", "/w dave "])
        self.assertEqual(self.completes("@da"), ["@dave "])
        self.assertEqual(self.completes("@rob,da"), ["@rob,dave "])

    def test_a_room_with_or_without_its_sign(self) -> None:
        self.assertEqual(self.completes("/join d"), ["/join #dev "])
        self.assertEqual(self.completes("/join "), ["/join #lobby ", "/join #dev "])
        self.assertEqual(self.completes("come to #d"), ["come to #dev "])

    def test_rooms_that_one_is_not_in_come_after_ones_own(self) -> None:
        known = model()
        known.list_rooms(("#design: 2 people", "#Dev: 1 person, topic: x: y", "and 3 more rooms"))
        completer = ChatCompleter(known)
        found = completer.get_completions(Document("/join #d"), CompleteEvent())
        self.assertEqual([each.text for each in found], ["#dev ", "#design "])

    def test_the_commands_of_the_client_itself(self) -> None:
        completer = ChatCompleter(
            model(), [Command("/view", "", (), ""), Command("/me", "", (), "")]
        )
        for typed, texts in {"/v": ["/view "], "/me": ["/me "]}.items():
            found = completer.get_completions(Document(typed), CompleteEvent())
            self.assertEqual([each.text for each in found], texts)

    def test_the_command_that_one_wants_help_with(self) -> None:
        self.assertEqual(self.completes("/help wh"), ["/help /whisper ", "/help /who "])

    def test_nothing_where_there_is_nothing_to_offer(self) -> None:
        self.assertEqual(self.completes("hello "), [])
        self.assertEqual(self.completes("/me "), [])


class HistoryTests(SynchronousTestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "state" / "history"
        known = model()
        self.history = InputHistory(self.path, lambda line: parse(line).is_private(known))

    def earlier(self) -> list[str]:
        return list(InputHistory(self.path, lambda _: False).load_history_strings())

    def test_lines_are_kept_the_newest_first(self) -> None:
        for line in ("one", "/me waves", "漢字"):
            self.history.append_string(line)
        self.assertEqual(self.earlier(), ["漢字", "/me waves", "one"])

    def test_whispers_are_not_kept_nor_what_might_be_one(self) -> None:
        for line in ("/w bob a", "@bob b", "/MSG bob c", "/reply d", "/r e", "/wisper bob f", "ok"):
            self.history.append_string(line)
        self.assertEqual(self.earlier(), ["ok"])

    def test_nobody_else_may_read_it(self) -> None:
        before = os.umask(0)
        self.addCleanup(os.umask, before)
        self.history.append_string("hello")
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)

    def test_it_does_not_grow_for_ever(self) -> None:
        for number in range(2_001):
            self.history.append_string(str(number))
        self.assertEqual(len(self.earlier()), 1_000)
        self.assertEqual(len(self.path.read_text().splitlines()), 1_000)

    def test_who_has_no_home_has_no_history(self) -> None:
        without_home = {"PYTHONPATH": os.pathsep.join(sys.path)}
        code = (
            "import os; os.getuid = lambda: 4_000_000_000\n"
            "from twisted_chat.client.state import state_file\n"
            "print(state_file('history'))"
        )
        told = subprocess.run(
            [sys.executable, "-c", code], env=without_home, capture_output=True, text=True
        )
        self.assertEqual((told.stdout, told.stderr), ("None\n", ""))

    def test_a_place_that_cannot_be_written_is_done_without(self) -> None:
        history = InputHistory(Path("/dev/null/history"), lambda _: False)
        history.append_string("hello")
        self.assertEqual(list(history.load_history_strings()), [])
        self.assertEqual(history.get_strings(), ["hello"])
