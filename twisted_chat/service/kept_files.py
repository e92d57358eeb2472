"""Contents of files that people sent, as the operator's database commands find them."""

import json
import os
import secrets
import shutil
import time
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from twisted_chat.service.database import Database, KeptContents
from twisted_chat.stores.contents import is_digest
from twisted_chat.stores.folder import kept_in
from twisted_chat.stores.rows import Row

_PIECE = 256 * 1024
"""Bytes that are copied at once."""

_FILES = "SELECT name, CAST(value AS text) FROM state WHERE substr(name, 1, 5) = 'file/'"


def folder_of(database: Path) -> Path:
    """The folder of the files that belong to a database in a file."""
    return database.with_suffix(".files")


class KeptInFolder:
    """`KeptContents` in a folder.

    Args:
        folder: where they are; it is made when something is put there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.where = str(folder)

    def there(self) -> set[str]:
        """See `KeptContents.there`."""
        return kept_in(self._folder)

    def pieces(self, digest: str) -> Iterator[bytes]:
        """See `KeptContents.pieces`."""
        with (self._folder / digest).open("rb") as file:
            while data := file.read(_PIECE):
                yield data

    def put(self, digest: str, pieces: Iterable[bytes]) -> None:
        """See `KeptContents.put`."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        part = self._folder / f"{secrets.token_hex(16)}.part"
        try:
            with os.fdopen(
                os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb"
            ) as file:
                for data in pieces:
                    file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self._folder / digest)
        finally:
            part.unlink(missing_ok=True)

    def delete(self, digests: Iterable[str]) -> None:
        """See `KeptContents.delete`."""
        for digest in digests:
            (self._folder / digest).unlink(missing_ok=True)


def contents_of(database: Database, chosen: Path | None) -> KeptContents:
    """Where the contents of a database's files are.

    Args:
        database: it.
        chosen: the folder that the operator has named, if they have.
    """
    return KeptInFolder(chosen) if chosen is not None else database.contents


def needed(database: Database) -> dict[str, str]:
    """The contents that files in rooms need: what one of these files is called, by digest."""
    return needed_by(database.read(_FILES))


def needed_by(rows: Iterable[Row]) -> dict[str, str]:
    """The same, from what stands in the states of rooms: names, and values as JSON."""
    found: dict[str, str] = {}
    for value in (json.loads(value) for name, value in rows if name.startswith("file/")):
        digest, until = str(value.get("digest")), value.get("until")
        if is_digest(digest) and (until is None or until > time.time()):
            found[digest] = str(value.get("name"))
    return found


def missing(database: Database, contents: KeptContents) -> list[str]:
    """What files are called whose content is not there; the server may be running."""
    lost = set(needed(database).items())
    for _ in range(2):  # one may be deleted, or sent, between a look at both
        there = contents.there()
        lost &= {each for each in needed(database).items() if each[0] not in there}
    return sorted(name for _, name in lost)


def unneeded(database: Database, contents: KeptContents) -> Collection[str]:
    """Contents that no file needs: the server deletes them when it starts."""
    return contents.there() - needed(database).keys()


def copy(digests: Iterable[str], contents: KeptContents, copy: KeptContents) -> int:
    """Copy contents; gives how many.

    Args:
        digests: those that are wanted, as far as they are there.
        contents: where they are.
        copy: where they are to be.

    Raises:
        OSError: why it cannot be done.
    """
    wanted = contents.there() & set(digests)
    for digest in sorted(wanted - copy.there()):
        try:
            copy.put(digest, contents.pieces(digest))
        except FileNotFoundError:
            if digest in contents.there():
                raise  # else it has just been deleted
            wanted.remove(digest)
    return len(wanted)


def copy_to_new_folder(digests: Iterable[str], contents: KeptContents, folder: Path) -> int:
    """The same, to a folder that is there once all of them are; it is not made for none."""
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        count = copy(digests, contents, KeptInFolder(part))
        if count:
            part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return count


def delete(database: Database, contents: KeptContents, digests: Iterable[str]) -> None:
    """Delete contents that no file needs any more."""
    contents.delete(set(digests) - needed(database).keys())
