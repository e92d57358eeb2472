"""Contents of files in a folder, which servers on one database may share."""

import os
import re
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, Protocol

from twisted.internet.defer import Deferred

from twisted_chat.stores import WorkerThread
from twisted_chat.stores.contents import Content, Incoming, is_digest, not_deleted
from twisted_chat.stores.sqlite.private import make_private

_EPOCH = "epoch"
_PART = re.compile(r"[0-9a-f]{32}\.part")


def kept_in(folder: Path) -> set[str]:
    """The digests of the contents in a folder, while others may be deleting some of them."""
    if not folder.exists():
        return set()
    return {each.name for each in folder.iterdir() if is_digest(each.name)}


class Sharers(Protocol):
    """The servers that share a folder, so that none deletes what another needs.

    Everything is done in the thread that asks, and fails with `OSError`.
    """

    def begin(self, key: str) -> None:
        """A content begins to come here."""

    def keep(self, key: str, digest: str) -> None:
        """It has come, and is about to be put into its place: nobody deletes it from now on."""

    def end(self, key: str) -> str:
        """No more of it comes; gives its digest if it has come, and an empty string if not."""

    def delete(self, digest: str, delete: Callable[[], None]) -> None:
        """Delete a content, unless somebody needs it.

        Args:
            digest: its name.
            delete: does that; it may be called twice.
        """

    def coming(self) -> Collection[str]:
        """The keys of what is coming to any of them."""

    def abandoned(self) -> Collection[str]:
        """The keys of what was coming to servers that are gone; each is to be ended."""

    def stop(self) -> Deferred[None]:
        """They are asked nothing more."""


class _InFolder(Incoming):
    def __init__(self, folder: Path, elsewhere: WorkerThread, sharers: Sharers | None) -> None:
        super().__init__(elsewhere)
        self._folder = folder
        self._sharers = sharers
        self._path = folder / f"{self._key}.part"
        self._file: BinaryIO | None = None

    def _open(self) -> BinaryIO:
        if self._file is None:
            if self._sharers is not None:
                self._sharers.begin(self._key)
            private = os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            self._file = os.fdopen(private, "wb")
        return self._file

    def _write(self, data: bytes) -> None:
        self._open().write(data)

    def _finish(self) -> None:
        with self._open() as file:
            file.flush()
            os.fsync(file.fileno())

    def _keep(self, digest: str) -> None:
        if self._sharers is not None:
            self._sharers.keep(self._key, digest)
        self._path.replace(self._folder / digest)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _drop(self) -> None:
        if self._file is not None:
            with suppress(OSError):  # what it still holds, on a full disk
                self._file.close()
        self._path.unlink(missing_ok=True)
        if self._sharers is not None:
            self._sharers.end(self._key)


class _OnDisk:
    """A `Content` in a file."""

    def __init__(self, file: BinaryIO, elsewhere: WorkerThread) -> None:
        self._file = file
        self._elsewhere = elsewhere

    def read(self, place: int, size: int) -> Deferred[bytes]:
        """See `Content.read`."""
        return self._elsewhere(lambda: os.pread(self._file.fileno(), size, place))

    def close(self) -> None:
        """See `Content.close`."""
        self._elsewhere(self._file.close)


class FolderContents:
    """`Contents` in a folder.

    Args:
        folder: where they are; it is made if it is not there. None is one that lasts until `stop`,
            and is made when something comes.
        elsewhere: where the disk is read and written.
        sharers: the servers that may use the folder too.

    Raises:
        OSError: the folder cannot be used.
    """

    def __init__(
        self, folder: Path | None, elsewhere: WorkerThread, sharers: Sharers | None = None
    ) -> None:
        self._folder = folder
        self._temporary: TemporaryDirectory[str] | None = None
        self._elsewhere = elsewhere
        self._sharers = sharers
        self.there: Collection[str] = ()
        """See `Contents.there`."""
        if folder is not None:
            folder.mkdir(mode=0o700, exist_ok=True)
            self._clear_away()
            self.there = kept_in(folder)

    @property
    def folder(self) -> Path:
        """Where they are."""
        if self._folder is None:
            self._temporary = TemporaryDirectory(prefix="twisted-chat-")
            self._folder = Path(self._temporary.name)
        return self._folder

    def _clear_away(self) -> None:
        """Delete what servers that are gone have left, which ended in the middle of an upload."""
        self._clear_away_abandoned()
        parts = [path for path in self.folder.iterdir() if _PART.fullmatch(path.name)]
        coming = set() if self._sharers is None else self._sharers.coming()
        for path in parts:
            if path.stem not in coming:
                path.unlink(missing_ok=True)

    def clear_away(self) -> None:
        """See `Contents.clear_away`."""
        if self._sharers is not None:
            self._elsewhere(self._clear_away_abandoned).addErrback(not_deleted)

    def _clear_away_abandoned(self) -> None:
        if self._sharers is None:
            return
        for key in self._sharers.abandoned():
            digest = self._sharers.end(key)
            (self.folder / f"{key}.part").unlink(missing_ok=True)
            if digest:
                self._delete(digest)

    def has(self, digest: str) -> bool:
        """See `Contents.has`; another server may have put it there since the start."""
        return digest in self.there or (self.folder / digest).exists()

    def belong_to(self, epoch: str) -> bool:
        """See `Contents.belong_to`; the epoch is written into the folder when it is first used."""
        if self._folder is None or self._temporary is not None:
            return True
        path = self._folder / _EPOCH
        written = path.read_text() if path.exists() else ""
        if not written:  # empty if the disk was full, or the server killed, while it was written
            make_private(path)
            path.write_text(epoch)
        return written in ("", epoch)

    def begin(self) -> Incoming:
        """See `Contents.begin`."""
        return _InFolder(self.folder, self._elsewhere, self._sharers)

    def delete(self, digest: str) -> None:
        """See `Contents.delete`."""
        self._elsewhere(lambda: self._delete(digest)).addErrback(not_deleted)

    def _delete(self, digest: str) -> None:
        path = self.folder / digest
        if self._sharers is None:
            path.unlink(missing_ok=True)
        else:
            self._sharers.delete(digest, lambda: path.unlink(missing_ok=True))

    def open(self, digest: str) -> Deferred[Content]:
        """See `Contents.open`."""
        path = self.folder / digest

        def find() -> Content:
            return _OnDisk(path.open("rb"), self._elsewhere)

        return self._elsewhere(find)

    def stop(self) -> Deferred[None]:
        """See `Contents.stop`."""
        return self._elsewhere(self._stop) if self._sharers is None else self._sharers.stop()

    def _stop(self) -> None:
        if self._temporary is not None:
            self._temporary.cleanup()
