"""What all servers share: each value holds at once where it is set, and the last one everywhere.

Last is what comes last in the one order of all servers. So whoever has set something, and has not
heard of it yet, need not look at what others set before it.
"""

from collections.abc import Collection, Iterator, Mapping
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


class Homes:
    """The servers that devices come to, as they were told of in the one order of all."""

    def __init__(self) -> None:
        self._of: dict[str, dict[str, tuple[int, int]]] = {}  # by person and device
        self._whose: dict[str, str] = {}  # the persons of devices

    def of(self, person_id: str) -> set[int]:
        """The numbers of those that somebody's devices come to."""
        return {node for _, node in self._of.get(person_id, {}).values()}

    def hear(self, name: str, value: Value) -> None:
        """Something is told."""
        if not name.startswith("device/"):
            return
        if value is None:
            whose = self._whose.pop(name, "")
            devices = self._of.get(whose, {})
            devices.pop(name, None)
            if not devices:
                self._of.pop(whose, None)
            return
        whose = self._whose[name] = value["person"]
        devices = self._of.setdefault(whose, {})
        devices[name] = max(devices.get(name, (0, 0)), (_taken(value), value["node"]))


class SharedValues:
    """The values, by their names: `person/ID`, `name/ID`, `in/ID/ROOM`, `device/ID`, `over/ID`.

    And `nameless/ID` for a while.
    """

    def __init__(self) -> None:
        self.nodes: Nodes | None = None
        """The servers; None if there is only this one."""
        self._known: dict[str, Value] = {}
        self._unheard: dict[str, tuple[Value, str]] = {}  # set here, not heard yet: about whom
        self._on_their_way: dict[str, int] = {}  # how often it was set here and not heard yet
        self._devices_of: dict[str, dict[str, None]] = {}  # by the person's id
        self._rooms_of: dict[str, dict[str, Value]] = {}  # the same
        self._homes = Homes()

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
            self._send(name, value)

    def _send(self, name: str, value: Value) -> None:
        if self.nodes is not None:
            self._on_their_way[name] = self._on_their_way.get(name, 0) + 1
            self.nodes.set(name, value)

    def _has_come_back(self, name: str) -> None:
        """Something that was set here has its place in the order."""
        left = self._on_their_way.pop(name, 0) - 1
        if left > 0:
            self._on_their_way[name] = left

    def hear(self, node: int, name: str, value: Value) -> Changed | Settled | None:
        """A server has set something; gives what follows from that."""
        is_own = self.nodes is not None and node == self.nodes.number
        if is_own:
            self._has_come_back(name)
        self._homes.hear(name, value)
        if self._is_outdated(name, value):
            return None
        if self._is_strange(node, name):
            self._insist(name)
            return None
        if name in self._unheard and (is_own or not self._is_newer(name, value)):
            if not is_own or name in self._on_their_way:
                return None
            last, person_id = self._unheard.pop(name)
            return Settled(name, last, person_id)
        if is_own:
            if value is not None and name not in self._known:
                self._send(name, None)  # another server had ended it before that was stored
            return None
        self._unheard.pop(name, None)
        return self._change(name, value)

    def homes_of(self, person_id: str) -> Collection[int]:
        """The numbers of the servers that somebody's devices come to, as all have heard by now."""
        return self._homes.of(person_id)

    def _is_strange(self, node: int, name: str) -> bool:
        """Whether another server has somebody enter or leave who comes here, and there no more."""
        kind, _, its_id = name.partition("/")
        if kind != "in" or self.nodes is None:
            return False
        homes = self._homes.of(its_id.partition("/")[0])
        return self.nodes.number in homes and node not in homes

    def _insist(self, name: str) -> None:
        """Set again what holds here, so that it comes last."""
        kept, person_id = self._known.get(name), name.split("/")[1]
        self._unheard[name] = kept, person_id
        self._send(name, kept)

    def hear_renamed(self, person_id: str, old: str, new: str) -> bool:
        """Another server has told that somebody has another nickname; gives whether that is so.

        The store has changed the value with that, so that both are known or none.
        """
        name = f"name/{person_id}"
        known = self._known.get(name) or {}
        if name in self._unheard or (known.get("nickname"), known.get("displaced")) != (old, False):
            return False  # something else comes last
        self._learn(name, {**known, "nickname": new})
        return True

    def catch_up(self, shared: Mapping[str, Value], kind: str) -> Iterator[Changed]:
        """All that is shared is known now: what has changed, but for what was set here since.

        Args:
            shared: everything that is set.
            kind: the beginning of the names that are looked at.
        """
        if kind == "device/":
            self._homes = Homes()
            for name, value in shared.items():
                self._homes.hear(name, value)
        for name in [*shared, *(each for each in self._known if each not in shared)]:
            value = shared.get(name)
            if not name.startswith(kind) or value == self._known.get(name):
                continue
            if name not in self._unheard or self._is_newer(name, value):
                self._unheard.pop(name, None)
                yield self._change(name, value)

    def _change(self, name: str, value: Value) -> Changed:
        before = self._known.get(name)
        self._learn(name, value)
        return Changed(name, value, before)

    def _is_newer(self, name: str, value: Value) -> bool:
        """Whether another server says that a device comes to it now, whatever was set here."""
        known = self._known.get(name)
        return bool(known and value and _taken(value) > _taken(known))

    def _is_outdated(self, name: str, value: Value) -> bool:
        """Whether this was set by a server that did not know yet that a device goes elsewhere.

        Then it is not stored either, see `Nodes.set`.
        """
        known = self._known.get(name)
        return bool(known and value and _taken(value) < _taken(known))

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


def _taken(value: Mapping[str, Any]) -> int:
    """Of two servers that say that a device comes to them, it has come to the greater one later."""
    return int(value.get("taken", 0))
