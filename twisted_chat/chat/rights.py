"""What people are allowed to do, checked here for every frontend."""

from collections.abc import Callable, Container, Sequence
from enum import Enum

from twisted_chat.chat.order import Ordered, Role, Sentence, places_of
from twisted_chat.chat.person import Person
from twisted_chat.chat.room import Room
from twisted_chat.chat.server_log import ServerLog
from twisted_chat.refusal import Refused
from twisted_chat.text.spans import moment

NAMED = 10
"""Nicknames in a refusal of those who have a right."""


class Right(Enum):
    """Something that somebody may be kept from, in the words of a refusal."""

    SPEAK = "speak in {room}"
    SET_TOPIC = "change the topic of {room}"
    ENTER = "enter {room}"
    WHISPER = "whisper"
    RENAME = "change your nickname"
    OPEN_ROOM = "open a room"
    RAISE_HAND = "raise your hand in {room}"
    KEEP_ORDER = "keep order in {room}"
    OWN = "decide about {room}"
    ADMINISTER = "administer the server"

    def __init__(self, what: str) -> None:
        self.is_about_a_room = "{room}" in what
        """Whether one has it in one room, and perhaps not in another."""

    @property
    def role(self) -> Role:
        """The role that one needs for it, whatever the room has decided."""
        return _NEEDED.get(self, Role.MEMBER)


_SPEAK = Right.SPEAK  # to look it up in the class takes Python 3.11 ten times as long

_NEEDED = {
    Right.KEEP_ORDER: Role.OPERATOR,
    Right.OWN: Role.OWNER,
    Right.ADMINISTER: Role.ADMINISTRATOR,
}

_HEARD = frozenset(
    {Right.SPEAK, Right.SET_TOPIC, Right.WHISPER, Right.RENAME, Right.OPEN_ROOM},
)
"""Rights by which others hear or read what somebody writes; the name of a room is in lists."""


