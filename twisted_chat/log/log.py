"""A room is a log, and everyone in it is a reader of that log.

To speak is to append. To deliver is to let the readers catch up, at the end of a turn: each piece
of the log is made into bytes once for each wire, and written once to each reader. So a turn costs
O(messages + readers), not O(messages x readers), and a reader that stands still costs nothing: it
has no queue, only a place. When it reads again it goes on there, from memory or from the store.
"""

from collections import deque
from collections.abc import Callable, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from twisted_chat.counters import Counters
from twisted_chat.events import Entry, Hidden
from twisted_chat.refusal import Refused
from twisted_chat.stores import Store
from twisted_chat.turn import Turn

if TYPE_CHECKING:
    from twisted_chat.log.reader import Reader, Wire

_log = Logger(namespace="chat")

PIECE = 32 * 1024
"""Bytes written to one reader at once: what a stopped reader holds in memory at the most."""

SLICE = 2_000
"""Readers who catch up in one turn: 8 ms of system calls, so that a huge room stops nobody."""

WINDOW = 256
"""Entries at hand while somebody is a little behind; a busy turn may add as many again."""

KEPT = 32
"""Entries at hand once everybody has read them: what a newcomer reads, in 30 kB a room."""


def rendered(wire: "Wire", entry: Entry, reader: str = "", *, replayed: bool = False) -> bytes:
    """An entry as a wire shows it; one that it cannot show is hidden, and stops nobody.

    The arguments are those of `Wire.show`.
    """
    try:
        return wire.show(entry, reader, replayed=replayed)
    except Exception:
        _log.failure("An event of {room} cannot be shown", room=entry.event.room)
        if not entry.stored:
            return b""
        hidden = Hidden(entry.event.time, entry.event.room, "")
        return wire.show(Entry(hidden, id=entry.id), replayed=replayed)


def append_together(entries: Sequence[tuple["Log", Entry]]) -> None:
    """Put entries behind all others of their logs; they are stored together or not at all.

    They belong to one store.
    """
    for log, _ in entries:
        log.appended += 1
    entries[0][0].store.append([(log.name, entry) for log, entry in entries])


