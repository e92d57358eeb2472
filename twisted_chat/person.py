"""A person: who they are to the others, whom they ignore, and the log that is theirs alone."""

import hashlib
import secrets
from typing import NamedTuple, Protocol

from twisted.internet.interfaces import IDelayedCall

from twisted_chat import names
from twisted_chat.events import Entry
from twisted_chat.log import Log
from twisted_chat.pace import Bucket
from twisted_chat.refusal import Refused
from twisted_chat.stores import Seat


class Connection(Protocol):
    """What a person's connection is told of what happens to them."""

    may_resume: bool
    """Whether they can come back to their session over another connection."""

    def follow(self, room: str, log: Log) -> None:
        """They are about to enter a room: read along."""

    def entered(self, room: str) -> None:
        """They are in a room now."""

    def unfollow(self, room: str) -> None:
        """They left a room: read to the end of what was said until now."""

    def refuse(self, why: Refused, ref: str | None = None) -> None:
        """Something that they asked for cannot be done."""

    def replace(self) -> None:
        """They go on over another connection."""

    def end(self) -> None:
        """They are gone: let them read what was said until now, then close."""


def proof(token: str) -> str:
    """What is kept of a session's token, so that a stolen database resumes nobody's session."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


class Ignored(NamedTuple):
    """Somebody who is not heard; the id is empty if they were not here when that was said."""

    nickname: str
    person_id: str


class Person:
    """Somebody with a nickname.

    Args:
        nickname: what they are called, as they typed it.
        address: where they came from.
        now: when they came, in seconds since 1970.
        seat: what an earlier run kept of them, if they were here then.
    """

    __slots__ = (
        "address",
        "away",
        "connection",
        "expiry",
        "id",
        "ignored",
        "key",
        "last_whisperer",
        "log",
        "may_resume",
        "nickname",
        "present",
        "proof",
        "refs",
        "renames",
        "rooms",
        "since",
        "spoke",
        "token",
        "told_away",
    )

    def __init__(self, nickname: str, address: str, now: float, seat: Seat | None = None) -> None:
        self.id = seat.id if seat else secrets.token_hex(8)
        self.token = ""  # whoever shows it resumes this person's session
        self.proof = seat.token if seat else ""
        self.may_resume = seat is not None
        self.nickname = nickname
        self.key = names.key(nickname)
        self.address = address
        self.since = self.spoke = now
        self.away: str | None = None
        self.connection: Connection | None = None
        self.present = True
        self.rooms: dict[str, int] = {}  # by key, in the order of entering: the last number then
        self.ignored: dict[str, Ignored] = {}  # by key
        self.last_whisperer: Person | None = None
        self.told_away: tuple[str, ...] = ()  # the ids of those who know why we are away
        self.expiry: IDelayedCall | None = None  # when they are given up, if nobody comes back
        self.renames: Bucket | None = None
        self.refs: dict[str, Entry] = {}  # what they asked for under a name of their own
        self.log: Log | None = None  # their own, once there is anything in it

    def issue_token(self) -> None:
        """Let this session be resumed by whoever shows its token."""
        self.token = secrets.token_urlsafe(24)
        self.proof = proof(self.token)

    def remember(self, ref: str, entry: Entry, limit: int) -> None:
        """What became of a request, for when it is sent again; the oldest are forgotten."""
        self.refs[ref] = entry
        if len(self.refs) > limit:
            del self.refs[next(iter(self.refs))]

    def ignore(self, nickname: str, other_id: str) -> None:
        """Hear no more of somebody, also under another nickname while they stay."""
        self.ignored[names.key(nickname)] = Ignored(nickname, other_id)

    def unignore(self, nickname: str, other_id: str) -> bool:
        """Hear somebody again; says whether they were ignored."""
        heard = [
            key
            for key, ignored in self.ignored.items()
            if key == names.key(nickname) or (other_id and ignored.person_id == other_id)
        ]
        for key in heard:
            del self.ignored[key]
        return bool(heard)

    @property
    def ignores_somebody(self) -> bool:
        """Whether there is anybody whom they do not want to hear."""
        return bool(self.ignored)

    def ignores(self, entry: Entry) -> bool:
        """Whether they do not want to hear who did this."""
        if not self.ignored or entry.origin == self.id:
            return False
        return names.key(entry.event.sender) in self.ignored or any(
            ignored.person_id == entry.origin for ignored in self.ignored.values()
        )
