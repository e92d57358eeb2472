"""Lines over the pace wait their turn: a pasted paragraph does, a flood is refused."""

from collections import deque
from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from twisted_chat.limits import Pace
from twisted_chat.pace import Bucket


class Pacing:
    """Does one connection's lines in their order, no faster than the pace.

    Args:
        clock: the time.
        pace: how fast; None does everything at once.
        most: how many lines may wait.
        do: does a line.
        idle: called when nothing waits any more.
    """

    def __init__(
        self,
        clock: IReactorTime,
        pace: Pace | None,
        most: int,
        do: Callable[[bytes], None],
        idle: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._pace = pace
        self._most = most
        self._do = do
        self._idle = idle
        self._bucket: Bucket | None = None
        self._waiting: deque[bytes] = deque()
        self._next: IDelayedCall | None = None

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits."""
        return not self._waiting

    def take(self, line: bytes) -> float:
        """Do a line now or in its turn; if too many wait, gives the seconds until fewer do."""
        if self._pace is None:
            self._do(line)
        elif not self._waiting and not self._wait(self._pace):
            self._spend(line)
        elif len(self._waiting) < self._most:
            self._waiting.append(line)
            self._schedule(self._pace)
        else:
            return self._pace.seconds / self._pace.lines * self._most / 2
        return 0.0

    def stop(self) -> None:
        """Do nothing more."""
        self._waiting.clear()
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _wait(self, pace: Pace) -> float:
        now = self._clock.seconds()
        if self._bucket is None:
            self._bucket = Bucket(pace, now)
        return self._bucket.wait(now)

    def _spend(self, line: bytes) -> None:
        if self._bucket is not None:
            self._bucket.take(self._clock.seconds())
        self._do(line)

    def _schedule(self, pace: Pace) -> None:
        if self._next is None:
            self._next = self._clock.callLater(self._wait(pace), self._take_next, pace)

    def _take_next(self, pace: Pace) -> None:
        self._next = None
        self._spend(self._waiting.popleft())
        if self._waiting:
            self._schedule(pace)
        else:
            self._idle()
