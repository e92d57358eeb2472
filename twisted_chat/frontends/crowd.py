"""Connections that are nobody's in the chat yet: they are quick to go, and there are only so many.

The admission counts who is in the chat. Who asks for a file of the page, or shakes hands with TLS,
is not: such connections last a moment, or hold a place that somebody else needs.
"""

from collections import Counter
from typing import Final, Protocol

from twisted_chat.frontends.admission import EXEMPT
from twisted_chat.frontends.networks import Networks, neighbourhood
from twisted_chat.frontends.server import Server

MOST: Final = 200
"""For one more the oldest makes room, if it is not quite new."""

PER_ADDRESS: Final = 64
"""A browser opens six, and a class behind one router shares."""

NEW_SECONDS: Final = 2.0
"""After a restart everybody comes back at once, and is served as soon as it is their turn."""


class Member(Protocol):
    """A connection that is nobody's yet."""

    address: str
    """Where the other end is."""

    def abort(self) -> None:
        """Close at once."""


class Crowd:
    """Counts connections that are nobody's yet.

    Args:
        server: what all connections share.
        proxies: addresses that many share.
    """

    def __init__(self, server: Server, proxies: Networks | None = None) -> None:
        self._server = server
        self._proxies = proxies or Networks()
        self._members: dict[Member, tuple[str, float]] = {}  # where and since when
        self._places: Counter[str] = Counter()

    def enter(self, member: Member) -> bool:
        """Count one more, unless its address has too many, or the server."""
        address = member.address
        place = "" if address in EXEMPT or address in self._proxies else neighbourhood(address)
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
