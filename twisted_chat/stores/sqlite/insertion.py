"""Rows of events go into the database, most of them without the columns that they leave empty.

To bind a NULL takes Python's sqlite3 four times as long as a text, for it looks for an adapter
first, and what is typed at a terminal would have five: without them it takes half the time.
"""

import sqlite3
from collections.abc import Iterable

from twisted_chat.stores.rows import Row

_INSERT = "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

_INSERT_TYPED = (
    "INSERT INTO events (log, id, time, kind, sender, text, author) VALUES (?, ?, ?, ?, ?, ?, ?)"
)


def insert_events(connection: sqlite3.Connection, rows: Iterable[Row]) -> None:
    """Insert events, as `to_row` makes their rows.

    Raises:
        sqlite3.Error: they cannot be stored.
    """
    typed: list[Row] = []
    others: list[Row] = []
    for row in rows:
        if row[5] is None and row[8:] == (None, None, None, None):
            typed.append(row[:5] + row[6:8])
        else:
            others.append(row)
    connection.executemany(_INSERT_TYPED, typed)
    connection.executemany(_INSERT, others)
