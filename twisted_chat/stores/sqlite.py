"""Logs kept in SQLite: nobody sees an event before it is committed.

Commits are grouped: while one is under way, what arrives meanwhile forms the next, so that a busy
disk makes the groups larger instead of the queue longer. Writing and reading back happen in
threads of their own; the reactor never waits for the disk.
"""

import sqlite3
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_chat.events import Entry
from twisted_chat.figures import Figures
from twisted_chat.refusal import Refused
from twisted_chat.stores import Elsewhere, Keeper, Seat
from twisted_chat.stores.checkpoints import Checkpoints
from twisted_chat.stores.lock import Lock
from twisted_chat.stores.schema import (
    COLUMNS,
    Row,
    Unusable,
    explain,
    open_database,
    seat_row,
    seats,
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

_FORGET = f"""
DELETE FROM events WHERE log = ?1 AND time < ?2
    AND id < (SELECT min(id) + {GROUP} FROM events WHERE log = ?1)
    AND id < (SELECT max(id) FROM events WHERE log = ?1)
"""  # noqa: S608 - ours


class _Log:
    """What is known of an open log."""

    __slots__ = ("is_kept", "keeper", "last", "name", "number", "room")

    def __init__(self, number: int, name: str, room: str, last: int, *, is_kept: bool) -> None:
        self.number = number
        self.name = name
        self.room = room
        self.is_kept = is_kept  # whether the database knows of it
        self.last = last
        self.keeper: Keeper | None = None


_Statement = tuple[str, Row]


class SqliteStore:
    """A `Store` in a file.

    Args:
        path: the file.
        turn: says when a turn is over, and what it brought is stored together.
        writing: where commits are made.
        reading: where history is read.
        settling: where the write-ahead log is emptied.
        full: whether what is shown survives the machine's death too, not only the process's.
        figures: where it is counted how long commits take.

    Raises:
        Unusable: why the file cannot be used.
    """

    def __init__(
        self,
        path: Path,
        turn: Turn,
        writing: Elsewhere,
        reading: Elsewhere,
        settling: Elsewhere,
        *,
        full: bool = False,
        figures: Figures | None = None,
    ) -> None:
        self._figures = figures or Figures()
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
        self._next_log = 1
        self._load()
        self._queue: list[tuple[_Log, Entry]] = []
        self._statements: list[_Statement] = []
        self._busy = False
        self._failing = False
        self.committing_since: float | None = None
        self._stopped: Deferred[None] | None = None

    def _load(self) -> None:
        gone = "name LIKE '@%' AND substr(name, 2) NOT IN (SELECT id FROM seats)"
        self._writer.execute(
            f"DELETE FROM events WHERE log IN (SELECT log FROM logs WHERE {gone})"  # noqa: S608 - ours
        )
        self._writer.execute(f"DELETE FROM logs WHERE {gone}")  # noqa: S608 - ours
        for number, name, room, last in self._writer.execute(
            "SELECT log, name, room, (SELECT max(id) FROM events WHERE events.log = logs.log)"
            " FROM logs ORDER BY log"
        ):
            self._logs[name] = _Log(number, name, room, last or 0, is_kept=True)
            self._next_log = number + 1

    # Writing

    def open(self, log: str, room: str, keeper: Keeper) -> int:
        """See `Store.open`."""
        known = self._logs.get(log)
        if known is None:
            known = self._logs[log] = _Log(self._next_log, log, room, 0, is_kept=False)
            self._next_log += 1
        known.keeper = keeper
        return known.last

    def close(self, log: str) -> None:
        """See `Store.close`."""
        self._logs[log].keeper = None

    def erase(self, log: str) -> None:
        """See `Store.erase`."""
        known = self._logs.pop(log)
        if known.is_kept:
            self._do("DELETE FROM events WHERE log = ?", (known.number,))
            self._do("DELETE FROM logs WHERE log = ?", (known.number,))

    def seat(self, seat: Seat) -> None:
        """See `Store.seat`."""
        self._do("INSERT OR REPLACE INTO seats VALUES (?, ?, ?, ?, ?, ?)", seat_row(seat))

    def unseat(self, person: str) -> None:
        """See `Store.unseat`."""
        self._do("DELETE FROM seats WHERE id = ?", (person,))

    def forget(self, before: float) -> None:
        """See `Store.forget`."""
        for log in self._logs.values():
            self._do(_FORGET, (log.number, before))

    def append(self, log: str, entry: Entry) -> None:
        """See `Store.append`."""
        known = self._logs[log]
        if not entry.stored and not self._queue and not self._busy:
            entry.id = known.last  # there is nothing that it could overtake
            if known.keeper is not None:
                known.keeper.show([entry])
            return
        if len(self._queue) >= QUEUE:
            if known.keeper is not None:
                known.keeper.refuse([entry], Refused("not-stored", "The disk is too slow: wait."))
            return
        self._queue.append((known, entry))
        self._turn.ask(self._commit)

    @property
    def is_behind(self) -> bool:
        """See `Store.is_behind`."""
        return len(self._queue) >= GROUP

    @property
    def waiting(self) -> int:
        """Entries that wait to be committed."""
        return len(self._queue)

    @property
    def is_failing(self) -> bool:
        """Whether the last commit failed."""
        return self._failing

    def _do(self, statement: str, values: Row) -> None:
        self._statements.append((statement, values))
        self._turn.ask(self._commit)

    def _commit(self) -> None:
        if self._busy or not (self._queue or self._statements):
            return
        self._busy = True
        group, self._queue = self._queue[:GROUP], self._queue[GROUP:]
        statements, self._statements = self._statements, []
        numbers: dict[_Log, int] = {}
        rows = []
        for log, entry in group:
            number = numbers.get(log, log.last)
            if entry.stored:
                number += 1
                entry.id = number
                if not log.is_kept:  # most people's own logs stay empty
                    log.is_kept = True
                    statements.append((_KEEP, (log.number, log.name, log.room)))
                rows.append(to_row(log.number, entry))
            else:
                entry.id = number
            numbers[log] = number
        self.committing_since = time.monotonic()
        work = self._elsewhere(lambda: self._write(statements, rows))
        work.addCallbacks(
            lambda _: self._committed(group, len(numbers) + len(rows) // ROWS + 1),
            lambda failure: self._failed(failure, group, statements),
        )
        work.addErrback(lambda failure: _log.failure("Telling what was stored failed", failure))
        work.addCallback(lambda _: self._turn.ask(self._go_on))

    def _write(self, statements: Sequence[_Statement], rows: Sequence[Row]) -> None:
        writer = self._writer
        writer.execute("BEGIN IMMEDIATE")
        try:
            for statement in statements:
                writer.execute(*statement)
            writer.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
            for row in rows:
                if row[3] == "topic":
                    writer.execute("UPDATE logs SET topic = ? WHERE log = ?", (row[6], row[0]))
            writer.execute("COMMIT")
        except BaseException:
            if writer.in_transaction:
                writer.execute("ROLLBACK")
            raise

    def _committed(self, group: Sequence[tuple[_Log, Entry]], pages: int) -> None:
        self._checkpoints.committed(pages)
        self._figures.commits.add(time.monotonic() - (self.committing_since or 0.0))
        if self._failing:
            self._failing = False
            _log.info("Lines can be stored again")
        for log, entries in _by_log(group):
            log.last = entries[-1].id
            if log.keeper is not None:
                log.keeper.show(entries)

    def _failed(
        self,
        failure: Failure,
        group: Sequence[tuple[_Log, Entry]],
        statements: Sequence[_Statement],
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
            self._statements = [*statements, *self._statements]
        for log, entries in _by_log(group):
            stored = [entry for entry in entries if entry.stored]
            told = [entry for entry in entries if not entry.stored]
            if log.keeper is not None and stored:
                log.keeper.refuse(stored, why)
            for entry in told:
                entry.id = log.last
            if log.keeper is not None and told:
                log.keeper.show(told)

    def _go_on(self) -> None:
        """Commit again.

        Once what was stored is delivered, and what arrives meanwhile has been read.

        The next commit could begin earlier, but would hold a part only of what is about to come,
        and every group costs a turn: two small ones take twice the time of one that is as large
        as both. A commit takes 0.2 ms, a turn with 1,000 readers 4 ms.
        """
        self._busy = False
        self.committing_since = None
        if self._queue or (self._statements and not self._failing):
            self._turn.ask(self._commit)
        elif self._stopped is not None:
            self._let_go(self._stopped)

    def stop(self) -> Deferred[None]:
        """See `Store.stop`."""
        self._stopped = Deferred()
        if not self._busy and not self._queue and not self._statements:
            self._let_go(self._stopped)
        else:
            self._commit()
        return self._stopped

    def _let_go(self, stopped: Deferred[None]) -> None:
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

    def rooms(self) -> Iterable[tuple[str, str]]:
        """See `Store.rooms`."""
        return self._writer.execute(
            "SELECT room, topic FROM logs WHERE name LIKE '#%' ORDER BY log"
        ).fetchall()

    def seats(self) -> Iterable[Seat]:
        """See `Store.seats`."""
        return list(seats(self._writer))

    def refs(self, person: str, limit: int) -> Iterable[tuple[str, Entry]]:
        """See `Store.refs`."""
        rows = self._writer.execute(
            f"SELECT {COLUMNS} FROM events WHERE origin = ? AND ref IS NOT NULL"  # noqa: S608 - ours
            " ORDER BY time DESC LIMIT ?",
            (person, limit),
        ).fetchall()
        return [(row[-1], to_entry("", row)) for row in reversed(rows)]


def _by_log(group: Sequence[tuple[_Log, Entry]]) -> Iterable[tuple[_Log, list[Entry]]]:
    logs: dict[_Log, list[Entry]] = {}
    for log, entry in group:
        logs.setdefault(log, []).append(entry)
    return logs.items()
