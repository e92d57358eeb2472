"""What the client knows: who it is, its rooms and their people, and what it has seen."""

import re
from dataclasses import dataclass, field

from twisted_chat import events
from twisted_chat.client.incoming import (
    Command,
    Happened,
    Hidden,
    Member,
    State,
    Welcome,
)
from twisted_chat.names import LOBBY, key


@dataclass(slots=True)
class Room:
    """A room that we are in.

    Args:
        name: as the server shows it.
    """

    name: str
    members: dict[str, Member] = field(default_factory=dict)
    count: int = 0
    seen: int = 0
    unread: int = 0
    called: bool = False  # our name stands in what is unread
    entered: bool = False  # the server has told who is here
    speakers: list[str] = field(default_factory=list)  # keys of nicknames, the last one first

    def people(self) -> list[Member]:
        """Who is here: the last speaker first, then by name."""
        spoke = [self.members[name] for name in self.speakers if name in self.members]
        rest = sorted(name for name in self.members if name not in self.speakers)
        return spoke + [self.members[name] for name in rest]


class Model:
    """The chat as one person sees it, told by the server's words and by nothing else.

    Args:
        nick: the nickname that we ask for; the server may know better.
    """

    def __init__(self, nick: str) -> None:
        self.nick = nick
        self.session: str | None = None
        self.commands: tuple[Command, ...] = ()
        self.rooms: dict[str, Room] = {}
        self._own_seen = 0
        self._current = LOBBY
        self._before = LOBBY  # where one typed into before
        self._catching_up: set[str] = set()  # rooms whose replayed lines are news to us

    @property
    def current(self) -> str:
        """The name of the room that one types into."""
        known = self.rooms.get(key(self._current))
        return known.name if known else self._current

    @property
    def here(self) -> Room:
        """The room that one types into, empty while the server has not told about it."""
        return self.rooms.get(key(self.current)) or Room(self.current)

    @property
    def seen(self) -> dict[str, int]:
        """The number of the last event seen, by room: what a resumed session goes on from."""
        return {room.name: room.seen for room in self.rooms.values()} | {events.OWN: self._own_seen}

    def go(self, name: str) -> None:
        """Type into this room from now on, whether or not we are in it yet."""
        self._before, self._current = self._current, name
        self.here.unread = 0
        self.here.called = False

    def give_up(self, name: str) -> None:
        """This room cannot be entered: type where one was before."""
        if key(name) == key(self._current) and key(name) not in self.rooms:
            self.go(self._before if key(self._before) in self.rooms else self._last_entered())

    def is_me(self, nick: str) -> bool:
        """Whether this is our own nickname."""
        return key(nick) == key(self.nick)

    def calls_me(self, text: str) -> list[tuple[int, int]]:
        """Where our own nickname stands in a text, as whole words."""
        name = re.compile(rf"(?<!\w){re.escape(self.nick)}(?!\w)", re.IGNORECASE)
        return [found.span() for found in name.finditer(text)] if self.nick else []

    def spellings(self, name: str) -> set[str]:
        """A command's name and its other names."""
        aliases = (c.aliases for c in self.commands if c.name == name)
        return {name}.union(*aliases)

    def welcome(self, told: Welcome) -> None:
        """We are in, again or anew."""
        self.nick = told.nick or self.nick
        self.session = told.session or self.session
        self.commands = told.commands or self.commands
        self._catching_up = set(self.rooms)
        if not told.resumed:
            self._own_seen = 0
            for room in self.rooms.values():
                room.entered = False

    def state(self, told: State) -> bool:
        """Who is in a room; says whether we have just entered it."""
        room = self._room(told.room)
        room.name = told.room
        room.members = {key(member.nick): member for member in told.members}
        room.count = told.count
        entered, room.entered = not room.entered, True
        return entered

    def hidden(self, told: Hidden) -> None:
        """An event that we are not to see."""
        self._count(told.room, told.id)

    def happened(self, told: Happened) -> None:
        """An event, live or replayed."""
        event = told.entry.event
        self._count(event.room, told.entry.id)
        if event.room == events.OWN and not isinstance(event, events.Rename):
            return
        match event:
            case events.Message() | events.Action():
                self._spoke(event, told.replayed)
            case events.Rename() if not told.replayed:
                self._renamed(event)
            case events.Join() if not told.replayed:
                self._joined(event)
            case events.Leave() if not told.replayed:
                self._left(event)
            case events.Away() if member := self._member(event.room, event.sender):
                member.away = event.text
            case _:
                pass

    def _last_entered(self) -> str:
        room = next(reversed(self.rooms.values()), None)
        return room.name if room else LOBBY

    def _count(self, room: str, number: int) -> None:
        if not number:
            return
        if room == events.OWN:
            self._own_seen = number
        else:
            self._room(room).seen = number

    def _room(self, name: str) -> Room:
        return self.rooms.setdefault(key(name), Room(name))

    def _member(self, room: str, nick: str) -> Member | None:
        known = self.rooms.get(key(room))
        return known.members.get(key(nick)) if known else None

    def _spoke(self, event: events.Message | events.Action, replayed: bool) -> None:
        room = self._room(event.room)
        if self.is_me(event.sender):
            return
        speaker = key(event.sender)
        if speaker in room.speakers:
            room.speakers.remove(speaker)
        room.speakers.insert(0, speaker)
        news = not replayed or key(event.room) in self._catching_up
        if news and room is not self.here:
            room.unread += 1
            room.called = room.called or bool(self.calls_me(event.text))

    def _renamed(self, event: events.Rename) -> None:
        rooms = self.rooms.values() if event.room == events.OWN else [self._room(event.room)]
        old, new = key(event.sender), key(event.to)
        for room in rooms:
            member = room.members.pop(old, None)
            if member:
                member.nick = event.to
                room.members[new] = member
            room.speakers = [new if name == old else name for name in room.speakers]
        if self.is_me(event.sender):
            self.nick = event.to

    def _joined(self, event: events.Join) -> None:
        room = self._room(event.room)
        if self.is_me(event.sender):
            self._catching_up.discard(key(event.room))
        if key(event.sender) not in room.members:
            room.members[key(event.sender)] = Member(event.sender)
            room.count += 1

    def _left(self, event: events.Leave) -> None:
        if self.is_me(event.sender):
            self.rooms.pop(key(event.room), None)
            if key(event.room) == key(self._current):
                self.go(self._last_entered())
        else:
            room = self._room(event.room)
            listed = room.members.pop(key(event.sender), None)
            if listed or room.count > len(room.members):
                room.count -= 1
