"""Whatever happens to somebody, at whatever stage: what they and the others see of it."""

from collections.abc import Callable
from dataclasses import fields
from functools import partial

from twisted.internet.defer import Deferred

from tests.people import BANNED, ChatTestCase, Program, Somebody
from tests.people import Person as Terminal
from twisted_chat import ChatFactory, Limits, Pace
from twisted_chat.chat.chat import Chat
from twisted_chat.chat.device import Device
from twisted_chat.chat.person import Person
from twisted_chat.refusal import Refused
from twisted_chat.sessions.plain import PlainSession
from twisted_chat.sessions.session import TABLE
from twisted_chat.sessions.stages import Stage, Step
from twisted_chat.stores.memory import MemoryStore
from twisted_chat.turn import Turn
from twisted_chat.wire.structured import encode

COMES = ["*** anna has joined #lobby"]
SAYS_ALL = ["anna: one", "anna: two", "anna: three"]
LEAVES = ["*** anna has left #lobby"]
IS_LOST = ["*** anna has left #lobby (connection lost)"]
IS_BANNED = ["*** anna has left #lobby (banned)"]
FLOODS = ["*** anna has left #lobby (flooding)"]
THE_END = ["*** The server is shutting down"]

Story = Callable[[Somebody], object]


def _stops_reading_and_quits(anna: Somebody) -> None:
    anna.types("anna")
    anna.stops_reading()
    anna.types("/quit")


def _says_more_than_is_done_at_once(anna: Somebody) -> None:
    anna.types("anna", "one", "two", "three")


def _half_closes_after_that(anna: Somebody) -> None:
    _says_more_than_is_done_at_once(anna)
    anna.says_no_more()


def _is_lost_after_that(anna: Somebody) -> None:
    _says_more_than_is_done_at_once(anna)
    anna.closes()


STAGES: dict[str, Story] = {
    "nameless": lambda anna: anna.types("no such name!"),
    "talking": lambda anna: anna.types("anna"),
    "with lines waiting": _says_more_than_is_done_at_once,
    "half-closed, with lines waiting": _half_closes_after_that,
    "lost, with lines waiting": _is_lost_after_that,
    "reading out": _stops_reading_and_quits,
    "over": lambda anna: anna.types("anna", "/quit"),
}
"""How anna comes to each stage, in plain lines, where one line in two seconds is done."""


class StageCase(ChatTestCase):
    """A room in which bob sees what becomes of anna."""

    limits = Limits(pace=Pace(1, 2), refused_lines=Pace(30, 60))

    def story(self, stage: str, happening: Story) -> tuple[Terminal, list[str]]:
        """Bring somebody to a stage, let it happen, and wait; gives them, and what bob saw."""
        super().setUp()
        bob = self.joins("bob", "192.0.2.1")
        anna = self.connects("192.0.2.2")
        STAGES[stage](anna)
        happening(anna)
        self.time_passes(100)
        return anna, bob.sees()

    def assert_told(self, happening: Story, expected: dict[str, list[str]]) -> None:
        """Bob is told this, by the stage that anna had come to."""
        for stage, told in expected.items():
            anna, seen = self.story(stage, happening)
            self.assertEqual(seen, told, stage)
            if not told or "left" in told[-1] or "shutting" in told[-1]:
                self.assertTrue(anna.is_gone, stage)


