"""People at other servers, as they are known here: what is shared of them, and what is told."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from twisted_chat.chat.administration import Administration
from twisted_chat.chat.decisions import Decisions
from twisted_chat.chat.device import Device
from twisted_chat.chat.known_elsewhere import learn_person, make_device, make_person
from twisted_chat.chat.own_account import OwnAccount
from twisted_chat.chat.person import Person, Whisperer
from twisted_chat.chat.room import Room
from twisted_chat.chat.shared_values import SharedValues
from twisted_chat.events import (
    OWN,
    Action,
    Away,
    Entry,
    File,
    Join,
    Leave,
    Message,
    Rename,
    Topic,
    Whisper,
)
from twisted_chat.refusal import Refused
from twisted_chat.stores.nodes import Value

TOLD = 3.0
"""Seconds after which all is told of who comes and goes, even if many do; see `presence`."""

_PRESENCE = (Join, Leave, Rename)
"""Events that tell who is in a room, and what they are called."""

_ACTIVE = (Message, Action, Topic, File, Away)
"""Events of which `/whois` tells when somebody was last active."""


class Elsewhere(Administration, OwnAccount, Decisions):
    """People at other servers; the arguments are those of `Chat`."""

    def __init__(self, clock: IReactorTime, *arguments: Any, **named: Any) -> None:
        self._values = SharedValues()
        self._to_open: dict[str, dict[str, Value]] = {}  # people's rooms that are being opened here
        self._left: dict[str, set[str]] = {}  # rooms that people have left, by their ids
        self._look: IDelayedCall | None = None  # for what is told of who is here, and is not so
        super().__init__(clock, *arguments, **named)

    def _has_come(self, person_id: str, value: Value, *, is_told: bool) -> None:
        devices = {
            each: make_device(each, self._values.get(f"device/{each}"))
            for each in self._values.devices_of(person_id)
        }
        name = self._values.get(f"name/{person_id}")
        if name is None:
            return  # it was set by a server that did not know yet that they had left
        person = make_person(person_id, name, value, devices)
        self.people.know(person)
        for key, room in self._values.rooms_of(person_id).items():
            self._is_in(person, key, room, is_told=is_told)

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

    def _person_is(self, person: Person, value: Value) -> None:
        if value["away"] != person.away:
            person.told_away = ()
        learn_person(person, value)
        person.read = max(person.read, value["read"])
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
        self.publish(person)
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

    def _is_in(self, person: Person, key: str, value: Value, *, is_told: bool) -> None:
        """Somebody is in a room."""
        if key in self.rooms:
            self._is_in_room(person, self.rooms[key], value["entered"], is_told=is_told)
            return
        self._to_open.setdefault(person.id, {})[key] = value
        opened = self.rooms.open(value["name"]).addCallback(partial(self._has_opened, person))
        opened.addErrback(_not_opened)

    def _has_opened(self, person: Person, room: Room) -> None:
        """A room is open in which somebody was, and may be still."""
        value = self._is_to_open(person, room.key)
        if value is not None and person.present:
            self._is_in_room(person, room, value["entered"], is_told=True)

    def _is_to_open(self, person: Person, key: str) -> Value:
        """What is known of a room that was being opened for somebody, and is so no more."""
        to_open = self._to_open.get(person.id, {})
        value = to_open.pop(key, None)
        if not to_open:
            self._to_open.pop(person.id, None)
        return value

    def _is_not_in(self, person: Person, key: str) -> None:
        """Somebody has left a room."""
        self._is_to_open(person, key)
        if key in person.rooms:
            self._has_left_room(person, key)

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
            if device.is_here:  # which they did not know of, nor what was done with it
                self._forget(person.id)
        if person.fanout is not None and not person.account and not any(person.connections):
            person.fanout.log.close()

    def _ends(self, device: Device) -> None:
        self._stop_waiting_for(device)
        if device.saved is not None:
            self.clock.callLater(0, self._drops, device)  # once it is heard whether it is asleep
        if device.connection is not None:
            device.connection.end()

    def _drops(self, device: Device) -> None:
        """Keep no session of a device that was gone before it was saved here."""
        asleep = self.asleep.of(device.saved.account) if device.saved else ()
        is_there = f"device/{device.id}" in self._values
        if not is_there and all(saved.id != device.id for saved in asleep):
            self._store.drop_session(device.id)

    def _forget(self, person_id: str) -> None:
        """Let nothing stay known of somebody who has left."""
        for device_id in self._values.devices_of(person_id):
            self._has_no_device(person_id, device_id)
        self._has_no_rooms(person_id)
        for name in (f"name/{person_id}", f"person/{person_id}"):
            self._values.set(name, None, person_id)

    def _has_no_rooms(self, person_id: str) -> None:
        before = self._values.rooms_of(person_id).keys()
        self._has_left_rooms(person_id, before)
        for key in before:
            self._values.set(f"in/{person_id}/{key}", None, person_id)

    def _has_left_rooms(self, person_id: str, keys: AbstractSet[str]) -> None:
        if keys:
            self._left.setdefault(person_id, set()).update(keys)

    def _has_no_device(self, person_id: str, device_id: str) -> None:
        for name in (f"device/{device_id}", f"over/{device_id}"):
            self._values.set(name, None, person_id)

    # Who is told to be here, and is not

    def _look_for_ghosts(self) -> None:
        """A server is gone, which may have been about to tell who had left."""
        if self.is_stopping:
            return
        for room in self.rooms.values():
            for person_id in room.ghosts():
                room.tell_gone(person_id)
        self._forget_who_left()

    def _forget_who_left(self) -> None:
        """Something may be known of people who left while it was set."""
        for person_id in self._values.people():
            if self.people.with_id(person_id) is None:
                self._forget(person_id)

    def _tell_gone(self, room: Room, people: Sequence[str]) -> None:
        """This server has told of people by their ids who had left elsewhere by then."""
        for person_id in set(room.ghosts()).intersection(people):
            room.tell_gone(person_id)

    def _stay(self, room: Room, people: Sequence[str]) -> None:
        """A server has told that people have left, by their ids, who are here all the same."""
        for person in filter(None, map(room.members.get, people)):
            if self.is_ours(person) and person.id not in room.shown:
                room.enter(person)

    def _look_soon(self) -> None:
        if self._look is None:
            self._look = self.clock.callLater(2 * TOLD, self._forget_ghosts)

    def _forget_ghosts(self) -> None:
        """Who was told to be here before this server began, and then left unseen, is not here.

        Nor is anybody called as it was told by a server that did not know of the new nickname.
        """
        self._look = None
        for room in list(self.rooms.values()):  # see `missed`
            if room.ghosts() or room.is_anybody_misnamed():
                self._has_missed(room)

    def _has_missed(self, room: Room) -> None:
        room.missed()
        for person in list(room.members.values()):  # some may leave by it
            for connection in person.connections:
                connection.missed_told(room.key)

    # What is seen

    def _seen(self, room: Room, entry: Entry) -> None:
        super()._seen(room, entry)
        event = entry.event
        if self._values.nodes is None:
            return
        if entry.waiter is not None:
            if isinstance(event, Join) and not all(map(self.people.with_id, event.persons)):
                self.clock.callLater(0, self._tell_gone, room, event.persons)
        elif isinstance(event, _PRESENCE):
            if isinstance(event, Rename):
                self._has_renamed(entry.author, event)
            room.heard(entry, self.people)
            if isinstance(event, Leave):
                self.clock.callLater(TOLD, self._stay, room, event.persons)
            if isinstance(event, Join) and not all(map(self._is_so, event.persons, _named(event))):
                self.clock.callLater(TOLD, self._has_missed, room)
        elif isinstance(event, _ACTIVE):
            person = self.people.with_id(entry.author)
            if person is not None:
                person.spoke = event.time
                if isinstance(event, Message | Action):
                    room.has_spoken(person, self.clock.seconds())

    def counts(self, node: int, entry: Entry) -> bool:
        """See `Hearer.counts`."""
        homes = self._values.homes_of(entry.author)
        is_left = isinstance(entry.event, Leave)  # another server may have taken the nickname away
        return is_left or not homes or node in homes

    def _has_renamed(self, person_id: str, event: Rename) -> None:
        """Somebody is called otherwise from here on."""
        person = self.people.with_id(person_id)
        is_so = self._values.hear_renamed(person_id, event.sender, event.to)
        if person is not None and is_so:
            self.people.is_now(person, event.to, is_displaced=False)
            self.people.give_back_others(person_id)
            self._look_soon()  # for rooms in which it is not told

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


def _not_opened(failure: Failure) -> None:
    failure.trap(Refused)  # it is opened when somebody enters it here
