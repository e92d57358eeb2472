"""Taking somebody's name from all that they have done, and that was done to them."""

from collections.abc import Mapping

from psycopg.types.json import Jsonb
from twisted.internet.defer import Deferred

from twisted_chat.events.codec import OF
from twisted_chat.events.effects import EFFECTS, Value
from twisted_chat.stores.nameless import NOBODY, Replacements, also, left_in, nameless, replacements
from twisted_chat.stores.postgres.schema import Connection
from twisted_chat.stores.rows import COLUMNS, to_entry, to_row

_DECISIONS = [OF[event].name for event in EFFECTS]
"""Kinds of events that may be about somebody else, or have their name in a state."""

_FIND = f"""
SELECT log, {COLUMNS} FROM events
WHERE kind = ANY(%s) AND (author = %s OR strpos(more, %s) > 0) ORDER BY log, id
"""  # noqa: S608 - ours
_CHANGE = b"UPDATE events SET sender = %s, recipient = %s, more = %s WHERE log = %s AND id = %s"
_STATE = b"SELECT name, value FROM state WHERE log = %s"
_LEFT = b"SELECT DISTINCT log FROM state WHERE strpos(name, %s) > 0 OR strpos(value::text, %s) > 0"
_RESTATE = b"UPDATE state SET value = %s WHERE log = %s AND name = %s"
_SIGN = b"""
UPDATE events SET sender = %s, recipient = CASE kind WHEN 'rename' THEN %s ELSE recipient END
WHERE author = %s
"""
_NAMES = b"SELECT log, name FROM logs WHERE log = ANY(%s)"


class MakeNameless:
    """A change that somebody waits for; it reads all events, which takes a second a million.

    Args:
        person: whose name is taken away, by their id.
    """

    def __init__(self, person: str) -> None:
        self._person = person
        self._replaced: dict[int, dict[str, tuple[Value, Value]]] = {}
        self._names: dict[int, str] = {}
        self.done: Deferred[Mapping[str, Replacements]] = Deferred()

    def execute(self, connection: Connection) -> None:
        """Change the events, and what they have made of the states of their logs.

        This is done once more if it is not known whether it was stored.

        Args:
            connection: to the database, in a transaction.
        """
        who = self._person
        self._replaced = {}
        found = connection.execute(_FIND.encode(), (_DECISIONS, who, who)).fetchall()
        for log, *columns in found:
            entry = to_entry("", tuple(columns))
            changed = nameless(entry, who)
            if changed is not entry.event:
                known = self._state(connection, log)
                self._replace(connection, log, replacements(entry, changed, known))
                entry.event = changed
                row = to_row(log, entry)
                connection.execute(_CHANGE, (row[4], row[5], row[10], log, entry.id))
        for (log,) in connection.execute(_LEFT, (who, who)).fetchall():
            self._replace(connection, log, left_in(self._state(connection, log), who))
        connection.execute(_SIGN, (NOBODY, NOBODY, who))
        named = connection.execute(_NAMES, ([*self._replaced],)).fetchall()
        self._names = dict(named)

    def _state(self, connection: Connection, log: int) -> dict[str, Value]:
        return dict(connection.execute(_STATE, (log,)).fetchall())

    def _replace(self, connection: Connection, log: int, replaced: Replacements) -> None:
        for name, (_, value) in replaced.items():
            connection.execute(_RESTATE, (Jsonb(value), log, name))
        also(self._replaced.setdefault(log, {}), replaced)

    def tell(self) -> None:
        """It is stored."""
        self.done.callback({name: self._replaced[log] for log, name in self._names.items()})
