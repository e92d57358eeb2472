"""How an entry becomes a row of a database, and a row the entry that it was."""

import json
from typing import Any, TypeAlias

from twisted_chat.events import Entry
from twisted_chat.events.codec import NAMED, OF, Kept, Kind
from twisted_chat.stores.unusable import Unusable

Row: TypeAlias = tuple[Any, ...]

COLUMNS = "id, time, kind, sender, recipient, text, author, ref, client, more"

_FIELDS = {(): slice(0), ("to",): slice(4, 5), ("text",): slice(5, 6), ("to", "text"): slice(4, 6)}
"""Where a row of `COLUMNS` has what an event holds that has no more than these fields."""


def to_row(log: int, entry: Entry, request: int | None = None) -> Row:
    """A stored entry as a row: the number of its log, `COLUMNS`, then its request's place.

    Args:
        log: the number of its log.
        entry: what is stored.
        request: the place, among all requests that have a `ref`, of the one that brought it.
    """
    event = entry.event
    kind = OF[type(event)]
    return (
        log,
        entry.id,
        event.time,
        kind.name,
        event.sender,
        getattr(event, "to", None),
        getattr(event, "text", None),
        entry.author,
        entry.ref,
        None if entry.client == entry.author else entry.client,
        None if kind.held in _FIELDS else _more(kind, event),
        request,
    )


def to_entry(room: str, row: Row) -> Entry:
    """A row, in the order of `COLUMNS`, as the entry that it was.

    Raises:
        Unusable: it is of a kind that is not known here.
    """
    number, time, name, sender, to, text, author, ref, client, more = row
    kind = NAMED.get(name)
    if kind is None or kind.kept is Kept.NOWHERE:
        raise Unusable(
            f"the database has an event of the kind {name!r}, which this program does not know: "
            "install a newer twisted-chat"
        )
    if more is None:
        held = row[_FIELDS[kind.fields]]
    else:
        known = {"to": to, "text": text} | json.loads(more)
        held = tuple(known[field] for field in kind.held)
    event = kind.make(time, room, sender, held)
    return Entry(event, author, ref, number, author if client is None else client)


def _more(kind: Kind, event: object) -> str:
    """What has no column of its own, so that a new kind needs none."""
    names = (name for name in kind.held if name not in ("to", "text"))
    return json.dumps({name: getattr(event, name) for name in names})
