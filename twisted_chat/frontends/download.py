"""Sends a file over HTTP, or a part of it, no faster than it is read."""

import re
from typing import Any, Final
from urllib.parse import quote

from twisted.internet.interfaces import IPushProducer
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_chat.chat.files import Shared
from twisted_chat.stores.contents import Content, Contents
from twisted_chat.text.media import PICTURES, UNKNOWN

_log = Logger(namespace="chat")

PIECE: Final = 64 * 1024
"""Bytes that are read from the disk at once."""

_RANGE = re.compile(r"bytes=([0-9]{0,15})-([0-9]{0,15})")


def headers(shared: Shared) -> dict[str, str]:
    """How a file is served: nothing in it can run, and only pictures are shown."""
    is_picture = shared.type in PICTURES
    how = "inline" if is_picture else "attachment"
    return {
        "Content-Type": shared.type if is_picture else UNKNOWN,
        "Content-Disposition": f"{how}; filename*=UTF-8''{quote(shared.name, safe='')}",
        "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "private, max-age=31536000, immutable",
        "Accept-Ranges": "bytes",
    }


def part(wanted: str, size: int) -> tuple[int, int] | None:
    """The first byte that is wanted, and the first that is not.

    Args:
        wanted: a `Range` header; only one range is understood, and everything else is all of it.
        size: of the file, in bytes.

    Returns:
        None if there is no such part.
    """
    found = _RANGE.fullmatch(wanted.strip())
    if found is None or not any(found.groups()):
        return 0, size
    first, last = found.groups()
    if not first:
        begin, end = max(0, size - int(last)), size
    else:
        begin, end = int(first), min(size, int(last) + 1) if last else size
        if last and int(last) < begin:
            return 0, size  # which makes no sense, and is to be ignored (RFC 9110, 14.1.1)
    return (begin, end) if begin < end else None


@implementer(IPushProducer)
class Download:
    """A file that is being sent.

    Args:
        request: what asks for it.
        contents: where it is.
        digest: the name of its content.
        begin: the first byte that is wanted.
        end: the first that is not.
    """

    def __init__(self, request: Any, contents: Contents, digest: str, begin: int, end: int) -> None:
        self._request = request
        self._place = begin
        self._end = end
        self._content: Content | None = None
        self._is_paused = request.channel.is_unread
        self._is_reading = self._is_over = False
        request.registerProducer(self, True)
        request.notifyFinish().addErrback(lambda _: self.stopProducing())
        contents.open(digest).addCallbacks(self._opened, self._failed)

    def _opened(self, content: Content) -> None:
        if self._is_over:
            content.close()
        else:
            self._content = content
            self._read()

    def _read(self) -> None:
        if self._content is None or self._is_paused or self._is_reading or self._is_over:
            return
        self._is_reading = True
        size = min(PIECE, self._end - self._place)
        self._content.read(self._place, size).addCallbacks(self._got, self._failed)

    def _got(self, data: bytes) -> None:
        self._is_reading = False
        if self._is_over:
            return
        if not data:
            self._abort()
            return
        self._place += len(data)
        self._request.write(data)
        if self._place == self._end:
            self._stop()
            self._request.unregisterProducer()
            self._request.finish()
        else:
            self._read()

    def _failed(self, failure: Failure) -> None:
        if not self._is_over:
            _log.error("A file cannot be read: {why}", why=failure.getErrorMessage())
            self._abort()

    def _abort(self) -> None:
        """The other end was promised more than there is."""
        self._stop()
        self._request.unregisterProducer()
        self._request.channel.abort()

    def _stop(self) -> None:
        self._is_over = True
        content, self._content = self._content, None
        if content is not None:
            content.close()

    def pauseProducing(self) -> None:
        """What was sent is not read yet."""
        self._is_paused = True

    def resumeProducing(self) -> None:
        """It is read."""
        self._is_paused = False
        self._read()

    def stopProducing(self) -> None:
        """The other end is gone."""
        if not self._is_over:
            self._stop()
