"""Contents of files in the database, in pieces."""

import errno
import os
from collections.abc import Callable, Collection

from twisted.internet.defer import Deferred

from twisted_chat.stores.contents import Content, Incoming, not_deleted
from twisted_chat.stores.postgres import uploads
from twisted_chat.stores.postgres.schema import Connection
from twisted_chat.stores.postgres.steady import SteadyConnection

PIECE = 256 * 1024
"""Bytes of a content in one row."""

_WRITE = (
    b"INSERT INTO chunks (key, place, data) VALUES (%s, %s, %b)"
    b" ON CONFLICT (key, place) DO UPDATE SET data = excluded.data"
)
_READ = b"SELECT substr(data, %s, %s) FROM chunks WHERE key = %s AND place = %s"
_HAS = b"SELECT FROM chunks WHERE key = %s AND place = 0"
_DROP = b"DELETE FROM chunks WHERE key = %s"
_COMPLETE = b"SELECT key FROM chunks WHERE place = 0 AND length(key) = 64"
_LOST = (
    b"SELECT DISTINCT value->>'digest' FROM state WHERE starts_with(name, 'file/')"
    b" AND NOT EXISTS (SELECT FROM chunks WHERE key = value->>'digest' AND place = 0)"
)


class _InDatabase(Incoming):
    """A content on its way into the database, under a name of its own until it is kept."""

    def __init__(self, database: SteadyConnection, node: int) -> None:
        super().__init__(database.do)
        self._database = database
        self._node = node
        self._rest = bytearray()  # that fills no piece yet
        self._pieces = 0

    def _write(self, data: bytes) -> None:
        self._rest += data
        while len(self._rest) >= PIECE:
            self._put(bytes(self._rest[:PIECE]))
            del self._rest[:PIECE]

    def _finish(self) -> None:
        if self._rest or not self._pieces:
            self._put(bytes(self._rest))
            self._rest.clear()

    def _put(self, data: bytes) -> None:
        place, self._pieces = self._pieces, self._pieces + 1

        def put(connection: Connection) -> None:
            with connection.transaction():
                if place == 0:
                    uploads.begin(connection, self._key, self._node)
                uploads.check(connection, self._key)
                connection.execute(_WRITE, (self._key, place, data))

        self._database.use(put)

    def _keep(self, digest: str) -> None:
        def keep(connection: Connection) -> None:
            with connection.transaction():
                uploads.has_come(connection, self._key, digest)
                if connection.execute(_HAS, (digest,)).fetchone() is None:
                    change = b"UPDATE chunks SET key = %s WHERE key = %s"
                    connection.execute(change, (digest, self._key))
                else:
                    connection.execute(_DROP, (self._key,))

        self._database.use(keep)

    def _drop(self) -> None:
        def drop(connection: Connection) -> None:
            with connection.transaction():
                uploads.end(connection, self._key)
                connection.execute(_DROP, (self._key,))

        self._rest.clear()
        if self._pieces:
            self._database.use(drop)


class _Stored:
    """A `Content` in the database."""

    def __init__(self, database: SteadyConnection, digest: str) -> None:
        self._database = database
        self._digest = digest

    def read(self, place: int, size: int) -> Deferred[bytes]:
        """See `Content.read`; no more than there is in one piece."""
        piece, before = divmod(place, PIECE)
        values = before + 1, size, self._digest, piece

        def read(connection: Connection) -> bytes:
            row = connection.execute(_READ, values, binary=True).fetchone()
            return b"" if row is None else bytes(row[0])

        return self._database.do(lambda: self._database.use(read))

    def close(self) -> None:
        """See `Content.close`."""


class DatabaseContents:
    """`Contents` in the database.

    Args:
        database: a connection of their own.
        node: the number of this server, which is in `nodes` as long as it runs.
        now: gives the time of day, in seconds since 1970.

    Raises:
        OSError: the database cannot be used.
    """

    def __init__(self, database: SteadyConnection, node: int, now: Callable[[], float]) -> None:
        self._database = database
        self._node = node
        self._now = now
        self._clear_away()
        self.there: Collection[str] = self._digests(_COMPLETE)
        """See `Contents.there`."""
        self._lost = self._digests(_LOST)

    def _digests(self, query: bytes) -> set[str]:
        return self._database.use(
            lambda connection: {str(key) for (key,) in connection.execute(query)}
        )

    def clear_away(self) -> None:
        """See `Contents.clear_away`."""
        self._database.do(self._clear_away).addErrback(not_deleted)

    def _clear_away(self) -> None:
        def clear(connection: Connection) -> None:
            for key in uploads.abandoned(connection):
                with connection.transaction():
                    digest = uploads.end(connection, key)
                    connection.execute(_DROP, (key,))
                self._delete(connection, digest)

        self._database.use(clear)

    def has(self, digest: str) -> bool:
        """See `Contents.has`: what is named later than at the start is there."""
        return digest not in self._lost

    def belong_to(self, epoch: str) -> bool:
        """See `Contents.belong_to`."""
        del epoch  # they are where the files are
        return True

    def begin(self) -> Incoming:
        """See `Contents.begin`."""
        return _InDatabase(self._database, self._node)

    def delete(self, digest: str) -> None:
        """See `Contents.delete`."""

        def delete(connection: Connection) -> None:
            self._delete(connection, digest)

        self._database.do(lambda: self._database.use(delete)).addErrback(not_deleted)

    def _delete(self, connection: Connection, digest: str) -> None:
        with connection.transaction():
            uploads.lock(connection, digest)
            if uploads.is_unneeded(connection, digest, self._now()):
                connection.execute(_DROP, (digest,))

    def open(self, digest: str) -> Deferred[Content]:
        """See `Contents.open`."""

        def find(connection: Connection) -> Content:
            if connection.execute(_HAS, (digest,)).fetchone() is None:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            return _Stored(self._database, digest)

        return self._database.do(lambda: self._database.use(find))

    def stop(self) -> Deferred[None]:
        """See `Contents.stop`."""
        return self._database.stop()
