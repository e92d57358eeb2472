import asyncio
import io
import re
import tempfile
from collections.abc import Awaitable, Callable
from unittest import mock

from prompt_toolkit.application import create_app_session
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output.vt100 import Vt100_Output
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.client.desk import Server
from twisted_chat.client.chat_client import ChatClient
from twisted_chat.client.conversation import Conversation
from twisted_chat.client.history import InputHistory
from twisted_chat.client.route import Address
from twisted_chat.client.state import state_file
from twisted_chat.client.terminal import Terminal


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


class Seat:
    """Somebody at a terminal."""

    def __init__(self, keys: PipeInput, nick: str) -> None:
        self._keys = keys
        self._screen = Screen()
        self._answered = 0
        output = Vt100_Output(self._screen, lambda: Size(rows=24, columns=80))
        self.clock = Clock()
        self.server = Server()
        self.terminal = Terminal(self.clock, keys, output)
        client = ChatClient(self.clock)
        self.talk = Conversation(nick, self.terminal, client, [Address(self.server, "home")])
        self.terminal.open(self.talk)
        assert self.terminal._prompt is not None
        self.terminal._prompt.app.max_render_postpone_time = None  # draw at once
        self.talk.start()

    async def types(self, keys: str) -> None:
        self._keys.send_text(keys)
        await self.settles()

    async def settles(self) -> None:
        for _ in range(40):
            await asyncio.sleep(0)
            asked = self._screen.getvalue().count("\x1b[6n")
            if asked > self._answered:  # where the cursor is, as every terminal says
                self._answered += 1
                self._keys.send_text("\x1b[1;1R")

    @property
    def line(self) -> str:
        """What stands in the line that is being typed."""
        assert self.terminal._prompt is not None
        return self.terminal._prompt.default_buffer.text

    def sees(self) -> str:
        """Everything that was drawn since the last time."""
        drawn = self._screen.getvalue()
        self._screen.seek(0)
        self._screen.truncate()
        self._answered = 0
        return drawn


