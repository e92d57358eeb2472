"""A disk that takes its time, and servers whose database is on it."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from tests.people import ChatTestCase, at_once, cheap_accounts
from twisted_chat import ChatFactory
from twisted_chat.chat.chat import Chat
from twisted_chat.chat.files import Files
from twisted_chat.stores.folder import FolderContents
from twisted_chat.stores.sqlite.store import SqliteStore
from twisted_chat.turn import Turn

_T = TypeVar("_T")


class Disk:
    """A disk whose work is done, and then told of, when the test says so.

    Args:
        full: what work ends with while it is full.
    """

    def __init__(self, full: Exception | None = None) -> None:
        self._full = full or sqlite3.OperationalError("database or disk is full")
        self.is_full = False
        self._work: list[Callable[[], Callable[[], None]]] = []
        self._done: list[Callable[[], None]] = []

    def __call__(self, work: Callable[[], _T]) -> Deferred[_T]:
        """Do some work, later."""
        done: Deferred[_T] = Deferred()

        def do() -> Callable[[], None]:
            if self.is_full:
                return lambda: done.errback(Failure(self._full))
            try:
                result = work()
            except Exception:
                failure = Failure()
                return lambda: done.errback(failure)
            return lambda: done.callback(result)

        self._work.append(do)
        return done

    def turns(self) -> None:
        """Do the work that has waited longest."""
        if self._work:
            self._done.append(self._work.pop(0)())

    def is_heard(self) -> None:
        """Tell of what was done first."""
        if self._done:
            self._done.pop(0)()

    @property
    def has_work(self) -> bool:
        """Whether there is anything left to do."""
        return bool(self._work)

    @property
    def has_news(self) -> bool:
        """Whether there is anything left to tell."""
        return bool(self._done)

    @property
    def is_busy(self) -> bool:
        """Whether there is anything left to do, or to tell."""
        return self.has_work or self.has_news


def let_go(store: SqliteStore) -> None:
    """Close what a store holds, as the end of its process does: nothing more is stored or read."""
    connections = (
        store._connection,
        store._lookup._connection,
        store._history._connection,
        store._checkpoints._connection,
    )
    for held in (*connections, store._lock):
        held.close()


class DiskTestCase(ChatTestCase):
    """A chat whose database is on a disk that does nothing by itself, and people in it."""

    def setUp(self) -> None:
        """An empty chat."""
        super().setUp()
        folder = Path(self.mktemp())
        folder.mkdir()
        self.path = folder / "chat.sqlite"
        self._start()
        self.addCleanup(self._close)

    def _start(self) -> None:
        turn = Turn(partial(self.clock.callLater, 0))
        self._open(turn)
        limits = replace(self.limits)
        accounts = cheap_accounts(self.clock, self.store, limits)
        contents = FolderContents(self.path.with_suffix(".files"), at_once)
        where = "http://chat.example"
        files = Files(contents, limits, self.clock, self.clock.seconds, lambda: where, 3600)
        chat = Chat(self.clock, self.store, turn, limits=limits, accounts=accounts, files=files)
        self.factory = ChatFactory(self.clock, chat=chat)

    def _open(self, turn: Turn) -> None:
        self.writing, self.reading = Disk(), Disk()
        self.store = SqliteStore(self.path, turn, self.writing, self.reading, at_once)

    def _close(self) -> None:
        let_go(self.store)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What stands in the database."""
        with closing(sqlite3.connect(self.path)) as database:
            return database.execute(query).fetchall()

    def the_disk_works(self) -> None:
        """Everything is done that there is to do, and told of."""
        self.clock.advance(0)
        while self.writing.is_busy or self.reading.is_busy:
            for disk in (self.writing, self.reading):
                disk.turns()
                disk.is_heard()
            self.clock.advance(0)

    def the_server_is_killed(self) -> None:
        """What the disk has not done is never done; another starts on the same database."""
        self._close()
        self._start()

    def the_server_is_restarted(self) -> None:
        """It stops in good order, and another starts on the same database."""
        self.factory.say_goodbye()
        stopped = self.store.stop()
        self.the_disk_works()
        self.successResultOf(stopped)
        self._start()
