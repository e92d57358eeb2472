"""What administrators do to the server: announcing, disconnecting, banning, and what follows."""

from collections.abc import Callable
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
from twisted_chat.text.spans import in_words

_NEWS = 60.0
"""Seconds after which an announcement is no news any more."""

_SKEW = 10.0
"""Seconds by which the clocks of servers may differ: what is younger is not late."""


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
    ) -> None:
        """Do something as an administrator, which is in the server's log before it happens.

        Args:
            person: who does it.
            request: what asks for it.
            act: what it is, see `ServerLog.record`.
            text: what they wrote with it.
            changes: as in `Act`.
        """
        request.begin(person.connection_of(request.client))
        append_together([self.server_log.record(person, act, text, changes, request)])

    def announce(self, person: Person, text: str, request: Request) -> None:
        """Tell everybody something, in an administrator's name."""
        self.administer(person, request, "announced", text, {"do/announce": True})

    def plan_shutdown(self, person: Person, seconds: int, why: str, request: Request) -> None:
        """Stop all servers of the chat after so many seconds, whatever was planned before."""
        act = f"planned a shutdown in {in_words(seconds)}"
        self.administer(person, request, act, why, {"do/shutdown": seconds})

    def cancel_shutdown(self, person: Person, request: Request) -> None:
        """Stop no server, although that was planned."""
        self.administer(person, request, "cancelled the shutdown", changes={"do/shutdown": None})

    def have_disconnected(self, person: Person, other: Person, why: str, request: Request) -> None:
        """End somebody's connections, at whatever server they are."""
        act = f"disconnected {other.nickname}"
        self.administer(person, request, act, why, {"do/disconnect": other.id})

    def _act_seen(self, act: Act) -> None:
        """An administrator does something, here or at another server, or has while we were away."""
        if any(name.startswith("ban/") for name, value in act.changes.items() if value):
            self.clock.callLater(0, self._remove_banned)  # once all is seen
        late = self._lateness(act)
        for name, value in act.changes.items():
            match name, value:
                case "do/announce", _ if late < _NEWS:
                    self.tell_everybody(f"Announcement by {act.sender}: {act.text}")
                case "do/shutdown", int(seconds) if self.operations is not None:
                    left = max(0, round(seconds - late))
                    self.shutdown.begin(left, act.text, self.operations.stop)
                case "do/shutdown", None if self.shutdown.is_under_way:
                    self.shutdown.cancel()
                    self.tell_everybody("The server does not shut down after all.")
                case "do/disconnect", str(person_id):
                    person = self.people.with_id(person_id)
                    if person is not None:
                        person.sent_away = act
                        self.clock.callLater(0, self.send_away, person)

    def _lateness(self, act: Act) -> float:
        """Seconds since an act that was not seen at once; 0 if it was."""
        late = self.now() - act.time
        return late if late > _SKEW else 0.0

    def send_away(self, person: Person) -> None:
        """End the connections of somebody of whom an administrator has decided that, if one has."""
        act = person.sent_away
        if act is None:
            return
        came = min((device.since for device in person.devices.values()), default=0.0)
        if self._lateness(act) and came > act.time + _SKEW:
            return  # they have come back since
        by, why = act.sender, act.text
        told = f"You were disconnected by {by}" + (f": {why}" if why else "")
        end = "" if why.endswith((".", "!", "?")) else "."
        self.disconnect(person, Refused("disconnected", told + end), f"disconnected by {by}")

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
