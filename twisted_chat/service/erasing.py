"""Erasing what somebody wrote from a database; the events stay, without their texts."""

import json
from collections.abc import Sequence
from typing import Any

from twisted_chat.events.codec import NAMED, OF
from twisted_chat.events.effects import EFFECTS, Value, apply, effects
from twisted_chat.service.database import SET, UNSET, Database
from twisted_chat.stores.rows import COLUMNS, to_entry
from twisted_chat.text import names

ERASED = "(erased)"

_STATE = "SELECT log, name, CAST(value AS text) FROM state"


class Erasure:
    """What one person wrote and sent.

    Args:
        database: where it is erased.
        nickname: theirs.
    """

    def __init__(self, database: Database, nickname: str) -> None:
        self._database = database
        self._key = names.key(nickname)

    def _is_theirs(self, nickname: object) -> bool:
        return isinstance(nickname, str) and names.key(nickname) == self._key

    def erase_events(self) -> int:
        """Erase the texts of their events; gives how many had a line of text."""
        count = 0
        write = self._database.write
        for sender in self._called("sender", "events"):
            changed = "UPDATE events SET text = ? WHERE sender = ? AND text NOT IN ('', ?)"
            count += write(changed, ERASED, sender, ERASED)
            held = "SELECT log, id, kind, more FROM events WHERE sender = ? AND more IS NOT NULL"
            for log, number, kind, more in list(self._database.read(held, sender)):
                change = "UPDATE events SET more = ? WHERE log = ? AND id = ?"
                write(change, erased(kind, more), log, number)
        return count

    def _called(self, column: str, table: str) -> list[str]:
        """Whatever they are called in a column."""
        query = f"SELECT DISTINCT {column} FROM {table}"  # noqa: S608 - ours
        return [called for (called,) in self._database.read(query) if self._is_theirs(called)]

    def erase_away(self) -> None:
        """Erase why they are away."""
        table = self._database.sessions
        for nickname in self._called("nickname", table):
            change = f"UPDATE {table} SET away = ? WHERE nickname = ? AND away != ''"  # noqa: S608 - ours
            self._database.write(change, ERASED, nickname)

    def erase_state(self) -> list[str]:
        """Erase their reasons for what is in states, and their files there.

        Returns:
            The digests of the files' contents.
        """
        digests = []
        for log, name, text in list(self._database.read(_STATE)):
            value = json.loads(text)
            if not isinstance(value, dict) or not self._is_theirs(value.get("by")):
                continue
            if name.startswith("file/"):
                digests.append(str(value.get("digest")))
                self._database.write(UNSET, log, name)
            elif reasons := [field for field in ("why", "closed") if value.get(field)]:
                value |= dict.fromkeys(reasons, ERASED)
                self._database.write(UNSET, log, name)
                self._database.write(SET, log, name, json.dumps(value))
        return digests

    def replay(self) -> Sequence[str]:
        """Work all states out anew from the events that are still there.

        What none of them explains stays, but for a topic, since it is unknown whose words it has.

        Returns:
            The rooms of which a topic has gone that way.
        """
        with_state = "SELECT log, room FROM logs WHERE log IN (SELECT log FROM state) ORDER BY room"
        rooms = list(self._database.read(with_state))
        return [room for log, room in rooms if self._replay(log, room)]

    def _replay(self, log: int, room: str) -> bool:
        kinds = [kind.name for event, kind in OF.items() if event in EFFECTS]
        marks = ", ".join("?" * len(kinds))
        query = f"SELECT {COLUMNS} FROM events WHERE log = ? AND kind IN ({marks}) ORDER BY id"  # noqa: S608 - ours
        state: dict[str, Value] = {}
        explained: set[str] = set()
        for row in self._database.read(query, log, *kinds):
            entry = to_entry(room, row)
            explained.update(effects(entry))
            apply(entry, state)
        before = list(self._database.read(f"{_STATE} WHERE log = ?", log))
        unexplained = {name: json.loads(text) for _, name, text in before if name not in explained}
        is_bereft = unexplained.pop("topic", None) is not None
        self._database.write("DELETE FROM state WHERE log = ?", log)
        self._database.write_all(
            SET, [(log, name, json.dumps(value)) for name, value in (state | unexplained).items()]
        )
        return is_bereft


def erased(kind: str, more: str) -> str:
    """What an event holds that has no column of its own, without its texts, and without the
    address that a file came from.
    """
    held, known = json.loads(more), NAMED[kind]
    words = {*known.fields, *known.values} - {*known.facts}
    wordless = {name: _wordless(each) if name in words else each for name, each in held.items()}
    return json.dumps(wordless | {"owner": ""} if kind == "file" else wordless)


def _wordless(value: Any) -> Any:
    """A value that can be written as JSON, without the texts in it."""
    match value:
        case str():
            return value and ERASED
        case list():
            return list(map(_wordless, value))
        case dict():
            return {name: _wordless(each) for name, each in value.items()}
        case _:
            return value
