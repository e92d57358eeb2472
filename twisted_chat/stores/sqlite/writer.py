"""Writing to a database: nobody sees an event before it is committed.

Commits are grouped: while one is under way, what arrives meanwhile forms the next, so that a busy
disk makes the groups larger instead of the queue longer. They are made in a thread of their own;
the reactor never waits for the disk.
"""

import sqlite3
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from math import inf
from typing import TypeAlias

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_chat.counters import Counters
from twisted_chat.events import Entry, Rename
from twisted_chat.events.effects import EFFECTS, apply, effects
from twisted_chat.refusal import Refused
from twisted_chat.stores import SavedSession, WorkerThread
from twisted_chat.stores.batches import by_log, is_only_told, refuse, show_told
from twisted_chat.stores.records import session_row
from twisted_chat.stores.rows import Row, to_row
from twisted_chat.stores.sqlite import accounts
from twisted_chat.stores.sqlite.checkpoints import Checkpoints
from twisted_chat.stores.sqlite.insertion import insert_events
from twisted_chat.stores.sqlite.logs import KeptLog
from twisted_chat.stores.sqlite.schema import (
    explain,
    explain_unchanged,
    explain_unsaved,
)
from twisted_chat.stores.sqlite.sessions import (
    DROP_SESSION,
    RENAME_SESSION,
    SAVE_SESSION,
)
from twisted_chat.stores.sqlite.state import Statement, statements
from twisted_chat.turn import Turn

_log = Logger(namespace="chat")

GROUP = 5_000
"""Entries in one commit: a tenth of a second of work."""

ROWS = 16
"""Rows of common length in a page."""

QUEUE = 50_000
"""Entries that may wait for a disk that has stopped; more are refused at once."""

_KEEP = "INSERT INTO logs (log, name, room) VALUES (?, ?, ?)"

Batch: TypeAlias = Sequence[tuple[KeptLog, Entry]]


@dataclass(slots=True)
class _Group:
    """What is stored in one commit.

    Args:
        entries: what goes into the logs, in this order.
        statements: what else is to be done, before that.
        saves: sessions to save, by the device's id.
        told: whoever waits for these sessions.
        awaited: what else is written, each with somebody who waits for it.
        requests: gives requests with a `ref` their places, in the order of storing them.
    """

    entries: list[tuple[KeptLog, Entry]]
    statements: list[Statement]
    saves: Mapping[str, Row]
    told: Sequence[Deferred[None]]
    awaited: Sequence[accounts.Awaited]
    requests: Iterator[int]
    begun: dict[KeptLog, Row] = field(default_factory=dict)
    """Logs that the database gets to know: most own logs stay empty."""
    rows: list[Row] = field(default_factory=list)
    effects: list[Statement] = field(default_factory=list)
    """What the entries change."""

    def number(self) -> None:
        """Give each entry its number, and make its row."""
        numbers: dict[KeptLog, int] = {}
        rows = self.rows
        for log, entry in self.entries:
            stored = entry.stored
            entry.id = numbers[log] = numbers.get(log, log.last) + stored
            if stored and not log.is_erased:
                request = None if entry.ref is None else next(self.requests)
                rows.append(to_row(log.number, entry, request))
                event = entry.event
                if type(event) in EFFECTS:
                    self.effects += statements(log.number, effects(entry))
                elif isinstance(event, Rename):
                    self.effects.append((RENAME_SESSION, (event.to, entry.author)))
                if not log.is_kept:
                    self.begun[log] = (log.number, log.name, log.room)

    def write(self, connection: sqlite3.Connection) -> None:
        """Store all of this, or nothing."""
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in self.statements:
                connection.execute(*statement)
            for write in self.awaited:
                write.execute(connection)
            connection.executemany(SAVE_SESSION, self.saves.values())
            connection.executemany(_KEEP, self.begun.values())
            insert_events(connection, self.rows)
            for statement in self.effects:
                connection.execute(*statement)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    @property
    def pages(self) -> int:
        """About how many pages of the database are changed."""
        return 1 + len({row[0] for row in self.rows}) + len(self.rows) // ROWS


