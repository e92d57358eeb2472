"""State follows the log: what an event changes for good is written here, and nowhere else.

A log's state is a small mapping of names to values that can be written as JSON. Stores keep it in
the transaction that stores the event, the chat changes it when the event may be seen: so a
restart, an import and another node come to the same.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

from twisted_chat.events import (
    Act,
    Ban,
    Close,
    Delete,
    Entry,
    Event,
    File,
    Hands,
    Invite,
    Kick,
    Mute,
    RoleChange,
    Setting,
    Topic,
    Unban,
    Unmute,
)

Value: TypeAlias = str | int | float | bool | Sequence[Any] | Mapping[str, Any]
State: TypeAlias = Mapping[str, Value]
Changes: TypeAlias = Mapping[str, Value | None]
"""New values by their names; None deletes."""

_FILE = re.compile(r"/file/([A-Za-z0-9_-]{22})(?:/|$)")

DO = "do/"
"""How the names of what all servers do begin, which is no state."""

_NONE: Changes = MappingProxyType({})


def _topic(event: Topic, number: int) -> Changes:
    return {"topic": event.text or None}


def file_key(url: str) -> str:
    """The part of a file's path or address that nobody can guess; empty if there is none."""
    found = _FILE.search(url)
    return found[1] if found else ""


def _file(event: File, number: int) -> Changes:
    key = file_key(event.url)
    if not key:  # what it was has been erased
        return _end(event.ends)
    return _end(event.ends) | {
        f"file/{key}": {
            "id": number,
            "name": event.name,
            "type": event.type,
            "size": event.size,
            "until": event.until,
            "digest": event.digest,
            "person": event.person,
            "owner": event.owner,
            "by": event.sender,
        }
    }


def _hands(event: Hands, number: int) -> Changes:
    ended = _end(event.ends)
    if event.what == "next":
        return ended | {"word": {"name": event.people[0], "person": event.persons[0]}}
    if event.what != "raised":
        return ended
    raised = enumerate(zip(event.persons, event.people, strict=False))
    return ended | {
        f"hand/{person}": {"name": name, "at": [number, place]} for place, (person, name) in raised
    }


def _act(event: Act, number: int) -> Changes:
    return {
        name: value | {"why": event.text} if isinstance(value, dict) else value
        for name, value in event.changes.items()
        if not name.startswith(DO)
    }


def _role(event: RoleChange, number: int) -> Changes:
    role = {"name": event.to, "role": event.role, "has_account": event.has_account}
    return _end(event.ends) | {f"role/{event.person}": role if event.role != "member" else None}


def _kick(event: Kick, number: int) -> Changes:
    return _end(event.ends) | {f"kicked/{event.person}": number}


def _ban(event: Ban, number: int) -> Changes:
    return _end(event.ends) | dict.fromkeys(event.marks, _sentence(event.target, event))


def _mute(event: Mute, number: int) -> Changes:
    return _end(event.ends) | dict.fromkeys(event.marks, _sentence(event.to, event))


def _sentence(target: str, event: Ban | Mute) -> Value:
    return {
        "target": target,
        "by": event.sender,
        "why": event.reason,
        "until": event.until,
        "at": event.time,
    }


def _over(event: Unban | Unmute | Delete, number: int) -> Changes:
    return _end(event.ends)


def _invite(event: Invite, number: int) -> Changes:
    invite = {"name": event.to, "by": event.sender, "at": event.time}
    return _end(event.ends) | {f"invite/{event.person}": invite}


def _setting(event: Setting, number: int) -> Changes:
    return {event.setting: event.state}


def _close(event: Close, number: int) -> Changes:
    return {"lock": {"closed": event.reason, "by": event.sender}}


def _end(names: Sequence[str]) -> dict[str, Value | None]:
    return dict.fromkeys(names)


EFFECTS: dict[type[Event], Callable[[Any, int], Changes]] = {
    Topic: _topic,
    File: _file,
    Delete: _over,
    RoleChange: _role,
    Kick: _kick,
    Ban: _ban,
    Unban: _over,
    Mute: _mute,
    Unmute: _over,
    Invite: _invite,
    Setting: _setting,
    Close: _close,
    Hands: _hands,
    Act: _act,
}
"""What the kinds of events change that change anything, by the event and its number in the log.

Only stored ones do.
"""


def effects(entry: Entry) -> Changes:
    """What an event changes in the state of its log."""
    effect = EFFECTS.get(type(entry.event))
    return _NONE if effect is None else effect(entry.event, entry.id)


def apply(entry: Entry, state: dict[str, Value]) -> None:
    """Change a log's state as an event says."""
    for name, value in effects(entry).items():
        if value is None:
            state.pop(name, None)
        else:
            state[name] = value
