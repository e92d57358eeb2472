"""Writing to the database: nobody sees an event before it is committed.

Commits are grouped: while one is under way, what arrives meanwhile forms the next. Where the
connection is lost, it is not known whether the last group is stored: it is sent again as soon as
there is a connection, and meanwhile neither shown nor refused. What is said meanwhile is refused
at once, and what is only told is shown.

While nothing is to be stored, the connection is listened to: others write too.
"""

import random
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence

import psycopg
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorFDSet, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_chat.counters import Counters
from twisted_chat.events import Entry
from twisted_chat.refusal import Refused
from twisted_chat.stores import SavedSession, WorkerThread
from twisted_chat.stores.account import Account
from twisted_chat.stores.batches import is_only_told, refuse, show_told, split
from twisted_chat.stores.nameless import Replacements
from twisted_chat.stores.nodes import Value
from twisted_chat.stores.postgres.connection import Away, explain
from twisted_chat.stores.postgres.engine import Engine, TakenOver
from twisted_chat.stores.postgres.group import Answer, Batch, Group
from twisted_chat.stores.postgres.hearing import Hearing, Own
from twisted_chat.stores.postgres.listening import Listening
from twisted_chat.stores.postgres.logs import OpenLog
from twisted_chat.stores.postgres.nameless import MakeNameless
from twisted_chat.stores.postgres.work import AccountWrite, Claim, Release, Work
from twisted_chat.stores.records import session_row
from twisted_chat.stores.sentences import unchanged, unknown, unsaved, unseen
from twisted_chat.turn import Turn

_log = Logger(namespace="chat")

GROUP = 5_000
"""Entries in one commit: a fifth of a second of work."""

QUEUE = 50_000
"""Entries that may wait for a database that does not answer; more are refused at once."""

SOONEST, LATEST = 0.05, 2.0
"""Seconds until a lost connection is tried again, at first and in the end."""


