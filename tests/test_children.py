"""A parent keeps its processes running: it replaces those that end, and upgrades them."""

import json
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessExitedAlready, ProcessTerminated
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import capturedLogs
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from twisted_chat.service.child import ANSWERS, ASKS, Start
from twisted_chat.service.child_process import ERRORS, LOG, CannotStart, ChildProcess
from twisted_chat.service.children import START, STOP, WELL, Children
from twisted_chat.service.metrics_of_all import WAIT, metrics, problems


class Running:
    """A process of the system's, as far as its parent notices."""

    def __init__(self, process: ChildProcess) -> None:
        self.process = process
        self.asked: list[dict[str, Any]] = []
        self.is_deaf = self.is_over = False
        self.signals: list[str] = []

    def writeToChild(self, _: int, data: bytes) -> None:
        """See `IProcessTransport`; Twisted's knows no descriptor that is closed."""
        if self.is_deaf:
            raise KeyError(ASKS)
        self.asked += map(json.loads, data.splitlines())

    def signalProcess(self, name: str) -> None:
        """See `IProcessTransport`."""
        if self.is_over:
            raise ProcessExitedAlready
        self.signals.append(name)

    def serves(self) -> None:
        """It is ready for people."""
        self.tells(do="ready")

    def tells(self, **what: object) -> None:
        """It tells its parent something."""
        self.process.childDataReceived(ANSWERS, json.dumps(what).encode() + b"\n")

    def writes(self, where: int, text: str) -> None:
        """It writes something."""
        self.process.childDataReceived(where, text.encode())

    def dies(self) -> None:
        """It is dead, which its parent is about to hear."""
        self.is_deaf = self.is_over = True
        self.process.childConnectionLost(ASKS)

    def ends(self, status: int | None = 1, signal: int | None = None) -> None:
        """It is over."""
        self.process.processEnded(Failure(ProcessTerminated(status, signal)))

    def wants(self, what: str) -> list[dict[str, Any]]:
        """What the parent has asked of it so far, of one kind."""
        return [each for each in self.asked if each.get("do") == what]


class Machine(MemoryReactorClock):
    """A machine on which processes are started."""

    def __init__(self) -> None:
        super().__init__()
        self.started: list[Running] = []
        self.is_full = False

    def spawnProcess(self, process: ChildProcess, *_: object, **__: object) -> None:
        """See `IReactorProcess`."""
        if self.is_full:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        running: Any = Running(process)
        self.started.append(running)
        process.makeConnection(running)


