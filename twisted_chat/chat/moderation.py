"""What somebody decides about others in a room: checked, and made into the event that says so."""

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from ipaddress import ip_network

from twisted_chat.addresses import neighbourhood
from twisted_chat.chat.order import Order, Ordered, Role, fits, places_of
from twisted_chat.chat.people import People
from twisted_chat.chat.person import Person
from twisted_chat.chat.rights import Rights
from twisted_chat.chat.room import Room
from twisted_chat.events import (
    Ban,
    Close,
    Hands,
    Invite,
    Kick,
    Mute,
    RoleChange,
    Setting,
    Unban,
    Unmute,
)
from twisted_chat.limits import Limits
from twisted_chat.refusal import Refused
from twisted_chat.text import names

_LETTERS = 3
"""Letters or digits of a mask: with fewer, it would keep out half of the world."""


class Moderation:
    """Decisions, each as an event that is yet to be stored; all raise `Refused` with the reason.

    Whoever decides has the right to, which the gate has checked. Here it is checked whom they may
    decide about: those below them.

    Args:
        people: everybody who is here.
        rights: who is what.
        limits: how much one room may decide.
        now: gives the time of day, in seconds since 1970.
        account_called: gives the id of the account of a name, whether or not its owner is here.
        has_account: says whether there is an account of an id.
    """

    def __init__(
        self,
        people: People,
        rights: Rights,
        limits: Limits,
        now: Callable[[], float],
        account_called: Callable[[str], str | None] = lambda _: None,
        has_account: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._people = people
        self._rights = rights
        self._limits = limits
        self._now = now
        self._account_called = account_called
        self._has_account = has_account

    # Roles

    def found(self, person: Person, room: Room) -> RoleChange:
        """The first to enter a room owns it."""
        return RoleChange(
            self._now(), room.name, person.nickname, person.nickname, "owner", person.id, True
        )

    def give(self, by: Person, room: Room, nickname: str, role: Role) -> RoleChange:
        """Somebody in the room gets a role."""
        other = self._member(room, nickname)
        if role >= Role.OPERATOR and room.key == names.LOBBY:
            raise Refused(
                "not-allowed", f"{names.LOBBY} is the server's: only administrators run it."
            )
        if other.id != by.id or role is not Role.OWNER:
            self._check_below(by, room, other.id, other.nickname)
        if role is Role.OWNER and not other.account:
            raise Refused(
                "not-allowed",
                f"{other.nickname} has no account: only somebody who has one can own a room.",
            )
        given = room.order.given(other.id)
        if given is role:
            raise Refused("no-change", f"{other.nickname} is that in {room.name} already.")
        if given is Role.MEMBER:
            self._check_place(room, "role/", self._limits.roles, "people with a role")
        return self._role(by, room, other.id, other.nickname, role, bool(other.account))

    def take(self, by: Person, room: Room, nickname: str, least: Role) -> RoleChange | Hands:
        """Somebody loses a role of at least this height; whoever has one may give it up.

        With voice goes the word, which may be all that lets them speak.
        """
        other = self._people.called(nickname)
        held_by = other.id if other else room.order.holder_called(nickname)
        if held_by is None:
            held_by = self._people.find(nickname).id
        name = other.nickname if other else nickname
        role = room.order.role_of(held_by)
        if role < least or (least is Role.VOICED and role > least):
            raise Refused("no-change", f"{name} is not {_a(least)} in {room.name}.")
        if held_by != by.id:
            self._check_below(by, room, held_by, name)
        elif role is Role.OWNER and self._owners(room) == {by.id}:
            raise Refused(
                "not-allowed",
                f"You are the only owner of {room.name}: make somebody else one first, with "
                "/own NICK.",
            )
        has_word = least is Role.VOICED and room.order.has_word(held_by)
        if has_word and room.order.given(held_by) is Role.MEMBER:
            return Hands(
                self._now(), room.name, by.nickname, "done", (name,), (held_by,), ("word",)
            )
        taken = self._role(by, room, held_by, name, Role.MEMBER, False)
        return replace(taken, ends=(*taken.ends, "word")) if has_word else taken

    def resign(self, person: Person, room: Room, name: str) -> RoleChange:
        """Somebody, who is called so, has no account any more, and so not the role that it had."""
        resigned = self._role(person, room, person.id, name, Role.MEMBER, False)
        return replace(resigned, sender=name)

    def own(self, by: Person, room: Room, nickname: str) -> RoleChange:
        """Somebody becomes an owner too."""
        return self.give(by, room, nickname, Role.OWNER)

    def _role(
        self, by: Person, room: Room, held_by: str, name: str, role: Role, has_account: bool
    ) -> RoleChange:
        ends = tuple(each for each in self.over(room) if each != f"role/{held_by}")
        return RoleChange(
            self._now(), room.name, by.nickname, name, role.word, held_by, has_account, ends
        )

    def _owners(self, room: Room) -> set[str]:
        over = set(self.over(room))
        holders = room.order.holders(Role.OWNER)
        return {held_by for held_by, _ in holders if f"role/{held_by}" not in over}

    # Removing, muting, banning

    def kick(self, by: Person, room: Room, nickname: str, why: str) -> Kick:
        """Somebody has to leave the room."""
        other = self._member(room, nickname)
        self._check_below(by, room, other.id, other.nickname)
        ends = (*self.over(room), f"invite/{other.id}")
        return Kick(self._now(), room.name, by.nickname, other.nickname, why, other.id, ends)

    def mute(self, by: Person, room: Room, nickname: str, seconds: float | None, why: str) -> Mute:
        """Somebody may not speak in the room for a while, or until that is ended."""
        other = self._member(room, nickname)
        self._check_below(by, room, other.id, other.nickname)
        near = [f"mute/address:{place}" for place in places_of(other)]
        marks = (f"mute/{other.id}", *near)
        return Mute(
            self._now(),
            room.name,
            by.nickname,
            other.nickname,
            why,
            self._end(seconds),
            marks,
            self._ends(room, "mute/", marks, self._limits.mutes, "mutes"),
        )

    def unmute(self, by: Person, room: Room, nickname: str) -> Unmute:
        """Somebody may speak again."""
        key = names.key(nickname)
        found = room.order.sentences("mute/")
        other = self._people.called(nickname)
        for target, marks in found.items():
            if names.key(target) == key or (other and f"mute/{other.id}" in marks):
                self._check_below(by, room, _muted(marks), target)
                return Unmute(self._now(), room.name, by.nickname, target, tuple(marks))
        raise Refused("no-change", f"{nickname} is not muted in {room.name}.")

    def ban(self, by: Person, room: Ordered, whom: str, seconds: float | None, why: str) -> Ban:
        """Somebody, or whoever fits a mask, may not enter the room and has to leave it."""
        target, marks, ends = self._banned(by, room, whom)
        known = room.order.sentences("ban/").get(target, ())
        if known and set(marks) <= set(known):
            raise Refused(
                "no-change", f"{target} is banned from {room.name} already: /unban ends that."
            )
        over = self._ends(room, "ban/", marks, self._limits.bans, "bans")
        return Ban(
            self._now(),
            room.name,
            by.nickname,
            target,
            why,
            self._end(seconds),
            tuple(marks),
            (*ends, *over),
        )

    def _banned(self, by: Person, room: Ordered, whom: str) -> tuple[str, list[str], list[str]]:
        """What a ban is called, what it makes in the room's state, and what it ends there."""
        place = _place(whom)
        if place is not None:
            return self._ban_address(by, room, place)
        if "*" in whom or "?" in whom:
            return self._ban_mask(by, room, names.key(whom))
        other = self._people.called(whom)
        if other is not None:
            self._check_below(by, room, other.id, other.nickname)
            marks = [f"ban/person:{other.id}"]
            if not other.account:
                marks += [f"ban/nick:{other.key}"]
            marks += [f"ban/near:{each}" for each in places_of(other)]
            return other.nickname, marks, [f"role/{other.id}", f"invite/{other.id}"]
        account = self._account_called(whom)
        if account is not None:
            self._check_below(by, room, account, whom)
            return whom, [f"ban/person:{account}"], [f"role/{account}", f"invite/{account}"]
        nickname = names.nickname(whom, self._limits)
        return nickname, [f"ban/nick:{names.key(nickname)}"], []

    def _ban_address(
        self, by: Person, room: Ordered, place: str
    ) -> tuple[str, list[str], list[str]]:
        is_network = "/" in place and neighbourhood(place.partition("/")[0]) != place
        if is_network:
            self._check_not_own(by, place)
        elif place in places_of(by):
            raise Refused("not-allowed", "That is your own address: you cannot ban yourself.")
        mark = f"ban/mask:{place}" if is_network else f"ban/address:{place}"
        for target, marks in room.order.sentences("ban/").items():
            if mark in marks:
                return target, [mark], []
        word = "network" if is_network else "address"
        return f"{word}-{secrets.token_hex(3)}", [mark], []  # nobody can work out which it is

    def _ban_mask(self, by: Person, room: Ordered, mask: str) -> tuple[str, list[str], list[str]]:
        if sum(map(str.isalnum, mask)) < _LETTERS or not _is_mask(mask):
            raise Refused(
                "usage",
                f"A mask such as spam* has at least {_LETTERS} letters or digits, and * or ? for "
                "the rest.",
            )
        self._check_not_own(by, mask)
        return mask, [f"ban/mask:{mask}"], []

    def _check_not_own(self, by: Person, mask: str) -> None:
        if fits(mask, by):
            raise Refused("not-allowed", "That would ban you too: you cannot ban yourself.")

    def unban(self, by: Person, room: Ordered, whom: str) -> Unban:
        """A ban ends."""
        key, place = names.key(whom), _place(whom)
        for target, marks in room.order.sentences("ban/").items():
            if names.key(target) == key or (
                place and {f"ban/address:{place}", f"ban/mask:{place}"} & set(marks)
            ):
                return Unban(self._now(), room.name, by.nickname, target, tuple(marks))
        raise Refused("no-change", f"{whom} is not banned from {room.name}: /bans lists who is.")

    def invite(self, by: Person, room: Room, nickname: str) -> Invite:
        """Somebody may enter the room although it is locked."""
        other = self._people.find(nickname)
        if room.key in other.rooms:
            raise Refused("no-change", f"{other.nickname} is in {room.name} already.")
        ban = self._rights.ban_of(other, room)
        if ban is not None:
            raise Refused(
                "not-allowed", f"{other.nickname} is banned from {room.name}: /unban them first."
            )
        if not room.order.is_invited(other.id):
            self._check_place(room, "invite/", self._limits.invites, "invitations")
        ends = tuple(self.over(room))
        return Invite(self._now(), room.name, by.nickname, other.nickname, other.id, ends)

    # Settings

    def lock(self, by: Person, room: Room, key: str) -> Setting:
        """Only those with a role, an invitation or the key may enter."""
        self._check_not_lobby(room)
        state = {"salt": secrets.token_hex(8)} if key else {}
        if key:
            state["key"] = Order.hash_key(key, state)
        return self.set(by, room, "lock", "key" if key else "invited", state)

    def set(self, by: Person, room: Room, setting: str, value: str, state: object) -> Setting:
        """A setting of the room changes.

        Args:
            by: who changes it.
            room: the room.
            setting: its name in the room's state.
            value: what people read.
            state: what it is in the room's state; None where it is off.
        """
        if state is None and setting not in room.state:
            raise Refused("no-change", f"That is off in {room.name} already.")
        return Setting(self._now(), room.name, by.nickname, setting, value, state)

    def hide(self, by: Person, room: Room, *, is_on: bool) -> Setting:
        """Only the members know of the room."""
        self._check_not_lobby(room)
        return self.set(by, room, "hidden", "on" if is_on else "off", is_on or None)

    def close(self, by: Person, room: Room, why: str) -> Close:
        """Everybody but the owners has to leave, and nobody else may enter."""
        self._check_not_lobby(room)
        return Close(self._now(), room.name, by.nickname, why)

    # What all of them have in common

    def _member(self, room: Room, nickname: str) -> Person:
        other = self._people.find(nickname)
        if not self._rights.is_in(other, room):
            raise Refused("not-in-room", f"{other.nickname} is not in {room.name}.")
        return other

    def _check_below(self, by: Person, room: Ordered, other_id: str, nickname: str) -> None:
        if other_id == by.id:
            raise Refused("not-allowed", "You cannot do that to yourself: choose somebody else.")
        theirs = self._rights.role_of_id(other_id, room)
        if theirs >= self._rights.role_of(by, room):
            raise Refused(
                "not-allowed",
                f"{nickname} is {_a(theirs)} of {room.name}: only somebody above them can do that.",
            )

    @staticmethod
    def _check_not_lobby(room: Room) -> None:
        if room.key == names.LOBBY:
            raise Refused("not-allowed", f"{names.LOBBY} stays open to everybody.")

    def _check_place(self, room: Ordered, begin: str, most: int, what: str) -> None:
        over = sum(1 for name in self.over(room) if name.startswith(begin))
        if room.order.count(begin) - over >= most:
            raise Refused(
                "too-many-people", f"{room.name} has {most} {what}, which is the limit: end some."
            )

    def _ends(
        self, room: Ordered, begin: str, marks: Sequence[str], most: int, what: str
    ) -> Sequence[str]:
        """What is over by now, once there is place for some marks more."""
        self._check_place(room, begin, most, what)
        return tuple(name for name in self.over(room) if name not in marks)

    def over(self, room: Ordered) -> Iterable[str]:
        """Names of all in a room's state that has no meaning any more."""
        return room.order.over(
            lambda each: self._people.with_id(each) is not None, self._has_account
        )

    def _end(self, seconds: float | None) -> float | None:
        return None if seconds is None else self._now() + seconds


def _muted(marks: Sequence[str]) -> str:
    """The id of whom a mute is for, which is beside the addresses that it holds for."""
    ids = (mark.removeprefix("mute/") for mark in marks)
    return next((each for each in ids if not each.startswith("address:")), "")


def _a(role: Role) -> str:
    return {
        Role.OWNER: "an owner",
        Role.OPERATOR: "an operator",
        Role.ADMINISTRATOR: "an administrator",
        Role.VOICED: "voiced",
    }.get(role, f"a {role.word}")


def _place(text: str) -> str | None:
    """The address or network that somebody typed, as it is compared; None if it is neither."""
    if not any(character in text for character in ".:"):
        return None
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return None
    if network.num_addresses == 1:
        return neighbourhood(str(network.network_address))
    return str(network)


def _is_mask(mask: str) -> bool:
    return all(character.isalnum() or character in "_-*?" for character in mask)
