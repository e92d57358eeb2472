"""The database: its tables, migrations between versions, and what keeps it from being used."""

import secrets
import sqlite3
from collections.abc import Callable
from pathlib import Path

from twisted_chat.stores.sentences import unchanged, unsaved, unseen
from twisted_chat.stores.sqlite import accounts, strays
from twisted_chat.stores.sqlite.private import make_private
from twisted_chat.stores.unusable import Unusable

VERSION = 7

_MIGRATIONS = (
    """
    CREATE TABLE logs (
        log INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        room TEXT NOT NULL,
        topic TEXT NOT NULL DEFAULT ''
    );
    CREATE TABLE events (
        log INTEGER NOT NULL,
        id INTEGER NOT NULL,
        time REAL NOT NULL,
        kind TEXT NOT NULL,
        sender TEXT NOT NULL,
        recipient TEXT,
        text TEXT,
        origin TEXT NOT NULL,
        ref TEXT,
        PRIMARY KEY (log, id)
    ) WITHOUT ROWID;
    CREATE INDEX refs ON events (origin, time) WHERE ref IS NOT NULL;
    CREATE TABLE seats (
        id TEXT PRIMARY KEY,
        token TEXT NOT NULL,
        nickname TEXT NOT NULL,
        address TEXT NOT NULL,
        since REAL NOT NULL,
        rooms TEXT NOT NULL
    ) WITHOUT ROWID;
    """,
    """
    CREATE TABLE numbered_logs (
        log INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        room TEXT NOT NULL,
        topic TEXT NOT NULL DEFAULT ''
    );
    INSERT INTO numbered_logs SELECT log, name, room, topic FROM logs;
    DROP TABLE logs;
    ALTER TABLE numbered_logs RENAME TO logs;
    DELETE FROM sqlite_sequence WHERE name = 'logs';
    INSERT INTO sqlite_sequence VALUES ('logs', max(
        (SELECT coalesce(max(log), 0) FROM logs), (SELECT coalesce(max(log), 0) FROM events)
    ));
    CREATE TABLE server (epoch TEXT NOT NULL);
    ALTER TABLE seats ADD COLUMN room TEXT NOT NULL DEFAULT '';
    ALTER TABLE seats ADD COLUMN away TEXT;
    ALTER TABLE seats ADD COLUMN ignored TEXT NOT NULL DEFAULT '[]';
    ALTER TABLE seats ADD COLUMN former TEXT NOT NULL DEFAULT '[]';
    ALTER TABLE seats ADD COLUMN done TEXT NOT NULL DEFAULT '[]';
    """,
    """
    ALTER TABLE seats ADD COLUMN quiet INTEGER NOT NULL DEFAULT 0;
    """,
    """
    ALTER TABLE events RENAME COLUMN origin TO author;
    ALTER TABLE events ADD COLUMN client TEXT;
    ALTER TABLE events ADD COLUMN more TEXT;
    DROP INDEX refs;
    CREATE INDEX refs ON events (coalesce(client, author), time) WHERE ref IS NOT NULL;
    CREATE TABLE state (
        log INTEGER NOT NULL,
        name TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (log, name)
    ) WITHOUT ROWID;
    INSERT INTO state SELECT log, 'topic', json_quote(topic) FROM logs WHERE topic != '';
    CREATE TABLE logs_with_state (
        log INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        room TEXT NOT NULL
    );
    INSERT INTO logs_with_state SELECT log, name, room FROM logs;
    DELETE FROM sqlite_sequence WHERE name = 'logs_with_state';
    INSERT INTO sqlite_sequence
        SELECT 'logs_with_state', seq FROM sqlite_sequence WHERE name = 'logs';
    DROP TABLE logs;
    ALTER TABLE logs_with_state RENAME TO logs;
    """,
    accounts.TABLE,
    """
    ALTER TABLE seats ADD COLUMN person TEXT NOT NULL DEFAULT '';
    ALTER TABLE seats ADD COLUMN account TEXT NOT NULL DEFAULT '';
    ALTER TABLE seats ADD COLUMN until REAL NOT NULL DEFAULT 0;
    ALTER TABLE seats ADD COLUMN asleep INTEGER NOT NULL DEFAULT 0;
    UPDATE seats SET person = id;
    """,
    """
    ALTER TABLE events ADD COLUMN request INTEGER;
    UPDATE events SET request = CAST(time * 1000 AS INTEGER)
        WHERE ref IS NOT NULL AND coalesce(client, author) IN (SELECT id FROM seats);
    DROP INDEX refs;
    CREATE INDEX refs ON events (coalesce(client, author), request) WHERE request IS NOT NULL;
    ALTER TABLE seats ADD COLUMN displaced INTEGER NOT NULL DEFAULT 0;
    """,
)
"""What makes version N + 1 of version N; a released one never changes.

In `events`, `client` is NULL where it is the author, `more` has as JSON what an event holds that
has no column of its own, and `request` counts those with a `ref` in the order of storing them.
"""


