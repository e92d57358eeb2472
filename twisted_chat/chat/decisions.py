"""Decisions about rooms are carried out when they are shown: who may not stay has to leave."""

from collections.abc import Sequence

from twisted.logger import Logger

from twisted_chat.chat.logins import Logins
from twisted_chat.chat.person import Person
from twisted_chat.chat.rights import Right
from twisted_chat.chat.room import Room
from twisted_chat.events import Ban, Close, Entry, Event, Kick

_log = Logger(namespace="chat")


class Decisions(Logins):
    """What follows from decisions; the arguments are those of `Chat`."""

    def _seen(self, room: Room, entry: Entry) -> None:
        super()._seen(room, entry)
        if isinstance(entry.event, Kick | Ban | Close):
            if not self._decided:
                self.clock.callLater(0, self._carry_out)  # once all is seen that was stored with it
            self._decided.append((room, entry))

    def _carry_out(self) -> None:
        """Let those leave who may not stay, by what has just been shown."""
        decided, self._decided = self._decided, []
        for room, entry in decided:
            event = entry.event
            for person in self._concerned(room, event):
                entered = person.rooms.get(room.key)
                if entered is not None and not self.rights.may_stay(person, room, entered):
                    self._remove(person, room, entry)

    def _concerned(self, room: Room, event: Event) -> Sequence[Person]:
        """Of everybody in a room, those who may have to leave it by an event."""
        if isinstance(event, Kick):
            one = self.people.with_id(event.person)
            return () if one is None else (one,)
        return [*room.members.values(), *self.people.displaced]

    def _remove(self, person: Person, room: Room, entry: Entry) -> None:
        by, why = entry.event.sender, getattr(entry.event, "reason", "")
        told = f"You were removed from {room.name} by {by}" + (f": {why}" if why else "")
        reason = f"removed by {by}"
        if len(person.rooms) == 1:  # one has to be somewhere
            if room is self.lobby or not self.rights.may(person, Right.ENTER, self.lobby):
                self.tell(person, told)
                self.part(person, reason)
                return
            self.enter_room(person, self.lobby)
        other = next(self.rooms[key] for key in reversed(person.rooms) if key != room.key)
        for device in person.devices.values():
            if device.room == room.key:
                device.room = other.key
        for connection in person.connections:
            connection.removed(room.key, other.key)
        self._leave(person, room.key, reason)
        self.tell(person, told)
        for device in person.devices.values():
            self.keep(person, device)
        _log.info(
            "{nick} was removed from {room} by {by}", nick=person.nickname, room=room.name, by=by
        )
