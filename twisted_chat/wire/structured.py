"""Structured lines (NDJSON), for the bundled client, web pages and bots: events as objects."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from twisted_chat.events import OWN, By, Entry, File, Join, Leave
from twisted_chat.events.codec import NAMED, OF
from twisted_chat.refusal import Refused

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


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
        raise Refused("bad-json", "That line is not a JSON object: send one object per line.")
    return thing


def timestamp(seconds: float) -> str:
    """A time as RFC 3339 has it, in UTC, to the millisecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat("T", "milliseconds")[:-6] + "Z"


def _nobody(_: str) -> str:
    return ""


class StructuredWire:
    """Events as objects that a program reads.

    Args:
        account_of: gives the name of the account of somebody with this id; empty for none.
        address_of: gives the address of a file by its `url`; empty if the file is gone.
    """

    def __init__(
        self,
        account_of: Callable[[str], str] = _nobody,
        address_of: Callable[[str], str] = str,
    ) -> None:
        self._account_of = account_of
        self._address_of = address_of

    def encode(self, thing: dict[str, Any]) -> bytes:
        """An object as it is sent over the connection."""
        return encode(thing)

    def show(self, entry: Entry, by: By = By.OTHERS, *, replayed: bool = False) -> bytes:
        """The lines that a reader gets of an entry: one, but for a rush of joins or leaves.

        Args:
            entry: what stands in the log.
            by: whose act it is, as the reader sees it; what was asked for over this very
                connection carries the `ref` that it was asked for with.
            replayed: whether it comes from history, so that a bot does not act on it again.
        """
        thing = self.describe(entry, by, replayed=replayed)
        data = self.encode(thing)
        if isinstance(entry.event, (Join, Leave)):
            also = entry.event.also
            data += b"".join(self.encode(thing | {"from": nickname}) for nickname in also)
        return data

    def refusal(self, why: Refused, ref: str | None = None) -> bytes:
        """Why something is not done, with the `ref` of the request if it has one."""
        error: dict[str, Any] = {"event": "error", "code": why.code, "text": why.text}
        if ref is not None:
            error["ref"] = ref
        if why.wait is not None:
            error["wait"] = round(why.wait, 1)
        if why.until is not None:
            error["until"] = timestamp(why.until)
        return self.encode(error)

    def describe(
        self, entry: Entry, by: By = By.OTHERS, *, replayed: bool = False
    ) -> dict[str, Any]:
        """An entry as an object, with its author's account; the arguments are those of `show`."""
        thing = describe(entry, by, replayed=replayed)
        if type(entry.event) is File:
            thing.pop("url", None)
            if url := self._address_of(entry.event.url):
                thing["url"] = url
        account = self._account_of(entry.author) if entry.author else ""
        return thing | {"account": account} if account else thing

    def missed(self, room: str, count: int, *, kept: bool = False) -> bytes:
        """What a reader gets in the place of events; see `reader.Wire.missed`."""
        missed = {"event": "missed", "room": room, "count": count}
        return self.encode(missed | {"kept": True} if kept else missed)


def describe(
    entry: Entry, by: By = By.OTHERS, *, replayed: bool = False, private: bool = False
) -> dict[str, Any]:
    """An entry as an object; the other arguments are those of `StructuredWire.show`.

    Args:
        entry: what stands in the log.
        by: whose act it is, as the reader sees it.
        replayed: whether it comes from history.
        private: whether the object is kept, and never sent to anybody.
    """
    event = entry.event
    kind = OF[type(event)]
    thing: dict[str, Any] = {"event": kind.name}
    if entry.stored:
        thing["id"] = entry.id
    thing["time"] = timestamp(event.time)
    thing["room"] = event.room
    if event.sender:
        thing["from"] = event.sender
    for name in kind.fields:
        text = getattr(event, name)
        if text or name not in kind.optional:
            thing[name] = text
    for name in (*kind.numbers, *kind.values):
        thing[name] = getattr(event, name)
    for name in kind.times:
        time = getattr(event, name)
        if time is not None:
            thing[name] = timestamp(time)
    if private:
        thing |= {name: getattr(event, name) for name in kind.private}
    if by.is_here and entry.ref is not None:
        thing["ref"] = entry.ref
    if replayed:
        thing["replayed"] = True
    return thing


def understand(thing: dict[str, Any]) -> Entry | None:
    """The entry that `describe` made this object of; None if it is no event."""
    name = thing.get("event")
    kind = NAMED.get(name) if isinstance(name, str) else None
    if kind is None:
        return None
    event = kind.make(
        _seconds(thing["time"]),
        str(thing.get("room", OWN)),
        str(thing.get("from", "")),
        [
            *(str(thing.get(field, "")) for field in kind.fields),
            *(int(thing.get(field, 0)) for field in kind.numbers),
            *(thing.get(field) for field in kind.values),
            *(_seconds(thing[field]) if field in thing else None for field in kind.times),
        ],
    )
    return Entry(event, ref=thing.get("ref"), id=thing.get("id", 0))


def _seconds(time: Any) -> float:
    return datetime.fromisoformat(str(time)).timestamp()
