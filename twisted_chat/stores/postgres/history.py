"""Reading back from the database, over a connection of its own."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import psycopg
from twisted.internet.defer import Deferred, succeed

from twisted_chat.events import Entry
from twisted_chat.events.effects import State
from twisted_chat.stores import SERVER_LOG, SavedSession, WorkerThread
from twisted_chat.stores.account import Account
from twisted_chat.stores.postgres.connection import connect, explain, hang_up
from twisted_chat.stores.postgres.logs import OpenLog
from twisted_chat.stores.postgres.schema import Connection
from twisted_chat.stores.records import ACCOUNT, SESSION, to_account, to_session
from twisted_chat.stores.rows import COLUMNS, to_entry
from twisted_chat.stores.search import last_older
from twisted_chat.stores.unusable import Unusable

_T = TypeVar("_T")

FORGOTTEN = 5_000
"""Events of a log that are deleted at once."""

LOGS = 100
"""Logs from which some are deleted at once."""

_OF_LOG = "log = (SELECT log FROM logs WHERE name = %s)"

_TIME_OF = f"SELECT time FROM events WHERE {_OF_LOG} AND id <= %s ORDER BY id DESC LIMIT 1"  # noqa: S608 - ours

_OPEN = f"""
SELECT room, last, (SELECT jsonb_object_agg(state.name, value) FROM state WHERE {_OF_LOG})
FROM logs WHERE name = %s
"""  # noqa: S608 - ours

_FORGET = """
DELETE FROM events USING (
    SELECT logs.log, (
        SELECT coalesce(min(id) FILTER (WHERE time >= %s OR id = logs.last), max(id))
        FROM (SELECT id, time FROM events WHERE log = logs.log ORDER BY id LIMIT %s) AS oldest
    ) AS first_kept
    FROM logs, LATERAL (
        SELECT id, time FROM events WHERE log = logs.log ORDER BY id LIMIT 1
    ) AS first WHERE name != %s AND first.time < %s AND first.id < last LIMIT %s
) AS old WHERE events.log = old.log AND events.id < first_kept
"""
"""Delete what is older than a time in each log, up to the first event that is not."""


class History:
    """What was said, as it is read back.

    Args:
        url: where the database is.
        elsewhere: where it is waited for it.
    """

    def __init__(self, url: str, elsewhere: WorkerThread) -> None:
        self._url = url
        self._elsewhere = elsewhere
        self._connection: Connection | None = None
        self._has_given_up = False
        self._pending = 0  # questions that are not answered yet

    def _ask(self, question: Callable[[Connection], _T]) -> Deferred[_T]:
        self._pending += 1
        return self._elsewhere(partial(self._answer, question)).addBoth(self._answered)

    def _answered(self, answer: _T) -> _T:
        self._pending -= 1
        return answer

    def _answer(self, question: Callable[[Connection], _T]) -> _T:
        """What the database answers; if the connection is lost, it is made again once."""
        if self._connection is not None and not self._connection.closed:
            try:
                return question(self._connection)
            except psycopg.OperationalError:
                if not self._connection.closed:
                    raise
        if self._has_given_up:
            raise Unusable("the server stops")
        self._connection = connect(self._url)
        try:
            return question(self._connection)
        except psycopg.OperationalError as error:
            raise Unusable(explain(error)) from error

    def _rows(self, query: str, *values: object) -> Deferred[list[tuple[Any, ...]]]:
        return self._ask(lambda connection: connection.execute(query.encode(), values).fetchall())

    def find(self, name: str) -> Deferred[tuple[OpenLog, State] | None]:
        """The log of a name, and its state; None if nothing was ever said there."""

        def found(rows: list[tuple[Any, ...]]) -> tuple[OpenLog, State] | None:
            if not rows:
                return None
            ((room, last, state),) = rows
            log = OpenLog(name, room)
            log.last, log.is_kept = last, True
            return log, state or {}

        return self._rows(_OPEN, name, name).addCallback(found)

    def after(self, log: OpenLog, number: int, limit: int) -> Deferred[Sequence[Entry]]:
        """See `Store.after`."""
        return self._page(log, "id > %s AND id <= %s ORDER BY id", number, limit)

    def before(self, log: OpenLog, number: int, limit: int) -> Deferred[Sequence[Entry]]:
        """See `Store.before`."""
        page = self._page(log, "id < %s AND id <= %s ORDER BY id DESC", number, limit)
        return page.addCallback(lambda entries: entries[::-1])

    def _page(self, log: OpenLog, which: str, number: int, limit: int) -> Deferred[Sequence[Entry]]:
        query = f"SELECT {COLUMNS} FROM events WHERE {_OF_LOG} AND {which} LIMIT %s"  # noqa: S608 - ours
        values = log.name, number, log.last, limit  # what is not shown yet is no history yet
        page = self._rows(query, *values)
        return page.addCallback(lambda rows: [to_entry(log.room, row) for row in rows])

    def number_at(self, log: OpenLog, time: float) -> Deferred[int]:
        """See `Store.number_at`."""
        name, newest = log.name, log.last

        def search(connection: Connection) -> int:
            def time_of(number: int) -> float | None:
                row = connection.execute(_TIME_OF.encode(), (name, number)).fetchone()
                return None if row is None else row[0]

            return last_older(newest, time, time_of)

        return self._ask(search)

    def refs(self, client: str, limit: int) -> Deferred[Sequence[tuple[str, int]]]:
        """See `Store.refs`."""
        rows = self._rows(
            "SELECT ref, id FROM events WHERE coalesce(client, author) = %s"
            " AND request IS NOT NULL ORDER BY request DESC LIMIT %s",
            *(client, limit),
        )
        return rows.addCallback(lambda found: [(ref, number) for ref, number in found[::-1]])

    def rooms(self) -> Deferred[Sequence[str]]:
        """See `Store.rooms`."""
        newest = "SELECT time FROM events WHERE log = logs.log ORDER BY id DESC LIMIT 1"
        rows = self._rows(
            f"SELECT room FROM logs WHERE starts_with(name, '#') ORDER BY ({newest}) DESC"  # noqa: S608 - ours
        )
        return rows.addCallback(lambda found: [room for (room,) in found])

    def saved_sessions(self) -> Deferred[Sequence[SavedSession]]:
        """See `Store.saved_sessions`."""
        rows = self._rows(f"SELECT {SESSION} FROM sessions ORDER BY displaced, since DESC")  # noqa: S608 - ours
        return rows.addCallback(lambda found: [to_session(row) for row in found])

    def accounts(self) -> Deferred[Sequence[Account]]:
        """See `Store.accounts`."""
        rows = self._rows(f"SELECT {ACCOUNT} FROM accounts ORDER BY created, id")  # noqa: S608 - ours
        return rows.addCallback(lambda found: [to_account(row) for row in found])

    def forget(self, before: float) -> Deferred[None]:
        """See `Store.forget`."""
        values = before, FORGOTTEN, SERVER_LOG, before, LOGS
        return self._ask(lambda connection: _do(connection, _FORGET, values))

    def hang_up(self) -> None:
        """Lose the connection, although another thread waits for an answer."""
        if self._connection is not None:
            hang_up(self._connection)

    def give_up(self) -> None:
        """The same, and make no other connection: the server stops."""
        self._has_given_up = True
        self.hang_up()

    def stop(self) -> Deferred[None]:
        """Let go of the database once everything is read that was asked for."""
        if self._pending:
            return self._elsewhere(self._close)
        self._close()
        return succeed(None)

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()


def _do(connection: Connection, statement: str, values: tuple[object, ...]) -> None:
    connection.execute(statement.encode(), values)
