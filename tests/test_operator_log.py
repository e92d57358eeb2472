"""What the operator reads: one event a line, and never a flood of them."""

import json

from twisted.internet.task import Clock
from twisted.logger import LogEvent, Logger, LogLevel, LogPublisher
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from twisted_chat.service.operator_log import PACE, Damper, as_json, as_text


class LogTests(SynchronousTestCase):
    def setUp(self) -> None:
        """A log whose events are kept."""
        self.clock = Clock()
        self.clock.advance(1_790_000_000)
        self.events: list[LogEvent] = []
        publisher = LogPublisher(Damper(self.events.append, self.clock.seconds))
        self.log = Logger("chat", observer=publisher)

    def texts(self) -> list[str]:
        """The lines since the last look, without their times."""
        lines = [as_text(event) or "" for event in self.events]
        self.events.clear()
        return [line.partition("] ")[2] for line in lines]

    def test_an_event_is_a_line(self) -> None:
        self.log.info("{nick} is here", nick="alice")
        (line,) = [as_text(event) or "" for event in self.events]
        self.assertRegex(line, r"^20\d\d-.* \[chat#info\] alice is here\n$")

    def test_nothing_that_others_send_breaks_a_line_or_draws_on_the_operators_screen(self) -> None:
        evil = "x\n2026-01-01 [chat#error] forged \x1b[2J\u202e\x9b\r" + "y" * 10_000
        self.log.info("{who} came", who=evil)
        self.log.info("{who} went", who=evil)
        lines = self.texts()
        self.assertEqual(len(lines), 2)
        for line in lines:
            self.assertTrue(line.endswith("\n"))
            self.assertTrue(line[:-1].isprintable())
            self.assertLess(len(line), 3_000)

    def test_as_json_an_event_is_an_object(self) -> None:
        self.log.warn("{who} came\n", who="x\u2028\n", count=5)
        line = as_json(self.events[0])
        assert line is not None
        self.assertEqual(len(line.splitlines()), 1)
        thing = json.loads(line)
        self.assertEqual(thing["level"], "warn")
        self.assertEqual(thing["namespace"], "chat")
        self.assertEqual(thing["who"], "x\u2028\n")
        self.assertEqual(thing["count"], 5)
        self.assertRegex(thing["time"], r"^20\d\d-\d\d-\d\dT[\d:.]+\+00:00$")

    def test_as_json_a_failure_has_its_traceback(self) -> None:
        self.log.failure("Something failed", Failure(RuntimeError("broken")))
        thing = json.loads(as_json(self.events[0]) or "")
        self.assertIn("RuntimeError: broken", thing["traceback"])
        self.assertEqual(thing["level"], "critical")

    def test_of_a_flood_so_many_are_told_and_then_how_many_there_were(self) -> None:
        for number in range(1_000):
            self.log.info("{number} was refused", number=number)
        self.log.info("and something else")
        lines = self.texts()
        self.assertEqual(len(lines), PACE.lines + 1)
        self.assertEqual(lines[-1], "and something else\n")
        self.clock.advance(PACE.seconds)
        self.log.info("{number} was refused", number=1_000)
        left_out = 1_000 - PACE.lines
        self.assertEqual(
            self.texts(),
            [f"Left out {left_out} more like the next one\n", "1000 was refused\n"],
        )

    def test_kinds_that_are_made_up_do_not_fill_the_memory(self) -> None:
        damper = Damper(self.events.append, self.clock.seconds)
        for number in range(10_000):
            damper({"log_format": f"kind {number}", "log_level": LogLevel.info, "log_time": 0.0})
        self.assertLess(len(damper._buckets), 2_000)
