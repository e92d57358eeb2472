"""The chat: every person and every room, and everything that one can do. Doors call only this."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from twisted_chat import names
from twisted_chat.events import OWN, Action, Away, Entry, Message, Notice, Rename, Topic, Whisper
from twisted_chat.figures import Figures
from twisted_chat.limits import Limits
from twisted_chat.log import Log
from twisted_chat.looks import looks
from twisted_chat.pace import Bucket
from twisted_chat.people import People
from twisted_chat.person import Connection, Person
from twisted_chat.refusal import Refused
from twisted_chat.room import Room
from twisted_chat.stores import Seat, Store
from twisted_chat.turn import Turn

_log = Logger(namespace="chat")


class Chat:
    """Every person and every room, and everything that one can do.

    Args:
        clock: the time, in seconds since 1970, and timers.
        store: where logs are kept.
        turn: says when a turn is over.
        name: what the server is called.
        limits: what one person may take.
        motd: lines for everybody who comes.
        opened: called with every room, when it is opened.
        figures: where it is counted what happens.
    """

    def __init__(
        self,
        clock: IReactorTime,
        store: Store,
        turn: Turn,
        name: str = "Twisted Chat",
        limits: Limits | None = None,
        motd: Sequence[str] = (),
        opened: Callable[[Room], None] = lambda _: None,
        figures: Figures | None = None,
    ) -> None:
        self.clock = clock
        self.name = name
        self.limits = limits or Limits()
        self.motd = motd
        self.rooms: dict[str, Room] = {}
        self._room_looks: dict[str, str] = {}  # keys of rooms
        self.figures = figures or Figures()
        self._opened = opened
        self._store = store
        self._turn = turn
        self.people = People(clock, self.limits)
        self._stopping = False
        for room, topic in store.rooms():
            self._open(room).topic = topic
        self.lobby = self.rooms.get(names.LOBBY) or self._open(names.LOBBY)
        for seat in store.seats():
            self._restore(seat)

    # Coming and going

    def enter(self, nickname: str, address: str) -> Deferred[Person]:
        """Take a nickname; fails with `Refused`.

        This may have to wait, for an account's password or for another node. The person is in no
        room yet: `join` the lobby once their connection can hear it.
        """
        name = names.nickname(nickname, self.limits)
        holder = self.people.called(name)
        if holder is not None and holder.connection is None and holder.address == address:
            self.part(holder, "connection lost")  # who lost their token comes back for their name
        self.people.check_free(name)
        person = Person(name, address, self.clock.seconds())
        self.people.add(person)
        _log.info("{nick} is here from {address}", nick=name, address=address)
        return succeed(person)

    def log_of(self, person: Person) -> Log:
        """A person's own log; most have none until there is something in it for them."""
        if person.log is None:
            name = "@" + person.id
            person.log = Log(
                name, OWN, self._store, self._turn, refused=self._refused, figures=self.figures
            )
            if person.connection is not None:
                person.connection.follow(OWN, person.log)
        return person.log

    def _erase_log_of(self, person: Person) -> None:
        if person.log is not None:
            person.log.erase()

    def _restore(self, seat: Seat) -> None:
        """Somebody was here when the server stopped, and may come back."""
        person = Person(seat.nickname, seat.address, seat.since, seat)
        person.refs = dict(self._store.refs(person.id, self.limits.refs))
        self.people.add(person)
        self.log_of(person)
        for name, entered in seat.rooms.items():
            room = self.rooms.get(names.key(name)) or self._open(name)
            person.rooms[room.key] = entered
            room.keep(person)
        self._wait_for(person)

    def find_session(self, token: str) -> Person | None:
        """Who holds a session's token, if they are still a member."""
        person = self.people.with_token(token)
        if person is not None:
            person.token = token
        return person

    def attach(self, person: Person, connection: Connection) -> None:
        """A person speaks through this connection now."""
        person.connection = connection
        person.may_resume = connection.may_resume
        if person.may_resume and not person.proof:
            self.people.issue_token(person)
        self._stop_waiting_for(person)

    def _keep(self, person: Person) -> None:
        """What a restart must not end."""
        if person.may_resume:
            rooms = {self.rooms[key].name: entered for key, entered in person.rooms.items()}
            self._store.seat(
                Seat(person.id, person.proof, person.nickname, person.address, person.since, rooms)
            )

    def lose(self, person: Person, reason: str) -> None:
        """A person's connection is gone; who may resume stays for a while."""
        person.connection = None
        if self._stopping:
            return
        if not person.present:
            self._erase_log_of(person)
        elif person.may_resume:
            self._wait_for(person)
            _log.info("{nick} lost the connection", nick=person.nickname)
        else:
            self.part(person, reason)

    def _wait_for(self, person: Person) -> None:
        person.expiry = self.clock.callLater(self.limits.resume_seconds, self._expire, person)

    def _expire(self, person: Person) -> None:
        person.expiry = None
        self.part(person, "connection lost")

    def _stop_waiting_for(self, person: Person) -> None:
        if person.expiry is not None:
            person.expiry.cancel()
            person.expiry = None

    def part(self, person: Person, reason: str) -> None:
        """A person leaves for good; whoever takes the nickname later is somebody else."""
        if not person.present:
            return
        person.present = False
        self._stop_waiting_for(person)
        for key in list(person.rooms):
            self._leave(person, self.rooms[key], reason)
        self.people.remove(person)
        if person.may_resume:
            self._store.unseat(person.id)
        _log.info("{nick} has left", nick=person.nickname)
        if person.connection is None:
            self._erase_log_of(person)
        else:
            person.connection.end()

    def close(self, announcement: str) -> None:
        """Tell everybody, and let them go; who may resume can do so when the server is back."""
        if self._stopping:
            return
        self._stopping = True
        for person in list(self.people):
            self._tell(person, announcement)
            if person.connection is not None:
                person.connection.end()
        for room in self.rooms.values():
            room.hush()

    # Rooms

    def join(self, person: Person, name: str) -> Room:
        """Enter a room, which is made if there is none of that name.

        Raises:
            Refused: why not.
        """
        name = names.room(name, self.limits)
        room = self.rooms.get(names.key(name))
        if room is not None and room.key in person.rooms:
            return room
        if len(person.rooms) >= self.limits.rooms_per_person:
            raise Refused(
                "too-many-rooms",
                f"You are in {len(person.rooms)} rooms, which is the most: /leave one first.",
            )
        if room is None:
            self._check_look(name)
            self._make_room()
            room = self._open(name)
        person.rooms[room.key] = room.log.last
        if person.connection is not None:
            person.connection.follow(room.key, room.log)
        room.enter(person)
        self._keep(person)
        if person.connection is not None:
            person.connection.entered(room.key)
        return room

    def _check_look(self, name: str) -> None:
        for look in looks(name[1:]):
            other = self.rooms.get(self._room_looks.get(look, ""))
            if other is not None:
                raise Refused(
                    "bad-room",
                    f"{name} looks like {other.name}: join that, or choose another name.",
                )

    def _make_room(self) -> None:
        if len(self.rooms) < self.limits.rooms:
            return
        for room in list(self.rooms.values()):
            if room.is_idle and room is not self.lobby:
                room.close()
                del self.rooms[room.key]
                for look in looks(room.name[1:]):
                    self._room_looks.pop(look, None)
        if len(self.rooms) >= self.limits.rooms:
            raise Refused("too-many-rooms", "There are too many rooms already: /rooms lists them.")

    def leave(self, person: Person, room: Room) -> None:
        """Leave a room, if it is not the only one.

        Raises:
            Refused: one has to be somewhere.
        """
        if len(person.rooms) == 1:
            raise Refused(
                "last-room",
                f"{room.name} is the only room you are in: /join another one first, or /quit.",
            )
        self._leave(person, room, "")
        self._keep(person)

    def _leave(self, person: Person, room: Room, reason: str) -> None:
        del person.rooms[room.key]
        room.leave(person, reason)
        if person.connection is not None:
            person.connection.unfollow(room.key)

    def room_of(self, person: Person, name: str) -> Room:
        """A room that a person is in.

        Raises:
            Refused: they are not.
        """
        room = self.room(name)
        if room.key not in person.rooms:
            raise Refused("not-in-room", f"You are not in {room.name}: /join {room.name} first.")
        return room

    def room(self, name: str) -> Room:
        """A room by its name.

        Raises:
            Refused: there is none.
        """
        name = names.room(name, self.limits)
        room = self.rooms.get(names.key(name))
        if room is None:
            raise Refused("no-such-room", f"There is no room {name}: /rooms lists them.")
        return room

    def _open(self, name: str) -> Room:
        key = names.key(name)
        seen = partial(self._seen, key)
        log = Log(key, name, self._store, self._turn, seen, self._refused, figures=self.figures)
        room = self.rooms[key] = Room(name, log, self.clock, self.limits)
        for look in looks(name[1:]):
            self._room_looks[look] = key
        self._opened(room)
        return room

    def _seen(self, key: str, entry: Entry) -> None:
        if isinstance(entry.event, Topic):
            self.rooms[key].topic = entry.event.text

    def _refused(self, entry: Entry, why: Refused) -> None:
        self.figures.refusals[why.code] += 1
        person = self.people.with_id(entry.origin)
        if person is not None:
            person.refs.pop(entry.ref or "", None)
            if person.connection is not None:
                person.connection.refuse(why, entry.ref)

    # Talking

    def say(self, person: Person, room: Room, text: str, ref: str | None = None) -> None:
        """Say something in a room that one is in."""
        room.announce(person)
        self._append(
            room.log, person, ref, Message(self._now(person), room.name, person.nickname, text)
        )

    def act(self, person: Person, room: Room, text: str, ref: str | None = None) -> None:
        """Do something in a room that one is in."""
        room.announce(person)
        self._append(
            room.log, person, ref, Action(self._now(person), room.name, person.nickname, text)
        )

    def set_topic(self, person: Person, room: Room, text: str, ref: str | None = None) -> None:
        """Say what a room is about; an empty text takes the topic away."""
        room.announce(person)
        self._append(
            room.log, person, ref, Topic(self._now(person), room.name, person.nickname, text)
        )

    def whisper(
        self, person: Person, others: Iterable[Person], text: str, ref: str | None = None
    ) -> None:
        """Say something to some people alone; a whisper stands in both people's logs."""
        for other in others:
            whisper = Whisper(self._now(person), OWN, person.nickname, other.nickname, text)
            self._append(self.log_of(person), person, ref, whisper)
            self._append(self.log_of(other), person, None, whisper)
            if not other.ignores(Entry(whisper, person.id)):
                other.last_whisperer = person

    def rename(self, person: Person, nickname: str, ref: str | None = None) -> None:
        """Take another nickname.

        Raises:
            Refused: why not.
        """
        name = names.nickname(nickname, self.limits)
        if name == person.nickname:
            raise Refused("same-nick", f"You are called {name} already.")
        self.people.check_free(name, person)
        now = self._now(person)
        bucket = person.renames or Bucket()
        if wait := bucket.wait(self.limits.renames, now):
            raise Refused(
                "too-fast",
                f"You change your nickname too often: wait {round(wait) + 1} seconds.",
                wait,
            )
        bucket.take(self.limits.renames, now)
        person.renames = bucket
        old = person.nickname
        for key in person.rooms:
            self.rooms[key].announce(person, to=name)
        self.people.rename(person, name)
        for key in person.rooms:
            room = self.rooms[key]
            room.rename(person, name)
            self._append(room.log, person, ref, Rename(now, room.name, old, name))
        self._keep(person)
        _log.info("{old} is now {nick}", old=old, nick=name)

    def set_away(self, person: Person, reason: str | None) -> None:
        """Go away, or come back (None)."""
        person.away = reason
        person.told_away = ()
        now = self._now(person)
        for key in person.rooms:
            room = self.rooms[key]
            room.announce(person)
            away = Away(now, room.name, person.nickname, reason or "")
            room.log.append(Entry(away, person.id))

    def _append(
        self,
        log: Log,
        person: Person,
        ref: str | None,
        event: Message | Action | Topic | Whisper | Rename,
    ) -> None:
        entry = Entry(event, person.id, ref)
        if ref is not None:
            person.remember(ref, entry, self.limits.refs)
        log.append(entry)

    def _now(self, person: Person) -> float:
        person.spoke = self.clock.seconds()
        return person.spoke

    def _tell(self, person: Person, text: str) -> None:
        self.log_of(person).append(Entry(Notice(self.clock.seconds(), OWN, "", text)))

    @property
    def is_behind(self) -> bool:
        """Whether what was said waits to be stored, and who says much should wait too."""
        return self._store.is_behind
