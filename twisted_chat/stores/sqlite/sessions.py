"""Saved sessions in the database: the table `seats`."""

import sqlite3
from collections.abc import Iterator

from twisted_chat.stores import SavedSession
from twisted_chat.stores.records import SESSION, to_session

SAVE_SESSION = (
    f"INSERT OR REPLACE INTO seats ({SESSION})"  # noqa: S608 - ours
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
DROP_SESSION = "DELETE FROM seats WHERE id = ?"
RENAME_SESSION = "UPDATE seats SET nickname = ? WHERE person = ?"


def read_sessions(connection: sqlite3.Connection) -> Iterator[SavedSession]:
    """Everybody who may resume, those last whose nickname somebody else took."""
    query = f"SELECT {SESSION} FROM seats ORDER BY displaced, since DESC"  # noqa: S608 - ours
    return map(to_session, connection.execute(query))
