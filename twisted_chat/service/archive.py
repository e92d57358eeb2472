"""The operator's database commands: export, import, backup, check, erase."""

import argparse
import json
import os
import sqlite3
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from twisted_chat.events import File
from twisted_chat.events.codec import NAMED
from twisted_chat.service import copying, exchange, kept_files, values
from twisted_chat.stores.rows import COLUMNS, to_entry
from twisted_chat.stores.sqlite import state, strays
from twisted_chat.stores.sqlite.lock import Lock
from twisted_chat.stores.sqlite.private import make_private
from twisted_chat.stores.sqlite.schema import open_database, open_to_read
from twisted_chat.stores.unusable import Unusable
from twisted_chat.text import names
from twisted_chat.text.counted import counted

ERASED = "(erased)"
_ONLY_FILES = "this is done with files only: copy the database to one first"
_SAID = f"SELECT {COLUMNS} FROM events WHERE log = ? AND kind != 'whisper' ORDER BY id"  # noqa: S608 - ours


def main() -> None:
    """Run the command line; an error is one line and a non-zero exit status."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run a command line, and return the exit status."""
    chosen = _parser().parse_args(arguments)
    if isinstance(chosen.db, str) and "target" not in chosen:
        sys.stderr.write(f"twisted-chat-archive: {_ONLY_FILES}\n")
        return 1
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
    parser.add_argument(
        "--db",
        type=values.database,
        default=Path("chat.sqlite"),
        help="the database: a file; for copy, also a postgresql:// address",
    )
    parser.add_argument(
        "--files", type=Path, help="the folder of people's files (default: beside the database)"
    )
    acts = parser.add_subparsers(required=True, metavar="COMMAND")
    export = acts.add_parser(
        "export",
        help="write what was said in rooms as NDJSON (the server may be running)",
        description="Write what was said in rooms to standard output, one JSON object per line. "
        "Whispers, sessions and request refs are left out.",
    )
    export.add_argument("room", nargs="*", help="only these rooms")
    export.set_defaults(act=_export)
    imported = acts.add_parser("import", help="read NDJSON from a file into empty rooms")
    imported.add_argument("file", type=Path)
    imported.set_defaults(act=_import)
    backup = acts.add_parser(
        "backup",
        help="copy the database and people's files (the server may be running)",
        description="Copy the database, and people's files to a folder beside the copy, whose name "
        "ends in .files.",
    )
    backup.add_argument("file", type=Path)
    backup.set_defaults(act=_backup)
    copied = acts.add_parser(
        "copy",
        help="copy everything into an empty database, such as from a file to PostgreSQL",
        description="Copy everything into an empty database, from a file to PostgreSQL, back, or "
        "between two of a kind: rooms, whispers, accounts and sessions, with the same ids, so "
        "that people resume as if the server had been restarted. The contents of files stay in "
        "their folder. No server may be running.",
    )
    copied.add_argument("target", type=values.database, help="a file, or a postgresql:// address")
    copied.set_defaults(act=lambda chosen: copying.copy(chosen.db, chosen.target, chosen.files))
    check = acts.add_parser(
        "check",
        help="look for damage, missing events and files, and misplaced whispers (the server may be "
        "running)",
    )
    check.set_defaults(act=_check)
    erase = acts.add_parser(
        "erase",
        help="erase what a nickname wrote and sent; the events stay, without their text",
        description="Erase what a nickname wrote, including topics and away notes, and the files "
        "that it sent. The events "
        f"stay, with the text {ERASED}. A topic is also erased if it is no longer recorded who "
        "set it, because that event is older than --keep.",
    )
    erase.add_argument("nickname")
    erase.set_defaults(act=_erase)
    return parser


def _must_exist(path: Path) -> None:
    if not path.exists():
        raise Unusable(f"there is no database {path}: give its path with --db")


def _export(chosen: argparse.Namespace) -> str:
    _must_exist(chosen.db)
    called = ("#" + room.removeprefix("#") for room in chosen.room)
    wanted = {names.key(room): room for room in called}
    count = files = 0
    with closing(open_to_read(chosen.db)) as database:
        rooms = database.execute(
            "SELECT log, name, room FROM logs WHERE name LIKE '#%' ORDER BY log"
        ).fetchall()
        if unknown := wanted.keys() - {name for _, name, _ in rooms}:
            named = ", ".join(wanted[name] for name in sorted(unknown))
            raise ValueError(f"{chosen.db} has no room {named}")
        for log, name, room in rooms:
            if wanted and name not in wanted:
                continue
            for row in database.execute(_SAID, (log,)):
                entry = to_entry(room, row)
                sys.stdout.buffer.write(exchange.to_line(entry))
                count += 1
                files += isinstance(entry.event, File)
    sys.stdout.flush()
    folder = kept_files.folder_of(chosen.db, chosen.files)
    told = f"; the contents of {counted(files, 'file')} are in {folder}" if files else ""
    return counted(count, "event") + told


def _import(chosen: argparse.Namespace) -> str:
    try:
        file = chosen.file.open("rb")
    except OSError as error:
        raise ValueError(f"cannot read {chosen.file}: {error.strerror}") from error
    with file, Lock(chosen.db):
        is_new = not chosen.db.exists()
        try:
            with closing(open_database(chosen.db, full=True)) as database:
                return _import_lines(database, chosen.file, file)
        except BaseException:
            if is_new:
                chosen.db.unlink(missing_ok=True)
            raise


