"""Finds dead connections: data that was sent to them is never acknowledged.

TCP's keepalive finds those to whom nothing is sent. For the others there is TCP_USER_TIMEOUT, but
Linux also ends with it a connection whose reader has merely stopped (measured: Linux 6.18), and
here a reader may stand still for as long as they like. A stopped reader's system still answers,
a vanished one's does not, and the kernel counts that.
"""

import socket
import struct
import sys
from collections.abc import Collection
from typing import Protocol

from twisted.internet.interfaces import IReactorTime

LOOK = 2.0
"""Seconds between two checks."""

SOME = 1_000
"""Connections checked in one event-loop turn, which takes a millisecond: 10,000 in 20 s."""

SILENCE = 50.0
"""Seconds of the kernel's timer, which doubles each time that it asks in vain: it has waited as
long in all, or twice as long, when it comes to this."""

_TCP_INFO = struct.Struct("=xxBBBxxxI")
"""What was sent again or asked in vain, how often the timer was doubled for asking, and the timer
in microseconds: `tcpi_retransmits`, `tcpi_probes`, `tcpi_backoff` and `tcpi_rto` of tcp(7)."""


def has_vanished(handle: object) -> bool:
    """Whether the other end of a socket has not acknowledged anything for a long time."""
    if not isinstance(handle, socket.socket) or not sys.platform.startswith("linux"):
        return False
    try:
        told = handle.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO.size)
    except OSError:  # not TCP, or closed
        return False
    if len(told) < _TCP_INFO.size:
        return False
    retransmits, probes, doubled, microseconds = _TCP_INFO.unpack(told)
    timer = microseconds / 1e6 * (2**doubled if probes else 1)
    return bool(retransmits + probes > 1 and timer >= SILENCE)


class Connected(Protocol):
    """Somebody with a connection."""

    @property
    def handle(self) -> object:
        """Their socket, or what is in its place."""

    def vanish(self) -> None:
        """The connection is dead: close it."""


class Lookout:
    """Checks regularly for dead connections.

    Args:
        clock: calls back.
        connections: everybody who is connected.
    """

    def __init__(self, clock: IReactorTime, connections: Collection[Connected]) -> None:
        self._clock = clock
        self._connections = connections
        self._rest: list[Connected] = []
        self._looks = False

    def wake(self) -> None:
        """A connection was made: check as long as there are any."""
        if not self._looks:
            self._looks = True
            self._clock.callLater(LOOK, self._look)

    def _look(self) -> None:
        if not self._rest:
            self._rest = list(self._connections)
        some, self._rest = self._rest[:SOME], self._rest[SOME:]
        for connected in some:
            if connected in self._connections and has_vanished(connected.handle):
                connected.vanish()
        self._looks = False
        if self._connections:
            self.wake()
