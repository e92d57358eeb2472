"""What people are allowed to do, checked here for every frontend."""

from enum import Enum

from twisted_chat.chat.person import Person
from twisted_chat.chat.room import Room
from twisted_chat.refusal import Refused


class Right(Enum):
    """Something that somebody may be kept from, in the words of a refusal."""

    SPEAK = "speak in {room}"
    SET_TOPIC = "change the topic of {room}"
    ENTER = "enter {room}"
    WHISPER = "whisper"
    RENAME = "change your nickname"
    ADMINISTER = "administer the server"


_EVERY = frozenset(Right)


class Rights:
    """Who may do what: everybody everything, as long as there are no roles."""

    def of(self, person: Person, room: Room) -> frozenset[Right]:
        """What somebody may do in a room, and elsewhere while they are typing into it."""
        return _EVERY

    def check(self, person: Person, right: Right, room: Room) -> None:
        """Make sure that somebody has a right.

        Raises:
            Refused: they do not.
        """
        if right not in self.of(person, room):
            what = right.value.format(room=room.name)
            raise Refused("not-allowed", f"You may not {what}: ask whoever runs this server.")
