"""A PostgreSQL database as the operator's commands read and change it."""

import errno
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from itertools import count

import psycopg

from twisted_chat.service.database import TABLES, missing
from twisted_chat.stores.postgres import schema
from twisted_chat.stores.postgres.connection import check_engine, connect, name, understood
from twisted_chat.stores.postgres.contents import PIECE
from twisted_chat.stores.rows import Row
from twisted_chat.stores.unusable import Unusable

PATIENCE = 5.0
"""Seconds for which those are waited for who read what is erased."""

_LAST_LOG = "SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence('logs', 'log')), 0)"

_STRAYS = """
SELECT coalesce(name, 'log ' || log) AS place, count(*) FROM events LEFT JOIN logs USING (log)
WHERE name IS NULL OR (kind = 'whisper' AND starts_with(name, '#')) GROUP BY place
"""
"""In a log that is nobody's, and whispers that everybody in a room can read."""

_ABANDONED = """
SELECT count(*) FROM logs JOIN events USING (log) WHERE starts_with(name, '@') AND substr(name, 2)
NOT IN (SELECT id FROM sessions UNION SELECT person FROM sessions UNION SELECT id FROM accounts)
"""

_NUMBERED_TWICE = """
SELECT room FROM logs WHERE last < (SELECT max(id) FROM events WHERE log = logs.log) LIMIT 1
"""
"""A room whose next event would have the number of one that is there."""

_ERASED = ("events", "state", "sessions")
"""Tables whose old rows are gone for good after an erasure."""


class _KeptContents:
    """See `KeptContents`."""

    where = "the database"

    def __init__(self, database: "PostgresDatabase") -> None:
        self._database = database
        self.are_fewer = False
        """Whether some have been deleted."""

    def there(self) -> set[str]:
        """See `KeptContents.there`."""
        query = "SELECT key FROM chunks WHERE place = 0 AND length(key) = 64"
        return {str(key) for (key,) in self._database.read(query)}

    def pieces(self, digest: str) -> Iterator[bytes]:
        """See `KeptContents.pieces`."""
        query = "SELECT data FROM chunks WHERE key = ? AND place = ?"
        for place in count():
            row = self._database.one(query, digest, place)
            if row is not None:
                yield bytes(row[0])
            elif place == 0:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            else:
                return

    def put(self, digest: str, pieces: Iterable[bytes]) -> None:
        """See `KeptContents.put`."""
        into = "INSERT INTO chunks (key, place, data) VALUES (?, ?, ?)"
        for place, data in enumerate(_of_one_size(pieces)):
            self._database.write(into, digest, place, data)

    def delete(self, digests: Iterable[str]) -> None:
        """See `KeptContents.delete`."""
        for digest in digests:
            self.are_fewer = True
            self._database.write("DELETE FROM chunks WHERE key = ?", digest)


