"""What one connection reads: the rooms that it follows, and those it reads to the end."""

from collections.abc import Callable
from functools import partial

from twisted_chat.events import OWN, Entry
from twisted_chat.log.fanout import Fanout
from twisted_chat.log.reader import Reader, Viewer
from twisted_chat.log.window import Wire
from twisted_chat.sessions.frontend import Frontend
from twisted_chat.sessions.input import Input

Decorate = Callable[[Entry, bytes], bytes]
"""Gives a line its last touch for one person."""


class Reading:
    """The readers of one connection, by room.

    Args:
        frontend: where it all goes.
        wire: how events are shown there.
        input: the lines that wait until a room is read that was entered or left.
        behind: called with a room's key when its reader has missed what was only told.
        ended: called when a room is read to the end that was left.
    """

    __slots__ = (
        "_behind",
        "_ended",
        "_frontend",
        "_input",
        "_leaving",
        "_lines_wait",
        "_own_seen",
        "_readers",
        "_wire",
        "is_open",
    )

    def __init__(
        self,
        frontend: Frontend,
        wire: Wire,
        input: Input,  # noqa: A002 - what it is everywhere
        behind: Callable[[str], None],
        ended: Callable[[], None],
    ) -> None:
        self.is_open = True
        """Whether more rooms may be followed."""
        self._frontend = frontend
        self._wire = wire
        self._input = input
        self._behind = behind
        self._ended = ended
        self._readers: dict[str, Reader] = {}  # by the room's key; one's own log under its name
        self._leaving: tuple[Reader, ...] = ()  # of rooms that are read to the end
        self._lines_wait = 0  # for so many rooms
        self._own_seen = 0  # when it stopped

    @property
    def is_done(self) -> bool:
        """Whether nothing is read any more."""
        return not self._readers and not self._leaving

    def follow(
        self,
        room: str,
        fanout: Fanout,
        viewer: Viewer,
        client: str,
        after: int,
        decorate: Decorate | None,
    ) -> None:
        """Read a room on from a number; the arguments are those of `Reader`."""
        reader = Reader(fanout, self._wire, self._frontend.outlet, viewer, client, after, self)
        reader.decorate(decorate)
        self._readers[room] = reader
        self._catch_up(reader)

    @property
    def own_seen(self) -> int:
        """The number of the last event of their own log that was written, also when it is over."""
        reader = self._readers.get(OWN)
        return self._own_seen if reader is None else reader.seen

    def when_read(self, room: str, call: Callable[[], None]) -> None:
        """Let lines wait until a room is read up to now; then call, if it is still followed."""
        if not self.is_open:
            return
        reader = self._readers[room]
        self._let_wait()
        reader.when_here(partial(self._is_read, room, reader, call))
        self._catch_up(reader)

    def leave(self, room: str) -> None:
        """Read a room to the end of what was said until now; lines wait for that."""
        if room in self._readers:
            self._let_wait()
            self._read_to_the_end(room, self._let_go)

    def leave_all(self) -> None:
        """Read everything to the end of what was said until now."""
        self.is_open = False
        own_last = sorted(self._readers, key=lambda room: room == OWN)  # it holds the goodbye
        for room in own_last:
            self._read_to_the_end(room, _nothing)

    def stop(self) -> None:
        """Read nothing more, and know nobody any more, so that memory is freed by that."""
        self.is_open = False
        self._own_seen = self.own_seen
        for reader in self._all():
            reader.close()
        self._readers.clear()
        self._leaving = ()
        self._behind = self._ended = _nothing

    def let_lines_go(self) -> None:
        """Nobody is there to read: lines wait for no room any more."""
        while self._lines_wait:
            self._let_go()

    def go_on(self) -> None:
        """The frontend takes more."""
        for reader in self._all():
            reader.catch_up()

    def decorate(self, decorate: Decorate | None) -> None:
        """What gives lines their last touch has changed."""
        for reader in self._readers.values():
            reader.decorate(decorate)

    # What readers tell (`reader.Owner`)

    def failed(self, reader: Reader) -> None:
        """Whoever would read no more is not left waiting."""
        self._frontend.abort()

    def caught_up(self, reader: Reader) -> None:
        """It was far behind, and has missed what was only told."""
        for room, other in self._readers.items():
            if other is reader and room != OWN:
                self._behind(room)

    def _catch_up(self, reader: Reader) -> None:
        """Nothing new is read before the end of a room that another device may have left."""
        if not self._leaving:
            reader.catch_up()

    def _all(self) -> tuple[Reader, ...]:
        return (*self._leaving, *self._readers.values())

    def _let_wait(self) -> None:
        self._lines_wait += 1
        self._input.pause()

    def _let_go(self) -> None:
        self._lines_wait -= 1
        self._input.resume()

    def _is_read(self, room: str, reader: Reader, call: Callable[[], None]) -> None:
        if self._readers.get(room) is reader:  # else they have left meanwhile
            call()
        self._let_go()

    def _read_to_the_end(self, room: str, then: Callable[[], None]) -> None:
        reader = self._readers.pop(room)
        self._leaving = (*self._leaving, reader)
        reader.stop_here(partial(self._has_ended, reader, then))
        reader.catch_up()

    def _has_ended(self, reader: Reader, then: Callable[[], None]) -> None:
        self._leaving = tuple(other for other in self._leaving if other is not reader)
        for other in tuple(self._readers.values()):
            self._catch_up(other)
        self._ended()
        then()


def _nothing(_: str = "") -> None:
    """Whom this would tell is gone, or waits for nothing."""
