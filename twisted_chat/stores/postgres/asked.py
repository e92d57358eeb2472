"""What is to be stored, until it is sent to the database."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence

from twisted.internet.defer import Deferred, fail

from twisted_chat.events import Entry
from twisted_chat.refusal import Refused
from twisted_chat.stores import SavedSession
from twisted_chat.stores.account import Account
from twisted_chat.stores.batches import is_only_told, refuse, show_told, split
from twisted_chat.stores.nameless import Replacements
from twisted_chat.stores.nodes import Value
from twisted_chat.stores.postgres.group import Batch, Group
from twisted_chat.stores.postgres.logs import OpenLog
from twisted_chat.stores.postgres.nameless import MakeNameless
from twisted_chat.stores.postgres.work import AccountWrite, Claim, Release, Take, Work
from twisted_chat.stores.records import session_row
from twisted_chat.stores.sentences import unchanged, unsaved, unseen

GROUP = 5_000
"""Entries in one commit: a fifth of a second of work."""

QUEUE = 50_000
"""Entries that may wait for a database that does not answer; more are refused at once."""


class Asked:
    """What waits to be stored; while there is no connection, most is refused at once.

    Args:
        changed: called when there is something more to be stored.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._queue: deque[Batch] = deque()
        self._work = Work()
        self.waiting = 0
        """Entries that wait."""
        self.problem = ""
        """Why nothing can be stored; empty if all is well."""
        self.is_away = False
        """Whether there is no connection."""

    @property
    def is_wanted(self) -> bool:
        """Whether somebody waits for any of it."""
        return bool(self._queue or self._work.is_awaited or self._work.renews)

    @property
    def is_unsaved(self) -> bool:
        """Whether there is anything that nobody will ask for again."""
        return self._work.is_unsaved

    @property
    def is_behind(self) -> bool:
        """See `Store.is_behind`."""
        return self.waiting >= GROUP

    def is_erasing(self, log: str) -> bool:
        """Whether a log is about to be erased."""
        return log in self._work.erased

    def next_group(self) -> Group:
        """What is stored next; it waits here no more."""
        batches: list[Batch] = []
        count = 0
        while self._queue and count < GROUP:
            batches.append(self._queue.popleft())
            count += len(batches[-1])
        self.waiting -= count
        work, self._work = self._work, Work()
        return Group(batches, work)

    def follow(self, group: Group) -> None:
        """Do what could not be done with a group, but for what was told to be refused."""
        self._work.follow(group.work)

    # What the store is asked for

    def append(self, batch: Batch) -> None:
        """See `Store.append`."""
        told_only = is_only_told(batch)
        if told_only and self.is_away and not any(log.waiting for log, _ in batch):
            show_told(batch)
            if len(self._work.late) < QUEUE:
                self._work.late += batch
        elif self.is_away and not told_only:
            self._refuse_at_once(batch)
        elif self.waiting >= (2 * QUEUE if told_only else QUEUE):
            refuse(batch, Refused("not-stored", "The database is too slow: try again later."))
        else:
            self._queue.append(batch)
            self._count(batch, 1)
            self._changed()

    def _count(self, batch: Batch, sign: int) -> None:
        self.waiting += sign * len(batch)
        for log, _ in batch:
            log.waiting += sign

    def save(self, saved: SavedSession) -> Deferred[None]:
        """See `Store.save_session`."""
        self._work.saves[saved.id] = session_row(saved)
        if self.is_away:
            return fail(Refused("not-stored", unsaved(self.problem)))
        stored: Deferred[None] = Deferred()
        self._work.told.append(stored)
        self._changed()
        return stored

    def drop(self, device: str) -> None:
        """See `Store.drop_session`."""
        self._work.saves.pop(device, None)
        self._work.dropped.append(device)
        self._changed()

    def write_account(self, change: Account | str) -> Deferred[None]:
        """See `Store.save_account` and `Store.drop_account`."""
        if self.is_away:
            return fail(Refused("not-stored", unchanged(self.problem)))
        write = AccountWrite(change)
        self._work.accounts.append(write)
        self._changed()
        return write.done

    def make_nameless(self, person: str) -> Deferred[Mapping[str, Replacements]]:
        """See `Store.make_nameless`."""
        if self.is_away:
            return fail(Refused("not-stored", unchanged(self.problem)))
        change = MakeNameless(person)
        self._work.nameless.append(change)
        self._changed()
        return change.done

    def erase(self, log: str) -> None:
        """See `Store.erase`."""
        self._work.erased.add(log)
        self._changed()

    # Several servers

    def tell(self, name: str, value: Value, *, is_set: bool) -> None:
        """See `Nodes.set` and `Nodes.tell`."""
        self._work.words.append((name, value, is_set))
        self._changed()

    def claim(self, holder: str, keys: Sequence[str], instead_of: str) -> Deferred[None]:
        """See `Nodes.claim`."""
        if self.is_away:
            return fail(Refused("not-stored", unchanged(self.problem)))
        claim = Claim(holder, keys, instead_of)
        self._work.claims.append(claim)
        self._changed()
        return claim.done

    def release(self, holder: str, keys: Sequence[str]) -> None:
        """See `Nodes.release`."""
        self._work.claims.append(Release(holder, keys))
        self._changed()

    def take(self, client: str) -> Deferred[int]:
        """See `Nodes.take`."""
        if self.is_away:
            return fail(Refused("not-stored", unchanged(self.problem)))
        take = Take(client)
        self._work.takes.append(take)
        self._changed()
        return take.done

    def inherit(self, node: int, kept: Mapping[str, Sequence[str]]) -> None:
        """See `Nodes.inherit`."""
        self._work.inherited.append((node, kept))
        self._changed()

    def join(self) -> None:
        """Find out how everything is, and tell it to `hearing`."""
        self._work.joins = True
        self._changed()

    def renew(self) -> None:
        """Say that this server is there, and find out whether others are not."""
        self._work.renews = True
        self._changed()

    # What is not stored

    def refuse_what_waits(self) -> None:
        """Refuse what would be stored; what is only told keeps its place."""
        refused: list[tuple[OpenLog, Entry]] = []
        waiting, self._queue = self._queue, deque()
        for batch in waiting:
            stored, told = split(batch)
            self._count(stored, -1)
            refused += stored
            if told:
                self._queue.append(told)
        self.refuse(refused)
        self.refuse_work(self._work)

    def _refuse_at_once(self, batch: Batch) -> None:
        """Refuse what would be stored; what is only told goes on."""
        stored, told = split(batch)
        self.refuse(stored)
        if told:
            self.append(told)

    def refuse(self, batch: Batch) -> None:
        """This is not stored, and nobody will see it."""
        refuse(batch, Refused("not-stored", unseen(self.problem)))

    def refuse_work(self, work: Work) -> None:
        """None of this is stored; whoever waits for it is told so."""
        work.refuse(
            Refused("not-stored", unsaved(self.problem)),
            Refused("not-stored", unchanged(self.problem)),
        )
