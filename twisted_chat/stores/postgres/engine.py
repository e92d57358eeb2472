"""The connection that writes, and hears what others write; it is made again when it is lost."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias, TypeVar, cast

import psycopg
from twisted.logger import Logger

from twisted_chat.stores.postgres import membership, schema
from twisted_chat.stores.postgres.clocks import NOW, ahead
from twisted_chat.stores.postgres.connection import (
    Away,
    check_clock,
    check_engine,
    connect,
    explain,
    hang_up,
    name,
    understood,
)
from twisted_chat.stores.postgres.functions import FENCED, MOVED
from twisted_chat.stores.postgres.group import Answer, Group
from twisted_chat.stores.postgres.membership import CaughtUp
from twisted_chat.stores.unusable import Unusable

_log = Logger(namespace="chat")
_T = TypeVar("_T")

_STORE = f"SELECT store_group(%s, %s, %s * interval '1 second', %s::jsonb, %s), {NOW}".encode()

LEASE = 10.0
"""Seconds after which a server of which nothing is heard counts as gone."""

PATIENCE = 3.0
"""Seconds in which the database notices that a command is gone which was alone with it."""


SOON = 1.0
"""Seconds in which the database ends a connection that it was told to end."""


class TakenOver(Exception):
    """Another server looks after our people by now, and this one never writes again."""


Item: TypeAlias = str | CaughtUp
"""A notification, or what was found where some may be missing."""


class Engine:
    """A database, as it is written to; but for `take`, all calls are made in one thread.

    Args:
        url: where it is.
        lasts: by the names of logs that are open, the numbers of their last events; called in
            that thread.
        lease: seconds after which this server counts as gone if it stores nothing.

    Raises:
        Unusable: why it cannot be used.
    """

    def __init__(
        self,
        url: str,
        lasts: Callable[[], Mapping[str, int]] = dict,
        lease: float = LEASE,
    ) -> None:
        self._url = url
        self._lasts = lasts
        self._lease = lease
        self._heard: list[Item] = []
        self._has_given_up = False
        self._is_taken_over = False
        self._number = 0  # of the last group that is stored
        self._marks = 0
        self._in_doubt: Group | None = None  # that was sent last
        self.doubts = 0
        """How often it was not known at first whether a group had been stored."""
        self.listens = 0
        """How often it has begun to hear the others."""
        self.ahead = 0.0
        """Seconds by which this machine's clock was ahead of the database's at the last group."""
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
        check_clock(self._connection, self._url)
        if not schema.lock(self._connection, PATIENCE, shared=True):
            raise Unusable(
                f"cannot use {where}: a command or an older twisted-chat is alone with it just "
                "now: wait until that is done, or choose another database with --db"
            )
        schema.migrate(self._connection, where)
        self.node = membership.register(self._connection, self._lease)
        self.epoch = schema.epoch(self._connection)
        self._called = f"twisted-chat {self.epoch} {self.node}"
        rename = "SELECT set_config('application_name', %s, false)"
        self._connection.execute(rename, (self._called,))
        self._listen()

    # Hearing

    def _listen(self) -> None:
        self._connection.add_notify_handler(lambda notify: self._heard.append(notify.payload))
        membership.listen(self._connection)
        self.listens += 1

    def take(self) -> list[Item]:
        """What was heard since the last time, in the one order; no other call is under way."""
        heard, self._heard = self._heard, []
        return heard

    def hear(self) -> None:
        """Hear what has arrived, without waiting; no other call is under way.

        Raises:
            Away: the connection is lost.
        """
        connection = self._connection
        try:
            connection.pgconn.consume_input()
            while notify := connection.pgconn.notifies():
                self._heard.append(notify.extra.decode())
        except psycopg.Error as error:
            connection.close()
            raise Away(explain(error)) from error

    def fileno(self) -> int | None:
        """The descriptor of the connection; None if it is lost."""
        return None if self._connection.closed else self._connection.fileno()

    # Storing

    def store(self, group: Group) -> tuple[int, Answer]:
        """Store a group; if the connection is lost, it is made again once.

        Returns:
            The group's number, and what is answered.

        Raises:
            Away: there is no connection: whether the group is stored is not known. It is to be
                given again until that is known, and nothing else meanwhile.
            TakenOver: it is not, and neither will be others.
            psycopg.Error: it is not stored.
        """
        if self._is_taken_over:
            raise TakenOver
        try:
            answer = self._store(group)
        except TakenOver:
            self._is_taken_over = True
            self._connection.close()  # and let go of the lock, which a command may need
            raise
        return self._number, answer

    def _store(self, group: Group) -> Answer:
        if not self._connection.closed:
            try:
                if group.work.joins:
                    self._ask(lambda: self._catch_up(len(self._heard), joins=True))
                return self._send(group)
            except Away as lost:
                self._forget_own_news()
                if self._has_given_up:
                    raise
                _log.warn("The connection to the database was lost: {why}", why=str(lost))
        if self._has_given_up:
            raise Away("the server stops")
        in_doubt = self._in_doubt
        answer = self._connect_again(joins=group.work.joins)
        if answer is not None and group is in_doubt:  # else that was given up since
            return answer
        try:
            return self._send(group)
        except Away:
            self._forget_own_news()
            raise

    def _forget_own_news(self) -> None:
        """What was heard of a group that is in doubt comes too early: all is read again."""
        own = f"{self.node} {self._number + 1} "
        for place, heard in enumerate(self._heard):
            if isinstance(heard, str) and heard.startswith(own):
                del self._heard[place:]
                break

    def _send(self, group: Group) -> Answer:
        self._in_doubt = group
        while True:
            try:
                answer = self._ask(lambda: self._execute(group))
                break
            except Away:
                self.doubts += 1
                raise
            except psycopg.errors.DeadlockDetected:
                continue  # with another server: one of the two is not stored
            except psycopg.Error as error:
                if error.sqlstate != MOVED:
                    raise
                group.leave_out(json.loads(error.diag.message_primary or "[]"))
        self._number += 1
        return answer

    def _ask(self, question: Callable[[], _T]) -> _T:
        """What the database answers.

        Raises:
            Away: the connection is lost.
            TakenOver: another server looks after our people.
            psycopg.Error: it answers with an error.
        """
        try:
            return question()
        except psycopg.Error as error:
            if error.sqlstate == FENCED:
                raise TakenOver from error
            is_standby = isinstance(error, psycopg.errors.ReadOnlySqlTransaction)
            if self._connection.closed or is_standby:
                self._connection.close()
                raise Away(explain(error)) from error
            raise

    def _execute(self, group: Group) -> Answer:
        values = self.node, self._number + 1, self._lease, *group.encode()
        if not group.work.nameless:
            return self._call(values)
        with self._connection.transaction():
            for each in group.work.nameless:
                each.execute(self._connection)
            return self._call(values)

    def _call(self, values: Sequence[object]) -> Answer:
        before = time.time()
        row = self._connection.execute(_STORE, values).fetchone()
        assert row is not None  # noqa: S101 - a function has an answer
        answer, now = row
        self.ahead = ahead(before, now, time.time())
        return cast(Answer, answer)

    # A connection in the place of a lost one

    def _catch_up(self, place: int, *, joins: bool) -> tuple[int, Answer]:
        """Find out how everything is at one place in the order, behind which nothing is missed.

        Args:
            place: of what was heard, behind which some may be missing.
            joins: whether this server begins to hear what others tell.

        Returns:
            The number of the last group that is stored, and what was answered to it.
        """
        self._marks -= 1
        caught_up, answer = membership.catch_up(
            self._connection, self.node, self._marks, self._lasts(), joins=joins
        )
        self._heard.insert(place, caught_up)
        return caught_up.done, answer

    def _connect_again(self, *, joins: bool) -> Answer | None:
        """Make a connection in the place of the lost one.

        Returns:
            What was answered to the group that was sent over that one; None if it is not stored.
        """
        place = len(self._heard)
        try:
            self._connection = connect(self._url, self._called)
            self._end_lost_connection()
            self._listen()
            done, answer = self._catch_up(place, joins=joins)
        except (Unusable, psycopg.Error) as error:
            self._connection.close()
            del self._heard[place:]
            if isinstance(error, psycopg.Error) and error.sqlstate == FENCED:
                raise TakenOver from error
            raise Away(str(error)) from error
        if done <= self._number:
            return None
        self._number = done
        return answer

    def _end_lost_connection(self) -> None:
        """End our lost connection, of which the database may not know yet that it is lost.

        Raises:
            Unusable: no server may use the database just now.
        """
        self._connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = %s AND pid != pg_backend_pid()"
            " AND datname = current_database()",
            (self._called,),
        )
        if not schema.lock(self._connection, SOON, shared=True):
            raise Unusable("a command is alone with the database")

    # Ending

    def leave(self) -> None:
        """This server stops: another looks after those who may come back to it."""
        if not (self._is_taken_over or self._connection.closed):
            self._connection.execute(b"SELECT leave(%s)", (self.node,))

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
