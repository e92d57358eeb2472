"""A device: one way in of a person, and the right to come back to it over another connection."""

import hashlib
import secrets
from typing import Any, Protocol

from twisted.internet.interfaces import IDelayedCall

from twisted_chat.chat.request import Request
from twisted_chat.log.fanout import Fanout
from twisted_chat.rate import Bucket
from twisted_chat.refusal import Refused
from twisted_chat.stores import SavedSession

_LATEST = 20
"""Requests of which everything is remembered: some may be pending."""


class Connection(Protocol):
    """What a device's connection is told of what happens to the person."""

    may_resume: bool
    """Whether they can come back to their session over another connection."""

    @property
    def own_read(self) -> int:
        """The last number in their own log that was written to it."""

    def follow(self, room: str, fanout: Fanout) -> None:
        """They are about to enter a room: read along."""

    def entered(self, room: str) -> None:
        """They are in a room now."""

    def went_to(self, room: str) -> None:
        """They went to a room, by its key, as they had asked for over an earlier connection."""

    def removed(self, room: str, other: str) -> None:
        """They have to leave a room, and what they type would go to another; both by their keys."""

    def wait_for(self, request: Request) -> None:
        """Do nothing more until what was asked for is stored or refused."""

    def unfollow(self, room: str) -> None:
        """They left a room: read to the end of what was said until now."""

    def missed_told(self, room: str) -> None:
        """It may not have been told who has come to a room, by its key, and who has left."""

    def has_read(self, room: str, number: int) -> None:
        """They have read a room, called so, up to a number on another device."""

    def refuse(self, why: Refused, ref: str | None = None) -> None:
        """Something that they asked for cannot be done."""

    def do_all(self) -> None:
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


class Device:
    """One way in of a person. Anyone without an account has exactly one.

    Args:
        address: where it connects from.
        now: when it came, in seconds since 1970.
        saved: what was kept of it, if it was here before.
        is_quiet: whether it only posts, so that its coming and going is not told.
        is_remembered: whether it is to stay logged in for months.
    """

    __slots__ = (
        "address",
        "connection",
        "done",
        "expiry",
        "id",
        "is_connected_elsewhere",
        "is_quiet",
        "is_remembered",
        "may_resume",
        "node",
        "refs",
        "replaced",
        "room",
        "saved",
        "settled",
        "since",
        "taken",
        "token",
        "token_hash",
        "until",
    )

    def __init__(
        self,
        address: str,
        now: float,
        saved: SavedSession | None = None,
        *,
        is_quiet: bool = False,
        is_remembered: bool = False,
    ) -> None:
        self.id = saved.id if saved else secrets.token_hex(8)
        self.address = address
        self.since = now
        self.connection: Connection | None = None
        self.node = 0  # the number of the server that it comes to; 0 for this one
        self.taken = 0  # the greater, the later it came to that one
        self.is_connected_elsewhere = False  # to that one, if it is another
        self.replaced = Bucket()  # counts how often its connection was replaced by another
        self.may_resume = saved is not None
        self.token = ""  # whoever shows it resumes this session
        self.token_hash = saved.token if saved else ""
        self.is_quiet = saved.is_quiet if saved else is_quiet
        self.until = saved.until if saved else 0.0  # when it is forgotten, if it does not come
        self.is_remembered = bool(self.until) or is_remembered
        self.room = saved.room if saved else ""  # the key of the one that is typed into
        self.refs: dict[str, Request] = {}  # what was asked for last, by the client's own names
        self.settled: dict[str, int] = {}  # before that: the numbers of the events, 0 without any
        self.done = tuple(saved.done) if saved else ()  # such requests that left no event
        self.saved = saved  # what is kept of it
        self.expiry: IDelayedCall | None = None  # when it is given up, if it does not come back

    @property
    def is_here(self) -> bool:
        """Whether it comes to this server, and not to another of the same chat."""
        return not self.node

    @property
    def is_connected(self) -> bool:
        """Whether it has a connection just now, here or elsewhere."""
        return self.connection is not None or self.is_connected_elsewhere

    def issue_token(self, epoch: str) -> None:
        """Let this session be resumed by whoever shows its token, which tells its epoch."""
        self.token = f"{epoch}.{secrets.token_urlsafe(24)}"
        self.token_hash = hash_token(self.token)
        self.may_resume = True

    def remember(self, request: Request, limit: int) -> None:
        """Remember a request for when it is sent again; the oldest ones are forgotten."""
        if request.ref is not None:
            self.refs.pop(request.ref, None)  # it was refused before, and is the latest now
            self.refs[request.ref] = request
            if len(self.refs) > _LATEST:
                self._settle_oldest()
            if len(self.refs) + len(self.settled) > limit:
                oldest: dict[str, Any] = self.settled or self.refs
                del oldest[next(iter(oldest))]

    def _settle_oldest(self) -> None:
        """Of a request that is settled, its outcome is enough: that takes half the memory."""
        ref, oldest = next(iter(self.refs.items()))
        if not oldest.is_pending:
            del self.refs[ref]
            if not oldest.is_refused:
                self.settled[ref] = oldest.id

    def again(self, ref: str) -> Request | None:
        """What was asked for under a client's own name, if that is remembered."""
        if ref not in self.settled:
            return self.refs.get(ref)
        request = Request(self.id, ref)
        request.id = self.settled[ref]
        return request

    def forget(self, request: Request) -> None:
        """That was not done: when it is sent again, it is asked for anew."""
        if request.ref is not None and self.refs.get(request.ref) is request:
            del self.refs[request.ref]