def _of_one_size(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of `PIECE`, the last one shorter; one of them at least."""
    rest = bytearray()
    number = 0
    for each in pieces:
        rest += each
        while len(rest) >= PIECE:
            number += 1
            yield bytes(rest[:PIECE])
            del rest[:PIECE]
    if rest or not number:
        yield bytes(rest)


class PostgresDatabase:
    """A `Database` in PostgreSQL.

    Args:
        connection: to it, in a transaction.
        where: what it is called.
    """

    sessions = "sessions"

    def __init__(self, connection: schema.Connection, where: str) -> None:
        self._connection = connection
        self._cursors = count(1)
        self.where = where
        self.contents = _KeptContents(self)
        self.epoch = schema.epoch(connection)
        row = self.one(_LAST_LOG)
        self.last_log: int = row[0] if row else 0

    def one(self, query: str, *values: object) -> Row | None:
        """The first row that a query gives, if it gives any."""
        return self._connection.execute(_translated(query), values).fetchone()

    def read(self, query: str, *values: object) -> Iterator[Row]:
        """See `Database.read`."""
        with self._connection.cursor(f"read_{next(self._cursors)}") as cursor:
            yield from cursor.execute(_translated(query), values)

    def write(self, query: str, *values: object) -> int:
        """See `Database.write`."""
        return self._connection.execute(_translated(query), values).rowcount

    def write_all(self, query: str, rows: Iterable[Row]) -> int:
        """See `Database.write_all`."""
        with self._connection.cursor() as cursor:
            cursor.executemany(_translated(query), rows)
            return max(0, cursor.rowcount)

    def fill(self, table: str, rows: Iterable[Row]) -> int:
        """See `Database.fill`."""
        into = f"COPY {table} ({TABLES[table]}) FROM STDIN"
        with self._connection.cursor() as cursor:
            with cursor.copy(into.encode()) as copy:
                for row in rows:
                    copy.write_row(row)
            return cursor.rowcount

    def rows(self, table: str) -> Iterator[Row]:
        """See `Database.rows`."""
        columns = TABLES[table].replace("value", "value::text")
        return self.read(f"SELECT {columns} FROM {table}")  # noqa: S608 - ours

    def become(self, epoch: str, last_log: int) -> None:
        """See `Database.become`."""
        self.write("UPDATE server SET epoch = ?", epoch)
        self.count_on()
        if last_log:
            self.one("SELECT setval(pg_get_serial_sequence('logs', 'log'), ?)", last_log)

    def count_on(self) -> None:
        """See `Database.count_on`."""
        newest = "SELECT max(id) FROM events WHERE log = logs.log"
        self.write(f"UPDATE logs SET last = coalesce(({newest}), last)")  # noqa: S608 - ours
        self.one("SELECT setval('requests', max(request)) FROM events WHERE request IS NOT NULL")

    def damage(self) -> str:
        """See `Database.damage`; the rest is PostgreSQL's own to look after."""
        row = self.one(_NUMBERED_TWICE)
        return "" if row is None else f"{row[0]} would give a number twice"

    def strays(self) -> Mapping[str, int]:
        """See `Database.strays`."""
        return dict(self.read(_STRAYS))

    def abandoned(self) -> int:
        """See `Database.abandoned`."""
        row = self.one(_ABANDONED)
        return int(row[0]) if row else 0


def _translated(query: str) -> bytes:
    return query.replace("?", "%s").encode()


@contextmanager
def reading(url: str, *, is_alone: bool) -> Iterator[PostgresDatabase]:
    """See `opening.reading`."""
    where = name(url)
    with closing(connect(url)) as connection, understood(url):
        check_engine(connection, url)
        if is_alone:
            _be_alone(connection, where)
        _check_version(connection, where)
        with connection.transaction():
            yield PostgresDatabase(connection, where)


def _check_version(connection: schema.Connection, where: str) -> None:
    version = schema.version_of(connection, where)
    if not version:
        raise missing(f"{where} has no chat")
    if version != schema.VERSION:
        raise Unusable(
            f"{where} is of version {version}, which is older than this program's "
            f"({schema.VERSION}): start the server with it once, which brings it up to date"
        )


def _be_alone(connection: schema.Connection, where: str) -> None:
    if not schema.lock(connection):
        raise Unusable(f"a twisted-chat uses {where}: stop it first")


@contextmanager
def changing(url: str, *, is_new: bool, erases: bool) -> Iterator[PostgresDatabase]:
    """See `opening.changing`."""
    where = name(url)
    with closing(connect(url)) as connection, understood(url):
        check_engine(connection, url)
        if not is_new and not schema.version_of(connection, where):
            raise missing(f"{where} has no chat")
        _be_alone(connection, where)
        schema.migrate(connection, where)
        with connection.transaction():
            database = PostgresDatabase(connection, where)
            yield database
        if erases:
            files = ("chunks",) if database.contents.are_fewer else ()
            _write_anew(connection, where, (*_ERASED, *files))


def _write_anew(connection: schema.Connection, where: str, tables: Iterable[str]) -> None:
    """Write what is there into new files, since the old ones hold what was deleted.

    Raises:
        Unusable: they still do.
    """
    connection.execute(f"SET lock_timeout = {int(1000 * PATIENCE)}".encode())
    try:
        for table in tables:
            connection.execute(f"VACUUM FULL {table}".encode())
    except psycopg.errors.LockNotAvailable as error:
        raise Unusable(
            f"all of it is erased, but another program reads {where}, so its files still hold the "
            "old text: end that program, and erase again"
        ) from error
