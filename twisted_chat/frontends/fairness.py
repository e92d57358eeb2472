"""How many lines are read before everybody who waits for an answer gets theirs.

A client that never stops sending would make every event-loop turn as long as it takes to handle a
full buffer, and everybody else would wait for it. So only a limited number of lines is handled in
each turn; busier connections are read one after the other, and TCP slows them down. Everybody's
first line is handled at once, so people who send little do not notice.
"""

from collections import deque
from collections.abc import Callable
from typing import Protocol

from twisted.internet.interfaces import IReactorTime

LINES = 400
"""Lines in one event-loop turn: 5 ms of work, about as long as writing to 1,000 readers."""

LONG = 512
"""Every so many bytes of a line count as one more line."""

LATER = 0.005
"""Seconds after which it is asked again whether what was let in has found its way."""


TURN = "turn"
"""The reason for pausing a connection that sends more than fits into one turn."""


class Entrant(Protocol):
    """A connection that says something."""

    has_more: bool
    """Whether it has more to say, which has arrived already."""

    def pause(self, reason: str) -> None:
        """Deliver no more lines, for this reason."""

    def resume(self, reason: str) -> None:
        """Remove this reason."""


class Turnstile:
    """Reads so many lines per event-loop turn, and from each connection in turn.

    Args:
        clock: calls back in the next turn.
        is_behind: whether lines are waiting to be stored or read; then only one line is read
            from each connection.
    """

    def __init__(self, clock: IReactorTime, is_behind: Callable[[], bool]) -> None:
        self._clock = clock
        self._is_behind = is_behind
        self._left = LINES
        self._waiting: deque[Entrant] = deque()
        self._asked = False

    def pass_through(self, entrant: Entrant, line: bytes) -> None:
        """Count a line; after enough of them, the next one waits for the next turn."""
        self._left -= 1 + len(line) // LONG
        if entrant.has_more and (self._left <= 0 or self._is_behind()):
            entrant.pause(TURN)
            self._waiting.append(entrant)
        if not self._asked:
            self._ask(0)

    def _ask(self, seconds: float) -> None:
        self._asked = True
        self._clock.callLater(seconds, self._open)

    def _open(self) -> None:
        """A new turn: let those who wait go on, each as far as the others can go too."""
        waiting = self._waiting
        if waiting and self._is_behind():
            self._ask(LATER)
            return
        share = max(1, LINES // max(1, len(waiting)))
        left = LINES
        for _ in range(min(LINES, len(waiting))):
            self._left = share
            waiting.popleft().resume(TURN)
            left -= share - self._left
        self._left = left  # for those who come in this turn
        self._asked = False
        if waiting:
            self._ask(0)
