"""What the server sends, parsed without trusting it: checked types, harmless text, never raises."""

from dataclasses import dataclass
from typing import Any, TypeAlias

from twisted_chat.client.harmless import harmless
from twisted_chat.events import Entry, Event
from twisted_chat.limits import Limits
from twisted_chat.text.names import key
from twisted_chat.wire.structured import understand

_FOREVER = 1e9


@dataclass(frozen=True, slots=True)
class Command:
    """A command that the server knows, for completion; its name begins with a slash."""

    name: str
    usage: str
    aliases: tuple[str, ...]
    help: str


@dataclass(frozen=True, slots=True)
class Welcome:
    """We are in. Not `resumed`: as a newcomer, whatever we were before.

    Args:
        rooms: those that we are in after resuming; None where the server does not say.
        epoch: another one than before means that events are numbered anew; may be empty.
        input_bytes: the longest line that the server reads.
        again: whether this client was let in before.
        anew: whether ids begin anew, because the server has kept nothing.
        account: the name of our account; empty for none.
        addresses: where else the chat is, in the order in which to try.
    """

    nick: str
    session: str | None
    server: str
    resumed: bool
    commands: tuple[Command, ...]
    motd: tuple[str, ...]
    rooms: tuple[str, ...] | None = None
    epoch: str = ""
    input_bytes: int = Limits.input_bytes
    again: bool = False
    anew: bool = False
    account: str = ""
    addresses: tuple[str, ...] = ()


@dataclass(slots=True)
class Member:
    """Somebody in a room; an empty `away` means that they are there, `account` that of nobody."""

    nick: str
    away: str = ""
    connected: bool = True
    account: str = ""

    @property
    def shown(self) -> str:
        """The nickname, with a star if it is registered and this is its owner."""
        return self.nick + ("*" if self.account and key(self.account) == key(self.nick) else "")


@dataclass(frozen=True, slots=True)
class State:
    """Who is in a room, and what it is about; `count` is right where the members are cut.

    `entered` if we have just come in.
    """

    room: str
    topic: str
    members: tuple[Member, ...]
    count: int
    entered: bool = False


@dataclass(frozen=True, slots=True)
class Happened:
    """An event; `replayed` if it comes from history, `account` is its sender's if they have one."""

    entry: Entry
    replayed: bool
    account: str = ""

    @property
    def event(self) -> Event:
        """What happened."""
        return self.entry.event

    @property
    def id(self) -> int:
        """The event's number in its room; 0 if it has none."""
        return self.entry.id


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command came to, or that a line said twice had been stored."""

    ref: str | None
    lines: tuple[str, ...]
    id: int = 0  # of the event, for a line that had been said before
    url: str = ""  # where a file can be sent to, if that was asked for


@dataclass(frozen=True, slots=True)
class Refusal:
    """What was not done and why; the same may be done after `wait` seconds, unless it is None."""

    ref: str | None
    code: str
    text: str
    wait: float | None


@dataclass(frozen=True, slots=True)
class Missed:
    """So many events of a room (0: nobody knows) will not come.

    They could not be read just now if they are `kept`; else they are there no more.
    """

    room: str
    count: int
    kept: bool


@dataclass(frozen=True, slots=True)
class Hidden:
    """An event that we do not want to see; it counts as seen."""

    room: str
    id: int


Incoming: TypeAlias = Welcome | State | Happened | Answer | Refusal | Missed | Hidden


def read(thing: dict[str, Any]) -> Incoming | None:
    """What this object says; None if it says nothing that a client could use."""
    match thing.get("event"):
        case "welcome":
            nick = _text(thing, "nick")
            commands = tuple(filter(None, map(_command, _objects(thing, "commands"))))
            resumed = thing.get("resumed") is True
            token = thing.get("session")
            session = token if isinstance(token, str) and token.isascii() else None
            motd = _texts(thing, "motd")
            rooms = _texts(thing, "rooms") if isinstance(thing.get("rooms"), list) else None
            server, epoch = _text(thing, "server"), _text(thing, "epoch")
            limits = thing.get("limits")
            most = _whole(limits if isinstance(limits, dict) else {}, "input_bytes")
            return Welcome(
                nick,
                session,
                server,
                resumed,
                commands,
                motd,
                rooms,
                epoch,
                most or Limits.input_bytes,
                account=_text(thing, "account"),
                addresses=_texts(thing, "addresses"),
            )
        case "state":
            members = tuple(filter(None, map(_member, _objects(thing, "members"))))
            count = max(_whole(thing, "count"), len(members))
            return State(_room(thing), _text(thing, "topic"), members, count)
        case "answer":
            lines, url = _texts(thing, "lines"), _text(thing, "url")
            return Answer(_ref(thing), lines, _whole(thing, "id"), url)
        case "error":
            return Refusal(_ref(thing), _text(thing, "code"), _text(thing, "text"), _wait(thing))
        case "missed":
            return Missed(_room(thing), _whole(thing, "count"), thing.get("kept") is True)
        case "hidden":
            return Hidden(_room(thing), _whole(thing, "id"))
        case _:
            return _happened(thing)


def _happened(thing: dict[str, Any]) -> Happened | None:
    plain = {name: harmless(value) for name, value in thing.items() if isinstance(value, str)}
    whole = {name: _whole(thing, name) for name, value in thing.items() if type(value) is int}
    whole.pop("ref", None)
    try:
        entry = understand(plain | whole)
    except (KeyError, ValueError, OverflowError, OSError):  # no time, or none on any clock
        return None
    if entry is None:
        return None
    entry.id = _whole(thing, "id")
    return Happened(entry, thing.get("replayed") is True, _text(thing, "account"))


def _text(thing: dict[str, Any], name: str) -> str:
    value = thing.get(name)
    return harmless(value) if isinstance(value, str) else ""


def _texts(thing: dict[str, Any], name: str) -> tuple[str, ...]:
    value = thing.get(name)
    texts = value if isinstance(value, list) else []
    return tuple(harmless(each) for each in texts if isinstance(each, str))


def _room(thing: dict[str, Any]) -> str:
    return _text(thing, "room") or "@"


def _ref(thing: dict[str, Any]) -> str | None:
    return _text(thing, "ref") or None


def _whole(thing: dict[str, Any], name: str) -> int:
    value = thing.get(name)
    return value if type(value) is int and 0 < value < 2**63 else 0


def _wait(thing: dict[str, Any]) -> float | None:
    value = thing.get("wait")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < _FOREVER else None


def _objects(thing: dict[str, Any], name: str) -> list[dict[str, Any]]:
    value = thing.get(name)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _member(thing: dict[str, Any]) -> Member | None:
    nick = _text(thing, "nick")
    connected = thing.get("connected") is not False
    if not nick:
        return None
    return Member(nick, _text(thing, "away"), connected, _text(thing, "account"))


def _command(thing: dict[str, Any]) -> Command | None:
    name = _text(thing, "name")
    if not name.startswith("/"):
        return None
    return Command(name, _text(thing, "usage"), _texts(thing, "aliases"), _text(thing, "help"))
