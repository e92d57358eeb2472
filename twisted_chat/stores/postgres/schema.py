"""The database: its tables, and migrations between versions."""

import secrets
from typing import Any, TypeAlias

import psycopg

from twisted_chat.stores.postgres.functions import STORE_GROUP
from twisted_chat.stores.unusable import Unusable

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

VERSION = 2

_MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE server (epoch text NOT NULL, version int NOT NULL)
        """,
        """
        CREATE TABLE nodes (
            node bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            done bigint NOT NULL DEFAULT 0,
            answer jsonb
        )
        """,
        """
        CREATE TABLE logs (
            log bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            name text NOT NULL UNIQUE,
            room text NOT NULL,
            last bigint NOT NULL DEFAULT 0
        ) WITH (fillfactor = 50)
        """,
        """
        CREATE TABLE events (
            log bigint NOT NULL,
            id bigint NOT NULL,
            time double precision NOT NULL,
            kind text NOT NULL,
            sender text NOT NULL,
            recipient text,
            text text,
            author text NOT NULL,
            ref text,
            client text,
            more text,
            request bigint,
            PRIMARY KEY (log, id)
        )
        """,
        "CREATE INDEX refs ON events (coalesce(client, author), request) WHERE request IS NOT NULL",
        "CREATE SEQUENCE requests",
        """
        CREATE TABLE state (
            log bigint NOT NULL,
            name text NOT NULL,
            value jsonb NOT NULL,
            PRIMARY KEY (log, name)
        )
        """,
        """
        CREATE TABLE sessions (
            id text PRIMARY KEY,
            person text NOT NULL,
            token text NOT NULL,
            nickname text NOT NULL,
            address text NOT NULL,
            since double precision NOT NULL,
            room text NOT NULL,
            away text,
            quiet boolean NOT NULL,
            account text NOT NULL,
            until double precision NOT NULL,
            asleep boolean NOT NULL,
            displaced boolean NOT NULL,
            rooms text NOT NULL,
            ignored text NOT NULL,
            former text NOT NULL,
            done text NOT NULL
        )
        """,
        "CREATE INDEX persons ON sessions (person)",
        """
        CREATE TABLE accounts (
            id text PRIMARY KEY,
            name text NOT NULL,
            password text NOT NULL,
            created double precision NOT NULL,
            used double precision NOT NULL,
            places text NOT NULL,
            locked boolean NOT NULL,
            admin boolean NOT NULL,
            settings text NOT NULL,
            key text NOT NULL UNIQUE
        )
        """,
    ),
    (
        """
        CREATE TABLE chunks (
            key text NOT NULL,
            place bigint NOT NULL,
            data bytea NOT NULL,
            PRIMARY KEY (key, place)
        )
        """,
        "ALTER TABLE chunks ALTER data SET STORAGE EXTERNAL",
        "CREATE TABLE uploads (key text PRIMARY KEY, node bigint NOT NULL, digest text)",
        """
        CREATE INDEX files ON state USING hash ((value->>'digest'))
            WHERE starts_with(name, 'file/')
        """,
    ),
)
"""What makes version N + 1 of version N; a released one never changes.

In `events`, `client` is NULL where it is the author, `more` has as JSON what an event holds that
has no column of its own, and `request` counts those with a `ref` in the order of storing them. In
`nodes` stands the last group that each server has stored, and what it was answered. `chunks` has
the contents of files, uncompressed, so that a part of one can be read; `key` is their digest, or
that of `uploads` as long as they are coming. In `uploads`, `digest` is set once a content has come,
and a row stands until the event that shows the file is stored.
"""

_SERVING = 2
"""The kind of the lock that the only server has."""


def version_of(connection: Connection, where: str) -> int:
    """Which version the tables are of; 0 if there are none.

    Args:
        connection: to the database.
        where: what the database is called.

    Raises:
        Unusable: they are of a version that is not known here.
    """
    (found,) = _one(connection, "SELECT to_regclass('server')")
    version = int(_one(connection, "SELECT version FROM server")[0]) if found else 0
    if version > VERSION:
        raise Unusable(
            f"{where} is of version {version}, which is newer than this program's ({VERSION}): "
            "install a newer twisted-chat, or choose another database with --db"
        )
    return version


def migrate(connection: Connection, where: str) -> None:
    """Create the tables, or bring them up to date, and the function that belongs to this program.

    The arguments are those of `version_of`; the connection has the `lock`.

    Raises:
        Unusable: why not.
    """
    try:
        with connection.transaction():
            version = version_of(connection, where)
            for statement in (each for made in _MIGRATIONS[version:] for each in made):
                connection.execute(statement.encode())
            if version == 0:
                connection.execute("INSERT INTO server VALUES (%s, 0)", (secrets.token_hex(8),))
            connection.execute("UPDATE server SET version = %s", (VERSION,))
            connection.execute(STORE_GROUP.encode())
    except psycopg.errors.DuplicateTable as error:
        raise Unusable(
            f"{where} has tables of another program: create a database for the chat alone"
        ) from error
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.InvalidSchemaName) as error:
        raise Unusable(
            f"{where} does not let this user create tables: make the user its owner"
        ) from error


def lock(connection: Connection, patience: float = 0) -> bool:
    """Whether this is the connection of the only server, as long as it is open.

    Args:
        connection: to the database.
        patience: seconds in which the connection of a server that was killed may be noticed.
    """
    milliseconds = str(max(1, int(1000 * patience)))  # 0 is for ever
    try:
        with connection.transaction():
            _one(connection, "SELECT set_config('lock_timeout', %s, true)", milliseconds)
            _one(connection, "SELECT pg_advisory_lock(%s, hashtext(current_schema()))", _SERVING)
    except psycopg.errors.LockNotAvailable:
        return False
    return True


def register(connection: Connection) -> int:
    """Become the server that writes, and whoever wrote before does not any more; gives a number."""
    with connection.transaction():
        connection.execute("DELETE FROM nodes")
        (node,) = _one(connection, "INSERT INTO nodes DEFAULT VALUES RETURNING node")
    return int(node)


def last_group(connection: Connection, node: int) -> tuple[int, Any] | None:
    """The last group that a server has stored, and what it was answered.

    None if another server has registered since.
    """
    query = b"SELECT done, answer FROM nodes WHERE node = %s"
    row = connection.execute(query, (node,)).fetchone()
    return None if row is None else (row[0], row[1])


def delete_abandoned(connection: Connection) -> None:
    """Delete own logs of people who cannot come back, before anybody uses the database."""
    connection.execute(
        "WITH gone AS (DELETE FROM logs WHERE starts_with(name, '@') AND substr(name, 2) NOT IN"
        " (SELECT id FROM sessions UNION SELECT person FROM sessions UNION SELECT id FROM accounts)"
        " RETURNING log), stated AS (DELETE FROM state USING gone WHERE state.log = gone.log)"
        " DELETE FROM events USING gone WHERE events.log = gone.log"
    )


def epoch(connection: Connection) -> str:
    """See `Store.epoch`."""
    return str(_one(connection, "SELECT epoch FROM server")[0])


def _one(connection: Connection, query: str, *values: object) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = connection.execute(query.encode(), values).fetchone()
    assert row is not None  # noqa: S101 - each of these queries has an answer
    return row
