"""What can happen in a chat: frozen values, in one closed union."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol, TypeAlias

from twisted_chat.refusal import Refused

OWN = "@"
"""The name under which people meet their own log: whispers, and all that is for them alone."""


@dataclass(frozen=True, slots=True)
class _Event:
    """What every event says: when it happened (seconds since 1970), in which room, through whom."""

    time: float
    room: str
    sender: str


class Stored(_Event):
    """What history keeps: each has a number of its own in its log."""

    __slots__ = ()


class Told(_Event):
    """What is told to those who are there, and has no number."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Message(Stored):
    """Somebody says something."""

    text: str


@dataclass(frozen=True, slots=True)
class Action(Stored):
    """Somebody does something: `/me waves`."""

    text: str


@dataclass(frozen=True, slots=True)
class Whisper(Stored):
    """Somebody says something to one person; it stands in both people's own logs."""

    to: str
    text: str


@dataclass(frozen=True, slots=True)
class Rename(Stored):
    """Somebody (`sender`, the old nickname) is now known as `to`."""

    to: str


@dataclass(frozen=True, slots=True)
class Topic(Stored):
    """Somebody changes what a room is about; an empty text takes the topic away."""

    text: str


@dataclass(frozen=True, slots=True)
class Join(Told):
    """Somebody enters a room; `also` names those who came in the same rush."""

    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Leave(Told):
    """Somebody leaves a room; the reason is empty where there is none, `also` as in `Join`."""

    reason: str
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Away(Told):
    """Somebody goes away, saying why; an empty text means that they are back."""

    text: str


@dataclass(frozen=True, slots=True)
class Notice(Told):
    """The server announces something; nobody is its sender."""

    text: str


@dataclass(frozen=True, slots=True)
class Hidden(Stored):
    """What stands in a log in the place of an event by somebody whom the reader ignores."""


Event: TypeAlias = (
    Message | Action | Whisper | Rename | Topic | Join | Leave | Away | Notice | Hidden
)
"""Every kind there is; `codec` says how each is written."""


class By(Enum):
    """Whose act an event is, as somebody sees it who reads it over some connection."""

    OTHERS = "somebody else's, or the server's"
    ME = "the reader's own, over another connection of theirs"
    HERE = "the reader's own, over this very connection"


class Waiter(Protocol):
    """Whoever waits to hear what becomes of an entry."""

    def stored(self, entry: "Entry") -> None:
        """It has its place in the log, and readers are about to see it."""

    def refused(self, why: Refused) -> None:
        """It could not be stored, and nobody will see it."""


@dataclass(slots=True)
class Entry:
    """An event's place in a log.

    Args:
        event: what happened.
        author: the id of the person whose act it was; empty for the server's own.
        ref: the client's own name for the request, if it gave it one.
        id: the event's number in its log, given by the store; of an event that is only told,
            the number of the last stored event before it.
        client: the id of the connection or session that asked for it, whose `ref` that is.
        waiter: whoever waits to hear what becomes of it, until it is stored or refused.
    """

    event: Event
    author: str = ""
    ref: str | None = None
    id: int = 0
    client: str = ""
    waiter: Waiter | None = field(default=None, repr=False, compare=False)

    @property
    def stored(self) -> bool:
        """Whether this event has a number of its own."""
        return isinstance(self.event, Stored)

    def by(self, person: str, client: str) -> By:
        """Whose act it is, as a person sees it who reads over a connection; both by their ids."""
        if not person or self.author != person:
            return By.OTHERS
        return By.HERE if self.client == client else By.ME
