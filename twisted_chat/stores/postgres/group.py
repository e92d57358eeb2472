"""What is stored in one call: entries, and what is to be done with them."""

import json
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from twisted_chat.events import Entry, Rename
from twisted_chat.events.effects import EFFECTS, Changes, Value, effects
from twisted_chat.stores.batches import by_log
from twisted_chat.stores.postgres import news
from twisted_chat.stores.postgres.logs import OpenLog
from twisted_chat.stores.postgres.work import Claim, Work
from twisted_chat.stores.rows import Row, to_row

Batch: TypeAlias = Sequence[tuple[OpenLog, Entry]]

Answer: TypeAlias = Mapping[str, Any]
"""What the function in the database says, see `functions`."""


class Group:
    """What is stored together.

    Args:
        batches: what goes into the logs, in this order; each as a whole, or not at all.
        work: what else is to be done.
    """

    def __init__(self, batches: Sequence[Batch], work: Work) -> None:
        self.work = work
        self.left_out: list[tuple[OpenLog, Entry]] = []
        """What clients had asked for that have gone on at another server."""
        self._arrange(batches)

    def _arrange(self, batches: Sequence[Batch]) -> None:
        self._batches = batches
        self.entries = [each for batch in batches for each in batch]
        self._clients: set[str] = set()  # whose requests have a name of their own
        self._places: dict[OpenLog, int] = {}
        self._counts: list[int] = []  # of the stored entries of each log, by its place
        self._rows: list[Row] = []
        self._changes: list[Row] = []
        self._renames: dict[tuple[str, str, str], None] = {}  # whose, from what, and to what
        late = [(log, 0, entry) for log, entry in self.work.late if not log.is_erased]
        self._told: list[tuple[OpenLog, int, Entry]] = late  # behind so many that are stored
        for log, entry in self.entries:
            if log.is_erased:
                continue
            if entry.stored:
                self._add(log, entry)
            else:
                self._told.append((log, len(self._rows), entry))

    def _add(self, log: OpenLog, entry: Entry) -> None:
        place = self._places.setdefault(log, len(self._places))
        if place == len(self._counts):
            self._counts.append(0)
        self._counts[place] += 1
        number = self._counts[place]
        if type(entry.event) in EFFECTS:
            self._changes += ((place, number, *change) for change in _changes(entry))
        elif isinstance(entry.event, Rename):
            self._renames[entry.author, entry.event.sender, entry.event.to] = None
        if entry.ref is not None:
            self._clients.add(entry.client or entry.author)
        entry.id = number
        self._rows.append(to_row(place, entry)[:-1])  # the database knows the last request

    def leave_out(self, clients: Container[str]) -> None:
        """Clients have gone on at another server, and ask for the same there."""
        stay: list[Batch] = []
        for batch in self._batches:
            refs = ((e.client or e.author) for _, e in batch if e.ref is not None)
            if any(client in clients for client in refs):
                self.left_out += batch
            else:
                stay.append(batch)
        self._arrange(stay)

    def encode(self) -> tuple[str, str]:
        """This group as the function in the database has it: its work, and its news."""
        work = self.work
        parts = {
            "erased": list(work.erased),
            "dropped": work.dropped,
            "sessions": list(work.saves.values()),
            "accounts": [write.row for write in work.accounts],
            "inherited": self.work.inherited,
            "clients": sorted(self._clients),
            "takes": [each.client for each in work.takes],
            "claims": [each.row for each in work.claims],
            "shared": {name: value for name, value, is_set in work.words if is_set},
            "renews": work.renews,
            "is_kept": bool(self._rows or work.is_kept),
            "logs": [
                (log.name, log.room, not log.is_kept, count)
                for log, count in zip(self._places, self._counts, strict=True)
            ],
            "state": self._changes,
            "renames": list(self._renames),
        }
        text = json.dumps({name: part for name, part in parts.items() if part}, ensure_ascii=False)
        return text, self._news()

    def _news(self) -> str:
        words = [(name, value) for name, value, _ in self.work.words]
        if not (self._rows or self._told or words):
            return ""
        places = dict(self._places)
        told = [
            news.told_only(places.setdefault(log, len(places)), at, entry)
            for log, at, entry in self._told
        ]
        return news.write([(log.name, log.room) for log in places], words, told, self._rows)

    def places(self, answer: Answer) -> Mapping[str, tuple[int, int]]:
        """By a log's name, the numbers of the last event before this group, and of its last."""
        bases = answer["bases"]
        return {
            log.name: (bases[str(place)][1], bases[str(place)][1] + self._counts[place])
            for log, place in self._places.items()
            if str(place) in bases
        }

    def is_stored(self, answer: Answer) -> Iterator[tuple[OpenLog, list[Entry]]]:
        """Give the entries their numbers; gives each log, and what is to be shown there."""
        for log, entries in by_log(self.entries):
            _, last = answer["bases"].get(str(self._places.get(log)), (None, log.last))
            for entry in entries:
                last += entry.stored
                entry.id = last
            log.last = last
            log.is_kept = log.is_kept or log in self._places
            yield log, entries

    def tell(self, answer: Answer) -> None:
        """Tell whoever waits that it is stored, but for names and keys that are taken."""
        for deferred in self.work.told:
            deferred.callback(None)
        for place, write in enumerate(self.work.accounts):
            write.tell(is_taken=place in answer["taken"])
        for change in self.work.nameless:
            change.tell()
        for take in self.work.takes:
            take.done.callback(answer["order"])
        for place, each in enumerate(self.work.claims):
            if isinstance(each, Claim):
                each.tell(answer["refused"].get(str(place)))


def _changes(entry: Entry) -> Iterator[tuple[str, Value | None, Sequence[str | int] | None]]:
    """What an event changes, and where in that its number stands, which is not known yet."""
    one, other = _effects(entry, 1), _effects(entry, 2)
    for name, value in one.items():
        yield name, value, _difference(value, other[name])


def _effects(entry: Entry, number: int) -> Changes:
    entry.id = number
    return effects(entry)


def _difference(one: Any, other: Any) -> Sequence[str | int] | None:
    """The way to the only part in which two values differ; None if they are the same."""
    if one == other:
        return None
    if isinstance(one, dict):
        key = next(key for key in one if one[key] != other[key])
    elif isinstance(one, list):
        key = next(place for place in range(len(one)) if one[place] != other[place])
    else:
        return ()
    return (key, *(_difference(one[key], other[key]) or ()))
