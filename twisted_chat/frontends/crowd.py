"""Limits connections that have not reached the chat yet: HTTP requests and TLS handshakes.

The admission counts only connections to the chat. These last a moment, or should be closed.
"""

from collections import Counter
from typing import Final, Protocol

from twisted_chat.addresses import neighbourhood
from twisted_chat.frontends.admission import EXEMPT
from twisted_chat.frontends.networks import Networks
from twisted_chat.frontends.server import Server

MOST: Final = 200
"""With more than these, a new one closes the oldest, unless that is quite new."""

PER_ADDRESS: Final = 64
"""A browser opens six, and a whole class may share an address."""

NEW_SECONDS: Final = 2.0
"""Seconds. After a restart everybody comes back at once, and all of them are to be served."""


class Member(Protocol):
    """A connection that has not reached the chat yet."""

    address: str
    """Where the other end is."""

    def abort(self) -> None:
        """Close at once."""


class Crowd:
    """Counts connections that have not reached the chat yet.

    Args:
        server: what all connections share.
        proxies: addresses that many people share.
    """

    def __init__(self, server: Server, proxies: Networks | None = None) -> None:
        self._server = server
        self.proxies = proxies or Networks()
        self._members: dict[Member, tuple[str, float]] = {}  # where and since when
        self._places: Counter[str] = Counter()

    def enter(self, member: Member) -> bool:
        """Count one more and return True, unless its address or the server has too many."""
        address = member.address
        place = "" if address in EXEMPT or address in self.proxies else neighbourhood(address)
        if place and self._places[place] >= PER_ADDRESS:
            return False
        now = self._server.clock.seconds()
        if len(self._members) >= MOST and not self._makes_room(now):
            return False
        self._members[member] = place, now
        self._places[place] += 1
        return True

    def _makes_room(self, now: float) -> bool:
        oldest, (_, since) = next(iter(self._members.items()))
        if since + NEW_SECONDS <= now:
            self.leave(oldest)
            oldest.abort()
            return True
        all_of_them = len(self._members) + len(self._server.connections)
        return all_of_them < self._server.chat.limits.clients

    def leave(self, member: Member) -> None:
        """It is gone, or in the chat."""
        place, _ = self._members.pop(member, (None, 0))
        if place is not None:
            self._places[place] -= 1
            if not self._places[place]:
                del self._places[place]
