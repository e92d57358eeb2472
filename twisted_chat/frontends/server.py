"""What all connections share: the chat, the admission limits and the list of connections."""

from collections.abc import Collection
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from twisted_chat.chat.chat import Chat
from twisted_chat.frontends.admission import Admission
from twisted_chat.frontends.fairness import Turnstile
from twisted_chat.frontends.liveness import Connected, Lookout
from twisted_chat.frontends.networks import Networks
from twisted_chat.frontends.outlet import Outlet
from twisted_chat.refusal import Refused

GOODBYE = "The server is shutting down"
"""What everybody is told when the server stops."""


class Connection(Connected, Protocol):
    """A connection of any kind, as the server sees it."""

    address: str
    """Where the other end is, without its port."""

    is_admitted: bool
    """Whether it is counted by the admission."""

    outlet: Outlet
    """Where what is written goes."""

    @property
    def is_nameless(self) -> bool:
        """Whether nobody with a nickname is at the other end."""

    @property
    def state(self) -> tuple[str, str]:
        """The format (plain or structured), and whether there is a nickname."""

    def ban(self, why: Refused) -> None:
        """The address is banned now: say so, and disconnect."""

    def end(self) -> None:
        """The server stops."""

    def moves_on(self) -> bool:
        """Close, if whoever this is comes back by themselves and misses nothing; whether they do.

        They are not gone: they go on at another process.
        """

    def tells(self, text: str) -> bool:
        """Tell somebody with a nickname a line, if a person reads it; whether one does."""


class Server:
    """What all connections share.

    Args:
        clock: the time and timers.
        chat: what is talked in.
    """

    def __init__(self, clock: IReactorTime, chat: Chat) -> None:
        self.clock = clock
        self.chat = chat
        self.admission = Admission(clock, chat.limits, chat.check_address)
        chat.banned_addresses_changed = self._disconnect_banned
        self.turnstile = Turnstile(clock, lambda: chat.is_behind)
        self.is_draining = False
        """Whether everybody goes on elsewhere."""
        self._connections: set[Connection] = set()
        self._lookout = Lookout(clock, self._connections)
        self._waiting: list[Deferred[None]] = []  # for the last connection to be gone

    @property
    def connections(self) -> Collection[Connection]:
        """Every connection that there is."""
        return self._connections

    def add(self, connection: Connection) -> None:
        """A connection is made."""
        self._connections.add(connection)
        self.chat.counters.connections = len(self._connections)
        self._lookout.wake()

    def remove(self, connection: Connection) -> None:
        """A connection is gone."""
        self._connections.discard(connection)
        self.chat.counters.connections = len(self._connections)
        if not self._connections:
            waiting, self._waiting = self._waiting, []
            for deferred in waiting:
                deferred.callback(None)

    def ban(self, banned: Networks, allowed: Networks) -> None:
        """Set the ban list and the allow list, and disconnect everybody who is banned now."""
        admitted = (other for other in self._connections if other.is_admitted)
        self.admission.use_lists(
            banned, allowed, ((other.address, other.is_nameless) for other in admitted)
        )
        self._disconnect_banned()

    def _disconnect_banned(self) -> None:
        for connection in list(self._connections):
            try:
                self.admission.check_ban(connection.address)
            except Refused as why:
                connection.ban(why)

    def say_goodbye(self, text: str = GOODBYE) -> Deferred[None]:
        """Tell everybody that the server stops; fires when the last of them is gone."""
        self.chat.close(text)
        for connection in list(self._connections):
            connection.end()
        gone: Deferred[None] = Deferred()
        if self._connections:
            self._waiting.append(gone)
        else:
            gone.callback(None)
        return gone
