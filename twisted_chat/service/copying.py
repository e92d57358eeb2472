"""Copying a whole database into another one, of whatever kind, with the same ids and sessions."""

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

from twisted_chat.service.kept_files import folder_of, needed_by
from twisted_chat.stores.records import ACCOUNT, SESSION
from twisted_chat.stores.rows import COLUMNS
from twisted_chat.stores.sqlite.lock import Lock
from twisted_chat.stores.sqlite.schema import open_database, open_to_read
from twisted_chat.stores.unusable import Unusable
from twisted_chat.text.counted import counted

TABLES = {
    "logs": "log, name, room",
    "events": f"log, {COLUMNS}, request",
    "state": "log, name, value",
    "sessions": SESSION,
    "accounts": f"{ACCOUNT}, key",
}
"""What a database keeps, and in which columns."""

Rows = Iterator[tuple[Any, ...]]


class Database(Protocol):
    """A database that no server uses, in a transaction."""

    epoch: str
    """What the numbers of its events belong to."""

    last_log: int
    """The greatest number that a log has ever had, which no other gets."""

    def rows(self, table: str) -> AbstractContextManager[Rows]:
        """What stands in one of `TABLES`."""

    def fill(self, table: str, rows: Rows) -> int:
        """Put rows into one of `TABLES`; gives how many."""

    def finish(self, epoch: str, last_log: int) -> None:
        """Everything is there: these are from where it was copied."""


class SqliteDatabase:
    """A `Database` in a file.

    Args:
        connection: the file.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.epoch: str = self._one("SELECT epoch FROM server")
        self.last_log: int = self._one("SELECT seq FROM sqlite_sequence WHERE name = 'logs'")

    def _one(self, query: str) -> Any:
        return self._connection.execute(query).fetchone()[0]

    @contextmanager
    def rows(self, table: str) -> Iterator[Rows]:
        """See `Database.rows`."""
        query = f"SELECT {TABLES[table]} FROM {_in_sqlite(table)}"  # noqa: S608 - ours
        yield self._connection.execute(query)

    def fill(self, table: str, rows: Rows) -> int:
        """See `Database.fill`."""
        marks = ", ".join("?" * len(TABLES[table].split(",")))
        into = f"INSERT INTO {_in_sqlite(table)} ({TABLES[table]}) VALUES ({marks})"  # noqa: S608 - ours
        return max(0, self._connection.executemany(into, rows).rowcount)

    def finish(self, epoch: str, last_log: int) -> None:
        """See `Database.finish`."""
        self._connection.execute("UPDATE server SET epoch = ?", (epoch,))
        change = "UPDATE sqlite_sequence SET seq = ? WHERE name = 'logs'"
        self._connection.execute(change, (last_log,))


def _in_sqlite(table: str) -> str:
    return "seats" if table == "sessions" else table


def copy(source: Path | str, target: Path | str, folder: Path | None = None) -> str:
    """Copy everything into a database that is empty; says what that was.

    The contents of people's files stay in their folder, which belongs to both of them.

    Args:
        source: a file, or the address of a PostgreSQL database, which no server uses.
        target: the same; it is made if it is not there.
        folder: of people's files, if the operator has named it.

    Raises:
        Unusable: why not; then nothing is copied.
    """
    counts = {}
    with _opened(source, is_target=False) as old, _opened(target, is_target=True) as new:
        for table in ("logs", "sessions", "accounts"):
            with new.rows(table) as rows:
                if next(rows, None) is not None:
                    raise Unusable("there is something in the other database: choose an empty one")
        for table in TABLES:
            with old.rows(table) as rows:
                counts[table] = new.fill(table, rows)
        new.finish(old.epoch, old.last_log)
        with new.rows("state") as rows:
            files = needed_by((name, value) for _, name, value in rows)
    told = [counted(counts[f"{what}s"], what) for what in ("event", "log", "account", "session")]
    contents = counted(len(files), "file")
    left = folder or folder_of(source if isinstance(source, Path) else Path("chat"))
    return (
        "copied "
        + ", ".join(told)
        + (
            f"; the contents of {contents} stay in {left}: start the server with --files {left}"
            if files
            else ""
        )
    )


def _opened(place: Path | str, *, is_target: bool) -> AbstractContextManager[Database]:
    if isinstance(place, Path):
        return _new_file(place) if is_target else _old_file(place)
    from twisted_chat.service.postgres_tools import opened  # an extra

    return opened(place, is_target=is_target)


@contextmanager
def _old_file(path: Path) -> Iterator[Database]:
    if not path.exists():
        raise Unusable(f"there is no database {path}: give its path with --db")
    with Lock(path), closing(open_to_read(path)) as connection:
        yield SqliteDatabase(connection)


@contextmanager
def _new_file(path: Path) -> Iterator[Database]:
    with Lock(path):
        is_new = not path.exists()
        try:
            with closing(open_database(path, full=True)) as connection:
                connection.execute("BEGIN IMMEDIATE")
                yield SqliteDatabase(connection)
                connection.execute("COMMIT")
        except BaseException:
            if is_new:
                path.unlink(missing_ok=True)
            raise
