"""How many lines are read before everybody who waits for an answer gets theirs.

Who sends without an end would make every turn as long as what they can fill a buffer with, and
everybody else would wait for it. So a turn takes only so many lines; whoever has more to say is
not read until it is their turn again, one after the other, and TCP makes them slower. Everybody's
first line is let in at once: who only talks a little does not feel it.
"""

from collections import deque
from collections.abc import Callable
from typing import Protocol

from twisted.internet.interfaces import IReactorTime

LINES = 400
"""Lines in one turn: 5 ms of work, about as long as it takes to write to 1,000 readers."""

LONG = 512
"""Bytes of a line that take as long as a line does."""

LATER = 0.005
"""Seconds after which it is asked again whether what was let in has found its way."""


TURN = "turn"
"""Why a connection is paused that has more to say than fits into a turn."""


class Entrant(Protocol):
    """A connection that says something."""

    has_more: bool
    """Whether it has more to say, which has arrived already."""

    def pause(self, reason: str) -> None:
        """Deliver no more lines, for this reason."""

    def resume(self, reason: str) -> None:
        """This is no reason any more."""


class Turnstile:
    """Lets lines in: so many each turn, and from each connection in turn.

    Args:
        clock: calls back in the next turn.
        is_behind: says whether what was let in waits to be stored or read; then nobody gets a
            second line in.
    """

    def __init__(self, clock: IReactorTime, is_behind: Callable[[], bool]) -> None:
        self._clock = clock
        self._is_behind = is_behind
        self._left = LINES
        self._waiting: deque[Entrant] = deque()
        self._asked = False

    def pass_through(self, entrant: Entrant, line: bytes) -> None:
        """A line was let in; if that was enough for this turn, the next one waits."""
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
