"""Looking up in a database what is found at once: a log by its name, and what is kept of sessions.

This has a connection of its own, so that it sees every commit that was told of, whatever is being
read in another thread.
"""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from twisted_chat.stores import SavedSession
from twisted_chat.stores.sqlite import state
from twisted_chat.stores.sqlite.forgetting import OLDEST
from twisted_chat.stores.sqlite.logs import KeptLog
from twisted_chat.stores.sqlite.sessions import read_sessions


class Lookup:
    """What is looked up, without waiting for another thread.

    Args:
        path: the database.
    """

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, timeout=2, check_same_thread=False)
        self.close = self._connection.close

    def log(self, name: str) -> KeptLog | None:
        """The log of a name; None if nothing was ever said there."""
        row = self._connection.execute(
            "SELECT log, room, (SELECT max(id) FROM events WHERE log = logs.log)"
            " FROM logs WHERE name = ?",
            (name,),
        ).fetchone()
        if row is None:
            return None
        number, room, last = row
        known = KeptLog(number, name, room)
        known.is_kept = True
        known.last = last or 0
        known.state = state.read(self._connection, number)
        oldest = self._connection.execute(OLDEST, (number, 1)).fetchone()
        if oldest is not None:
            known.oldest = oldest[1]
        return known

    def rooms(self) -> Sequence[str]:
        """See `Store.rooms`."""
        newest = "SELECT time FROM events WHERE log = logs.log ORDER BY id DESC LIMIT 1"
        rows = self._connection.execute(
            f"SELECT room FROM logs WHERE name LIKE '#%' ORDER BY ({newest}) DESC"  # noqa: S608 - ours
        )
        return [room for (room,) in rows]

    def saved_sessions(self) -> Sequence[SavedSession]:
        """See `Store.saved_sessions`."""
        return list(read_sessions(self._connection))

    def refs(self, client: str, limit: int) -> Sequence[tuple[str, int]]:
        """See `Store.refs`."""
        return self._connection.execute(
            "SELECT ref, id FROM events WHERE coalesce(client, author) = ?"
            " AND request IS NOT NULL ORDER BY request DESC LIMIT ?",
            (client, limit),
        ).fetchall()[::-1]
