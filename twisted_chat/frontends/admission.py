"""Who may connect: limits in total and per address, and the ban list."""

from collections.abc import Callable, Iterable

from twisted.internet.interfaces import IReactorTime

from twisted_chat.addresses import neighbourhood
from twisted_chat.frontends.networks import Networks
from twisted_chat.limits import Limits
from twisted_chat.rate import Bucket
from twisted_chat.refusal import Refused
from twisted_chat.text.counted import seconds_to_wait

UNKNOWN = "unknown"
"""The address of a client behind a proxy whose header has not arrived yet."""

EXEMPT = frozenset({"127.0.0.1", "::1", "local", UNKNOWN})
"""The machine itself, including UNIX sockets: the limits per address do not apply."""

FORGET = 1_000
"""Addresses without a connection that are remembered at least, so that cleaning up is rare."""


class _Place:
    """What is known about an address."""

    __slots__ = ("bucket", "connections", "nameless")

    def __init__(self) -> None:
        self.connections = 0
        self.nameless = 0
        self.bucket = Bucket()

    def count(self, *, nameless: bool) -> None:
        """There is one more connection."""
        self.connections += 1
        self.nameless += nameless


class Admission:
    """Counts connections, and decides who may open another.

    Args:
        clock: the time.
        limits: how many.
        check_ban: raises `Refused` if administrators let nobody in from an address.
    """

    def __init__(
        self,
        clock: IReactorTime,
        limits: Limits,
        check_ban: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._check_ban = check_ban
        self._banned = self._allowed = Networks()
        self._clock = clock
        self._limits = limits
        self._total = 0
        self._places: dict[str, _Place] = {}

    def use_lists(
        self, banned: Networks, allowed: Networks, connections: Iterable[tuple[str, bool]]
    ) -> None:
        """Take other lists of addresses.

        Args:
            banned: who may not connect.
            allowed: who is neither banned nor counted by address.
            connections: the address of each connection that was admitted, and whether it is
                nameless. They are counted again, since exemptions may have changed.
        """
        self._banned, self._allowed = banned, allowed
        for place in self._places.values():
            place.connections = place.nameless = 0
        for address, nameless in connections:
            if not self._is_exempt(address):
                self._place(address).count(nameless=nameless)

    def check_ban(self, address: str) -> None:
        """Make sure that an address is not banned.

        Raises:
            Refused: it is.
        """
        if address in self._allowed:
            return
        if address in self._banned:
            raise Refused("banned", "You are banned from this server.")
        self._check_ban(address)

    def admit(self, address: str) -> None:
        """Count a connection without a nickname, which is to be dismissed in the end.

        Raises:
            Refused: there may not be one more; it is not counted.
        """
        limits = self._limits
        if self._total >= limits.clients:
            raise Refused("full", "The server is full: try again in a minute.")
        self.check_ban(address)
        if not self._is_exempt(address):
            place = self._place(address)
            self._check(place)
            place.count(nameless=True)
        self._total += 1

    def named(self, address: str) -> None:
        """A connection that was admitted has a nickname now."""
        if not self._is_exempt(address):
            self._place(address).nameless -= 1

    def dismiss(self, address: str, *, nameless: bool) -> None:
        """A connection that was admitted is gone."""
        self._total -= 1
        if not self._is_exempt(address):
            place = self._place(address)
            place.connections -= 1
            place.nameless -= nameless

    def _is_exempt(self, address: str) -> bool:
        return address in EXEMPT or address in self._allowed

    def _place(self, address: str) -> _Place:
        name = neighbourhood(address)
        place = self._places.get(name)
        if place is None:
            if len(self._places) >= 2 * (self._total + FORGET):
                self._forget()
            place = self._places[name] = _Place()
        return place

    def _check(self, place: _Place) -> None:
        limits = self._limits
        if place.connections >= limits.per_address:
            raise Refused(
                "too-many-connections",
                f"Too many connections from your address (the limit is {limits.per_address}): "
                "close one first.",
            )
        if place.nameless >= limits.nameless_per_address:
            raise Refused(
                "too-many-connections",
                f"{place.nameless} connections from your address have no nickname yet: "
                "give them one, or close them.",
            )
        now = self._clock.seconds()
        wait = place.bucket.wait(limits.connections, now)
        if wait:
            raise Refused(
                "too-fast",
                f"Too many connections from your address: wait {seconds_to_wait(wait)}.",
                wait,
            )
        place.bucket.take(limits.connections, now)

    def _forget(self) -> None:
        now = self._clock.seconds()
        self._places = {
            name: place
            for name, place in self._places.items()
            if place.connections or place.bucket.is_used(self._limits.connections, now)
        }
