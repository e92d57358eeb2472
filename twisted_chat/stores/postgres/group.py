"""What is stored in one call: entries, and what is to be done with them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from twisted.internet.defer import Deferred

from twisted_chat.events import Entry, Rename
from twisted_chat.events.effects import EFFECTS, Changes, Value, effects
from twisted_chat.refusal import Refused
from twisted_chat.stores.account import Account, name_taken
from twisted_chat.stores.batches import by_log
from twisted_chat.stores.postgres.logs import OpenLog
from twisted_chat.stores.postgres.nameless import MakeNameless
from twisted_chat.stores.records import account_row
from twisted_chat.stores.rows import Row, to_row

Batch: TypeAlias = Sequence[tuple[OpenLog, Entry]]

Answer: TypeAlias = Mapping[str, Any]
"""What the function in the database says, see `functions`."""


class Awaited(Protocol):
    """What somebody waits for."""

    done: Deferred[Any]
    """Fires when it is stored; fails if it is not."""


class AccountWrite:
    """One change to the accounts that somebody waits for.

    Args:
        change: an account to keep, or the id of one to keep no longer.
    """

    def __init__(self, change: Account | str) -> None:
        self._change = change
        self.done: Deferred[None] = Deferred()

    @property
    def row(self) -> Row | str:
        """As the function in the database has it."""
        return self._change if isinstance(self._change, str) else account_row(self._change)

    def tell(self, *, is_taken: bool) -> None:
        """It is stored, unless the name is taken."""
        if is_taken and isinstance(self._change, Account):
            self.done.errback(name_taken(self._change.name))
        else:
            self.done.callback(None)


@dataclass(slots=True)
class Work:
    """What is to be done beside storing entries, before that.

    Args:
        erased: names of logs to erase.
        dropped: ids of devices whose sessions nobody resumes.
        saves: sessions to save, by the device's id.
        told: whoever waits for these sessions.
        accounts: changes of accounts, in their order.
        nameless: whose name is taken from all that they have done.
    """

    erased: set[str] = field(default_factory=set)
    dropped: list[str] = field(default_factory=list)
    saves: dict[str, Row] = field(default_factory=dict)
    told: list[Deferred[None]] = field(default_factory=list)
    accounts: list[AccountWrite] = field(default_factory=list)
    nameless: list[MakeNameless] = field(default_factory=list)

    @property
    def is_unsaved(self) -> bool:
        """Whether there is anything that nobody will ask for again."""
        return bool(self.erased or self.dropped or self.saves)

    @property
    def is_awaited(self) -> bool:
        """Whether somebody waits for any of it."""
        return bool(self.told or self.accounts or self.nameless)

    def follow(self, earlier: "Work") -> None:
        """Do what could not be done earlier too, but for what was told to be refused."""
        self.erased |= earlier.erased
        kept = {who: row for who, row in earlier.saves.items() if who not in self.dropped}
        self.dropped = earlier.dropped + self.dropped
        self.saves = kept | self.saves

    def refuse(self, unsaved: Refused, unchanged: Refused) -> None:
        """None of it is stored; whoever waits is told so, and what else there is stays."""
        told, self.told = self.told, []
        changes: list[Awaited] = [*self.accounts, *self.nameless]
        self.accounts, self.nameless = [], []
        for deferred in told:
            deferred.errback(unsaved)
        for change in changes:
            change.done.errback(unchanged)


class Group:
    """What is stored together.

    Args:
        entries: what goes into the logs, in this order.
        work: what else is to be done.
    """

    def __init__(self, entries: list[tuple[OpenLog, Entry]], work: Work) -> None:
        self.entries = entries
        self.work = work
        self._places: dict[OpenLog, int] = {}
        self._counts: list[int] = []  # of the stored entries of each log, by its place
        self._rows: list[Row] = []
        self._changes: list[Row] = []
        self._renames: dict[str, str] = {}
        for log, entry in entries:
            if entry.stored and not log.is_erased:
                self._add(log, entry)

    def _add(self, log: OpenLog, entry: Entry) -> None:
        place = self._places.setdefault(log, len(self._places))
        if place == len(self._counts):
            self._counts.append(0)
        self._counts[place] += 1
        number = self._counts[place]
        if type(entry.event) in EFFECTS:
            self._changes += ((place, number, *change) for change in _changes(entry))
        elif isinstance(entry.event, Rename):
            self._renames[entry.author] = entry.event.to
        entry.id = number
        self._rows.append(to_row(place, entry)[:-1])  # the database knows the last request

    def encode(self) -> str:
        """This group as the function in the database has it."""
        parts = {
            "erased": list(self.work.erased),
            "dropped": self.work.dropped,
            "sessions": list(self.work.saves.values()),
            "accounts": [write.row for write in self.work.accounts],
            "logs": [
                (log.name, log.room, not log.is_kept, count)
                for log, count in zip(self._places, self._counts, strict=True)
            ],
            "events": self._rows,
            "state": self._changes,
            "renames": self._renames,
        }
        return json.dumps({name: part for name, part in parts.items() if part})

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
        """Tell whoever waits that it is stored, but for accounts whose name is taken."""
        for deferred in self.work.told:
            deferred.callback(None)
        for place, write in enumerate(self.work.accounts):
            write.tell(is_taken=place in answer["taken"])
        for change in self.work.nameless:
            change.tell()


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
