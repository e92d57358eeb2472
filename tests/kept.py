"""What a store may show, whatever happens to it: the model that it is measured by."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from twisted_chat.events import OWN, Entry, Event, Topic
from twisted_chat.refusal import Refused
from twisted_chat.stores.account import Account
from twisted_chat.stores.sentences import unknown


class Batch:
    """Entries that are stored together or not at all."""

    def __init__(self) -> None:
        self._is_stored: bool | None = None

    def settle(self, *, is_stored: bool) -> None:
        """Some of it is stored, or is not."""
        assert self._is_stored in (None, is_stored), "a part of a batch is stored, another is not"
        self._is_stored = is_stored


class Life:
    """What a log holds, until it is erased: a later log of the same name is another.

    Args:
        name: the name of the log.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.room = name if name.startswith("#") else OWN
        self.is_open = False
        self.state: dict[str, object] = {}
        self.last = 0
        self.kept: dict[int, Entry] = {}  # everything that was stored, by number
        self.pending: list[tuple[Entry, Batch]] = []  # neither shown nor refused
        self.unknown: list[tuple[Entry, Batch]] = []  # of which nobody knows any more
        self._forgotten_before = 0.0

    def append(self, entry: Entry, batch: Batch) -> None:
        """Something is put into it."""
        self.pending.append((entry, batch))

    def forget(self, before: float) -> None:
        """What is older than a time may be gone from now on."""
        self._forgotten_before = max(before, self._forgotten_before)

    @property
    def bound(self) -> int:
        """The number up to which everything may be gone; the last event never is.

        Another may be the last by now, of which that is not known.
        """
        old = [n for n, entry in self.kept.items() if entry.event.time < self._forgotten_before]
        is_last = not (self.pending or self.unknown)
        return max((n for n in old if n != self.last or not is_last), default=0)

    # What the store tells (`Subscriber`)

    def show(self, entries: Sequence[Entry]) -> None:
        """These are stored: they were put into this log, and are the next ones."""
        assert self.is_open, f"{self.name} is told of something after it was closed"
        for entry in entries:
            assert self.pending, f"{self.name} is shown {entry}, which it was shown already"
            expected, batch = self.pending.pop(0)
            assert entry.event == expected.event, f"{self.name} is shown {entry}"
            if entry.stored:
                batch.settle(is_stored=True)
                self._keep(entry)
            assert entry.id == self.last, f"{entry} does not have the number {self.last}"

    def hear(self, entries: Sequence[Entry]) -> None:
        """Nobody else appends anything here: it was not known whether these were stored."""
        for entry in entries:
            found = [each for each in self.unknown if each[0].event == entry.event]
            assert found, f"{self.name} hears {entry}, which nobody said"
            self.unknown.remove(found[0])
            found[0][1].settle(is_stored=True)
            self._keep(entry)
            assert entry.id == self.last, f"{entry} does not have the number {self.last}"

    def refuse(self, entries: Sequence[Entry], why: Refused) -> None:
        """These could not be stored."""
        assert self.is_open, f"{self.name} is told of something after it was closed"
        refused = [entry.event for entry in entries]
        for expected, batch in self.pending:
            if expected.event in refused:
                refused.remove(expected.event)
                if why.text == unknown():
                    self.unknown.append((expected, batch))
                else:
                    batch.settle(is_stored=False)
        assert not refused, f"{self.name} is refused what was not asked for, or twice: {refused}"
        gone = {entry.event for entry in entries}
        self.pending = [each for each in self.pending if each[0].event not in gone]

    def _keep(self, entry: Entry) -> None:
        self.last += 1
        self.kept[self.last] = replace(entry, id=self.last, waiter=None)
        if isinstance(entry.event, Topic):
            self.state = {"topic": entry.event.text} if entry.event.text else {}

    # After a crash

    def recover(self, found: Sequence[Entry], *, judge: bool) -> None:
        """What was shown is there, and what waited is there or not, a batch as a whole.

        Args:
            found: everything that is there.
            judge: whether what waited is to be there or not, a batch as a whole.
        """
        waiting = self.unknown + self.pending
        self.unknown, self.pending = [], []
        there = {entry.event for entry in found}
        gone = found[0].id - 1 - self.last if found else 0  # stored, and forgotten since
        for entry, batch in waiting:
            is_there = entry.event in there
            is_old = entry.stored and entry.event.time < self._forgotten_before
            if is_old and not is_there and gone > 0:
                is_there, gone = True, gone - 1
            if is_there:
                self._keep(entry)
            if entry.stored and judge:
                batch.settle(is_stored=is_there)
        self.check_after(found, 0, len(self.kept) + 1, self.last)

    # Reading

    def check_after(self, page: Sequence[Entry], number: int, limit: int, last: int) -> None:
        """Whether this is what stands behind a number.

        Args:
            page: what was read.
            number: the last that was not wanted.
            limit: how many were wanted.
            last: the last that there was when it was asked for.
        """
        cut = page[0].id - 1 if page else self.bound
        assert cut <= max(number, self.bound), f"{page} begins too late"
        self._check(page, [n for n in range(number + 1, last + 1) if n > cut][:limit])

    def check_before(self, page: Sequence[Entry], number: int, limit: int, last: int) -> None:
        """Whether this is what stands before a number; the arguments are those of `check_after`."""
        cut, end = page[0].id - 1 if page else self.bound, min(number - 1, last)
        assert cut <= max(end - limit, self.bound), f"{page} begins too late"
        self._check(page, [n for n in range(1, end + 1) if n > cut][-limit:])

    def _check(self, page: Sequence[Entry], numbers: Sequence[int]) -> None:
        expected = [self.kept.get(number) for number in numbers]
        assert list(page) == expected, f"{self.name} shows {page}, and not {expected}"

    def check_number_at(self, number: int, time: float, last: int) -> None:
        """Whether that is the number of the last event older than a time."""
        older = [n for n, entry in self.kept.items() if n <= last and entry.event.time < time]
        least = max(older, default=0)
        assert least <= number <= max(least, min(self.bound, last)), f"{number}, and not {least}"


