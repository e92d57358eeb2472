"""A file as the operator's commands read and change it."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from twisted_chat.service.database import TABLES
from twisted_chat.service.kept_files import KeptInFolder, folder_of
from twisted_chat.stores.rows import Row
from twisted_chat.stores.sqlite import strays
from twisted_chat.stores.sqlite.lock import Lock
from twisted_chat.stores.sqlite.schema import open_database, open_to_read
from twisted_chat.stores.unusable import Unusable


class SqliteDatabase:
    """A `Database` in a file.

    Args:
        connection: the file.
        path: where it is.
    """

    sessions = "seats"

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self.where = str(path)
        self.contents = KeptInFolder(folder_of(path))
        self.epoch: str = self._one("SELECT epoch FROM server")
        self.last_log: int = self._one("SELECT seq FROM sqlite_sequence WHERE name = 'logs'")

    def _one(self, query: str) -> Any:
        return self._connection.execute(query).fetchone()[0]

    def read(self, query: str, *values: object) -> Iterator[Row]:
        """See `Database.read`."""
        return self._connection.execute(query, values)

    def write(self, query: str, *values: object) -> int:
        """See `Database.write`."""
        return self._connection.execute(query, values).rowcount

    def write_all(self, query: str, rows: Iterable[Row]) -> int:
        """See `Database.write_all`."""
        return max(0, self._connection.executemany(query, rows).rowcount)

    def fill(self, table: str, rows: Iterable[Row]) -> int:
        """See `Database.fill`."""
        marks = ", ".join("?" * len(TABLES[table].split(",")))
        into = f"INSERT INTO {self._called(table)} ({TABLES[table]}) VALUES ({marks})"  # noqa: S608 - ours
        return self.write_all(into, rows)

    def rows(self, table: str) -> Iterator[Row]:
        """See `Database.rows`."""
        return self.read(f"SELECT {TABLES[table]} FROM {self._called(table)}")  # noqa: S608 - ours

    def _called(self, table: str) -> str:
        return self.sessions if table == "sessions" else table

    def become(self, epoch: str, last_log: int) -> None:
        """See `Database.become`."""
        self.write("UPDATE server SET epoch = ?", epoch)
        self.write("UPDATE sqlite_sequence SET seq = ? WHERE name = 'logs'", last_log)

    def count_on(self) -> None:
        """See `Database.count_on`: they do."""

    def damage(self) -> str:
        """See `Database.damage`."""
        found = str(self._one("PRAGMA integrity_check(1)"))
        return "" if found == "ok" else found

    def strays(self) -> Mapping[str, int]:
        """See `Database.strays`."""
        return strays.find(self._connection)

    def abandoned(self) -> int:
        """See `Database.abandoned`."""
        return strays.abandoned(self._connection)


@contextmanager
def reading(path: Path, *, is_alone: bool) -> Iterator[SqliteDatabase]:
    """See `opening.reading`."""
    lock = Lock(path) if is_alone else nullcontext()
    with lock, closing(open_to_read(path)) as connection:
        yield SqliteDatabase(connection, path)


@contextmanager
def changing(path: Path, *, erases: bool) -> Iterator[SqliteDatabase]:
    """See `opening.changing`; what did not exist before does not exist either if that fails."""
    with Lock(path):
        is_new = not path.exists()
        try:
            with closing(open_database(path, full=True)) as connection:
                if erases:
                    connection.execute("PRAGMA secure_delete = ON")
                connection.execute("BEGIN IMMEDIATE")
                yield SqliteDatabase(connection, path)
                connection.execute("COMMIT")
                if erases:
                    _truncate(connection, path)
        except BaseException:
            if is_new:
                path.unlink(missing_ok=True)
            raise


def _truncate(connection: sqlite3.Connection, path: Path) -> None:
    """Make sure that the log beside the file holds nothing any more.

    Raises:
        Unusable: it still does.
    """
    is_read, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if is_read:
        raise Unusable(
            f"all of it is erased, but another program reads {path}, so its files still hold the "
            "old text: end that program, and erase again"
        )