class PlainStageTests(StageCase):
    """Somebody with netcat."""

    def test_time_passes(self) -> None:
        self.assert_told(
            lambda anna: None,
            {
                "nameless": [],
                "talking": COMES,
                "with lines waiting": COMES + SAYS_ALL,
                "half-closed, with lines waiting": COMES + SAYS_ALL + LEAVES,
                "reading out": COMES + LEAVES,
                "over": COMES + LEAVES,
            },
        )

    def test_they_half_close(self) -> None:
        self.assert_told(
            lambda anna: anna.says_no_more(),
            {
                "nameless": [],
                "talking": COMES + LEAVES,
                "with lines waiting": COMES + SAYS_ALL + LEAVES,
                "reading out": COMES + LEAVES,
                "over": COMES + LEAVES,
            },
        )

    def test_they_close(self) -> None:
        self.assert_told(
            self._closes,
            {
                "nameless": [],
                "talking": COMES + LEAVES,
                "with lines waiting": COMES + SAYS_ALL + LEAVES,
                "half-closed, with lines waiting": COMES + SAYS_ALL + LEAVES,
                "reading out": COMES + LEAVES,
                "over": COMES + LEAVES,
            },
        )

    def test_the_connection_is_lost(self) -> None:
        self.assert_told(
            self._vanishes,
            {
                "nameless": [],
                "talking": COMES + IS_LOST,
                "with lines waiting": COMES + SAYS_ALL + IS_LOST,
                "half-closed, with lines waiting": COMES + SAYS_ALL + LEAVES,
                "reading out": COMES + LEAVES,
                "over": COMES + LEAVES,
            },
        )

    def test_they_are_banned(self) -> None:
        self.assert_told(
            lambda anna: anna.protocol.ban(BANNED),
            {
                "nameless": [],
                "talking": COMES + IS_BANNED,
                "with lines waiting": [*COMES, "anna: one", *IS_BANNED],
                "half-closed, with lines waiting": [*COMES, "anna: one", *IS_BANNED],
                "reading out": COMES + LEAVES,
                "over": COMES + LEAVES,
            },
        )

    def test_the_server_stops(self) -> None:
        self.assert_told(
            lambda anna: self.factory.say_goodbye(),
            {
                "nameless": THE_END,
                "talking": COMES + THE_END,
                "with lines waiting": COMES + SAYS_ALL + THE_END,
                "half-closed, with lines waiting": COMES + SAYS_ALL + LEAVES + THE_END,
                "reading out": COMES + LEAVES + THE_END,
                "over": COMES + LEAVES + THE_END,
            },
        )

    def test_the_server_stops_when_they_are_gone_but_what_they_said_waits(self) -> None:
        _, seen = self.story("lost, with lines waiting", lambda anna: self.factory.say_goodbye())
        self.assertEqual(seen, COMES + SAYS_ALL + LEAVES + THE_END)

    def test_a_line_is_too_long(self) -> None:
        for stage, answered in (
            ("nameless", True),
            ("talking", True),
            ("with lines waiting", True),
            ("reading out", False),
            ("over", False),
        ):
            anna, _ = self.story(stage, lambda anna: anna.sends(b"x" * 9000 + b"\n"))
            self.assertEqual("That line is too long" in anna.raw(), answered, stage)

    def test_a_line_says_something(self) -> None:
        self.assert_told(
            lambda anna: anna.types("hello"),
            {
                "nameless": ["*** hello has joined #lobby"],
                "talking": [*COMES, "anna: hello"],
                "with lines waiting": [*COMES, *SAYS_ALL, "anna: hello"],
                "reading out": COMES + LEAVES,
                "over": COMES + LEAVES,
            },
        )

    def test_a_flood(self) -> None:
        self.assert_told(
            lambda anna: anna.types(*["!"] * 200),
            {
                "nameless": [],
                "reading out": COMES + LEAVES,
                "over": COMES + LEAVES,
            },
        )
        for stage in ("talking", "with lines waiting"):
            anna, seen = self.story(stage, lambda anna: anna.types(*["!"] * 200))
            self.assertEqual(seen[-1:], FLOODS, stage)
            self.assertTrue(anna.is_gone)

    def _closes(self, anna: Somebody) -> None:
        anna.transport.disconnected = True
        anna.closes()

    def _vanishes(self, anna: Somebody) -> None:
        anna.transport.disconnected = True
        anna.vanishes()


class LostBeforeTheFirstLineTests(ChatTestCase):
    """The connection is lost while the first line waits until an answer to telnet is sent."""

    def setUp(self) -> None:
        """Bob is there."""
        super().setUp()
        self.bob = self.joins("bob")

    def sends_and_vanishes(self, lines: bytes) -> None:
        anna = self.connects("192.0.2.2")
        anna.stops_reading()
        anna.sends(b"\xff\xfd\x01" + lines)
        anna.vanishes()

    def test_whoever_comes_so_leaves(self) -> None:
        self.sends_and_vanishes(b"anna\r\nhello\r\n@bob psst\r\n")
        told = ["anna: hello", "[whisper from anna] psst"]
        self.assertCountEqual(self.bob.sees(), [*COMES, *told, *IS_LOST])
        self.joins("anna")

    def test_a_program_leaves_when_it_does_not_come_back(self) -> None:
        self.sends_and_vanishes(encode({"do": "hello", "nick": "anna"}))
        self.assertEqual(self.bob.sees(), COMES)
        self.time_passes(301)
        self.assertEqual(self.bob.sees(), IS_LOST)
        self.joins("anna")


