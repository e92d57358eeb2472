"""Taking somebody's name from all that they have done, and that was done to them."""

import sqlite3
from collections.abc import Mapping
from dataclasses import replace

from twisted.internet.defer import Deferred

from twisted_chat.events.codec import OF
from twisted_chat.events.effects import EFFECTS, Value
from twisted_chat.stores.nameless import NOBODY, Replacements, also, left_in, nameless, replacements
from twisted_chat.stores.rows import COLUMNS, to_entry, to_row
from twisted_chat.stores.sqlite import state

_DECISIONS = tuple(OF[event].name for event in EFFECTS)
"""Kinds of events that may be about somebody else, or have their name in a state."""

_FIND = (
    f"SELECT log, {COLUMNS} FROM events"  # noqa: S608 - ours
    f" WHERE kind IN ({', '.join('?' * len(_DECISIONS))}) AND (author = ? OR instr(more, ?))"
    " ORDER BY log, id"
)
_CHANGE = "UPDATE events SET sender = ?, recipient = ?, more = ? WHERE log = ? AND id = ?"
_LEFT = "SELECT DISTINCT log FROM state WHERE instr(name, ?) OR instr(value, ?)"
_SIGN = (
    "UPDATE events SET sender = ?1,"
    " recipient = CASE kind WHEN 'rename' THEN ?1 ELSE recipient END WHERE author = ?2"
)


class MakeNameless:
    """A write that somebody waits for, as in `accounts`; it takes half a second a million events.

    Args:
        person: whose name is taken away, by their id.
    """

    def __init__(self, person: str) -> None:
        self._person = person
        self._replaced: dict[int, dict[str, tuple[Value, Value]]] = {}
        self.done: Deferred[Mapping[int, Replacements]] = Deferred()

    def execute(self, connection: sqlite3.Connection) -> None:
        """Change the events, and what they have made of the states of their logs."""
        who = self._person
        for log, *columns in connection.execute(_FIND, (*_DECISIONS, who, who)).fetchall():
            entry = to_entry("", tuple(columns))
            changed = nameless(entry, who)
            if changed is not entry.event:
                known = state.read(connection, log)
                self._replace(connection, log, replacements(entry, changed, known))
                row = to_row(log, replace(entry, event=changed))
                connection.execute(_CHANGE, (row[4], row[5], row[10], log, entry.id))
        for (log,) in connection.execute(_LEFT, (who, who)).fetchall():
            self._replace(connection, log, left_in(state.read(connection, log), who))
        connection.execute(_SIGN, (NOBODY, who))

    def _replace(self, connection: sqlite3.Connection, log: int, replaced: Replacements) -> None:
        for statement in state.statements(log, {name: new for name, (_, new) in replaced.items()}):
            connection.execute(*statement)
        also(self._replaced.setdefault(log, {}), replaced)

    def tell(self) -> None:
        """It is stored."""
        self.done.callback(self._replaced)
