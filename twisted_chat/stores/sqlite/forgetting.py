"""What is older than it is to be kept is deleted, a little at a time."""

import sqlite3
from collections.abc import Iterable, Sequence
from functools import partial
from math import inf
from typing import NamedTuple

from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_chat.stores import SERVER_LOG
from twisted_chat.stores.sqlite.history import History
from twisted_chat.stores.sqlite.logs import KeptLog
from twisted_chat.stores.sqlite.writer import Writer

_log = Logger(namespace="chat")

MOST = 5_000
"""Events of a log that go at once."""

LOGS = 50
"""Logs that are not open from which some go at once."""

OLDEST = "SELECT id, time FROM events WHERE log = ? ORDER BY id LIMIT ?"

_DELETE = "DELETE FROM events WHERE log = ? AND id < ?"

_CLOSED = """
    SELECT log, (
        SELECT time FROM events AS oldest WHERE log = logs.log
        AND EXISTS (SELECT * FROM events WHERE log = oldest.log AND id > oldest.id)
        ORDER BY id LIMIT 1
    ) AS time FROM logs WHERE name != ? AND time NOT NULL ORDER BY time
"""
"""All logs that hold more than their last event, and when their first one happened."""


class _Old(NamedTuple):
    """What is old in logs that are not open."""

    found: Sequence[tuple[int, int]]
    """Each log's number, and that of its first event that is to be kept."""
    oldest: float
    """When the oldest event happened of those that remain."""


class Forgetting:
    """Forgets what is old, in the logs that are open and in all others.

    Args:
        history: finds it.
        writer: deletes it.
    """

    def __init__(self, history: History, writer: Writer) -> None:
        self._history = history
        self._writer = writer
        self._oldest = -inf  # of what logs hold that are not open, as far as that is known

    def closed(self, log: KeptLog) -> None:
        """A log is not open any more."""
        self._oldest = min(self._oldest, log.oldest)

    def forget(self, opened: Iterable[KeptLog], before: float) -> None:
        """Forget some of what is older than a time; see `Store.forget`.

        Args:
            opened: the logs that are open.
            before: the time, in seconds since 1970.
        """
        for log in opened:
            if log.oldest < before and log.name != SERVER_LOG:
                found = self._history.ask(partial(_find_old, log.number, before))
                found.addCallback(partial(_forget_until, log, before, self._writer))
                found.addErrback(_not_read)
        if self._oldest < before:
            self._oldest = inf
            numbers = {log.number for log in opened}
            closed = self._history.ask(partial(_find_in_closed, numbers, before))
            closed.addCallback(self._forget_in_closed).addErrback(_not_read)

    def _forget_in_closed(self, old: _Old) -> None:
        self._oldest = min(self._oldest, old.oldest)
        for where in old.found:
            self._writer.do(_DELETE, where)


def _find_in_closed(opened: set[int], before: float, connection: sqlite3.Connection) -> _Old:
    found: list[tuple[int, int]] = []
    oldest = inf
    for number, time in connection.execute(_CLOSED, (SERVER_LOG,)).fetchall():
        if number in opened:
            continue
        if time >= before or len(found) == LOGS:
            return _Old(found, min(oldest, time))
        first, since = _find_old(number, before, connection)[-1]
        found.append((number, first))
        oldest = min(oldest, since)
    return _Old(found, oldest)


def _find_old(
    number: int, before: float, connection: sqlite3.Connection
) -> Sequence[tuple[int, float]]:
    """The first event of a log, and the first that is to be kept: number and time."""
    old = []
    for event in connection.execute(OLDEST, (number, MOST)):
        old.append(event)
        if event[1] >= before:
            break
    return old if len(old) == 1 else [old[0], old[-1]] if old else []


def _forget_until(
    log: KeptLog, before: float, writer: Writer, found: Sequence[tuple[int, float]]
) -> None:
    log.oldest = found[-1][1] if found else inf
    if len(found) == 1 and log.oldest >= before:
        return  # the clock was wrong: it protects those that came later until it is old itself
    if len(found) == 1:  # its last event, which stays until the next one comes
        log.oldest, log.rests = inf, log.oldest
    elif found and not log.is_erased:
        writer.do(_DELETE, (log.number, found[-1][0]))


def _not_read(failure: Failure) -> None:
    _log.warn("Cannot delete old lines yet: {why}", why=failure.getErrorMessage())
