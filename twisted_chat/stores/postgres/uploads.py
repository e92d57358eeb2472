"""Which contents of files are needed: those in rooms, and those that a server is taking just now.

All functions are for a connection in a transaction, and those with a digest `lock` it first.
"""

import errno

from twisted_chat.stores.postgres.schema import Connection

_GIVEN_UP = "another server has taken over"
_LOCK = b"SELECT pg_advisory_xact_lock(3, hashtext(current_schema() || %s))"

_UNNEEDED = """
NOT EXISTS (SELECT FROM uploads JOIN nodes USING (node) WHERE digest = %(digest)s)
AND NOT EXISTS (
    SELECT FROM state WHERE starts_with(name, 'file/') AND value->>'digest' = %(digest)s
    AND CASE WHEN jsonb_typeof(value->'until') = 'number'
        THEN (value->>'until')::double precision > %(now)s ELSE true END
)
"""


def begin(connection: Connection, key: str, node: int) -> None:
    """A content begins to come to a server."""
    query = b"INSERT INTO uploads (key, node) VALUES (%s, %s) ON CONFLICT DO NOTHING"
    connection.execute(query, (key, node))


def check(connection: Connection, key: str) -> None:
    """Make sure that what comes is not deleted by others before the transaction is over.

    Raises:
        OSError: it is deleted already, as this server was thought to be gone.
    """
    found = connection.execute(b"SELECT FROM uploads WHERE key = %s FOR KEY SHARE", (key,))
    if found.fetchone() is None:
        raise OSError(errno.ECANCELED, _GIVEN_UP)


def has_come(connection: Connection, key: str, digest: str) -> None:
    """A content has come, and is needed from now on.

    Raises:
        OSError: it is deleted already, as this server was thought to be gone.
    """
    lock(connection, digest)
    query = b"UPDATE uploads SET digest = %s WHERE key = %s"
    if connection.execute(query, (digest, key)).rowcount == 0:
        raise OSError(errno.ECANCELED, _GIVEN_UP)


def end(connection: Connection, key: str) -> str:
    """No more of a content comes; gives its digest if it has come, and an empty string if not."""
    query = b"DELETE FROM uploads WHERE key = %s RETURNING coalesce(digest, '')"
    row = connection.execute(query, (key,)).fetchone()
    return "" if row is None else str(row[0])


def coming(connection: Connection) -> set[str]:
    """The keys of what is coming to any server."""
    return {str(key) for (key,) in connection.execute(b"SELECT key FROM uploads")}


def abandoned(connection: Connection) -> list[str]:
    """The keys of what was coming to servers that are gone."""
    query = b"SELECT key FROM uploads WHERE node NOT IN (SELECT node FROM nodes)"
    return [str(key) for (key,) in connection.execute(query)]


def lock(connection: Connection, digest: str) -> None:
    """Nobody else deletes or keeps a content until the transaction is over."""
    connection.execute(_LOCK, (digest,))


def is_unneeded(connection: Connection, digest: str, now: float) -> bool:
    """Whether nobody needs a content.

    Args:
        connection: see above.
        digest: its name.
        now: the time of day, in seconds since 1970: nobody needs what is over.
    """
    query = f"SELECT {_UNNEEDED}"
    row = connection.execute(query.encode(), {"digest": digest, "now": now}).fetchone()
    return row is not None and bool(row[0])
