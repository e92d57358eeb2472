"""Private rows where they do not belong, as an early version could leave them.

Somebody's log was erased while whispers to them were still being stored: these came after, in a
log that nobody had any more, until its number was given to a room or to another person.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import TypeAlias

_Place: TypeAlias = tuple[str, int, int]
"""A row's log, by name and by number, and its own number there."""

_NOBODYS = """
WITH RECURSIVE present (log) AS (
    SELECT min(log) FROM events
    UNION ALL
    SELECT (SELECT min(log) FROM events WHERE log > present.log) FROM present WHERE log IS NOT NULL
)
SELECT 'log ' || log, log, id FROM present CROSS JOIN events USING (log)
WHERE log NOT IN (SELECT log FROM logs)
"""
"""In a log that is nobody's; from one log to the next, since most of them are somebody's."""

_PUBLIC = """
SELECT name, log, id FROM logs CROSS JOIN events USING (log)
WHERE name LIKE '#%' AND kind = 'whisper'
"""
"""Whispers that everybody in a room can read."""

_FOREIGN = """
SELECT name, log, events.id, seats.id, nickname, recipient, time < since
FROM seats CROSS JOIN logs ON name = '@' || seats.id CROSS JOIN events USING (log)
WHERE origin != seats.id AND (recipient IS NOT nickname OR time < since)
"""
"""In somebody's own log, neither by them nor to who they are now."""

_FORMER = (
    "SELECT DISTINCT origin, sender FROM events WHERE kind = 'rename'",
    "SELECT seats.id, value FROM seats, json_each(former)",
)
"""What people were called before; asked only when there is doubt, since it reads everything."""

_GONE = "name LIKE '@%' AND substr(name, 2) NOT IN (SELECT id FROM seats)"
"""The own log of somebody who cannot come back."""


def find(connection: sqlite3.Connection) -> Mapping[str, int]:
    """How many stray rows there are, by the name of the log that they stand in."""
    return Counter(name for name, _, _ in _places(connection))


def abandoned(connection: sqlite3.Connection) -> int:
    """How many rows stand in own logs of people who cannot come back.

    While a server runs, most of these are here: who has no session to resume has a log all the
    same. After that they belong to nobody.
    """
    query = f"SELECT count(*) FROM logs CROSS JOIN events USING (log) WHERE {_GONE}"  # noqa: S608 - ours
    count: int = connection.execute(query).fetchone()[0]
    return count


def delete(connection: sqlite3.Connection) -> int:
    """Delete stray rows, and own logs of people who cannot come back; gives how many rows.

    Args:
        connection: a database that nobody uses yet, in a transaction.
    """
    strays = _delete(connection, chain(connection.execute(_NOBODYS), connection.execute(_PUBLIC)))
    left = connection.execute(
        f"DELETE FROM events WHERE log IN (SELECT log FROM logs WHERE {_GONE})"  # noqa: S608 - ours
    ).rowcount
    connection.execute(f"DELETE FROM logs WHERE {_GONE}")  # noqa: S608 - ours
    return strays + left


def delete_foreign(connection: sqlite3.Connection) -> int:
    """Delete from people's own logs what cannot be theirs; gives how many rows.

    Once, from a database of a version that gave a log's number twice: where the clock was set
    back, a later row may look like it.
    """
    return _delete(connection, _foreign(connection, oldest=True))


def _delete(connection: sqlite3.Connection, places: Iterator[_Place]) -> int:
    strays = [(log, row) for _, log, row in places]
    connection.executemany("DELETE FROM events WHERE log = ? AND id = ?", strays)
    return len(strays)


def _places(connection: sqlite3.Connection) -> Iterator[_Place]:
    return chain(
        connection.execute(_NOBODYS),
        connection.execute(_PUBLIC),
        _foreign(connection, oldest=False),
    )


def _foreign(connection: sqlite3.Connection, *, oldest: bool) -> Iterator[_Place]:
    """What cannot be theirs; also what was said before they came, if asked for."""
    doubtful = connection.execute(_FOREIGN).fetchall()
    former = {each for query in _FORMER if doubtful for each in connection.execute(query)}
    for name, log, row, person, nickname, recipient, is_older in doubtful:
        is_former = (person, recipient) in former or recipient == nickname
        if (oldest and is_older) or not is_former:
            yield name, log, row