class Writer:
    """Stores what happens, a group of it at a time, and tells the logs.

    Args:
        connection: the database.
        turn: says when a turn is over, and what it brought is stored together.
        elsewhere: where commits are made.
        checkpoints: is told what was committed.
        counters: where it is counted how long commits take.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        turn: Turn,
        elsewhere: WorkerThread,
        checkpoints: Checkpoints,
        counters: Counters,
    ) -> None:
        self._connection = connection
        self._turn = turn
        self._elsewhere = elsewhere
        self._checkpoints = checkpoints
        self._counters = counters
        self._queue: deque[Batch] = deque()
        self._statements: list[Statement] = []
        self._saves: dict[str, Row] = {}  # sessions to save, by the device's id
        self._told: list[Deferred[None]] = []  # of whoever waits for these
        self._awaited: list[accounts.Awaited] = []
        self._busy = False
        self.waiting = 0
        """Entries that wait to be committed."""
        self.is_failing = False
        """Whether the last commit failed."""
        self.committing_since: float | None = None
        """When the commit began that is under way."""
        self._stopped: Deferred[None] | None = None
        last = "SELECT max(request) FROM events WHERE request IS NOT NULL"
        self._requests = count(1 + (connection.execute(last).fetchone()[0] or 0))
        self._may_try_again = False  # although the last commit failed: the server stops

    @property
    def is_behind(self) -> bool:
        """See `Store.is_behind`."""
        return self.waiting >= GROUP

    @property
    def is_idle(self) -> bool:
        """Whether no entry waits, and none is being stored."""
        return not self._busy and not self._queue

    @property
    def is_settled(self) -> bool:
        """Whether nothing at all waits, or is being stored."""
        return not (self._busy or self._has_work)

    def append(self, batch: Batch) -> None:
        """See `Store.append`."""
        if self.is_idle and is_only_told(batch):
            show_told(batch)  # there is nothing that it could overtake
        elif self.waiting >= QUEUE and (self.waiting >= 2 * QUEUE or not is_only_told(batch)):
            refuse(batch, Refused("not-stored", "The disk is too slow: try again later."))
        else:
            self._queue.append(batch)
            self.waiting += len(batch)
            for log, _ in batch:
                log.waiting += 1
            if len(self._queue) == 1:  # else that is scheduled, or follows on the commit under way
                self._turn.schedule(self._commit)

    def save(self, saved: SavedSession) -> Deferred[None]:
        """See `Store.save_session`."""
        self._saves[saved.id] = session_row(saved)
        stored: Deferred[None] = Deferred()
        self._told.append(stored)
        self._turn.schedule(self._commit)
        return stored

    def drop(self, device: str) -> None:
        """See `Store.drop_session`."""
        self._saves.pop(device, None)
        self.do(DROP_SESSION, (device,))

    def write(self, write: accounts.Awaited) -> None:
        """Have something written with the next commit that somebody waits for."""
        self._awaited.append(write)
        self._turn.schedule(self._commit)

    def do(self, statement: str, values: Row) -> None:
        """Have a statement executed with the next commit."""
        self._statements.append((statement, values))
        self._turn.schedule(self._commit)

    def _next_group(self) -> _Group:
        entries: list[tuple[KeptLog, Entry]] = []
        while self._queue and len(entries) < GROUP:
            entries += self._queue.popleft()
        self.waiting -= len(entries)
        group = _Group(
            *(entries, self._statements, self._saves, self._told, self._awaited),
            requests=self._requests,
        )
        self._statements, self._saves, self._told, self._awaited = [], {}, [], []
        group.number()
        return group

    @property
    def _has_work(self) -> bool:
        return bool(self._queue or self._statements or self._saves or self._awaited)

    def _commit(self) -> None:
        if self._busy or not self._has_work:
            return
        self._busy = True
        group = self._next_group()
        self.committing_since = time.monotonic()
        work = self._elsewhere(lambda: group.write(self._connection))
        work.addCallbacks(
            lambda _: self._committed(group), lambda failure: self._failed(failure, group)
        )
        work.addErrback(lambda failure: _log.failure("Showing stored events failed", failure))
        work.addCallback(lambda _: self._turn.schedule(self._go_on))

    def _committed(self, group: _Group) -> None:
        self._checkpoints.committed(group.pages)
        self._counters.commits.add(time.monotonic() - (self.committing_since or 0.0))
        if self.is_failing:
            self.is_failing = False
            _log.info("Lines can be stored again")
        for log in group.begun:
            log.is_kept = True
        for log, entries in by_log(group.entries):
            log.waiting -= len(entries)
            log.last = entries[-1].id
            for entry in entries:
                if type(entry.event) in EFFECTS:
                    apply(entry, log.state)
            log.oldest = min(log.oldest, log.rests, entries[0].event.time)
            log.rests = inf
            if log.subscriber is not None:
                log.subscriber.show(entries)
        for deferred in group.told:
            deferred.callback(None)
        for write in group.awaited:
            write.tell()

    def _failed(self, failure: Failure, group: _Group) -> None:
        error = failure.value
        if not isinstance(error, sqlite3.Error):
            _log.failure("Storing failed", failure)
            error = sqlite3.OperationalError("the server has failed")
        why = Refused("not-stored", explain(error))
        if not self.is_failing:
            self.is_failing = True
            _log.error("Lines cannot be stored: {error}", error=str(error))
        if isinstance(error, sqlite3.OperationalError):  # these are no one's to say again
            again = {who: row for who, row in group.saves.items() if not self._is_dropped(who)}
            self._saves = again | self._saves
            self._statements = [*group.statements, *self._statements]
        for log, _ in group.entries:
            log.waiting -= 1
        refuse([(log, entry) for log, entry in group.entries if entry.stored], why)
        show_told([(log, entry) for log, entry in group.entries if not entry.stored])
        for deferred in group.told:
            deferred.errback(Refused("not-stored", explain_unsaved(error)))
        accounts.refuse(group.awaited, Refused("not-stored", explain_unchanged(error)))

    def _is_dropped(self, device: str) -> bool:
        return (DROP_SESSION, (device,)) in self._statements

    def _go_on(self) -> None:
        """Commit again.

        Once what was stored is delivered, and what arrives meanwhile has been read.

        The next commit could begin earlier, but would hold a part only of what is about to come,
        and every group costs a turn: two small ones take twice the time of one that is as large
        as both. A commit takes 0.2 ms, a turn with 1,000 readers 4 ms.
        """
        self._busy = False
        self.committing_since = None
        unsaved = self._statements or self._saves
        waited_for = self._queue or self._told or self._awaited
        if waited_for or (unsaved and not self.is_failing):
            self._turn.schedule(self._commit)
        elif unsaved and self._may_try_again:
            self._may_try_again = False
            self._turn.schedule(self._commit)
        elif self._stopped is not None:
            stopped, self._stopped = self._stopped, None
            stopped.callback(None)

    def try_again(self) -> None:
        """See `Store.try_again`."""
        if self.is_failing:
            self._turn.schedule(self._commit)

    def stop(self) -> Deferred[None]:
        """Store what is still to be stored, with one more try if that fails; fires when done."""
        if self.is_settled:
            return succeed(None)
        self._stopped, self._may_try_again = Deferred(), True
        self._commit()
        return self._stopped
