"""Structured lines (NDJSON), for the bundled client, web pages and bots: events as objects."""

import json
from datetime import UTC, datetime
from typing import Any, assert_never

from twisted_chat import events
from twisted_chat.events import Entry, Event
from twisted_chat.refusal import Refused

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

_KINDS: dict[str, type[Event]] = {
    "message": events.Message,
    "action": events.Action,
    "whisper": events.Whisper,
    "rename": events.Rename,
    "topic": events.Topic,
    "join": events.Join,
    "leave": events.Leave,
    "away": events.Away,
    "notice": events.Notice,
    "hidden": events.Hidden,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def encode(thing: dict[str, Any]) -> bytes:
    """An object as a line."""
    return (_encode(thing) + "\n").encode()


def decode(line: bytes) -> dict[str, Any]:
    """The object that a line is.

    Raises:
        Refused: it is none (`bad-json`).
    """
    try:
        thing = json.loads(line)
    except (ValueError, RecursionError):
        thing = None
    if not isinstance(thing, dict):
        raise Refused("bad-json", "That line is not a JSON object: send one object a line.")
    return thing


def timestamp(seconds: float) -> str:
    """A time as RFC 3339 has it, in UTC, to the millisecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat("T", "milliseconds")[:-6] + "Z"


class StructuredWire:
    """Events as objects that a program reads."""

    def show(self, entry: Entry, reader: str = "", *, replayed: bool = False) -> bytes:
        """The lines that a reader gets of an entry: one, but for a rush of joins or leaves.

        Args:
            entry: what stands in the log.
            reader: the id of the person who reads, who finds their own `ref` on what they did;
                empty for one who did none of it.
            replayed: whether it comes from history, so that a bot does not act on it again.
        """
        thing = describe(entry, reader, replayed=replayed)
        line = encode(thing)
        if isinstance(entry.event, events.Join | events.Leave):
            line += b"".join(encode(thing | {"from": nickname}) for nickname in entry.event.also)
        return line

    def missed(self, room: str, count: int, *, kept: bool = False) -> bytes:
        """What a reader gets in the place of events; see `reader.Wire.missed`."""
        missed = {"event": "missed", "room": room, "count": count}
        return encode(missed | {"kept": True} if kept else missed)


def describe(entry: Entry, reader: str = "", *, replayed: bool = False) -> dict[str, Any]:
    """An entry as an object; the arguments are those of `StructuredWire.show`."""
    event = entry.event
    thing: dict[str, Any] = {"event": _NAMES[type(event)]}
    if entry.stored:
        thing["id"] = entry.id
    thing["time"] = timestamp(event.time)
    thing["room"] = event.room
    if event.sender:
        thing["from"] = event.sender
    match event:
        case events.Message() | events.Action() | events.Topic() | events.Away() | events.Notice():
            thing["text"] = event.text
        case events.Whisper():
            thing["to"] = event.to
            thing["text"] = event.text
        case events.Rename():
            thing["to"] = event.to
        case events.Leave():
            if event.reason:
                thing["reason"] = event.reason
        case events.Join() | events.Hidden():
            pass
        case _:
            assert_never(event)
    if reader and entry.origin == reader and entry.ref is not None:
        thing["ref"] = entry.ref
    if replayed:
        thing["replayed"] = True
    return thing


def understand(thing: dict[str, Any]) -> Entry | None:
    """The entry that `describe` made this object of; None if it is no event."""
    name = thing.get("event")
    kind = _KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        return None
    fields: dict[str, Any] = {
        "time": datetime.fromisoformat(str(thing["time"])).timestamp(),
        "room": str(thing.get("room", events.OWN)),
        "sender": str(thing.get("from", "")),
    }
    for field in ("to", "text", "reason"):
        if field in kind.__dataclass_fields__:
            fields[field] = str(thing.get(field, ""))
    number = thing.get("id", 0)
    return Entry(kind(**fields), ref=thing.get("ref"), id=number)
