"""Lines over the rate limit are queued: a pasted paragraph is sent slowly, a flood is refused."""

from collections import deque
from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from twisted_chat.limits import Limits
from twisted_chat.rate import Bucket


class Throttle:
    """Handles one connection's lines in order, no faster than the rate limit.

    Args:
        clock: the time.
        limits: how fast, and how many may wait.
        do: does a line.
        idle: called when nothing waits any more.
    """

    __slots__ = (
        "_bucket",
        "_clock",
        "_do",
        "_idle",
        "_is_doing",
        "_is_paused",
        "_limits",
        "_next",
        "_refused",
        "_waiting",
    )

    def __init__(
        self,
        clock: IReactorTime,
        limits: Limits,
        do: Callable[[bytes], None],
        idle: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._limits = limits
        self._do = do
        self._idle = idle
        self._bucket = Bucket()
        self._refused = Bucket()
        self._waiting: deque[bytes] = deque()
        self._next: IDelayedCall | None = None
        self._is_doing = self._is_paused = False

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits, or is being done just now."""
        return not self._waiting and not self._is_doing

    def take(self, line: bytes) -> float:
        """Handle a line now or later; if the queue is full, returns the seconds to wait."""
        pace, most = self._limits.pace, max(1, self._limits.waiting_lines)
        if not self._waiting and not self._is_paused and not self._wait():
            self._spend(line)
        elif pace is None or len(self._waiting) < most:
            self._waiting.append(line)
            self._schedule()
        else:
            return pace.seconds / pace.lines * most / 2
        return 0.0

    def charge(self, lines: int) -> None:
        """Count so many more lines against the rate limit."""
        pace = self._limits.pace
        if pace is not None:
            now = self._clock.seconds()
            for _ in range(lines):
                self._bucket.take(pace, now)

    def never_ends(self) -> bool:
        """Count a refused line; returns whether there were too many to be a mistake."""
        pace, now = self._limits.refused_lines, self._clock.seconds()
        too_many = self._refused.wait(pace, now) > 0
        self._refused.take(pace, now)
        return too_many

    def pause(self) -> None:
        """Do nothing until told to `resume`."""
        self._is_paused = True
        self._stop_clock()

    def resume(self) -> None:
        """Go on with what waits."""
        self._is_paused = False
        if self._waiting:
            self._schedule()

    def do_all(self) -> list[bytes]:
        """Do at once what waits, unless paused; gives what is not done, and never will be."""
        while self._waiting and not self._is_paused:
            self._do(self._waiting.popleft())
        rest = list(self._waiting)
        self.stop()  # also what a line has begun by pausing us for a moment
        return rest

    def stop(self) -> None:
        """Do nothing more."""
        self._waiting.clear()
        self._stop_clock()

    def _stop_clock(self) -> None:
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _wait(self) -> float:
        pace = self._limits.pace
        return 0.0 if pace is None else self._bucket.wait(pace, self._clock.seconds())

    def _spend(self, line: bytes) -> None:
        pace = self._limits.pace
        if pace is not None:
            self._bucket.take(pace, self._clock.seconds())
        self._is_doing = True
        self._do(line)
        self._is_doing = False

    def _schedule(self) -> None:
        if self._next is None and not self._is_paused:
            self._next = self._clock.callLater(self._wait(), self._take_next)

    def _take_next(self) -> None:
        self._next = None
        self._spend(self._waiting.popleft())
        if self._waiting:
            self._schedule()
        else:
            self._idle()
