"""Writing to the database: nobody sees an event before it is committed.

Commits are grouped: while one is under way, what arrives meanwhile forms the next. Where the
connection is lost, it is not known whether the last group is stored: it is sent again as soon as
there is a connection, and meanwhile neither shown nor refused. What is said meanwhile is refused
at once, and what is only told is shown.

While nothing is to be stored, the connection is listened to: others write too.
"""

import random
import time
from collections.abc import Callable, Mapping

import psycopg
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorFDSet, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_chat.counters import Counters
from twisted_chat.refusal import Refused
from twisted_chat.stores import WorkerThread
from twisted_chat.stores.batches import refuse, show_told, split
from twisted_chat.stores.postgres.asked import Asked
from twisted_chat.stores.postgres.clocks import Clocks
from twisted_chat.stores.postgres.connection import Away, explain
from twisted_chat.stores.postgres.engine import Engine, TakenOver
from twisted_chat.stores.postgres.group import Answer, Group
from twisted_chat.stores.postgres.hearing import Hearing, Own
from twisted_chat.stores.postgres.listening import Listening
from twisted_chat.stores.postgres.logs import OpenLog
from twisted_chat.stores.sentences import unknown
from twisted_chat.turn import Turn

_log = Logger(namespace="chat")

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
        self.asked = Asked(lambda: turn.schedule(self._commit))
        self.hearing = Hearing(engine.node, logs, self.asked.renew, counters)
        self._listening = None if reactor is None else Listening(reactor, self.hear)
        self.replaced: Callable[[], None] | None = None
        """Called once if another server looks after our people."""
        self._turn = turn
        self._elsewhere = elsewhere
        self._clock = clock
        self._counters = counters
        self._group: Group | None = None  # that is being stored, or of which that is not known
        self.clocks = Clocks()
        self.renamed = 0
        """How many have had their name taken from all that they have done."""
        self.committing_since: float | None = None
        """When the commit began that is under way."""
        self._delay = SOONEST
        self._retry: IDelayedCall | None = None
        self._stopped: Deferred[None] | None = None
        self._may_try_again = False  # although the last commit failed: the server stops

    def is_erasing(self, log: str) -> bool:
        """Whether a log is being erased, or about to be."""
        group = self._group
        return self.asked.is_erasing(log) or (group is not None and log in group.work.erased)

    def listen(self) -> None:
        """Hear what other servers store from now on, as long as nothing is to be stored here."""
        self.hear()
        if self._group is None and not self.asked.is_away and self._listening is not None:
            self._listening.start(self._engine.fileno())

    def hear(self) -> None:
        """Show what other servers have stored; if the connection is lost, make another."""
        if self._group is not None or self.asked.is_away:
            return
        try:
            self._engine.hear()
        except Away:
            if self._listening is not None:
                self._listening.stop()
            self.asked.renew()  # over another connection
        self.hearing.take(self._engine.take())

    # Commits

    def _commit(self) -> None:
        if self._group is None and (self.asked.is_wanted or self.asked.is_unsaved):
            self._group = self.asked.next_group()
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
        if self.asked.problem:
            self.asked.problem = ""
            _log.info("Lines can be stored again")
        self.clocks.compared(self._engine.ahead)
        self.asked.is_away, self._delay = False, SOONEST
        self.renamed += len(group.work.nameless)
        number, answer = stored
        self.hearing.take(self._engine.take(), Own(number, group, answer))
        for log, _ in group.left_out:
            log.waiting -= 1
        refuse(group.left_out, Refused("replaced", "This session goes on at another server."))
        self._group = None
        self._counters.in_doubt = self._engine.doubts

    def _failed(self, failure: Failure, group: Group) -> None:
        self.hearing.take(self._engine.take())
        is_away = failure.check(Away) is not None
        if is_away and self._stopped is None:
            self._wait_for_connection(failure.getErrorMessage(), group)
            return
        self.asked.is_away = failure.check(TakenOver) is not None
        if self.asked.is_away:
            why = "another server has taken over the database"
        elif isinstance(failure.value, (Away, psycopg.Error)):
            why = explain(failure.value)
        else:
            _log.failure("Storing failed", failure)
            why = "the server has failed"
        self._has_failed(why)
        if is_away or failure.check(psycopg.OperationalError) is not None:
            self.asked.follow(group)
        entries = [*group.entries, *group.left_out]
        for log, _ in entries:
            log.waiting -= 1
        stored, told = split(entries)
        if is_away:
            not_known = Refused("not-stored", unknown())
            self._may_try_again = False
            refuse(stored, not_known)
            group.work.refuse(not_known, not_known)
        else:
            self.asked.refuse(stored)
            self.asked.refuse_work(group.work)
        show_told(told)  # nothing is before it
        self._group = None
        if self.asked.is_away:
            self.asked.refuse_what_waits()
            replaced, self.replaced = self.replaced, None
            if replaced is not None:
                replaced()

    def _has_failed(self, why: str) -> None:
        if not self.asked.problem:
            _log.error("Lines cannot be stored: {why}", why=why)
        self.asked.problem = why

    def _wait_for_connection(self, why: str, group: Group) -> None:
        self.committing_since = None
        if not self.asked.is_away:
            self.asked.is_away = True
            _log.error("The connection to the database is lost: {why}", why=why)
            self.asked.problem = "the database is away"
            self.asked.refuse_what_waits()
        delay = self._delay * random.uniform(0.5, 1)  # noqa: S311 - several servers spread out
        self._retry = self._clock.callLater(delay, self._send, group)
        self._delay = min(2 * self._delay, LATEST)

    def _go_on(self) -> None:
        """Commit again, once what was stored is delivered, and what came meanwhile has been read.

        To begin earlier makes the groups smaller, and every group costs a turn.
        """
        if self._group is not None:
            return  # it waits for a connection
        self.committing_since = None
        asked = self.asked
        if asked.is_wanted or (asked.is_unsaved and not asked.problem):
            self._turn.schedule(self._commit)
        elif asked.is_unsaved and self._may_try_again:
            self._may_try_again = False
            self._turn.schedule(self._commit)
        elif self._stopped is not None:
            stopped, self._stopped = self._stopped, None
            stopped.callback(None)
        else:
            self.listen()

    def try_again(self) -> None:
        """See `Store.try_again`."""
        if self.asked.problem:
            self._turn.schedule(self._commit)

    def stop(self) -> Deferred[None]:
        """Store what is still to be stored, with one more try if that fails; fires when done."""
        if self._listening is not None:
            self._listening.stop()
            self._listening = None
        if self._group is None and not (self.asked.is_wanted or self.asked.is_unsaved):
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
