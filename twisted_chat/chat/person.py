"""A person: their nickname, whom they ignore, and their private log."""

import hashlib
import secrets
from dataclasses import replace
from typing import NamedTuple, Protocol

from twisted.internet.interfaces import IDelayedCall

from twisted_chat.chat.request import Request
from twisted_chat.events import Action, Away, Entry, Hidden, Leave, Message, Topic, Whisper
from twisted_chat.log.fanout import Fanout
from twisted_chat.log.log import Log
from twisted_chat.rate import Bucket
from twisted_chat.refusal import Refused
from twisted_chat.stores import SavedSession
from twisted_chat.text import names


class Connection(Protocol):
    """What a person's connection is told of what happens to them."""

    may_resume: bool
    """Whether they can come back to their session over another connection."""

    def follow(self, room: str, fanout: Fanout) -> None:
        """They are about to enter a room: read along."""

    def entered(self, room: str) -> None:
        """They are in a room now."""

    def unfollow(self, room: str) -> None:
        """They left a room: read to the end of what was said until now."""

    def refuse(self, why: Refused, ref: str | None = None) -> None:
        """Something that they asked for cannot be done."""

    def hurry(self) -> None:
        """There is no later: do what waits for its pace."""

    def replace(self) -> None:
        """They go on over another connection."""

    def end(self) -> None:
        """They are gone: let them read what was said until now, then close."""


def hash_token(token: str) -> str:
    """What is kept of a session's token, so that a stolen database resumes nobody's session."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def epoch_of(token: str) -> str | None:
    """What the numbers belong to that the holder of a token has seen, if it tells that."""
    epoch, dot, _ = token.partition(".")
    return epoch if dot else None


class Whisperer(NamedTuple):
    """Somebody who has whispered, and what they were called then."""

    nickname: str
    person_id: str


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
        saved: what an earlier run kept of them, if they were here then.
    """

    __slots__ = (
        "_ignored_ids",
        "address",
        "away",
        "connection",
        "displaced",
        "done",
        "expiry",
        "fanout",
        "former",
        "id",
        "ignored",
        "is_quiet",
        "key",
        "last_whisperer",
        "log",
        "may_resume",
        "nickname",
        "present",
        "refs",
        "renames",
        "renaming",
        "room",
        "rooms",
        "saved",
        "since",
        "spoke",
        "token",
        "token_hash",
        "told_away",
    )

    def __init__(
        self, nickname: str, address: str, now: float, saved: SavedSession | None = None
    ) -> None:
        self.id = saved.id if saved else secrets.token_hex(8)
        self.token = ""  # whoever shows it resumes this person's session
        self.token_hash = saved.token if saved else ""
        self.may_resume = saved is not None
        self.nickname = nickname
        self.key = names.key(nickname)
        self.address = address
        self.since = now
        self.spoke: float | None = None  # when they last said something in this run
        self.away: str | None = saved.away if saved else None
        self.connection: Connection | None = None
        self.present = True
        self.is_quiet = saved.is_quiet if saved else False  # only posts: nobody is told of them
        self.displaced = False  # somebody else has the nickname, and the rooms are left for now
        self.rooms: dict[str, int] = {}  # by key, in the order of entering: the last number then
        self.room = saved.room if saved else ""  # the key of the one that they type into
        self.ignored: dict[str, Ignored] = {}  # by key
        self._ignored_ids: frozenset[str] = frozenset()
        for ignored in saved.ignored if saved else ():
            self.ignore(*ignored)
        self.last_whisperer: Whisperer | None = None
        self.told_away: tuple[str, ...] = ()  # the ids of those who know why we are away
        self.expiry: IDelayedCall | None = None  # when they are given up, if nobody comes back
        self.renames: Bucket | None = None
        self.renaming: Request | None = None  # the last one, which may be pending
        self.refs: dict[str, Request] = {}  # what they asked for under a name of their own
        self.former = tuple(saved.former) if saved else ()  # names that somebody else took
        self.done = tuple(saved.done) if saved else ()  # such requests that left no event
        self.saved = saved  # what is kept of them
        self.log: Log | None = None  # their own, once there is anything in it
        self.fanout: Fanout | None = None  # of the same

    def issue_token(self, epoch: str) -> None:
        """Let this session be resumed by whoever shows its token, which tells its epoch."""
        self.token = f"{epoch}.{secrets.token_urlsafe(24)}"
        self.token_hash = hash_token(self.token)

    def remember(self, request: Request, limit: int) -> None:
        """Something that they ask for, for when it is sent again; the oldest are forgotten."""
        if request.ref is not None:
            self.refs[request.ref] = request
            if len(self.refs) > limit:
                del self.refs[next(iter(self.refs))]

    def forget(self, request: Request) -> None:
        """That was not done: when it is sent again, it is asked for anew."""
        if request.ref is not None and self.refs.get(request.ref) is request:
            del self.refs[request.ref]

    def ignore(self, nickname: str, other_id: str) -> None:
        """Hear no more of somebody, also under another nickname while they stay."""
        known = self.ignored.get(names.key(nickname))
        if known is not None and known.person_id:
            other_id = known.person_id  # they are ignored under another name by now
        self.ignored[names.key(nickname)] = Ignored(nickname, other_id)
        self._know_ignored()

    def unignore(self, nickname: str, other_id: str) -> bool:
        """Hear somebody again; says whether they were ignored."""
        heard = [
            key
            for key, ignored in self.ignored.items()
            if key == names.key(nickname) or (other_id and ignored.person_id == other_id)
        ]
        for key in heard:
            del self.ignored[key]
        self._know_ignored()
        return bool(heard)

    def hears(self, nickname: str, person_id: str) -> bool:
        """Whether they want to hear somebody."""
        if not self.ignored or person_id == self.id:
            return True
        return person_id not in self._ignored_ids and names.key(nickname) not in self.ignored

    def _know_ignored(self) -> None:
        ids = (ignored.person_id for ignored in self.ignored.values())
        self._ignored_ids = frozenset(filter(None, ids))

    def view(self, entry: Entry) -> Entry | None:
        """See `reader.Viewer`: nothing that somebody wrote whom they ignore."""
        event = entry.event
        if self.hears(event.sender, entry.origin):
            return entry
        match event:
            case Message() | Action() | Whisper() | Topic():
                return Entry(Hidden(event.time, event.room, ""), id=entry.id)
            case Away():
                return None
            case Leave():
                return replace(entry, event=replace(event, reason=""))
            case _:
                return entry
