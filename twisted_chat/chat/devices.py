"""People with accounts: the several devices of one person, and what is kept without any."""

from collections.abc import Collection
from dataclasses import replace

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_chat.chat.device import Connection, Device
from twisted_chat.chat.following import following
from twisted_chat.chat.logins import Logins
from twisted_chat.chat.order import Role
from twisted_chat.chat.person import Person
from twisted_chat.chat.request import Request, store_together
from twisted_chat.chat.rights import Right
from twisted_chat.chat.settings import apply, rooms_in, settings_of
from twisted_chat.events import Entry, Join
from twisted_chat.log.fanout import Fanout
from twisted_chat.refusal import Refused
from twisted_chat.stores import SavedSession
from twisted_chat.stores.account import Account
from twisted_chat.stores.records import session_row
from twisted_chat.text.counted import counted

_log = Logger(namespace="chat")

SHOWN = 1.0
"""Seconds after which it is stored how far somebody's devices have shown their own log."""


class Devices(Logins):
    """People with accounts; the arguments are those of `Chat`.

    A device that is remembered and stays away falls asleep: it keeps nobody in the chat, and its
    token lets its owner come back to it for months.
    """

    # Coming

    def enter_as(
        self,
        account: Account,
        device: Device,
        guest: Person | None = None,
        beside: str = "",
    ) -> Deferred[Person]:
        """Come as the owner of an account, with one more device; fails with `Refused`.

        Whoever has the name without being its owner loses it. If the person was not here before,
        they are in no room yet.

        Args:
            account: whose password was right.
            device: the one that they come with.
            guest: who they were until now over the same connection, if anybody.
            beside: the token of another device, if that is what they show instead of a password.
        """
        return Deferred.fromCoroutine(self._enter_as(account, device, guest, beside))

    async def _enter_as(
        self, account: Account, device: Device, guest: Person | None, beside: str
    ) -> Person:
        fanout = await self.own_logs.of_account(account.id)
        if device.saved is not None:
            device.taken = await self.take(device)
            await self._recall_requests(device)
            if self.asleep.with_token(device.token) is None:  # woken over another connection
                raise Refused("replaced", "This session goes on elsewhere, or is over: log in.")
            return await self._let_in(account, device, guest, fanout)
        await self._keep_first(Person(account.name, device, account.id), device)
        try:
            return await self._let_in(account, device, guest, fanout, beside)
        except Refused:
            self._store.drop_session(device.id)
            raise

    async def _let_in(
        self,
        account: Account,
        device: Device,
        guest: Person | None,
        fanout: Fanout,
        beside: str = "",
    ) -> Person:
        if self.accounts.with_id(account.id) is None:
            raise Refused("no-such-account", f"The account {account.name} was deleted just now.")
        if beside and self.account_of(beside) is None:  # that was logged out meanwhile
            why = f"You were logged out just now: log in to {account.name} with the password."
            raise Refused("registered-nick", why)
        self._make_place(account.id, device)
        newcomer = Person(account.name, device, account.id)
        self._check_not_banned(newcomer)
        person = self.people.with_id(account.id)
        if person is None:
            self._observers.check(Join(self.now(), self.lobby.name, account.name))
            person = newcomer
            self.rights.check(person, Right.ENTER, self.lobby)
            self._make_way(account.name, guest)
            await self.people.claim(account.name, person)
            settings = (self.accounts.with_id(account.id) or account).settings  # as they are by now
            apply(settings, person, self.limits)
            person.log, person.fanout = fanout.log, fanout
            self._entered(person, device)
        else:
            if person.fanout is None:  # there was nothing for them until now, or elsewhere
                self.has_log(person, fanout)
            self._change_devices(person, device, self.people.add_device)
            self.publish(person)
            self._log_connected(person, device)
        self.accounts.use(account.id, device.address)
        return person

    def follow(self, guest: Person, account: Account) -> Deferred[None]:
        """What rooms have decided about a guest holds for the account that they log in to.

        It does not hold for an operator of such a room, about whom no other can decide anything.

        Args:
            guest: who they were until now.
            account: whose password was right.

        Returns:
            Fires when it does; fails with `Refused`.
        """
        here = self.people.with_id(account.id)
        name = here.nickname if here else account.name
        rooms = () if account.id in self.administrators else self.rooms.values()
        return store_together(
            [
                (room.log, Entry(event))
                for room in rooms
                if room.order.given(account.id) < Role.OPERATOR
                for event in following(guest.id, account.id, name, room, self.now())
            ]
        )

    def _make_way(self, name: str, guest: Person | None) -> None:
        """Whoever has a name is not its owner: they are sent away, or lose it while they are."""
        others = self.people.in_the_way(name)
        if any(self.people.with_id(each.id) is not each or each.is_renaming for each in others):
            return  # which is about to be refused: they are about to have it
        for other in others:
            if other is guest or not other.is_connected:
                self.people.displace(other)
                self._leave_for_now(other)
            else:
                self._send_away(other)

    def _send_away(self, other: Person) -> None:
        """Somebody has a nickname whose owner has come."""
        if self.is_ours(other):
            self.tell(
                other,
                f"{other.nickname} is a registered name, and its owner has logged in: connect "
                "again under another one.",
            )
            self.part(other, "")
        else:  # the server that they are at sends them away
            self.people.displace(other)
            self._leave_for_now(other, "")

    def _make_place(self, account_id: str, device: Device) -> None:
        """Forget the device that has slept longest, where too many are to be remembered.

        One that goes with its connection, as another tab does, costs none of them its place.
        """
        person, asleep = self.people.with_id(account_id), self.asleep.of(account_id)
        here = list(person.devices.values()) if person else []
        most = self.limits.devices_per_account
        if len(here) >= most:
            raise Refused(
                "too-many-devices",
                f"You are logged in on {counted(len(here), 'device')}, which is the limit: "
                "/devices on one of them lists them, and ends one.",
            )
        if device.is_remembered:
            others = [each for each in asleep if each.id != device.id]
            remembered = sum(each.is_remembered for each in here) + len(others) + 1
            for each in others[: max(0, remembered - most)]:
                self.forget_asleep(each)

    def hand_over(self, guest: Person, device: Device) -> None:
        """A guest goes, who has logged in over the same connection."""
        for key in list(guest.rooms):
            self._leave(guest, key, "")
        device.connection = None
        self.part(guest, "")

    # What is kept

    def wake(self, token: str) -> tuple[Account, Device] | None:
        """Whose device it is that shows the token of one that is asleep."""
        saved = self.asleep.with_token(token)
        account = self.accounts.with_id(saved.account) if saved else None
        if saved is None or account is None or account.is_locked or saved.until <= self.now():
            return None
        device = Device(saved.address, saved.since, saved)
        device.token = token
        return account, device

    def account_of(self, token: str) -> Account | None:
        """Whose account it is of which somebody shows the token of a device, here or asleep."""
        here, woken = self.people.with_token(token), self.wake(token)
        account = self.accounts.with_id(here[0].account) if here else woken and woken[0]
        return None if account is None or account.is_locked else account

    def rooms_of_account(self, person: Person) -> Collection[str]:
        """The names of the rooms that somebody was in when they left."""
        account = self.accounts.with_id(person.account)
        return rooms_in(account.settings, self.limits) if account else ()

    def forget_asleep(self, saved: SavedSession) -> None:
        """The token of a device that is asleep lets nobody in any more."""
        self.asleep.remove(saved)
        self.tell_others("forgotten", [saved.id, saved.account])
        self._store.drop_session(saved.id)

    async def _restore(self, saved: SavedSession) -> None:
        """See `Logins`: an account may be gone by now, or its device asleep."""
        account = self.accounts.with_id(saved.account or saved.person)
        if not saved.account and account is None:  # else they had just registered
            await super()._restore(saved)
            return
        if account is None or account.is_locked or 0 < saved.until <= self.now():
            self._store.drop_session(saved.id)
            return
        if saved.is_asleep:
            self.asleep.add(saved)
            return
        device = Device(saved.address, saved.since, saved)
        person = self.people.with_id(account.id)
        if person is not None:
            self.people.add_device(person, device)
        else:
            person = Person(saved.nickname, device, account.id)
            before = rooms_in(account.settings, self.limits) or saved.rooms
            rooms = await self._rooms_to_stay_in(person, before)
            if not rooms or self._server_ban_of(person, is_newcomer=False) is not None:
                self._store.drop_session(saved.id)
                return
            await self._be_here_again(person)
            apply(account.settings, person, self.limits)
            person.fanout = await self.own_logs.of_account(account.id)
            person.log = person.fanout.log
            self._be_in_again(person, rooms)
        self.publish(person)
        await self._go_on(person, device)

    def attach(
        self,
        person: Person,
        device: Device,
        connection: Connection,
        nickname: str | None = None,
    ) -> None:
        """See `Logins.attach`: who wakes is asleep no more."""
        super().attach(person, device, connection, nickname)
        if device.saved is not None:
            self.asleep.remove(device.saved)
        if person.account:
            self._note_soon(person.account)  # what was kept for them is shown to them now

    def keep(
        self, person: Person, device: Device, request: Request | None = None
    ) -> Deferred[None]:
        """See `Logins.keep`: an account keeps some of it for when there is no device."""
        self._keep_settings(person)
        return super().keep(person, device, request)

    def _keep_settings(self, person: Person) -> None:
        account = self.accounts.with_id(person.account)
        if account is None or not person.present:
            return
        before = rooms_in(account.settings, self.limits)
        rooms = {name: before[name] for name in person.entering if name in before}
        rooms |= self._rooms_of(person)
        settings = dict(account.settings) | settings_of(person, rooms)
        self.accounts.set_settings(account.id, settings).addErrback(_not_kept)

    def _keep_all_settings(self) -> None:
        for person in self.people:
            if person.account:
                self._have_read(person)
                self._keep_settings(person)
        self.read_marks.stop()

    # Going

    def part(self, person: Person, reason: str) -> None:
        """See `Logins.part`: an account keeps where its owner was."""
        if person.account and person.present:
            self._have_read(person)
            self._keep_settings(person)
            if self.accounts.with_id(person.account) is not None:
                for device in list(person.devices.values())[:1]:
                    self.accounts.use(person.account, device.address)
        super().part(person, reason)

    def _end(self, person: Person, device: Device) -> None:
        """See `Logins`: a device that is remembered falls asleep."""
        self._has_shown_all(person, device)
        if person.account and device.until > self.now() and device.token_hash:
            saved = replace(self._session_of(person, device), is_asleep=True)
            self.asleep.add(saved, is_stored=False)
            self.tell_others("asleep", list(session_row(saved)))
            device.saved = saved
            stored = self._store.save_session(saved)
            stored.addCallbacks(lambda _: self.asleep.was_stored(saved), _not_kept)
            device.may_resume = False
        super()._end(person, device)

    def log_out(self, person: Person, device: Device, *, is_told: bool = False) -> None:
        """A device goes, and its token lets nobody in any more.

        Args:
            person: whose it is.
            device: the device.
            is_told: whether that was done on another one, which is said on it.
        """
        if not device.is_here:
            self.log_out_elsewhere(person, device)
            return
        if is_told and device.connection is not None:
            why = Refused("logged-out", "You were logged out by another device.")
            device.connection.refuse(why)
        device.until = 0.0
        self.quit(person, device, "")

    # What is read

    def _own_seen(self, person_id: str, entry: Entry) -> None:
        """Something is shown to one person alone, who need not see it again after a crash."""
        if entry.stored and self.accounts.with_id(person_id) is not None:
            self._note_soon(person_id)

    def _note_soon(self, account_id: str) -> None:
        if not self._being_shown:
            self.clock.callLater(SHOWN, self._note_shown)
        self._being_shown.add(account_id)

    def _note_shown(self) -> None:
        shown, self._being_shown = self._being_shown, set()
        for person in filter(None, map(self.people.with_id, shown)):
            if not self.is_stopping:
                read = (connection.own_read for connection in person.connections)
                person.read = max(person.read, *read, 0)
                self._keep_settings(person)

    def _have_read(self, person: Person) -> None:
        if person.log is not None and person.is_connected:
            person.read = person.log.last
        for device in person.devices.values():
            self._has_shown_all(person, device)

    def _has_shown_all(self, person: Person, device: Device) -> None:
        """A terminal goes in good order: what it has shown is read."""
        if not person.account or device.connection is None or device.may_resume:
            return
        logs = [self.rooms[key].log for key in person.rooms]
        for log in logs if person.log is None else [*logs, person.log]:
            self.read_marks.move(person, device, log, log.last)

    def read_marks_of(self, person: Person) -> dict[str, int]:
        """Up to which number somebody has read each room, by name, and their own log."""
        marks = {}
        for key, number in person.read_marks.items():
            room = self.rooms.get(key)
            marks[self._name_of(key)] = min(number, room.log.last) if room else number
        return marks


def _not_kept(failure: Failure) -> None:
    failure.trap(Refused)  # it holds until the server restarts
