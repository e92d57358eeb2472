"""Having an account: a nickname becomes somebody's own, and is given up again."""

from collections.abc import Mapping
from functools import partial

from twisted.internet.defer import Deferred, fail, succeed

from twisted_chat.chat.device import Device
from twisted_chat.chat.devices import Devices
from twisted_chat.chat.person import Person
from twisted_chat.refusal import Refused
from twisted_chat.stores import SERVER_LOG
from twisted_chat.stores.account import Account
from twisted_chat.stores.nameless import Replacements, nameless, replace_in
from twisted_chat.text.passwords import Password


class OwnAccount(Devices):
    """Having an account; the arguments are those of `Chat`."""

    def register(self, person: Person, device: Device, password: Password) -> Deferred[Account]:
        """Make somebody's nickname their own; fails with `Refused`."""
        if self.server_log.silences_guests:
            why = "Only people with an account can speak just now: wait to register."
            return fail(Refused("lockdown", why))
        made = self.accounts.register(person.nickname, password, person.id, device.address)

        def registered(account: Account) -> Account:
            if person.present:
                person.account = account.id
                if person.fanout is not None:
                    self.own_logs.keep(account.id, person.fanout)
                self.keep(person, device)
                self.publish(person)
            return account

        return made.addCallback(registered)

    def forget_account(
        self, person: Person, device: Device, password: Password
    ) -> Deferred[Account]:
        """Delete the account of somebody, who stays as a guest; fails with `Refused`."""
        also = partial(self._make_nameless, person.account if self.erases_on_forget else "")
        gone = self.accounts.forget(person.account, password, device.address, also)

        def forgotten(account: Account) -> Deferred[Account]:
            for saved in self.asleep.of(account.id):
                self.forget_asleep(saved)
            for other in [each for each in person.devices.values() if each is not device]:
                self.log_out(person, other)
            person.account = ""
            device.until, device.is_remembered = 0.0, False
            self.keep(person, device)
            self.publish(person)
            rooms = [room for room in self.rooms.values() if room.order.given(person.id)]
            return self.end_roles(person, rooms).addCallback(lambda _: account)

        return gone.addCallback(forgotten)

    def _make_nameless(self, person_id: str) -> Deferred[None]:
        """Take somebody's name from all that is kept and shown; nobody's if the id is empty."""
        if not person_id:
            return succeed(None)
        made = self._store.make_nameless(person_id)
        made.addCallback(partial(self._made_nameless, person_id))
        return made.addCallback(partial(self._share_nameless, person_id))

    def _share_nameless(self, person_id: str, replaced: Mapping[str, Replacements]) -> None:
        """All servers are to take somebody's name from what they have in memory."""

    def _made_nameless(
        self, person_id: str, replaced: Mapping[str, Replacements]
    ) -> Mapping[str, Replacements]:
        """Their name is taken from all that is kept: take it from what is in memory too."""
        fanouts = list(self.own_logs.kept())
        self.server_log.replace(replaced.get(SERVER_LOG, {}))
        for room in self.rooms.values():
            replace_in(room.state, replaced.get(room.key, {}))
            room.order.changed()
            fanouts.append(room.fanout)
        for fanout in (*fanouts, *(person.fanout for person in self.people)):
            if fanout is not None:
                fanout.window.change(lambda entry: nameless(entry, person_id))
        return replaced
