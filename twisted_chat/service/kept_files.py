"""Files that people sent, as the operator's database commands find them beside a database."""

import json
import os
import shutil
import sqlite3
import time
from collections.abc import Collection, Iterable
from pathlib import Path

from twisted_chat.stores.contents import is_digest
from twisted_chat.stores.folder import kept_in


def folder_of(database: Path, chosen: Path | None = None) -> Path:
    """The folder of the files that belong to a database.

    Args:
        database: its file.
        chosen: the folder that the operator has named, if they have.
    """
    return chosen or database.with_suffix(".files")


def needed(connection: sqlite3.Connection) -> dict[str, str]:
    """The contents that files in rooms need: what one of these files is called, by digest."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'state'").fetchone():
        return {}  # it is of an early version, which had no files
    return needed_by(connection.execute("SELECT name, value FROM state"))


def needed_by(rows: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The same, from what stands in the states of rooms: names, and values as JSON."""
    found: dict[str, str] = {}
    for value in (json.loads(value) for name, value in rows if name.startswith("file/")):
        digest, until = str(value.get("digest")), value.get("until")
        if is_digest(digest) and (until is None or until > time.time()):
            found[digest] = str(value.get("name"))
    return found


def missing(connection: sqlite3.Connection, folder: Path) -> list[str]:
    """What files are called whose content is not there; the server may be running."""
    lost = set(needed(connection).items())
    for _ in range(2):  # one may be deleted, or sent, between a look at both
        there = kept_in(folder)
        lost &= {each for each in needed(connection).items() if each[0] not in there}
    return sorted(name for _, name in lost)


def unneeded(connection: sqlite3.Connection, folder: Path) -> Collection[str]:
    """Contents that no file needs: the server deletes them when it starts."""
    return kept_in(folder) - needed(connection).keys()


def copy(connection: sqlite3.Connection, folder: Path, copy: Path) -> int:
    """Copy the contents that a database needs to a new folder; gives how many.

    Args:
        connection: the database.
        folder: where they are.
        copy: where they are to be; it is there once all of them are.

    Raises:
        OSError: why it cannot be done.
    """
    digests = needed(connection).keys() & kept_in(folder)
    if not digests:
        return 0
    part = copy.with_name(copy.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(mode=0o700)
    try:
        for digest in digests:
            _copy(folder / digest, part / digest)
        part.rename(copy)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return len(digests)


def _copy(path: Path, copy: Path) -> None:
    try:
        with path.open("rb") as content, copy.open("xb") as file:
            os.fchmod(file.fileno(), 0o600)
            shutil.copyfileobj(content, file)
            file.flush()
            os.fsync(file.fileno())
    except FileNotFoundError:  # it has just been deleted
        copy.unlink(missing_ok=True)


def delete(connection: sqlite3.Connection, folder: Path, digests: Iterable[str]) -> None:
    """Delete contents that no file needs any more."""
    for digest in set(digests) - needed(connection).keys():
        (folder / digest).unlink(missing_ok=True)
