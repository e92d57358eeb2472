"""Timers that are not affected when the system clock is set."""

import time
from typing import Any


def go_steadily(reactor: Any) -> None:
    """Have a reactor's timers go by the system's monotonic clock, before anything is due.

    Twisted's go by the time of day: when that is set back by an hour, what is due in this turn is
    due in an hour, and the chat would stand still.

    Args:
        reactor: whose timers they are; its `seconds` are no time of day from now on.
    """
    reactor.seconds = time.monotonic
