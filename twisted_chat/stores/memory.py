"""Logs kept in memory; the oldest events are dropped."""

import secrets
from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from twisted.internet.defer import Deferred, fail, succeed

from twisted_chat.events import Entry
from twisted_chat.events.effects import EFFECTS, Value, apply
from twisted_chat.stores import SERVER_LOG, Opened, SavedSession, Subscriber
from twisted_chat.stores.account import Account, name_taken
from twisted_chat.stores.nameless import (
    Replacements,
    also,
    left_in,
    nameless,
    replace_in,
    replacements,
)

_OVERHEAD = 400  # bytes that an entry takes beside its text, measured

CLOSED = 10_000
"""Logs that nobody reads or writes of which it is known what they hold: each takes a kilobyte."""

_ACTS = 10_000  # events of the server's own log, which whatever is said does not push out


class MemoryStore:
    """A `Store` that loses everything when the process ends.

    A log that has not been open for long, while many others were, is forgotten, and begins anew.

    Args:
        room: how many bytes all logs together may take; then the oldest event is dropped.
    """

    def __init__(self, room: int = 16 * 1024 * 1024) -> None:
        self._epoch = secrets.token_hex(8)
        self._room = room
        self._taken = 0
        self._kept: dict[str, deque[Entry]] = {}
        self._last: dict[str, int] = {}
        self._states: dict[str, dict[str, Value]] = {}
        self._subscribers: dict[str, Subscriber] = {}
        self._oldest: deque[tuple[str, Entry]] = deque()
        self._closed: dict[str, None] = {}  # the one that was closed first is first
        self._account_ids: dict[str, str] = {}  # by the name's key
        self._account_keys: dict[str, str] = {}  # by id

    @property
    def epoch(self) -> str:
        """See `Store.epoch`: memory begins anew."""
        return self._epoch

    @property
    def nodes(self) -> None:
        """See `Store.nodes`: this is one server's alone."""
        return None

    def open(self, log: str, room: str, subscriber: Subscriber) -> Deferred[Opened]:
        """See `Store.open`."""
        self.begin(log, room, subscriber)
        return succeed(Opened(self._last[log], dict(self._states[log])))

    def begin(self, log: str, room: str, subscriber: Subscriber) -> None:
        """See `Store.begin`."""
        self._subscribers[log] = subscriber
        self._closed.pop(log, None)
        self._kept.setdefault(log, deque())
        self._last.setdefault(log, 0)
        self._states.setdefault(log, {})

    def close(self, log: str) -> None:
        """See `Store.close`."""
        self._subscribers.pop(log, None)
        if not self._last.get(log):  # nothing was ever said there
            self._forget(log)
            return
        self._closed[log] = None
        if len(self._closed) > CLOSED:
            self._forget(next(iter(self._closed)))

    def _forget(self, log: str) -> Iterable[Entry]:
        """Forget what a log holds, and give it; it takes room until it would have been dropped."""
        self._closed.pop(log, None)
        self._last.pop(log, None)
        self._states.pop(log, None)
        return self._kept.pop(log, ())

    def erase(self, log: str) -> None:
        """See `Store.erase`."""
        erased = set(map(id, self._forget(log)))
        if erased:  # it is private: nothing of it stays in memory until there is need of room
            self._taken -= sum(_size(each) for _, each in self._oldest if id(each) in erased)
            self._oldest = deque(each for each in self._oldest if id(each[1]) not in erased)

    def append(self, entries: Sequence[tuple[str, Entry]]) -> None:
        """See `Store.append`."""
        for log, entry in entries:
            self._append(log, entry)

    def make_nameless(self, person: str) -> Deferred[Mapping[str, Replacements]]:
        """See `Store.make_nameless`."""
        all_replaced: dict[str, Replacements] = {}
        for log, state in self._states.items():
            replaced: dict[str, tuple[Value, Value]] = {}
            all_replaced[log] = replaced
            for entry in self._kept[log]:
                changed = nameless(entry, person)
                if changed is not entry.event:
                    found = replacements(entry, changed, state)
                    replace_in(state, found)
                    also(replaced, found)
                    entry.event = changed
            found = left_in(state, person)
            replace_in(state, found)
            also(replaced, found)
        return succeed(all_replaced)

    def _append(self, log: str, entry: Entry) -> None:
        entry.id = self._last[log]
        if entry.stored:
            entry.id += 1
            self._last[log] = entry.id
            self._kept[log].append(entry)
            if type(entry.event) in EFFECTS:
                apply(entry, self._states[log])
            if log == SERVER_LOG:
                if len(self._kept[log]) > _ACTS:
                    self._kept[log].popleft()
            else:
                self._make_room_for(log, entry)
        self._subscribers[log].show([entry])

    def _make_room_for(self, log: str, entry: Entry) -> None:
        self._oldest.append((log, entry))
        self._taken += _size(entry)
        while self._taken > self._room:
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        log, entry = self._oldest.popleft()
        self._taken -= _size(entry)
        kept = self._kept.get(log)
        if kept and kept[0] is entry:  # else the log was erased since
            kept.popleft()

    @property
    def is_behind(self) -> bool:
        """See `Store.is_behind`: nothing waits here."""
        return False

    @property
    def waiting(self) -> int:
        """See `Store.waiting`."""
        return 0

    @property
    def problem(self) -> str:
        """See `Store.problem`."""
        return ""

    def after(self, log: str, number: int, limit: int) -> Deferred[Sequence[Entry]]:
        """See `Store.after`."""
        kept = self._kept[log]
        skipped = max(0, number + 1 - kept[0].id) if kept else 0
        return succeed(list(islice(kept, skipped, skipped + limit)))

    def before(self, log: str, number: int, limit: int) -> Deferred[Sequence[Entry]]:
        """See `Store.before`."""
        kept = self._kept[log]
        end = min(len(kept), max(0, number - kept[0].id)) if kept else 0
        return succeed(list(islice(kept, max(0, end - limit), end)))

    def number_at(self, log: str, time: float) -> Deferred[int]:
        """See `Store.number_at`."""
        kept = self._kept[log]
        older = bisect_left(kept, time, key=lambda entry: entry.event.time)
        return succeed(kept[0].id + older - 1 if kept else self._last[log])

    def rooms(self) -> Deferred[Sequence[str]]:
        """See `Store.rooms`: memory begins anew."""
        return succeed(())

    def saved_sessions(self) -> Deferred[Sequence[SavedSession]]:
        """See `Store.saved_sessions`: memory begins anew."""
        return succeed(())

    def refs(self, client: str, limit: int) -> Deferred[Sequence[tuple[str, int]]]:
        """See `Store.refs`: memory begins anew."""
        return succeed(())

    def save_session(self, saved: SavedSession) -> Deferred[None]:
        """See `Store.save_session`: whoever is here is in memory already."""
        return succeed(None)

    def drop_session(self, device: str) -> None:
        """See `Store.drop_session`."""

    def accounts(self) -> Deferred[Sequence[Account]]:
        """See `Store.accounts`: memory begins anew."""
        return succeed(())

    def save_account(self, account: Account) -> Deferred[None]:
        """See `Store.save_account`: accounts are in memory already, and only names are kept."""
        if self._account_ids.get(account.key, account.id) != account.id:
            return fail(name_taken(account.name))
        self._account_ids.pop(self._account_keys.get(account.id, ""), None)
        self._account_ids[account.key] = account.id
        self._account_keys[account.id] = account.key
        return succeed(None)

    def drop_account(self, account_id: str) -> Deferred[None]:
        """See `Store.drop_account`."""
        self._account_ids.pop(self._account_keys.pop(account_id, ""), None)
        return succeed(None)

    def forget(self, before: float) -> None:
        """See `Store.forget`."""
        stay = []
        while self._oldest and self._oldest[0][1].event.time < before:
            log, entry = self._oldest[0]
            if entry.id == self._last.get(log) and self._kept[log][-1] is entry:
                stay.append(self._oldest.popleft())
            else:
                self._forget_oldest()
        self._oldest.extendleft(reversed(stay))

    def try_again(self) -> None:
        """See `Store.try_again`."""

    def stop(self) -> Deferred[None]:
        """See `Store.stop`."""
        return succeed(None)


def _size(entry: Entry) -> int:
    return _OVERHEAD + len(getattr(entry.event, "text", ""))
