"""Logs kept in SQLite: nobody sees an event before it is committed.

Commits are grouped: while one is under way, what arrives meanwhile forms the next, so that a busy
disk makes the groups larger instead of the queue longer. Writing and reading back happen in
threads of their own; the reactor never waits for the disk.
"""

import sqlite3
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from math import inf
from pathlib import Path

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_chat.counters import Counters
from twisted_chat.events import Entry, Topic
from twisted_chat.refusal import Refused
from twisted_chat.stores import SavedSession, Subscriber, WorkerThread
from twisted_chat.stores.account import Account
from twisted_chat.stores.sqlite import accounts, strays
from twisted_chat.stores.sqlite.checkpoints import Checkpoints
from twisted_chat.stores.sqlite.lock import Lock
from twisted_chat.stores.sqlite.schema import (
    COLUMNS,
    SAVE_SESSION,
    Row,
    Unusable,
    explain,
    explain_unchanged,
    explain_unsaved,
    open_database,
    read_sessions,
    session_row,
    to_entry,
    to_row,
)
from twisted_chat.turn import Turn

_log = Logger(namespace="chat")

GROUP = 5_000
"""Entries in one commit: a tenth of a second of work."""

ROWS = 16
"""Rows of common length in a page."""

QUEUE = 50_000
"""Entries that may wait for a disk that has stopped; more are refused at once."""


_KEEP = "INSERT INTO logs (log, name, room) VALUES (?, ?, ?)"
_OLDEST = "SELECT id, time FROM events WHERE log = ? ORDER BY id LIMIT ?"


class _Log:
    """What is known of an open log."""

    __slots__ = (
        "is_erased",
        "is_kept",
        "last",
        "name",
        "number",
        "oldest",
        "rests",
        "room",
        "subscriber",
        "topic",
    )

    def __init__(
        self,
        number: int,
        name: str,
        room: str,
        last: int = 0,
        oldest: float = inf,
        *,
        is_kept: bool = False,
    ) -> None:
        self.number = number
        self.name = name
        self.room = room
        self.is_kept = is_kept  # whether the database knows of it
        self.is_erased = False
        self.last = last
        self.oldest = oldest  # when its first event happened
        self.rests = inf  # the same, while only that one is left
        self.topic = ""
        self.subscriber: Subscriber | None = None


_Statement = tuple[str, Row]
_Batch = Sequence[tuple[_Log, Entry]]


