"""Devices that go from one server to another, or whose server is gone."""

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from twisted_chat.chat.device import Device
from twisted_chat.chat.elsewhere import Elsewhere
from twisted_chat.chat.known_elsewhere import learn_device, make_device
from twisted_chat.chat.person import Person
from twisted_chat.refusal import Refused
from twisted_chat.stores.nodes import Value

_log = Logger(namespace="chat")


class Moving(Elsewhere):
    """Devices of people who come to several servers; the arguments are those of `Chat`."""

    def _device_is(self, person: Person, device_id: str, value: Value) -> None:
        device = person.devices.get(device_id)
        if value is not None:
            self._is_awake(person.account, device_id)
        if value is None:
            if device is not None:
                self.people.remove_device(person, device)
                self._ends(device)
        elif device is None:
            self.people.add_device(person, make_device(device_id, value))
        else:
            if device.is_here:
                self._hand_over_device(person, device)
            learn_device(device, value)
            if f"over/{device_id}" not in self._values:
                self.people.know_token(person, device, value["token"])
        if self.is_ours(person):  # since another device has gone elsewhere, perhaps
            self.clock.callLater(0, self._acts_for, person)

    def _hand_over_device(self, person: Person, device: Device) -> None:
        """A device comes to another server."""
        self._stop_waiting_for(device)
        connection = device.connection
        if connection is not None:
            connection.replace()
            person.read = max(person.read, connection.own_read)
            device.connection = None

    def take(self, device: Device) -> Deferred[int]:
        """See `Membership.take`."""
        nodes = self._values.nodes
        return super().take(device) if nodes is None else nodes.take(device.id)

    def bring_here(self, person: Person, device: Device) -> Deferred[None]:
        """A device comes to this server from now on, whatever other it came to before."""
        return Deferred.fromCoroutine(self._bring_here(person, device))

    async def _bring_here(self, person: Person, device: Device) -> None:
        taken = await self.take(device)
        try:
            await self._recall_requests(device)
        except Exception as error:
            _log.warn("What a client has asked for cannot be read: {why}", why=error)
            why = "The database does not answer: try again in a moment."
            raise Refused("not-stored", why) from error
        device.node, device.is_connected_elsewhere, device.taken = 0, False, taken
        self.publish(person)
        self.people.claim_again(person)
        for value in list(self._to_open.get(person.id, {}).values()):
            await self.rooms.open(value["name"])
        opens = self.own_logs.of_account if person.account else self.own_logs.restore
        fanout = await opens(person.id) if person.fanout is None else person.fanout
        if person.fanout is None:
            self.has_log(person, fanout)
        self._acts_for(person)
        if not person.present or device.id not in person.devices or not device.is_here:
            raise Refused("replaced", "This session goes on elsewhere, or is over: log in.")
        if device.connection is not None:
            device.connection.replace()

    def _is_lost(self, person: Person, device: Device, heir: int) -> None:
        """The server of a device is gone, with its connection."""
        device.node, device.is_connected_elsewhere = heir, False
        if device.is_here and device.may_resume:
            self._wait_for(person, device)
        elif device.is_here:
            self.quit(person, device, "connection lost")

    def _acts_for(self, person: Person) -> None:
        """If this server acts for somebody now, it does what another could not do any more."""
        for device in list(person.devices.values()):
            if device.is_here and f"over/{device.id}" in self._values:
                self.log_out(person, device, is_told=True)
        self.send_away(person)
        if not person.present or self.is_stopping or not self.is_ours(person):
            return
        ban = self._server_ban_of(person, is_newcomer=False)
        if ban is not None:
            self.disconnect(person, self.rights.banned(self.server_log.name, ban), "banned")
        else:
            self.carry_out_on(person)

    def _is_awake(self, account_id: str, device_id: str) -> None:
        """A device has come to another server, which may have been asleep."""
        for saved in self.asleep.of(account_id):
            if saved.id == device_id:
                self.asleep.remove(saved)

    # Logging out

    def log_out_elsewhere(self, person: Person, device: Device) -> None:
        """See `Devices`: all servers know of it until one of them has done it.

        The server of the device may be gone, or stand still, while somebody comes back to the
        device at yet another one.
        """
        self._store.drop_session(device.id)
        self.people.forget_token(device)
        self._values.set(f"over/{device.id}", {"person": person.id}, person.id)

    def _is_over(self, device_id: str, value: Value) -> None:
        """A device is logged out: nobody comes back to it, and whose it is lets it go."""
        person = self.people.with_id(value["person"])
        device = person.devices.get(device_id) if person is not None else None
        if person is None or device is None:
            self._has_no_device(value["person"], device_id)
        elif device.is_here:
            self.log_out(person, device, is_told=True)
        else:
            self.people.forget_token(device)
