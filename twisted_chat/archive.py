"""What an operator does with the database: export, import, backup, check, erase."""

import argparse
import json
import sqlite3
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from twisted_chat import names
from twisted_chat.stores.lock import Lock
from twisted_chat.stores.schema import COLUMNS, Unusable, open_database, to_entry, to_row
from twisted_chat.wires.structured import describe, encode, understand

ERASED = "(erased)"
_TOPICS = (
    "UPDATE logs SET topic = coalesce((SELECT text FROM events WHERE events.log = logs.log"
    " AND kind = 'topic' ORDER BY id DESC LIMIT 1), topic)"
)


def main() -> None:
    """Do what the command line says; a failure is one line and a non-zero exit."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Do what a command line says, and give the exit status."""
    chosen = _parser().parse_args(arguments)
    act: Callable[[argparse.Namespace], str] = chosen.act
    try:
        told = act(chosen)
    except (Unusable, OSError, sqlite3.Error, ValueError) as error:
        sys.stderr.write(f"twisted-chat-archive: {error}\n")
        return 1
    if told:
        sys.stderr.write(told + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="twisted-chat-archive", description="Look after the database of a chat server."
    )
    parser.add_argument("--db", type=Path, default=Path("chat.sqlite"), help="the database file")
    acts = parser.add_subparsers(required=True, metavar="COMMAND")
    export = acts.add_parser("export", help="write the rooms' events as NDJSON; also while running")
    export.add_argument("room", nargs="*", help="only these rooms")
    export.set_defaults(act=_export)
    imported = acts.add_parser("import", help="read NDJSON from a file into rooms that are empty")
    imported.add_argument("file", type=Path)
    imported.set_defaults(act=_import)
    backup = acts.add_parser("backup", help="copy the database; also while running")
    backup.add_argument("file", type=Path)
    backup.set_defaults(act=_backup)
    check = acts.add_parser("check", help="look for damage and for missing events")
    check.set_defaults(act=_check)
    erase = acts.add_parser("erase", help="take away what a nickname wrote; its events stay, empty")
    erase.add_argument("nickname")
    erase.set_defaults(act=_erase)
    return parser


def _existing(path: Path) -> sqlite3.Connection:
    if not path.exists():
        raise Unusable(f"there is no database {path}: say where it is with --db")
    return open_database(path, full=True)


def _export(chosen: argparse.Namespace) -> str:
    wanted = {names.key("#" + room.removeprefix("#")) for room in chosen.room}
    count = 0
    with closing(_existing(chosen.db)) as database:
        for log, name, room in database.execute(
            "SELECT log, name, room FROM logs WHERE name LIKE '#%' ORDER BY log"
        ).fetchall():
            if wanted and name not in wanted:
                continue
            query = f"SELECT {COLUMNS} FROM events WHERE log = ? ORDER BY id"  # noqa: S608 - ours
            for row in database.execute(query, (log,)):
                sys.stdout.buffer.write(encode(describe(to_entry(room, row))))
                count += 1
    sys.stdout.flush()
    return f"{count} events"


def _import(chosen: argparse.Namespace) -> str:
    logs: dict[str, int] = {}
    with Lock(chosen.db), closing(open_database(chosen.db, full=True)) as database:
        database.execute("BEGIN IMMEDIATE")
        with chosen.file.open(encoding="utf-8") as lines:
            count = 0
            for count, line in enumerate(lines, 1):
                _import_line(database, logs, f"{chosen.file}:{count}", line)
        database.execute(_TOPICS)
        database.execute("COMMIT")
    return f"{count} events in {len(logs)} rooms"


def _import_line(database: sqlite3.Connection, logs: dict[str, int], where: str, line: str) -> None:
    entry = understand(json.loads(line))
    if entry is None or not entry.stored or not entry.event.room.startswith("#"):
        raise ValueError(f"{where} is no event of a room")
    room = entry.event.room
    if room not in logs:
        logs[room] = _empty_log(database, room)
    database.execute(
        "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", to_row(logs[room], entry)
    )


def _empty_log(database: sqlite3.Connection, room: str) -> int:
    key = names.key(room)
    database.execute("INSERT OR IGNORE INTO logs (name, room) VALUES (?, ?)", (key, room))
    log = int(database.execute("SELECT log FROM logs WHERE name = ?", (key,)).fetchone()[0])
    if database.execute("SELECT 1 FROM events WHERE log = ? LIMIT 1", (log,)).fetchone():
        raise ValueError(f"{room} has events already: import into an empty database")
    return log


def _backup(chosen: argparse.Namespace) -> str:
    if chosen.file.exists():
        raise ValueError(f"{chosen.file} exists already: choose another name")
    with closing(_existing(chosen.db)) as database, closing(sqlite3.connect(chosen.file)) as copy:
        database.backup(copy, pages=1024)
    return f"copied to {chosen.file}"


def _check(chosen: argparse.Namespace) -> str:
    with closing(_existing(chosen.db)) as database:
        damage = database.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if damage != "ok":
            raise Unusable(f"the database {chosen.db} is damaged: {damage}")
        holes = database.execute(
            "SELECT name FROM logs JOIN events USING (log) GROUP BY log"
            " HAVING count(*) != max(id) - min(id) + 1"
        ).fetchall()
        logs, events = database.execute(
            "SELECT count(DISTINCT log), count(*) FROM events"
        ).fetchone()
    if holes:
        raise Unusable("events are missing in " + ", ".join(name for (name,) in holes))
    return f"{chosen.db} is sound: {events} events in {logs} logs"


def _erase(chosen: argparse.Namespace) -> str:
    with Lock(chosen.db), closing(_existing(chosen.db)) as database:
        database.create_function("key", 1, names.key, deterministic=True)
        database.execute("PRAGMA secure_delete = ON")
        database.execute("BEGIN IMMEDIATE")
        count = database.execute(
            "UPDATE events SET text = ? WHERE key(sender) = ? AND text IS NOT NULL",
            (ERASED, names.key(chosen.nickname)),
        ).rowcount
        database.execute(_TOPICS)
        database.execute("COMMIT")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return f"{count} lines of {chosen.nickname} erased"
