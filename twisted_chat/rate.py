"""A rate limit: how many may come at once, and how fast more may follow."""

import math

from twisted_chat.limits import Pace


class Bucket:
    """Counts what comes against a pace, as a bucket that fills evenly.

    Nobody waits longer because the clock was set back. The server's is not, but whoever embeds
    the chat may count by the time of day.
    """

    __slots__ = ("_full", "_last")

    def __init__(self) -> None:
        self._full = -math.inf  # the time since which one more has been waiting to come
        self._last = -math.inf  # when that was asked last

    def wait(self, pace: Pace, now: float) -> float:
        """How many seconds it takes until one more may come; 0 when it may come now."""
        if now < self._last:
            self._full += now - self._last
        self._last = now
        each = pace.seconds / pace.lines
        return max(0.0, max(self._full, now - pace.seconds) + each - now)

    def take(self, pace: Pace, now: float) -> None:
        """One has come."""
        each = pace.seconds / pace.lines
        self._full = max(self._full, now - pace.seconds) + each

    def give_back(self, pace: Pace) -> None:
        """One that had come does not count after all."""
        self._full -= pace.seconds / pace.lines

    def is_used(self, pace: Pace, now: float) -> bool:
        """Whether anything came so lately that it still counts."""
        return self._full > now - pace.seconds
