"""Logs kept in PostgreSQL: what is said is written, read back, and forgotten when it is old."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import psycopg
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFDSet, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_chat.counters import Counters
from twisted_chat.events import Entry
from twisted_chat.events.effects import State
from twisted_chat.stores import Opened, SavedSession, Subscriber, WorkerThread
from twisted_chat.stores.account import Account
from twisted_chat.stores.nameless import Replacements
from twisted_chat.stores.postgres.connection import connect, explain
from twisted_chat.stores.postgres.engine import LEASE, Engine
from twisted_chat.stores.postgres.history import History
from twisted_chat.stores.postgres.logs import OpenLog
from twisted_chat.stores.postgres.nodes import PostgresNodes
from twisted_chat.stores.postgres.writer import Writer
from twisted_chat.turn import Turn

_log = Logger(namespace="chat")
_T = TypeVar("_T")

SLOW = 5.0
"""Seconds of a commit from which on the operator is told that the database is slow."""

STOP = 5.0
"""Seconds for which a server that stops waits for the database, before it hangs up."""


class PostgresStore:
    """A `Store` in a PostgreSQL database.

    Args:
        url: where the database is, as `postgresql://user@host/database`.
        turn: says when a turn is over, and what it brought is stored together.
        writing: where it is waited for commits.
        reading: where it is waited for history.
        probing: where it is found out whether the database answers at all.
        clock: when a lost connection is tried again.
        counters: where it is counted how long commits take.
        reactor: says when other servers have stored something; without it, `hear` is to be called.
        lease: seconds after which this server counts as gone if nothing is heard of it.

    Raises:
        Unusable: why the database cannot be used.
    """

    def __init__(
        self,
        url: str,
        turn: Turn,
        writing: WorkerThread,
        reading: WorkerThread,
        probing: WorkerThread,
        clock: IReactorTime,
        counters: Counters | None = None,
        reactor: IReactorFDSet | None = None,
        lease: float = LEASE,
    ) -> None:
        self._url = url
        self._clock = clock
        self._probing = probing
        self._is_probing = False
        self._writing = writing
        self._logs: dict[str, OpenLog] = {}
        self._engine = Engine(url, self._lasts, lease)
        self.epoch: str = self._engine.epoch
        self._history = History(url, reading)
        counted = counters or Counters()
        self._writer = Writer(self._engine, turn, writing, clock, counted, self._logs, reactor)
        self._asked, self._hearing = self._writer.asked, self._writer.hearing
        self._nodes = PostgresNodes(self._engine.node, self._writer, clock, lease)

    # Logs

    @property
    def nodes(self) -> PostgresNodes:
        """See `Store.nodes`."""
        return self._nodes

    def hear(self) -> None:
        """Show what other servers have stored, where no reactor says when that is to be done."""
        self._writer.hear()

    def _lasts(self) -> Mapping[str, int]:
        """The numbers of the last events of open logs; called where it is waited for commits."""
        return {
            log.name: log.last
            for log in list(self._logs.values())
            if log.subscriber is not None and not self._writer.is_erasing(log.name)
        }

    def open(self, log: str, room: str, subscriber: Subscriber) -> Deferred[Opened]:
        """See `Store.open`."""
        self._hearing.is_opening(log)
        opened: Deferred[Opened] = Deferred()

        def found(what: Opened) -> None:
            opened.callback(what)
            self._hearing.is_opened(log)

        def failed(why: Failure) -> None:
            self._hearing.is_opened(log)
            opened.errback(why)

        Deferred.fromCoroutine(self._open(log, room, subscriber)).addCallbacks(found, failed)
        return opened

    async def _open(self, name: str, room: str, subscriber: Subscriber) -> Opened:
        while True:
            before = self._engine.listens
            known, state = await self._find(name) or (OpenLog(name, room), {})
            known.subscriber = subscriber
            self._logs[name] = known
            if before == self._engine.listens:
                return Opened(known.last, state)
            del self._logs[name]  # else something may have been missed since it was read

    async def _find(self, name: str) -> tuple[OpenLog, State] | None:
        """A log and its state; None if nothing was ever said there, or it is being erased."""
        while not self._writer.is_erasing(name):
            before = self._writer.renamed
            found = await self._history.find(name)
            if before == self._writer.renamed and not self._writer.is_erasing(name):
                return found  # else it may have been read before that
        return None

    def begin(self, log: str, room: str, subscriber: Subscriber) -> None:
        """See `Store.begin`."""
        known = self._logs[log] = OpenLog(log, room)
        known.subscriber = subscriber

    def close(self, log: str) -> None:
        """See `Store.close`."""
        known = self._logs[log]
        known.subscriber = None
        if not known.waiting:
            del self._logs[log]

    def erase(self, log: str) -> None:
        """See `Store.erase`."""
        known = self._logs.pop(log, None)
        if known is not None:
            known.is_erased = True  # what waits for it is not stored any more
        self._asked.erase(log)

    def append(self, entries: Sequence[tuple[str, Entry]]) -> None:
        """See `Store.append`."""
        self._asked.append([(self._logs[name], entry) for name, entry in entries])

    def make_nameless(self, person: str) -> Deferred[Mapping[str, Replacements]]:
        """See `Store.make_nameless`."""
        return self._asked.make_nameless(person)

    def forget(self, before: float) -> None:
        """See `Store.forget`."""
        self._history.forget(before).addErrback(_not_forgotten)

    def after(self, log: str, number: int, limit: int) -> Deferred[Sequence[Entry]]:
        """See `Store.after`."""
        return self._read(log, lambda known: self._history.after(known, number, limit), ())

    def before(self, log: str, number: int, limit: int) -> Deferred[Sequence[Entry]]:
        """See `Store.before`."""
        return self._read(log, lambda known: self._history.before(known, number, limit), ())

    def number_at(self, log: str, time: float) -> Deferred[int]:
        """See `Store.number_at`."""
        return self._read(log, lambda known: self._history.number_at(known, time), 0)

    def _read(
        self, name: str, read: Callable[[OpenLog], Deferred[_T]], nothing: _T
    ) -> Deferred[_T]:
        """What is read in a log, whether or not it is open."""

        async def look_up() -> _T:
            found = await self._find(name)
            return nothing if found is None else await read(found[0])

        known = self._logs.get(name)
        return Deferred.fromCoroutine(look_up()) if known is None else read(known)

    def rooms(self) -> Deferred[Sequence[str]]:
        """See `Store.rooms`."""
        return self._history.rooms()

    # Sessions

    def saved_sessions(self) -> Deferred[Sequence[SavedSession]]:
        """See `Store.saved_sessions`."""
        return self._history.saved_sessions()

    def refs(self, client: str, limit: int) -> Deferred[Sequence[tuple[str, int]]]:
        """See `Store.refs`."""
        return self._history.refs(client, limit)

    def save_session(self, saved: SavedSession) -> Deferred[None]:
        """See `Store.save_session`."""
        return self._asked.save(saved)

    def drop_session(self, device: str) -> None:
        """See `Store.drop_session`."""
        self._asked.drop(device)

    # Accounts

    def accounts(self) -> Deferred[Sequence[Account]]:
        """See `Store.accounts`."""
        return self._history.accounts()

    def save_account(self, account: Account) -> Deferred[None]:
        """See `Store.save_account`."""
        return self._asked.write_account(account)

    def drop_account(self, account_id: str) -> Deferred[None]:
        """See `Store.drop_account`."""
        return self._asked.write_account(account_id)

    # The engine

    @property
    def is_behind(self) -> bool:
        """See `Store.is_behind`."""
        return self._asked.is_behind

    @property
    def waiting(self) -> int:
        """See `Store.waiting`."""
        return self._asked.waiting

    @property
    def problem(self) -> str:
        """See `Store.problem`."""
        if self._is_slow:
            return "the database does not respond"
        why = self._asked.problem
        return f"messages cannot be stored: {why}" if why else self._writer.clocks.problem

    def try_again(self) -> None:
        """See `Store.try_again`; or find out whether the database does not answer any more."""
        self._writer.try_again()
        if self._is_slow and not self._is_probing:
            self._is_probing = True
            probed = self._probing(lambda: connect(self._url).close())
            probed.addErrback(lambda _: self._hang_up())
            probed.addCallback(self._has_probed)

    def _has_probed(self, _: None) -> None:
        self._is_probing = False

    def _hang_up(self) -> None:
        _log.error("The database does not answer: hanging up")
        self._engine.hang_up()
        self._history.hang_up()

    def _give_up(self) -> None:
        _log.error("The database does not answer: the server stops all the same")
        self._engine.give_up()
        self._history.give_up()

    @property
    def _is_slow(self) -> bool:
        since = self._writer.committing_since
        return since is not None and time.monotonic() - since > SLOW

    def stop(self) -> Deferred[None]:
        """See `Store.stop`."""
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        late = self._clock.callLater(STOP, self._give_up)
        self._nodes.stop()
        await self._writer.stop()
        try:
            await self._writing(self._engine.leave)
        except psycopg.Error as error:
            _log.warn("Other servers wait for this one: {why}", why=explain(error))
        await self._history.stop()
        if late.active():
            late.cancel()
        self._engine.close()


def _not_forgotten(failure: Failure) -> None:
    _log.warn("Cannot delete old lines yet: {why}", why=failure.getErrorMessage())
