"""Coming and going: who comes, is away without a connection, comes back, and leaves."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_chat.chat.device import Connection, Device
from twisted_chat.chat.membership import Membership
from twisted_chat.chat.order import Sentence
from twisted_chat.chat.person import Person
from twisted_chat.chat.request import Request
from twisted_chat.chat.rights import Right
from twisted_chat.chat.room import Room
from twisted_chat.events import Join
from twisted_chat.refusal import Refused
from twisted_chat.stores import SavedSession
from twisted_chat.text import names

_log = Logger(namespace="chat")

_DONE = 50
"""Requests without an event of their own that are remembered over a restart."""


class Logins(Membership):
    """Who comes and goes; the arguments are those of `Chat`."""

    def enter(self, nickname: str, device: Device) -> Deferred[Person]:
        """Take a nickname; fails with `Refused`.

        This may have to wait, for another node. The person is in no room yet: `join` the lobby
        once their connection can hear it.

        Args:
            nickname: what they want to be called.
            device: the one that they come with.
        """
        name = names.nickname(nickname, self.limits)
        self._check_lockdown()
        self._observers.check(Join(self.now(), self.lobby.name, name))
        person = Person(name, device)
        self._check_not_banned(person)
        self.rights.check(person, Right.ENTER, self.lobby)
        holder = self.people.called(name)
        if holder is not None and not self._may_displace(holder, device.address):
            holder = None
        claimed = self.people.claim(name, person, holder)
        kept = claimed.addCallback(lambda _: self._claimed_by(person, device, holder))
        return kept.addCallback(lambda _: self._let_guest_in(person, device))

    def _let_guest_in(self, person: Person, device: Device) -> Person:
        try:
            self._check_lockdown()  # either may have begun while the session was being stored
            self._check_not_banned(person)
        except Refused:
            self.people.release(person.nickname, person)
            self._store.drop_session(device.id)
            raise
        return self._entered(person, device)

    def _claimed_by(
        self, person: Person, device: Device, displaced: Person | None
    ) -> Deferred[None]:
        if displaced is not None and displaced.displaced:  # else they are back already
            self._leave_for_now(displaced)
            self._come_back(displaced)
        return self._keep_first(person, device)

    def _keep_first(self, person: Person, device: Device) -> Deferred[None]:
        """Keep the session of who comes before they are told of it: its token is good from then on.

        They come in all the same if that cannot be stored.
        """
        if not device.may_resume:
            return succeed(None)
        self._renew(device)
        device.saved = self._session_of(person, device)
        return self._store.save_session(device.saved).addErrback(lambda _: None)

    def _renew(self, device: Device) -> None:
        """A device that stays logged in does so for as long again."""
        if device.is_remembered:
            device.until = self.now() + self.limits.remember_seconds

    def _server_ban_of(self, person: Person, *, is_newcomer: bool) -> Sentence | None:
        if self.is_administrator(person):  # a mask or an address may mean them too
            return None
        return self.server_log.order.ban_of(person, is_newcomer=is_newcomer)

    def _check_not_banned(self, person: Person) -> None:
        ban = self._server_ban_of(person, is_newcomer=True)
        if ban is not None:
            raise self.rights.banned(self.server_log.name, ban)

    def _check_lockdown(self) -> None:
        """Make sure that somebody without an account may come in."""
        if self.server_log.lockdown != "off":
            raise Refused(
                "lockdown",
                "Only people with an account can come in just now: log in, or try again later.",
            )

    def _entered(self, person: Person, device: Device) -> Person:
        self.people.add(person)
        self.publish(person)
        self._log_connected(person, device)
        return person

    def _leave_for_now(self, displaced: Person, reason: str = "connection lost") -> None:
        for key in displaced.rooms:
            self.rooms[key].leave(displaced, reason)
        self.publish(displaced)
        for device in displaced.devices.values():  # or a restart would give the nickname back
            self.keep(displaced, device)
        _log.info(
            "{nick} lost the nickname to a new connection, and may resume",
            nick=displaced.nickname,
        )

    def _log_connected(self, person: Person, device: Device) -> None:
        address = device.address
        where = "over a UNIX socket" if address == "local" else f"from {address}"
        _log.info("{nick} connected {where}", nick=person.nickname, where=where, address=address)

    def _may_displace(self, holder: Person, address: str) -> bool:
        """Whether whoever comes from there may have somebody's nickname.

        A program that was started anew gets its own back. It may also be somebody else behind
        the same router: so they get the nickname, and nothing else.
        """
        return (
            not holder.is_connected
            and not holder.account
            and any(device.address == address for device in holder.devices.values())
            and not holder.is_renaming
        )

    def _replace(self, person: Person, wanted: str | None) -> None:
        """Who was displaced is back: the same person, perhaps under another nickname."""
        old = person.nickname
        for key in person.rooms:  # where nobody was told yet that they are displaced
            self.rooms[key].leave(person, "connection lost")
        is_wanted = wanted is not None and not self._is_banned_nickname(person, wanted)
        replaced = self.people.replace(person, wanted if wanted and is_wanted else old)
        replaced.addErrback(partial(self._is_late, person))
        if person.nickname != old:
            person.former = (*person.former, old)
        for key in person.rooms:  # which were kept open for them
            self.rooms[key].enter(person)
        if person.nickname != old:
            _log.info("{old} is back as {nick}", old=old, nick=person.nickname)

    def _is_late(self, person: Person, failure: Failure) -> None:
        """Somebody at another server has taken the nickname a moment before."""
        failure.trap(Refused)
        why = Refused("nick-taken", failure.getErrorMessage())
        for connection in person.connections:
            connection.refuse(why)
        self.part(person, "")

    def _is_banned_nickname(self, person: Person, nickname: str) -> bool:
        orders = [self.server_log.order, *(self.rooms[key].order for key in person.rooms)]
        return any(order.ban_of_nickname(nickname) is not None for order in orders)

    async def _restore(self, saved: SavedSession) -> None:
        """Somebody was here when the server stopped, and may come back."""
        device = Device(saved.address, saved.since, saved)
        person = Person(saved.nickname, device)
        rooms = await self._rooms_to_stay_in(person, saved.rooms)
        if not rooms or self._server_ban_of(person, is_newcomer=False) is not None:
            self._store.drop_session(device.id)
            self._store.erase("@" + person.id)
            return
        await self._be_here_again(person)
        person.fanout = await self.own_logs.restore(person.id)
        person.log = person.fanout.log
        self._be_in_again(person, rooms)
        self.publish(person)
        await self._go_on(person, device)

    async def _be_here_again(self, person: Person) -> None:
        try:
            await self.people.claim(person.nickname, person)
        except Refused:
            person.displaced = True
        self.people.add(person)

    def _be_in_again(self, person: Person, rooms: Sequence[tuple[Room, int]]) -> None:
        for room, entered in rooms:
            person.rooms[room.key] = entered
            if not person.displaced:
                room.keep(person)

    async def _go_on(self, person: Person, device: Device) -> None:
        await self._recall_requests(device)
        self._wait_for(person, device)

    async def _recall_requests(self, device: Device) -> None:
        device.settled.update(dict.fromkeys(device.done, 0))
        device.settled.update(await self._store.refs(device.id, self.limits.refs))

    async def _rooms_to_stay_in(
        self, person: Person, rooms_before: Mapping[str, int]
    ) -> Sequence[tuple[Room, int]]:
        """Where somebody was who may be there still, each with the last number on entering."""
        rooms = [(await self.rooms.open(name), entered) for name, entered in rooms_before.items()]
        stay = [each for each in rooms if self.rights.may_stay(person, *each)]
        if not stay and self.rights.may(person, Right.ENTER, self.lobby):
            stay = [(self.lobby, self.lobby.log.last)]
        return stay

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
        self._renew(device)
        self._stop_waiting_for(device)
        self.publish(person)

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
        self.publish(person)
        if not device.may_resume or not person.present or device.id not in person.devices:
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
            person=person.id,
            token=device.token_hash,
            nickname=person.nickname,
            address=device.address,
            since=device.since,
            rooms=self._rooms_of(person),
            room=device.room,
            away=person.away,
            ignored=tuple((each.nickname, each.person_id) for each in person.ignored.values()),
            former=person.former,
            done=device.done,
            is_quiet=device.is_quiet,
            account=person.account,
            until=device.until,
            is_displaced=person.displaced,
        )

    def _rooms_of(self, person: Person) -> dict[str, int]:
        return {self._name_of(key): entered for key, entered in person.rooms.items()}

    def _name_of(self, key: str) -> str:
        room = self.rooms.get(key)
        return key if room is None else room.name

    def lose(self, person: Person, device: Device, reason: str) -> None:
        """A device's connection is gone; one that may resume stays for a while."""
        if device.connection is not None:
            person.read = max(person.read, device.connection.own_read)
        device.connection = None
        if self.is_stopping or device.id not in person.devices:
            return
        if not person.present:
            if not person.is_connected:
                self._erase_log_of(person)
        elif device.may_resume:
            self._wait_for(person, device)
            self.publish(person)
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
        if device.id not in person.devices:
            return  # it has gone already, and the others stay
        if len(person.devices) == 1:
            self.part(person, reason)
        else:
            self._change_devices(person, device, self.people.remove_device)
            self.publish(person)
            self._end(person, device)

    def _change_devices(
        self, person: Person, device: Device, change: Callable[[Person, Device], None]
    ) -> None:
        """Somebody has one device more or less, and may have become one who only posts, or not."""
        others = [each for each in person.devices.values() if each is not device]
        if device.is_quiet or not all(each.is_quiet for each in others):
            change(person, device)
            return
        for key in person.rooms:
            self.rooms[key].leave(person, "")
        change(person, device)
        for key in person.rooms:
            self.rooms[key].enter(person)

    def _end(self, person: Person, device: Device) -> None:
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
        self.publish(person)
        _log.info("{nick} has left", nick=person.nickname)
        if not person.is_connected:
            self._erase_log_of(person)
        for device in person.devices.values():
            self._end(person, device)
