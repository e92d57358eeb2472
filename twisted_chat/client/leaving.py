"""Leaving: when everything is acknowledged, or after a timeout."""

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from twisted_chat.client.outbox import Line

GOODBYE = 5.0
"""Seconds that a person who leaves waits for what is still on its way, and for the server."""


class Leaving:
    """Whether we leave, how, and how long that may take.

    Args:
        clock: the time and its timers.
        over: is called when patience is at an end.
    """

    def __init__(self, clock: IReactorTime, over: Callable[[], None]) -> None:
        self.farewell = ""  # the command that ends it all; empty while nobody leaves
        self._clock = clock
        self._over = over
        self._line: Line | None = None
        self._patience: IDelayedCall | None = None

    @property
    def ends_without_connection(self) -> bool:
        """Whether there is no sense in connecting again: all is said, or time is short."""
        return self._patience is not None or (self._line is not None and self._line.sent)

    @property
    def is_unsaid(self) -> bool:
        """Whether the farewell is still to be said."""
        return bool(self.farewell) and self._line is None

    def begin(self, farewell: str, patience: float | None) -> None:
        """Leave with this command, within so many seconds; None for as long as it takes."""
        self.farewell = self.farewell or farewell
        if patience is not None:
            self._wait(patience)

    def said(self, line: Line) -> None:
        """The farewell is on its way; a server that does not close then is not waited for."""
        self._line = line
        if self._patience is None:
            self._wait(GOODBYE)

    def go_without_a_word(self) -> None:
        """What was to be said in farewell cannot be sent."""
        self.farewell, self._line = "/quit", None

    def is_farewell(self, line: Line) -> bool:
        """Whether this line is the one that ends it all."""
        return line is self._line

    def stop(self) -> None:
        """It is over."""
        if self._patience is not None and self._patience.active():
            self._patience.cancel()

    def _wait(self, seconds: float) -> None:
        self.stop()
        self._patience = self._clock.callLater(seconds, self._over)
