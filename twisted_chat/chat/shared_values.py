"""What all servers share: each value holds at once where it is set, and the last one everywhere.

Last is what comes last in the one order of all servers. So whoever has set something, and has not
heard of it yet, need not look at what others set before it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from twisted_chat.stores.nodes import Nodes, Value


@dataclass(frozen=True)
class Changed:
    """Another server has set something that holds now.

    Args:
        name: what it is about.
        value: what it is; None if it is no more.
        before: what it was.
    """

    name: str
    value: Value
    before: Value


@dataclass(frozen=True)
class Settled:
    """All servers know the last of what was set here.

    Args:
        name: what it is about.
        value: what it is.
        person: the id of whom it is about.
    """

    name: str
    value: Value
    person: str


class SharedValues:
    """The values, by their names: `person/ID`, `name/ID`, `in/ID/ROOM`, `device/ID`, `over/ID`.

    And `nameless/ID` for a while.
    """

    def __init__(self) -> None:
        self.nodes: Nodes | None = None
        """The servers; None if there is only this one."""
        self._known: dict[str, Value] = {}
        self._unheard: dict[str, tuple[Value, str]] = {}  # set here, not heard yet: about whom
        self._devices_of: dict[str, dict[str, None]] = {}  # by the person's id
        self._rooms_of: dict[str, dict[str, Value]] = {}  # the same

    def __contains__(self, name: str) -> bool:
        """Whether something is set."""
        return name in self._known

    def get(self, name: str) -> Value:
        """What something is; None if it is not set."""
        return self._known.get(name)

    def devices_of(self, person_id: str) -> list[str]:
        """The ids of somebody's devices."""
        return list(self._devices_of.get(person_id, ()))

    def rooms_of(self, person_id: str) -> dict[str, Value]:
        """What is known of somebody's being in rooms, by the room's key."""
        return dict(self._rooms_of.get(person_id, {}))

    def people(self) -> set[str]:
        """The ids of all of whom anything is known."""
        named = (name.split("/", 1) for name in self._known)
        of_people = {its_id for kind, its_id in named if kind in ("name", "person")}
        return of_people | self._devices_of.keys() | self._rooms_of.keys()

    def set(self, name: str, value: Value, person_id: str) -> None:
        """Set something about somebody, if it is not so already; None ends it."""
        if self.nodes is not None and self._known.get(name) != value:
            self._learn(name, value)
            self._unheard[name] = value, person_id
            self.nodes.set(name, value)

    def hear(self, node: int, name: str, value: Value) -> Changed | Settled | None:
        """A server has set something; gives what follows from that."""
        is_own = self.nodes is not None and node == self.nodes.number
        if not is_own and self._is_outdated(name, value):
            known = self._known[name]
            self._learn(name, None)
            self.set(name, known, known["person"])  # again, so that it comes last
            return None
        if name in self._unheard and (is_own or not self._has_moved(name, value)):
            last, person_id = self._unheard[name]
            if not is_own or last != value:
                return None
            del self._unheard[name]
            return Settled(name, value, person_id)
        if is_own:
            if value is not None and name not in self._known and self.nodes is not None:
                self.nodes.set(name, None)  # another server had ended it before that was stored
            return None
        self._unheard.pop(name, None)
        return self._change(name, value)

    def catch_up(self, shared: Mapping[str, Value], kind: str) -> Iterator[Changed]:
        """All that is shared is known now: what has changed, but for what was set here since.

        Args:
            shared: everything that is set.
            kind: the beginning of the names that are looked at.
        """
        for name in [*shared, *(each for each in self._known if each not in shared)]:
            is_meant = name.startswith(kind) and name not in self._unheard
            if is_meant and shared.get(name) != self._known.get(name):
                yield self._change(name, shared.get(name))

    def _change(self, name: str, value: Value) -> Changed:
        before = self._known.get(name)
        self._learn(name, value)
        return Changed(name, value, before)

    def _has_moved(self, name: str, value: Value) -> bool:
        """Whether another server says that a device comes to it now, whatever was set here."""
        known = self._known.get(name)
        return bool(known and value and _came(value) > _came(known))

    def _is_outdated(self, name: str, value: Value) -> bool:
        """Whether another server does not know yet that a device comes to this one."""
        known = self._known.get(name) or {}
        is_ours = self.nodes is not None and known.get("node") == self.nodes.number
        return bool(is_ours and value and _came(value) < _came(known))

    def _learn(self, name: str, value: Value) -> None:
        kind, _, device_id = name.partition("/")
        if kind == "in":
            whose, _, key = device_id.partition("/")
            rooms = self._rooms_of.setdefault(whose, {})
            if value is None:
                rooms.pop(key, None)
            else:
                rooms[key] = value
            if not rooms:
                del self._rooms_of[whose]
        if kind == "device":
            whose = (value or self._known.get(name) or {}).get("person", "")
            devices = self._devices_of.setdefault(whose, {})
            if value is None:
                devices.pop(device_id, None)
            else:
                devices[device_id] = None
            if not devices:
                del self._devices_of[whose]
        if value is None:
            self._known.pop(name, None)
        else:
            self._known[name] = value


def _came(value: Mapping[str, Any]) -> tuple[int, int]:
    """Which of two servers a device comes to: of those to which it came at once, the newer one."""
    return value.get("moves", 0), value.get("node", 0)
