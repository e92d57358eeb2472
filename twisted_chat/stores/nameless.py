"""An event without the name of somebody who is to be forgotten."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from twisted_chat.events import (
    Ban,
    Entry,
    Event,
    Hands,
    Invite,
    Kick,
    Mute,
    Rename,
    RoleChange,
    Unban,
    Unmute,
)
from twisted_chat.events.effects import State, Value, effects

Replacements: TypeAlias = Mapping[str, tuple[Value, Any]]
"""What stood in a state, and what stands there instead, each by its name."""

NOBODY = "(deleted)"
"""What stands in the place of their name: nobody can have it."""


def nameless(entry: Entry, person: str) -> Event:
    """An event without somebody's name, whether it is their act or about them.

    Args:
        entry: the event, with whose act it is.
        person: their id.
    """
    names = dict(_names(entry, person))
    return replace(entry.event, **names) if names else entry.event


def _names(entry: Entry, person: str) -> Mapping[str, Any]:
    by = {"sender": NOBODY} if entry.author == person else {}
    match entry.event:
        case Rename() if by:
            return by | {"to": NOBODY}
        case RoleChange() | Kick() | Invite() as event if event.person == person:
            return by | {"to": NOBODY}
        case Mute(marks=marks) | Unmute(ends=marks) if f"mute/{person}" in marks:
            return by | {"to": NOBODY}
        case Ban(marks=marks) | Unban(ends=marks) if f"ban/person:{person}" in marks:
            return by | {"target": NOBODY}
        case Hands(people=people, persons=persons) if person in persons:
            pairs = zip(persons, people, strict=True)
            return by | {"people": [NOBODY if each == person else name for each, name in pairs]}
        case _:
            return by


def replacements(entry: Entry, changed: Event, state: State) -> Replacements:
    """What is another in the state of a log when one of its events has no name any more.

    Args:
        entry: the event as it was.
        changed: the event as it is now.
        state: the state, which later events may have changed.
    """
    after = effects(replace(entry, event=changed))
    return {
        name: (before, after[name])
        for name, before in effects(entry).items()
        if before is not None and state.get(name) == before != after[name]
    }


def left_in(state: State, person: str) -> Replacements:
    """What still has somebody's name in a state, since the event that put it there is forgotten.

    Args:
        state: the state.
        person: their id, which is in the names of what is about them.
    """
    about = [
        (name, value)
        for name, value in state.items()
        if isinstance(value, Mapping)
        and (name.endswith((f"/{person}", f":{person}")) or value.get("person") == person)
    ]
    meant = [(value.get("target"), value.get("at")) for _, value in about if "target" in value]
    about += [
        (name, value)
        for name, value in state.items()
        if isinstance(value, Mapping) and (value.get("target"), value.get("at")) in meant
    ]
    named = [(name, value, {"name", "target"} & {*value}) for name, value in about]
    return {
        name: (value, {**value, **dict.fromkeys(fields, NOBODY)})
        for name, value, fields in named
        if any(value[field] != NOBODY for field in fields)
    }


def also(first: dict[str, tuple[Value, Value]], then: Replacements) -> None:
    """Add what is replaced after something else was."""
    for name, (before, after) in then.items():
        first[name] = (first[name][0] if name in first else before, after)


def replace_in(state: dict[str, Value], replaced: Replacements) -> None:
    """Let a state be as it is without the name, but for what has changed meanwhile."""
    for name, (before, after) in replaced.items():
        if state.get(name) == before:
            state[name] = after
