"""When the lines in the outbox go out: while there is a connection, and not too fast."""

import math
from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from twisted_chat.client.outbox import Line, Outbox
from twisted_chat.limits import Limits
from twisted_chat.wire.structured import encode

_LONGEST_WAIT = 60.0  # seconds, whatever the server asks for


class Sender:
    """Sends what is in the outbox, as soon as it may be sent.

    Args:
        outbox: what is to be sent.
        send: sends an object.
        clock: the time and its timers.
        too_long: is told of a line that the server could not read, and takes it from the outbox.
    """

    def __init__(
        self,
        outbox: Outbox,
        send: Callable[[dict[str, Any]], None],
        clock: IReactorTime,
        too_long: Callable[[Line], None],
    ) -> None:
        self._outbox = outbox
        self._send = send
        self._clock = clock
        self._too_long = too_long
        self._longest = Limits.input_bytes
        self._open = False
        self._wait: IDelayedCall | None = None

    def limit(self, longest: int) -> None:
        """The server reads lines of so many bytes."""
        self._longest = longest

    def start(self) -> None:
        """The server takes lines now."""
        self._open = True
        self.send()

    def stop(self) -> None:
        """The server takes no lines until `start`."""
        self._open = False
        if self._wait is not None and self._wait.active():
            self._wait.cancel()
        self._wait = None

    def send(self) -> None:
        """Send what may be sent."""
        while self._open and self._wait is None and (due := self._outbox.due()):
            for line in due:
                if len(encode(line.request)) > self._longest:
                    self._too_long(line)
                else:
                    self._send(line.request)

    def again(self, line: Line, wait: float | None) -> None:
        """A line came too fast: send it again after so many seconds, and nothing before it."""
        self._outbox.again(line)
        if self._wait is None:
            seconds = min(max(wait or 1.0, 0.1), _LONGEST_WAIT)
            self._wait = self._clock.callLater(seconds, self._go_on)

    def late(self) -> int:
        """How many lines wait that should have been acknowledged by now."""
        return self._outbox.waiting(self._clock.seconds() - 1.0 if self._open else math.inf)

    def _go_on(self) -> None:
        self._wait = None
        self.send()
