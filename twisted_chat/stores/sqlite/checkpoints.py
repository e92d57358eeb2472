"""Checkpoints: the write-ahead log moves into the database while commits continue.

By itself SQLite does this at the end of a commit, every thousand pages, and waits for the disk
twice: on a memory card whose `fsync` takes 200 ms everybody stood still for half a second every
few hundred lines. Here it has a connection and a thread of its own.
"""

import sqlite3
from pathlib import Path

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_chat.stores import WorkerThread

_log = Logger(namespace="chat")

PAGES = 4_000
"""Pages of 4 kB that may wait in the write-ahead log: a thousand rooms may fill as many at once."""


class Checkpoints:
    """Empties the write-ahead log of a database from time to time.

    Args:
        path: the database.
        elsewhere: where that is done.
    """

    def __init__(self, path: Path, elsewhere: WorkerThread) -> None:
        self._connection = sqlite3.connect(path, timeout=2, check_same_thread=False)
        self._elsewhere = elsewhere
        self._waiting = 0
        self._under_way: Deferred[None] | None = None

    def committed(self, pages: int) -> None:
        """About so many pages more are in the write-ahead log."""
        self._waiting += pages
        if self._waiting >= PAGES and self._under_way is None:
            self._waiting = 0
            self._under_way = self._elsewhere(self._move)
            self._under_way.addErrback(self._failed)
            self._under_way.addCallback(self._done)

    def _move(self) -> None:
        self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def _failed(self, failure: Failure) -> None:
        """It is tried again soon, and when the log has grown large by the writer (`schema.py`)."""
        _log.warn("Cannot checkpoint the write-ahead log: {why}", why=failure.getErrorMessage())

    def _done(self, _: None) -> None:
        self._under_way = None

    def stop(self) -> Deferred[None]:
        """Let go of the database; fires when that is done."""
        under_way, stopped = self._under_way or succeed(None), Deferred[None]()

        def close(_: None) -> None:
            self._connection.close()
            stopped.callback(None)

        under_way.addCallback(close)
        return stopped