class SqliteStore:
    """A `Store` in a file.

    Args:
        path: the file.
        turn: says when a turn is over, and what it brought is stored together.
        writing: where commits are made.
        reading: where history is read.
        settling: where the write-ahead log is emptied.
        full: whether what is shown survives the machine's death too, not only the process's.
        counters: where it is counted how long commits take.

    Raises:
        Unusable: why the file cannot be used.
    """

    def __init__(
        self,
        path: Path,
        turn: Turn,
        writing: WorkerThread,
        reading: WorkerThread,
        settling: WorkerThread,
        *,
        full: bool = False,
        counters: Counters | None = None,
    ) -> None:
        self._counters = counters or Counters()
        self._turn = turn
        self._elsewhere = writing
        self._reading = reading
        self._lock = Lock(path)
        try:
            self._writer = open_database(path, full=full)
        except Unusable:
            self._lock.close()
            raise
        self._reader = sqlite3.connect(path, timeout=2, check_same_thread=False)
        self._checkpoints = Checkpoints(path, settling)
        self._logs: dict[str, _Log] = {}
        self._load()
        self._queue: deque[_Batch] = deque()
        self._waiting = 0  # entries in the queue
        self._statements: list[_Statement] = []
        self._saves: dict[str, Row] = {}  # sessions to save, by the person's id
        self._told: list[Deferred[None]] = []  # of whoever waits for these statements
        self._account_writes: list[accounts.Write] = []
        self._busy = False
        self._failing = False
        self.committing_since: float | None = None
        self._stopped: Deferred[None] | None = None

    def _load(self) -> None:
        self._writer.execute("BEGIN IMMEDIATE")
        count = strays.delete(self._writer)
        self._writer.execute("COMMIT")
        if count:
            _log.info("{count} private lines that were nobody's are deleted", count=count)
        self.epoch: str = self._writer.execute("SELECT epoch FROM server").fetchone()[0]
        self._next_log = 1 + int(
            self._writer.execute("SELECT seq FROM sqlite_sequence WHERE name = 'logs'").fetchone()[
                0
            ]
        )
        for number, name, room, topic, last in self._writer.execute(
            "SELECT log, name, room, topic, (SELECT max(id) FROM events WHERE log = logs.log)"
            " FROM logs ORDER BY log"
        ).fetchall():
            oldest = self._writer.execute(_OLDEST, (number, 1)).fetchone()
            known = self._logs[name] = _Log(
                number, name, room, last or 0, oldest[1] if oldest else inf, is_kept=True
            )
            known.topic = topic

    # Writing

    def open(self, log: str, room: str, subscriber: Subscriber) -> int:
        """See `Store.open`."""
        known = self._logs.get(log)
        if known is None:
            known = self._logs[log] = _Log(self._next_log, log, room)
            self._next_log += 1
        known.subscriber = subscriber
        return known.last

    def close(self, log: str) -> None:
        """See `Store.close`."""
        known = self._logs[log]
        known.subscriber = None
        if not known.is_kept and not self._busy and not self._queue:  # nothing was ever said there
            del self._logs[log]

    def erase(self, log: str) -> None:
        """See `Store.erase`."""
        known = self._logs.pop(log, None)
        if known is None:  # nothing was ever said there
            return
        known.is_erased = True  # what waits for it is not stored any more
        if known.is_kept or self._busy:  # what is being stored just now goes with the next commit
            self._do("DELETE FROM events WHERE log = ?", (known.number,))
            self._do("DELETE FROM logs WHERE log = ?", (known.number,))

    def save_session(self, saved: SavedSession) -> Deferred[None]:
        """See `Store.save_session`."""
        self._saves[saved.id] = session_row(saved)
        self._turn.schedule(self._commit)
        stored: Deferred[None] = Deferred()
        self._told.append(stored)
        return stored

    def drop_session(self, person: str) -> None:
        """See `Store.drop_session`."""
        self._saves.pop(person, None)
        self._do(*_dropping(person))

    def save_account(self, account: Account) -> Deferred[None]:
        """See `Store.save_account`."""
        return self._write_account(accounts.save(account))

    def drop_account(self, account_id: str) -> Deferred[None]:
        """See `Store.drop_account`."""
        return self._write_account(accounts.drop(account_id))

    def _write_account(self, write: accounts.Write) -> Deferred[None]:
        self._account_writes.append(write)
        self._turn.schedule(self._commit)
        return write.done

    def forget(self, before: float) -> None:
        """See `Store.forget`."""
        for log in list(self._logs.values()):
            if log.oldest < before:
                found = self._reading(partial(self._find_old, log.number, before))
                found.addCallback(partial(self._forget_until, log))
                found.addErrback(self._not_read)

    def _find_old(self, number: int, before: float) -> Sequence[tuple[int, float]]:
        """The first event of a log, and the first that is to be kept: number and time."""
        old = []
        for event in self._reader.execute(_OLDEST, (number, GROUP)):
            old.append(event)
            if event[1] >= before:
                break
        return old if len(old) == 1 else [old[0], old[-1]] if old else []

    def _forget_until(self, log: _Log, found: Sequence[tuple[int, float]]) -> None:
        log.oldest = found[-1][1] if found else inf
        if len(found) == 1:  # its last event, which stays until the next one comes
            log.oldest, log.rests = inf, log.oldest
        elif found and not log.is_erased:
            self._do("DELETE FROM events WHERE log = ? AND id < ?", (log.number, found[-1][0]))

    def _not_read(self, failure: Failure) -> None:
        _log.warn("Old lines stay for now: {why}", why=failure.getErrorMessage())

    def append(self, entries: Sequence[tuple[str, Entry]]) -> None:
        """See `Store.append`."""
        batch = [(self._logs[name], entry) for name, entry in entries]
        if not self._queue and not self._busy and _is_told(batch):
            self._show(batch)  # there is nothing that it could overtake
        elif self._waiting >= QUEUE and not _is_told(batch):
            self._refuse(batch, Refused("not-stored", "The disk is too slow: wait."))
        elif self._waiting >= 2 * QUEUE:
            self._show(batch)  # there is an end to what waits, be it only told
        else:
            self._queue.append(batch)
            self._waiting += len(batch)
            self._turn.schedule(self._commit)

    @property
    def is_behind(self) -> bool:
        """See `Store.is_behind`."""
        return self._waiting >= GROUP

    @property
    def waiting(self) -> int:
        """Entries that wait to be committed."""
        return self._waiting

    @property
    def is_failing(self) -> bool:
        """Whether the last commit failed."""
        return self._failing

    def _do(self, statement: str, values: Row) -> None:
        self._statements.append((statement, values))
        self._turn.schedule(self._commit)

    def _next_group(self) -> _Batch:
        group: list[tuple[_Log, Entry]] = []
        while self._queue and len(group) < GROUP:
            group += self._queue.popleft()
        self._waiting -= len(group)
        return group

    @property
    def _has_work(self) -> bool:
        return bool(self._queue or self._statements or self._saves or self._account_writes)

    def _commit(self) -> None:
        if self._busy or not self._has_work:
            return
        self._busy = True
        group = self._next_group()
        statements, self._statements = self._statements, []
        saves, self._saves = self._saves, {}
        told, self._told = self._told, []
        writes, self._account_writes = self._account_writes, []
        numbers: dict[_Log, int] = {}
        kept: dict[_Log, Row] = {}  # logs that the database gets to know: most own logs stay empty
        rows = []
        for log, entry in group:
            entry.id = numbers[log] = numbers.get(log, log.last) + entry.stored
            if entry.stored and not log.is_erased:
                rows.append(to_row(log.number, entry))
                if not log.is_kept:
                    kept[log] = (log.number, log.name, log.room)
        self.committing_since = time.monotonic()
        saving = [(SAVE_SESSION, row) for row in saves.values()]
        work = self._elsewhere(
            lambda: self._write([*statements, *saving], writes, list(kept.values()), rows)
        )
        work.addCallbacks(
            lambda _: self._committed(
                group, kept, len(numbers) + len(rows) // ROWS + 1, told, writes
            ),
            lambda failure: self._failed(failure, group, statements, saves, told, writes),
        )
        work.addErrback(lambda failure: _log.failure("Telling what was stored failed", failure))
        work.addCallback(lambda _: self._turn.schedule(self._go_on))

    def _write(
        self,
        statements: Sequence[_Statement],
        writes: Sequence[accounts.Write],
        kept: Sequence[Row],
        rows: Sequence[Row],
    ) -> None:
        writer = self._writer
        writer.execute("BEGIN IMMEDIATE")
        try:
            for statement in statements:
                writer.execute(*statement)
            for write in writes:
                write.execute(writer)
            writer.executemany(_KEEP, kept)
            writer.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
            for row in rows:
                if row[3] == "topic":
                    writer.execute("UPDATE logs SET topic = ? WHERE log = ?", (row[6], row[0]))
                elif row[3] == "rename":
                    writer.execute("UPDATE seats SET nickname = ? WHERE id = ?", (row[5], row[7]))
            writer.execute("COMMIT")
        except BaseException:
            if writer.in_transaction:
                writer.execute("ROLLBACK")
            raise

    def _committed(
        self,
        group: _Batch,
        kept: Iterable[_Log],
        pages: int,
        told: Sequence[Deferred[None]],
        writes: Sequence[accounts.Write],
    ) -> None:
        self._checkpoints.committed(pages)
        self._counters.commits.add(time.monotonic() - (self.committing_since or 0.0))
        if self._failing:
            self._failing = False
            _log.info("Lines can be stored again")
        for log in kept:
            log.is_kept = True
        for log, entries in _by_log(group):
            log.last = entries[-1].id
            for entry in entries:
                if isinstance(entry.event, Topic):
                    log.topic = entry.event.text
            log.oldest = min(log.oldest, log.rests, entries[0].event.time)
            log.rests = inf
            if log.subscriber is not None:
                log.subscriber.show(entries)
        for deferred in told:
            deferred.callback(None)
        for write in writes:
            write.tell()

    def _failed(
        self,
        failure: Failure,
        group: _Batch,
        statements: Sequence[_Statement],
        saves: Mapping[str, Row],
        told: Sequence[Deferred[None]],
        writes: Sequence[accounts.Write],
    ) -> None:
        error = failure.value
        if not isinstance(error, sqlite3.Error):
            _log.failure("Storing failed", failure)
            error = sqlite3.OperationalError("the server has failed")
        why = Refused("not-stored", explain(error))
        if not self._failing:
            self._failing = True
            _log.error("Lines cannot be stored: {error}", error=str(error))
        if isinstance(error, sqlite3.OperationalError):  # these are no one's to say again
            again = {who: row for who, row in saves.items() if not self._is_dropped(who)}
            self._saves = again | self._saves
            self._statements = [*statements, *self._statements]
        self._refuse([(log, entry) for log, entry in group if entry.stored], why)
        self._show([(log, entry) for log, entry in group if not entry.stored])
        for deferred in told:
            deferred.errback(Refused("not-stored", explain_unsaved(error)))
        accounts.refuse(writes, Refused("not-stored", explain_unchanged(error)))

    def _show(self, told: _Batch) -> None:
        for log, entries in _by_log(told):
            for entry in entries:
                entry.id = log.last
            if log.subscriber is not None:
                log.subscriber.show(entries)

    def _refuse(self, batch: _Batch, why: Refused) -> None:
        for log, entries in _by_log(batch):
            if log.subscriber is not None:
                log.subscriber.refuse(entries, why)

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
        waited_for = self._queue or self._told or self._account_writes
        if waited_for or (unsaved and not self._failing):
            self._turn.schedule(self._commit)
        elif self._stopped is not None:
            self._close_database(self._stopped)

    def try_again(self) -> None:
        """See `Store.try_again`."""
        if self._failing:
            self._turn.schedule(self._commit)

    def _is_dropped(self, person: str) -> bool:
        return _dropping(person) in self._statements

    def stop(self) -> Deferred[None]:
        """See `Store.stop`."""
        self._stopped = Deferred()
        if not (self._busy or self._has_work):
            self._close_database(self._stopped)
        else:
            self._commit()
        return self._stopped

    def _close_database(self, stopped: Deferred[None]) -> None:
        def close(_: None) -> None:
            self._writer.close()
            self._reader.close()
            self._lock.close()
            stopped.callback(None)

        self._checkpoints.stop().addCallback(close)

    # Reading

    def after(self, log: str, number: int, limit: int) -> Deferred[Sequence[Entry]]:
        """See `Store.after`."""
        return self._read(log, "id > ? AND id <= ? ORDER BY id", number, limit)

    def before(self, log: str, number: int, limit: int) -> Deferred[Sequence[Entry]]:
        """See `Store.before`."""
        page = self._read(log, "id < ? AND id <= ? ORDER BY id DESC", number, limit)
        return page.addCallback(lambda entries: entries[::-1])

    def _read(self, log: str, which: str, number: int, limit: int) -> Deferred[Sequence[Entry]]:
        known = self._logs.get(log)
        if known is None:
            return succeed([])
        query = f"SELECT {COLUMNS} FROM events WHERE log = ? AND {which} LIMIT ?"  # noqa: S608 - ours
        shown = known.last  # what is committed, but not shown yet, is not history yet

        def read() -> Sequence[Entry]:
            rows = self._reader.execute(query, (known.number, number, shown, limit)).fetchall()
            return [to_entry(known.room, row) for row in rows]

        return self._reading(read)

    def number_at(self, log: str, time: float) -> Deferred[int]:
        """See `Store.number_at`."""
        known = self._logs[log]
        newest = known.last

        def search() -> int:
            low, high = 0, newest  # up to `low` everything is older, behind `high` nothing is
            while low < high:
                middle = (low + high + 1) // 2
                row = self._reader.execute(
                    "SELECT time FROM events WHERE log = ? AND id <= ? ORDER BY id DESC LIMIT 1",
                    (known.number, middle),
                ).fetchone()
                if row is None or row[0] < time:
                    low = middle
                else:
                    high = middle - 1
            return low

        return self._reading(search)

    def topic(self, log: str) -> str:
        """See `Store.topic`."""
        return self._logs[log].topic

    def rooms(self) -> Iterable[str]:
        """See `Store.rooms`."""
        return [log.room for log in self._logs.values() if log.name.startswith("#")]

    def saved_sessions(self) -> Iterable[SavedSession]:
        """See `Store.saved_sessions`."""
        return list(read_sessions(self._writer))

    def accounts(self) -> Deferred[Sequence[Account]]:
        """See `Store.accounts`."""
        return succeed(list(accounts.read(self._writer)))

    def refs(self, person: str, limit: int) -> Iterable[tuple[str, Entry]]:
        """See `Store.refs`."""
        rows = self._writer.execute(
            f"SELECT {COLUMNS} FROM events WHERE origin = ? AND ref IS NOT NULL"  # noqa: S608 - ours
            " ORDER BY time DESC LIMIT ?",
            (person, limit),
        ).fetchall()
        return [(row[-1], to_entry("", row)) for row in reversed(rows)]


def _dropping(person: str) -> _Statement:
    return "DELETE FROM seats WHERE id = ?", (person,)


def _is_told(batch: _Batch) -> bool:
    """Whether nothing of this is to be stored."""
    return not any(entry.stored for _, entry in batch)


def _by_log(group: _Batch) -> Iterable[tuple[_Log, list[Entry]]]:
    logs: dict[_Log, list[Entry]] = {}
    for log, entry in group:
        logs.setdefault(log, []).append(entry)
    return logs.items()
