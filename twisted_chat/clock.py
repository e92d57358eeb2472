"""The time of day for people, and timers that go on when somebody sets it."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from zope.interface import implementer


@implementer(IReactorTime)
class SteadyClock:
    """A reactor's timers, and the time of day.

    Twisted's timers go by the time of day: when that is set back by an hour, what is due in this
    turn is due in an hour, and the chat would stand still. So the reactor is told to go by the
    system's monotonic clock, before anything is due.

    Args:
        reactor: whose timers they are.
    """

    def __init__(self, reactor: Any) -> None:
        reactor.seconds = time.monotonic
        self._reactor = reactor

    def seconds(self) -> float:
        """Seconds since 1970, as far as this machine knows."""
        return time.time()

    def callLater(
        self,
        delay: float,
        callable: Callable[..., object],  # noqa: A002 - Twisted's name for it
        *args: object,
        **kwargs: object,
    ) -> IDelayedCall:
        """See `IReactorTime`."""
        call: IDelayedCall = self._reactor.callLater(delay, callable, *args, **kwargs)
        return call

    def getDelayedCalls(self) -> Sequence[IDelayedCall]:
        """See `IReactorTime`."""
        calls: Sequence[IDelayedCall] = self._reactor.getDelayedCalls()
        return calls