class DeviceTests(ChatTestCase):
    """Somebody who is here over two devices."""

    def test_one_that_has_gone_takes_nobody_along(self) -> None:
        anna = self.joins("anna")
        person = self.factory.chat.people.called("anna")
        assert person is not None
        self.factory.chat.people.add_device(person, Device("192.0.2.2", 0.0))
        anna.stops_reading()
        anna.types("/quit")
        anna.protocol.ban(Refused("banned", "You are banned."))
        self.assertTrue(person.present)


class ReplacingTests(StageCase):
    """A program comes back over another connection, while the one before is at some stage."""

    def setUp(self) -> None:
        """Bob is there, and anna's program has said more than is done at once."""
        super().setUp()
        self.bob = self.joins("bob", "192.0.2.1")
        self.anna = self.program("anna", "192.0.2.2")
        self.token = self.anna.gets("welcome")[0]["session"]
        self.bob.raw()

    def says(self, *texts: str) -> None:
        self.anna.sends(b"".join(encode({"do": "say", "text": text}) for text in texts))

    def comes_back(self) -> Program:
        back = self.program("anna", "192.0.2.2", session=self.token, seen={})
        self.time_passes(100)
        return back

    def assert_goes_on(self, told: list[str]) -> None:
        """Anna is back as the same person; the connection before ends, and bob saw only this."""
        (welcome,) = self.comes_back().gets("welcome")
        self.assertTrue(welcome["resumed"])
        self.assertTrue(self.anna.is_gone)
        self.assertEqual(self.bob.sees(), told)
        self.anna.vanishes()
        self.time_passes(400)
        self.assertEqual(self.bob.sees(), [])

    def test_while_talking(self) -> None:
        self.assert_goes_on([])

    def test_with_lines_waiting(self) -> None:
        self.says("one", "two", "three")
        self.assert_goes_on(SAYS_ALL)

    def test_half_closed_with_lines_waiting(self) -> None:
        self.says("one", "two", "three")
        self.anna.says_no_more()
        self.assert_goes_on(SAYS_ALL)

    def test_reading_out(self) -> None:
        self.anna.stops_reading()
        self.anna.says_no_more()
        self.assert_goes_on([])

    def test_lost_while_reading_out(self) -> None:
        self.anna.stops_reading()
        self.anna.says_no_more()
        self.anna.vanishes()
        (welcome,) = self.comes_back().gets("welcome")
        self.assertTrue(welcome["resumed"])
        self.assertEqual(self.bob.sees(), [])

    def test_all_read(self) -> None:
        self.anna.says_no_more()
        self.assertTrue(self.anna.is_gone)
        self.assert_goes_on([])

    def test_twice_in_a_row(self) -> None:
        first = self.comes_back()
        second = self.comes_back()
        self.assertTrue(first.is_gone)
        self.assertFalse(second.is_gone)
        self.assertEqual(self.bob.sees(), [])

    def test_the_new_connection_is_lost_before_its_hello_is_done(self) -> None:
        self.bob.types("/whisper anna psst").raw()
        self.anna.vanishes()
        back = Program(self.factory, "192.0.2.2")
        back.stops_reading()
        back.asks(do="ping")  # the lines that follow wait until the answer is read
        back.asks(do="hello", nick="anna", session=self.token, seen={})
        back.asks(do="say", text="one")
        self.assertEqual(self.bob.sees(), [])
        back.closes()
        self.assertEqual(self.bob.sees(), ["anna: one"])
        whispers = self.comes_back().gets("whisper")
        self.assertEqual([whisper["text"] for whisper in whispers], ["psst"])

    def test_after_the_last_line_was_that_they_leave(self) -> None:
        self.says("one", "/quit")
        self.anna.asks(do="command", text="/quit")
        (welcome,) = self.comes_back().gets("welcome")
        self.assertFalse(welcome["resumed"])
        self.assertEqual(self.bob.sees(), ["anna: one", "anna: /quit", *LEAVES, *COMES])