class Writer:
    """Stores what happens, a group of it at a time, and tells the logs.

    Args:
        engine: the connection that writes.
        turn: says when a turn is over, and what it brought is stored together.
        elsewhere: where it is waited for the database.
        clock: when a lost connection is tried again.
        counters: where it is counted how long commits take.
        logs: those that are open, or for which something waits, by name.
        reactor: says when other servers have stored something; without it, `hear` is to be called.
    """

    def __init__(
        self,
        engine: Engine,
        turn: Turn,
        elsewhere: WorkerThread,
        clock: IReactorTime,
        counters: Counters,
        logs: Mapping[str, OpenLog],
        reactor: IReactorFDSet | None,
    ) -> None:
        self._engine = engine
        self.hearing = Hearing(engine.node, logs, self.renew)
        self._listening = None if reactor is None else Listening(reactor, self.hear)
        self.replaced: Callable[[], None] | None = None
        """Called once if another server looks after our people."""
        self._turn = turn
        self._elsewhere = elsewhere
        self._clock = clock
        self._counters = counters
        self._queue: deque[Batch] = deque()
        self._work = Work()
        self._group: Group | None = None  # that is being stored, or of which that is not known
        self.waiting = 0
        """Entries that wait to be sent to the database."""
        self.problem = ""
        """Why nothing can be stored; empty if all is well."""
        self.renamed = 0
        """How many have had their name taken from all that they have done."""
        self.committing_since: float | None = None
        """When the commit began that is under way."""
        self._is_away = False  # there is no connection: the group is sent again when there is
        self._delay = SOONEST
        self._retry: IDelayedCall | None = None
        self._stopped: Deferred[None] | None = None
        self._may_try_again = False  # although the last commit failed: the server stops

    @property
    def is_behind(self) -> bool:
        """See `Store.is_behind`."""
        return self.waiting >= GROUP

    def is_erasing(self, log: str) -> bool:
        """Whether a log is being erased, or about to be."""
        group = self._group
        return log in self._work.erased or (group is not None and log in group.work.erased)

    def append(self, batch: Batch) -> None:
        """See `Store.append`."""
        told_only = is_only_told(batch)
        if told_only and self._is_away and not any(log.waiting for log, _ in batch):
            show_told(batch)
        elif self._is_away and not told_only:
            self._refuse_at_once(batch)
        elif self.waiting >= (2 * QUEUE if told_only else QUEUE):
            refuse(batch, Refused("not-stored", "The database is too slow: try again later."))
        else:
            self._queue.append(batch)
            self._count(batch, 1)
            self._turn.schedule(self._commit)

    def _count(self, batch: Batch, sign: int) -> None:
        self.waiting += sign * len(batch)
        for log, _ in batch:
            log.waiting += sign

    def save(self, saved: SavedSession) -> Deferred[None]:
        """See `Store.save_session`."""
        self._work.saves[saved.id] = session_row(saved)
        if self._is_away:
            return fail(Refused("not-stored", unsaved(self.problem)))
        stored: Deferred[None] = Deferred()
        self._work.told.append(stored)
        self._turn.schedule(self._commit)
        return stored

    def drop(self, device: str) -> None:
        """See `Store.drop_session`."""
        self._work.saves.pop(device, None)
        self._work.dropped.append(device)
        self._turn.schedule(self._commit)

    def write_account(self, change: Account | str) -> Deferred[None]:
        """See `Store.save_account` and `Store.drop_account`."""
        if self._is_away:
            return fail(Refused("not-stored", unchanged(self.problem)))
        write = AccountWrite(change)
        self._work.accounts.append(write)
        self._turn.schedule(self._commit)
        return write.done

    def make_nameless(self, person: str) -> Deferred[Mapping[str, Replacements]]:
        """See `Store.make_nameless`."""
        if self._is_away:
            return fail(Refused("not-stored", unchanged(self.problem)))
        change = MakeNameless(person)
        self._work.nameless.append(change)
        self._turn.schedule(self._commit)
        return change.done

    def erase(self, log: str) -> None:
        """See `Store.erase`."""
        self._work.erased.add(log)
        self._turn.schedule(self._commit)

    # Several servers

    def tell(self, name: str, value: Value, *, is_set: bool) -> None:
        """See `Nodes.set` and `Nodes.tell`."""
        self._work.words.append((name, value, is_set))
        self._turn.schedule(self._commit)

    def claim(self, holder: str, keys: Sequence[str], instead_of: str) -> Deferred[None]:
        """See `Nodes.claim`."""
        if self._is_away:
            return fail(Refused("not-stored", unchanged(self.problem)))
        claim = Claim(holder, keys, instead_of)
        self._work.claims.append(claim)
        self._turn.schedule(self._commit)
        return claim.done

    def release(self, holder: str, keys: Sequence[str]) -> None:
        """See `Nodes.release`."""
        self._work.claims.append(Release(holder, keys))
        self._turn.schedule(self._commit)

    def inherit(self, node: int, kept: Mapping[str, Sequence[str]]) -> None:
        """See `Nodes.inherit`."""
        self._work.inherited.append((node, kept))
        self._turn.schedule(self._commit)

    def join(self) -> None:
        """Find out how everything is, and tell it to `hearing`."""
        self._work.joins = True
        self._turn.schedule(self._commit)

    def renew(self) -> None:
        """Say that this server is there, and find out whether others are not."""
        self._work.renews = True
        self._turn.schedule(self._commit)

    def listen(self) -> None:
        """Hear what other servers store from now on, as long as nothing is to be stored here."""
        self.hear()
        if self._group is None and not self._is_away and self._listening is not None:
            self._listening.start(self._engine.fileno())

    def hear(self) -> None:
        """Show what other servers have stored; if the connection is lost, make another."""
        if self._group is not None or self._is_away:
            return
        try:
            self._engine.hear()
        except Away:
            if self._listening is not None:
                self._listening.stop()
            self.renew()  # over another connection
        self.hearing.take(self._engine.take())

    # Commits

    @property
    def _has_work(self) -> bool:
        work = self._work
        return bool(self._queue or work.is_unsaved or work.is_awaited or work.renews)

    def _next_group(self) -> Group:
        entries: list[tuple[OpenLog, Entry]] = []
        while self._queue and len(entries) < GROUP:
            entries += self._queue.popleft()
        self.waiting -= len(entries)
        work, self._work = self._work, Work()
        return Group(entries, work)

    def _commit(self) -> None:
        if self._group is None and self._has_work:
            self._group = self._next_group()
            self._send(self._group)

    def _send(self, group: Group) -> None:
        self._retry = None
        if self._listening is not None:
            self._listening.stop()
        self.committing_since = time.monotonic()
        work = self._elsewhere(lambda: self._engine.store(group))
        work.addCallbacks(self._committed, self._failed, (group,), {}, (group,))
        work.addErrback(_not_shown)
        work.addCallback(lambda _: self._turn.schedule(self._go_on))

    def _committed(self, stored: tuple[int, Answer], group: Group) -> None:
        self._counters.commits.add(time.monotonic() - (self.committing_since or 0.0))
        if self.problem:
            self.problem = ""
            _log.info("Lines can be stored again")
        self._is_away, self._delay = False, SOONEST
        self.renamed += len(group.work.nameless)
        number, answer = stored
        self.hearing.take(self._engine.take(), Own(number, group, answer))
        self._group = None

    def _failed(self, failure: Failure, group: Group) -> None:
        self.hearing.take(self._engine.take())
        is_away = failure.check(Away) is not None
        if is_away and self._stopped is None:
            self._wait_for_connection(failure.getErrorMessage(), group)
            return
        self._is_away = failure.check(TakenOver) is not None
        if self._is_away:
            why = "another server has taken over the database"
        elif isinstance(failure.value, (Away, psycopg.Error)):
            why = explain(failure.value)
        else:
            _log.failure("Storing failed", failure)
            why = "the server has failed"
        self._has_failed(why)
        if failure.check(psycopg.OperationalError) is not None:
            self._work.follow(group.work)
        for log, _ in group.entries:
            log.waiting -= 1
        stored, told = split(group.entries)
        if is_away:
            not_known = Refused("not-stored", unknown())
            self._may_try_again = False
            refuse(stored, not_known)
            group.work.refuse(not_known, not_known)
        else:
            self._refuse(stored)
            self._refuse_work(group.work)
        show_told(told)  # nothing is before it
        self._group = None
        if self._is_away:
            self._refuse_what_waits()
            replaced, self.replaced = self.replaced, None
            if replaced is not None:
                replaced()

    def _has_failed(self, why: str) -> None:
        if not self.problem:
            _log.error("Lines cannot be stored: {why}", why=why)
        self.problem = why

    def _wait_for_connection(self, why: str, group: Group) -> None:
        self.committing_since = None
        if not self._is_away:
            self._is_away = True
            _log.error("The connection to the database is lost: {why}", why=why)
            self.problem = "the database is away"
            self._refuse_what_waits()
        delay = self._delay * random.uniform(0.5, 1)  # noqa: S311 - several servers spread out
        self._retry = self._clock.callLater(delay, self._send, group)
        self._delay = min(2 * self._delay, LATEST)

    def _refuse_what_waits(self) -> None:
        """Refuse what would be stored; what is only told keeps its place."""
        refused: list[tuple[OpenLog, Entry]] = []
        waiting, self._queue = self._queue, deque()
        for batch in waiting:
            stored, told = split(batch)
            self._count(stored, -1)
            refused += stored
            if told:
                self._queue.append(told)
        self._refuse(refused)
        self._refuse_work(self._work)

    def _refuse_at_once(self, batch: Batch) -> None:
        """Refuse what would be stored; what is only told goes on."""
        stored, told = split(batch)
        self._refuse(stored)
        if told:
            self.append(told)

    def _refuse(self, batch: Batch) -> None:
        refuse(batch, Refused("not-stored", unseen(self.problem)))

    def _refuse_work(self, work: Work) -> None:
        work.refuse(
            Refused("not-stored", unsaved(self.problem)),
            Refused("not-stored", unchanged(self.problem)),
        )

    def _go_on(self) -> None:
        """Commit again, once what was stored is delivered, and what came meanwhile has been read.

        To begin earlier makes the groups smaller, and every group costs a turn.
        """
        if self._group is not None:
            return  # it waits for a connection
        self.committing_since = None
        work = self._work
        is_wanted = self._queue or work.is_awaited or work.renews
        if is_wanted or (work.is_unsaved and not self.problem):
            self._turn.schedule(self._commit)
        elif work.is_unsaved and self._may_try_again:
            self._may_try_again = False
            self._turn.schedule(self._commit)
        elif self._stopped is not None:
            stopped, self._stopped = self._stopped, None
            stopped.callback(None)
        else:
            self.listen()

    def try_again(self) -> None:
        """See `Store.try_again`."""
        if self.problem:
            self._turn.schedule(self._commit)

    def stop(self) -> Deferred[None]:
        """Store what is still to be stored, with one more try if that fails; fires when done."""
        if self._group is None and not self._has_work:
            return succeed(None)
        stopped = self._stopped = Deferred()
        self._may_try_again = True
        if self._retry is not None and self._group is not None:
            self._retry.cancel()
            self._send(self._group)
        else:
            self._commit()
        return stopped


def _not_shown(failure: Failure) -> None:
    _log.failure("Showing stored events failed", failure)