def _import_lines(database: sqlite3.Connection, path: Path, lines: Iterable[bytes]) -> str:
    rooms, count = exchange.EmptyRooms(database), 0
    database.execute("BEGIN IMMEDIATE")
    for count, line in enumerate(lines, 1):
        try:
            rooms.add(exchange.from_line(line))
        except ValueError as error:
            raise ValueError(f"{path}:{count}: {error}; nothing is imported") from error
    database.execute("COMMIT")
    return f"{counted(count, 'event')} in {counted(len(rooms), 'room')}"


def _backup(chosen: argparse.Namespace) -> str:
    _must_exist(chosen.db)
    if chosen.file.exists():
        raise ValueError(f"{chosen.file} exists already: choose another name")
    folder = kept_files.folder_of(chosen.file)
    if folder.exists():
        raise ValueError(f"{folder} exists already: choose another name")
    part = chosen.file.with_name(chosen.file.name + ".part")
    try:
        part.unlink(missing_ok=True)
        make_private(part)
    except OSError as error:
        raise ValueError(f"cannot write {part}: {error.strerror}") from error
    try:
        with closing(open_to_read(chosen.db, oldest=0)) as database:
            # Copied in one transaction: SQLite's backup starts again whenever somebody speaks.
            database.execute("VACUUM INTO ?", (str(part.resolve()),))
            kept = kept_files.folder_of(chosen.db, chosen.files)
            files = kept_files.copy(database, kept, folder)
        with part.open("rb") as copy:
            os.fsync(copy.fileno())
        part.rename(chosen.file)
    except sqlite3.Error as error:
        raise ValueError(f"cannot copy to {chosen.file}: {error}") from error
    finally:
        part.unlink(missing_ok=True)
    return f"copied to {chosen.file}" + (f" and {folder}" if files else "")


def _check(chosen: argparse.Namespace) -> str:
    _must_exist(chosen.db)
    with closing(open_to_read(chosen.db)) as database:
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
        private, abandoned = strays.find(database), strays.abandoned(database)
        folder = kept_files.folder_of(chosen.db, chosen.files)
        lost, unneeded = (
            each(database, folder) for each in (kept_files.missing, kept_files.unneeded)
        )
    wrong = []
    if lost:
        wrong.append(f"the contents of files are missing in {folder}: {', '.join(lost)}")
    if private:
        places = ", ".join(f"{count} in {name}" for name, count in private.items())
        wrong.append(
            f"whispers are stored in the wrong place ({places}): start the server with this "
            "database to delete them"
        )
    if holes:
        wrong.append("events are missing in " + ", ".join(name for (name,) in holes))
    if wrong:
        raise Unusable("; ".join(wrong))
    sound = f"{chosen.db} is sound: {counted(events, 'event')} in {counted(logs, 'log')}"
    if abandoned:
        are = "is" if abandoned == 1 else "are"
        sound += (
            f"; {abandoned} {are} private to people who can no longer resume, and will be deleted "
            "at the next start"
        )
    if unneeded:
        sound += (
            f"; in {folder}, {counted(len(unneeded), 'file')} that nobody needs will be deleted at "
            "the next start"
        )
    return sound


def _erased(kind: str, more: str) -> str:
    """What an event holds that has no column of its own, without its texts, and without the
    address that a file came from.
    """
    held, known = json.loads(more), NAMED[kind]
    words = {*known.fields, *known.values} - {*known.facts}
    wordless = {name: _wordless(each) if name in words else each for name, each in held.items()}
    return json.dumps(wordless | {"owner": ""} if kind == "file" else wordless)


def _wordless(value: Any) -> Any:
    """A value that can be written as JSON, without the texts in it."""
    match value:
        case str():
            return value and ERASED
        case list():
            return list(map(_wordless, value))
        case dict():
            return {name: _wordless(each) for name, each in value.items()}
        case _:
            return value


def _erase(chosen: argparse.Namespace) -> str:
    _must_exist(chosen.db)
    with Lock(chosen.db), closing(open_database(chosen.db, full=True)) as database:
        database.create_function("key", 1, names.key, deterministic=True)
        database.create_function("erased", 2, _erased, deterministic=True)
        database.execute("PRAGMA secure_delete = ON")
        database.execute("BEGIN IMMEDIATE")
        count = database.execute(
            "UPDATE events SET text = ? WHERE key(sender) = ? AND text NOT IN ('', ?)",
            (ERASED, names.key(chosen.nickname), ERASED),
        ).rowcount
        database.execute(
            "UPDATE events SET more = erased(kind, more) WHERE key(sender) = ? AND more NOT NULL",
            (names.key(chosen.nickname),),
        )
        database.execute(
            "UPDATE seats SET away = ? WHERE key(nickname) = ? AND away != ''",
            (ERASED, names.key(chosen.nickname)),
        )
        state.erase(database, names.key(chosen.nickname), ERASED)
        digests = state.erase_files(database, names.key(chosen.nickname))
        nobodys = state.replay(database)
        database.execute("COMMIT")
        folder = kept_files.folder_of(chosen.db, chosen.files)
        kept_files.delete(database, folder, digests)
        is_read, *_ = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if is_read:
        raise ValueError(
            f"{counted(count, 'line')} of {chosen.nickname} erased, but another program reads "
            f"{chosen.db}, so the files still hold the old text: end that program, and erase again"
        )
    erased = f"{counted(count, 'line')} of {chosen.nickname} erased"
    if digests:
        erased += f", and {counted(len(digests), 'file')}"
    if nobodys:
        rooms = ", ".join(nobodys)
        erased += f"; also the topics of {rooms}, since it is no longer recorded who set them"
    return erased
