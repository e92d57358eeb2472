"""One reader's position in a log, and how they catch up from there."""

from collections.abc import Callable, Iterator, Sequence, Sized
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_chat.events import Entry
from twisted_chat.log.log import Log
from twisted_chat.log.window import Piece, Window, Wire, rendered
from twisted_chat.stores.unusable import Unusable

_log = Logger(namespace="chat")

PAGE = 50
"""Entries that a reader who is far behind fetches at once: at most a hundred kilobytes."""


class Outlet(Protocol):
    """Where a reader's bytes go."""

    ready: bool
    """Whether it takes more. When it does again, its owner lets its readers catch up."""

    def send(self, data: bytes, /) -> int:
        """Send what can be sent at once, while this is ready; the caller passes the rest to `hold`.

        A cheaper `write` for sending the same to thousands.

        Returns:
            How many bytes were taken.

        Raises:
            OSError: none.
        """

    def hold(self, rest: bytes, why: OSError | None = None) -> None:
        """Send later what `send` did not take; this is ready again when that is done.

        Args:
            rest: what is left.
            why: what `send` raised, if it did.
        """

    def write(self, data: bytes) -> None:
        """Send bytes; this never raises and never calls back."""


class Viewer(Protocol):
    """The person who reads."""

    id: str

    @property
    def ignored(self) -> Sized:
        """Whom they ignore: always the same object, empty if that is nobody."""

    def view(self, entry: Entry) -> Entry | None:
        """What they see of an entry; None if that is nothing."""


class Owner(Protocol):
    """The session that a reader belongs to."""

    def failed(self, reader: "Reader") -> None:
        """An unexpected error happened, and the reader has stopped."""

    def caught_up(self, reader: "Reader") -> None:
        """It was far behind and has caught up; it has missed events that are not stored."""


class Readers(Protocol):
    """All who read a log."""

    @property
    def log(self) -> Log:
        """What they read."""

    @property
    def window(self) -> Window:
        """The part of it that is in memory."""

    def enter(self, reader: "Reader") -> None:
        """Add a reader."""

    def leave(self, reader: "Reader") -> None:
        """Remove a reader."""


