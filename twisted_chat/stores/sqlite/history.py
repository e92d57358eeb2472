"""Reading back from a database, in a thread of its own."""

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from twisted.internet.defer import Deferred, succeed

from twisted_chat.events import Entry
from twisted_chat.stores import WorkerThread
from twisted_chat.stores.rows import COLUMNS, to_entry
from twisted_chat.stores.search import last_older
from twisted_chat.stores.sqlite.logs import KeptLog

_T = TypeVar("_T")

_TIME_OF = "SELECT time FROM events WHERE log = ? AND id <= ? ORDER BY id DESC LIMIT 1"


class History:
    """What was said, as it is read back.

    Args:
        path: the database.
        elsewhere: where it is read.
    """

    def __init__(self, path: Path, elsewhere: WorkerThread) -> None:
        self._connection = sqlite3.connect(path, timeout=2, check_same_thread=False)
        self._elsewhere = elsewhere
        self._pending = 0  # questions that are not answered yet

    def ask(self, question: Callable[[sqlite3.Connection], _T]) -> Deferred[_T]:
        """What the database answers to a question, which is asked in another thread."""
        self._pending += 1
        return self._elsewhere(lambda: question(self._connection)).addBoth(self._answered)

    def _answered(self, answer: _T) -> _T:
        self._pending -= 1
        return answer

    def after(self, log: KeptLog, number: int, limit: int) -> Deferred[Sequence[Entry]]:
        """See `Store.after`."""
        return self._page(log, "id > ? AND id <= ? ORDER BY id", number, limit)

    def before(self, log: KeptLog, number: int, limit: int) -> Deferred[Sequence[Entry]]:
        """See `Store.before`."""
        page = self._page(log, "id < ? AND id <= ? ORDER BY id DESC", number, limit)
        return page.addCallback(lambda entries: entries[::-1])

    def _page(self, log: KeptLog, which: str, number: int, limit: int) -> Deferred[Sequence[Entry]]:
        query = f"SELECT {COLUMNS} FROM events WHERE log = ? AND {which} LIMIT ?"  # noqa: S608 - ours
        values = log.number, number, log.last, limit  # what is not shown yet is no history yet
        return self.ask(
            lambda connection: [
                to_entry(log.room, row) for row in connection.execute(query, values).fetchall()
            ]
        )

    def number_at(self, log: KeptLog, time: float) -> Deferred[int]:
        """See `Store.number_at`."""
        newest = log.last

        def search(connection: sqlite3.Connection) -> int:
            def time_of(number: int) -> float | None:
                row = connection.execute(_TIME_OF, (log.number, number)).fetchone()
                return None if row is None else row[0]

            return last_older(newest, time, time_of)

        return self.ask(search)

    def stop(self) -> Deferred[None]:
        """Let go of the database once everything is read that was asked for."""
        if self._pending:
            return self.ask(sqlite3.Connection.close)
        self._connection.close()
        return succeed(None)
