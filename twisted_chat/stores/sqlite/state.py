"""The states of logs in the database: what events change, and what is worked out anew."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from twisted_chat.events.codec import OF
from twisted_chat.events.effects import EFFECTS, Changes, Value, apply, effects
from twisted_chat.stores.rows import COLUMNS, Row, to_entry

Statement: TypeAlias = tuple[str, Row]

_SET = "INSERT OR REPLACE INTO state VALUES (?, ?, ?)"
_UNSET = "DELETE FROM state WHERE log = ? AND name = ?"


def statements(log: int, changes: Changes) -> Iterator[Statement]:
    """What is to be done in the transaction that stores an event that changes this."""
    for name, value in changes.items():
        if value is None:
            yield _UNSET, (log, name)
        else:
            yield _SET, (log, name, json.dumps(value))


def read(connection: sqlite3.Connection, log: int) -> dict[str, Value]:
    """The state of a log."""
    rows = connection.execute("SELECT name, value FROM state WHERE log = ?", (log,))
    return {name: json.loads(value) for name, value in rows}


def erase(connection: sqlite3.Connection, sender: str, erased: str) -> None:
    """Erase the reasons that somebody has given for what is in states.

    Args:
        connection: the database, which has a function `key`.
        sender: the key of their nickname.
        erased: what stands there then.
    """
    for field in ("why", "closed"):
        connection.execute(
            "UPDATE state SET value = json_set(value, ?, ?) "
            "WHERE json_type(value) = 'object' AND json_extract(value, ?) != '' "
            "AND key(coalesce(json_extract(value, '$.by'), '')) = ?",
            (f"$.{field}", erased, f"$.{field}", sender),
        )


def erase_files(connection: sqlite3.Connection, sender: str) -> list[str]:
    """Erase the files that somebody has sent; gives the digests of their contents.

    Args:
        connection: the database, which has a function `key`.
        sender: the key of their nickname.
    """
    theirs = "name LIKE 'file/%' AND key(coalesce(json_extract(value, '$.by'), '')) = ?"
    digests = connection.execute(
        f"SELECT json_extract(value, '$.digest') FROM state WHERE {theirs}",  # noqa: S608 - ours
        (sender,),
    ).fetchall()
    connection.execute(f"DELETE FROM state WHERE {theirs}", (sender,))  # noqa: S608 - ours
    return [str(digest) for (digest,) in digests]


def replay(connection: sqlite3.Connection) -> Sequence[str]:
    """Work all states out anew from the events that are still there.

    What none of them explains stays, but for a topic, since it is unknown whose words it has.

    Returns:
        The rooms of which a topic has gone that way.
    """
    kinds = [kind.name for event, kind in OF.items() if event in EFFECTS]
    marks = ", ".join("?" * len(kinds))
    bereft = []
    with_state = "SELECT log, room FROM logs WHERE log IN (SELECT log FROM state) ORDER BY room"
    for log, room in connection.execute(with_state).fetchall():
        state: dict[str, Value] = {}
        explained: set[str] = set()
        for row in connection.execute(
            f"SELECT {COLUMNS} FROM events WHERE log = ? AND kind IN ({marks}) ORDER BY id",  # noqa: S608 - ours
            (log, *kinds),
        ):
            entry = to_entry(room, row)
            explained.update(effects(entry))
            apply(entry, state)
        unexplained = read(connection, log)
        for name in explained:
            unexplained.pop(name, None)
        if unexplained.pop("topic", None) is not None:
            bereft.append(room)
        state |= unexplained
        connection.execute("DELETE FROM state WHERE log = ?", (log,))
        connection.executemany(
            _SET, [(log, name, json.dumps(value)) for name, value in state.items()]
        )
    return bereft
