"""What a room's state says about order: roles, bans, mutes, invitations and settings."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from enum import IntEnum
from fnmatch import fnmatchcase
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any, NamedTuple, Protocol

from twisted_chat.addresses import neighbourhood
from twisted_chat.chat.person import Person
from twisted_chat.events.effects import State
from twisted_chat.text import names


class Role(IntEnum):
    """What somebody is in a room; who is higher may do all that those below may."""

    MEMBER = 0
    VOICED = 1
    OPERATOR = 2
    OWNER = 3
    ADMINISTRATOR = 4
    """Of the server, and so in every room; no room can give this role."""

    @property
    def word(self) -> str:
        """As the wires call it."""
        return self.name.lower()


class Sentence(NamedTuple):
    """A ban or a mute.

    Args:
        target: whom it is for, as operators are shown it.
        by: who decided it.
        why: their reason; may be empty.
        until: when it ends, in seconds since 1970; None if it does not.
        at: when it began.
    """

    target: str
    by: str
    why: str
    until: float | None
    at: float

    def lasts_as_long_as(self, other: "Sentence") -> bool:
        """Whether it does not end before another one."""
        if self.until is None or other.until is None:
            return self.until is None
        return self.until >= other.until


class Ordered(Protocol):
    """Where order is kept: a room, or the whole server."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def order(self) -> "Order":
        """What is decided there."""


