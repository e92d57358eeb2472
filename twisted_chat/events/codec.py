"""How events are encoded: one entry for each kind, used for rows, structured lines and exports."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any

from twisted_chat import events
from twisted_chat.events import Event


class Kept(Enum):
    """Where events of a kind are kept."""

    IN_ROOMS = "in the logs of rooms, and in exports"
    IN_OWN_LOGS = "in people's own logs: for nobody else"
    IN_THE_SERVERS_LOG = "in the server's own log: for administrators, and in no export"
    NOWHERE = "nowhere: they are told, or made for one reader"


@dataclass(frozen=True)
class Kind:
    """How events of one kind are written.

    Args:
        name: what it is called in structured lines and in a database.
        event: what it is called here.
        kept: where such events are kept.
        fields: the texts that one holds beside its room and sender, in their order.
        optional: those of them that are left out of structured lines where they are empty.
        facts: those of them that are nobody's own words, and stay when these are erased.
        numbers: whole numbers that it holds, behind the texts.
        values: what else it holds, behind these, that can be written as JSON.
        times: points in time, in seconds since 1970; None, which is not told, where there is none.
        private: what is kept and exported, and never told: ids and addresses.
    """

    name: str
    event: type[Event]
    kept: Kept
    fields: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    times: tuple[str, ...] = ()
    private: tuple[str, ...] = ()

    @cached_property
    def held(self) -> tuple[str, ...]:
        """All that an event holds beside its time, room and sender."""
        return (*self.fields, *self.numbers, *self.values, *self.times, *self.private)

    def make(self, time: float, room: str, sender: str, held: Iterable[Any]) -> Event:
        """An event of this kind.

        Args:
            time: when it happened, in seconds since 1970.
            room: where.
            sender: through whom.
            held: the rest of it, in the order of `held`; what is private may be left out.
        """
        event: Callable[..., Event] = self.event
        rest = (tuple(each) if isinstance(each, list) else each for each in held)
        return event(time, room, sender, *rest)


_WHY = ("reason",)  # may be empty

KINDS = (
    Kind("message", events.Message, Kept.IN_ROOMS, ("text",)),
    Kind("action", events.Action, Kept.IN_ROOMS, ("text",)),
    Kind("topic", events.Topic, Kept.IN_ROOMS, ("text",)),
    Kind("rename", events.Rename, Kept.IN_ROOMS, ("to",)),
    Kind(
        "file",
        events.File,
        Kept.IN_ROOMS,
        ("name", "type", "url"),
        ("url",),  # gone with the file
        numbers=("size",),
        facts=("type",),
        times=("until",),
        private=("digest", "person", "owner", "ends"),
    ),
    Kind("delete", events.Delete, Kept.IN_ROOMS, ("name",), numbers=("of",), private=("ends",)),
    Kind(
        "role",
        events.RoleChange,
        Kept.IN_ROOMS,
        ("to", "role"),
        facts=("to", "role"),
        private=("person", "has_account", "ends"),
    ),
    Kind(
        "kick",
        events.Kick,
        Kept.IN_ROOMS,
        ("to", "reason"),
        _WHY,
        facts=("to",),
        private=("person", "ends"),
    ),
    Kind(
        "ban",
        events.Ban,
        Kept.IN_ROOMS,
        ("target", "reason"),
        _WHY,
        facts=("target",),
        times=("until",),
        private=("marks", "ends"),
    ),
    Kind("unban", events.Unban, Kept.IN_ROOMS, ("target",), facts=("target",), private=("ends",)),
    Kind(
        "mute",
        events.Mute,
        Kept.IN_ROOMS,
        ("to", "reason"),
        _WHY,
        facts=("to",),
        times=("until",),
        private=("marks", "ends"),
    ),
    Kind("unmute", events.Unmute, Kept.IN_ROOMS, ("to",), facts=("to",), private=("ends",)),
    Kind(
        "invite", events.Invite, Kept.IN_ROOMS, ("to",), facts=("to",), private=("person", "ends")
    ),
    Kind(
        "setting",
        events.Setting,
        Kept.IN_ROOMS,
        ("setting", "value"),
        facts=("setting", "value"),
        private=("state",),
    ),
    Kind("close", events.Close, Kept.IN_ROOMS, ("reason",)),
    Kind(
        "hands",
        events.Hands,
        Kept.IN_ROOMS,
        ("what",),
        facts=("what", "people"),
        values=("people",),
        private=("persons", "ends"),
    ),
    Kind("whisper", events.Whisper, Kept.IN_OWN_LOGS, ("to", "text")),
    Kind(
        "act",
        events.Act,
        Kept.IN_THE_SERVERS_LOG,
        ("act", "text"),
        optional=("text",),
        facts=("act",),
        private=("changes",),
    ),
    Kind("join", events.Join, Kept.NOWHERE),
    Kind("leave", events.Leave, Kept.NOWHERE, ("reason",), optional=("reason",)),
    Kind("away", events.Away, Kept.NOWHERE, ("text",)),
    Kind("notice", events.Notice, Kept.NOWHERE, ("text",)),
    Kind("hidden", events.Hidden, Kept.NOWHERE),
)

OF: dict[type[Event], Kind] = {kind.event: kind for kind in KINDS}
NAMED: dict[str, Kind] = {kind.name: kind for kind in KINDS}