class Rights:
    """Who may do what: by their role, and by what a room has decided.

    Args:
        now: gives the time of day, in seconds since 1970.
        nickname_of: gives the nickname of who is here, by id; None if they are not.
        is_administrator: says whether the account of an id administers the server.
        administrators: gives the names of the accounts that do.
        server: what holds for the whole server.
    """

    def __init__(
        self,
        now: Callable[[], float],
        nickname_of: Callable[[str], str | None],
        is_administrator: Callable[[str], bool],
        administrators: Callable[[], Sequence[str]],
        server: ServerLog,
    ) -> None:
        self._is_administrator = is_administrator
        self._administrators = administrators
        self._server = server
        self._now = now
        self._nickname_of = nickname_of

    def role_of(self, person: Person, room: Ordered) -> Role:
        """What somebody is in a room."""
        return self.role_of_id(person.id, room)

    def role_of_id(self, person_id: str, room: Ordered) -> Role:
        """The same of somebody who need not be here."""
        if self._is_administrator(person_id):
            return Role.ADMINISTRATOR
        return room.order.role_of(person_id)

    def may(self, person: Person, right: Right, room: Room) -> bool:
        """Whether somebody has a right in a room, and elsewhere while they type into it."""
        if not person.account and self._server.silences_guests and right in _HEARD:
            return False
        if right is _SPEAK and room.order.is_open:
            return room.key in person.rooms
        role = self.role_of(person, room)
        match right:
            case Right.SPEAK | Right.SET_TOPIC:
                order = room.order
                has_word = right is Right.SPEAK and order.has_word(person.id)
                return (
                    (role >= order.least_to_speak or has_word)
                    and order.mute_of(person, role) is None
                    and person.id not in order.silenced
                    and self.is_in(person, room)
                )
            case Right.RAISE_HAND:
                return room.order.mute_of(person, role) is None and self.is_in(person, room)
            case Right.ENTER:
                return self.ban_of(person, room) is None and self._is_open_to(person, room)
        return role >= right.role

    def is_in(self, person: Person, room: Room) -> bool:
        """Whether somebody is in a room, and was not removed a moment ago."""
        entered = person.rooms.get(room.key)
        return entered is not None and not room.order.is_kicked(person.id, entered)

    def may_stay(self, person: Person, room: Room, entered: int) -> bool:
        """Whether somebody who was in a room may be in it still.

        Args:
            person: who.
            room: the room.
            entered: the number of its last event when they entered.
        """
        if room.order.is_kicked(person.id, entered):
            return False
        if self.ban_of(person, room, is_newcomer=False) is not None:
            return False
        lock = room.order.lock
        return lock is None or "closed" not in lock or self.role_of(person, room) >= Role.OWNER

    def ban_of(self, person: Person, room: Room, *, is_newcomer: bool = True) -> Sentence | None:
        """What keeps somebody out of a room; nobody who has a role there is kept out.

        The arguments are those of `Order.ban_of`.
        """
        is_administrator = self.role_of(person, room) is Role.ADMINISTRATOR
        if is_administrator or room.order.given(person.id) > Role.MEMBER:
            return None
        return room.order.ban_of(person, is_newcomer=is_newcomer)

    def _is_open_to(self, person: Person, room: Room) -> bool:
        lock = room.order.lock
        if lock is None:
            return True
        least = Role.OWNER if "closed" in lock else Role.VOICED
        return self.role_of(person, room) >= least or (
            "closed" not in lock and room.order.is_invited(person.id)
        )

    def knows_of(self, person: Person, room: Room) -> bool:
        """Whether somebody is told that there is such a room."""
        return not room.order.is_hidden or self._is_trusted(person, room)

    def may_look_into(self, person: Person, room: Room) -> bool:
        """Whether somebody is told who is in a room, and what it is about."""
        order = room.order
        return (not order.is_hidden and order.lock is None) or self._is_trusted(person, room)

    def _is_trusted(self, person: Person, room: Room) -> bool:
        return (
            room.key in person.rooms
            or self.role_of(person, room) > Role.MEMBER
            or (room.order.is_invited(person.id) and self.may(person, Right.ENTER, room))
        )

    # Refusals

    def check(
        self, person: Person, right: Right, room: Room, what: str = "", key: str = ""
    ) -> None:
        """Make sure that somebody has a right.

        Args:
            person: who.
            right: the right.
            room: where.
            what: the command that needs it, as it is typed; may be empty.
            key: what they say opens the room, where they want to enter it.

        Raises:
            Refused: they do not.
        """
        if self.may(person, right, room):
            return
        if not person.account and self._server.silences_guests and right in _HEARD:
            raise Refused(
                "lockdown", "Only people with an account can speak just now: log in, or wait."
            )
        match right:
            case Right.ENTER:
                self._check_entry(person, room, key)
            case Right.SPEAK | Right.SET_TOPIC | Right.RAISE_HAND:
                raise self._why_silent(person, right, room)
            case _ if right.role > Role.MEMBER:
                raise self._not_for(what or "That", right.role, room)
            case _:
                raise _may_not(right, room)

    def _check_entry(self, person: Person, room: Room, key: str) -> None:
        ban, lock = self.ban_of(person, room), room.order.lock
        if ban is not None:
            raise self.banned(room.name, ban)
        if lock is None:
            raise _may_not(Right.ENTER, room)
        if "closed" in lock:
            why = f" ({lock['closed']})" if lock["closed"] else ""
            raise Refused(
                "not-allowed",
                f"{room.name} was closed by {lock['by']}{why}: join another room, or ask "
                f"{self._who(Role.OWNER, room)} to open it.",
            )
        if room.order.is_key(key):
            return
        ask = self._who(Role.OPERATOR, room)
        if "key" not in lock:
            raise Refused("not-allowed", f"{room.name} is locked: ask {ask} for an invitation.")
        wrong = "That is not the key" if key else f"{room.name} is locked with a key"
        raise Refused(
            "not-allowed", f"{wrong}: type /join {room.name} KEY, or ask {ask} to invite you."
        )

    def banned(self, place: str, ban: Sentence) -> Refused:
        """What somebody is told who is banned from somewhere."""
        return Refused("banned", f"You are banned from {place}{self._told(ban)}", until=ban.until)

    def _why_silent(self, person: Person, right: Right, room: Room) -> Refused:
        order, role = room.order, self.role_of(person, room)
        mute, least = order.mute_of(person, role), order.least_to_speak
        if mute is not None:
            return Refused(
                "muted",
                f"You are muted in {room.name}{self._told(mute)}",
                until=mute.until,
            )
        if role < least and right is not Right.RAISE_HAND:
            ask = self._who(Role.OPERATOR, room)
            why = f"{room.name} is frozen, and only operators can speak: wait, or ask {ask}."
            if least is Role.VOICED:
                why = f"Only voiced people can speak in {room.name}: ask {ask} for voice."
            return Refused("not-allowed", why)
        return _may_not(right, room)  # what keeps them from it is not stored yet

    def _told(self, sentence: Sentence) -> str:
        """By whom it is, until when and why."""
        until = ""
        if sentence.until is not None:
            until = f" until {moment(sentence.until, self._now())}"
        why = f": {sentence.why}" if sentence.why else ""
        end = "" if why.endswith((".", "!", "?")) else "."
        return f"{until} by {sentence.by}{why}{end}"

    def _not_for(self, what: str, role: Role, room: Room) -> Refused:
        if role is Role.ADMINISTRATOR:
            named = _named(self._administrators())
            rest = f": {named}" if named else ", which has none: ask whoever runs it"
            return Refused("not-allowed", f"{what} is for administrators of the server{rest}.")
        holders = self._holders(role, room)
        rest = f": {holders}" if holders else ", which has none: ask an administrator of the server"
        return Refused("not-allowed", f"{what} is for {role.word}s of {room.name}{rest}.")

    def _who(self, role: Role, room: Room) -> str:
        return self._holders(role, room) or "an administrator of the server"

    def held_by_name(self, role: Role, room: Room) -> list[str]:
        """The nicknames of those who have been given just this role in a room."""
        order = room.order
        return [
            self._nickname_of(each) or name
            for each, name in order.holders(role)
            if order.role_of(each) is role
        ]

    def without_account(self, room: Room, places: Container[str]) -> list[Person]:
        """Who is in a room from some places, and has neither an account nor a role."""
        return [
            each
            for each in room.members.values()
            if not each.account
            and any(place in places for place in places_of(each))
            and self.role_of(each, room) is Role.MEMBER
        ]

    def _holders(self, role: Role, room: Room) -> str:
        held = room.order.holders(role)
        return _named([self._nickname_of(each) or name for each, name in held])


def _named(nicknames: Sequence[str]) -> str:
    more = f" and {len(nicknames) - NAMED} more" if len(nicknames) > NAMED else ""
    return ", ".join(nicknames[:NAMED]) + more


def _may_not(right: Right, room: Room) -> Refused:
    what = right.value.format(room=room.name)
    return Refused("not-allowed", f"You may not {what}: ask whoever runs this server.")
