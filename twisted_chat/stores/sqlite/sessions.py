"""How a saved session becomes a row of `seats`, and a row the session that it was."""

import json
import sqlite3
from collections.abc import Iterator

from twisted_chat.stores import SavedSession
from twisted_chat.stores.sqlite.rows import Row

_COLUMNS = "id, token, nickname, address, since, room, away, quiet, rooms, ignored, former, done"

SAVE_SESSION = (
    f"INSERT OR REPLACE INTO seats ({_COLUMNS})"  # noqa: S608 - ours
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
DROP_SESSION = "DELETE FROM seats WHERE id = ?"
RENAME_SESSION = "UPDATE seats SET nickname = ? WHERE id = ?"


def read_sessions(connection: sqlite3.Connection) -> Iterator[SavedSession]:
    """Everybody who may resume; whoever came last is first."""
    for row in connection.execute(f"SELECT {_COLUMNS} FROM seats ORDER BY since DESC"):  # noqa: S608 - ours
        person, token, nickname, address, since, room, away, quiet, *lists = row
        rooms, ignored, former, done = map(json.loads, lists)
        yield SavedSession(
            *(person, token, nickname, address, since, rooms, room, away),
            ignored=tuple((name, other) for name, other in ignored),
            former=tuple(former),
            done=tuple(done),
            is_quiet=bool(quiet),
        )


def session_row(saved: SavedSession) -> Row:
    """A saved session as the values of `SAVE_SESSION`."""
    return (
        *(
            saved.id,
            saved.token,
            saved.nickname,
            saved.address,
            saved.since,
            saved.room,
            saved.away,
            saved.is_quiet,
        ),
        *map(json.dumps, (saved.rooms, saved.ignored, saved.former, saved.done)),
    )
