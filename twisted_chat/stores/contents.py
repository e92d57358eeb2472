"""Contents of files, each once, under the SHA-256 of what is in it: what can be done with them."""

import errno
import os
import re
import secrets
from collections.abc import Collection
from hashlib import sha256
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_chat.stores import WorkerThread

_log = Logger(namespace="chat")

_DIGEST = re.compile(r"[0-9a-f]{64}")

HEAD = 16
"""Bytes from the beginning of a content by which pictures are recognised."""


def is_digest(name: str) -> bool:
    """Whether this is the name of a content."""
    return _DIGEST.fullmatch(name) is not None


class Incoming:
    """A content that is still coming. What is asked for is done in the order of asking.

    Where it is kept is a subclass's.

    Args:
        elsewhere: where it is written.
    """

    def __init__(self, elsewhere: WorkerThread) -> None:
        self._elsewhere = elsewhere
        self._key = secrets.token_hex(16)  # what it is called until it has come
        self._broken: OSError | None = None  # why it will never be whole
        self._hash = sha256()
        self.head = b""
        self.size = 0

    def write(self, data: bytes) -> Deferred[None]:
        """Write some more of it; fails with `OSError`."""
        self.size += len(data)
        self.head = (self.head + data[:HEAD])[:HEAD]
        return self._elsewhere(lambda: self._try_to_write(data))

    def _try_to_write(self, data: bytes) -> None:
        self._check()
        try:
            self._write(data)
        except OSError as error:
            self._broken = error
            raise
        self._hash.update(data)

    def _check(self) -> None:
        if self._broken is not None:
            raise self._broken

    def _write(self, data: bytes) -> None:
        raise NotImplementedError

    def end(self) -> Deferred[str]:
        """That was all of it: gives its digest once it is safe; fails with `OSError`."""
        return self._elsewhere(self._end)

    def _end(self) -> str:
        self._check()
        self._finish()
        return self._hash.hexdigest()

    def _finish(self) -> None:
        raise NotImplementedError

    def keep(self, digest: str) -> Deferred[None]:
        """Keep it, after `end`; if the same is there already, that stays.

        Nobody deletes it from then on until `drop`, and after that as long as a room's state
        names it. Fails with `OSError`.
        """
        return self._elsewhere(lambda: self._keep(digest))

    def _keep(self, digest: str) -> None:
        raise NotImplementedError

    def drop(self) -> None:
        """No more comes; if it was not kept, nothing is left of it."""
        self._elsewhere(self._try_to_drop).addErrback(not_deleted)

    def _try_to_drop(self) -> None:
        self._broken = OSError(errno.ECANCELED, os.strerror(errno.ECANCELED))
        self._drop()

    def _drop(self) -> None:
        raise NotImplementedError


class Content(Protocol):
    """A content that is being read."""

    def read(self, place: int, size: int) -> Deferred[bytes]:
        """Some of it; fails with `OSError`, and gives nothing if it is lost.

        Args:
            place: the first byte that is wanted.
            size: the most bytes that are wanted.
        """

    def close(self) -> None:
        """It is read no further."""


class Contents(Protocol):
    """Contents of files."""

    @property
    def there(self) -> Collection[str]:
        """The digests of what was there at the start."""

    def has(self, digest: str) -> bool:
        """Whether a content is there that a room's state names."""

    def belong_to(self, epoch: str) -> bool:
        """Whether these are the contents of one database's files, and of no other's.

        Args:
            epoch: the database's.
        """

    def begin(self) -> Incoming:
        """A new content is about to come; raises `OSError`."""

    def delete(self, digest: str) -> None:
        """Nobody here needs a content any more; it stays if another server does."""

    def clear_away(self) -> None:
        """Delete what servers that are gone have left of uploads; called again and again."""

    def open(self, digest: str) -> Deferred[Content]:
        """A content, to be read; fails with `OSError`."""

    def stop(self) -> Deferred[None]:
        """They are needed no longer; where they are not to be kept, they go."""


def not_deleted(failure: Failure) -> None:
    """A content, or half of one, is still there."""
    why = getattr(failure.value, "strerror", None) or failure.getErrorMessage()
    _log.warn("A file could not be deleted: {why}", why=why)
