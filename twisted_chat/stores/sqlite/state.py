"""The states of logs in the database: what events change."""

import json
import sqlite3
from collections.abc import Iterator
from typing import TypeAlias

from twisted_chat.events.effects import Changes, Value
from twisted_chat.stores.rows import Row

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
