"""A room is a log: one order for everything that happens in it. To speak is to append."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol, Self

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from twisted_chat.counters import Counters
from twisted_chat.events import Entry
from twisted_chat.events.effects import State
from twisted_chat.refusal import Refused
from twisted_chat.stores import Opened, Store

_log = Logger(namespace="chat")


class Listener(Protocol):
    """Delivers a log to its readers."""

    def add(self, entries: Sequence[Entry]) -> None:
        """Add entries that are about to be seen."""

    def go_on(self) -> None:
        """Some entries are settled, and everything that waited for them has been called."""


def append_together(entries: Sequence[tuple["Log", Entry]]) -> None:
    """Append entries to their logs; they are stored together or not at all.

    They belong to one store.
    """
    for log, _ in entries:
        log.appended += 1
    entries[0][0].store.append([(log.name, entry) for log, entry in entries])


def _nothing(_: Entry) -> None:
    """Nobody else needs to know."""


class Log:
    """The events of a room, or of one person, in the order in which everybody sees them.

    Args:
        name: the name under which the store keeps it.
        room: the name under which its readers know it.
        store: keeps the entries and gives them their order.
        seen: called with each entry as it may be seen, before anybody sees it.
        counters: where refusals and deliveries are counted.
    """

    __slots__ = (
        "_awaited",
        "appended",
        "counters",
        "end",
        "last",
        "listener",
        "name",
        "room",
        "seen",
        "settled",
        "store",
    )

    def __init__(
        self,
        name: str,
        room: str,
        store: Store,
        seen: Callable[[Entry], None] = _nothing,
        counters: Counters | None = None,
    ) -> None:
        self.name = name
        self.room = room
        self.store = store
        self.seen = seen
        self.counters = counters or Counters()
        self.listener: Listener | None = None
        self._awaited: deque[tuple[int, Callable[[int], None]]] = deque()
        self.appended = 0
        self.settled = 0  # of the appended: stored or refused
        self.end = 0  # the place after the last entry that may be seen
        self.last = 0  # the number of the last event that is stored

    @classmethod
    def new(
        cls,
        name: str,
        room: str,
        store: Store,
        seen: Callable[[Entry], None] = _nothing,
        counters: Counters | None = None,
    ) -> Self:
        """A log of a name that nobody has ever used; the arguments are those of `Log`."""
        log = cls(name, room, store, seen, counters)
        store.begin(name, room, log)
        return log

    def open(self) -> Deferred[State]:
        """Find out what the log has come to, before anything else; gives its state."""
        opened = self.store.open(self.name, self.room, self)
        return opened.addCallback(self._opened)

    def _opened(self, opened: Opened) -> State:
        self.last = opened.last
        return opened.state

    def append(self, entry: Entry) -> None:
        """Append an entry; it is seen once it is stored."""
        self.appended += 1
        self.store.append(((self.name, entry),))

    def before(self, number: int, limit: int) -> Deferred[Sequence[Entry]]:
        """A page of history: the last stored entries before a number, oldest first."""
        return self.store.before(self.name, number, limit)

    def after(self, number: int, limit: int) -> Deferred[Sequence[Entry]]:
        """A page of history: the first stored entries after a number, oldest first."""
        return self.store.after(self.name, number, limit)

    def since(self, time: float, limit: int) -> Deferred[Sequence[Entry]]:
        """A page of history: the first stored entries from a time on, oldest first."""
        number: Deferred[int] = self.store.number_at(self.name, time)
        return number.addCallback(self.after, limit)

    def when_settled(self, call: Callable[[int], None]) -> None:
        """Call back when everything appended so far is stored or refused.

        Args:
            call: gets the place behind the last of it.
        """
        if self.settled == self.appended:
            call(self.end)
        else:
            self._awaited.append((self.appended, call))

    def close(self) -> None:
        """Close a log that nobody reads or writes any more."""
        self.store.close(self.name)
        if self.settled < self.appended:  # of what is under way it will not be told
            self._settle(self.appended - self.settled, self.end)
        self.listener = None
        self.seen = _nothing  # who is told may know us

    def erase(self) -> None:
        """Close this log and delete its contents."""
        self.close()
        self.store.erase(self.name)

    # What the store tells (`Subscriber`)

    def show(self, entries: Sequence[Entry]) -> None:
        """The entries are stored: show them to the readers."""
        place = self.end
        self._show(entries)
        self._settle(len(entries), place)

    def hear(self, entries: Sequence[Entry]) -> None:
        """Another server has appended these: show them to the readers."""
        self._show(entries)
        if self.listener is not None:
            self.listener.go_on()

    def _show(self, entries: Sequence[Entry]) -> None:
        self.end += len(entries)
        self.last = entries[-1].id
        if self.listener is not None:
            self.listener.add(entries)
        for entry in entries:
            self.seen(entry)
            waiter, entry.waiter = entry.waiter, None  # the entry stays, and may not keep them
            if waiter is not None:
                try:
                    waiter.stored(entry)
                except Exception:  # it may not stop the others from reading
                    _log.failure("Handling an event in {room} failed", room=self.room)

    def refuse(self, entries: Sequence[Entry], why: Refused) -> None:
        """The entries could not be stored: nobody will see them."""
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
        if self.listener is not None:
            self.listener.go_on()
