"""The operator's database commands: export, import, backup, check, erase."""

import argparse
import os
import sqlite3
import sys
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

from twisted_chat.events import File
from twisted_chat.service import copying, exchange, kept_files, operator_command, values
from twisted_chat.service.database import Database
from twisted_chat.service.erasing import ERASED, Erasure
from twisted_chat.service.opening import changing, must_exist, reading
from twisted_chat.service.sqlite_database import SqliteDatabase
from twisted_chat.stores.rows import COLUMNS, to_entry
from twisted_chat.stores.sqlite.private import make_private
from twisted_chat.stores.sqlite.schema import open_to_read
from twisted_chat.stores.unusable import Unusable
from twisted_chat.text import names
from twisted_chat.text.counted import counted

_ROOMS = "SELECT log, name, room FROM logs WHERE substr(name, 1, 1) = '#' ORDER BY log"
_SAID = f"SELECT {COLUMNS} FROM events WHERE log = ? AND kind != 'whisper' ORDER BY id"  # noqa: S608 - ours
_WITH_HOLES = (
    "SELECT name FROM logs JOIN events ON logs.log = events.log GROUP BY logs.log, name"
    " HAVING count(*) != max(id) - min(id) + 1"
)


def main() -> None:
    """Run the command line; an error is one line and a non-zero exit status."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run a command line, and return the exit status."""
    return operator_command.run(_parser(), arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="twisted-chat-archive", description="Look after the database of a chat server."
    )
    parser.add_argument(
        "--db",
        type=values.database,
        default=Path("chat.sqlite"),
        help="the database: a file, or a postgresql:// address",
    )
    parser.add_argument(
        "--files",
        type=Path,
        help="the folder of people's files (default: beside or in the database)",
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
        "that people resume as if the server had been restarted. The contents of files are "
        "copied into the database, or beside it if it is a file; with --files, they stay in that "
        "folder. No server may be running.",
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


def _export(chosen: argparse.Namespace) -> str:
    called = ("#" + room.removeprefix("#") for room in chosen.room)
    wanted = {names.key(room): room for room in called}
    count = files = 0
    with reading(chosen.db) as database:
        rooms = list(database.read(_ROOMS))
        if unknown := wanted.keys() - {name for _, name, _ in rooms}:
            named = ", ".join(wanted[name] for name in sorted(unknown))
            raise ValueError(f"{database.where} has no room {named}")
        for log, name, room in rooms:
            if wanted and name not in wanted:
                continue
            for row in database.read(_SAID, log):
                entry = to_entry(room, row)
                sys.stdout.buffer.write(exchange.to_line(entry))
                count += 1
                files += isinstance(entry.event, File)
    sys.stdout.flush()
    where = kept_files.contents_of(database, chosen.files).where
    told = f"; the contents of {counted(files, 'file')} are in {where}" if files else ""
    return counted(count, "event") + told


def _import(chosen: argparse.Namespace) -> str:
    try:
        file = chosen.file.open("rb")
    except OSError as error:
        raise ValueError(f"cannot read {chosen.file}: {error.strerror}") from error
    with file, changing(chosen.db, is_new=True) as database:
        return _import_lines(database, chosen.file, file)


def _import_lines(database: Database, path: Path, lines: Iterable[bytes]) -> str:
    rooms, count = exchange.EmptyRooms(database), 0
    for count, line in enumerate(lines, 1):
        try:
            rooms.add(exchange.from_line(line))
        except ValueError as error:
            raise ValueError(f"{path}:{count}: {error}; nothing is imported") from error
    rooms.finish()
    return f"{counted(count, 'event')} in {counted(len(rooms), 'room')}"


def _backup(chosen: argparse.Namespace) -> str:
    if isinstance(chosen.db, str):
        raise Unusable("a database in PostgreSQL is backed up with its own pg_dump")
    must_exist(chosen.db)
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
        with closing(open_to_read(chosen.db, oldest=0)) as connection:
            # Copied in one transaction: SQLite's backup starts again whenever somebody speaks.
            connection.execute("VACUUM INTO ?", (str(part.resolve()),))
            files = _back_up_files(SqliteDatabase(connection, chosen.db), chosen.files, folder)
        with part.open("rb") as copy:
            os.fsync(copy.fileno())
        part.rename(chosen.file)
    except sqlite3.Error as error:
        raise ValueError(f"cannot copy to {chosen.file}: {error}") from error
    finally:
        part.unlink(missing_ok=True)
    return f"copied to {chosen.file}" + (f" and {folder}" if files else "")


def _back_up_files(database: Database, chosen: Path | None, folder: Path) -> int:
    if not list(database.read("SELECT 1 FROM sqlite_master WHERE name = 'state'")):
        return 0  # it is of an early version, which had no files
    contents = kept_files.contents_of(database, chosen)
    return kept_files.copy_to_new_folder(kept_files.needed(database), contents, folder)


def _check(chosen: argparse.Namespace) -> str:
    with reading(chosen.db) as database:
        where = database.where
        if damage := database.damage():
            raise Unusable(f"the database {where} is damaged: {damage}")
        holes = [name for (name,) in database.read(_WITH_HOLES)]
        counts = "SELECT count(DISTINCT log), count(*) FROM events"
        ((logs, events),) = database.read(counts)
        private, abandoned = database.strays(), database.abandoned()
        contents = kept_files.contents_of(database, chosen.files)
        lost, unneeded = (
            each(database, contents) for each in (kept_files.missing, kept_files.unneeded)
        )
    wrong = []
    if lost:
        wrong.append(f"the contents of files are missing in {contents.where}: {', '.join(lost)}")
    if private:
        places = ", ".join(f"{count} in {name}" for name, count in private.items())
        wrong.append(
            f"whispers are stored in the wrong place ({places}): start the server with this "
            "database to delete them"
        )
    if holes:
        wrong.append("events are missing in " + ", ".join(holes))
    if wrong:
        raise Unusable("; ".join(wrong))
    sound = f"{where} is sound: {counted(events, 'event')} in {counted(logs, 'log')}"
    if abandoned:
        are = "is" if abandoned == 1 else "are"
        sound += (
            f"; {abandoned} {are} private to people who can no longer resume, and will be deleted "
            "at the next start"
        )
    if unneeded:
        sound += (
            f"; in {contents.where}, {counted(len(unneeded), 'file')} that nobody needs will be "
            "deleted at the next start"
        )
    return sound


def _erase(chosen: argparse.Namespace) -> str:
    with changing(chosen.db, erases=True) as database:
        erasure = Erasure(database, chosen.nickname)
        count = erasure.erase_events()
        erasure.erase_away()
        digests = erasure.erase_state()
        nobodys = erasure.replay()
        contents = kept_files.contents_of(database, chosen.files)
        kept_files.delete(database, contents, digests)
    erased = f"{counted(count, 'line')} of {chosen.nickname} erased"
    if digests:
        erased += f", and {counted(len(digests), 'file')}"
    if nobodys:
        rooms = ", ".join(nobodys)
        erased += f"; also the topics of {rooms}, since it is no longer recorded who set them"
    return erased
