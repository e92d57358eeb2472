"""Export and import of rooms as lines of JSON.

Left out is what means nothing without the sessions of the people who were there: their ids, and
the `ref`s under which programs asked for something.
"""

import json
import re
from datetime import UTC, datetime
from typing import Any

from twisted_chat.events import Entry
from twisted_chat.events.codec import NAMED, Kept
from twisted_chat.events.effects import effects
from twisted_chat.limits import Limits
from twisted_chat.service.database import EVENT, SET, UNSET, Database
from twisted_chat.stores.rows import Row, to_row
from twisted_chat.text import names
from twisted_chat.text.marks import are_piled
from twisted_chat.wire.structured import describe, encode

_UNSAFE = re.compile(  # it would move cursors, or reverse text, on everybody's screen
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ud800-\udfff]"
)
_LONGEST = Limits.history_bytes  # more than that is in no answer, whatever the limit of a line is
_MOST = 2**53 - 1  # up to there every program that reads JSON can count
_AT_ONCE = 1_000
"""Events that are put into a database at once."""

_PUT = f"INSERT INTO events ({EVENT}) VALUES ({', '.join('?' * len(EVENT.split(',')))})"  # noqa: S608 - ours
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = 253_402_214_400.0  # 9999-12-31, which can be shown in every time zone


def to_line(entry: Entry) -> bytes:
    """An event as a line, its time to the microsecond."""
    time = datetime.fromtimestamp(entry.event.time, UTC).replace(tzinfo=None)
    return encode(
        describe(entry, private=True) | {"time": time.isoformat("T", "microseconds") + "Z"}
    )


def from_line(line: bytes) -> Entry:
    """The event that a line is.

    Raises:
        ValueError: what is wrong with it.
    """
    thing = decode(line)
    name = thing.get("event")
    kind = NAMED.get(name) if isinstance(name, str) else None
    if kind is None or kind.kept is not Kept.IN_ROOMS:
        kept = (each.name for each in NAMED.values() if each.kept is Kept.IN_ROOMS)
        raise ValueError("the event must be one of " + ", ".join(kept))
    number = _number(thing, "id", least=1)
    room = _text(thing, "room")
    if not room.startswith("#"):
        raise ValueError("the room must begin with #")
    if not names.is_like_a_name(room[1:]):
        raise ValueError("the room does not have a valid name")
    time, sender = time_of(thing, "time"), _nickname(thing, "from")
    told: list[Any] = [
        _nickname(thing, field)
        if field == "to"
        else _text(thing, field, may_be_empty=field in ("text", *kind.optional))
        for field in kind.fields
    ]
    told += [_number(thing, field) for field in kind.numbers]
    told += [_value(thing.get(field), field) for field in kind.values]
    told += [time_of(thing, field) if thing.get(field) else None for field in kind.times]
    if all(field in thing for field in kind.private):
        told += [_value(thing[field], field) for field in kind.private]
    return Entry(kind.make(time, room, sender, told), id=number)


def decode(line: bytes) -> dict[str, Any]:
    """The object that a line is.

    Raises:
        ValueError: what is wrong with it.
    """
    try:
        thing = json.loads(line.decode())
    except UnicodeDecodeError:
        raise ValueError("this is not UTF-8") from None
    except (ValueError, RecursionError):
        raise ValueError("this is not JSON") from None
    if not isinstance(thing, dict):
        raise ValueError("this is not a JSON object")  # noqa: TRY004 - of the file
    return thing


def _number(thing: dict[str, Any], key: str, least: int = 0) -> int:
    value = thing.get(key)
    if type(value) is not int or not least <= value <= _MOST:
        raise ValueError(f"the {key} must be a whole number of {least} or more")
    return value


def _text(thing: dict[str, Any], key: str, *, may_be_empty: bool = False) -> str:
    value = thing.get(key, "" if may_be_empty else None)
    if not isinstance(value, str) or (not value and not may_be_empty):
        raise ValueError(f"the {key} is missing or not a string")
    if _UNSAFE.search(value):
        raise ValueError(f"the {key} has control characters")
    if are_piled(value):
        raise ValueError(f"the {key} has too many marks on one character")
    if len(value.encode()) > _LONGEST:
        raise ValueError(f"the {key} has more than {_LONGEST} bytes")
    return value


def _value(value: Any, key: str) -> Any:
    """A value whose texts are all such as may be shown."""
    match value:
        case str() if value:
            _text({key: value}, key)
        case list():
            for each in value:
                _value(each, key)
        case dict():
            _value([*value, *value.values()], key)
    return value


def _nickname(thing: dict[str, Any], key: str) -> str:
    name = _text(thing, key)
    if not names.is_like_a_name(name) or names.is_the_servers(name):
        raise ValueError(f"the {key} is not a valid nickname")
    return name


def time_of(thing: dict[str, Any], key: str) -> float:
    """A time that an object has, in seconds since 1970.

    Raises:
        ValueError: what is wrong with it.
    """
    try:
        seconds = (datetime.fromisoformat(_text(thing, key)) - _EPOCH).total_seconds()
    except (ValueError, TypeError):  # the latter without a time zone
        seconds = -1.0
    if not 0 <= seconds < _LATEST:
        raise ValueError(f"the {key} is missing, or not like 2026-11-20T12:35:02.123456Z")
    return seconds


class EmptyRooms:
    """Rooms without events, into which events from a file are imported.

    Args:
        database: where they are; events are there once `finish` was called.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._logs: dict[str, int] = {}  # the number of each room's log
        self._last: dict[int, int] = {}  # the number of each log's last event
        self._rows: list[Row] = []  # that are not there yet

    def __len__(self) -> int:
        return len(self._last)

    def add(self, entry: Entry) -> None:
        """Import an event.

        Raises:
            ValueError: its room has had events before, or its number is out of order.
        """
        log = self._log(entry.event.room)
        last = self._last.get(log, 0)
        if entry.id <= last:
            raise ValueError(f"the id {entry.id} does not come after {last}")
        self._last[log] = entry.id
        self._rows.append(to_row(log, entry))
        if len(self._rows) == _AT_ONCE:
            self._put()
        for name, value in effects(entry).items():
            self._database.write(UNSET, log, name)
            if value is not None:
                self._database.write(SET, log, name, json.dumps(value))

    def finish(self) -> None:
        """That were all."""
        self._put()
        self._database.count_on()

    def _put(self) -> None:
        self._database.write_all(_PUT, self._rows)
        self._rows = []

    def _log(self, room: str) -> int:
        key = names.key(room)
        if key not in self._logs:
            self._logs[key] = self._new_log(key, room)
        return self._logs[key]

    def _new_log(self, key: str, room: str) -> int:
        write, read = self._database.write, self._database.read
        write(
            "INSERT INTO logs (name, room) VALUES (?, ?) ON CONFLICT (name) DO NOTHING", key, room
        )
        ((log,),) = read("SELECT log FROM logs WHERE name = ?", key)
        if list(read("SELECT 1 FROM events WHERE log = ? LIMIT 1", log)):
            raise ValueError(f"{room} has events already: import into an empty database")
        return int(log)
