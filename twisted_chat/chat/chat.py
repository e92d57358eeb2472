"""The chat: everybody, every room, and all that one can do. Frontends call only this."""

from collections.abc import Callable, Sequence
from functools import partial

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from twisted_chat.chat.accounts import Accounts
from twisted_chat.chat.passwords import OwnPasswords
from twisted_chat.chat.people import People
from twisted_chat.chat.person import Connection, Person, Whisperer
from twisted_chat.chat.projection import project
from twisted_chat.chat.request import Request
from twisted_chat.chat.rights import Right, Rights
from twisted_chat.chat.room import Room
from twisted_chat.chat.rooms import Rooms
from twisted_chat.counters import Counters
from twisted_chat.events import OWN, Action, Away, Entry, Message, Notice, Rename, Topic, Whisper
from twisted_chat.limits import Limits
from twisted_chat.log.fanout import Fanout
from twisted_chat.log.log import Log, append_together
from twisted_chat.rate import Bucket
from twisted_chat.refusal import Refused
from twisted_chat.stores import SavedSession, Store
from twisted_chat.text import names
from twisted_chat.text.counted import counted, seconds_to_wait
from twisted_chat.turn import Turn

_log = Logger(namespace="chat")

_DONE = 50
"""Requests without an event of their own that are remembered over a restart."""


