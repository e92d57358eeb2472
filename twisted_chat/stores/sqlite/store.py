"""Logs kept in SQLite: what is said is written, read back, and forgotten when it is old."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger

from twisted_chat.counters import Counters
from twisted_chat.events import Entry
from twisted_chat.stores import Opened, SavedSession, Subscriber, WorkerThread
from twisted_chat.stores.account import Account
from twisted_chat.stores.nameless import Replacements, replace_in
from twisted_chat.stores.sqlite import accounts, strays
from twisted_chat.stores.sqlite.accounts import Write
from twisted_chat.stores.sqlite.checkpoints import Checkpoints
from twisted_chat.stores.sqlite.forgetting import Forgetting
from twisted_chat.stores.sqlite.history import History
from twisted_chat.stores.sqlite.lock import Lock
from twisted_chat.stores.sqlite.logs import KeptLog
from twisted_chat.stores.sqlite.lookup import Lookup
from twisted_chat.stores.sqlite.nameless import MakeNameless
from twisted_chat.stores.sqlite.schema import open_database
from twisted_chat.stores.sqlite.writer import Writer
from twisted_chat.stores.unusable import Unusable
from twisted_chat.turn import Turn

_log = Logger(namespace="chat")

SLOW = 5.0
"""Seconds of a commit from which on the operator is told that the disk is slow."""


class SqliteStore:
    """A `Store` in a file.

    Args:
        path: the file.
        turn: says when a turn is over, and what it brought is stored together.
        writing: where commits are made.
        reading: where history is read.
        settling: where the write-ahead log is emptied.
        full: whether what is shown survives the machine's death too, not only the process's.
        counters: where it is counted how long commits take.

    Raises:
        Unusable: why the file cannot be used.
    """

    def __init__(
        self,
        path: Path,
        turn: Turn,
        writing: WorkerThread,
        reading: WorkerThread,
        settling: WorkerThread,
        *,
        full: bool = False,
        counters: Counters | None = None,
    ) -> None:
        self._lock = Lock(path)
        try:
            self._connection = open_database(path, full=full)
        except Unusable:
            self._lock.close()
            raise
        self._lookup = Lookup(path)
        self._history = History(path, reading)
        self._checkpoints = Checkpoints(path, settling)
        self._writer = Writer(
            self._connection, turn, writing, self._checkpoints, counters or Counters()
        )
        self._forgetting = Forgetting(self._history, self._writer)
        self._logs: dict[str, KeptLog] = {}  # those that are open; the others cost no memory
        self._erased: set[str] = set()  # the names of logs that the database may still have
        self._load()

    def _load(self) -> None:
        database = self._connection
        database.execute("BEGIN IMMEDIATE")
        count = strays.delete(database)
        database.execute("COMMIT")
        if count:
            _log.info("Deleted {count} private lines that belonged to nobody", count=count)
        self.epoch: str = database.execute("SELECT epoch FROM server").fetchone()[0]
        last = "SELECT seq FROM sqlite_sequence WHERE name = 'logs'"
        self._next_log = 1 + int(database.execute(last).fetchone()[0])

    # Logs

    @property
    def nodes(self) -> None:
        """See `Store.nodes`: this is one server's alone."""
        return None

    def open(self, log: str, room: str, subscriber: Subscriber) -> Deferred[Opened]:
        """See `Store.open`."""
        known = self._find(log)
        if known is None:
            self.begin(log, room, subscriber)
            return succeed(Opened(0, {}))
        self._logs[log] = known
        known.subscriber = subscriber
        return succeed(Opened(known.last, dict(known.state)))

    def _find(self, log: str) -> KeptLog | None:
        """What is known of a log; None if nothing was ever said there, or it was erased."""
        known = self._logs.get(log)
        if known is None and self._erased and self._writer.is_settled:
            self._erased.clear()
        return self._lookup.log(log) if known is None and log not in self._erased else known

    def begin(self, log: str, room: str, subscriber: Subscriber) -> None:
        """See `Store.begin`."""
        known = self._logs[log] = KeptLog(self._next_log, log, room)
        self._next_log += 1
        known.subscriber = subscriber

    def close(self, log: str) -> None:
        """See `Store.close`."""
        known = self._logs[log]
        known.subscriber = None
        if not known.waiting:
            del self._logs[log]
            self._forgetting.closed(known)
        if known.is_kept:
            self._erased.discard(log)

    def erase(self, log: str) -> None:
        """See `Store.erase`."""
        known = self._find(log)
        if known is None:
            return
        self._logs.pop(log, None)
        self._erased.add(log)
        known.is_erased = True  # what waits for it is not stored any more
        if known.is_kept or not self._writer.is_idle:  # what is being stored goes with the next
            for table in ("events", "state", "logs"):
                self._writer.do(f"DELETE FROM {table} WHERE log = ?", (known.number,))  # noqa: S608 - ours

    def append(self, entries: Sequence[tuple[str, Entry]]) -> None:
        """See `Store.append`."""
        self._writer.append([(self._logs[name], entry) for name, entry in entries])

    def make_nameless(self, person: str) -> Deferred[Mapping[str, Replacements]]:
        """See `Store.make_nameless`."""
        write = MakeNameless(person)
        self._writer.write(write)
        return write.done.addCallback(self._made_nameless)

    def _made_nameless(self, replaced: Mapping[int, Replacements]) -> Mapping[str, Replacements]:
        logs = [log for log in self._logs.values() if log.number in replaced]
        for log in logs:
            replace_in(log.state, replaced[log.number])
        return {log.name: replaced[log.number] for log in logs}

    def forget(self, before: float) -> None:
        """See `Store.forget`."""
        self._forgetting.forget(self._logs.values(), before)

    def after(self, log: str, number: int, limit: int) -> Deferred[Sequence[Entry]]:
        """See `Store.after`."""
        known = self._find(log)
        return succeed([]) if known is None else self._history.after(known, number, limit)

    def before(self, log: str, number: int, limit: int) -> Deferred[Sequence[Entry]]:
        """See `Store.before`."""
        known = self._find(log)
        return succeed([]) if known is None else self._history.before(known, number, limit)

    def number_at(self, log: str, time: float) -> Deferred[int]:
        """See `Store.number_at`."""
        known = self._find(log)
        return succeed(0) if known is None else self._history.number_at(known, time)

    def rooms(self) -> Deferred[Sequence[str]]:
        """See `Store.rooms`."""
        return succeed(self._lookup.rooms())

    # Sessions

    def saved_sessions(self) -> Deferred[Sequence[SavedSession]]:
        """See `Store.saved_sessions`."""
        return succeed(self._lookup.saved_sessions())

    def refs(self, client: str, limit: int) -> Deferred[Sequence[tuple[str, int]]]:
        """See `Store.refs`."""
        return succeed(self._lookup.refs(client, limit))

    def save_session(self, saved: SavedSession) -> Deferred[None]:
        """See `Store.save_session`."""
        return self._writer.save(saved)

    def drop_session(self, device: str) -> None:
        """See `Store.drop_session`."""
        self._writer.drop(device)

    # Accounts

    def accounts(self) -> Deferred[Sequence[Account]]:
        """See `Store.accounts`."""
        return succeed(list(accounts.read(self._connection)))

    def save_account(self, account: Account) -> Deferred[None]:
        """See `Store.save_account`."""
        return self._write(accounts.save(account))

    def drop_account(self, account_id: str) -> Deferred[None]:
        """See `Store.drop_account`."""
        return self._write(accounts.drop(account_id))

    def _write(self, write: Write) -> Deferred[None]:
        self._writer.write(write)
        return write.done

    # The disk

    @property
    def is_behind(self) -> bool:
        """See `Store.is_behind`."""
        return self._writer.is_behind

    @property
    def waiting(self) -> int:
        """See `Store.waiting`."""
        return self._writer.waiting

    @property
    def problem(self) -> str:
        """See `Store.problem`."""
        since = self._writer.committing_since
        if since is not None and time.monotonic() - since > SLOW:
            return "the disk does not respond"
        return "messages cannot be stored" if self._writer.is_failing else ""

    def try_again(self) -> None:
        """See `Store.try_again`."""
        self._writer.try_again()

    def stop(self) -> Deferred[None]:
        """See `Store.stop`."""
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        await self._writer.stop()
        await self._history.stop()
        self._lookup.close()
        await self._checkpoints.stop()
        self._connection.close()
        self._lock.close()
