"""Files on their way from here to a room: asked for, sent, and how far they are."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from twisted.internet.defer import Deferred

from twisted_chat.client.failed import Failed
from twisted_chat.client.incoming import Answer, Happened
from twisted_chat.text.counted import in_bytes

_CELLS = 10


class Posts(Protocol):
    """Sends files."""

    def post(self, url: str, path: Path, told: Callable[[int], None], /) -> Deferred[None]:
        """See `posting.Poster`."""


class Files:
    """Files that are being sent.

    Args:
        poster: sends them; None where nothing can.
        ask: asks the server for an address.
        refused: tells that something is not sent, and why.
        changed: called when one of them is further, and when it is done.
    """

    def __init__(
        self,
        poster: Posts | None,
        ask: Callable[[], Deferred[Happened | Answer]],
        refused: Callable[[str], None],
        changed: Callable[[], None],
    ) -> None:
        self._poster = poster
        self._ask = ask
        self._refused = refused
        self._changed = changed
        self._sent: dict[Path, tuple[int, int]] = {}  # bytes, and how many there are

    def __bool__(self) -> bool:
        """Whether any are under way."""
        return bool(self._sent)

    @property
    def progress(self) -> str:
        """How far they are, as a bar; empty if there are none."""
        if not self._sent:
            return ""
        sent, size = map(sum, zip(*self._sent.values(), strict=True))
        names = [path.name for path in self._sent]
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        return f"{names[0]}{more} {bar(sent, size)}"

    def send(self, typed: str) -> None:
        """Send a file to the room.

        Args:
            typed: its path, as somebody typed it.
        """
        if not typed:
            self._refused("Usage: /send FILE")
            return
        path = Path(typed).expanduser()
        try:
            size = path.stat().st_size
            if not path.is_fifo():  # to open one would wait for whoever writes to it
                path.open("rb").close()
        except OSError as error:
            self._refused(f"{typed} cannot be sent: {error.strerror}.")
            return
        if self._poster is None or not path.is_file() or path in self._sent:
            self._refused(f"{typed} cannot be sent just now.")
            return
        self._sent[path] = 0, size
        asked = self._ask()
        asked.addCallback(lambda answer: self._post(path, answer))
        asked.addErrback(lambda why: self._refused(why.getErrorMessage()))
        asked.addBoth(lambda _: self._done(path))

    def _post(self, path: Path, answer: Happened | Answer) -> Deferred[None]:
        url = answer.url if isinstance(answer, Answer) else ""
        if self._poster is None or not url.startswith(("http://", "https://")):
            raise Failed("This server gives no address for files.")
        return self._poster.post(url, path, lambda sent: self._is_at(path, sent))

    def _is_at(self, path: Path, sent: int) -> None:
        self._sent[path] = sent, self._sent[path][1]
        self._changed()

    def _done(self, path: Path) -> None:
        del self._sent[path]
        self._changed()


def bar(sent: int, size: int) -> str:
    """How much of something is sent: `[####------] 4.1 MB of 10 MB`."""
    full = _CELLS * sent // max(1, size)
    return f"[{'#' * full}{'-' * (_CELLS - full)}] {in_bytes(sent)} of {in_bytes(size)}"
