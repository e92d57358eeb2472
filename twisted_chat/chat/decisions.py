"""Decisions about rooms are carried out when they are shown: who may not stay has to leave."""

from collections.abc import Sequence

from twisted.logger import Logger

from twisted_chat.chat.logins import Logins
from twisted_chat.chat.person import Person
from twisted_chat.chat.rights import Right
from twisted_chat.chat.room import Room
from twisted_chat.events import Ban, Close, Entry, Event, Kick

_log = Logger(namespace="chat")

_DECISIONS = (Kick, Ban, Close)
"""Events after which somebody may have to leave."""


class Decisions(Logins):
    """What follows from decisions; the arguments are those of `Chat`."""

    def _changed(self, room: Room, entry: Entry) -> None:
        super()._changed(room, entry)
        if isinstance(entry.event, _DECISIONS):
            if not self._decided:
                self.clock.callLater(0, self._carry_out)  # once all is seen that was stored with it
            self._decided.append((room, entry))

    def _carry_out(self) -> None:
        """Let those leave who may not stay, by what has just been shown."""
        decided, self._decided = self._decided, []
        if self.is_stopping:  # who may come back is not let into the room again
            return
        for room, entry in decided:
            gone = [
                person
                for person in self._concerned(room, entry.event)
                if room.key in person.rooms
                and not self.rights.may_stay(person, room, person.rooms[room.key])
            ]
            for person in filter(self.is_ours, gone):
                self._remove(person, room, f"removed by {entry.event.sender}")
            room.tell_left()  # also in a rush, so that they read it too
            for person in filter(self.is_ours, gone):
                self._let_go(person, room, _sentence(room, entry.event))

    def carry_out_on(self, person: Person) -> None:
        """Let somebody leave the rooms in which they may not stay, since no other server could."""
        for key, entered in list(person.rooms.items()):
            room = self.rooms[key]
            if not self.rights.may_stay(person, room, entered):
                self._remove(person, room, "removed")
                room.tell_left()
                self._let_go(person, room, f"You were removed from {room.name}")

    def _concerned(self, room: Room, event: Event) -> Sequence[Person]:
        """Of everybody in a room, those who may have to leave it by an event."""
        if isinstance(event, Kick):
            one = self.people.with_id(event.person)
            return () if one is None else (one,)
        return [*room.members.values(), *self.people.displaced]

    def _remove(self, person: Person, room: Room, reason: str) -> None:
        others = [self.rooms[key] for key in person.rooms if key != room.key]
        other = others[-1] if others else self.lobby  # one has to be somewhere
        for device in person.devices.values():
            if device.room == room.key:
                device.room = other.key
        for connection in person.connections:
            connection.removed(room.key, other.key)
        person.left(room.key)
        if not person.displaced:
            room.leave(person, reason)
        self.publish(person)
        _log.info("{nick} has left {room}: {why}", nick=person.nickname, room=room.name, why=reason)

    def _let_go(self, person: Person, room: Room, text: str) -> None:
        for connection in person.connections:
            connection.unfollow(room.key)
        self.tell(person, text)
        if not person.rooms:
            may_enter = self.rights.may(person, Right.ENTER, self.lobby)
            if room is self.lobby or person.displaced or not may_enter:
                self.part(person, "")
                return
            self.enter_room(person, self.lobby)
        for device in person.devices.values():
            self.keep(person, device)


def _sentence(room: Room, event: Event) -> str:
    """What somebody reads who was removed from a room."""
    why = f": {event.reason}" if isinstance(event, Kick | Ban | Close) and event.reason else ""
    return f"You were removed from {room.name} by {event.sender}{why}"
