"""The chat: everybody, every room, and all that one can do. Frontends call only this."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from twisted.internet.defer import Deferred, gatherResults, maybeDeferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from twisted_chat.chat.accounts import Accounts
from twisted_chat.chat.device import Connection, Device
from twisted_chat.chat.observers import Observer, Observers
from twisted_chat.chat.passwords import OwnPasswords
from twisted_chat.chat.people import People
from twisted_chat.chat.person import Person, Whispered
from twisted_chat.chat.projection import project
from twisted_chat.chat.request import Request
from twisted_chat.chat.rights import Right, Rights
from twisted_chat.chat.room import Room
from twisted_chat.chat.rooms import Rooms
from twisted_chat.counters import Counters
from twisted_chat.events import (
    OWN,
    Action,
    Away,
    Entry,
    Join,
    Message,
    Notice,
    Rename,
    Topic,
    Whisper,
)
from twisted_chat.events.effects import State
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
        motd: lines shown to everybody who joins.
        opened: called with every room, when it is opened.
        counters: where it is counted what happens.
        now: gives the time of day, in seconds since 1970; without it, that is the clock's.
        observers: told what happens, and asked before it does.
        accounts: the registered names; without it, passwords are hashed at once.
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
        observers: Iterable[Observer] = (),
        accounts: Accounts | None = None,
    ) -> None:
        self.clock = clock
        self.now = now or clock.seconds
        self.name = name
        self.limits = limits or Limits()
        self.motd = motd
        self.rooms = Rooms(self._open_room, self._seen, self.limits)
        self.lobby: Room
        self.counters = counters or Counters()
        self._opened = opened
        self._store = store
        self._turn = turn
        self.people = People(clock, self.limits)
        if accounts is None:
            accounts = Accounts(clock, store, self.limits, OwnPasswords(), self.now)
        self.accounts = accounts
        self.rights = Rights()
        self._observers = Observers(observers)
        self._stopping = False
        self.ready = Deferred.fromCoroutine(self._start())
        """Fires when the store has answered, and people may come; fails if it does not."""

    async def _start(self) -> None:
        await self.accounts.loaded
        self.lobby = await self.rooms.open(names.LOBBY)
        for saved in await self._store.saved_sessions():
            await self._restore(saved)
        kept = [room for room in await self._store.rooms() if self.rooms.called(room) is None]
        place = max(0, self.limits.rooms - len(self.rooms))  # the others are opened on demand
        await gatherResults([self.rooms.open(room) for room in kept[:place]], consumeErrors=True)

    # Coming and going

    def enter(self, nickname: str, address: str) -> Deferred[Person]:
        """Take a nickname; fails with `Refused`.

        This may have to wait, for an account's password or for another node. The person is in no
        room yet: `join` the lobby once their connection can hear it.
        """
        name = names.nickname(nickname, self.limits)
        self._observers.check(Join(self.now(), self.lobby.name, name))
        device = Device(address, self.now())
        person = Person(name, device)
        holder = self.people.called(name)
        if holder is not None and not self._may_displace(holder, address):
            holder = None
        claimed = self.people.claim(name, person, holder)
        return claimed.addCallback(lambda _: self._entered(person, address, holder))

    def _entered(self, person: Person, address: str, displaced: Person | None) -> Person:
        if displaced is not None:
            for key in displaced.rooms:
                self.rooms[key].leave(displaced, "connection lost")
            _log.info(
                "{nick} lost the nickname to a new connection, and may resume",
                nick=displaced.nickname,
            )
        self.people.add(person)
        where = "over a UNIX socket" if address == "local" else f"from {address}"
        _log.info("{nick} connected {where}", nick=person.nickname, where=where, address=address)
        return person

    def _may_displace(self, holder: Person, address: str) -> bool:
        """Whether whoever comes from there may have somebody's nickname.

        A program that was started anew gets its own back. It may also be somebody else behind
        the same router: so they get the nickname, and nothing else.
        """
        return (
            not holder.is_connected
            and any(device.address == address for device in holder.devices.values())
            and not (holder.renaming and holder.renaming.is_pending)
        )

    def _replace(self, person: Person, wanted: str | None) -> None:
        """Who was displaced is back: the same person, perhaps under another nickname."""
        old = person.nickname
        self.people.replace(person, old if wanted is None else wanted)
        if person.nickname != old:
            person.former = (*person.former, old)
        for key in person.rooms:  # which were kept open for them
            self.rooms[key].enter(person)
        if person.nickname != old:
            _log.info("{old} is back as {nick}", old=old, nick=person.nickname)

    def log_of(self, person: Person) -> Log:
        """A person's own log; most have none until there is something in it for them."""
        if person.log is None:
            person.log = Log.new("@" + person.id, OWN, self._store, self.counters)
            person.fanout = Fanout(person.log, self._turn)
            for connection in person.connections:
                connection.follow(OWN, person.fanout)
        return person.log

    def _erase_log_of(self, person: Person) -> None:
        if person.log is not None:
            person.log.erase()

    async def _restore(self, saved: SavedSession) -> None:
        """Somebody was here when the server stopped, and may come back."""
        device = Device(saved.address, saved.since, saved)
        person = Person(saved.nickname, device)
        try:
            await self.people.claim(saved.nickname, person)
        except Refused:
            person.displaced = True
        self.people.add(person)
        for ref in device.done:
            device.remember(Request(device.id, ref), self.limits.refs)
        for ref, number in await self._store.refs(device.id, self.limits.refs):
            request = Request(device.id, ref)
            request.id = number
            device.remember(request, self.limits.refs)
        person.log = Log("@" + person.id, OWN, self._store, counters=self.counters)
        await person.log.open()
        person.fanout = Fanout(person.log, self._turn)
        for name, entered in saved.rooms.items():
            room = await self.rooms.open(name)
            person.rooms[room.key] = entered
            if not person.displaced:
                room.keep(person)
        self._wait_for(person, device)

    def find_session(self, token: str) -> tuple[Person, Device] | None:
        """Who holds a session's token, if they are still here, and of which device it is."""
        found = self.people.with_token(token)
        if found is not None:
            found[1].token = token
        return found

    def attach(
        self,
        person: Person,
        device: Device,
        connection: Connection,
        nickname: str | None = None,
    ) -> None:
        """A device has a connection now.

        Args:
            person: whose device it is.
            device: the device.
            connection: the new connection.
            nickname: the one that they would like, if somebody else has theirs.

        Raises:
            Refused: there is no nickname for them.
        """
        if person.displaced:
            self._replace(person, nickname)
        device.connection = connection
        device.may_resume = connection.may_resume
        if device.may_resume and not device.token_hash:
            self.people.issue_token(person, device, self.epoch)
        self._stop_waiting_for(device)

    def keep(
        self, person: Person, device: Device, request: Request | None = None
    ) -> Deferred[None]:
        """Keep what a restart must not end, if that has changed.

        Args:
            person: whose device it is.
            device: what may resume; nothing is kept of others.
            request: what has changed it, which is not to be done again when it is sent again.

        Returns:
            Fires when that is stored; fails with `Refused` if a request asked for it in vain.
        """
        if not device.may_resume or not person.present:
            return succeed(None)
        saved = self._session_of(person, device)
        if saved == device.saved:
            return succeed(None)
        if request is not None and request.ref is not None:
            device.done = (*device.done, request.ref)[-_DONE:]
            saved = self._session_of(person, device)
        device.saved = saved
        stored = self._store.save_session(saved)
        return stored.addErrback(lambda _: None) if request is None else stored

    def _session_of(self, person: Person, device: Device) -> SavedSession:
        return SavedSession(
            id=device.id,
            token=device.token_hash,
            nickname=person.nickname,
            address=device.address,
            since=device.since,
            rooms={self._name_of(key): entered for key, entered in person.rooms.items()},
            room=device.room,
            away=person.away,
            ignored=tuple((each.nickname, each.person_id) for each in person.ignored.values()),
            former=person.former,
            done=device.done,
            is_quiet=device.is_quiet,
        )

    def _name_of(self, key: str) -> str:
        room = self.rooms.get(key)
        return key if room is None else room.name

    def lose(self, person: Person, device: Device, reason: str) -> None:
        """A device's connection is gone; one that may resume stays for a while."""
        device.connection = None
        if self._stopping or device.id not in person.devices:
            return
        if not person.present:
            if not person.is_connected:
                self._erase_log_of(person)
        elif device.may_resume:
            self._wait_for(person, device)
            _log.info("{nick} lost the connection", nick=person.nickname)
        else:
            self.quit(person, device, reason)

    def _wait_for(self, person: Person, device: Device) -> None:
        device.expiry = self.clock.callLater(
            self.limits.resume_seconds, self._expire, person, device
        )

    def _expire(self, person: Person, device: Device) -> None:
        device.expiry = None
        self.quit(person, device, "connection lost")

    def _stop_waiting_for(self, device: Device) -> None:
        if device.expiry is not None:
            device.expiry.cancel()
            device.expiry = None

    def quit(self, person: Person, device: Device, reason: str) -> None:
        """A device goes for good; with their last one, a person leaves."""
        if len(person.devices) == 1:
            self.part(person, reason)
        elif device.id in person.devices:
            self.people.remove_device(person, device)
            self._end(device)

    def _end(self, device: Device) -> None:
        self._stop_waiting_for(device)
        if device.may_resume:
            self._store.drop_session(device.id)
        if device.connection is not None:
            device.connection.end()

    def part(self, person: Person, reason: str) -> None:
        """A person leaves for good; whoever takes the nickname later is somebody else."""
        if not person.present:
            return
        if person.renaming is not None and person.renaming.is_pending:
            person.renaming.when_settled(partial(self.part, person, reason))
            return
        person.present = False
        for key in list(person.rooms):
            self._leave(person, key, reason)
        self.people.remove(person)
        _log.info("{nick} has left", nick=person.nickname)
        if not person.is_connected:
            self._erase_log_of(person)
        for device in person.devices.values():
            self._end(device)

    def close(self, announcement: str) -> None:
        """Tell everybody, and let them go; who may resume can do so when the server is back."""
        if self._stopping:
            return
        for person in list(self.people):
            for connection in person.connections:
                connection.do_all()
        self._stopping = True
        for person in list(self.people):
            self.tell(person, announcement)
            for connection in person.connections:
                connection.end()
        for room in self.rooms.values():
            room.hush()

    # Rooms

    def join(self, person: Person, name: str) -> Deferred[Room]:
        """Enter a room, which is opened if it is not open; fails with `Refused`."""
        return maybeDeferred(self._room_to_enter, person, name).addCallback(
            lambda room: self.enter_room(person, room)
        )

    def _room_to_enter(self, person: Person, name: str) -> Deferred[Room]:
        name = names.room(name, self.limits)
        room = self.rooms.called(name)
        if room is None:
            self._check_place(person)
        if room is None or room.key not in person.rooms:
            self._observers.check(Join(self.now(), room.name if room else name, person.nickname))
        return succeed(room) if room else self.rooms.add(name, self._needed_rooms())

    def _check_place(self, person: Person) -> None:
        if len(person.rooms) >= self.limits.rooms_per_person:
            raise Refused(
                "too-many-rooms",
                f"You are in {counted(len(person.rooms), 'room')}, which is the limit: "
                "/leave one first.",
            )

    def enter_room(self, person: Person, room: Room) -> Room:
        """Enter a room that is open.

        Raises:
            Refused: why not; it may have taken so long to open that they are gone.
        """
        if room.key in person.rooms:
            return room
        if self._stopping or not person.present:
            raise Refused("closing", f"You are about to leave, and do not enter {room.name}.")
        self._check_place(person)
        self.rights.check(person, Right.ENTER, room)
        person.rooms[room.key] = room.log.last
        for connection in person.connections:
            connection.follow(room.key, room.fanout)
        room.enter(person)
        for connection in person.connections:
            connection.entered(room.key)
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
        for connection in person.connections:
            connection.unfollow(key)

    def room_of(self, person: Person, name: str) -> Room:
        """A room that a person is in.

        Raises:
            Refused: they are not.
        """
        room = self.rooms.find(name)
        if room.key not in person.rooms:
            raise Refused("not-in-room", f"You are not in {room.name}: /join {room.name} first.")
        return room

    def _open_room(self, name: str, seen: Callable[[Entry], None]) -> Deferred[Room]:
        log = Log(names.key(name), name, self._store, seen, self.counters)
        return log.open().addCallback(lambda state: self._make_room(name, log, state))

    def _make_room(self, name: str, log: Log, state: State) -> Room:
        fanout = Fanout(log, self._turn)
        room = Room(name, fanout, self.clock, self.limits, self.now, state)
        self._opened(room)
        return room

    def _seen(self, room: Room, entry: Entry) -> None:
        project(room, entry)
        self._observers.tell(entry)

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

    def whisper(
        self, person: Person, others: Sequence[Person], text: str, request: Request
    ) -> None:
        """Say something to some people alone; a whisper stands in both people's logs."""
        now, entries = self._active(person), []
        for other in others:
            whisper = Whisper(now, OWN, person.nickname, other.nickname, text)
            self._observers.check(whisper)
            mine = Entry(whisper, person.id, request.ref, client=request.client, waiter=request)
            theirs = Entry(whisper, person.id, waiter=Whispered(other, mine, request))
            entries += [(self.log_of(person), mine), (self.log_of(other), theirs)]
        request.begin(person.connection_of(request.client))
        append_together(entries)

    def rename(self, person: Person, nickname: str, request: Request) -> Deferred[None]:
        """Take another nickname, once that is stored.

        Returns:
            Fires when nobody else gets it any more, and it is about to be stored; fails with
            `Refused`.

        Raises:
            Refused: why not.
        """
        name = names.nickname(nickname, self.limits)
        if name == person.nickname:
            raise Refused("same-nick", f"You are already called {name}.")
        bucket, now = person.renames or Bucket(), self.clock.seconds()
        if wait := bucket.wait(self.limits.renames, now):
            raise Refused(
                "too-fast",
                f"You are changing your nickname too often: wait {seconds_to_wait(wait)}.",
                wait,
            )
        self._observers.check(Rename(self.now(), OWN, person.nickname, name))
        claimed = self.people.claim(name, person)
        return claimed.addCallback(lambda _: self._claimed(person, name, request))

    def _claimed(self, person: Person, name: str, request: Request) -> None:
        if not person.present:
            self.people.release(name, person)
            raise Refused("closing", f"You left meanwhile, and are not called {name}.")
        person.renames = person.renames or Bucket()
        person.renames.take(self.limits.renames, self.clock.seconds())
        request.begin(
            person.connection_of(request.client),
            partial(self._renamed, person, name),
            partial(self.people.release, name, person),
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
        self._observers.check(Away(self.now(), OWN, person.nickname, reason or ""))
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
        self._observers.check(event)
        room.announce(person)
        request.begin(person.connection_of(request.client))
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
