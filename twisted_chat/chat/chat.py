"""The chat: everybody, every room, and all that one can do. Frontends call only this."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from twisted.internet.defer import Deferred, gatherResults, maybeDeferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from twisted_chat.chat.accounts import Accounts
from twisted_chat.chat.administrators import Administrators
from twisted_chat.chat.device import Connection, Device
from twisted_chat.chat.moderation import Moderation
from twisted_chat.chat.observers import Observer, Observers
from twisted_chat.chat.operations import Operations
from twisted_chat.chat.order import Role, Sentence
from twisted_chat.chat.passwords import OwnPasswords
from twisted_chat.chat.people import People
from twisted_chat.chat.person import Person, Whisperer
from twisted_chat.chat.projection import project
from twisted_chat.chat.request import Request
from twisted_chat.chat.rights import Right, Rights
from twisted_chat.chat.room import Room
from twisted_chat.chat.rooms import Rooms
from twisted_chat.chat.server_log import ServerLog
from twisted_chat.chat.shutdown import Shutdown
from twisted_chat.counters import Counters
from twisted_chat.events import (
    OWN,
    Act,
    Action,
    Away,
    Ban,
    Close,
    Entry,
    Event,
    Join,
    Kick,
    Message,
    Notice,
    Rename,
    Topic,
    Whisper,
)
from twisted_chat.events.effects import Changes, State
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
        administrators: names of accounts that administer the server, beside those that are
            administrators by themselves.
        operations: what administrators can ask of the program, if it is there for the chat.
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
        administrators: Iterable[str] = (),
        operations: Operations | None = None,
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
        self.administrators = Administrators(accounts, administrators)
        self.operations = operations
        self.server_log = ServerLog(store, self.now, self.counters, self._act_seen)
        self.shutdown = Shutdown(clock, self.tell_everybody)
        self.since = self.now()
        self.rights = Rights(
            self.now,
            self._nickname_of,
            self.administrators,
            self.administrators.names,
            lambda: self.server_log.lockdown == "all",
        )
        self.banned_addresses_changed: Callable[[], None] = lambda: None
        """Called when somebody may not connect any more; what has the connections sets it."""
        self.moderation = Moderation(
            self.people, self.rights, self.limits, self.now, self._account_called
        )
        self._decided: list[tuple[Room, Entry]] = []  # by which somebody may have to leave
        self._observers = Observers(observers)
        self._stopping = False
        self.ready = Deferred.fromCoroutine(self._start())
        """Fires when the store has answered, and people may come; fails if it does not."""

    async def _start(self) -> None:
        await self.accounts.loaded
        await self.server_log.open()
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
        self._check_lockdown()
        self._observers.check(Join(self.now(), self.lobby.name, name))
        device = Device(address, self.now())
        person = Person(name, device)
        self._check_not_banned(person)
        self.rights.check(person, Right.ENTER, self.lobby)
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
        rooms = await self._rooms_of(person, saved)
        if not rooms or self.server_log.order.ban_of(person, is_newcomer=False) is not None:
            self._store.drop_session(device.id)
            return
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
        for room, entered in rooms:
            person.rooms[room.key] = entered
            if not person.displaced:
                room.keep(person)
        self._wait_for(person, device)

    async def _rooms_of(self, person: Person, saved: SavedSession) -> Sequence[tuple[Room, int]]:
        """Where somebody was who may be there still, each with the last number on entering."""
        rooms = [(await self.rooms.open(name), entered) for name, entered in saved.rooms.items()]
        stay = [each for each in rooms if self.rights.may_stay(person, *each)]
        if not stay and self.rights.may(person, Right.ENTER, self.lobby):
            stay = [(self.lobby, self.lobby.log.last)]
        return stay

    def _account_called(self, name: str) -> str | None:
        account = self.accounts.called(name)
        return None if account is None else account.id

    def _nickname_of(self, person_id: str) -> str | None:
        person = self.people.with_id(person_id)
        return None if person is None else person.nickname

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
        if not self._may_speak_everywhere(person):
            reason = ""
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

    def join(self, person: Person, name: str, key: str = "") -> Deferred[Room]:
        """Enter a room, which is opened if it is not open; fails with `Refused`.

        Args:
            person: who.
            name: the room's name.
            key: what they say opens it; empty if they have none.
        """
        return maybeDeferred(self._room_to_enter, person, name).addCallback(
            lambda room: self.enter_room(person, room, key)
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

    def enter_room(self, person: Person, room: Room, key: str = "") -> Room:
        """Enter a room that is open; the other arguments are those of `join`.

        Raises:
            Refused: why not; it may have taken so long to open that they are gone.
        """
        if room.key in person.rooms:
            return room
        if self._stopping or not person.present:
            raise Refused("closing", f"You are about to leave, and do not enter {room.name}.")
        self._check_place(person)
        self.rights.check(person, Right.ENTER, room, key=key)
        is_founded = bool(person.account) and room.is_new and room is not self.lobby
        person.rooms[room.key] = room.log.last
        for connection in person.connections:
            connection.follow(room.key, room.fanout)
        room.enter(person)
        for connection in person.connections:
            connection.entered(room.key)
        if is_founded:
            self.decide(person, room, self.moderation.found(person, room), Request())
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
        room = self.rooms[key]
        if not person.displaced:
            room.leave(person, reason)
        for connection in person.connections:
            connection.unfollow(key)

    def room_of(self, person: Person, name: str) -> Room:
        """A room that a person is in.

        Raises:
            Refused: they are not.
        """
        room = self.find_room(person, name)
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
        if isinstance(entry.event, Kick | Ban | Close):
            self._decided.append((room, entry))
            self._turn.schedule(self._carry_out)
        self._observers.tell(entry)

    # Order

    def decide(
        self, person: Person, room: Room, event: Event, request: Request, about: str = ""
    ) -> None:
        """Something about a room is decided, by somebody who may.

        Args:
            person: who decides it.
            room: where.
            event: what.
            request: with what it was asked for.
            about: the id of whoever loses a right by it; they do nothing more there meanwhile.
        """
        self._observers.check(event)
        silencing = room.order.silencing
        settle = partial(silencing.discard, about)
        if about:
            silencing.add(about)
        room.announce(person)
        request.begin(person.connection_of(request.client), settle, settle)
        entry = Entry(event, person.id, request.ref, client=request.client, waiter=request)
        append_together([(room.log, entry), self.server_log.copy(person, event)])

    def _carry_out(self) -> None:
        """Let those leave who may not stay, by what has just been shown."""
        decided, self._decided = self._decided, []
        for room, entry in decided:
            event = entry.event
            for person in self._concerned(room, event):
                entered = person.rooms.get(room.key)
                if entered is not None and not self.rights.may_stay(person, room, entered):
                    self._remove(person, room, entry)

    def _concerned(self, room: Room, event: Event) -> Sequence[Person]:
        """Of everybody in a room, those who may have to leave it by an event."""
        if isinstance(event, Kick):
            one = self.people.with_id(event.person)
            return () if one is None else (one,)
        return [*room.members.values(), *self.people.displaced]

    def _remove(self, person: Person, room: Room, entry: Entry) -> None:
        by, why = entry.event.sender, getattr(entry.event, "reason", "")
        told = f"You were removed from {room.name} by {by}" + (f": {why}" if why else "")
        reason = f"removed by {by}"
        if len(person.rooms) == 1:  # one has to be somewhere
            if room is self.lobby or not self.rights.may(person, Right.ENTER, self.lobby):
                self.tell(person, told)
                self.part(person, reason)
                return
            self.enter_room(person, self.lobby)
        other = next(self.rooms[key] for key in reversed(person.rooms) if key != room.key)
        for device in person.devices.values():
            if device.room == room.key:
                device.room = other.key
        for connection in person.connections:
            connection.removed(room.key, other.key)
        self._leave(person, room.key, reason)
        self.tell(person, told)
        for device in person.devices.values():
            self.keep(person, device)
        _log.info(
            "{nick} was removed from {room} by {by}", nick=person.nickname, room=room.name, by=by
        )

    def find_room(self, person: Person, name: str) -> Room:
        """A room that is open, and that somebody may know of.

        Raises:
            Refused: they know of none of this name.
        """
        return self.rooms.find(name, partial(self.rights.knows_of, person))

    def look_into(self, person: Person, name: str) -> Room:
        """A room of which somebody may know who is in it.

        Raises:
            Refused: they may not, or there is none that they know of.
        """
        room = self.find_room(person, name)
        if not self.rights.may_look_into(person, room):
            raise Refused(
                "not-allowed", f"{room.name} is locked: only those in it see who is there."
            )
        return room

    def may_anywhere(self, person: Person, right: Right) -> bool:
        """Whether somebody has the role that a right needs in any of their rooms."""
        roles = (self.rights.role_of(person, self.rooms[key]) for key in person.rooms)
        return not right.role or any(role >= right.role for role in roles)

    # Talking

    def say(self, person: Person, room: Room, text: str, request: Request) -> None:
        """Say something in a room that one is in."""
        self._slow_down(person, room)
        message = Message(self._active(person), room.name, person.nickname, text)
        self._append(person, room, request, message)

    def act(self, person: Person, room: Room, text: str, request: Request) -> None:
        """Do something in a room that one is in."""
        self._slow_down(person, room)
        action = Action(self._active(person), room.name, person.nickname, text)
        self._append(person, room, request, action)

    def _slow_down(self, person: Person, room: Room) -> None:
        """Where a room is slow, a member without a role speaks only so often."""
        if room.order.slow and self.rights.role_of(person, room) is Role.MEMBER:
            room.take_turn(person, self.clock.seconds())

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
            self._observers.check(whisper)
            mine = Entry(whisper, person.id, request.ref, client=request.client, waiter=request)
            theirs = Entry(whisper, person.id, waiter=request)
            entries += [(self.log_of(person), mine), (self.log_of(other), theirs)]
        request.begin(
            person.connection_of(request.client), partial(self._whispered, person, tuple(others))
        )
        append_together(entries)

    def rename(
        self, person: Person, nickname: str, request: Request, by: Person | None = None
    ) -> Deferred[None]:
        """Take another nickname, once that is stored.

        Args:
            person: whose it will be.
            nickname: what they will be called.
            request: what asks for it.
            by: the administrator who wants it so, if it is not they themselves.

        Returns:
            Fires when nobody else gets it any more, and it is about to be stored; fails with
            `Refused`.

        Raises:
            Refused: why not.
        """
        name = names.nickname(nickname, self.limits)
        if name == person.nickname:
            who = f"{name} is" if by else "You are"
            raise Refused("same-nick", f"{who} already called {name}.")
        if by is None:
            self._check_pace_of_renames(person)
            self._check_nickname_is_not_banned(person, name)
            self._observers.check(Rename(self.now(), OWN, person.nickname, name))
        elif person.renaming is not None and person.renaming.is_pending:
            raise Refused("too-fast", f"{person.nickname} is just changing: try again.", 1)
        claimed = self.people.claim(name, person)
        return claimed.addCallback(lambda _: self._claimed(person, name, request, by))

    def _check_pace_of_renames(self, person: Person) -> None:
        bucket, now = person.renames or Bucket(), self.clock.seconds()
        if wait := bucket.wait(self.limits.renames, now):
            raise Refused(
                "too-fast",
                f"You are changing your nickname too often: wait {seconds_to_wait(wait)}.",
                wait,
            )

    def _check_nickname_is_not_banned(self, person: Person, nickname: str) -> None:
        ban = self.server_log.order.ban_of_nickname(nickname)
        if ban is not None and person.account not in self.administrators:
            raise Refused(
                "banned",
                f"{nickname} is banned from this server: choose another nickname.",
                until=ban.until,
            )
        for key in person.rooms:
            room = self.rooms[key]
            ban = room.order.ban_of_nickname(nickname)
            if ban is not None and self.rights.role_of(person, room) is Role.MEMBER:
                raise Refused(
                    "banned",
                    f"{nickname} is banned from {room.name}: choose another nickname, or /leave "
                    "that room first.",
                    until=ban.until,
                )

    def _claimed(self, person: Person, name: str, request: Request, by: Person | None) -> None:
        if not person.present:
            self.people.release(name, person)
            who = person.nickname if by else "You"
            raise Refused("closing", f"{who} left meanwhile, and nobody is called {name}.")
        if by is None:
            person.renames = person.renames or Bucket()
            person.renames.take(self.limits.renames, self.clock.seconds())
        request.begin(
            (by or person).connection_of(request.client),
            partial(self._renamed, person, name),
            partial(self.people.release, name, person),
        )
        person.renaming = request
        entries = []
        if by is not None:
            act = f"renamed {person.nickname} to {name}"
            entries.append(self.server_log.record(by, act, request=request))
        for key in person.rooms:
            room = self.rooms[key]
            room.announce(person, to=name)
            rename = Rename(self.now(), room.name, person.nickname, name)
            entry = Entry(rename, person.id, waiter=request)
            if by is None:
                entry.ref, entry.client = request.ref, request.client
            entries.append((room.log, entry))
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
        if reason and not self._may_speak_everywhere(person):
            reason = "not here just now"  # a note would be heard where they may not speak
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

    def _may_speak_everywhere(self, person: Person) -> bool:
        return all(self.rights.may(person, Right.SPEAK, self.rooms[key]) for key in person.rooms)

    def _active(self, person: Person) -> float:
        person.spoke = now = self.now()
        return now

    def tell(self, person: Person, text: str) -> None:
        """Announce something to one person."""
        self.log_of(person).append(Entry(Notice(self.now(), OWN, "", text)))

    def tell_everybody(self, text: str, *also: tuple[Log, Entry]) -> None:
        """Announce something to everybody who is connected, once each.

        Args:
            text: the announcement.
            also: what is to be stored before they are told, or they are not.
        """
        notice = Notice(self.now(), OWN, "", text)
        told = [(self.log_of(each), Entry(notice)) for each in self.people if each.is_connected]
        if also or told:
            append_together([*also, *told])

    # Administration

    def administer(
        self,
        person: Person,
        request: Request,
        act: str,
        text: str = "",
        changes: Changes | None = None,
        effect: Callable[[], None] | None = None,
    ) -> None:
        """Do something as an administrator, which is in the server's log before it happens.

        Args:
            person: who does it.
            request: what asks for it.
            act: what it is, see `ServerLog.record`.
            text: what they wrote with it.
            changes: what it changes in the server's state.
            effect: does it, when it is stored.
        """
        request.begin(person.connection_of(request.client), effect)
        append_together([self.server_log.record(person, act, text, changes, request)])

    def announce(self, person: Person, text: str, request: Request) -> None:
        """Tell everybody something, in an administrator's name."""
        request.begin(person.connection_of(request.client))
        record = self.server_log.record(person, "announced", text, request=request)
        self.tell_everybody(f"Announcement by {person.nickname}: {text}", record)

    def decide_for_all(self, person: Person, event: Event, request: Request) -> None:
        """Something about the whole server is decided, by an administrator."""
        request.begin(person.connection_of(request.client))
        append_together([self.server_log.copy(person, event, request)])

    def _act_seen(self, act: Act) -> None:
        if any(name.startswith("ban/") for name, value in act.changes.items() if value):
            self.clock.callLater(0, self._remove_banned)  # once all is seen

    def _remove_banned(self) -> None:
        self.banned_addresses_changed()
        for person in [*self.people, *self.people.displaced]:
            ban = self._server_ban_of(person, is_newcomer=False)
            if ban is not None:
                self.disconnect(person, self.rights.banned(self.server_log.name, ban), "banned")

    def _server_ban_of(self, person: Person, *, is_newcomer: bool) -> Sentence | None:
        if person.account in self.administrators:  # a mask or an address may mean them too
            return None
        return self.server_log.order.ban_of(person, is_newcomer=is_newcomer)

    def _check_not_banned(self, person: Person) -> None:
        ban = self._server_ban_of(person, is_newcomer=True)
        if ban is not None:
            raise self.rights.banned(self.server_log.name, ban)

    def ban_of_address(self, address: str) -> Refused | None:
        """Why nobody may connect from an address; None if they may."""
        ban = self.server_log.order.ban_of_address(address)
        return None if ban is None else self.rights.banned(self.server_log.name, ban)

    def disconnect(self, person: Person, why: Refused, reason: str) -> None:
        """Have somebody leave with all their devices.

        Args:
            person: who has to go.
            why: what they are told.
            reason: what the others are told.
        """
        for connection in person.connections:
            connection.refuse(why)
        self.part(person, reason)

    def _check_lockdown(self) -> None:
        """Make sure that somebody without an account may come in."""
        if self.server_log.lockdown != "off":
            raise Refused(
                "lockdown",
                "Only people with an account can come in just now: log in, or try again later.",
            )

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
