"""Contents of files on disk, each once, under the SHA-256 of what is in it."""

import errno
import os
import re
import secrets
from collections.abc import Collection
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from twisted_chat.stores import WorkerThread
from twisted_chat.stores.sqlite.private import make_private

_log = Logger(namespace="chat")

_DIGEST = re.compile(r"[0-9a-f]{64}")
_EPOCH = "epoch"
_PART = re.compile(r"[0-9a-f]{32}\.part")

HEAD = 16
"""Bytes from the beginning of a content by which pictures are recognised."""


def is_digest(name: str) -> bool:
    """Whether this is the name of a content."""
    return _DIGEST.fullmatch(name) is not None


def kept_in(folder: Path) -> set[str]:
    """The digests of the contents in a folder, while others may be deleting some of them."""
    if not folder.exists():
        return set()
    return {each.name for each in folder.iterdir() if is_digest(each.name)}


class Incoming:
    """A content that is still coming. What is asked for is done in the order of asking.

    Args:
        folder: where it will be.
        elsewhere: where it is written.
    """

    def __init__(self, folder: Path, elsewhere: WorkerThread) -> None:
        self._folder = folder
        self._elsewhere = elsewhere
        self._path = folder / f"{secrets.token_hex(16)}.part"
        self._file: BinaryIO | None = None
        self._broken: OSError | None = None  # why it will never be whole
        self._hash = sha256()
        self.head = b""
        self.size = 0

    def write(self, data: bytes) -> Deferred[None]:
        """Write some more of it; fails with `OSError`."""
        self.size += len(data)
        self.head = (self.head + data[:HEAD])[:HEAD]
        return self._elsewhere(lambda: self._write(data))

    def _write(self, data: bytes) -> None:
        try:
            self._open().write(data)
        except OSError as error:
            self._broken = error
            raise
        self._hash.update(data)

    def _open(self) -> BinaryIO:
        if self._broken is not None:
            raise self._broken
        if self._file is None:
            private = os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            self._file = os.fdopen(private, "wb")
        return self._file

    def end(self) -> Deferred[str]:
        """That was all of it: gives its digest once it is safe; fails with `OSError`."""
        return self._elsewhere(self._end)

    def _end(self) -> str:
        with self._open() as file:
            file.flush()
            os.fsync(file.fileno())
        return self._hash.hexdigest()

    def keep(self, digest: str) -> Deferred[None]:
        """Keep it, after `end`; if the same is there already, that stays."""
        return self._elsewhere(lambda: self._keep(self._folder / digest))

    def _keep(self, path: Path) -> None:
        self._path.replace(path)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def drop(self) -> None:
        """Nothing comes of it."""
        self._elsewhere(self._drop).addErrback(_not_deleted)

    def _drop(self) -> None:
        self._broken = OSError(errno.ECANCELED, os.strerror(errno.ECANCELED))
        if self._file is not None:
            with suppress(OSError):  # what it still holds, on a full disk
                self._file.close()
        self._path.unlink(missing_ok=True)


class Contents:
    """Contents of files.

    Args:
        folder: where they are; it is made if it is not there. None is one that lasts until `stop`,
            and is made when something comes.
        elsewhere: where the disk is read and written.

    Raises:
        OSError: the folder cannot be used.
    """

    def __init__(self, folder: Path | None, elsewhere: WorkerThread) -> None:
        self._folder = folder
        self._temporary: TemporaryDirectory[str] | None = None
        self._elsewhere = elsewhere
        self.there: Collection[str] = ()
        """The digests of what was there at the start."""
        if folder is not None:
            folder.mkdir(mode=0o700, exist_ok=True)
            for path in folder.iterdir():
                if _PART.fullmatch(path.name):  # its upload ended with the server
                    path.unlink()
            self.there = kept_in(folder)

    @property
    def folder(self) -> Path:
        """Where they are."""
        if self._folder is None:
            self._temporary = TemporaryDirectory(prefix="twisted-chat-")
            self._folder = Path(self._temporary.name)
        return self._folder

    def belong_to(self, epoch: str) -> bool:
        """Whether these are the contents of one database's files, and of no other's.

        Args:
            epoch: the database's, which is written into the folder when it is first used.
        """
        if self._folder is None or self._temporary is not None:
            return True
        path = self._folder / _EPOCH
        written = path.read_text() if path.exists() else ""
        if not written:  # empty if the disk was full, or the server killed, while it was written
            make_private(path)
            path.write_text(epoch)
        return written in ("", epoch)

    def stop(self) -> None:
        """They are needed no longer, where they are not to be kept."""
        if self._temporary is not None:
            self._temporary.cleanup()

    def begin(self) -> Incoming:
        """A new content is about to come; raises `OSError`."""
        return Incoming(self.folder, self._elsewhere)

    def delete(self, digest: str) -> None:
        """Nobody needs a content any more."""
        path = self.folder / digest
        self._elsewhere(lambda: path.unlink(missing_ok=True)).addErrback(_not_deleted)

    def open(self, digest: str) -> Deferred[BinaryIO]:
        """A content, to be read; fails with `OSError`."""
        path = self.folder / digest
        return self._elsewhere(lambda: path.open("rb"))

    def read(self, file: BinaryIO, place: int, size: int) -> Deferred[bytes]:
        """Some of a content that was opened.

        Args:
            file: what `open` has given.
            place: the first byte that is wanted.
            size: the most bytes that are wanted.
        """
        return self._elsewhere(lambda: os.pread(file.fileno(), size, place))

    def close(self, file: BinaryIO) -> None:
        """A content is read no further."""
        self._elsewhere(file.close)


def _not_deleted(why: object) -> None:
    _log.warn("A file could not be deleted: {why}", why=str(why))
