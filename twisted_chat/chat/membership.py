"""Everybody and every room, and who is in which."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial

from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.interfaces import IReactorTime

from twisted_chat.chat.accounts import Accounts
from twisted_chat.chat.administrators import Administrators
from twisted_chat.chat.asleep import Asleep
from twisted_chat.chat.device import Device
from twisted_chat.chat.files import Files
from twisted_chat.chat.moderation import Moderation
from twisted_chat.chat.observers import Observer, Observers
from twisted_chat.chat.operations import Operations
from twisted_chat.chat.own_logs import OwnLogs
from twisted_chat.chat.passwords import OwnPasswords
from twisted_chat.chat.people import People
from twisted_chat.chat.person import Person
from twisted_chat.chat.projection import project
from twisted_chat.chat.read_marks import ReadMarks
from twisted_chat.chat.request import Request, store_together
from twisted_chat.chat.rights import Right, Rights
from twisted_chat.chat.room import Room
from twisted_chat.chat.rooms import Rooms
from twisted_chat.chat.server_log import ServerLog
from twisted_chat.counters import Counters
from twisted_chat.events import OWN, Act, Entry, Event, Join, Notice
from twisted_chat.events.effects import EFFECTS, State
from twisted_chat.limits import Limits
from twisted_chat.log.fanout import Fanout
from twisted_chat.log.log import Log, append_together
from twisted_chat.refusal import Refused
from twisted_chat.stores import Store
from twisted_chat.stores.nameless import NOBODY
from twisted_chat.stores.nodes import Value
from twisted_chat.text import names
from twisted_chat.text.counted import counted
from twisted_chat.turn import Turn


class Membership:
    """Everybody and every room; what people do there is in `Chat`, and the arguments are its."""

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
        how_to_join: Callable[[], Sequence[str]] = lambda: (),
        administrators: Iterable[str] = (),
        operations: Operations | None = None,
        files: Files | None = None,
    ) -> None:
        self.clock = clock
        self.now = now or clock.seconds
        self.name = name
        self.limits = limits or Limits()
        self.motd = motd
        self.rooms = Rooms(self._open_room, self.limits)
        self.lobby: Room
        self.counters = counters or Counters()
        self._opened = opened
        self._store = store
        self._turn = turn
        if accounts is None:
            accounts = Accounts(clock, store, self.limits, OwnPasswords(), self.now)
        self.accounts = accounts
        self.people = People(clock, self.limits, accounts, store.nodes)
        accounts.is_here = lambda account_id: self.people.with_id(account_id) is not None
        self.asleep = Asleep()
        self.own_logs = OwnLogs(store, turn, self.counters, self._own_seen)
        self._being_shown: set[str] = set()  # something of their own, by the account's id
        self.how_to_join = how_to_join
        self.addresses: Sequence[str] = ()
        """Where clients that lose their connection can go on, in the order in which they try."""
        self.administrators = Administrators(accounts, administrators)
        self.operations = operations
        self.files = files
        self.server_log = ServerLog(store, self.now, self.counters, self._act_seen)
        self.since = self.now()
        self.rights = Rights(
            self.now,
            self._nickname_of,
            self.administrators.__contains__,
            self.administrators.names,
            self.server_log,
        )
        self.moderation = Moderation(
            self.people,
            self.rights,
            self.limits,
            self.now,
            self._account_called,
            lambda account_id: accounts.with_id(account_id) is not None,
        )
        self._decided: list[tuple[Room, Entry]] = []  # by which somebody may have to leave
        self._observers = Observers(observers)
        self.read_marks = ReadMarks(clock, self._keep_settings, self.publish)
        self.erases_on_forget = False
        """Whether the name of a deleted account is taken from what it has said."""
        self.is_stopping = False
        """Whether the server stops, and takes nothing more."""
        self.ready = Deferred.fromCoroutine(self._start())
        """Fires when the store has answered, and people may come; fails if it does not."""

    async def _start(self) -> None:
        raise NotImplementedError

    def close(self, announcement: str) -> None:
        """See `Chat.close`."""
        raise NotImplementedError

    def _keep_settings(self, person: Person) -> None:
        raise NotImplementedError

    # Several servers, see `Neighbours`; this is what holds where there is only one

    def publish(self, person: Person) -> None:
        """Somebody is not as they were, and all servers are to know it."""

    def tell_others(self, name: str, value: Value) -> None:
        """The other servers are to know something, see `Neighbours`."""

    def is_told(self, name: str, value: Value) -> None:
        """Another server has told something; what is not known here is of a newer version."""

    def log_out_elsewhere(self, person: Person, device: Device) -> None:
        """Log out a device of somebody's that comes to another server."""
        raise NotImplementedError

    def take(self, device: Device) -> Deferred[int]:
        """A device comes to this server from another; gives its number, see `Nodes.take`."""
        return succeed(0)

    def _come_back(self, person: Person) -> None:
        """Somebody came back while their nickname was given to somebody else, perhaps."""

    def is_ours(self, person: Person) -> bool:
        """Whether it is for this server to tell the others what somebody has to do."""
        return True

    # Rooms

    def join(self, person: Person, name: str, key: str = "") -> Deferred[Room]:
        """Enter a room, which is opened if it is not open; fails with `Refused`.

        Args:
            person: who.
            name: the room's name.
            key: what they say opens it; empty if they have none.
        """
        opened = maybeDeferred(self._room_to_enter, person, name)
        opened.addCallback(partial(self._without_old_role, person))
        return opened.addCallback(lambda room: self.enter_room(person, room, key))

    def _without_old_role(self, person: Person, room: Room) -> Deferred[Room]:
        """A room that was not open when somebody's account was deleted, and their roles with it."""
        is_old = not person.account and room.order.is_of_account(person.id)
        ended = self.end_roles(person, [room] if is_old else [])
        return ended.addCallback(lambda _: room)

    def end_roles(self, person: Person, rooms: Iterable[Room]) -> Deferred[None]:
        """Somebody has no account any more; fires when they have no role in some rooms either."""
        ended, name = [], NOBODY if self.erases_on_forget else person.nickname
        for room in rooms:
            room.announce(person)
            ended.append((room.log, Entry(self.moderation.resign(person, room, name), person.id)))
        return store_together(ended)

    def _room_to_enter(self, person: Person, name: str) -> Deferred[Room]:
        name = names.room(name, self.limits)
        room = self.rooms.called(name)
        if room is None:
            self._check_place(person)
            self.rights.check(person, Right.OPEN_ROOM, self.lobby)
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
        if self.is_stopping or not person.present:
            raise Refused("closing", f"You are about to leave, and do not enter {room.name}.")
        self._check_place(person)
        if key and "key" not in (room.order.lock or ()):
            names.room(f"{room.name} {key}", self.limits)  # which nobody can call a room
        self.rights.check(person, Right.ENTER, room, key=key)
        is_founded = bool(person.account) and room.is_new and room is not self.lobby
        person.rooms[room.key] = room.log.last
        for connection in person.connections:
            connection.follow(room.key, room.fanout)
        if not person.displaced:
            room.enter(person)
        self.publish(person)
        for connection in person.connections:
            connection.entered(room.key)
        if is_founded:
            with suppress(Refused):  # an observer may be against it
                self._found(person, room)
        return room

    def _found(self, person: Person, room: Room) -> None:
        """The first to enter a room owns it, which is nothing for the server's own log."""
        event = self.moderation.found(person, room)
        self._observers.check(event)
        room.announce(person)
        room.log.append(Entry(event, person.id))

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
        for connection in person.connections:  # another device may have typed there
            connection.removed(room.key, next(reversed(person.rooms)))

    def _leave(self, person: Person, key: str, reason: str) -> None:
        person.left(key)
        self.rooms[key].leave(person, reason)
        self.publish(person)
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

    def _open_room(self, name: str) -> Deferred[Room]:
        log = Log(names.key(name), name, self._store, counters=self.counters)
        return log.open().addCallback(lambda state: self._make_room(name, log, state))

    def _make_room(self, name: str, log: Log, state: State) -> Room:
        fanout = Fanout(log, self._turn)
        room = Room(name, fanout, self.clock, self.limits, self.now, state)
        log.seen = partial(self._seen, room)
        self._opened(room)
        if self.files is not None:
            self.files.load(room.key, state)
        return room

    def _seen(self, room: Room, entry: Entry) -> None:
        if type(entry.event) in EFFECTS:
            self._changed(room, entry)
        self._observers.tell(entry)

    def _changed(self, room: Room, entry: Entry) -> None:
        project(room, entry)
        if self.files is not None and self.files.follow(room.key, entry):
            room.fanout.window.forget_bytes()  # which have the address of what is gone

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
        settle = partial(room.order.unsilence, about)
        if about:
            room.order.silence(about)
        room.announce(person)
        request.begin(person.connection_of(request.client), settle, settle)
        entry = Entry(event, person.id, request.ref, client=request.client, waiter=request)
        append_together([(room.log, entry), self.server_log.copy(person, event)])

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

    def may_speak_everywhere(self, person: Person) -> bool:
        """Whether nobody keeps somebody from speaking in any of their rooms."""
        return all(self.rights.may(person, Right.SPEAK, self.rooms[key]) for key in person.rooms)

    def _nickname_of(self, person_id: str) -> str | None:
        person = self.people.with_id(person_id)
        return None if person is None else person.nickname

    def _account_called(self, name: str) -> str | None:
        account = self.accounts.called(name)
        return None if account is None else account.id

    def is_administrator(self, person: Person) -> bool:
        """Whether somebody administers the server."""
        return person.account in self.administrators

    def _act_seen(self, act: Act) -> None:
        raise NotImplementedError

    def address_of(self, path: str) -> str:
        """The address of a file by its path; empty if it is not there any more."""
        return "" if self.files is None else self.files.address_of(path)

    # What is for one person alone

    def log_of(self, person: Person) -> Log:
        """A person's own log; most have none until there is something in it for them."""
        if person.log is not None:
            return person.log
        fanout = self.own_logs.new(person.id)
        if person.account:
            self.own_logs.keep(person.account, fanout)
        self.has_log(person, fanout)
        return fanout.log

    def has_log(self, person: Person, fanout: Fanout) -> None:
        """There is something for one person alone now, and their devices read it."""
        person.log, person.fanout = fanout.log, fanout
        for connection in person.connections:
            connection.follow(OWN, fanout)

    def _own_seen(self, person_id: str, entry: Entry) -> None:
        raise NotImplementedError

    def _erase_log_of(self, person: Person) -> None:
        if person.fanout is not None and not person.account:
            self.own_logs.erase(person.id, person.fanout)

    def tell(self, person: Person, text: str) -> None:
        """Announce something to one person."""
        self.log_of(person).append(Entry(Notice(self.now(), OWN, "", text)))

    @property
    def epoch(self) -> str:
        """What the numbers of events belong to: where this is another, they began anew."""
        return self._store.epoch

    @property
    def is_behind(self) -> bool:
        """Whether what was said waits to be stored, and who says much should wait too."""
        return self._store.is_behind
