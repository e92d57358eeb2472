"""A rate limit: how many may come at once, and how fast more may follow."""

import math

from twisted_chat.limits import Pace


class Bucket:
    """Applies a rate limit, as a token bucket that refills evenly.

    Nobody waits longer because the clock was set back. The server's clock never is, but a program
    that embeds the chat may use the time of day.
    """

    __slots__ = ("_full", "_last")

    def __init__(self) -> None:
        self._full = -math.inf  # the time since which one more has been waiting to come
        self._last = -math.inf  # when that was asked last

    def wait(self, pace: Pace, now: float) -> float:
        """How many seconds until one more is allowed; 0 if it is allowed now."""
        if now < self._last:
            self._full += now - self._last
        self._last = now
        each = pace.seconds / pace.lines
        return max(0.0, max(self._full, now - pace.seconds) + each - now)

    def take(self, pace: Pace, now: float) -> None:
        """Count one."""
        each = pace.seconds / pace.lines
        self._full = max(self._full, now - pace.seconds) + each

    def give_back(self, pace: Pace) -> None:
        """One that had come does not count after all."""
        self._full -= pace.seconds / pace.lines

    def is_used(self, pace: Pace, now: float) -> bool:
        """Whether anything was counted so recently that it still matters."""
        return self._full > now - pace.seconds
