"""The end of an event-loop turn: work that many ask for in one turn is done once."""

from collections.abc import Callable

from twisted.logger import Logger

_log = Logger(namespace="chat")


class Turn:
    """Does what it is asked for at the end of the reactor's turn, each thing once.

    Args:
        later: calls a function when this turn is over, such as
            `lambda call: reactor.callLater(0, call)`; without it, everything is done at once.
    """

    def __init__(self, later: Callable[[Callable[[], None]], object] | None = None) -> None:
        self._later = later
        self._asked: dict[Callable[[], None], None] = {}

    def schedule(self, call: Callable[[], None]) -> None:
        """Have `call` called at the end of the turn."""
        if self._later is None:
            call()
            return
        if not self._asked:
            self._later(self._end)
        self._asked[call] = None

    def _end(self) -> None:
        asked, self._asked = self._asked, {}
        for call in asked:
            try:
                call()
            except Exception:
                _log.failure("A call at the end of an event-loop turn failed")
