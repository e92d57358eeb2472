"""Several servers are one chat: each tells the others of its people, and hears of theirs.

What is known of a person, and of each of their devices, is a value that all servers share. A
server acts for the devices that come to it, and tells the others what follows from that.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from twisted_chat.chat.elsewhere import TOLD
from twisted_chat.chat.known_elsewhere import device_value, name_value, person_value, room_value
from twisted_chat.chat.moving import Moving
from twisted_chat.chat.person import Person
from twisted_chat.chat.shared_values import Changed, Settled
from twisted_chat.events import OWN
from twisted_chat.stores.account import Account
from twisted_chat.stores.nameless import Replacements
from twisted_chat.stores.nodes import Nodes, Value
from twisted_chat.stores.records import account_row, to_account, to_session
from twisted_chat.text import names

_log = Logger(namespace="chat")

_KINDS = ("device/", "name/", "in/", "person/", "over/", "nameless/")
"""What is shared, in the order in which a server that begins has to learn it."""

_LATEST = 60.0
"""Seconds after which no server is left that may have missed something: they are gone by then."""


class Neighbours(Moving):
    """The other servers; the arguments are those of `Chat`."""

    def __init__(self, clock: IReactorTime, *arguments: Any, **named: Any) -> None:
        self._early: list[Callable[[], None]] | None = []  # heard before the chat has begun
        super().__init__(clock, *arguments, **named)

    async def _meet(self, nodes: Nodes) -> bool:
        """Hear of the other servers; gives whether there are any."""
        self._values.nodes = nodes
        self.accounts.changed = self._account_changed
        self.accounts.tell_others = self.tell_others
        self.people.lost = self._has_lost
        shared = await nodes.join(self)
        if shared is None:
            return False
        await self._load_again()
        self._all_is_now(shared)
        return True

    def _begin(self) -> None:
        """Everything is here that there was: what was heard meanwhile follows."""
        early, self._early = self._early or [], None
        for call in early:
            call()

    # What this server tells

    def publish(self, person: Person) -> None:
        """See `Membership.publish`."""
        nodes, values = self._values.nodes, self._values
        if nodes is None or self.is_stopping:
            return
        is_here = self.people.with_id(person.id) is person
        known = values.devices_of(person.id)
        for device in person.devices.values() if is_here else ():
            if device.is_here:
                value = device_value(person, device, nodes.number)
                values.set(f"device/{device.id}", value, person.id)
        for device_id in known:
            if not is_here or device_id not in person.devices:
                self._has_no_device(person.id, device_id)
        values.set(f"name/{person.id}", name_value(person) if is_here else None, person.id)
        if is_here:
            self._publish_rooms(person)
            values.set(f"person/{person.id}", person_value(person), person.id)
        else:
            values.set(f"person/{person.id}", None, person.id)
            self._has_no_rooms(person.id)

    def _publish_rooms(self, person: Person) -> None:
        """Each is told of by itself: devices at several servers may enter and leave at once."""
        before, now = self._values.rooms_of(person.id).keys(), {}
        for name, entered in self._rooms_of(person).items():
            now[names.key(name)] = room_value(name, entered)
        now |= self._to_open.get(person.id, {})
        for key, value in now.items():
            self._values.set(f"in/{person.id}/{key}", value, person.id)
        self._has_left_rooms(person.id, before if person.displaced else before - now.keys())
        for key in before - now.keys():
            self._values.set(f"in/{person.id}/{key}", None, person.id)

    def tell_others(self, name: str, value: Value) -> None:
        """See `Membership.tell_others`."""
        if self._values.nodes is not None:
            self._values.nodes.tell(name, value)

    def is_ours(self, person: Person) -> bool:
        """See `Membership.is_ours`: of the servers that somebody comes to, the first one acts."""
        if self._values.nodes is None:
            return True
        own = self._values.nodes.number
        return own == min((device.node or own for device in person.devices.values()), default=own)

    def _account_changed(self, account_id: str, account: Account | None) -> None:
        row = None if account is None else list(account_row(account))
        self.tell_others("account", [account_id, row])

    def _share_nameless(self, person_id: str, replaced: Mapping[str, Replacements]) -> None:
        """See `OwnAccount`: it is shared and not only told, for those that miss it."""
        value = {
            log: {name: list(change) for name, change in changes.items()}
            for log, changes in replaced.items()
        }
        self._values.set(f"nameless/{person_id}", value, person_id)
        self._unshare_nameless_later(person_id)

    def _unshare_nameless_later(self, person_id: str) -> None:
        """The name is not to be kept there for long; each server does that, as one may die."""
        unshare = partial(self._values.set, f"nameless/{person_id}", None, person_id)
        self.clock.callLater(_LATEST, unshare)

    # What the servers tell, see `Hearer`

    def heard(self, node: int, name: str, value: Value) -> None:
        """See `Hearer.heard`."""
        nodes = self._values.nodes
        if self._early is not None:
            self._early.append(partial(self.heard, node, name, value))
        elif "/" in name:
            self._follows(self._values.hear(node, name, value))
        elif nodes is not None and node != nodes.number:
            self.is_told(name, value)

    def gone(self, node: int, heir: int) -> None:
        """See `Hearer.gone`."""
        if self._early is not None:
            self._early.append(partial(self.gone, node, heir))
            return
        is_heir = self._values.nodes is not None and heir == self._values.nodes.number
        for person in [*self.people, *self.people.displaced]:
            theirs = [each for each in person.devices.values() if each.node == node]
            for device in theirs:
                self._is_lost(person, device, 0 if is_heir else heir)
            if theirs and is_heir and person.present:
                self.publish(person)
                self.people.claim_again(person)
            if theirs:
                self._acts_for(person)
        self._read_again()  # what it has stored, but not told
        if is_heir:
            self.people.inherit_from(node)
            self.clock.callLater(TOLD, self._look_for_ghosts)

    def asked_for(self, log: str, room: str) -> None:
        """See `Hearer.asked_for`: somebody who is here has had no log of their own until now."""
        person = self.people.with_id(log.removeprefix("@")) if room == OWN else None
        if person is not None and any(device.is_here for device in person.devices.values()):
            self.log_of(person)

    def missed(self, shared: Mapping[str, Value], nodes: Sequence[int]) -> None:
        """See `Hearer.missed`."""
        if self._early is not None:
            self._early.append(partial(self.missed, shared, nodes))
            return
        self._all_is_now(shared)
        self._forget_who_left()
        everybody = [*self.people, *self.people.displaced]
        known = {device.node for person in everybody for device in person.devices.values()}
        own = self._values.nodes
        for node in known - {0, *nodes}:  # whoever hears of it too lets go again
            self.gone(node, own.number if own else 0)
        for room in list(self.rooms.values()):  # who reads on may enter others by that
            self._has_missed(room)
        self._read_again()

    def replaced(self) -> None:
        """See `Hearer.replaced`."""
        _log.error("This server was cut off for too long, and others took its place: it stops")
        was_stopping = self.is_stopping
        self.close("This server was cut off from the others for too long: connect again.")
        if self.operations is not None and not was_stopping:
            self.operations.fail()

    # What follows

    def _all_is_now(self, shared: Mapping[str, Value]) -> None:
        for kind in _KINDS:
            for change in self._values.catch_up(shared, kind):
                self._is_now(change, is_told=True)

    def _follows(self, heard: Changed | Settled | None) -> None:
        if isinstance(heard, Changed):
            self._is_now(heard)
        elif heard is not None:
            self._is_settled(heard.person)
            if heard.value is not None and heard.name.startswith("over/"):
                self._is_over(heard.name.removeprefix("over/"), heard.value)

    def _is_now(self, change: Changed, *, is_told: bool = False) -> None:
        """Another server has set something.

        Args:
            change: what.
            is_told: whether the logs of rooms have told of it.
        """
        kind, _, its_id = change.name.partition("/")
        value = change.value
        whose, _, key = its_id.partition("/")
        if kind == "device":
            whose = (value or change.before or {}).get("person", "")
        person = self.people.with_id(whose)
        match kind:
            case "device" if person is not None:
                self._device_is(person, its_id, value)
            case "device" if value is not None:
                self._is_awake(whose, its_id)
            case "name" | "person" if person is not None and value is None:
                self._has_left(person)
            case "name" if person is not None:
                self._is_called(person, value)
            case "person" if person is not None:
                self._person_is(person, value)
            case "person" if value is not None:
                self._has_come(its_id, value, is_told=is_told)
            case "in" if person is not None and value is None:
                self._is_not_in(person, key)
            case "in" if person is not None:
                self._is_in(person, key, value, is_told=is_told)
            case "over" if value is not None:
                self._is_over(its_id, value)
            case "nameless" if value is not None:
                self._made_nameless(its_id, value)
                self._unshare_nameless_later(its_id)

    def _is_settled(self, person_id: str) -> None:
        """All servers know what was set here about somebody: see whether it holds together."""
        person = self.people.with_id(person_id)
        if person is None:  # they had left when that was set
            self._forget(person_id)
        elif not person.devices:  # two servers have each lost one of two
            self.part(person, "")
        self.people.give_back_others(person_id)
        for key in self._left.pop(person_id, ()):
            room = self.rooms.get(key)
            if room is not None and person_id in room.ghosts():
                room.tell_gone(person_id)  # who had been told to be there by another server

    # What is told and not kept

    def is_told(self, name: str, value: Value) -> None:
        """See `Membership.is_told`."""
        match name, value:
            case "account", [account_id, row]:
                self.accounts.learn(account_id, None if row is None else to_account(row[:-1]))
            case "tried" | "took back" | "registered", _:
                self.accounts.is_told(name, value)
            case "asleep", [*row]:
                self.asleep.add(to_session(tuple(row)))
            case "forgotten", [device_id, account_id]:
                self._is_awake(account_id, device_id)
            case _:
                super().is_told(name, value)

    def _read_again(self) -> None:
        again = Deferred.fromCoroutine(self._load_again())
        again.addErrback(
            lambda failure: _log.warn("Reading again failed: {why}", why=failure.value)
        )

    async def _load_again(self) -> None:
        """Find out what has become of accounts and devices that are asleep."""
        await self.accounts.load_again()
        before = self.asleep.stored()
        kept = {each.id: each for each in await self._store.saved_sessions() if each.is_asleep}
        for saved in before:
            if saved.id not in kept:
                self.asleep.remove(saved)
        for saved in kept.values():
            is_here = f"device/{saved.id}" in self._values
            if self.accounts.with_id(saved.account) is not None and not is_here:
                self.asleep.add(saved)
