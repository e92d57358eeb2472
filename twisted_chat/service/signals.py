"""What an operator asks for by a signal."""

import signal
from collections.abc import Callable
from typing import Any


def when(name: str, do: Callable[[], None], reactor: Any) -> None:
    """Do something whenever a signal comes, instead of what it does by itself.

    Args:
        name: the signal's, such as SIGHUP; not every system has every one.
        do: what is to be done.
        reactor: does it.
    """
    number = getattr(signal, name, None)
    if number is not None:
        signal.signal(number, lambda *_: reactor.callFromThread(do))
