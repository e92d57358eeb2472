"""How to connect to the places where a chat is, and which certificates are trusted there."""

from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.interfaces import IStreamClientEndpoint

from twisted_chat.client.elsewhere import elsewhere
from twisted_chat.client.place import Place
from twisted_chat.client.route import Address
from twisted_chat.client.state import state_file
from twisted_chat.client.trust import KnownServers, Trust


class Doors:
    """How to connect to the places where a chat is.

    Args:
        reactor: what connects.
        given: where a person has said that the chat is.
        tell: called with what there is to know of a certificate.
        fingerprint: that of the certificates of all places; None if they may have others.
    """

    def __init__(
        self,
        reactor: Any,
        given: Sequence[Place],
        tell: Callable[[str], None],
        fingerprint: str | None = None,
    ) -> None:
        self._reactor = reactor
        self._tell = tell
        self._fingerprint = fingerprint
        self._given = given
        self._accepted: set[str] = set()  # certificates of this chat
        self._addresses: dict[Place, Address] = {}

    @property
    def given(self) -> list[Address]:
        """The addresses that were given."""
        return [self._address(each) for each in self._given]

    def elsewhere(self, told: Sequence[str]) -> list[Address]:
        """Those of the addresses that the server tells where a session may go on."""
        return [self._address(each) for each in elsewhere(told, self._given)]

    def place(self, address: Address | None) -> Place:
        """Where an address is that came from here."""
        places = (place for place, each in self._addresses.items() if each is address)
        return next(places, self._given[0])

    def endpoint(self, place: Place, *, is_named: bool = True) -> IStreamClientEndpoint:
        """What connects to a place; see `Trust` for `is_named`."""
        endpoint = place.endpoint(self._reactor)
        if not place.tls:
            return endpoint
        from twisted_chat.client.secure import SecureEndpoint  # not every client loads OpenSSL

        path = state_file("known_servers")
        known = KnownServers(path) if path is not None else None
        accepted = self._accepted
        trust = Trust(
            place.address, known, self._tell, self._fingerprint, accepted, is_named=is_named
        )
        return SecureEndpoint(endpoint, self._reactor, place.host, trust)

    def _address(self, place: Place) -> Address:
        if place not in self._addresses:
            endpoint = self.endpoint(place, is_named=place in self._given)
            self._addresses[place] = Address(endpoint, str(place))
        return self._addresses[place]