def owner(lives: Sequence[Life], events: set[Event]) -> Life | None:
    """Of some logs, the one that these events were put into."""
    for life in lives:
        known = {entry.event for entry in life.kept.values()}
        if events <= known | {entry.event for entry, _ in life.unknown + life.pending}:
            return life
    return None


class Change:
    """One change of an account that was asked for.

    Args:
        what: the account that is saved, or the id of the one that is dropped.
    """

    def __init__(self, what: Account | str) -> None:
        self.what = what

    def __repr__(self) -> str:
        return f"the change {self.what}"


class Register:
    """The accounts that a store keeps: what is asked for is done in order, and told of."""

    def __init__(self) -> None:
        self.kept: dict[str, Account] = {}  # by id
        self.pending: list[Change] = []
        self.unknown: list[Change] = []  # whether they are made

    def ask(self, what: Account | str, asked: Deferred[None]) -> None:
        """A store is asked to save an account, or to drop the one of an id."""
        change = Change(what)
        self.pending.append(change)
        asked.addCallbacks(self._is_done, self._is_refused, (change,), {}, (change,))

    def _is_done(self, _: None, change: Change) -> None:
        assert self.pending.pop(0) is change, f"{change} is told of too early"
        assert not self._is_taken(change), f"{change} has a name that is taken"
        self._make(change)

    def _is_refused(self, failure: Failure, change: Change) -> None:
        why = failure.value
        assert isinstance(why, Refused)
        if why.code == "not-stored":  # though it may not be known yet what became of others
            self.pending.remove(change)
            if why.text == unknown():
                self.unknown.append(change)
        else:
            assert self.pending.pop(0) is change, f"{change} is refused too early"
            assert self._is_taken(change), f"{change} is refused, and its name is free"

    def _is_taken(self, change: Change) -> bool:
        new = change.what
        if isinstance(new, str):
            return False
        return any(e.key == new.key and e.id != new.id for e in self.kept.values())

    def _make(self, change: Change) -> None:
        if isinstance(change.what, str):
            self.kept.pop(change.what, None)
        else:
            self.kept[change.what.id] = change.what

    def recover(self, there: Mapping[str, Account]) -> None:
        """After a crash these are kept: some of what was asked for last may be undone."""
        self.pending = self.unknown + self.pending
        while there != self.kept:
            assert self.pending, f"{there} are kept, and not {self.kept}"
            change = self.pending.pop(0)
            if not self._is_taken(change):
                self._make(change)
        self.pending, self.unknown = [], []
