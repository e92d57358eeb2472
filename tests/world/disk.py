"""The disk: slow, full and unreadable, with "it is done" apart from "we heard of it"."""

import sqlite3
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

_T = TypeVar("_T")


class Trouble(sqlite3.OperationalError):
    """What the world has brought about: whoever logs it has not failed."""


class Fickle(sqlite3.Connection):
    """A connection to a database that fails where the world says so."""

    where = ""
    """Which statements fail just now: `begin`, `rows`, `commit`, `read`, or none."""

    def execute(self, sql: str, *rest: Any) -> sqlite3.Cursor:
        """See `sqlite3.Connection`."""
        if Fickle.where:
            _fail(sql)
        return super().execute(sql, *rest)

    def executemany(self, sql: str, rows: Any, /) -> sqlite3.Cursor:
        """See `sqlite3.Connection`."""
        if Fickle.where and rows:
            _fail(sql)
        return super().executemany(sql, rows)


_FAILING = {
    "begin": ("BEGIN",),
    "rows": ("INSERT", "UPDATE", "DELETE"),
    "commit": ("COMMIT",),
    "read": ("SELECT",),
}


def _fail(sql: str) -> None:
    if sql.lstrip().upper().startswith(_FAILING[Fickle.where]):
        what = "disk I/O error" if Fickle.where == "read" else "database or disk is full"
        raise Trouble(what)


class Disk:
    """A thread of the server's, whose work is done, and heard of, when the world says so.

    Args:
        done: called when some work was done.
    """

    def __init__(self, done: Callable[[], None] = lambda: None) -> None:
        self.trouble = ""
        self._done = done
        self._work: deque[Callable[[], Callable[[], None]]] = deque()
        self._news: deque[Callable[[], None]] = deque()

    def __call__(self, work: Callable[[], _T]) -> Deferred[_T]:
        """See `WorkerThread`."""
        told: Deferred[_T] = Deferred()

        def do() -> Callable[[], None]:
            try:
                result = work()
            except Exception:
                failure = Failure()
                failure.cleanFailure()
                return lambda: told.errback(failure)
            return lambda: told.callback(result)

        self._work.append(do)
        return told

    def works(self) -> bool:
        """Do what has waited longest."""
        if not self._work:
            return False
        Fickle.where = self.trouble
        try:
            self._news.append(self._work.popleft()())
        finally:
            Fickle.where = ""
        self._done()
        return True

    def is_heard(self) -> bool:
        """Tell the server of what was done first."""
        if not self._news:
            return False
        self._news.popleft()()
        return True

    @property
    def is_busy(self) -> bool:
        """Whether there is anything to do or to tell."""
        return bool(self._work or self._news)
