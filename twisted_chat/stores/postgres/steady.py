"""A connection for work that can be done twice, which is made again when it is lost."""

import errno
from collections.abc import Callable
from typing import TypeVar

import psycopg
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from twisted_chat.stores import WorkerThread
from twisted_chat.stores.postgres.connection import connect, explain, hang_up
from twisted_chat.stores.postgres.schema import Connection
from twisted_chat.stores.unusable import Unusable

_T = TypeVar("_T")
_AWAY = "the database is away"

PATIENCE = 10.0
"""Seconds after which the database is hung up on: whoever sends a file waits for twenty."""

STOP = 5.0
"""The same for a server that stops."""

PAUSE = 1.0
"""Seconds for which nobody waits for a connection once there is none."""


class SteadyConnection:
    """A connection to the database.

    Args:
        url: where it is.
        elsewhere: where it is waited for it.
        clock: says when it was waited for too long.

    Raises:
        Unusable: there is none.
    """

    def __init__(self, url: str, elsewhere: WorkerThread, clock: IReactorTime) -> None:
        self._url = url
        self._elsewhere = elsewhere
        self._clock = clock
        self._is_over = False
        self._away_until = 0.0  # in the clock's seconds
        self._connection = connect(url)

    def do(self, work: Callable[[], _T], patience: float = PATIENCE) -> Deferred[_T]:
        """Do some work in the thread.

        Args:
            work: what is to be done; it may `use` the connection.
            patience: seconds after which the connection is hung up on.
        """
        late = self._clock.callLater(patience, self._hang_up)

        def done(result: _T) -> _T:
            if late.active():
                late.cancel()
            return result

        return self._elsewhere(work).addBoth(done)

    def use(self, work: Callable[[Connection], _T]) -> _T:
        """Do something with the connection, once more if it is lost meanwhile; in the thread.

        Raises:
            OSError: why it is not done.
        """
        try:
            if not self._connection.closed:
                try:
                    return work(self._connection)
                except psycopg.OperationalError:
                    if not self._connection.closed:
                        raise
            if self._is_over:
                raise OSError(errno.ECANCELED, "the server stops")
            if self._clock.seconds() < self._away_until:
                raise OSError(errno.EIO, _AWAY)
            self._connection = connect(self._url)
            return work(self._connection)
        except Unusable as error:
            self._away_until = self._clock.seconds() + PAUSE
            raise OSError(errno.EIO, _AWAY) from error
        except psycopg.Error as error:
            is_lost = self._connection.closed
            why = _AWAY if is_lost else explain(error)
            raise OSError(errno.EIO, why) from error

    def _hang_up(self) -> None:
        hang_up(self._connection)

    def stop(self) -> Deferred[None]:
        """Let go of the database, once everything is done that was asked for."""
        self._is_over = True
        return self.do(self._close, STOP)

    def _close(self) -> None:
        self._connection.close()
