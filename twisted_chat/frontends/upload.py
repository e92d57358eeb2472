"""Takes a file over HTTP: the body of a request goes to the disk as it comes."""

from collections.abc import Callable
from typing import Final

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_chat.chat.chat import Chat
from twisted_chat.chat.sharing import cannot_store
from twisted_chat.chat.uploads import Upload
from twisted_chat.refusal import Refused

_log = Logger(namespace="chat")

AHEAD: Final = 256 * 1024
"""Bytes that may wait for the disk: then no more are read."""


class Body:
    """The body of a request, on its way to the disk.

    Args:
        chat: where the file will be shown.
        upload: what is being sent.
        pause: stops reading.
        resume: reads on.
        failed: called once if the file cannot be stored, while it is still coming.
    """

    def __init__(
        self,
        chat: Chat,
        upload: Upload,
        pause: Callable[[], None],
        resume: Callable[[], None],
        failed: Callable[[Refused], None],
    ) -> None:
        self._chat = chat
        self._upload = upload
        self._pause = pause
        self._resume = resume
        self._failed = failed
        self._waiting = 0  # bytes
        self._is_over = False

    def write(self, data: bytes) -> None:
        """Some more of it has come."""
        if self._is_over:
            return
        if self._waiting <= AHEAD < self._waiting + len(data):
            self._pause()
        self._waiting += len(data)
        written = self._upload.incoming.write(data)
        written.addCallbacks(lambda _: self._written(len(data)), self._not_written)

    def _written(self, size: int) -> None:
        if self._waiting > AHEAD >= self._waiting - size and not self._is_over:
            self._resume()
        self._waiting -= size

    def _not_written(self, failure: Failure) -> None:
        if not self._is_over:
            self.drop()
            self._resume()
            self._failed(_why(failure))

    def end(self) -> Deferred[str]:
        """All of it has come: show the file; gives its address, or fails with `Refused`."""
        if self._is_over:  # it could not be written, which is answered already
            return succeed("")
        self._is_over = True
        return self._chat.share(self._upload).addErrback(_refuse)

    def drop(self) -> None:
        """No more will come."""
        if not self._is_over and self._chat.files is not None:
            self._is_over = True
            self._chat.files.uploads.end(self._upload)


def _refuse(failure: Failure) -> str:
    raise _why(failure)


def _why(failure: Failure) -> Refused:
    error = failure.value
    if isinstance(error, Refused):
        return error
    if isinstance(error, OSError):
        return cannot_store(error)
    _log.failure("A file could not be taken", failure)
    return Refused("broken", "Something went wrong on the server: try again later.")
