"""A pace: how much may come at once, and how fast it may come again."""

import math

from twisted_chat.limits import Pace

FAR = 30.0
"""Seconds for which nobody has to wait, however much they took: then the clock was set back.
The server's is not, but whoever embeds the chat may count by the time of day."""


class Bucket:
    """Counts what comes against a pace, as a bucket that fills evenly."""

    __slots__ = ("_full",)

    def __init__(self) -> None:
        self._full = -math.inf  # the time since which one more has been waiting to come

    def wait(self, pace: Pace, now: float) -> float:
        """How many seconds it takes until one more may come; 0 when it may come now."""
        if self._full > now + FAR:
            self._full = now - pace.seconds  # the clock was set back
        each = pace.seconds / pace.lines
        return max(0.0, max(self._full, now - pace.seconds) + each - now)

    def take(self, pace: Pace, now: float) -> None:
        """One has come."""
        each = pace.seconds / pace.lines
        self._full = max(self._full, now - pace.seconds) + each

    def is_used(self, pace: Pace, now: float) -> bool:
        """Whether anything came so lately that it still counts."""
        return self._full > now - pace.seconds
