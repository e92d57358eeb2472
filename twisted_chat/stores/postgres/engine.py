"""The connection that writes, which is made again when it is lost."""

from typing import Any, cast

import psycopg
from twisted.logger import Logger

from twisted_chat.stores.postgres import schema
from twisted_chat.stores.postgres.connection import (
    Away,
    check_engine,
    connect,
    explain,
    hang_up,
    name,
    understood,
)
from twisted_chat.stores.postgres.functions import FENCED
from twisted_chat.stores.postgres.group import Answer, Group
from twisted_chat.stores.unusable import Unusable

_log = Logger(namespace="chat")

_STORE = b"SELECT store_group(%s, %s, %s::jsonb)"


PATIENCE = 3.0
"""Seconds in which the database notices that a server is gone, whose place this one takes."""


SOON = 1.0
"""Seconds in which the database ends a connection that it was told to end."""


class TakenOver(Exception):
    """Another server writes to the database by now, and this one never does again."""


class Engine:
    """A database, as it is written to; all calls are made in one thread.

    Args:
        url: where it is.

    Raises:
        Unusable: why it cannot be used.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection = connect(url)
        try:
            with understood(url):
                self._begin()
        except Unusable:
            self._connection.close()
            raise

    def _begin(self) -> None:
        where = name(self._url)
        check_engine(self._connection, self._url)
        if not schema.lock(self._connection, PATIENCE):
            raise Unusable(
                f"another twisted-chat uses {where}: stop it, or choose another database with --db"
            )
        schema.migrate(self._connection, where)
        schema.delete_abandoned(self._connection)
        self._node = schema.register(self._connection)
        self.epoch = schema.epoch(self._connection)
        self._called = f"twisted-chat {self.epoch} {self._node}"
        rename = "SELECT set_config('application_name', %s, false)"
        self._connection.execute(rename, (self._called,))
        self._has_given_up = False
        self._is_taken_over = False
        self._number = 0  # of the last group that is stored
        self._in_doubt: Group | None = None  # that was sent last

    @property
    def number_of_node(self) -> int:
        """See `PostgresStore.number`."""
        return self._node

    def store(self, group: Group) -> Answer:
        """Store a group; if the connection is lost, it is made again once.

        Raises:
            Away: there is no connection: whether the group is stored is not known. It is to be
                given again until that is known, and nothing else meanwhile.
            TakenOver: it is not, and neither will be others.
            psycopg.Error: it is not stored.
        """
        if self._is_taken_over:
            raise TakenOver
        try:
            return self._store(group)
        except TakenOver:
            self._is_taken_over = True
            self._connection.close()  # and let go of the lock, which the other server may need
            raise

    def _store(self, group: Group) -> Answer:
        if not self._connection.closed:
            try:
                return self._send(group)
            except Away as lost:
                if self._has_given_up:
                    raise
                _log.warn("The connection to the database was lost: {why}", why=str(lost))
        if self._has_given_up:
            raise Away("the server stops")
        in_doubt = self._in_doubt
        answer = self._connect_again()
        if answer is None or group is not in_doubt:  # which was given up since
            return self._send(group)
        return answer

    def _send(self, group: Group) -> Answer:
        self._in_doubt = group
        values = self._node, self._number + 1, group.encode()
        try:
            if group.work.nameless:
                row = self._make_nameless_and_store(group, values)
            else:
                row = self._connection.execute(_STORE, values).fetchone()
        except psycopg.Error as error:
            if error.sqlstate == FENCED:
                raise TakenOver from error
            is_standby = isinstance(error, psycopg.errors.ReadOnlySqlTransaction)
            if self._connection.closed or is_standby:
                self._connection.close()
                raise Away(explain(error)) from error
            raise
        assert row is not None  # noqa: S101 - a function has an answer
        self._number += 1
        return cast(Answer, row[0])

    def _make_nameless_and_store(
        self, group: Group, values: tuple[object, ...]
    ) -> tuple[Any, ...] | None:
        with self._connection.transaction():
            for each in group.work.nameless:
                each.execute(self._connection)
            row: tuple[Any, ...] | None = self._connection.execute(_STORE, values).fetchone()
        return row

    def _connect_again(self) -> Answer | None:
        """Make a connection in the place of the lost one.

        Returns:
            What was answered to the group that was sent over that one; None if it is not stored.
        """
        try:
            self._connection = connect(self._url, self._called)
            self._end_lost_connection()
            is_locked = schema.lock(self._connection, SOON)
            last = schema.last_group(self._connection, self._node)
        except (Unusable, psycopg.Error) as error:
            self._connection.close()
            raise Away(str(error)) from error
        if last is None:
            raise TakenOver
        if not is_locked:
            self._connection.close()
            raise Away("the database has not noticed yet that the connection is lost")
        if last[0] == self._number:
            return None
        self._number, answered = last
        return cast(Answer, answered)

    def _end_lost_connection(self) -> None:
        """End our lost connection, of which the database may not know yet that it is lost."""
        self._connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = %s AND pid != pg_backend_pid()"
            " AND datname = current_database()",
            (self._called,),
        )

    def hang_up(self) -> None:
        """Lose the connection, although another thread waits for an answer."""
        hang_up(self._connection)

    def give_up(self) -> None:
        """The same, and make no other connection: the server stops."""
        self._has_given_up = True
        self.hang_up()

    def close(self) -> None:
        """Let go of the database."""
        self._connection.close()
