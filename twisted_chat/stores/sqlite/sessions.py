"""How a saved session becomes a row of `seats`, and a row the session that it was."""

import json
import sqlite3
from collections.abc import Iterator

from twisted_chat.stores import SavedSession
from twisted_chat.stores.sqlite.rows import Row

_COLUMNS = (
    "id, person, token, nickname, address, since, room, away, quiet, account, until, asleep,"
    " displaced, rooms, ignored, former, done"
)

SAVE_SESSION = (
    f"INSERT OR REPLACE INTO seats ({_COLUMNS})"  # noqa: S608 - ours
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
DROP_SESSION = "DELETE FROM seats WHERE id = ?"
RENAME_SESSION = "UPDATE seats SET nickname = ? WHERE person = ?"


def read_sessions(connection: sqlite3.Connection) -> Iterator[SavedSession]:
    """Everybody who may resume, those last whose nickname somebody else took."""
    query = f"SELECT {_COLUMNS} FROM seats ORDER BY displaced, since DESC"  # noqa: S608 - ours
    for row in connection.execute(query):
        device, person, token, nickname, address, since, room, away, quiet, *others = row
        account, until, asleep, displaced, *lists = others
        rooms, ignored, former, done = map(json.loads, lists)
        yield SavedSession(
            *(device, person, token, nickname, address, since, rooms, room, away),
            ignored=tuple((name, other) for name, other in ignored),
            former=tuple(former),
            done=tuple(done),
            is_quiet=bool(quiet),
            account=account,
            until=until,
            is_asleep=bool(asleep),
            is_displaced=bool(displaced),
        )


def session_row(saved: SavedSession) -> Row:
    """A saved session as the values of `SAVE_SESSION`."""
    return (
        *(
            saved.id,
            saved.person,
            saved.token,
            saved.nickname,
            saved.address,
            saved.since,
            saved.room,
            saved.away,
            saved.is_quiet,
            saved.account,
            saved.until,
            saved.is_asleep,
            saved.is_displaced,
        ),
        *map(json.dumps, (saved.rooms, saved.ignored, saved.former, saved.done)),
    )
