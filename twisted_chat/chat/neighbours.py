"""Several servers are one chat: each knows who is at the others, and they agree on it.

What is known of a person, and of each of their devices, is a value that all servers share. Who
changes something sets it, and it holds at once here; what comes last in the one order of all
servers holds everywhere. A server acts for the devices that come to it, and tells the others what
follows from that.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_chat.chat.administration import Administration
from twisted_chat.chat.decisions import Decisions
from twisted_chat.chat.device import Device
from twisted_chat.chat.known_elsewhere import (
    device_value,
    learn_device,
    learn_person,
    make_device,
    make_person,
    name_value,
    person_value,
)
from twisted_chat.chat.own_account import OwnAccount
from twisted_chat.chat.person import Person, Whisperer
from twisted_chat.chat.room import Room
from twisted_chat.events import OWN, Action, Entry, Join, Leave, Message, Rename, Whisper
from twisted_chat.refusal import Refused
from twisted_chat.stores.account import Account
from twisted_chat.stores.nodes import Nodes, Value
from twisted_chat.stores.records import account_row, to_account, to_session
from twisted_chat.text import names

_log = Logger(namespace="chat")

_TOLD = 3.0
"""Seconds after which all is told of who comes and goes, even if many do; see `presence`."""

_PRESENCE = (Join, Leave, Rename)
"""Events that tell who is in a room, and what they are called."""


class Neighbours(Administration, OwnAccount, Decisions):
    """People at other servers; the arguments are those of `Chat`."""

    def __init__(self, clock: IReactorTime, *arguments: Any, **named: Any) -> None:
        self._shared: dict[str, Value] = {}  # what all servers share, as far as it is known here
        self._unheard: dict[str, tuple[Value, str]] = {}  # set here, not heard yet: about whom
        self._to_open: dict[str, dict[str, int]] = {}  # people's rooms that are being opened here
        self._left: dict[str, set[str]] = {}  # rooms that people have left, by their ids
        self._devices_of: dict[str, dict[str, None]] = {}  # by the person's id
        self._early: list[Callable[[], None]] | None = []  # heard before the chat has begun
        self._look: IDelayedCall | None = None  # for who is told to be here, and is not
        self._nodes: Nodes | None = None
        super().__init__(clock, *arguments, **named)

    async def _meet(self, nodes: Nodes) -> bool:
        """Hear of the other servers; gives whether there are any."""
        self._nodes = nodes
        self.accounts.changed = self._account_changed
        self.people.lost = self._has_lost
        shared = await nodes.join(self)
        if shared is None:
            return False
        await self._load_again()
        self._all_is_now(shared)
        return True

    def _begin(self) -> None:
        """Everything is here that there was: what was heard meanwhile follows."""
        early, self._early = self._early or [], None
        for call in early:
            call()

    # What this server tells

    def publish(self, person: Person) -> None:
        """See `Membership.publish`."""
        if self._nodes is None or self.is_stopping:
            return
        is_here = self.people.with_id(person.id) is person
        known = [*self._devices_of.get(person.id, ())]
        for device in person.devices.values() if is_here else ():
            if device.is_here:
                value = device_value(person, device, self._nodes.number)
                self._set(f"device/{device.id}", value, person.id)
        for device_id in known:
            if not is_here or device_id not in person.devices:
                self._has_no_device(person.id, device_id)
        self._set(f"name/{person.id}", name_value(person) if is_here else None, person.id)
        name = f"person/{person.id}"
        rooms = {**self._rooms_of(person), **self._to_open.get(person.id, {})}
        now = person_value(person, rooms) if is_here else None
        left = _rooms_in(self._shared.get(name)) - (set() if person.displaced else _rooms_in(now))
        if left:
            self._left.setdefault(person.id, set()).update(left)
        self._set(name, now, person.id)

    def _has_no_device(self, person_id: str, device_id: str) -> None:
        for name in (f"device/{device_id}", f"over/{device_id}"):
            self._set(name, None, person_id)

    def _set(self, name: str, value: Value, person_id: str) -> None:
        if self._nodes is not None and self._shared.get(name) != value:
            self._learn(name, value)
            self._unheard[name] = value, person_id
            self._nodes.set(name, value)

    def _learn(self, name: str, value: Value) -> None:
        """Remember what is shared, and of which person each device is."""
        kind, _, device_id = name.partition("/")
        if kind == "device":
            whose = (value or self._shared.get(name) or {}).get("person", "")
            devices = self._devices_of.setdefault(whose, {})
            if value is None:
                devices.pop(device_id, None)
            else:
                devices[device_id] = None
                self._is_awake(whose, device_id)
            if not devices:
                del self._devices_of[whose]
        if value is None:
            self._shared.pop(name, None)
        else:
            self._shared[name] = value

    def tell_others(self, name: str, value: Value) -> None:
        """See `Membership.tell_others`."""
        if self._nodes is not None:
            self._nodes.tell(name, value)

    def everywhere(self, what: str, value: Value) -> None:
        """See `Membership.everywhere`."""
        if self._nodes is None:
            super().everywhere(what, value)
        else:
            self._nodes.tell(f"do {what}", value)

    def is_ours(self, person: Person) -> bool:
        """See `Membership.is_ours`: of the servers that somebody comes to, the first one acts."""
        if self._nodes is None:
            return True
        own = self._nodes.number
        return own == min((device.node or own for device in person.devices.values()), default=own)

    def _account_changed(self, account_id: str, account: Account | None) -> None:
        row = None if account is None else list(account_row(account))
        self.tell_others("account", [account_id, row])

    # What the servers tell, see `Hearer`

    def heard(self, node: int, name: str, value: Value) -> None:
        """See `Hearer.heard`."""
        if self._early is not None:
            self._early.append(partial(self.heard, node, name, value))
            return
        is_own = self._nodes is not None and node == self._nodes.number
        if name.startswith("do "):
            self.do(name.removeprefix("do "), value)
        elif "/" not in name:
            if not is_own:
                self.is_told(name, value)
        elif not is_own and self._is_outdated(name, value):
            known = self._learn_anew(name)
            self._set(name, known, known["person"])
        elif name in self._unheard and (is_own or not self._has_moved(name, value)):
            last, person_id = self._unheard[name]
            if is_own and last == value:
                del self._unheard[name]
                self._is_settled(person_id)
                if value is not None and name.startswith("over/"):
                    self._is_over(name.removeprefix("over/"), value)
        elif not is_own:
            self._unheard.pop(name, None)
            self._is_now(name, value)

    def _has_moved(self, name: str, value: Value) -> bool:
        """Whether another server says that a device comes to it now, whatever was set here."""
        known = self._shared.get(name)
        return bool(known and value and value.get("moves", 0) > known.get("moves", 0))

    def _is_outdated(self, name: str, value: Value) -> bool:
        """Whether another server does not know yet that a device comes to this one."""
        known = self._shared.get(name) or {}
        is_ours = self._nodes is not None and known.get("node") == self._nodes.number
        return bool(is_ours and value and value.get("moves", 0) < known["moves"])

    def _learn_anew(self, name: str) -> Value:
        """What is known of a device that comes here, as if it had not been set."""
        known = self._shared[name]
        self._learn(name, None)
        return known

    def gone(self, node: int, heir: int) -> None:
        """See `Hearer.gone`."""
        if self._early is not None:
            self._early.append(partial(self.gone, node, heir))
            return
        is_heir = self._nodes is not None and heir == self._nodes.number
        for person in [*self.people, *self.people.displaced]:
            theirs = [each for each in person.devices.values() if each.node == node]
            for device in theirs:
                self._is_lost(person, device, 0 if is_heir else heir)
            if theirs and is_heir and person.present:
                self.publish(person)
            if theirs:
                self._acts_for(person)
        if is_heir:
            self.people.inherit_from(node)
            self.clock.callLater(_TOLD, self._look_for_ghosts)

    def _is_lost(self, person: Person, device: Device, heir: int) -> None:
        """The server of a device is gone, with its connection."""
        device.node, device.is_connected_elsewhere = heir, False
        if device.is_here and device.may_resume:
            self._wait_for(person, device)
        elif device.is_here:
            self.quit(person, device, "connection lost")

    def asked_for(self, log: str, room: str) -> None:
        """See `Hearer.asked_for`: somebody who is here has had no log of their own until now."""
        person = self.people.with_id(log.removeprefix("@")) if room == OWN else None
        if person is not None and any(device.is_here for device in person.devices.values()):
            self.log_of(person)

    def missed(self, shared: Mapping[str, Value], nodes: Sequence[int]) -> None:
        """See `Hearer.missed`."""
        if self._early is not None:
            self._early.append(partial(self.missed, shared, nodes))
            return
        self._all_is_now(shared)
        known = {device.node for person in self.people for device in person.devices.values()}
        for node in known - {0, *nodes}:  # whoever hears of it too lets go again
            self.gone(node, self._nodes.number if self._nodes else 0)
        for room in self.rooms.values():
            self._has_missed(room)
        self._read_again()

    def _read_again(self) -> None:
        """Find out what has become of accounts and devices that are asleep."""
        again = Deferred.fromCoroutine(self._load_again())
        again.addErrback(
            lambda failure: _log.warn("Reading again failed: {why}", why=failure.value)
        )

    async def _load_again(self) -> None:
        await self.accounts.load_again()
        before = self.asleep.stored()
        kept = {each.id: each for each in await self._store.saved_sessions() if each.is_asleep}
        for saved in before:
            if saved.id not in kept:
                self.asleep.remove(saved)
        for saved in kept.values():
            is_here = f"device/{saved.id}" in self._shared
            if self.accounts.with_id(saved.account) is not None and not is_here:
                self.asleep.add(saved)

    def _is_awake(self, account_id: str, device_id: str) -> None:
        """A device has come to another server, which may have been asleep."""
        for saved in self.asleep.of(account_id):
            if saved.id == device_id:
                self.asleep.remove(saved)

    def replaced(self) -> None:
        """See `Hearer.replaced`."""
        _log.error("This server was cut off for too long, and others took its place: it stops")
        for person in self.people:
            for connection in person.connections:
                why = "This server was cut off from the others: connect again."
                connection.refuse(Refused("closing", why))
        was_stopping = self.is_stopping
        self.close("This server was cut off from the others for too long: connect again.")
        if self.operations is not None and not was_stopping:
            self.operations.fail()

    # What follows from it

    def _all_is_now(self, shared: Mapping[str, Value]) -> None:
        """All that is shared is known, but for what was set here and comes later."""
        for kind in ("device/", "name/", "person/", "over/"):
            for name in [*shared, *(each for each in self._shared if each not in shared)]:
                value = shared.get(name)
                is_new = value != self._shared.get(name) and name not in self._unheard
                if name.startswith(kind) and is_new:
                    self._is_now(name, value, is_told=True)

    def _is_now(self, name: str, value: Value, *, is_told: bool = False) -> None:
        """Another server has set something.

        Args:
            name: what it is about.
            value: what it is now.
            is_told: whether the logs of rooms have told of it.
        """
        before = self._shared.get(name)
        self._learn(name, value)
        kind, _, its_id = name.partition("/")
        if kind == "device":
            person = self.people.with_id((value or before or {}).get("person", ""))
            if person is not None:
                self._device_is(person, its_id, value)
        elif kind == "name":
            person = self.people.with_id(its_id)
            if person is not None and value is None:
                self._has_left(person)
            elif person is not None:
                self._is_called(person, value)
        elif kind == "person":
            person = self.people.with_id(its_id)
            if value is None and person is not None:
                self._has_left(person)
            elif person is not None:
                self._person_is(person, value, is_told=is_told)
            elif value is not None:
                self._has_come(its_id, value, is_told=is_told)
        elif kind == "over" and value is not None:
            self._is_over(its_id, value)

    def _has_come(self, person_id: str, value: Value, *, is_told: bool) -> None:
        devices = {
            each: make_device(each, self._shared[f"device/{each}"])
            for each in self._devices_of.get(person_id, ())
        }
        name = self._shared.get(f"name/{person_id}")
        if name is None:
            return  # it was set by a server that did not know yet that they had left
        person = make_person(person_id, name, value, devices)
        self.people.know(person)
        self._is_in(person, value["rooms"], is_told=is_told)

    def _is_called(self, person: Person, value: Value) -> None:
        nickname, was_displaced = person.nickname, person.displaced
        self.people.is_now(person, value["nickname"], is_displaced=value["displaced"])
        person.former = tuple(value["former"])
        for room in map(self.rooms.__getitem__, person.rooms):
            if person.displaced:
                room.has_no_more(person)
            elif was_displaced:
                room.has(person)
            elif person.nickname != nickname:
                room.has_renamed(person)
        self._come_back(person)
        self.people.give_back_others(person.id)

    def _person_is(self, person: Person, value: Value, *, is_told: bool) -> None:
        if value["away"] != person.away:
            person.told_away = ()
        learn_person(person, value)
        person.read = max(person.read, value["read"])
        self._is_in(person, value["rooms"], is_told=is_told)
        for key, number in value["marks"].items():
            if number > person.marks.get(key, 0):
                person.marks = {**person.marks, key: number}
                name = OWN if key == OWN else self._name_of(key)
                for connection in person.connections:
                    connection.has_read(name, number)

    def _has_lost(self, person: Person) -> None:
        """Somebody came while the database was away, and somebody else had the nickname."""
        self.people.is_now(person, person.nickname, is_displaced=True)
        for key in person.rooms:
            self.rooms[key].leave(person, "")
        self._come_back(person)

    def _come_back(self, person: Person) -> None:
        """Somebody was connected here while another server gave their nickname to somebody else."""
        before = person.nickname
        if not person.displaced or not any(person.connections):
            return
        owner = self.accounts.owner_of(before)
        if owner is not None and owner.id != person.account:
            self._send_away(person)
            return
        try:
            self._replace(person, None)
        except Refused as why:
            self.disconnect(person, why, "")
            return
        text = f"Somebody else took the nickname {before}: you are now {person.nickname}."
        self.tell(person, text)
        self.publish(person)

    def _is_in(self, person: Person, rooms: Sequence[Any], *, is_told: bool) -> None:
        """Somebody is in these rooms, each with the number when they entered it."""
        now = {names.key(name): (name, entered) for name, entered in rooms}
        for key in [key for key in person.rooms if key not in now]:
            self._has_left_room(person, key)
        person.rooms = {key: now[key][1] for key in now if key in person.rooms}
        to_open = {name: entered for key, (name, entered) in now.items() if key not in self.rooms}
        self._to_open.pop(person.id, None)
        if to_open:
            self._to_open[person.id] = to_open
        for key, (_, entered) in now.items():
            if key in self.rooms:
                self._is_in_room(person, self.rooms[key], entered, is_told=is_told)
        for name in list(to_open):
            opened = self.rooms.open(name).addCallback(partial(self._has_opened, person, name))
            opened.addErrback(_not_opened)

    def _has_opened(self, person: Person, name: str, room: Room) -> None:
        """A room is open in which somebody was, and may be still."""
        to_open = self._to_open.get(person.id, {})
        entered = to_open.pop(name, None)
        if not to_open:
            self._to_open.pop(person.id, None)
        if entered is not None and person.present:
            self._is_in_room(person, room, entered, is_told=True)

    def _is_in_room(self, person: Person, room: Room, entered: int, *, is_told: bool) -> None:
        is_new = room.key not in person.rooms
        person.rooms[room.key] = entered
        for connection in person.connections if is_new else ():
            connection.follow(room.key, room.fanout)
        if person.displaced:
            room.has_no_more(person)
        elif is_told:
            room.keep(person)
        elif person.id not in room.members:
            room.has(person)
        for connection in person.connections if is_new else ():
            connection.entered(room.key)

    def _has_left_room(self, person: Person, key: str) -> None:
        person.left(key)
        room = self.rooms.get(key)
        if room is not None:
            room.has_no_more(person)
            self._look_soon()
        other = next(reversed(person.rooms), self.lobby.key)
        for device in person.devices.values():
            if device.is_here and device.room == key:
                device.room = other
        for connection in person.connections:
            connection.removed(key, other)
            connection.unfollow(key)

    def _has_left(self, person: Person) -> None:
        """Somebody has left, as another server has told the others."""
        person.present = False
        self._to_open.pop(person.id, None)
        for key in list(person.rooms):
            self._has_left_room(person, key)
        self.people.forget(person)
        self.people.give_back_others(person.id)
        for device in person.devices.values():
            self._ends(device)
            if device.is_here:  # which they did not know of
                self._has_no_device(person.id, device.id)
        if person.fanout is not None and not person.account and not any(person.connections):
            person.fanout.log.close()

    def _ends(self, device: Device) -> None:
        self._stop_waiting_for(device)
        if device.connection is not None:
            device.connection.end()

    # Devices

    def _device_is(self, person: Person, device_id: str, value: Value) -> None:
        device = person.devices.get(device_id)
        if value is None:
            if device is not None:
                self.people.remove_device(person, device)
                self._ends(device)
        elif device is None:
            self.people.add_device(person, make_device(device_id, value))
        else:
            if device.is_here:
                self._hand_over_device(person, device)
            learn_device(device, value)
            if f"over/{device_id}" not in self._shared:
                self.people.know_token(person, device, value["token"])
        if self.is_ours(person):  # since another device has gone elsewhere, perhaps
            self.clock.callLater(0, self._acts_for, person)

    def log_out_elsewhere(self, person: Person, device: Device) -> None:
        """See `Devices`: all servers know of it until one of them has done it.

        The server of the device may be gone, or stand still, while somebody comes back to the
        device at yet another one.
        """
        self._store.drop_session(device.id)
        self.people.forget_token(device)
        self._set(f"over/{device.id}", {"person": person.id}, person.id)

    def _is_over(self, device_id: str, value: Value) -> None:
        """A device is logged out: nobody comes back to it, and whose it is lets it go."""
        person = self.people.with_id(value["person"])
        device = person.devices.get(device_id) if person is not None else None
        if person is None or device is None:
            self._has_no_device(value["person"], device_id)
        elif device.is_here:
            self.log_out(person, device, is_told=True)
        else:
            self.people.forget_token(device)

    def _hand_over_device(self, person: Person, device: Device) -> None:
        """A device comes to another server."""
        self._stop_waiting_for(device)
        connection = device.connection
        if connection is not None:
            connection.replace()
            person.read = max(person.read, connection.own_read)
            device.connection = None

    def bring_here(self, person: Person, device: Device) -> Deferred[None]:
        """A device comes to this server from now on, whatever other it came to before."""
        return Deferred.fromCoroutine(self._bring_here(person, device))

    async def _bring_here(self, person: Person, device: Device) -> None:
        if self._nodes is not None:
            await self._nodes.take(device.id)
        try:
            await self._recall_requests(device)
        except Exception as error:
            _log.warn("What a client has asked for cannot be read: {why}", why=error)
            why = "The database does not answer: try again in a moment."
            raise Refused("not-stored", why) from error
        device.node, device.is_connected_elsewhere = 0, False
        device.moves += 1
        self.publish(person)
        for name in list(self._to_open.get(person.id, ())):
            await self.rooms.open(name)
        opens = self.own_logs.of_account if person.account else self.own_logs.restore
        fanout = await opens(person.id) if person.fanout is None else person.fanout
        if person.fanout is None:
            self.has_log(person, fanout)
        self._acts_for(person)
        if not person.present or device.id not in person.devices or not device.is_here:
            raise Refused("replaced", "This session goes on elsewhere, or is over: log in.")
        if device.connection is not None:
            device.connection.replace()

    def _acts_for(self, person: Person) -> None:
        """If this server acts for somebody now, it does what another could not do any more."""
        for device in list(person.devices.values()):
            if device.is_here and f"over/{device.id}" in self._shared:
                self.log_out(person, device, is_told=True)
        if not person.present or self.is_stopping or not self.is_ours(person):
            return
        ban = self._server_ban_of(person, is_newcomer=False)
        if ban is not None:
            self.disconnect(person, self.rights.banned(self.server_log.name, ban), "banned")
        else:
            self.carry_out_on(person)

    def _is_settled(self, person_id: str) -> None:
        """All servers know what was set here about somebody: see whether it holds together."""
        person = self.people.with_id(person_id)
        if person is None:  # they had left when that was set
            self._forget(person_id)
        elif not person.devices:  # two servers have each lost one of two
            self.part(person, "")
        self.people.give_back_others(person_id)
        for key in self._left.pop(person_id, ()):
            room = self.rooms.get(key)
            if room is not None and person_id in room.ghosts():
                room.tell_gone(person_id)  # who had been told to be there by another server

    def _forget(self, person_id: str) -> None:
        for device_id in list(self._devices_of.get(person_id, ())):
            self._has_no_device(person_id, device_id)
        for name in (f"name/{person_id}", f"person/{person_id}"):
            self._set(name, None, person_id)

    def _look_for_ghosts(self) -> None:
        """A server is gone, which may have been about to tell who had left."""
        for room in self.rooms.values() if not self.is_stopping else ():
            for person_id in room.ghosts():
                room.tell_gone(person_id)

    def _look_soon(self) -> None:
        if self._look is None:
            self._look = self.clock.callLater(2 * _TOLD, self._forget_ghosts)

    def _forget_ghosts(self) -> None:
        """Who was told to be here before this server began, and then left unseen, is not here."""
        self._look = None
        for room in self.rooms.values():
            if room.ghosts():
                self._has_missed(room)

    def _has_missed(self, room: Room) -> None:
        room.missed()
        for person in room.members.values():
            for connection in person.connections:
                connection.missed_told(room.key)

    # What is told and not kept

    def is_told(self, name: str, value: Value) -> None:
        """See `Membership.is_told`."""
        match name, value:
            case "account", [account_id, row]:
                self.accounts.learn(account_id, None if row is None else to_account(row[:-1]))
            case "asleep", [*row]:
                self.asleep.add(to_session(tuple(row)))
            case "forgotten", [device_id, account_id]:
                self._is_awake(account_id, device_id)
            case "nameless", [person_id, replaced]:
                self._made_nameless(person_id, replaced)
            case _:
                super().is_told(name, value)

    # What is seen

    def _seen(self, room: Room, entry: Entry) -> None:
        super()._seen(room, entry)
        if self._nodes is None or entry.waiter is not None:
            return
        event = entry.event
        if isinstance(event, _PRESENCE):
            if isinstance(event, Rename):
                self._has_renamed(entry.author, event)
            room.heard(entry, self.people)
            if isinstance(event, Join) and not all(map(self._is_so, event.persons, _named(event))):
                self.clock.callLater(_TOLD, self._has_missed, room)
        elif isinstance(event, Message | Action):
            person = self.people.with_id(entry.author)
            if person is not None:
                person.spoke = event.time

    def _has_renamed(self, person_id: str, event: Rename) -> None:
        """Somebody is called otherwise from here on, though that is not shared yet."""
        person = self.people.with_id(person_id)
        if person is not None and person.nickname == event.sender and not person.displaced:
            self.people.is_now(person, event.to, is_displaced=False)

    def _is_so(self, person_id: str, nickname: str) -> bool:
        """Whether somebody is here and called so: a server that could not store tells it late."""
        person = self.people.with_id(person_id)
        return person is not None and person.nickname == nickname

    def _own_seen(self, person_id: str, entry: Entry) -> None:
        super()._own_seen(person_id, entry)
        event = entry.event
        if entry.waiter is None and isinstance(event, Whisper) and entry.author != person_id:
            person = self.people.with_id(person_id)
            if person is not None and person.hears(event.sender, entry.author):
                person.last_whisperer = Whisperer(event.sender, entry.author)


def _named(event: Join) -> Sequence[str]:
    return (event.sender, *event.also)


def _rooms_in(value: Value) -> set[str]:
    """The keys of the rooms in which the others see somebody, as that is shared."""
    if value is None:
        return set()
    return {names.key(name) for name, _ in value["rooms"]}


def _not_opened(failure: Failure) -> None:
    failure.trap(Refused)  # it is opened when somebody enters it here
