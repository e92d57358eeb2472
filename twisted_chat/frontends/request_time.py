"""How long an HTTP request may take, and how long a file may stop coming."""

from collections.abc import Callable
from typing import Final

from twisted.internet.interfaces import IDelayedCall, IReactorTime

REQUEST_SECONDS: Final = 20.0
"""Seconds from the connection, or the last response, to the end of the next request."""

SLOWEST: Final = 10_000
"""Bytes a second of a connection that a file is sent over, on the whole: more time it does not
get."""

SILENT_SECONDS: Final = 60.0
"""Seconds after which nobody is there any more of whose file nothing comes."""


class RequestTime:
    """The time of one request after another.

    Args:
        clock: timers.
        is_over: called when it is over.
    """

    def __init__(self, clock: IReactorTime, is_over: Callable[[], None]) -> None:
        self._clock = clock
        self._is_over = is_over
        self._end = 0.0  # in the clock's seconds
        self._timer: IDelayedCall | None = None

    def begin(self, size: int = 0) -> None:
        """Wait for a request, or until a file of so many bytes has come or gone."""
        self._end = self._clock.seconds() + REQUEST_SECONDS + size / SLOWEST
        self.wait()

    def wait_for_more(self) -> None:
        """More of a file has to come soon."""
        self._wait(min(SILENT_SECONDS, self._end - self._clock.seconds()))

    def wait(self) -> None:
        """It is not for the other end to do something soon."""
        self._wait(self._end - self._clock.seconds())

    def _wait(self, seconds: float) -> None:
        self.stop()
        self._timer = self._clock.callLater(max(0.0, seconds), self._too_late)

    def stop(self) -> None:
        """It does not matter any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_late(self) -> None:
        self._timer = None
        self._is_over()