class SlowChat(Chat):
    """A chat where a nickname is given only when the test says so."""

    asked: Deferred[None]

    def enter(self, nickname: str, device: Device) -> Deferred[Person]:
        """See `Chat.enter`."""
        self.asked = Deferred()
        return self.asked.addCallback(lambda _: super(SlowChat, self).enter(nickname, device))


class SlowNicknameTests(ChatTestCase):
    """Something happens to anna while she waits for her nickname."""

    def setUp(self) -> None:
        """Bob is there, and anna has said everything at once."""
        super().setUp()
        turn = Turn(partial(self.clock.callLater, 0))
        self.chat = SlowChat(self.clock, MemoryStore(), turn, limits=self.limits)
        self.factory = ChatFactory(self.clock, chat=self.chat)
        self.bob = self.connects().types("bob")
        self.is_answered()
        self.anna = self.connects().types("anna", "one", "two", "three")
        self.bob.raw()

    def is_answered(self) -> None:
        self.chat.asked.callback(None)
        self.time_passes(5)

    def test_she_gets_it_and_what_she_said_is_said(self) -> None:
        self.assertEqual(self.bob.sees(), [])
        self.is_answered()
        self.assertEqual(self.bob.sees(), COMES + SAYS_ALL)

    def test_she_half_closes(self) -> None:
        self.anna.says_no_more()
        self.is_answered()
        self.assertEqual(self.bob.sees(), COMES + SAYS_ALL + LEAVES)
        self.assertTrue(self.anna.is_gone)

    def test_she_closes(self) -> None:
        self.anna.closes()
        self.is_answered()
        self.assertEqual(self.bob.sees(), COMES + SAYS_ALL + LEAVES)

    def test_the_connection_is_lost(self) -> None:
        self.anna.vanishes()
        self.is_answered()
        self.assertEqual(self.bob.sees(), COMES + SAYS_ALL + IS_LOST)

    def test_she_is_banned(self) -> None:
        self.anna.protocol.ban(BANNED)
        self.assert_nobody_came()

    def test_it_takes_too_long(self) -> None:
        self.time_passes(31)
        self.assert_nobody_came()

    def test_the_server_stops(self) -> None:
        self.factory.say_goodbye()
        self.is_answered()
        self.assertEqual(self.bob.sees(), THE_END)
        self.assertTrue(self.anna.is_gone)

    def assert_nobody_came(self) -> None:
        self.assertTrue(self.anna.is_gone)
        self.is_answered()
        self.assertEqual(self.bob.sees(), [])
        self.connects().types("anna")
        self.is_answered()
        self.assertEqual(self.bob.sees(), COMES)


class ReadingOutTests(ChatTestCase):
    def test_a_whisper_does_not_keep_open_what_is_read_to_the_end(self) -> None:
        bob = self.joins("bob")
        anna = self.program("anna")
        anna.stops_reading()
        bob.types("a last line")
        anna.says_no_more()
        bob.types("/whisper anna psst")  # the first thing that is anna's alone
        self.assertFalse(anna.is_gone)
        anna.reads_again()
        self.assertTrue(anna.is_gone)
        self.assertEqual([thing["text"] for thing in anna.gets("message")], ["a last line"])


class TableTests(ChatTestCase):
    def test_every_stage_has_a_row(self) -> None:
        self.assertEqual(TABLE.keys(), set(Stage))

    def test_nothing_leads_back_but_a_wrong_password(self) -> None:
        order = list(Stage)
        for stage, row in TABLE.items():
            steps = [getattr(row, field.name) for field in fields(row)]
            nexts = [step.then for step in steps if isinstance(step, Step) and step.then]
            for then in nexts:
                if (stage, then) != (Stage.PROVING, Stage.NAMELESS):
                    self.assertGreater(order.index(then), order.index(stage), stage)

    def test_what_cannot_happen_is_an_error(self) -> None:
        protocol = self.connects().types("").protocol
        session = PlainSession(self.factory.chat, protocol, protocol._wires.plain)
        session.end()
        (failure,) = self.flushLoggedErrors(AssertionError)
        self.assertIn("nameless", failure.getErrorMessage())
