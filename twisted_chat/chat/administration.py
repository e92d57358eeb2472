"""What administrators do to the server: announcing, disconnecting, banning, and what follows."""

from collections.abc import Callable
from functools import partial
from typing import Any

from twisted.internet.interfaces import IReactorTime

from twisted_chat.chat.logins import Logins
from twisted_chat.chat.order import Order
from twisted_chat.chat.person import Person
from twisted_chat.chat.request import Request
from twisted_chat.chat.shutdown import Shutdown
from twisted_chat.events import OWN, Act, Entry, Event, Notice
from twisted_chat.events.effects import Changes, effects
from twisted_chat.log.log import append_together
from twisted_chat.refusal import Refused
from twisted_chat.stores.nodes import Value


class Administration(Logins):
    """What is in the server's own log before it happens; the arguments are those of `Chat`."""

    def __init__(self, clock: IReactorTime, *arguments: Any, **named: Any) -> None:
        self.shutdown = Shutdown(clock, self.tell_everybody)
        self.banned_addresses_changed: Callable[[], None] = lambda: None
        """Called when somebody may not connect any more; what has the connections sets it."""
        super().__init__(clock, *arguments, **named)

    def tell_everybody(self, text: str) -> None:
        """Announce something to everybody who is connected to this server, once each."""
        notice = Notice(self.now(), OWN, "", text)
        told = [
            (self.log_of(each), Entry(notice))
            for each in self.people
            if each.is_connected and self.is_ours(each)
        ]
        if told:
            append_together(told)

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
        told = f"Announcement by {person.nickname}: {text}"
        tell = partial(self.everywhere, "announce", told)
        self.administer(person, request, "announced", text, effect=tell)

    def plan_shutdown(self, seconds: int, why: str) -> None:
        """Stop all servers of the chat after so many seconds."""
        self.everywhere("shutdown", [seconds, why])

    def cancel_shutdown(self) -> None:
        """Stop no server, although that was planned."""
        self.everywhere("shutdown", None)

    def do(self, what: str, value: Value) -> None:
        """Do what every server does.

        Args:
            what: what it is.
            value: how.
        """
        match what, value:
            case "announce", str(text):
                self.tell_everybody(text)
            case "shutdown", [seconds, why] if self.operations is not None:
                self.shutdown.begin(seconds, why, self.operations.stop)
            case "shutdown", None:
                self.shutdown.cancel()
                self.tell_everybody("The server does not shut down after all.")
            case "disconnect", [person_id, text, reason]:
                person = self.people.with_id(person_id)
                if person is not None:
                    person.sent_away = text, reason
                    self.clock.callLater(
                        0, self.send_away, person
                    )  # if they do not go on elsewhere

    def send_away(self, person: Person) -> None:
        """End the connections of somebody of whom an administrator has decided that, if one has."""
        if person.sent_away is not None:
            text, reason = person.sent_away
            self.disconnect(person, Refused("disconnected", text), reason)

    def decide_for_all(self, person: Person, event: Event, request: Request) -> None:
        """Something about the whole server is decided, by an administrator.

        Raises:
            Refused: they would ban themselves.
        """
        made = {name: value for name, value in effects(Entry(event)).items() if value is not None}
        order = Order(made, self.now)
        if any(order.ban_of_address(device.address) for device in person.devices.values()):
            raise Refused("not-allowed", "That would ban you too: you cannot ban yourself.")
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

    def check_address(self, address: str) -> None:
        """Make sure that an administrator lets people in from an address.

        Raises:
            Refused: they do not.
        """
        ban = self.server_log.order.ban_of_address(address)
        if ban is not None:
            raise self.rights.banned(self.server_log.name, ban)

    def disconnect(self, person: Person, why: Refused, reason: str) -> None:
        """Have somebody leave with all their devices.

        Args:
            person: who has to go.
            why: what they are told.
            reason: what the others are told.
        """
        for connection in person.connections:
            connection.refuse(why)
        if self.is_ours(person):
            self.part(person, reason)