class Log:
    """The events of a room, or of one person, in the one order in which everybody sees them.

    Places count everything that was shown since the log was opened, numbers what is stored.

    Args:
        name: the name under which the store keeps it.
        room: the name under which its readers know it.
        store: keeps the entries and gives them their order.
        turn: says when a turn is over, and readers catch up.
        seen: called with each entry as it may be seen, before anybody sees it.
        window: how many entries are at hand at least.
        counters: where deliveries are counted.
    """

    __slots__ = (
        "_again",
        "_awaited",
        "_base",
        "_delivered",
        "_delivering",
        "_least",
        "_pieces",
        "_readers",
        "_rest",
        "_round",
        "_seen",
        "_shown",
        "_somebody_is_behind",
        "_turn",
        "_window",
        "appended",
        "counters",
        "last",
        "name",
        "room",
        "settled",
        "store",
    )

    def __init__(
        self,
        name: str,
        room: str,
        store: Store,
        turn: Turn,
        seen: Callable[[Entry], None] = lambda _: None,
        window: int = WINDOW,
        counters: Counters | None = None,
    ) -> None:
        self.name = name
        self.room = room
        self.store = store
        self._turn = turn
        self._seen = seen
        self._least = window
        self.counters = counters or Counters()
        self._readers: dict[str, tuple[Reader, ...]] = {}  # by the viewer's id
        self._rest: Sequence[Reader] = ()  # who has not caught up in this round yet
        self._window: list[Entry] = []
        self._base = 0  # the place of the window's first entry
        self._delivered = 0  # the place up to which the last turn's readers have read
        self._shown: dict[Wire, list[bytes]] = {}  # the window as each wire shows it
        self._pieces: dict[tuple[Wire, int], tuple[bytes, int]] = {}
        self._round = 0, 0  # from where to where this round's readers read
        self._delivering = self._again = self._somebody_is_behind = False
        self._awaited: deque[tuple[int, Callable[[int], None]]] = deque()
        self.appended = 0
        self.settled = 0  # of the appended: stored or refused
        self.last = store.open(name, room, self)

    @property
    def end(self) -> int:
        """The place after the last entry that may be seen."""
        return self._base + len(self._window)

    @property
    def first(self) -> int:
        """The number of the first stored event that is at hand, or else of the next one."""
        return self._number_before_window() + 1

    def append(self, entry: Entry) -> None:
        """Put an entry behind all others; it is seen once it is stored."""
        self.appended += 1
        self.store.append(((self.name, entry),))

    def before(self, number: int, limit: int) -> Deferred[Sequence[Entry]]:
        """A page of history: the last stored entries before a number, oldest first."""
        return self.store.before(self.name, number, limit)

    def after(self, number: int, limit: int) -> Deferred[Sequence[Entry]]:
        """A page of history: the first stored entries after a number, oldest first."""
        return self.store.after(self.name, number, limit)

    def since(self, time: float, limit: int) -> Deferred[Sequence[Entry]]:
        """A page of history: the first stored entries of a time on, oldest first."""
        number: Deferred[int] = self.store.number_at(self.name, time)
        return number.addCallback(self.after, limit)

    def when_settled(self, call: Callable[[int], None]) -> None:
        """Call back when everything that was appended until now is stored or refused.

        Args:
            call: gets the place behind the last of it.
        """
        if self.settled == self.appended:
            call(self.end)
        else:
            self._awaited.append((self.appended, call))

    def close(self) -> None:
        """Nobody reads or writes here any more."""
        self._awaited.clear()  # it will not be told
        self.store.close(self.name)

    def erase(self) -> None:
        """Close this log, and forget everything that it holds."""
        self.close()
        self.store.erase(self.name)

    # What the store tells (`Subscriber`)

    def show(self, entries: Sequence[Entry]) -> None:
        """These are stored: let the readers see them."""
        end = self.end
        self._window.extend(entries)
        self.last = entries[-1].id
        for place, entry in enumerate(entries, end):
            for reader in self._readers.get(entry.origin, ()):
                reader.own = (*reader.own, place)
            self._seen(entry)
            if entry.waiter is not None:
                try:
                    entry.waiter.stored(entry)
                except Exception:  # it may not stop the others from reading
                    _log.failure("What follows from an event in {room} failed", room=self.room)
        self._settle(len(entries), end)

    def refuse(self, entries: Sequence[Entry], why: Refused) -> None:
        """These could not be stored: nobody will see them."""
        self.counters.refusals[why.code] += len(entries)
        for entry in entries:
            if entry.waiter is not None:
                entry.waiter.refused(why)
        self._settle(len(entries), self.end)

    def _settle(self, count: int, place: int) -> None:
        """So many more are settled; those that may be seen stand behind a place."""
        before = self.settled
        self.settled += count
        while self._awaited and self._awaited[0][0] <= self.settled:
            appended, call = self._awaited.popleft()
            call(min(place + appended - before, self.end))
        self._pieces.clear()
        self._turn.schedule(self.deliver)

    # What the readers ask

    def enter(self, reader: "Reader") -> None:
        """Take in a reader, who will read with the others from now on."""
        others = self._readers.get(reader.viewer_id, ())
        self._readers[reader.viewer_id] = (*others, reader)

    def leave(self, reader: "Reader") -> None:
        """Let go of a reader."""
        readers = self._readers.pop(reader.viewer_id, ())
        others = tuple(other for other in readers if other is not reader)
        if others:
            self._readers[reader.viewer_id] = others
        elif not self._readers:
            self._turn.schedule(self.deliver)

    def place_after(self, number: int) -> int | None:
        """The place behind the event with a number; None if what follows is not at hand."""
        if number < self._number_before_window():
            return None
        at = len(self._window)
        while at and (self._window[at - 1].id > number or not self._window[at - 1].stored):
            at -= 1
        return self._base + at

    def number_before(self, place: int) -> int:
        """The number of the last stored event before a place that is at hand."""
        if place > self._base:
            return self._window[place - 1 - self._base].id
        return self._number_before_window()

    def _number_before_window(self) -> int:
        if not self._window:
            return self.last
        first = self._window[0]
        return first.id - 1 if first.stored else first.id

    def entries(self, place: int, end: int) -> list[Entry]:
        """The entries between two places that are at hand."""
        return self._window[place - self._base : end - self._base]

    def lines(self, wire: "Wire", place: int, end: int) -> list[bytes]:
        """The same as a wire shows them to somebody who wrote none of them."""
        lines = self._shown.setdefault(wire, [])
        new = self._window[len(lines) : end - self._base]
        try:
            lines += list(map(wire.show, new))
        except Exception:
            lines += [rendered(wire, entry) for entry in new]
        return lines[place - self._base : end - self._base]

    def piece(self, wire: "Wire", place: int) -> tuple[bytes, int]:
        """The same, from a place on, as much as is written at once, and the place behind it."""
        known = self._pieces.get((wire, place))
        if known is None:
            lines = self.lines(wire, place, self.end)
            size = count = 0
            while count < len(lines) and (not count or size + len(lines[count]) <= PIECE):
                size += len(lines[count])
                count += 1
            known = b"".join(lines[:count]), place + count
            if len(self._pieces) >= 64:  # many readers, each at a place of their own
                self._pieces.clear()
            self._pieces[wire, place] = known
        return known

    # The end of a turn

    def deliver(self) -> None:
        """Let every reader catch up, so many in one turn."""
        self._again = True
        if self._delivering:  # somebody was told something that made something happen
            return
        self._delivering = True
        try:
            while self._again:
                self._again = False
                self._let_some_catch_up()
        finally:
            self._delivering = False

    def _let_some_catch_up(self) -> None:
        """Most readers are where the last round left them: these share a loop without detours."""
        if not self._rest:
            self._rest = list(chain.from_iterable(self._readers.values()))
            self._round = self._delivered, self.end
            self._delivered = self.end
            self._somebody_is_behind = False
        fresh, end = self._round
        some, self._rest = self._rest[:SLICE], self._rest[SLICE:]
        delivered = 0
        wire, data, size, there = None, b"", 0, fresh
        for reader in some:
            outlet = reader.outlet
            try:
                if reader.at == fresh and outlet.ready and not (reader.own or reader.is_personal):
                    if fresh == end:
                        continue
                    if reader.wire is not wire:
                        wire = reader.wire
                        data, there = self.piece(wire, fresh)
                        size = len(data)
                    reader.at = there
                    delivered += there - fresh
                    if data:
                        try:
                            sent = outlet.send(data)
                        except OSError:
                            sent = 0
                        if sent != size:
                            outlet.hold(data[sent:])
                    if there >= end:
                        continue
                reader.catch_up()
                if reader.at != self.end:
                    self._somebody_is_behind = True
            except Exception:
                _log.failure("A reader of {room} failed", room=self.room)
                reader.fail()
        self.counters.deliveries += delivered
        if self._rest or end != self.end:
            self._turn.schedule(self.deliver)
        else:
            self._trim()

    def _trim(self) -> None:
        """Let go of what everybody has read, and of what is too far behind for the window."""
        least = self._least if self._somebody_is_behind else min(KEPT, self._least)
        if not self._readers:
            surplus = len(self._window)
        elif len(self._window) > 2 * least:
            surplus = len(self._window) - least
        else:
            return
        for reader in chain.from_iterable(self._readers.values()):
            reader.let_go(self._base + surplus)
        del self._window[:surplus]
        for lines in self._shown.values():
            del lines[:surplus]
        self._base += surplus
        self._pieces.clear()