def open_database(path: Path, *, full: bool) -> sqlite3.Connection:
    """A connection for writing to a database, which is created or upgraded if necessary.

    Args:
        path: the file, whose `Lock` is held.
        full: whether a commit survives the machine's death too, not only the process's.

    Raises:
        Unusable: why not.
    """
    real = path.resolve()
    try:
        make_private(real)  # SQLite gives -wal and -shm its mode
        for left in (real.with_name(real.name + suffix) for suffix in ("-wal", "-shm")):
            if left.exists():
                make_private(left)
    except OSError as error:
        raise Unusable(f"cannot use the database {path}: {error.strerror}") from error
    return _open(path, "rw", lambda connection: _prepare(connection, path, full=full))


def open_to_read(path: Path, *, oldest: int = VERSION) -> sqlite3.Connection:
    """A connection to a database as it is: nothing is changed, and it needs no `Lock`.

    Args:
        path: the file.
        oldest: the first version that will do.

    Raises:
        Unusable: why not.
    """
    real = path.resolve()
    in_use = real.with_name(real.name + "-wal").exists()
    mode = "ro" if in_use else "rw"  # so SQLite removes the -wal and -shm that it needs to read
    return _open(path, mode, lambda connection: _check(connection, path, oldest))


def _open(
    path: Path, mode: str, prepare: Callable[[sqlite3.Connection], object]
) -> sqlite3.Connection:
    connection: sqlite3.Connection | None = None
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=2,
            isolation_level=None,
            check_same_thread=False,
        )
        prepare(connection)
    except (sqlite3.DatabaseError, Unusable) as error:
        if connection is not None:
            connection.close()
        if isinstance(error, Unusable):
            raise
        if isinstance(error, sqlite3.OperationalError):
            raise Unusable(f"cannot use the database {path}: {_explain(error)}") from error
        raise Unusable(
            f"the database {path} is damaged ({error}): put a backup in its place, or move it away"
        ) from error
    return connection


def _check(connection: sqlite3.Connection, path: Path, oldest: int) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        raise Unusable(
            f"the database {path} is of version {version}, which is newer than this program's "
            f"({VERSION}): install a newer twisted-chat, or choose another file with --db"
        )
    if version < oldest:
        raise Unusable(
            f"the database {path} is of version {version}, which is older than this program's "
            f"({VERSION}): start the server with it once, which brings it up to date"
        )
    damage = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if damage != "ok":
        raise sqlite3.DatabaseError(damage.splitlines()[0])
    return version


def _prepare(connection: sqlite3.Connection, path: Path, *, full: bool) -> None:
    version = _check(connection, path, 0)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {'FULL' if full else 'NORMAL'}")
    connection.execute("PRAGMA journal_size_limit = 67108864")
    connection.execute("PRAGMA wal_autocheckpoint = 16384")  # the same: `checkpoints.py` is sooner
    connection.execute("BEGIN IMMEDIATE")
    for migration in _MIGRATIONS[version:]:
        for statement in migration.split(";"):
            connection.execute(statement)
    if version == 1:
        strays.delete_foreign(connection)
    connection.execute(
        "INSERT INTO server SELECT ? WHERE NOT EXISTS (SELECT * FROM server)",
        (secrets.token_hex(8),),
    )
    connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")


def _explain(error: sqlite3.Error) -> str:
    text = str(error)
    if "locked" in text:
        return "another process has locked it"
    if "readonly" in text or "read-only" in text:
        return "it is read-only"
    if "full" in text:
        return "the disk is full"
    if "unable to open" in text:
        return "it cannot be opened: check that its folder exists and is writable"
    return text


def explain(error: sqlite3.Error) -> str:
    """Why something could not be stored, as its sender reads it."""
    return unseen(_explain(error))


def explain_unsaved(error: sqlite3.Error) -> str:
    """The same for a change that took effect although it could not be stored."""
    return unsaved(_explain(error))


def explain_unchanged(error: sqlite3.Error) -> str:
    """The same of what is not changed because it could not be stored."""
    return unchanged(_explain(error))