class TerminalTests(SynchronousTestCase):
    def sits_unwelcome(self, does: Callable[[Seat], Awaitable[None]]) -> None:
        """Let somebody sit down whom the server does not let in yet, and do something."""
        self.sits(does, welcome=False)

    def sits(
        self,
        does: Callable[[Seat], Awaitable[None]],
        nick: str = "alice",
        *,
        welcome: bool = True,
    ) -> None:
        """Let somebody sit down at a terminal, and do something."""

        async def run() -> None:
            with create_pipe_input() as keys, create_app_session():
                seat = Seat(keys, nick)
                await seat.settles()
                if nick and welcome:
                    seat.server.accepts()
                    seat.server.welcomes(nick)
                    seat.server.hears()
                    await seat.settles()
                await does(seat)
                closing = Deferred.fromCoroutine(seat.terminal.close())
                await closing.asFuture(asyncio.get_running_loop())

        with tempfile.TemporaryDirectory() as state:
            surroundings = {"XDG_STATE_HOME": state, "TERM": "xterm"}
            with mock.patch.dict("os.environ", surroundings):
                asyncio.run(run())

    def test_what_is_being_typed_survives_what_comes_in(self) -> None:
        async def does(seat: Seat) -> None:
            await seat.types("half a 漢")
            seat.sees()
            for number in range(1, 6):
                seat.server.says("message", id=number, room="#lobby", from_="bob", text="hello")
            await seat.settles()
            self.assertEqual(seat.line, "half a 漢")
            drawn = seat.sees()
            self.assertEqual(drawn.count("hello"), 5)
            self.assertIn("half a 漢", drawn[drawn.rindex("hello") :])

        self.sits(does)

    def test_a_line_is_sent_and_shown_when_it_is_acknowledged(self) -> None:
        async def does(seat: Seat) -> None:
            await seat.types("hello\r")
            self.assertEqual(seat.line, "")
            (said,) = seat.server.hears()
            seat.sees()
            keys = {"id": 1, "room": "#lobby", "text": "hello", "ref": said["ref"]}
            seat.server.says("message", from_="alice", **keys)
            await seat.settles()
            self.assertIn("hello", seat.sees())

        self.sits(does)

    def test_a_line_that_waits_for_long_is_counted_in_the_toolbar(self) -> None:
        async def does(seat: Seat) -> None:
            await seat.types("hello\r")
            seat.sees()
            for _ in range(3):
                seat.clock.advance(0.5)
            await seat.settles()
            self.assertIn("1 line waiting", seat.sees())

        self.sits(does)

    def test_pasted_lines_are_lines(self) -> None:
        async def does(seat: Seat) -> None:
            await seat.types("\x1b[200~one\ntwo\x1b[201~\r")
            self.assertEqual(seat.server.is_told(), ["one", "two"])

        self.sits(does)

    def test_tab_completes(self) -> None:
        async def does(seat: Seat) -> None:
            seat.server.shows_room("#lobby", "alice", "bob")
            await seat.types("/whi\t")
            await seat.types("b\t")
            self.assertEqual(seat.line, "/whisper bob ")

        self.sits(does)

    def test_up_brings_back_what_was_typed(self) -> None:
        async def does(seat: Seat) -> None:
            await seat.types("one\r")
            await seat.types("two\r")
            await seat.types("\x1b[A\x1b[A")
            self.assertEqual(seat.line, "one")

        self.sits(does)

    def test_control_c_clears_the_line_and_control_d_leaves(self) -> None:
        async def does(seat: Seat) -> None:
            await seat.types("never mind")
            await seat.types("\x03")
            self.assertEqual(seat.line, "")
            await seat.types("\x04")
            self.assertEqual(seat.server.is_told(), ["/quit"])
            seat.server.vanishes()
            self.assertTrue(seat.talk.finished.called)

        self.sits(does)

    def test_control_d_in_a_line_deletes_and_does_not_leave(self) -> None:
        async def does(seat: Seat) -> None:
            await seat.types("ab\x01\x04")
            self.assertEqual(seat.line, "b")
            self.assertEqual(seat.server.hears(), [])

        self.sits(does)

    def test_the_prompt_asks_for_a_nickname_which_is_nobodys_history(self) -> None:
        async def does(seat: Seat) -> None:
            self.assertIn("What is your nickname?", seat.sees())
            await seat.types("zoe\r")
            seat.server.accepts()
            self.assertEqual(seat.server.hears()[0]["nick"], "zoe")
            seat.server.welcomes("zoe")
            await seat.settles()
            self.assertIn("#lobby>", seat.sees())

        self.sits(does, nick="")

    def test_the_nickname_that_one_answers_with_is_not_in_the_history(self) -> None:
        async def does(seat: Seat) -> None:
            await seat.types("zoe\r")
            seat.server.accepts()
            seat.server.welcomes("zoe")
            await seat.types("hello\r")
            await seat.types("\x1b[A\x1b[A\x1b[A")
            self.assertEqual(seat.line, "hello")

        self.sits(does, nick="")

    def test_the_prompt_asks_for_a_password_which_stands_nowhere(self) -> None:
        async def does(seat: Seat) -> None:
            seat.server.accepts()
            seat.server.says("error", code="registered-nick", text="Registered.")
            seat.sees()
            await seat.settles()
            self.assertIn("Password for alice:", seat.sees())
            await seat.types("hunter22")
            drawn = seat.sees()
            await seat.types("\r\x1b[A")  # Up
            self.assertEqual(seat.line, "")
            self.assertNotIn("hunter22", drawn + seat.sees())
            seat.server.accepts()
            self.assertEqual(seat.server.hears()[0]["password"], "hunter22")

        self.sits_unwelcome(does)

    def test_a_command_with_a_password_is_in_no_history(self) -> None:
        async def does(seat: Seat) -> None:
            await seat.types("/register hunter22\r\x1b[A")
            self.assertEqual(seat.line, "")
            self.assertNotIn("hunter22", seat.sees())

        self.sits(does)

    def test_page_up_and_page_down_leave_the_line_alone(self) -> None:
        async def does(seat: Seat) -> None:
            await seat.types("one\r")
            await seat.types("\x1b[5~")
            self.assertEqual(seat.line, "")
            await seat.types("two\x1b[5~\x1b[6~")
            self.assertEqual(seat.line, "two")

        self.sits(does)

    def test_keys_lead_to_other_rooms(self) -> None:
        async def does(seat: Seat) -> None:
            for room in ("#dev", "#ops"):
                seat.server.shows_room(room, "alice", "bob")
            for number, text in enumerate(("hi", "alice?"), 2):
                room = ("#dev", "#ops")[number - 2]
                seat.server.says("message", id=1, room=room, from_="bob", text=text)
            for keys, room in (
                ("\x1ba", "#ops"),  # where one is called
                ("\x1ba", "#dev"),
                ("\x1ba", "#dev"),  # nothing is unread any more
                ("\x1b1", "#lobby"),
                ("\x1b3", "#ops"),
                ("\x1b9", "#ops"),
                ("\x0e", "#lobby"),
                ("\x0e", "#dev"),
                ("\x10", "#lobby"),
                ("\x10", "#ops"),
            ):
                await seat.types(keys)
                self.assertEqual(seat.talk.model.current, room)
            self.assertEqual(seat.line, "")

        self.sits(does)

    def test_a_room_that_one_is_not_in_can_be_completed(self) -> None:
        async def does(seat: Seat) -> None:
            seat.server.says("answer", ref="rooms", lines=["#kitchen: 3 people, topic: tea"])
            await seat.settles()
            self.assertNotIn("kitchen", seat.sees())
            await seat.types("/join ki\t")
            self.assertEqual(seat.line, "/join #kitchen ")

        self.sits(does)

    def test_the_prompt_says_whom_one_whispers_to(self) -> None:
        async def does(seat: Seat) -> None:
            await seat.types("/query bob\r")
            self.assertIn("@bob>", seat.sees())
            await seat.types("psst\r")
            self.assertEqual(seat.server.is_told(), ["/whisper bob psst"])
            file = state_file("history")
            assert file is not None
            self.assertEqual(list(InputHistory(file, bool).load_history_strings()), [])

        self.sits(does)

    def test_the_screen_can_be_cleared(self) -> None:
        async def does(seat: Seat) -> None:
            seat.sees()
            await seat.types("/clear\r")
            self.assertIn("\x1b[2J", seat.sees())

        self.sits(does)

    def test_a_whisper_rings_the_bell_once_for_all_that_comes_with_it(self) -> None:
        async def does(seat: Seat) -> None:
            seat.sees()
            for number in (1, 2):
                keys = {"id": number, "room": "@", "to": "alice"}
                seat.server.says("whisper", from_="bob", text="psst", **keys)
            await seat.settles()
            self.assertEqual(seat.sees().count("\a"), 1)
            await seat.types("/bell off\r")
            seat.server.says("whisper", from_="bob", text="psst", id=3, room="@", to="alice")
            await seat.settles()
            self.assertNotIn("\a", seat.sees())

        self.sits(does)

    def test_a_terminal_that_shows_notifications_shows_one(self) -> None:
        async def does(seat: Seat) -> None:
            seat.sees()
            seat.server.says("message", id=1, room="#lobby", from_="bob", text="alice; \x1b here")
            await seat.settles()
            self.assertIn("\x1b]9;bob: alice; \ufffd here\x1b\\\a", seat.sees())

        with mock.patch.dict("os.environ", {"TERM_PROGRAM": "WezTerm", "TMUX": ""}):
            self.sits(does)

    def test_a_long_line_is_broken_between_words(self) -> None:
        async def does(seat: Seat) -> None:
            seat.sees()
            text = "wrapped " * 20
            seat.server.says("message", id=1, room="#lobby", from_="bob", text=text)
            await seat.settles()
            drawn = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", seat.sees())
            below = len("[2026-11-20 12:00:00] bob: ") * " "
            self.assertIn(f"wrapped\r\n{below}wrapped", drawn)

        self.sits(does)

    def test_a_terminal_that_is_closed_leaves_the_chat(self) -> None:
        async def does(seat: Seat) -> None:
            seat._keys.close()
            await seat.settles()
            self.assertEqual(seat.server.is_told(), ["/quit"])

        self.sits(does)

    def test_a_hostile_server_moves_no_cursor(self) -> None:
        async def does(seat: Seat) -> None:
            seat.sees()
            seat.server.says("message", id=1, room="#lobby", from_="b", text="\x1b[2J\x9b5A\x07")
            await seat.settles()
            drawn = seat.sees()
            self.assertIn("\ufffd[2J\ufffd5A\ufffd", drawn)
            self.assertNotIn("\x1b[2J", drawn)

        self.sits(does)

    def test_what_is_told_last_is_still_shown(self) -> None:
        async def does(seat: Seat) -> None:
            await seat.types("hello\r")
            seat.sees()
            seat.server.vanishes()
            await seat.types("\x04")
            closing = Deferred.fromCoroutine(seat.terminal.close())
            await closing.asFuture(asyncio.get_running_loop())
            self.assertIn("Could not be confirmed: hello", seat.sees())

        self.sits(does)
