"""The lines of one connection: one after the other, no faster than the pace."""

from collections.abc import Callable, Sequence

from twisted.internet.interfaces import IReactorTime

from twisted_chat.limits import Limits
from twisted_chat.sessions.frontend import Frontend
from twisted_chat.sessions.throttle import Throttle


class Input:
    """Does lines in their order, none while something is under way that they wait for.

    Args:
        frontend: delivers them, and stops when told to.
        clock: the time.
        limits: how fast they may be.
        do: does a line.
        idle: called when a line is done, or what lines waited for.
    """

    __slots__ = (
        "_clock",
        "_do",
        "_frontend",
        "_idle",
        "_limits",
        "_throttle",
        "_under_way",
        "is_doing",
    )

    def __init__(
        self,
        frontend: Frontend,
        clock: IReactorTime,
        limits: Limits,
        do: Callable[[bytes], None],
        idle: Callable[[], None],
    ) -> None:
        self.is_doing = False
        """Whether a line is being done in this very call."""
        self._frontend = frontend
        self._clock = clock
        self._limits = limits
        self._do = do
        self._idle = idle
        self._throttle: Throttle | None = None  # from the first line that counts
        self._under_way = 0

    @property
    def is_idle(self) -> bool:
        """Whether no line waits or is being done, and nothing is under way."""
        is_empty = self._throttle is None or self._throttle.is_idle
        return is_empty and not self._under_way and not self.is_doing

    @property
    def is_paused(self) -> bool:
        """Whether something is under way that lines wait for."""
        return self._under_way > 0

    def take(self, line: bytes) -> float:
        """Do a line as soon as its pace allows; if too many wait, gives the seconds to wait."""
        if self._throttle is None:
            if self._limits.pace is None:
                self.do(line)
                return 0.0
            self._throttle = Throttle(self._clock, self._limits, self.do, self._is_idle)
        return self._throttle.take(line)

    def never_ends(self) -> bool:
        """One more line is refused; says whether that is more than anybody does by mistake."""
        return self._throttle is not None and self._throttle.never_ends()

    def do(self, line: bytes) -> None:
        """Do a line now."""
        self.is_doing = True
        self._do(line)
        self.is_doing = False
        self._idle()

    def charge(self, lines: int) -> None:
        """So many lines more have been had."""
        if self._throttle is not None:
            self._throttle.charge(lines)

    def pause(self) -> None:
        """Something is under way: do no lines until then, so that answers keep their order."""
        self._under_way += 1
        if self._under_way == 1:
            self._frontend.pause()
            if self._throttle is not None:
                self._throttle.pause()

    def resume(self) -> None:
        """One of the things is done that were under way."""
        self._under_way -= 1
        if self._under_way == 0:
            if self._throttle is not None:
                self._throttle.resume()
            self._frontend.resume()
            self._idle()

    def do_all(self) -> Sequence[bytes]:
        """Do now what waits for its pace; gives what waits for something else, and is not done."""
        return () if self._throttle is None else self._throttle.do_all()

    def stop(self) -> None:
        """Do nothing more, and know nobody any more, so that memory is freed by that."""
        self._do = self._idle = _nothing
        if self._throttle is not None:
            self._throttle.stop()
            self._throttle = None

    def _is_idle(self) -> None:
        self._idle()


def _nothing(_: bytes = b"") -> None:
    """Whoever would do it is gone."""
