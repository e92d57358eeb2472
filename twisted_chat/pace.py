"""A pace: how much may come at once, and how fast it may come again."""

from twisted_chat.limits import Pace


class Bucket:
    """Counts what comes against a pace, as a bucket that fills evenly.

    Args:
        pace: how many in how many seconds.
        now: the time in seconds.
    """

    __slots__ = ("_full", "_pace")

    def __init__(self, pace: Pace, now: float) -> None:
        self._pace = pace
        self._full = now - pace.seconds  # the time since which one more has been waiting to come

    def wait(self, now: float) -> float:
        """How many seconds it takes until one more may come; 0 when it may come now."""
        each = self._pace.seconds / self._pace.lines
        return max(0.0, max(self._full, now - self._pace.seconds) + each - now)

    def is_used(self, now: float) -> bool:
        """Whether anything came so lately that it still counts."""
        return self._full > now - self._pace.seconds

    def take(self, now: float) -> None:
        """One has come."""
        each = self._pace.seconds / self._pace.lines
        self._full = max(self._full, now - self._pace.seconds) + each
