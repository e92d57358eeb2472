"""What servers tell each other of a group, in pieces that a notification has room for."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from twisted_chat.events import Entry, Event
from twisted_chat.events.codec import NAMED, OF, Kept
from twisted_chat.stores.nodes import Value
from twisted_chat.stores.rows import Row, to_entry

PIECE = 6_800
"""Bytes of a piece: a notification has fewer than 8,000, with what the database adds."""

BETWEEN = "\x1f"
"""What stands between pieces on their way to the database: JSON never has it."""

Heard = tuple[str, str, list[Entry]]
"""A log's name, the name under which its readers know it, and what comes next there."""


@dataclass(frozen=True)
class News:
    """What a server tells of a group of its own.

    Args:
        node: the server's number.
        group: the group's.
        gone: numbers of servers that are gone, each with that of its heir.
        words: names and values that were set or told, in their order.
        logs: what comes next in the logs.
    """

    node: int
    group: int
    gone: Sequence[tuple[int, int]] = ()
    words: Sequence[tuple[str, Value]] = ()
    logs: Sequence[Heard] = ()


# Writing


def told_only(place: int, at: int, entry: Entry) -> Mapping[str, Any]:
    """An entry that is only told, as `write` wants it.

    Args:
        place: of its log among the logs.
        at: how many stored entries of the group are before it.
        entry: what is told.
    """
    event = entry.event
    return {
        "log": place,
        "at": at,
        "kind": OF[type(event)].name,
        "event": {field.name: getattr(event, field.name) for field in fields(event)},
        "author": entry.author,
        "ref": entry.ref,
        "client": entry.client,
    }


def write(
    logs: Sequence[tuple[str, str]],
    words: Sequence[tuple[str, Value]],
    told: Sequence[Mapping[str, Any]],
    stored: Sequence[Row],
) -> str:
    """A group's news, with `BETWEEN` between its pieces.

    Args:
        logs: by its place, each log's name, and the one under which its readers know it.
        words: what was set or told, and to which value.
        told: entries that are only told.
        stored: rows of entries; each begins with the place of its log, and its number counted
            from the last one before the group.
    """
    news = {"logs": logs, "words": words, "told": told, "stored": stored}
    return BETWEEN.join(_pieces(json.dumps(news, ensure_ascii=False).encode()))


def _pieces(text: bytes) -> Iterator[str]:
    start = 0
    while start < len(text):
        end = min(start + PIECE, len(text))
        while end < len(text) and text[end] & 0xC0 == 0x80:  # in the middle of a character
            end -= 1
        yield text[start:end].decode()
        start = end


# Reading


class Reader:
    """Puts pieces together again.

    The database delivers each once. A piece that came twice all the same would be left out.

    Args:
        node: the number of this server, whose own news say only when it is their turn.
    """

    def __init__(self, node: int) -> None:
        self._node = node
        self._pieces: list[str] = []
        self._group = ""  # the sender and the number of the one that is read
        self._last: dict[str, str] = {}  # by sender, the number of the last one that was read

    def read(self, notification: str) -> News | None:
        """One more piece; gives what is told if it was the last."""
        head, _, piece = notification.partition("\n")
        node, group, nth, rest = head.split(" ")[:4]
        if nth == "0" and self._group != f"{node} {group}":
            self._group, self._pieces = f"{node} {group}", []
        if int(nth) != len(self._pieces) or self._last.get(node) == group:
            return None
        self._pieces.append(piece)
        if rest != "end":
            return None
        self._group, self._last[node] = "", group
        if int(node) == self._node:
            return News(int(node), int(group))
        head, _, text = "".join(self._pieces).partition("\n")
        return _understand(int(node), int(group), json.loads(head), json.loads(text))


def _understand(node: int, group: int, head: Any, told: Any) -> News:
    names = told.get("logs", ())
    logs: dict[int, list[Entry]] = {}
    for place, entry in _entries(head.get("bases") or {}, told, names):
        logs.setdefault(place, []).append(entry)
    return News(
        node,
        group,
        [(gone, heir) for gone, heir in head.get("gone") or ()],
        [(name, value) for name, value in told.get("words", ())],
        [(*names[place][:2], entries) for place, entries in logs.items()],
    )


def _entries(
    bases: Mapping[str, Any], told: Any, names: Sequence[Sequence[str]]
) -> Iterable[tuple[int, Entry]]:
    """What is stored and what is only told, in its order; what is not known here is left out."""
    waiting = list(told.get("told", ()))
    for at, (place, *row) in enumerate(told.get("stored", ())):
        while waiting and waiting[0]["at"] <= at:
            yield from _only_told(waiting.pop(0))
        base = bases.get(str(place))
        if base is not None and row[2] in NAMED:
            entry = to_entry(names[place][1], tuple(row))
            entry.id += base[1]
            yield place, entry
    for each in waiting:
        yield from _only_told(each)


def _only_told(told: Mapping[str, Any]) -> Iterable[tuple[int, Entry]]:
    kind = NAMED.get(told["kind"])
    if kind is None or kind.kept is not Kept.NOWHERE:
        return
    known = {field.name for field in fields(kind.event)}
    held = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in told["event"].items()
        if name in known
    }
    make: Callable[..., Event] = kind.event
    yield told["log"], Entry(make(**held), told["author"], told["ref"], client=told["client"])
