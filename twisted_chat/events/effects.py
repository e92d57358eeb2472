"""State follows the log: what an event changes for good is written here, and nowhere else.

A log's state is a small mapping of names to values that can be written as JSON. Stores keep it in
the transaction that stores the event, the chat changes it when the event may be seen: so a
restart, an import and another node come to the same.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

from twisted_chat.events import Act, Event, Topic

Value: TypeAlias = str | int | float | bool | Sequence[Any] | Mapping[str, Any]
State: TypeAlias = Mapping[str, Value]
Changes: TypeAlias = Mapping[str, Value | None]
"""New values by their names; None deletes."""

_NONE: Changes = MappingProxyType({})


def _topic(event: Topic) -> Changes:
    return {"topic": event.text or None}


def _act(event: Act) -> Changes:
    return {
        name: value | {"why": event.text} if isinstance(value, dict) else value
        for name, value in event.changes.items()
    }


EFFECTS: dict[type[Event], Callable[[Any], Changes]] = {Topic: _topic, Act: _act}
"""What the kinds of events change that change anything; only stored ones do."""


def effects(event: Event) -> Changes:
    """What an event changes in the state of its log."""
    effect = EFFECTS.get(type(event))
    return _NONE if effect is None else effect(event)


def apply(event: Event, state: dict[str, Value]) -> None:
    """Change a log's state as an event says."""
    for name, value in effects(event).items():
        if value is None:
            state.pop(name, None)
        else:
            state[name] = value
