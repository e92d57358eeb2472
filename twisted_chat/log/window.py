"""The latest entries of a log in memory, and their bytes, made once for all readers."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import NamedTuple, Protocol

from twisted.logger import Logger

from twisted_chat.events import By, Entry, Event, Hidden

_log = Logger(namespace="chat")

PIECE = 32 * 1024
"""Bytes written to one reader at once: the most that a stopped reader keeps in memory."""

WINDOW = 256
"""Entries in memory while somebody is slightly behind; a busy turn may add as many again."""

KEPT = 32
"""Entries in memory once everybody has read them: what a newcomer reads, 30 kB per room."""

_PIECES = 64
"""Pieces cached at once: more would mean many readers at different places."""


class Wire(Protocol):
    """Encodes entries as bytes in one format."""

    def show(self, entry: Entry, by: By = By.OTHERS, *, replayed: bool = False) -> bytes:
        """An entry as a reader sees it.

        Args:
            entry: what stands in the log.
            by: whose act it is, as the reader sees it.
            replayed: whether it comes from history.
        """

    def missed(self, room: str, count: int, *, kept: bool = False) -> bytes:
        """The notice shown in place of `count` events.

        They are no longer kept, or cannot be read right now.
        """


def rendered(wire: Wire, entry: Entry, by: By = By.OTHERS, *, replayed: bool = False) -> bytes:
    """An entry in this format; one that cannot be encoded is hidden, so that it blocks nobody.

    The arguments are those of `Wire.show`.
    """
    try:
        return wire.show(entry, by, replayed=replayed)
    except Exception:
        _log.failure("An event in {room} cannot be shown", room=entry.event.room)
        if not entry.stored:
            return b""
        hidden = Hidden(entry.event.time, entry.event.room, "")
        return wire.show(Entry(hidden, id=entry.id), replayed=replayed)


class Piece(NamedTuple):
    """Some entries as the bytes that go to everybody who wrote none of them."""

    data: bytes
    end: int
    """The place after the last of them."""
    marks: Sequence[int]
    """Where each begins in the bytes, and where the last one ends."""


class Window:
    """The latest entries of a log, by place, and their bytes in each format.

    Places count everything shown since the log was opened; numbers count stored events.

    Args:
        place: the place of the first entry that comes.
        last: the number of the last stored event before it.
        least: how many entries are kept in memory at least while somebody is behind.
    """

    __slots__ = ("_entries", "_last", "_least", "_lines", "_pieces", "end", "start")

    def __init__(self, place: int, last: int, least: int = WINDOW) -> None:
        self.start = self.end = place  # of the first entry at hand, and after the last one
        self._last = last
        self._least = least
        self._entries: list[Entry] = []
        self._lines: dict[Wire, list[bytes]] = {}
        self._pieces: dict[tuple[Wire, int], Piece] = {}

    @property
    def first(self) -> int:
        """The number of the first stored event in memory, or of the next one."""
        return self._number_before_all() + 1

    def extend(self, entries: Sequence[Entry]) -> None:
        """Append entries."""
        self._entries.extend(entries)
        self.end += len(entries)
        self._last = entries[-1].id
        self._pieces.clear()

    def change(self, change: Callable[[Entry], Event]) -> None:
        """Some events are not what they were."""
        for entry in self._entries:
            entry.event = change(entry)
        self.forget_bytes()

    def place_after(self, number: int) -> int | None:
        """The place after the event with a number; None if what follows is not in memory."""
        if number < self._number_before_all():
            return None
        at = len(self._entries)
        while at and (self._entries[at - 1].id > number or not self._entries[at - 1].stored):
            at -= 1
        return self.start + at

    def number_before(self, place: int) -> int:
        """The number of the last stored event before a place in memory."""
        if place > self.start:
            return self._entries[place - 1 - self.start].id
        return self._number_before_all()

    def _number_before_all(self) -> int:
        if not self._entries:
            return self._last
        first = self._entries[0]
        return first.id - 1 if first.stored else first.id

    def entry(self, place: int) -> Entry:
        """The entry at a place in memory."""
        return self._entries[place - self.start]

    def entries(self, place: int, end: int) -> list[Entry]:
        """The entries between two places in memory."""
        return self._entries[place - self.start : end - self.start]

    def piece(self, wire: Wire, place: int) -> Piece:
        """The entries from a place on, as much as is written at once."""
        known = self._pieces.get((wire, place))
        if known is None:
            lines = self._lines_from(wire, place)
            marks = list(accumulate(map(len, lines), initial=0))
            count = max(1, bisect_right(marks, PIECE) - 1)
            known = Piece(b"".join(lines[:count]), place + count, marks)
            if len(self._pieces) >= _PIECES:
                self._pieces.clear()
            self._pieces[wire, place] = known
        return known

    def _lines_from(self, wire: Wire, place: int) -> list[bytes]:
        """The entries from a place on, encoded for a reader who wrote none of them."""
        lines = self._lines.setdefault(wire, [])
        new = self._entries[len(lines) :]
        try:
            lines += list(map(wire.show, new))
        except Exception:
            lines += [rendered(wire, entry) for entry in new]
        return lines[place - self.start :]

    def place_to_keep(self, *, is_read: bool) -> int:
        """The place before which entries can be dropped from memory.

        Args:
            is_read: whether everybody has read everything.
        """
        least = min(KEPT, self._least) if is_read else self._least
        count = len(self._entries)
        return self.start + (count - least if count > 2 * least else 0)

    def forget_bytes(self) -> None:
        """Encode all entries anew: something that they name has changed."""
        self._lines.clear()
        self._pieces.clear()

    def forget_before(self, place: int) -> None:
        """Drop everything before a place."""
        count = place - self.start
        del self._entries[:count]
        for lines in self._lines.values():
            del lines[:count]
        self.start = place
        self._pieces.clear()