class ChildrenTests(SynchronousTestCase):
    def setUp(self) -> None:
        """Three processes that are to be, and a log."""
        self.machine = Machine()
        self.wanted: list[tuple[int, str]] = []
        self.children = Children(self.machine, self.make, 3, 600.0)
        self.log = self.enterContext(capturedLogs())

    def make(self, number: int) -> ChildProcess:
        """Start a process."""
        process = ChildProcess(number, lambda who, what: self.wanted.append((who.number, what)))
        process.begin(self.machine, [], Start(number, [], [], []), [])
        return process

    def starts(self) -> Deferred[None]:
        """Start all of them."""
        return Deferred.fromCoroutine(self.children.start())

    def all_serve(self) -> list[Running]:
        """Start all of them, until all are ready."""
        self.starts()
        self.machine.started[0].serves()
        for other in self.machine.started[1:]:
            other.serves()
        return list(self.machine.started)

    def numbers(self) -> list[int]:
        """The numbers of those that were started, in order."""
        return [each.process.number for each in self.machine.started]

    def said(self, text: str) -> int:
        """How often something is in the log."""
        return sum(text in (event["log_format"] or "").format(**event) for event in self.log)

    def test_the_others_start_when_the_first_one_serves_people(self) -> None:
        self.starts()
        self.assertEqual(self.numbers(), [1])
        self.machine.started[0].serves()
        self.assertEqual(self.numbers(), [1, 2, 3])

    def test_if_the_first_one_cannot_start_none_can_and_it_says_why(self) -> None:
        started = self.starts()
        self.machine.started[0].writes(ERRORS, "twisted-chat: the database is away\n")
        self.machine.started[0].ends()
        why = self.failureResultOf(started, CannotStart)
        self.assertEqual(why.getErrorMessage(), "the database is away")
        self.machine.advance(100)
        self.assertEqual(self.numbers(), [1])

    def test_who_says_nothing_has_at_least_ended_somehow(self) -> None:
        started = self.starts()
        self.machine.started[0].writes(ERRORS, "Killed")
        self.machine.started[0].ends(None, 9)
        why = self.failureResultOf(started, CannotStart).getErrorMessage()
        self.assertEqual(why, "it was ended by signal 9")
        self.assertEqual(self.said("Killed"), 1)

    def test_who_ends_is_replaced_at_once_and_then_after_growing_pauses(self) -> None:
        self.all_serve()[1].ends(None, 9)
        for pause in (0.0, 0.5, 1.0, 2.0, 5.0, 5.0):
            count = len(self.machine.started)
            if pause:
                self.machine.advance(pause - 0.1)
                self.assertEqual(len(self.machine.started), count)
            self.machine.advance(0.1)
            self.assertEqual(len(self.machine.started), count + 1)
            self.machine.started[-1].serves()
            self.machine.started[-1].ends()
        self.assertEqual(set(self.numbers()[3:]), {2})

    def test_who_was_well_for_a_while_is_replaced_at_once_again(self) -> None:
        self.all_serve()[0].ends()
        for _ in range(3):
            self.machine.advance(0)
            newest = self.machine.started[-1]
            newest.serves()
            self.machine.advance(WELL)
            newest.ends()
        self.assertEqual(self.numbers()[3:], [1, 1, 1])

    def test_why_one_cannot_start_is_said_once(self) -> None:
        self.all_serve()[2].ends()
        for _ in range(4):
            self.machine.advance(5)
            self.machine.started[-1].writes(ERRORS, "twisted-chat: no room\n")
            self.machine.started[-1].ends()
        self.assertEqual(self.said("Process 3 cannot start, and is tried again: no room"), 1)
        self.assertEqual(self.said("is replaced"), 1)
        self.machine.advance(5)
        self.machine.started[-1].serves()
        self.assertEqual(self.said("Process 3 is ready"), 2)

    def test_a_machine_that_has_no_room_for_a_process_is_tried_again(self) -> None:
        self.all_serve()[0].ends()
        self.machine.is_full = True
        self.machine.advance(0)
        self.assertEqual(self.said("Process 1 cannot start"), 1)
        self.machine.is_full = False
        self.machine.advance(5)
        self.assertEqual(self.numbers(), [1, 2, 3, 1])

    def test_who_does_not_get_ready_is_ended(self) -> None:
        self.starts()
        self.machine.advance(START)
        self.assertEqual(self.machine.started[0].signals, ["KILL"])

    def test_in_an_upgrade_an_old_one_goes_when_a_new_one_has_come(self) -> None:
        old = self.all_serve()
        Deferred.fromCoroutine(self.children.upgrade())
        for count in range(1, 4):
            self.assertEqual(self.numbers()[3:], [4, 5, 6][:count])
            self.machine.started[-1].serves()
            self.assertEqual(
                [len(each.wants("drain")) for each in old], [1] * count + [0] * (3 - count)
            )
        self.assertEqual(old[0].wants("drain"), [{"do": "drain", "seconds": 600.0}])
        for each in old:
            each.ends(0)
        self.machine.advance(100)
        self.assertEqual(len(self.machine.started), 6)

    def test_numbers_are_used_again_by_the_next_upgrade(self) -> None:
        old = self.all_serve()
        for _ in range(2):
            Deferred.fromCoroutine(self.children.upgrade())
            for each in old:
                self.machine.started[-1].serves()
                each.ends(0)
            old = self.machine.started[-3:]
        self.assertEqual(self.numbers(), [1, 2, 3, 4, 5, 1, 2, 3, 4])

    def test_if_a_new_one_cannot_start_the_old_ones_go_on(self) -> None:
        old = self.all_serve()
        Deferred.fromCoroutine(self.children.upgrade())
        self.machine.started[-1].writes(ERRORS, "twisted-chat: a comma is missing\n")
        self.machine.started[-1].ends()
        self.assertEqual([each.wants("drain") for each in old], [[], [], []])
        self.assertEqual(self.said("cannot start: a comma is missing"), 1)
        self.machine.advance(100)
        self.assertEqual(len(self.machine.started), 4)
        Deferred.fromCoroutine(self.children.upgrade())
        self.assertEqual(len(self.machine.started), 5)

    def test_who_ends_in_an_upgrade_does_not_leave_one_too_many(self) -> None:
        *_, last = self.all_serve()
        Deferred.fromCoroutine(self.children.upgrade())
        self.machine.started[-1].serves()
        self.machine.started[-1].serves()
        last.ends()
        self.machine.advance(0)
        self.assertEqual(self.numbers()[3:], [4, 5, 6, 3])
        for each in self.machine.started[5:]:
            each.serves()
        self.assertEqual(len(self.machine.started[5].wants("stop")), 1)
        self.assertEqual(sorted(each.number for each in self.children.kept), [3, 4, 5])

    def test_one_upgrade_at_a_time(self) -> None:
        self.all_serve()
        for _ in range(2):
            Deferred.fromCoroutine(self.children.upgrade())
        self.assertEqual(len(self.machine.started), 4)
        self.assertEqual(self.said("An upgrade is under way already"), 1)

    def test_all_of_them_stop_and_who_does_not_is_ended(self) -> None:
        self.starts()
        self.machine.started[0].serves()
        first, second, third = self.machine.started
        second.serves()
        stopped = self.children.stop()
        self.assertEqual([len(each.wants("stop")) for each in (first, second, third)], [1, 1, 0])
        self.assertEqual(third.signals, ["TERM"])
        for each in (first, third):
            each.ends(0)
        self.machine.advance(STOP)
        self.assertEqual((first.signals, second.signals), ([], ["KILL"]))
        self.assertNoResult(stopped)
        second.ends(None, 9)
        self.successResultOf(stopped)
        self.machine.advance(100)
        self.assertEqual(len(self.machine.started), 3)

    def test_what_is_asked_of_one_that_has_just_died_is_in_vain_and_does_no_harm(self) -> None:
        first, second, third = self.all_serve()
        first.dies()
        page = problems(self.children, self.machine)
        self.children.reload()
        for each in (second, third):
            self.answers(each, "problems", [])
        first.ends(None, 9)
        self.assertEqual(self.successResultOf(page), ["process 1: does not answer"])
        self.machine.advance(0)
        starting = self.machine.started[-1]
        starting.dies()
        self.machine.advance(START)
        self.children.stop()
        self.assertEqual([len(each.wants("stop")) for each in (second, third)], [1, 1])

    def test_nobody_starts_any_more_when_all_are_to_stop(self) -> None:
        self.all_serve()[0].ends()
        stopped = self.children.stop()
        self.machine.advance(10)
        self.assertEqual(len(self.machine.started), 3)
        for each in self.machine.started[1:]:
            each.ends(0)
        self.successResultOf(stopped)

    def test_what_one_wants_of_the_others_comes_from_its_parent(self) -> None:
        first, second, third = self.all_serve()
        second.tells(do="reload")
        self.assertEqual(self.wanted, [(2, "reload")])
        self.children.reload(but=second.process)
        self.assertEqual([len(each.wants("reload")) for each in (first, second, third)], [1, 0, 1])

    def test_who_is_just_starting_reads_the_options_again_too(self) -> None:
        self.starts()
        self.children.reload()
        (first,) = self.machine.started
        self.assertEqual(first.wants("reload"), [])
        first.serves()
        self.assertEqual(len(first.wants("reload")), 1)

    def test_what_it_logs_says_whose_it_is(self) -> None:
        first = self.all_serve()[0]
        line = {"level": "warn", "namespace": "chat", "text": "{odd}", "nick": "ann", "time": ""}
        first.writes(LOG, json.dumps(line)[:20])
        first.writes(LOG, json.dumps(line)[20:] + "\nnot JSON\n")
        whole, odd = self.log[-2:]
        self.assertEqual((whole["process"], whole["nick"]), (1, "ann"))
        self.assertEqual(whole["log_system"], "process 1, chat#warn")
        self.assertEqual(whole["log_format"].format(), "{odd}")
        self.assertEqual((odd["log_format"], odd["log_level"].name), ("not JSON", "error"))

    def answers(self, running: Running, what: str, answer: object) -> None:
        """A process answers what it was asked last."""
        running.tells(ref=running.wants(what)[-1]["ref"], answer=answer)

    def test_the_metrics_of_all_of_them_are_on_one_page(self) -> None:
        first, second, _frozen = self.all_serve()
        page = metrics(self.children, self.machine)
        for number, each in enumerate((first, second), 1):
            self.answers(each, "metrics", f"# TYPE people gauge\npeople {number}\n")
        self.assertNoResult(page)
        self.machine.advance(WAIT)
        lines = self.successResultOf(page).decode().splitlines()
        self.assertEqual([line for line in lines if line.startswith("people")], [
            'people{node="1"} 1.0', 'people{node="2"} 2.0',
        ])  # fmt: skip
        self.assertEqual(lines.count("# TYPE people gauge"), 1)

    def test_all_are_well_or_it_says_who_is_not(self) -> None:
        first, second, third = self.all_serve()
        well = problems(self.children, self.machine)
        for each in (first, second, third):
            self.answers(each, "problems", [])
        self.assertEqual(self.successResultOf(well), [])
        third.ends()
        unwell = problems(self.children, self.machine)
        self.answers(second, "problems", ["the disk is full"])
        self.machine.advance(WAIT)
        self.assertEqual(
            self.successResultOf(unwell),
            ["process 3 does not run", "process 1: does not answer", "process 2: the disk is full"],
        )
