"""Whose names are whose, and who may do what in every room: all that is decided by people."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.world.court import DECISIONS, OPERATOR, OWNER, Court
from twisted_chat.events.codec import OF
from twisted_chat.stores import SERVER_LOG

if TYPE_CHECKING:
    from tests.world.oracle import Oracle, Row


OPERATORS = "operator"
"""The id of whoever runs the server, and is not in it."""

SPEECH = ("message", "action", "topic")


def more_of(event: Any) -> str | None:
    """What a database would have of an event in no column of its own."""
    held = [name for name in OF[type(event)].held if name not in ("to", "text")]
    return json.dumps({name: getattr(event, name) for name in held}) if held else None


@dataclass
class Owner:
    """Somebody who has an account.

    Args:
        id: its id.
        passwords: the one that is right, or those that may be.
        is_admin: whether they administer the server.
    """

    id: str
    passwords: list[str]
    is_admin: bool = False


class Law:
    """What people have decided.

    Args:
        oracle: hears of what must not be.
    """

    def __init__(self, oracle: "Oracle") -> None:
        self._oracle = oracle
        self.accounts: dict[str, Owner] = {}  # by the key of the name
        self.courts: dict[str, Court] = {}
        self._kept: dict[str, dict[int, Row]] = {}  # decisions that were ever stored
        self._stored: dict[str, Court] = {}  # what holds by all that is stored
        self._next: dict[str, int] = {}  # by room: the first number that was not shown
        self.homes: dict[str, list[str]] = {}  # where people with accounts were when they left
        self._ever: set[str] = set()  # hashes of tokens that the database ever had
        self.has_banned = False  # anybody from the server, which ends sessions
        self.tokens: set[str] = set()  # hashes of those that the last kill has left

    @property
    def owners(self) -> dict[str, Owner]:
        """Everybody who has an account, by id."""
        return {owner.id: owner for owner in self.accounts.values()}

    @property
    def lockdown(self) -> str:
        """Whom the server keeps out."""
        return self.court(SERVER_LOG).settings.get("lockdown", "off")

    def court(self, room: str) -> Court:
        """What is decided in a room."""
        return self.courts.setdefault(room, Court())

    def is_admin(self, person: str) -> bool:
        """Whether somebody administers the server."""
        owner = self.owners.get(person)
        return owner is not None and owner.is_admin

    # What the server does

    def keeps(self, log: str, number: int, row: "Row") -> None:
        """This is stored; nobody is heard after what silences them, shown or not."""
        if row.kind in DECISIONS and number not in self._kept.setdefault(log, {}):
            changes = json.loads(row.more or "{}").get("changes")
            if changes and row.origin != OPERATORS and not self.is_admin(row.origin):
                self._oracle.find("usurper", f"{row} is of nobody who administers the server")
            self.has_banned |= any(name.startswith("ban/") for name in changes or ())
            self._kept[log][number] = row
            self._stored.setdefault(log, Court()).decides(number, row)
        stored = self._stored.get(log)
        if stored and row.kind in SPEECH and stored.is_muted(row.origin, row.time):
            self._oracle.find("silenced", f"{log} has {row}, who had been muted before that")

    def shows(self, log: str, last: int) -> None:
        """Everything up to a number may be seen, and holds."""
        kept = self._kept.get(log)
        if kept:
            for number in [each for each in kept if self._next.get(log, 1) <= each <= last]:
                self.court(log).decides(number, kept[number])
        self._next[log] = last + 1

    def starts(self, *, forgets: bool) -> None:
        """A server has started, for which all holds that is stored."""
        self.courts, self._next = {}, {}
        if forgets:
            self._kept, self._stored, self.accounts, self.homes = {}, {}, {}, {}
        for log, kept in self._kept.items():
            self.shows(log, max(kept))

    def remembers(self, tokens: Iterable[str]) -> None:
        """The database has the sessions of these hashes."""
        self.tokens = set(tokens)
        self._ever |= self.tokens

    def is_kept(self, token: str, *, is_remembered: bool) -> bool:
        """Whether a session survived the last kill, or must have."""
        kept = self._ever if is_remembered else self.tokens
        return hashlib.sha256(token.encode()).hexdigest() in kept

    def speaks(self, person: Any, room: str) -> None:
        """Somebody has said something, which was let through."""
        now, is_admin = self._oracle.steady(), self.is_admin(person.id)
        is_in_time = self.court(room).speaks(person, now, is_admin=is_admin)
        if not is_in_time and not self._oracle.is_showing:
            self._oracle.find("slow", f"{person.nickname} speaks too soon in {room}, which is slow")

    # What must not be

    def check_name(self, person: Any) -> None:
        """Nobody but its owner has a registered name."""
        owner = self.accounts.get(person.key)
        if owner is not None and owner.id != person.id and not person.displaced:
            self._oracle.find("impostor", f"{person.nickname} comes, and is not its owner")
        if not person.account and self.lockdown != "off" and person.since == self._oracle.now():
            self._oracle.find("lockdown", f"{person.nickname} comes although nobody new may")

    def check_newcomer(self, person: Any) -> None:
        """Whoever comes may."""
        self.check_name(person)
        if person.since == self._oracle.now() and self._is_sent_away(person, comes=True):
            self._oracle.find("banned", f"{person.nickname} comes, and is banned from the server")

    def _is_sent_away(self, person: Any, *, comes: bool) -> bool:
        now, is_admin = self._oracle.now(), self.is_admin(person.id)
        return self.court(SERVER_LOG).is_banned(person, now, is_admin=is_admin, comes=comes)

    def check_act(self, kind: str, person: Any, room: str, text: str) -> None:
        """Who says something may."""
        if kind == "leave" and person.account:
            self.homes[person.id] = list(person.rooms)
        if kind in (*SPEECH, "whisper"):
            self.check_name(person)
            if self.lockdown == "all" and not person.account:
                self._oracle.find("lockdown", f"{person.nickname} is heard: {text}")
        if kind not in SPEECH or self._oracle.is_showing:
            return  # what was stored together holds one after the other
        court = self.court(room)
        if not self.may_speak(person, room):
            self._oracle.find("silenced", f"{person.nickname} may not speak in {room}: {text}")
        if court.kicks.get(person.id, 0) > self._oracle.entered.get((person.id, room), 0):
            self._oracle.find("silenced", f"{person.nickname} was removed from {room}: {text}")

    def may_enter(self, person: Any, room: str, key: str = "") -> bool:
        """Whether somebody is let into a room just now."""
        now, is_admin = self._oracle.now(), self.is_admin(person.id)
        return self.court(room).may_enter(person, key, now, is_admin=is_admin)

    def may_speak(self, person: Any, room: str) -> bool:
        """Whether somebody who is in a room may say something there just now."""
        if self.lockdown == "all" and not person.account:
            return False
        now, is_admin = self._oracle.now(), self.is_admin(person.id)
        return self.court(room).may_speak(person, now, is_admin=is_admin)

    def check_entry(self, person: Any, room: str, key: str) -> None:
        """Who enters may."""
        if not self._oracle.is_showing and not self.may_enter(person, room, key):
            self._oracle.find("intruder", f"{person.nickname} is let into {room} ({key!r})")

    def check_decision(self, person: Any, room: str, event: Any) -> None:
        """Who decides may, and about those below them."""
        court, kind = self.court(room), OF[type(event)].name
        mine = court.rank(person.id, is_admin=self.is_admin(person.id))
        about = getattr(event, "person", "")
        for mark in getattr(event, "marks", ()):
            kind_of_mark, _, whom = mark.replace("/", ":", 1).rpartition(":")
            if kind_of_mark in ("mute", "ban:person"):
                about = whom
        is_owners = kind == "close" or getattr(event, "setting", "") == "hidden"
        is_owners |= getattr(event, "role", "") in ("operator", "owner")
        theirs = court.rank(about, is_admin=self.is_admin(about)) if about else 0
        is_above = theirs < mine or kind == "invite" or about == person.id
        is_below_owner = is_owners and mine < OWNER
        gives_up = kind == "role" and about == person.id and event.role == "member"
        is_usurped = (mine < OPERATOR or is_below_owner or not is_above) and not gives_up
        if is_usurped and not self._oracle.is_showing:
            self._oracle.find("usurper", f"{person.nickname}, of rank {mine}, decides {event}")

    def check_stays(self, people: Iterable[tuple[Any, str, int]]) -> None:
        """Everybody who is in a room may be.

        Args:
            people: who is in which, and the last number when they entered.
        """
        now = max(self._oracle.now(), self._oracle.latest)  # they came when a ban was over
        for person, room, entered in people:
            is_admin = self.is_admin(person.id)
            if not self.court(room).may_stay(person, entered, now, is_admin=is_admin):
                self._oracle.find("stays", f"{person.nickname} is in {room}, and may not")
            if self._is_sent_away(person, comes=False):
                self._oracle.find("stays", f"{person.nickname} is here, banned from the server")
