"""All readers of a log catch up together, at the end of an event-loop turn.

Each piece of the log is made into bytes once for each wire, and written once to each reader. So a
turn costs O(messages + readers), not O(messages x readers), and a reader that stands still costs
nothing: it has no queue, only a place. When it reads again it goes on there, from memory or from
the store.
"""

from collections.abc import Sequence
from itertools import chain

from twisted.logger import Logger

from twisted_chat.events import Entry
from twisted_chat.log.log import Log
from twisted_chat.log.reader import Reader
from twisted_chat.log.window import WINDOW, Window
from twisted_chat.turn import Turn

_log = Logger(namespace="chat")

SLICE = 2_000
"""Readers who catch up in one turn: 8 ms of system calls, so that a huge room blocks nobody."""


class Fanout:
    """The readers of a log, and what they read together.

    Args:
        log: what they read.
        turn: calls back at the end of the event-loop turn, when they catch up.
        window: how many entries are kept in memory at least while somebody is behind.
    """

    __slots__ = (
        "_again",
        "_asked",
        "_delivered",
        "_delivering",
        "_readers",
        "_rest",
        "_round",
        "_somebody_is_behind",
        "_turn",
        "log",
        "window",
    )

    def __init__(self, log: Log, turn: Turn, window: int = WINDOW) -> None:
        self.log = log
        self.window = Window(log.end, log.last, window)
        self._turn = turn
        self._readers: dict[str, tuple[Reader, ...]] = {}  # by the viewer's id
        self._rest: Sequence[Reader] = ()  # who has not caught up in this round yet
        self._delivered = log.end  # the place up to which the last turn's readers have read
        self._round = log.end, log.end  # from where to where this round's readers read
        self._asked = False  # for one more round, since this one began
        self._delivering = self._again = self._somebody_is_behind = False
        log.listener = self

    def enter(self, reader: Reader) -> None:
        """Add a reader, who reads with the others from now on."""
        others = self._readers.get(reader.viewer_id, ())
        self._readers[reader.viewer_id] = (*others, reader)

    def leave(self, reader: Reader) -> None:
        """Remove a reader."""
        readers = self._readers.pop(reader.viewer_id, ())
        others = tuple(other for other in readers if other is not reader)
        if others:
            self._readers[reader.viewer_id] = others
        elif not self._readers:
            self._turn.schedule(self.deliver)

    # What the log tells (`Listener`)

    def add(self, entries: Sequence[Entry]) -> None:
        """Add entries that are about to be seen; their authors' readers show them as their own."""
        for place, entry in enumerate(entries, self.window.end):
            for reader in self._readers.get(entry.author, ()):
                reader.own = (*reader.own, place)
        self.window.extend(entries)

    def go_on(self) -> None:
        """Let the readers catch up at the end of the event-loop turn."""
        self._asked = True
        self._turn.schedule(self.deliver)

    # The end of a turn

    def deliver(self) -> None:
        """Let every reader catch up, a limited number per turn."""
        self._again = True
        if self._delivering:  # somebody was told something that made something happen
            return
        self._delivering = True
        try:
            while self._again:
                self._again = False
                self._let_some_catch_up()
        finally:
            self._delivering = False

    def _let_some_catch_up(self) -> None:
        """Most readers are where the last round left them: a fast loop handles these."""
        window = self.window
        if not self._rest:
            self._rest = list(chain.from_iterable(self._readers.values()))
            self._round = self._delivered, window.end
            self._delivered = window.end
            self._asked = False
            self._somebody_is_behind = False
        fresh, end = self._round
        some, self._rest = self._rest[:SLICE], self._rest[SLICE:]
        delivered = 0
        wire, data, size, there, count = None, b"", 0, fresh, 0
        for reader in some:
            outlet = reader.outlet
            try:
                if (
                    reader.at == fresh
                    and outlet.ready
                    and not (reader.own or reader.is_apart or reader.ignored)
                ):
                    if fresh == end:
                        continue
                    if reader.wire is not wire:
                        wire = reader.wire
                        data, there, _ = window.piece(wire, fresh)
                        size, count = len(data), there - fresh
                    reader.at = there
                    delivered += count
                    if data:
                        try:
                            sent = outlet.send(data)
                        except OSError as why:
                            outlet.hold(data, why)
                        else:
                            if sent != size:
                                outlet.hold(data[sent:])
                    if there >= end:
                        continue
                reader.catch_up()
                if reader.at != window.end:
                    self._somebody_is_behind = True
            except Exception:
                _log.failure("A reader of {room} failed", room=self.log.room)
                reader.fail()
        self.log.counters.deliveries += delivered
        if not self._rest:
            self._trim()
        if self._rest or self._asked:
            self._turn.schedule(self.deliver)

    def _trim(self) -> None:
        """Keep only what readers who are slightly behind need, or newcomers."""
        if self._readers:
            wanted = self.window.place_to_keep(is_read=not self._somebody_is_behind)
            place = min(wanted, self._delivered)  # what has come meanwhile, nobody has read
        else:
            place = self.window.end
        if place > self.window.start:
            for reader in chain.from_iterable(self._readers.values()):
                reader.forget_before(place)
            self.window.forget_before(place)
