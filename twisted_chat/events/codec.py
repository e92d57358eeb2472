"""How events are encoded: one entry for each kind, used for rows, structured lines and exports."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from twisted_chat import events
from twisted_chat.events import Event


class Kept(Enum):
    """Where events of a kind are kept."""

    IN_ROOMS = "in the logs of rooms, and in exports"
    IN_OWN_LOGS = "in people's own logs: for nobody else"
    IN_THE_SERVERS_LOG = "in the server's own log: for administrators, and in no export"
    NOWHERE = "nowhere: they are told, or made for one reader"


@dataclass(frozen=True, slots=True)
class Kind:
    """How events of one kind are written.

    Args:
        name: what it is called in structured lines and in a database.
        event: what it is called here.
        kept: where such events are kept.
        fields: the texts that one holds beside its room and sender, in their order.
        optional: those of them that are left out of structured lines where they are empty.
        values: what else it holds, behind the texts, that can be written as JSON.
    """

    name: str
    event: type[Event]
    kept: Kept
    fields: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    values: tuple[str, ...] = ()

    def make(self, time: float, room: str, sender: str, held: Iterable[Any]) -> Event:
        """An event of this kind.

        Args:
            time: when it happened, in seconds since 1970.
            room: where.
            sender: through whom.
            held: its texts and values, in their order.
        """
        event: Callable[..., Event] = self.event
        return event(time, room, sender, *held)


KINDS = (
    Kind("message", events.Message, Kept.IN_ROOMS, ("text",)),
    Kind("action", events.Action, Kept.IN_ROOMS, ("text",)),
    Kind("topic", events.Topic, Kept.IN_ROOMS, ("text",)),
    Kind("rename", events.Rename, Kept.IN_ROOMS, ("to",)),
    Kind("whisper", events.Whisper, Kept.IN_OWN_LOGS, ("to", "text")),
    Kind(
        "act",
        events.Act,
        Kept.IN_THE_SERVERS_LOG,
        ("act", "text"),
        optional=("text",),
        values=("changes",),
    ),
    Kind("join", events.Join, Kept.NOWHERE),
    Kind("leave", events.Leave, Kept.NOWHERE, ("reason",), optional=("reason",)),
    Kind("away", events.Away, Kept.NOWHERE, ("text",)),
    Kind("notice", events.Notice, Kept.NOWHERE, ("text",)),
    Kind("hidden", events.Hidden, Kept.NOWHERE),
)

OF: dict[type[Event], Kind] = {kind.event: kind for kind in KINDS}
NAMED: dict[str, Kind] = {kind.name: kind for kind in KINDS}
