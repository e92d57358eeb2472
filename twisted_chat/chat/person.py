"""A person: their nickname, whom they ignore, and their private log."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from twisted_chat.chat.device import Connection, Device
from twisted_chat.chat.request import Request
from twisted_chat.events import (
    Act,
    Action,
    Away,
    Entry,
    File,
    Hidden,
    Leave,
    Message,
    Topic,
    Whisper,
)
from twisted_chat.log.fanout import Fanout
from twisted_chat.log.log import Log
from twisted_chat.rate import Bucket
from twisted_chat.refusal import Refused
from twisted_chat.text import names

_NONE: Mapping[str, int] = {}
"""The read marks of those who say nothing of that: most people, who need no dictionary each."""


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
        device: the one that they came with.
        account: the id of their account; empty if they have none.
    """

    __slots__ = (
        "_ignored_ids",
        "account",
        "away",
        "bell",
        "devices",
        "displaced",
        "entering",
        "fanout",
        "former",
        "id",
        "ignored",
        "key",
        "last_whisperer",
        "log",
        "marks",
        "nickname",
        "present",
        "read",
        "renames",
        "renaming",
        "rooms",
        "sent_away",
        "since",
        "spoke",
        "told_away",
    )

    def __init__(self, nickname: str, device: Device, account: str = "") -> None:
        saved = device.saved
        self.account = account  # the id of theirs, which is their own id
        self.id = account or (saved.person if saved else device.id)
        self.devices = {device.id: device}
        self.nickname = nickname
        self.key = names.key(nickname)
        self.since = device.since
        self.spoke: float | None = None  # when they last said something in this run
        self.away: str | None = saved.away if saved else None
        self.present = True
        self.displaced = False  # somebody else has the nickname, and the rooms are left for now
        self.rooms: dict[str, int] = {}  # by key, in the order of entering: the last number then
        self.entering: tuple[str, ...] = ()  # names of more, where they were and are to be again
        self.ignored: dict[str, Ignored] = {}  # by key
        self._ignored_ids: frozenset[str] = frozenset()
        for ignored in saved.ignored if saved else ():
            self.ignore(*ignored)
        self.last_whisperer: Whisperer | None = None
        self.told_away: tuple[str, ...] = ()  # the ids of those who know why we are away
        self.renames: Bucket | None = None
        self.renaming: Request | None = None  # the last one, which may be pending
        self.sent_away: Act | None = None  # by which an administrator has them go
        self.former = tuple(saved.former) if saved else ()  # names that somebody else took
        self.log: Log | None = None  # their own, once there is anything in it
        self.fanout: Fanout | None = None  # of the same
        self.read = 0  # the last number in it that a device has shown before the present ones
        self.marks: Mapping[str, int] = _NONE  # by room's key: up to which number they read it
        self.bell = "off"  # when it rings, at a terminal

    @property
    def connections(self) -> Iterator[Connection]:
        """The connections of all their devices, of those that have one just now."""
        return filter(None, [device.connection for device in self.devices.values()])

    def connection_of(self, client: str) -> Connection | None:
        """The connection of one of their devices, if it has one just now."""
        device = self.devices.get(client)
        return None if device is None else device.connection

    @property
    def is_connected(self) -> bool:
        """Whether any of their devices has a connection just now, here or elsewhere."""
        return any(device.is_connected for device in self.devices.values())

    @property
    def is_quiet(self) -> bool:
        """Whether they only post, and nobody is told that they come and go."""
        return all(device.is_quiet for device in self.devices.values())

    @property
    def is_renaming(self) -> bool:
        """Whether they are about to have another nickname."""
        return self.renaming is not None and self.renaming.is_pending

    @property
    def read_marks(self) -> dict[str, int]:
        """Up to which number they have read each room, by key: nothing since they entered it, if
        they have not said so; and their own log, if they have.
        """
        return {**self.rooms, **self.marks}

    def left(self, room: str) -> None:
        """They are in a room no more, by its key, and what they have read of it is forgotten."""
        del self.rooms[room]
        if room in self.marks:
            self.marks = {key: self.marks[key] for key in self.marks if key != room}

    def read_elsewhere(self, device: Device) -> int:
        """The last number in their own log that they need not be shown on a new device."""
        others = (each for each in self.devices.values() if each is not device)
        if self.log is not None and any(each.is_connected for each in others):
            return self.log.last
        return self.read

    def ignore(self, nickname: str, other_id: str) -> None:
        """Hear no more of somebody, also under another nickname while they stay."""
        known = self.ignored.get(names.key(nickname))
        if known is not None and known.person_id:
            other_id = known.person_id  # they are ignored under another name by now
        self.ignored[names.key(nickname)] = Ignored(nickname, other_id)
        self._know_ignored()

    def ignore_only(self, others: Iterable[Sequence[str]]) -> None:
        """Hear everybody but these: nickname and id of each."""
        self.ignored.clear()
        self._ignored_ids = frozenset()
        for nickname, other_id in others:
            self.ignore(nickname, other_id)

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
        if self.hears(event.sender, entry.author):
            return entry
        match event:
            case Message() | Action() | Whisper() | Topic() | File():
                return Entry(Hidden(event.time, event.room, ""), id=entry.id)
            case Away():
                return None
            case Leave():
                return replace(entry, event=replace(event, reason=""))
            case _:
                return entry


class Whispered:
    """Waits until a whisper is about to be seen, in the order of the log of whom it is for.

    Several whispers may be stored together, and the senders' logs are shown in another order; a
    reply goes to whoever comes last in one's own.

    Args:
        other: whom it is for; None if they are not here.
        mine: the same in the sender's log.
        request: what has brought it.
    """

    __slots__ = ("_mine", "_other", "_request")

    def __init__(self, other: Person | None, mine: Entry, request: Request) -> None:
        self._other = other
        self._mine = mine
        self._request = request

    def stored(self, entry: Entry) -> None:
        """See `events.Waiter`."""
        if self._other is not None and self._other.hears(entry.event.sender, entry.author):
            self._other.last_whisperer = Whisperer(entry.event.sender, entry.author)
        self._request.stored(self._mine)

    def refused(self, why: Refused) -> None:
        """See `events.Waiter`."""
        self._request.refused(why)