class Reader:
    """A position in a log, and where the bytes go.

    Args:
        readers: the other readers of the same log.
        wire: how it is shown.
        outlet: who gets the bytes.
        viewer: the person who reads; None if there is none, as for a transcript.
        client: the id of the connection or session that they read over.
        after: the number of the last event that they have seen; None begins with what comes now.
        owner: is told about errors and catching up; may be None.
    """

    __slots__ = (
        "_at_stop",
        "_client",
        "_closed",
        "_decorate",
        "_fetching",
        "_goals",
        "_is_behind",
        "_live_number",
        "_live_place",
        "_log",
        "_owner",
        "_readers",
        "_seen",
        "_stop",
        "_viewer",
        "_window",
        "at",
        "ignored",
        "is_apart",
        "outlet",
        "own",
        "viewer_id",
        "wire",
    )

    def __init__(
        self,
        readers: Readers,
        wire: Wire,
        outlet: Outlet,
        viewer: Viewer | None = None,
        client: str = "",
        after: int | None = None,
        owner: Owner | None = None,
    ) -> None:
        self._readers = readers
        self._log = log = readers.log
        self._window = readers.window
        self._owner = owner
        self.wire = wire
        self.outlet = outlet
        self._viewer = viewer
        self._client = client
        self.viewer_id = viewer.id if viewer else ""
        self.ignored: Sized = viewer.ignored if viewer else ()
        self._decorate: Callable[[Entry, bytes], bytes] | None = None
        self.own: tuple[int, ...] = ()  # places of what the viewer did, and has not read yet
        self._seen = log.last if after is None else after
        self.at = log.end if self._seen >= log.last else None
        self._live_number, self._live_place = log.last, log.end  # before these, it is history
        self._goals: tuple[tuple[int, Callable[[], None]], ...] = ()  # places
        self._stop: tuple[int, int] | None = None  # the place and the number where it ends
        self._at_stop: Callable[[], None] | None = None
        self._fetching = self._closed = self._is_behind = False
        self.is_apart = True  # until it has arrived where everybody is, and has nothing to tell
        readers.enter(self)

    @property
    def seen(self) -> int:
        """The number of the last event that was written."""
        return self._seen if self.at is None else self._window.number_before(self.at)

    def close(self) -> None:
        """Read no further."""
        self._seen, self.at = self.seen, None
        self._closed = True
        self._goals, self._at_stop = (), None
        self._readers.leave(self)

    def when_here(self, call: Callable[[], None]) -> None:
        """Call back once everything appended so far is read."""

        def settled(place: int) -> None:
            if not self._closed:
                self._goals = (*self._goals, (place, call))
                self.is_apart = True

        self._log.when_settled(settled)

    def stop_here(self, call: Callable[[], None]) -> None:
        """Read only what has been appended so far, and call back when that is done."""
        self._at_stop = call

        def settled(place: int) -> None:
            self._stop = place, self._window.number_before(place)
            self.is_apart = True

        self._log.when_settled(settled)

    def decorate(self, touch: Callable[[Entry, bytes], bytes] | None) -> None:
        """Change each line for this reader only, such as by adding a bell; None ends it."""
        self._decorate = touch
        self.is_apart = True

    def forget_before(self, place: int) -> None:
        """Entries before this place are about to be dropped from memory."""
        if self.at is not None and self.at < place:
            self._seen = self.seen
            self.at = None
            self._is_behind = self.is_apart = True
        if self.own and self.own[0] < place:
            self.own = tuple(own for own in self.own if own >= place)

    def catch_up(self) -> None:
        """Write what this reader has not seen, as much as the outlet accepts."""
        while self.outlet.ready and not self._fetching and not self._closed:
            if self._stop is not None and self._is_at_stop(*self._stop):
                self._end()
                return
            if self.at is None:
                self.at = self._window.place_after(self._seen)
                if self.at is None:
                    self._fetch()
                continue
            if self.at == self._window.end:
                if self.is_apart:
                    self._arrive()
                return
            piece = self._window.piece(self.wire, self.at)
            data, end = piece.data, piece.end
            if self.own or self.is_apart or self.ignored:
                data, end = self._render(piece, self.at)
            self._log.counters.deliveries += end - self.at
            self.at = end
            if data:
                self.outlet.write(data)

    def _is_at_stop(self, place: int, number: int) -> bool:
        return self._seen >= number if self.at is None else self.at >= place

    def _end(self) -> None:
        goals, at_stop = self._goals, self._at_stop
        self.close()
        for _, call in goals:  # which are not behind the end
            call()
        if at_stop is not None:
            at_stop()

    def _arrive(self) -> None:
        """This reader has caught up: call back, and read with the others if possible."""
        at = self._window.end
        reached = [call for place, call in self._goals if place <= at]
        self._goals = tuple(goal for goal in self._goals if goal[0] > at)
        self.is_apart = bool(self._goals or self._stop or self._decorate)
        was_behind, self._is_behind = self._is_behind, False
        if was_behind and self._owner is not None:
            self._owner.caught_up(self)
        for call in reached:
            call()

    def _render(self, piece: Piece, place: int) -> tuple[bytes, int]:
        """A piece of the log as only this reader sees it, and the place after it."""
        end = piece.end if self._stop is None else min(piece.end, self._stop[0])
        if place < self._live_place:
            end = min(end, self._live_place)
            history = (entry for entry in self._window.entries(place, end) if entry.stored)
            return b"".join(self._line(entry, replayed=True) for entry in history), end
        if self._decorate or self.ignored:
            data = b"".join(map(self._line, self._window.entries(place, end)))
        else:
            data = b"".join(self._with_own(piece, place, end))
        self.own = tuple(own for own in self.own if own >= end)
        return data, end

    def _with_own(self, piece: Piece, place: int, end: int) -> Iterator[bytes | memoryview]:
        """A piece up to some place, with this reader's own entries as they see them."""
        data, done = memoryview(piece.data), 0  # which is copied once, when it is joined
        for own in self.own:
            if place <= own < end:
                begin, after = piece.marks[own - place : own - place + 2]
                yield data[done:begin]
                yield self._line(self._window.entry(own))
                done = after
        yield data[done : piece.marks[end - place]]

    def _line(self, entry: Entry, *, replayed: bool = False) -> bytes:
        seen = self._viewer.view(entry) if self._viewer and self.ignored else entry
        if seen is None:
            return b""
        line = rendered(self.wire, seen, entry.by(self.viewer_id, self._client), replayed=replayed)
        return self._decorate(seen, line) if self._decorate and line and not replayed else line

    def _fetch(self) -> None:
        self._fetching = True
        fetched: Deferred[None] = self._log.after(self._seen, PAGE).addCallback(self._take)
        fetched.addErrback(self._not_read)
        if self._fetching:
            fetched.addCallback(lambda _: self.catch_up())

    def _take(self, entries: Sequence[Entry]) -> None:
        self._fetching = False
        if self._closed:
            return
        self._log.counters.replayed += len(entries)
        data = []
        for entry in entries:
            if self._stop is not None and entry.id > self._stop[1]:
                break
            data.append(self._missed(entry.id))
            data.append(self._line(entry, replayed=entry.id <= self._live_number))
            self._seen = entry.id
        if not entries:
            data.append(self._missed(self._window.first))
        self.outlet.write(b"".join(data))

    def _missed(self, number: int, *, kept: bool = False) -> bytes:
        """The notice of missed events before this number, if that is not the next one."""
        count = number - self._seen - 1
        if count <= 0:
            return b""
        self._seen = number - 1
        return self.wire.missed(self._log.room, count, kept=kept)

    def _not_read(self, failure: Failure) -> None:
        """Report entries that cannot be read right now as missed, and continue with new ones."""
        self._fetching = False
        if not self._closed:
            if failure.check(Unusable):
                why = failure.getErrorMessage()
                _log.warn(
                    "The history of {room} cannot be read: {why}", room=self._log.room, why=why
                )
            else:
                _log.failure("Reading the history of {room} failed", failure, room=self._log.room)
            self.outlet.write(self._missed(self._window.first, kept=True))

    def fail(self) -> None:
        """An unexpected error happened: stop reading."""
        self.close()
        if self._owner is not None:
            self._owner.failed(self)
