"""What all servers store and tell is shown here, in the one order."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from twisted_chat.counters import Counters
from twisted_chat.events import OWN, Entry
from twisted_chat.refusal import Refused
from twisted_chat.stores.batches import refuse
from twisted_chat.stores.nodes import Hearer, Value
from twisted_chat.stores.postgres.engine import Item
from twisted_chat.stores.postgres.group import Answer, Group
from twisted_chat.stores.postgres.logs import OpenLog
from twisted_chat.stores.postgres.membership import CaughtUp
from twisted_chat.stores.postgres.news import News, Reader
from twisted_chat.stores.rows import to_entry

_log = Logger(namespace="chat")


@dataclass
class Own:
    """A group of this server's, which is stored.

    Args:
        number: its number.
        group: what is in it.
        answer: what the database answered.
    """

    number: int
    group: Group
    answer: Answer
    is_shown: bool = False


class Hearing:
    """Shows what was stored and told.

    Args:
        node: the number of this server.
        logs: those that are open, or for which something waits, by name.
        replaced: called when this server is gone for the others.
        counters: where it is counted how late others are heard, and what was missed.
    """

    def __init__(
        self,
        node: int,
        logs: Mapping[str, OpenLog],
        replaced: Callable[[], None],
        counters: Counters,
    ) -> None:
        self._node = node
        self._logs = logs
        self._replaced = replaced
        self._counters = counters
        self._reader = Reader(node)
        self._hearer: Hearer | None = None
        self._joining: tuple[Hearer, Deferred[Mapping[str, Value] | None]] | None = None
        self._opening: dict[str, list[Entry]] = {}  # what is heard of logs until they are open
        self._caught_up: CaughtUp | None = None  # whose mark has not come yet

    def join(self, hearer: Hearer) -> Deferred[Mapping[str, Value] | None]:
        """Tell this one everything from the next mark on."""
        joined: Deferred[Mapping[str, Value] | None] = Deferred()
        self._joining = hearer, joined
        return joined

    # Logs that are being opened

    def is_opening(self, name: str) -> None:
        """A log is not open yet, but soon will be."""
        self._opening.setdefault(name, [])

    def is_opened(self, name: str) -> None:
        """It is open: what was heard meanwhile, and is not known yet, is shown."""
        heard, log = self._opening.pop(name, []), self._logs.get(name)
        if log is None:
            return
        for place in reversed(range(len(heard))):
            if heard[place].stored and heard[place].id <= log.last:
                heard = heard[place + 1 :]  # and what was only told before that
                break
        self._show(log, heard)

    # What is heard

    def take(self, heard: Sequence[Item], own: Own | None = None) -> None:
        """Show it.

        Args:
            heard: in the one order.
            own: a group of this server's that was stored meanwhile.
        """
        for item in heard:
            if isinstance(item, CaughtUp):
                self._catch_up(item, own)
                continue
            news = self._reader.read(item)
            if news is None:
                continue
            if news.node != self._node:
                self._hear(news)
            elif self._caught_up is not None and news.group == self._caught_up.mark:
                self._has_caught_up(self._caught_up)
            elif own is not None and news.group == own.number:
                self._show_own(own)
        if own is not None:  # it has told nothing, or it was stored over a lost connection
            self._show_own(own)

    def _hear(self, news: News) -> None:
        if self._caught_up is None:
            if news.logs:
                self._counters.heard.add(max(0.0, time.time() - _begun(news)))
            self._tell(news.gone, news.words, news.node)
        for name, room, entries in news.logs:
            if self._caught_up is None:
                self._hear_in(name, room, self._that_count(news.node, entries))
            else:
                self._hear_in(name, room, [entry for entry in entries if entry.stored])

    def _tell(
        self,
        gone: Sequence[tuple[int, int]],
        words: Sequence[tuple[str, Value]],
        node: int,
    ) -> None:
        if any(each == self._node for each, _ in gone):
            self._hearer = None  # whatever others do with its people now is none of its business
            self._replaced()
        if self._hearer is None:
            return
        for each, heir in gone:
            _guarded(self._hearer.gone, each, heir)
        for name, value in words:
            _guarded(self._hearer.heard, node, name, value)

    def _that_count(self, node: int, entries: Sequence[Entry]) -> Sequence[Entry]:
        """Without those of people who had gone on elsewhere, though their server did not know."""
        hearer = self._hearer
        if hearer is None or all(entry.stored for entry in entries):
            return entries
        return [each for each in entries if each.stored or hearer.counts(node, each)]

    def _hear_in(self, name: str, room: str, entries: Sequence[Entry]) -> None:
        """Something comes next in a log, which may not be open here."""
        log = self._asked_for(name, room)
        if name in self._opening:
            self._opening[name] += entries
        elif log is not None:
            self._show(log, entries)

    def _asked_for(self, name: str, room: str) -> OpenLog | None:
        """A log in which something comes; None if that is nothing for anybody here, or not yet."""
        log = self._logs.get(name)
        is_open = log is not None and log.subscriber is not None
        if not is_open and name not in self._opening and self._hearer is not None:
            _guarded(self._hearer.asked_for, name, room)
            log = self._logs.get(name)
        return log

    def _show(self, log: OpenLog, entries: Sequence[Entry]) -> int:
        """Show what is not known yet.

        Returns:
            How much that is.
        """
        new = []
        for entry in entries:
            if not entry.stored:
                entry.id = log.last
            elif entry.id > log.last:
                log.last = entry.id
                log.is_kept = True
            else:
                continue
            new.append(entry)
        if new and log.subscriber is not None:
            _guarded(log.subscriber.hear, new)
        return len(new)

    def _show_own(self, own: Own) -> None:
        if own.is_shown:
            return
        own.is_shown = True
        words = [(name, value) for name, value, _ in own.group.work.words]
        self._tell([(gone, heir) for gone, heir in own.answer["gone"]], words, self._node)
        for log, entries in own.group.is_stored(own.answer):
            log.waiting -= len(entries)
            count = self._that_count(self._node, entries)
            if len(count) < len(entries):
                shown = set(map(id, count))
                left_out = [(log, each) for each in entries if id(each) not in shown]
                _guarded(refuse, left_out, Refused("replaced", "This session goes on elsewhere."))
            if count and log.subscriber is not None:
                _guarded(log.subscriber.show, count)
        _guarded(own.group.tell, own.answer)

    # Where something may be missing

    def _catch_up(self, found: CaughtUp, own: Own | None) -> None:
        """Show what is stored and was not heard, with a group of one's own in its place."""
        self._caught_up = found
        was_stored = own is not None and own.number <= found.done and not own.is_shown
        places = own.group.places(own.answer) if own is not None and was_stored else {}
        later: list[tuple[OpenLog, list[Entry]]] = []
        for log, entries in self._missed(found):
            first, last = places.get(log.name, (entries[-1].id, entries[-1].id))
            before = [entry for entry in entries if entry.id <= first]
            self._counters.missed += self._show(log, before)
            later.append((log, [entry for entry in entries if entry.id > last]))
        if own is not None and was_stored:
            self._show_own(own)
        for log, entries in later:
            self._counters.missed += self._show(log, entries)

    def _missed(self, found: CaughtUp) -> Iterator[tuple[OpenLog, list[Entry]]]:
        for name, rows in groupby(found.missed, key=lambda row: row[0]):
            log = self._asked_for(name, OWN)  # all others are open, or were
            entries = [to_entry(OWN if log is None else log.room, row[1:]) for row in rows]
            if name in self._opening:
                self._opening[name] += entries
            elif log is not None:
                yield log, entries

    def _has_caught_up(self, found: CaughtUp) -> None:
        self._caught_up = None
        joining, self._joining = self._joining, None
        if joining is not None:
            self._hearer, joined = joining
            is_alone = list(found.nodes) == [self._node]
            joined.callback(None if is_alone else found.shared)
        elif self._hearer is not None:
            _guarded(self._hearer.missed, found.shared, found.nodes)


def _begun(news: News) -> float:
    """When the first of it happened, in seconds since 1970."""
    _, _, entries = news.logs[0]
    return entries[0].event.time


def _guarded(call: Callable[..., None], *what: object) -> None:
    """Whatever it fails with, others are told all the same."""
    try:
        call(*what)
    except Exception:
        _log.failure("Showing what was stored failed")
