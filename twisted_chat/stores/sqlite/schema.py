"""The database: its tables, how a version becomes the next, and how an entry becomes a row."""

import json
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from twisted_chat.events import Entry, Event
from twisted_chat.events.codec import KINDS, Kept
from twisted_chat.stores import SavedSession
from twisted_chat.stores.sqlite import accounts, strays
from twisted_chat.stores.sqlite.private import make_private

VERSION = 4

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
    accounts.TABLE,
)
"""What makes version N + 1 of version N; a released one never changes."""

Row: TypeAlias = tuple[Any, ...]
COLUMNS = "id, time, kind, sender, recipient, text, origin, ref"


class Unusable(Exception):
    """A database that cannot be used; the text says why, and what to do."""


def open_database(path: Path, *, full: bool) -> sqlite3.Connection:
    """A connection to write to a database, which is made or brought up to date if need be.

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
        return "it cannot be opened; does its folder exist, and may you write there?"
    return text


def explain(error: sqlite3.Error) -> str:
    """Why something could not be stored, as the person who said it reads it."""
    return f"That could not be stored ({_explain(error)}), so nobody saw it: try again in a while."


def explain_unsaved(error: sqlite3.Error) -> str:
    """The same of what holds although it could not be stored."""
    return f"That could not be stored ({_explain(error)}): it holds only until the server restarts."


def explain_unchanged(error: sqlite3.Error) -> str:
    """The same of what is not changed because it could not be stored."""
    why = _explain(error)
    return f"That could not be stored ({why}), so nothing has changed: try again in a while."


_FIELDS = {("to",): slice(4, 5), ("text",): slice(5, 6), ("to", "text"): slice(4, 6)}
"""Where a row of `COLUMNS` has what an event holds, by its fields; the rest is NULL."""

_KEPT = [kind for kind in KINDS if kind.kept is not Kept.NOWHERE]
_NAMES: Mapping[type[Event], str] = {kind.event: kind.name for kind in _KEPT}
_KINDS: Mapping[str, tuple[Callable[..., Event], slice]] = {
    kind.name: (kind.event, _FIELDS[kind.fields]) for kind in _KEPT
}


def to_row(log: int, entry: Entry) -> Row:
    """A stored entry as a row of `events`."""
    event = entry.event
    return (
        log,
        entry.id,
        event.time,
        _NAMES[type(event)],
        event.sender,
        getattr(event, "to", None),
        getattr(event, "text", None),
        entry.author,
        entry.ref,
    )


def to_entry(room: str, row: Row) -> Entry:
    """A row, in the order of `COLUMNS`, as the entry that it was.

    Raises:
        Unusable: it is of a kind that is not known here.
    """
    number, time, name, sender, _, _, origin, ref = row
    if name not in _KINDS:
        raise Unusable(
            f"the database has an event of the kind {name!r}, which this program does not know: "
            "install a newer twisted-chat"
        )
    kind, fields = _KINDS[name]
    return Entry(kind(time, room, sender, *row[fields]), origin, ref, number, origin)


_COLUMNS = "id, token, nickname, address, since, room, away, quiet, rooms, ignored, former, done"

SAVE_SESSION = (
    f"INSERT OR REPLACE INTO seats ({_COLUMNS})"  # noqa: S608 - ours
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def read_sessions(connection: sqlite3.Connection) -> Iterator[SavedSession]:
    """Everybody who may resume; whoever came last is first."""
    for row in connection.execute(f"SELECT {_COLUMNS} FROM seats ORDER BY since DESC"):  # noqa: S608 - ours
        person, token, nickname, address, since, room, away, quiet, *lists = row
        rooms, ignored, former, done = map(json.loads, lists)
        yield SavedSession(
            *(person, token, nickname, address, since, rooms, room, away),
            ignored=tuple((name, other) for name, other in ignored),
            former=tuple(former),
            done=tuple(done),
            is_quiet=bool(quiet),
        )


def session_row(saved: SavedSession) -> Row:
    """A saved session as the values of `SAVE_SESSION`."""
    return (
        *(
            saved.id,
            saved.token,
            saved.nickname,
            saved.address,
            saved.since,
            saved.room,
            saved.away,
            saved.is_quiet,
        ),
        *map(json.dumps, (saved.rooms, saved.ignored, saved.former, saved.done)),
    )
