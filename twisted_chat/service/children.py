"""Keeps several processes running: starts them, replaces those that end, and upgrades them."""

from collections import Counter
from collections.abc import Callable
from itertools import count as numbers

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_chat.service.child_process import CannotStart, ChildProcess

PAUSES = (0.0, 0.5, 1.0, 2.0, 5.0)
"""Seconds before a process is replaced, each time that one ends soon after the one before."""

WELL = 60.0
"""Seconds after which a process that served people has not ended soon."""

START = 60.0
"""Seconds after which a process that does not serve anybody yet is ended."""

STOP = 10.0
"""Seconds after which a process that was asked to stop is ended."""

_log = Logger(namespace="chat")


class Children:
    """Keeps several processes running.

    Args:
        clock: the time and timers.
        make: starts the process with a number.
        count: how many there are to be.
        drain: seconds for which those may stay in an upgrade who have to connect again by hand.
    """

    def __init__(
        self,
        clock: IReactorTime,
        make: Callable[[int], ChildProcess],
        count: int,
        drain: float,
    ) -> None:
        self.drain = drain
        self.all: dict[int, ChildProcess] = {}
        """Every process that there is, by its number."""
        self._clock = clock
        self._make = make
        self._count = count
        self._kept: dict[ChildProcess, int] = {}  # those that are replaced; before which upgrade
        self._since: dict[ChildProcess, float] = {}  # they serve people
        self._upgrades = 0
        self._is_upgrading = False
        self._waiting: dict[int, IDelayedCall] = {}  # for a process to be replaced
        self._ended_soon: Counter[int] = Counter()  # how often in a row, by number
        self._why: dict[int, str] = {}  # the last one could not start
        self._stopped: Deferred[None] | None = None

    @property
    def kept(self) -> list[ChildProcess]:
        """The processes that accept people, or are about to."""
        return list(self._kept)

    @property
    def missing(self) -> list[int]:
        """The numbers of processes that are to be, and are not."""
        return sorted(self._waiting)

    async def start(self) -> None:
        """Start the first process, and then the others.

        Raises:
            CannotStart: the first one cannot be started, and so none.
        """
        first = self._begin(1)
        await first.ready
        self._keep(first)
        for number in range(2, self._count + 1):
            self._start(number)

    def reload(self, but: ChildProcess | None = None) -> None:
        """Let all of them read their options again.

        Args:
            but: one that has done so already.
        """
        for process in self.all.values():
            if process is not but:
                process.reload()

    async def upgrade(self) -> None:
        """Replace all processes, one after the other, by those of the program on the disk."""
        if self._is_upgrading or self._stopped is not None:
            _log.warn("An upgrade is under way already")
            return
        self._is_upgrading = True
        self._upgrades += 1
        _log.info("The upgrade begins")
        try:
            while self._old() and self._stopped is None:
                new = self._begin(self._free_number())
                await new.ready
                self._keep(new)
                self._let_go(new)
        except CannotStart as why:
            if self._stopped is None:
                _log.error(
                    "The upgrade ends here, since a new process cannot start: {why}", why=str(why)
                )
        else:
            _log.info("New processes have taken over; the old ones end when nobody is there")
        finally:
            self._is_upgrading = False

    def _old(self) -> list[ChildProcess]:
        return [process for process, before in self._kept.items() if before < self._upgrades]

    def _let_go(self, new: ChildProcess) -> None:
        """A new process accepts people: an old one does so no more."""
        old = self._old()
        if not old:  # the last one ended by itself, and is replaced
            del self._kept[new]
            new.stop()
            return
        del self._kept[old[0]]
        if old[0].is_ready:
            old[0].drain(self.drain)
        else:
            old[0].stop()

    def stop(self) -> Deferred[None]:
        """Stop all of them; fires when they have ended."""
        if self._stopped is None:
            self._stopped = Deferred()
            for pause in self._waiting.values():
                pause.cancel()
            self._waiting.clear()
            for process in self.all.values():
                process.stop()
            if self.all:
                deadline = self._clock.callLater(STOP, self._kill_all)
                self._stopped.addCallback(_cancelling, deadline)
            else:
                self._stopped.callback(None)
        return self._stopped

    def _kill_all(self) -> None:
        for process in self.all.values():
            _log.warn("Process {number} did not stop, and was ended", number=process.number)
            process.kill()

    # One process

    def _begin(self, number: int) -> ChildProcess:
        process = self.all[number] = self._make(number)
        deadline = self._clock.callLater(START, process.kill)
        process.ready.addBoth(_cancelling, deadline)
        process.gone.addCallback(self._is_gone, process)
        return process

    def _start(self, number: int) -> None:
        """Start a process that is replaced if it ends."""
        self._waiting.pop(number, None)
        process = self._begin(number)
        self._kept[process] = self._upgrades
        process.ready.addCallbacks(
            lambda _: self._keep(process), self._cannot_start, errbackArgs=(number,)
        )

    def _keep(self, process: ChildProcess) -> None:
        """A process serves people: if it ends, it is replaced."""
        self._kept[process] = self._upgrades
        self._since[process] = self._clock.seconds()
        self._why.pop(process.number, None)
        _log.info("Process {number} is ready", number=process.number)

    def _cannot_start(self, failure: Failure, number: int) -> None:
        failure.trap(CannotStart)
        why = failure.getErrorMessage()
        if self._stopped is None and self._why.get(number) != why:
            self._why[number] = why
            _log.error(
                "Process {number} cannot start, and is tried again: {why}", number=number, why=why
            )

    def _is_gone(self, how: str, process: ChildProcess) -> str:
        number = process.number
        del self.all[number]
        was_kept = self._kept.pop(process, None) is not None
        now = self._clock.seconds()
        if now - self._since.pop(process, now) >= WELL:
            self._ended_soon[number] = 0
        if self._stopped is not None:
            if not self.all:
                self._stopped.callback(None)
        elif was_kept:
            if number not in self._why:
                _log.error("Process {number} is replaced: {how}", number=number, how=how)
            pause = PAUSES[min(self._ended_soon[number], len(PAUSES) - 1)]
            self._ended_soon[number] += 1
            self._waiting[number] = self._clock.callLater(pause, self._start, number)
        else:
            _log.info("Process {number} has ended", number=number)
        return how

    def _free_number(self) -> int:
        return next(n for n in numbers(1) if n not in self.all and n not in self._waiting)


def _cancelling(result: object, deadline: IDelayedCall) -> object:
    if deadline.active():
        deadline.cancel()
    return result
