"""What is older than it is to be kept is deleted, a little at a time."""

import sqlite3
from collections.abc import Iterable, Sequence
from functools import partial
from math import inf

from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_chat.stores.sqlite.history import History
from twisted_chat.stores.sqlite.logs import KeptLog
from twisted_chat.stores.sqlite.writer import Writer

_log = Logger(namespace="chat")

MOST = 5_000
"""Events of a log that go at once."""

OLDEST = "SELECT id, time FROM events WHERE log = ? ORDER BY id LIMIT ?"


def forget(logs: Iterable[KeptLog], before: float, history: History, writer: Writer) -> None:
    """Forget some of what is older than a time; see `Store.forget`.

    Args:
        logs: where it may stand.
        before: the time, in seconds since 1970.
        history: finds it.
        writer: deletes it.
    """
    for log in logs:
        if log.oldest < before:
            found = history.ask(partial(_find_old, log.number, before))
            found.addCallback(partial(_forget_until, log, before, writer))
            found.addErrback(_not_read)


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
        writer.do("DELETE FROM events WHERE log = ? AND id < ?", (log.number, found[-1][0]))


def _not_read(failure: Failure) -> None:
    _log.warn("Cannot delete old lines yet: {why}", why=failure.getErrorMessage())