class Chat:
    """Every person and every room, and everything that one can do.

    Args:
        clock: timers, and the seconds by which it is counted who does too much.
        store: where logs are kept.
        turn: says when a turn is over.
        name: what the server is called.
        limits: what one person may take.
        motd: lines for everybody who comes.
        opened: called with every room, when it is opened.
        counters: where it is counted what happens.
        now: gives the time of day, in seconds since 1970; without it, that is the clock's.
        accounts: names that are somebody's; without it, passwords are hashed at once.
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
        counters: Counters | None = None,
        now: Callable[[], float] | None = None,
        accounts: Accounts | None = None,
    ) -> None:
        self.clock = clock
        self.now = now or clock.seconds
        self.name = name
        self.limits = limits or Limits()
        self.motd = motd
        self.rooms = Rooms(self._make_room, project, self.limits)
        self.counters = counters or Counters()
        self._opened = opened
        self._store = store
        self._turn = turn
        self.people = People(clock, self.limits)
        if accounts is None:
            accounts = Accounts(clock, store, self.limits, OwnPasswords(), self.now)
        self.accounts = accounts
        self.rights = Rights()
        self._stopping = False
        for room in store.rooms():
            self.rooms.open(room)
        self.lobby = self.rooms.open(names.LOBBY)
        for saved in store.saved_sessions():
            self._restore(saved)

    # Coming and going

    def enter(self, nickname: str, address: str) -> Deferred[Person]:
        """Take a nickname; fails with `Refused`.

        This may have to wait, for an account's password or for another node. The person is in no
        room yet: `join` the lobby once their connection can hear it.
        """
        name = names.nickname(nickname, self.limits)
        holder = self.people.called(name)
        if holder is not None and self._may_displace(holder, address):
            self.people.check_free(name, holder)
            self._displace(holder)
        else:
            self.people.check_free(name)
        person = Person(name, address, self.now())
        self.people.add(person)
        _log.info("{nick} is here from {address}", nick=name, address=address)
        return succeed(person)

    def _may_displace(self, holder: Person, address: str) -> bool:
        """Whether whoever comes from there may have somebody's nickname.

        A program that was started anew gets its own back. It may also be somebody else behind
        the same router: so they get the nickname, and nothing else.
        """
        return (
            holder.connection is None
            and holder.address == address
            and not (holder.renaming and holder.renaming.is_pending)
        )

    def _displace(self, person: Person) -> None:
        for key in person.rooms:
            self.rooms[key].leave(person, "connection lost")
        self.people.displace(person)
        _log.info("{nick} is displaced, and may come back", nick=person.nickname)

    def _replace(self, person: Person, wanted: str | None) -> None:
        """Who was displaced is back: the same person, perhaps under another nickname."""
        old = person.nickname
        try:
            name = names.nickname(old if wanted is None else wanted, self.limits)
            self.people.check_free(name)
        except Refused:
            name = self.people.free_like(old)
        self.people.replace(person, name)
        if name != old:
            person.former = (*person.former, old)
        for key in person.rooms:
            self.rooms.open(key).enter(person)
        if name != old:
            _log.info("{old} is back as {nick}", old=old, nick=name)

    def log_of(self, person: Person) -> Log:
        """A person's own log; most have none until there is something in it for them."""
        if person.log is None:
            name = "@" + person.id
            person.log = Log(name, OWN, self._store, counters=self.counters)
            person.fanout = Fanout(person.log, self._turn)
            if person.connection is not None:
                person.connection.follow(OWN, person.fanout)
        return person.log

    def _erase_log_of(self, person: Person) -> None:
        if person.log is not None:
            person.log.erase()

    def _restore(self, saved: SavedSession) -> None:
        """Somebody was here when the server stopped, and may come back."""
        person = Person(saved.nickname, saved.address, saved.since, saved)
        try:
            self.people.check_free(saved.nickname)
        except Refused:
            person.displaced = True
        self.people.add(person)
        for ref in person.done:
            person.remember(Request(person.id, ref), self.limits.refs)
        for ref, entry in self._store.refs(person.id, self.limits.refs):
            request = Request(person.id, ref)
            request.id = entry.id
            person.remember(request, self.limits.refs)
        self.log_of(person)
        for name, entered in saved.rooms.items():
            room = self.rooms.open(name)
            person.rooms[room.key] = entered
            if not person.displaced:
                room.keep(person)
        self._wait_for(person)

    def find_session(self, token: str) -> Person | None:
        """Who holds a session's token, if they are still a member."""
        person = self.people.with_token(token)
        if person is not None:
            person.token = token
        return person

    def attach(self, person: Person, connection: Connection, nickname: str | None = None) -> None:
        """A person speaks through this connection now.

        Args:
            person: who it is.
            connection: the new connection.
            nickname: the one that they would like, if somebody else has theirs.

        Raises:
            Refused: there is no nickname for them.
        """
        if person.displaced:
            self._replace(person, nickname)
        person.connection = connection
        person.may_resume = connection.may_resume
        if person.may_resume and not person.token_hash:
            self.people.issue_token(person, self.epoch)
        self._stop_waiting_for(person)

    def keep(self, person: Person, request: Request | None = None) -> Deferred[None]:
        """Keep what a restart must not end, if that has changed.

        Args:
            person: who may resume; nothing is kept of others.
            request: what has changed it, which is not to be done again when it is sent again.

        Returns:
            Fires when that is stored; fails with `Refused` if a request asked for it in vain.
        """
        if not person.may_resume or not person.present:
            return succeed(None)
        saved = self._session_of(person)
        if saved == person.saved:
            return succeed(None)
        if request is not None and request.ref is not None:
            person.done = (*person.done, request.ref)[-_DONE:]
            saved = self._session_of(person)
        person.saved = saved
        stored = self._store.save_session(saved)
        return stored.addErrback(lambda _: None) if request is None else stored

    def _session_of(self, person: Person) -> SavedSession:
        return SavedSession(
            id=person.id,
            token=person.token_hash,
            nickname=person.nickname,
            address=person.address,
            since=person.since,
            rooms={self._name_of(key): entered for key, entered in person.rooms.items()},
            room=person.room,
            away=person.away,
            ignored=tuple((each.nickname, each.person_id) for each in person.ignored.values()),
            former=person.former,
            done=person.done,
            is_quiet=person.is_quiet,
        )

    def _name_of(self, key: str) -> str:
        room = self.rooms.get(key)
        return key if room is None else room.name

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
        if person.renaming is not None and person.renaming.is_pending:
            person.renaming.when_settled(partial(self.part, person, reason))
            return
        person.present = False
        self._stop_waiting_for(person)
        for key in list(person.rooms):
            self._leave(person, key, reason)
        self.people.remove(person)
        if person.may_resume:
            self._store.drop_session(person.id)
        _log.info("{nick} has left", nick=person.nickname)
        if person.connection is None:
            self._erase_log_of(person)
        else:
            person.connection.end()

    def close(self, announcement: str) -> None:
        """Tell everybody, and let them go; who may resume can do so when the server is back."""
        if self._stopping:
            return
        for person in list(self.people):
            if person.connection is not None:
                person.connection.hurry()
        self._stopping = True
        for person in list(self.people):
            self.tell(person, announcement)
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
        room = self.rooms.called(name)
        if room is not None and room.key in person.rooms:
            return room
        if len(person.rooms) >= self.limits.rooms_per_person:
            raise Refused(
                "too-many-rooms",
                f"You are in {counted(len(person.rooms), 'room')}, which is the most: "
                "/leave one first.",
            )
        if room is not None:
            self.rights.check(person, Right.ENTER, room)
        else:
            room = self.rooms.add(name, self._needed_rooms())
        person.rooms[room.key] = room.log.last
        if person.connection is not None:
            person.connection.follow(room.key, room.fanout)
        room.enter(person)
        if person.connection is not None:
            person.connection.entered(room.key)
        return room

    def _needed_rooms(self) -> set[str]:
        """Rooms that look idle, and must not be closed all the same."""
        return {self.lobby.key, *(key for each in self.people.displaced for key in each.rooms)}

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
        self._leave(person, room.key, "")

    def _leave(self, person: Person, key: str, reason: str) -> None:
        del person.rooms[key]
        if not person.displaced:
            self.rooms[key].leave(person, reason)
        if person.connection is not None:
            person.connection.unfollow(key)

    def room_of(self, person: Person, name: str) -> Room:
        """A room that a person is in.

        Raises:
            Refused: they are not.
        """
        room = self.rooms.find(name)
        if room.key not in person.rooms:
            raise Refused("not-in-room", f"You are not in {room.name}: /join {room.name} first.")
        return room

    def _make_room(self, name: str, seen: Callable[[Entry], None]) -> Room:
        log = Log(names.key(name), name, self._store, seen, self.counters)
        room = Room(name, Fanout(log, self._turn), self.clock, self.limits, self.now)
        room.topic = self._store.topic(log.name)
        self._opened(room)
        return room

    # Talking

    def say(self, person: Person, room: Room, text: str, request: Request) -> None:
        """Say something in a room that one is in."""
        message = Message(self._active(person), room.name, person.nickname, text)
        self._append(person, room, request, message)

    def act(self, person: Person, room: Room, text: str, request: Request) -> None:
        """Do something in a room that one is in."""
        action = Action(self._active(person), room.name, person.nickname, text)
        self._append(person, room, request, action)

    def set_topic(self, person: Person, room: Room, text: str, request: Request) -> None:
        """Say what a room is about; an empty text takes the topic away."""
        topic = Topic(self._active(person), room.name, person.nickname, text)
        self._append(person, room, request, topic)

    def _whispered(self, person: Person, others: Sequence[Person]) -> None:
        for other in others:
            if other.hears(person.nickname, person.id):
                other.last_whisperer = Whisperer(person.nickname, person.id)

    def whisper(
        self, person: Person, others: Sequence[Person], text: str, request: Request
    ) -> None:
        """Say something to some people alone; a whisper stands in both people's logs."""
        now, entries = self._active(person), []
        for other in others:
            whisper = Whisper(now, OWN, person.nickname, other.nickname, text)
            mine = Entry(whisper, person.id, request.ref, client=request.client, waiter=request)
            theirs = Entry(whisper, person.id, waiter=request)
            entries += [(self.log_of(person), mine), (self.log_of(other), theirs)]
        request.begin(person.connection, partial(self._whispered, person, tuple(others)))
        append_together(entries)

    def rename(self, person: Person, nickname: str, request: Request) -> None:
        """Take another nickname, once that is stored.

        Raises:
            Refused: why not.
        """
        name = names.nickname(nickname, self.limits)
        if name == person.nickname:
            raise Refused("same-nick", f"You are called {name} already.")
        self.people.check_free(name, person)
        bucket, now = person.renames or Bucket(), self.clock.seconds()
        if wait := bucket.wait(self.limits.renames, now):
            raise Refused(
                "too-fast",
                f"You change your nickname too often: wait {seconds_to_wait(wait)}.",
                wait,
            )
        bucket.take(self.limits.renames, now)
        person.renames = bucket
        self.people.claim(person, name)
        request.begin(
            person.connection,
            partial(self._renamed, person, name),
            partial(self.people.unclaim, person, name),
        )
        person.renaming = request
        entries = []
        for key in person.rooms:
            room = self.rooms[key]
            room.announce(person, to=name)
            rename = Rename(self.now(), room.name, person.nickname, name)
            entries.append(
                (
                    room.log,
                    Entry(rename, person.id, request.ref, client=request.client, waiter=request),
                )
            )
        append_together(entries)

    def _renamed(self, person: Person, nickname: str) -> None:
        old = person.nickname
        self.people.rename(person, nickname)
        for key in person.rooms:
            self.rooms[key].rename(person)
        _log.info("{old} is now {nick}", old=old, nick=nickname)

    def set_away(self, person: Person, reason: str | None) -> None:
        """Go away, or come back (None)."""
        person.away = reason
        person.told_away = ()
        for key in person.rooms:
            room = self.rooms[key]
            room.announce(person)
            away = Away(self._active(person), room.name, person.nickname, reason or "")
            room.log.append(Entry(away, person.id))

    def _append(
        self, person: Person, room: Room, request: Request, event: Message | Action | Topic
    ) -> None:
        room.announce(person)
        request.begin(person.connection)
        room.log.append(Entry(event, person.id, request.ref, client=request.client, waiter=request))

    def _active(self, person: Person) -> float:
        person.spoke = now = self.now()
        return now

    def tell(self, person: Person, text: str) -> None:
        """Announce something to one person."""
        self.log_of(person).append(Entry(Notice(self.now(), OWN, "", text)))

    @property
    def epoch(self) -> str:
        """What the numbers of events belong to: where this is another, they began anew."""
        return self._store.epoch

    @property
    def is_stopping(self) -> bool:
        """Whether the server stops, and takes nothing more."""
        return self._stopping

    @property
    def is_behind(self) -> bool:
        """Whether what was said waits to be stored, and who says much should wait too."""
        return self._store.is_behind
