"""Which rooms one sees: all of them, or the one that one types into."""

from collections import deque
from collections.abc import Callable

from twisted_chat import events
from twisted_chat.client.incoming import Happened
from twisted_chat.client.model import Model
from twisted_chat.text.names import key

KEPT = 500
"""Events kept of a room that one does not see."""


class Focus:
    """Shows what happens in the rooms that one sees, and in the others when one goes there.

    Args:
        model: where one types.
        show: shows an event.
        head: shows the name of a room, and how many of its events were too many to keep.
    """

    def __init__(
        self, model: Model, show: Callable[[Happened], None], head: Callable[[str, int], None]
    ) -> None:
        self.narrow = False
        self._model = model
        self._show = show
        self._head = head
        self._shown = key(model.current)
        self._kept: dict[str, deque[Happened]] = {}
        self._dropped: dict[str, int] = {}

    def happened(self, told: Happened) -> None:
        """Something happened in some room; what is for us alone is always shown."""
        room = told.entry.event.room
        if not self.narrow or room == events.OWN or key(room) == key(self._model.current):
            self._show(told)
            return
        kept = self._kept.setdefault(key(room), deque(maxlen=KEPT))
        if len(kept) == KEPT:
            self._dropped[key(room)] = self._dropped.get(key(room), 0) + 1
        kept.append(told)

    def moved(self) -> None:
        """Show the room that one types into now, if it is another one."""
        room = key(self._model.current)
        if room != self._shown:
            self._shown = room
            if self.narrow and room in self._kept:
                self._head(self._model.current, self._dropped.pop(room, 0))
                self._catch_up(room)

    def widen(self) -> None:
        """Show all rooms."""
        self.narrow = False
        for room in list(self._kept):
            self._catch_up(room)
        self._dropped.clear()

    def _catch_up(self, room: str) -> None:
        for told in self._kept.pop(room, ()):
            self._show(told)
