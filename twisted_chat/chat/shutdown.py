"""Stopping the server after a while, of which everybody is told again and again."""

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from twisted_chat.text.spans import in_words

TOLD = (86400, 3600, 1800, 600, 300, 60, 30, 10, 5)
"""Seconds before the end at which everybody is told."""


class Shutdown:
    """Counts down to the end of the server.

    Args:
        clock: timers.
        tell: tells everybody.
    """

    def __init__(self, clock: IReactorTime, tell: Callable[[str], None]) -> None:
        self._clock = clock
        self._tell = tell
        self._next: IDelayedCall | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether it counts."""
        return self._next is not None

    def begin(self, seconds: int, why: str, stop: Callable[[], None]) -> None:
        """Stop after so many seconds, whatever was planned before.

        Args:
            seconds: from now.
            why: what everybody is told with it; may be empty.
            stop: stops the server.
        """
        self.cancel()
        self._count(seconds, f" ({why})" if why else "", stop)

    def _count(self, seconds: int, why: str, stop: Callable[[], None]) -> None:
        self._next = None
        if not seconds:
            stop()
            return
        self._tell(f"The server shuts down in {in_words(seconds)}{why}.")
        then = next((each for each in TOLD if each < seconds), 0)
        self._next = self._clock.callLater(seconds - then, self._count, then, why, stop)

    def cancel(self) -> None:
        """Go on as if nothing had been said."""
        if self._next is not None:
            self._next.cancel()
            self._next = None
