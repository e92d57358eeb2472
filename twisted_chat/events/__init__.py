"""What can happen in a chat: frozen values, in one closed union."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol, TypeAlias

from twisted_chat.refusal import Refused

OWN = "@"
"""The name of a person's private log: whispers, and everything else meant only for them."""

SERVER = "*"
"""What stands in the place of a room in the server's own log."""


@dataclass(frozen=True, slots=True)
class _Event:
    """What all events have: a time (seconds since 1970), a room and a sender."""

    time: float
    room: str
    sender: str


class Stored(_Event):
    """Events that are kept in the history: each has a number in its log."""

    __slots__ = ()


class Told(_Event):
    """Events that are only announced to people who are connected, and have no number."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, init=False)
class Message(Stored):
    """Somebody says something."""

    text: str

    def __init__(self, time: float, room: str, sender: str, text: str) -> None:
        _set_time(self, time)
        _set_room(self, room)
        _set_sender(self, sender)
        _set_text(self, text)


# What a frozen dataclass does by itself takes three times as long, for each line that is said.
_set_time, _set_room, _set_sender, _set_text = (
    vars(owner)[name].__set__
    for owner, name in ((_Event, "time"), (_Event, "room"), (_Event, "sender"), (Message, "text"))
)


@dataclass(frozen=True, slots=True)
class Action(Stored):
    """Somebody does something: `/me waves`."""

    text: str


@dataclass(frozen=True, slots=True)
class Whisper(Stored):
    """A private message to one person; it is in both people's private logs."""

    to: str
    text: str


@dataclass(frozen=True, slots=True)
class Rename(Stored):
    """Somebody (`sender`, the old nickname) is now known as `to`."""

    to: str


@dataclass(frozen=True, slots=True)
class Topic(Stored):
    """Somebody changes the topic of a room; an empty text removes it."""

    text: str


@dataclass(frozen=True, slots=True)
class File(Stored):
    """Somebody sends a file to a room.

    Args:
        name: what it is called.
        type: its media type, such as `image/png`.
        url: its path on the server's page, which nobody can guess; at a client, its whole address.
        size: bytes.
        until: how long it is kept, in seconds since 1970; None if that has no end.
        digest: the SHA-256 of its content, in hexadecimal digits.
        person: the id of who sent it.
        owner: in whose quota it is: the id of an account, or an address.
        ends: as in `RoleChange`.
    """

    name: str
    type: str
    url: str
    size: int
    until: float | None = None
    digest: str = ""
    person: str = ""
    owner: str = ""
    ends: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Delete(Stored):
    """Somebody deletes a file.

    Args:
        name: what it was called.
        of: the number of the event that brought it.
        ends: as in `RoleChange`.
    """

    name: str
    of: int
    ends: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Hands(Stored):
    """Hands are raised or lowered in a room, or somebody gets the word.

    Args:
        what: `raised` or `lowered` by those themselves; `gone` with them; `next` gives the word
            to the first, who says that they are `done`; `cleared` by the sender.
        people: the nicknames of those whose hands they are, in their order.
        persons: their ids, in the same order.
        ends: as in `RoleChange`.
    """

    what: str
    people: Sequence[str] = ()
    persons: Sequence[str] = ()
    ends: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Act(Stored):
    """An administrator or operator does something, as the server's own log has it.

    Args:
        act: what they do, to go on after their nickname.
        text: what they wrote with it, such as the reason; may be empty.
        changes: what it changes in the server's state; of a ban, the reason is the text. Under
            names that begin with `do/`, what all servers do when they see it.
    """

    act: str
    text: str = ""
    changes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RoleChange(Stored):
    """Somebody gives a role in a room; `member` takes away the one that the other had.

    Args:
        to: who gets it.
        role: `owner`, `operator`, `voiced` or `member`.
        person: their id.
        has_account: whether that id is theirs for good.
        ends: names of what is over in the room's state, as in all events of this sort.
    """

    to: str
    role: str
    person: str = ""
    has_account: bool = False
    ends: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Kick(Stored):
    """Somebody removes another from a room, who may enter it again."""

    to: str
    reason: str
    person: str = ""
    ends: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Ban(Stored):
    """Somebody keeps others out of a room.

    Args:
        target: a nickname, a mask, or a word for an address, which nobody is shown.
        reason: why; may be empty.
        until: when it ends, in seconds since 1970; None if it does not.
        marks: what it makes in the room's state: a name for each thing they are known by.
        ends: as in `RoleChange`.
    """

    target: str
    reason: str
    until: float | None = None
    marks: Sequence[str] = ()
    ends: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Unban(Stored):
    """Somebody ends a ban."""

    target: str
    ends: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Mute(Stored):
    """Somebody keeps another from speaking in a room; the rest is as in `Ban`."""

    to: str
    reason: str
    until: float | None = None
    marks: Sequence[str] = ()
    ends: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Unmute(Stored):
    """Somebody lets another speak again."""

    to: str
    ends: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Invite(Stored):
    """Somebody lets another into a room while it is locked."""

    to: str
    person: str = ""
    ends: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Setting(Stored):
    """Somebody changes a setting of a room.

    Args:
        setting: its name in the room's state.
        value: what it is now, as people read it.
        state: what it is now in the room's state; None where it is off.
    """

    setting: str
    value: str
    state: Any = None


