"""What an account keeps of its owner while they are not here: rooms, whom they ignore, and more."""

from collections.abc import Mapping
from typing import Any

from twisted_chat.chat.person import Person
from twisted_chat.events import OWN
from twisted_chat.limits import Limits


def settings_of(person: Person, rooms: Mapping[str, int]) -> dict[str, Any]:
    """What is to be kept of somebody.

    Args:
        person: who.
        rooms: those that they are in, by name; the numbers are those from when they entered.
    """
    return {
        "rooms": dict(rooms),
        "away": person.away,
        "ignored": [list(each) for each in person.ignored.values()],
        "bell": person.bell,
        "read": person.read,
        "marks": {
            room: number
            for room, number in person.read_marks.items()
            if room in person.rooms or room == OWN
        },
    }


def rooms_in(settings: Mapping[str, Any], limits: Limits) -> dict[str, int]:
    """The rooms that somebody was in, and when they entered; settings may be from anywhere."""
    rooms = settings.get("rooms")
    if not isinstance(rooms, dict):
        return {}
    known = {str(name): number for name, number in rooms.items() if _is_number(number)}
    return dict(list(known.items())[: limits.rooms_per_person])


def apply(settings: Mapping[str, Any], person: Person, limits: Limits) -> None:
    """Let somebody be as they were, except for their rooms; settings may be from anywhere."""
    away, ignored = settings.get("away"), settings.get("ignored")
    person.away = away if isinstance(away, str) else None
    for each in ignored[: limits.ignored_people] if isinstance(ignored, list) else ():
        match each:
            case [str(nickname), str(other_id)]:
                person.ignore(nickname, other_id)
    person.bell = str(settings.get("bell", person.bell))
    if _is_number(settings.get("read")):
        person.read = settings["read"]
    marks = settings.get("marks")
    if isinstance(marks, dict):
        known = [(str(room), number) for room, number in marks.items() if _is_number(number)]
        person.marks = dict(known[: limits.rooms_per_person + 1])


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
