"""The database: its tables, and migrations between versions."""

import secrets
from typing import Any, TypeAlias

import psycopg

from twisted_chat.stores.postgres.functions import STORE_GROUP, TELL_NEWS
from twisted_chat.stores.postgres.membership import CATCH_UP, LEAVE
from twisted_chat.stores.unusable import Unusable

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

VERSION = 3

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
        "DELETE FROM nodes",  # nobody uses it just now
        """
        ALTER TABLE nodes
            ADD until timestamptz NOT NULL DEFAULT clock_timestamp(),
            ADD since timestamptz NOT NULL DEFAULT clock_timestamp()
        """,
        "CREATE TABLE shared (name text PRIMARY KEY, value jsonb NOT NULL)",
        "CREATE TABLE claims (key text PRIMARY KEY, holder text NOT NULL, node bigint NOT NULL)",
        "CREATE TABLE clients (client text PRIMARY KEY, node bigint NOT NULL)",
        "DROP FUNCTION IF EXISTS store_group(bigint, bigint, jsonb)",
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
`nodes` stands the last group that each server has stored, and what it was answered; and until when
it has its lease, and since when without a break. `chunks` has the contents of files, uncompressed,
so that a part of one can be read; `key` is their digest, or that of `uploads` as long as they are
coming. In `uploads`, `digest` is set once a content has come, and a row stands until the event that
shows the file is stored.
"""

_SERVING = 2
"""The kind of the lock that servers share."""

_MIGRATING = 4
"""The kind of the lock that is held while tables are created."""


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

    The arguments are those of `version_of`; the connection has the `lock`, maybe with others.

    Raises:
        Unusable: why not.
    """
    try:
        with connection.transaction():
            _one(
                connection,
                "SELECT pg_advisory_xact_lock(%s, hashtext(current_schema()))",
                _MIGRATING,
            )
            version = version_of(connection, where)
            for statement in (each for made in _MIGRATIONS[version:] for each in made):
                connection.execute(statement.encode())
            if version == 0:
                connection.execute("INSERT INTO server VALUES (%s, 0)", (secrets.token_hex(8),))
            connection.execute("UPDATE server SET version = %s", (VERSION,))
            for function in (TELL_NEWS, STORE_GROUP, CATCH_UP, LEAVE):
                connection.execute(function.encode())
    except psycopg.errors.DuplicateTable as error:
        raise Unusable(
            f"{where} has tables of another program: create a database for the chat alone"
        ) from error
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.InvalidSchemaName) as error:
        raise Unusable(
            f"{where} does not let this user create tables: make the user its owner"
        ) from error


def lock(connection: Connection, patience: float = 0, *, shared: bool = False) -> bool:
    """Whether nobody else uses the database, as long as this connection is open.

    Args:
        connection: to the database.
        patience: seconds in which the connection of a server that was killed may be noticed.
        shared: whether others may use it who share it too, as servers do.
    """
    milliseconds = str(max(1, int(1000 * patience)))  # 0 is for ever
    how = "pg_advisory_lock_shared" if shared else "pg_advisory_lock"
    try:
        with connection.transaction():
            _one(connection, "SELECT set_config('lock_timeout', %s, true)", milliseconds)
            _one(connection, f"SELECT {how}(%s, hashtext(current_schema()))", _SERVING)
    except psycopg.errors.LockNotAvailable:
        return False
    return True


def epoch(connection: Connection) -> str:
    """See `Store.epoch`."""
    return str(_one(connection, "SELECT epoch FROM server")[0])


def _one(connection: Connection, query: str, *values: object) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = connection.execute(query.encode(), values).fetchone()
    assert row is not None  # noqa: S101 - each of these queries has an answer
    return row
