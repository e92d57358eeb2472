"""Private rows in the wrong place, which an early version could leave behind.

Somebody's log was erased while whispers to them were still being stored: these came after, in a
log that nobody had any more, until its number was given to a room or to another person.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import chain
from math import inf
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
SELECT name, log, events.id, seats.id, nickname, since, recipient, time
FROM seats CROSS JOIN logs ON name = '@' || seats.id CROSS JOIN events USING (log)
WHERE author != seats.id
"""
"""In somebody's own log, and not by them."""

_RENAMES = "SELECT author, time, sender, recipient FROM events WHERE kind = 'rename' ORDER BY time"

_FORMER = (
    "SELECT DISTINCT author, sender FROM events WHERE kind = 'rename'",
    "SELECT seats.id, value FROM seats, json_each(former)",
)
"""What people were called before; asked only when there is doubt, since it reads everything."""

_GONE = (
    "name LIKE '@%' AND substr(name, 2) NOT IN (SELECT id FROM seats UNION SELECT id FROM accounts)"
)
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
    connection.execute("DELETE FROM state WHERE log NOT IN (SELECT log FROM logs)")
    return strays + left


def delete_foreign(connection: sqlite3.Connection) -> int:
    """Delete from people's own logs what was said when they were not called so.

    Once, from a database of a version that gave a log's number twice: where the clock was set
    back, a later row may look like it. Gives how many rows.
    """
    renames: dict[str, list[tuple[float, str, str]]] = {}
    for person, time, old, new in connection.execute(_RENAMES):
        renames.setdefault(person, []).append((time, old, new))
    places = [
        (name, log, row)
        for name, log, row, person, nickname, since, recipient, time in connection.execute(_FOREIGN)
        if recipient not in _called(nickname, since, renames.get(person, []), time)
    ]
    return _delete(connection, iter(places))


def _called(
    nickname: str, since: float, renames: list[tuple[float, str, str]], time: float
) -> set[str]:
    """What somebody was called at a time: two names in the moment of a rename."""
    moments = [(since, "", renames[0][1] if renames else nickname), *renames]
    ends = [moment for moment, _, _ in moments[1:]] + [inf]
    return {new for (start, _, new), end in zip(moments, ends, strict=True) if start <= time <= end}


def _delete(connection: sqlite3.Connection, places: Iterator[_Place]) -> int:
    strays = [(log, row) for _, log, row in places]
    connection.executemany("DELETE FROM events WHERE log = ? AND id = ?", strays)
    return len(strays)


def _places(connection: sqlite3.Connection) -> Iterator[_Place]:
    return chain(
        connection.execute(_NOBODYS),
        connection.execute(_PUBLIC),
        _foreign(connection),
    )


def _foreign(connection: sqlite3.Connection) -> Iterator[_Place]:
    """What was said to a name that they have never had."""
    rows = connection.execute(_FOREIGN).fetchall()
    doubtful = [row for row in rows if row[4] != row[6]]
    former = {each for query in _FORMER if doubtful for each in connection.execute(query)}
    for name, log, row, person, _, _, recipient, _ in doubtful:
        if (person, recipient) not in former:
            yield name, log, row
