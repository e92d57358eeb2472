"""How far a session is, what is left of its connection, and what a table of stages looks like.

These are two things, for whoever sends a nickname and some lines and closes at once goes through
all the stages after the connection is lost.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple


class Stage(Enum):
    """How far a session is; `session.TABLE` says what each stage does with each happening."""

    NAMELESS = "nameless"
    """A line answers the question for a nickname."""
    PROVING = "proving to be somebody"
    """A line is the password of the registered name that they answered with."""
    TALKING = "talking"
    """A line is said, or is a command."""
    READING_OUT = "reading out"
    """They say nothing more, and read what was said until now; then the connection closes."""
    OVER = "over"
    """Nothing is said or read any more; the connection closes, or is gone."""


class Link(Enum):
    """What is left of a connection.

    While it is not open any more, the session finishes what was said: lines may wait for their
    pace, for an answer, or to be delivered.
    """

    OPEN = (False, False)
    ENDED = (False, True)
    """They send no more, and may still read: all lines are delivered."""
    LOST = (True, False)
    """Nobody is there; lines that came before may still be delivered."""
    LOST_AND_ENDED = (True, True)
    """Nobody is there, and all lines are delivered."""

    def __init__(self, is_lost: bool, has_ended: bool) -> None:
        self.is_lost = is_lost
        """Whether nobody is there who could read."""
        self.has_ended = has_ended
        """Whether all lines are delivered."""


WHEN_ENDED = {Link.OPEN: Link.ENDED, Link.LOST: Link.LOST_AND_ENDED}
"""What a link becomes when the last line is delivered; that is told once."""

WHEN_LOST = {Link.OPEN: Link.LOST, Link.ENDED: Link.LOST_AND_ENDED}
"""What a link becomes when the connection is gone; that is told once."""


class Step(NamedTuple):
    """What happens in a stage."""

    do: Callable[..., None]
    """What is done: a method of the session. It is in the next stage already."""
    then: Stage | None = None
    """The next stage, if it is another."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one stage does with each happening.

    A line that arrives leads to no other stage, but what it asks for may. Every line that anybody
    sends goes through its first two, so that these are methods of the session without more.
    """

    line_received: Callable[..., None]
    """A line has arrived."""
    line_due: Callable[..., None]
    """A line may be done now: nothing is before it, and it is not too fast."""
    line_too_long: Step
    """A line was longer than any line may be."""
    asked_password: Step
    """They are asked for the password of a registered name."""
    refused: Step
    """Something was refused, and they were told why."""
    named: Step
    """They have a nickname, which they asked for."""
    dismissed: Step
    """They are turned away, or gave up, without a nickname."""
    all_said: Step
    """Everything is done that they have sent, and they will send no more."""
    parted: Step
    """They are gone from the chat, or the server stops."""
    replaced: Step
    """They go on over another connection."""
    all_read: Step
    """There is no room left that they read."""
    lost: Step
    """The connection is gone."""
    all_done: Step
    """The connection is gone, and everything is done that was sent over it."""
