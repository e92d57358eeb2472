"""What is to be sent: each line once, in order, and again only where that is safe."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from twisted.internet.defer import Deferred

from twisted_chat.client.incoming import Answer, Happened

WINDOW = 8
"""Lines on their way at once: a round trip is used well, and the server's queue never fills."""


@dataclass(slots=True, eq=False)
class Line:
    """Something typed that the server has not acknowledged yet.

    Args:
        room: the room it was typed into; empty for wherever the server thinks we are.
        text: what was typed.
        command: whether it is a command; else it is said.
        ref: our own name for this request.
        at: when it was typed.
        only_existing: whether it may enter a room only if that exists already.
        may_wait: whether it is sent again later if it came too fast.
        done: what becomes of it.
    """

    room: str
    text: str
    command: bool
    ref: str
    at: float
    only_existing: bool = False
    may_wait: bool = True
    done: Deferred[Happened | Answer] = field(default_factory=Deferred)
    sent: bool = False

    @property
    def request(self) -> dict[str, Any]:
        """The line as the server wants it."""
        do = "command" if self.command else "say"
        request: dict[str, Any] = {"do": do, "text": self.text, "ref": self.ref}
        if self.room:
            request["room"] = self.room
        if self.only_existing:
            request["existing"] = True
        return request


class Outbox:
    """The lines between the keyboard and their acknowledgement, oldest first.

    Args:
        window: so many lines may be on their way at once.
    """

    def __init__(self, window: int = WINDOW) -> None:
        self._window = window
        self._lines: deque[Line] = deque()
        self._numbers = count(1)

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[Line]:
        return iter(self._lines)

    def add(
        self,
        room: str,
        text: str,
        command: bool,
        now: float,
        *,
        only_existing: bool = False,
        may_wait: bool = True,
    ) -> Line:
        """Take a line that was typed; the arguments are those of `Line`."""
        line = Line(room, text, command, self._ref(), now, only_existing, may_wait)
        self._lines.append(line)
        return line

    def due(self) -> list[Line]:
        """The lines that are to go out now; they count as sent."""
        first = [self._lines[n] for n in range(min(self._window, len(self._lines)))]
        due = [line for line in first if not line.sent]
        for line in due:
            line.sent = True
        return due

    def find(self, ref: str | None) -> Line | None:
        """The line of this name that waits for its acknowledgement."""
        return next((line for line in self._lines if line.sent and line.ref == ref), None)

    def settle(self, line: Line) -> None:
        """Forget a line: it was acknowledged, or refused for good."""
        self._lines.remove(line)

    def again(self, line: Line) -> None:
        """Send a line again that came too fast, as a new request.

        From now on one line at a time, so that none overtakes one that has to wait.
        """
        line.sent = False
        line.ref = self._ref()
        self._window = 1

    def resumed(self) -> None:
        """The old session goes on: what it may not have had is sent again, named as before."""
        for line in self._lines:
            line.sent = False

    def waiting(self, before: float) -> int:
        """How many lines were typed before this moment and still wait."""
        return sum(line.at <= before for line in self._lines)

    def _ref(self) -> str:
        return f"c-{next(self._numbers)}"
