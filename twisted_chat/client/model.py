"""What the client knows: who it is, its rooms, where one types, and what was seen."""

import re

from twisted_chat import events
from twisted_chat.client.incoming import Command, Happened, Hidden, State, Welcome
from twisted_chat.client.room import Room
from twisted_chat.text.names import LOBBY, key


class Model:
    """The chat as one person sees it, told by the server's words and by nothing else.

    Args:
        nick: the nickname that we ask for; the server may know better.
    """

    def __init__(self, nick: str) -> None:
        self.nick = nick
        self.session: str | None = None
        self.account = ""  # its name
        self.epoch = ""  # of the numbers in `seen`
        self.commands: tuple[Command, ...] = ()
        self.rooms: dict[str, Room] = {}
        self.listed: tuple[str, ...] = ()  # rooms of the server, ours or not
        self.query = ""  # who is whispered to when something is typed that is no command
        self._own_seen = 0
        self._current = LOBBY
        self._before = LOBBY  # where one typed into before
        self._joining: set[str] = set()  # rooms that we asked to enter, and have no answer yet
        self._left: set[str] = set()  # rooms that are ours no more, whatever is still told of them
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

    # Where one types

    def go(self, name: str) -> None:
        """Type into this room from now on, whether or not we are in it yet."""
        self.query = ""
        self._before, self._current = self._current, name
        self.here.read()

    def join(self, name: str) -> None:
        """The server is asked to let us into this room: what is typed next is meant for it."""
        self._joining.add(key(name))
        self.go(name)

    def joined(self, name: str) -> None:
        """We are in this room, as we asked."""
        self._joining.discard(key(name))
        self._left.discard(key(name))

    def give_up(self, name: str) -> None:
        """This room cannot be entered: type where one was before."""
        self._joining.discard(key(name))
        if key(name) == key(self._current) and key(name) not in self.rooms:
            self.go(self._before if key(self._before) in self.rooms else self._last_entered())

    def leave(self, name: str) -> None:
        """We are in this room no more."""
        self.rooms.pop(key(name), None)
        if key(name) in self._joining:  # we are on our way back already
            return
        self._left.add(key(name))
        if key(name) == key(self._current):
            self.go(self._last_entered())

    def _last_entered(self) -> str:
        room = next(reversed(self.rooms.values()), None)
        return room.name if room else LOBBY

    # Who we are

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

    # What the server tells

    def welcome(self, told: Welcome) -> None:
        """We are in, again or anew."""
        self.nick = told.nick or self.nick
        self.account = told.account
        self.session = told.session or self.session
        self.commands = told.commands or self.commands
        self._left.clear()
        if told.resumed and told.rooms is not None:
            for room in set(self.rooms) - set(map(key, told.rooms)):
                self.leave(room)
        self._catching_up = set(self.rooms)
        if not told.resumed:
            self._own_seen = 0
            for each in self.rooms.values():
                each.entered = False
        if self.began_anew(told):
            self._own_seen = 0
            for each in self.rooms.values():
                each.seen = 0
        self.epoch = told.epoch or self.epoch

    def began_anew(self, told: Welcome) -> bool:
        """Whether the server has begun to number its events anew, having kept none."""
        return bool(self.epoch and told.epoch) and self.epoch != told.epoch

    def state(self, told: State) -> bool:
        """Who is in a room; says whether we have just entered it."""
        room = self._room(told.room)
        return room is not None and room.described(told)

    def hidden(self, told: Hidden) -> None:
        """An event that we are not to see."""
        self._count(told.room, told.id)

    def happened(self, told: Happened) -> None:
        """An event, live or replayed."""
        event = told.entry.event
        if isinstance(event, events.Join) and self.is_me(event.sender) and not told.replayed:
            self._left.discard(key(event.room))
        self._count(event.room, told.entry.id)
        if event.room == events.OWN:
            if isinstance(event, events.Rename) and not told.replayed:
                self._renamed(event, list(self.rooms.values()))
            return
        room = self._room(event.room)
        if room is None:
            return
        match event:
            case events.Message() | events.Action():
                self._spoke(event, room, told)
            case events.Rename() if not told.replayed:
                self._renamed(event, [room])
            case events.Join() if not told.replayed:
                room.joined(event.sender, told.account)
                if self.is_me(event.sender):
                    self._catching_up.discard(key(event.room))
            case events.Leave() if not told.replayed:
                if not self.is_me(event.sender):
                    room.left(event.sender)
                elif room.entered:  # else that was somebody who had our nickname before us
                    self.leave(event.room)
            case events.Away() if member := room.members.get(key(event.sender)):
                member.away = event.text
            case _:
                pass

    def list_rooms(self, lines: tuple[str, ...]) -> None:
        """The answer to `/rooms`: each line begins with a room's name."""
        found = (re.match(r"#[^\s:]+", line) for line in lines)
        self.listed = tuple(name[0] for name in found if name)

    def is_news(self, told: Happened) -> bool:
        """Whether an event is not history that others have read before we came."""
        event = told.entry.event
        own = event.room == events.OWN
        return not told.replayed or own or key(event.room) in self._catching_up

    def _count(self, name: str, number: int) -> None:
        if not number:
            return
        if name == events.OWN:
            self._own_seen = number
        elif room := self._room(name):
            room.seen = number

    def _room(self, name: str) -> Room | None:
        """A room of ours; None for one that we have left."""
        if key(name) in self._left and key(name) not in self._joining:
            return None
        return self.rooms.setdefault(key(name), Room(name))

    def _spoke(self, event: events.Message | events.Action, room: Room, told: Happened) -> None:
        if self.is_me(event.sender):
            return
        room.spoke(event.sender)
        if self.is_news(told) and room is not self.here:
            room.unread += 1
            room.called = room.called or bool(self.calls_me(event.text))

    def _renamed(self, event: events.Rename, rooms: list[Room]) -> None:
        for room in rooms:
            room.renamed(event.sender, event.to)
        if self.is_me(event.sender):
            self.nick = event.to
        if key(event.sender) == key(self.query):
            self.query = event.to