@dataclass(frozen=True, slots=True)
class Close(Stored):
    """Somebody closes a room: everybody but its owners has to leave."""

    reason: str


@dataclass(frozen=True, slots=True)
class Join(Told):
    """Somebody joins a room.

    Args:
        also: the nicknames of others who joined at about the same time.
        persons: the ids of all of them, in the same order.
    """

    also: Sequence[str] = ()
    persons: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Leave(Told):
    """Somebody leaves a room; the reason may be empty, the rest is as in `Join`."""

    reason: str
    also: Sequence[str] = ()
    persons: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Away(Told):
    """Somebody is away, with a note; an empty text means that they are back."""

    text: str


@dataclass(frozen=True, slots=True)
class Notice(Told):
    """The server announces something; there is no sender."""

    text: str


@dataclass(frozen=True, slots=True)
class Hidden(Stored):
    """Replaces an event by somebody whom the reader ignores."""


Event: TypeAlias = (
    Message
    | Action
    | Whisper
    | Rename
    | Topic
    | File
    | Delete
    | RoleChange
    | Kick
    | Ban
    | Unban
    | Mute
    | Unmute
    | Invite
    | Setting
    | Close
    | Hands
    | Act
    | Join
    | Leave
    | Away
    | Notice
    | Hidden
)
"""Every kind there is; `codec` says how each is written."""


class By(Enum):
    """Whose act an event is, as somebody sees it who reads it over some connection."""

    OTHERS = (False, False)
    """Somebody else's, or the server's."""
    ME = (True, False)
    """The reader's own, over another connection of theirs."""
    HERE = (True, True)
    """The reader's own, over this very connection."""

    def __init__(self, is_mine: bool, is_here: bool) -> None:
        self.is_mine = is_mine
        """Whether it is the reader's own."""
        self.is_here = is_here
        """Whether it came over this very connection."""


_OTHERS, _ME, _HERE = By  # to look them up in the class takes Python 3.11 ten times as long


class Waiter(Protocol):
    """Waits for an entry to be stored or refused."""

    def stored(self, entry: "Entry") -> None:
        """The entry is in the log, and readers are about to see it."""

    def refused(self, why: Refused) -> None:
        """The entry could not be stored, and nobody will see it."""


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
        """Whether this event has its own number."""
        return isinstance(self.event, Stored)

    def by(self, person: str, client: str) -> By:
        """Whose act it is, as a person sees it who reads over a connection; both by their ids."""
        if not person or self.author != person:
            return _OTHERS
        return _HERE if self.client == client else _ME