class Order:
    """What is decided in one room. It changes with the room's state, so nothing is kept twice.

    Args:
        state: the room's state.
        now: gives the time of day, in seconds since 1970.
    """

    __slots__ = ("_binds_members", "_masks", "_now", "_state", "is_open", "silenced")

    def __init__(self, state: State, now: Callable[[], float]) -> None:
        self._state = state
        self._now = now
        self._masks: tuple[str, ...] | None = None
        self.silenced: Counter[str] = Counter()
        """By id, how much is decided about somebody that is not stored yet."""
        self.is_open = True
        """Whether nothing is decided that could keep a member from speaking, as in most rooms."""
        self.changed()

    def changed(self) -> None:
        """Something in the state is another than before."""
        self._masks = None
        self._binds_members = not all(name.startswith(_HARMLESS) for name in self._state)
        self._see_whether_open()

    def silence(self, person_id: str) -> None:
        """Something is decided about somebody that is not stored yet."""
        self.silenced[person_id] += 1
        self._see_whether_open()

    def unsilence(self, person_id: str) -> None:
        """That is stored, or refused."""
        self.silenced[person_id] -= 1
        if self.silenced[person_id] <= 0:
            del self.silenced[person_id]
        self._see_whether_open()

    def _see_whether_open(self) -> None:
        self.is_open = not self._binds_members and not self.silenced

    # Roles

    def role_of(self, person_id: str) -> Role:
        """The role that somebody has been given."""
        if self.has_word(person_id):
            return max(Role.VOICED, self.given(person_id))
        return self.given(person_id)

    def given(self, person_id: str) -> Role:
        """The same, whether or not they have the word, which protects nobody from a ban."""
        given = self._state.get("role/" + person_id)
        return _ROLES.get(given["role"], Role.MEMBER) if isinstance(given, Mapping) else Role.MEMBER

    def is_of_account(self, person_id: str) -> bool:
        """Whether somebody had an account when they got their role, which then is the account's."""
        given = self._state.get("role/" + person_id)
        return isinstance(given, Mapping) and bool(given["has_account"])

    def holders(self, least: Role) -> Iterator[tuple[str, str]]:
        """The ids of those with at least this role, each with the nickname that they had then."""
        for name, given in self._named("role/"):
            if _ROLES.get(given["role"], Role.MEMBER) >= least:
                yield name.removeprefix("role/"), given["name"]

    def holder_called(self, nickname: str) -> str | None:
        """The id of who has some role and was called this when they got it."""
        key = names.key(nickname)
        found = (each for each, name in self.holders(Role.VOICED) if names.key(name) == key)
        return next(found, None)

    # Hands

    def has_hand(self, person_id: str) -> bool:
        """Whether somebody has raised their hand."""
        return "hand/" + person_id in self._state

    def hands(self) -> list[tuple[str, str]]:
        """Whose hands are raised, in the order of raising: ids, with the nicknames of then."""
        raised = sorted(self._named("hand/"), key=lambda each: tuple(each[1]["at"]))
        return [(name.removeprefix("hand/"), each["name"]) for name, each in raised]

    @property
    def word(self) -> tuple[str, str] | None:
        """Who has the word: their id, and their nickname of then; None if nobody has."""
        word = self._state.get("word")
        return (word["person"], word["name"]) if isinstance(word, Mapping) else None

    def has_word(self, person_id: str) -> bool:
        """Whether somebody has the word."""
        word = self._state.get("word")
        return isinstance(word, Mapping) and word["person"] == person_id

    # Bans and mutes

    def ban_of(self, person: Person, *, is_newcomer: bool) -> Sentence | None:
        """What keeps somebody out, who has no role here; None if nothing does.

        Args:
            person: who.
            is_newcomer: whether they want to enter. Without an account they may not do so from
                where somebody was who is banned; but who is here already is somebody else, as far
                as anybody knows, perhaps in the same class.
        """
        own = self.in_force("ban/person:" + person.id) or self.in_force("ban/nick:" + person.key)
        if own is not None:
            return own
        for place in () if person.account else places_of(person):
            found = self.in_force("ban/address:" + place)
            if found is None and is_newcomer:
                found = self.in_force("ban/near:" + place)
            if found is not None:
                return found
        for mask in self._all_masks():
            if fits(mask, person) and (found := self.in_force("ban/mask:" + mask)) is not None:
                return found
        return None

    def ban_of_nickname(self, nickname: str) -> Sentence | None:
        """What keeps out whoever has a nickname; None if nothing does."""
        key = names.key(nickname)
        found = self.in_force("ban/nick:" + key)
        for mask in self._all_masks():
            if found is None and "/" not in mask and fnmatchcase(key, mask):
                found = self.in_force("ban/mask:" + mask)
        return found

    def ban_of_address(self, address: str) -> Sentence | None:
        """What keeps out everybody who connects from an address; None if nothing does."""
        found = self.in_force("ban/address:" + neighbourhood(address))
        for mask in self._all_masks():
            if found is None and "/" in mask and _is_in(address, mask):
                found = self.in_force("ban/mask:" + mask)
        return found

    def mute_of(self, person: Person, role: Role) -> Sentence | None:
        """What keeps somebody with a role from speaking; None if nothing does."""
        found = self.in_force("mute/" + person.id)
        if found is None and not person.account and role is Role.MEMBER:
            for place in places_of(person):
                found = found or self.in_force("mute/address:" + place)
        return found

    def sentences(self, begin: str) -> dict[str, list[str]]:
        """What is in force, each under whom it is for, with its names in the state.

        Args:
            begin: `ban/` or `mute/`.
        """
        found: dict[str, list[str]] = {}
        for name, value in self._named(begin):
            if not self._is_over(value):
                found.setdefault(value["target"], []).append(name)
        return found

    def sentence(self, name: str) -> Sentence:
        """The ban or mute of this name, which is in the state."""
        return _sentence(self._state[name])

    def in_force(self, name: str) -> Sentence | None:
        """The ban or mute of this name; None if there is none, or it is over."""
        value = self._state.get(name)
        return None if value is None or self._is_over(value) else _sentence(value)

    def is_kicked(self, person_id: str, entered: int) -> bool:
        """Whether somebody was removed since they entered.

        Args:
            person_id: who.
            entered: the number of the last event when they did.
        """
        number = self._state.get("kicked/" + person_id, 0)
        return isinstance(number, int) and number > entered

    def over(
        self, is_here: Callable[[str], bool], has_account: Callable[[str], bool]
    ) -> Iterator[str]:
        """Names of all that has no meaning any more, so that the state does not grow for ever.

        Args:
            is_here: whether somebody of this id is in the chat, or may be back soon.
            has_account: whether there is an account of this id by now, and still.
        """
        for name, value in self._values():
            kind, _, rest = name.partition("/")
            match kind:
                case "ban" | "mute" | "file":
                    if self._is_over(value):
                        yield name
                case "kicked":
                    if not is_here(rest):
                        yield name
                case "role" | "invite":
                    if not has_account(rest) and not is_here(rest):
                        yield name

    def count(self, begin: str) -> int:
        """How much of a kind there is: `ban/`, `mute/`, `role/`, `invite/`."""
        return sum(1 for name in self._state if name.startswith(begin))

    # Settings

    @property
    def lock(self) -> Mapping[str, Any] | None:
        """What keeps people out who are not invited: None if nothing does."""
        lock = self._state.get("lock")
        return lock if isinstance(lock, Mapping) else None

    def is_invited(self, person_id: str) -> bool:
        """Whether somebody may enter although the room is locked."""
        return "invite/" + person_id in self._state

    def is_key(self, key: str) -> bool:
        """Whether this opens the lock."""
        lock = self.lock
        return lock is not None and bool(key) and lock.get("key") == self.hash_key(key, lock)

    @staticmethod
    def hash_key(key: str, lock: Mapping[str, Any]) -> str:
        """What is kept of a key, so that nobody reads it in a database or an export."""
        return (
            hashlib.sha256(f"{lock['salt']}:{key}".encode()).hexdigest() if "salt" in lock else ""
        )

    @property
    def is_hidden(self) -> bool:
        """Whether only its members know of the room."""
        return "hidden" in self._state

    @property
    def least_to_speak(self) -> Role:
        """The role that one needs to speak."""
        if "frozen" in self._state:
            return Role.OPERATOR
        return Role.VOICED if "moderated" in self._state else Role.MEMBER

    @property
    def slow(self) -> int:
        """Seconds between two messages of one member; 0 for as fast as they like."""
        seconds = self._state.get("slow", 0)
        return seconds if isinstance(seconds, int) else 0

    # How it is kept

    def _named(self, begin: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for name, value in self._state.items():
            if name.startswith(begin) and isinstance(value, Mapping):
                yield name, value

    def _values(self) -> Iterator[tuple[str, Any]]:
        yield from self._state.items()

    def _is_over(self, value: Any) -> bool:
        until = value["until"]
        return until is not None and until <= self._now()

    def _all_masks(self) -> tuple[str, ...]:
        if self._masks is None:
            names = (name.partition("ban/mask:") for name in self._state)
            self._masks = tuple(mask for _, found, mask in names if found)
        return self._masks


_HARMLESS = ("topic", "role/", "file/", "ban/", "invite/", "lock", "hidden")
"""What is decided about who is in a room, or what it is like: all who are in it can speak."""

_ROLES = {role.word: role for role in Role if role is not Role.ADMINISTRATOR}


def _sentence(value: Any) -> Sentence:
    return Sentence(*(value[key] for key in Sentence._fields))


def places_of(person: Person) -> tuple[str, ...]:
    """From where somebody is here, as far as that tells them from others."""
    places = {_place_of(device.address) for device in person.devices.values()}
    return tuple(filter(None, places))


@lru_cache(maxsize=16_384)  # every line of somebody without an account asks for it
def _place_of(address: str) -> str:
    """What counts as one place; empty for this machine, which may be a proxy, and so anybody."""
    place = neighbourhood(address)
    return "" if place in ("local", "::/64") or place.startswith("127.") else place


def fits(mask: str, person: Person) -> bool:
    """Whether somebody is whom a mask means: a nickname with * and ?, or a network with /."""
    if "/" not in mask:
        return fnmatchcase(person.key, mask)
    if person.account:
        return False
    return any(_is_in(device.address, mask) for device in person.devices.values())


def _is_in(address: str, network: str) -> bool:
    """Whether an address is in a network; what is no address is in none."""
    try:
        return ip_address(address.partition("%")[0]) in ip_network(network)
    except ValueError:
        return False
