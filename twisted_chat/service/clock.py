"""Timers that are not affected when the system clock is set."""

import time
from typing import Any


def go_steadily(reactor: Any) -> None:
    """Make a reactor's timers use the monotonic clock; to be called before any timer is set.

    Twisted uses the time of day: if that is set back by an hour, all timers are an hour late, and
    the chat would stop.

    Args:
        reactor: the reactor; its `seconds` are no longer the time of day.
    """
    reactor.seconds = time.monotonic
