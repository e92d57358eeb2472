"""The servers on one database: what they tell each other, and who is there."""

from collections.abc import Mapping, Sequence
from functools import partial

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from twisted_chat.stores.nodes import Hearer, Value
from twisted_chat.stores.postgres.engine import LEASE
from twisted_chat.stores.postgres.writer import Writer

BEAT = 3.0
"""Seconds of an ordinary lease after which it is renewed."""


class PostgresNodes:
    """See `Nodes`.

    Args:
        number: of this server.
        writer: stores what is told, and tells what was heard.
        clock: says when the lease is to be renewed.
        lease: seconds after which this server counts as gone.
    """

    def __init__(self, number: int, writer: Writer, clock: IReactorTime, lease: float) -> None:
        self._number = number
        self._writer = writer
        self._clock = clock
        self._pause = BEAT * lease / LEASE
        self._beat: IDelayedCall | None = None

    @property
    def number(self) -> int:
        """See `Nodes.number`."""
        return self._number

    def join(self, hearer: Hearer) -> Deferred[Mapping[str, Value] | None]:
        """See `Nodes.join`."""
        self._writer.replaced = partial(self._is_replaced, hearer)
        joined = self._writer.hearing.join(hearer)
        self._writer.asked.join()
        self._beats()
        return joined

    def _beats(self) -> None:
        self._beat = self._clock.callLater(self._pause, self._beats)
        self._writer.asked.renew()

    def _is_replaced(self, hearer: Hearer) -> None:
        self.stop()
        hearer.replaced()

    def stop(self) -> None:
        """Renew the lease no more."""
        if self._beat is not None:
            self._beat.cancel()
            self._beat = None

    def set(self, name: str, value: Value) -> None:
        """See `Nodes.set`."""
        self._writer.asked.tell(name, value, is_set=True)

    def tell(self, name: str, value: Value) -> None:
        """See `Nodes.tell`."""
        self._writer.asked.tell(name, value, is_set=False)

    def claim(self, holder: str, keys: Sequence[str], instead_of: str = "") -> Deferred[None]:
        """See `Nodes.claim`."""
        return self._writer.asked.claim(holder, keys, instead_of)

    def take(self, client: str) -> Deferred[int]:
        """See `Nodes.take`."""
        return self._writer.asked.take(client)

    def inherit(self, node: int, kept: Mapping[str, Sequence[str]]) -> None:
        """See `Nodes.inherit`."""
        self._writer.asked.inherit(node, kept)

    def release(self, holder: str, keys: Sequence[str]) -> None:
        """See `Nodes.release`."""
        self._writer.asked.release(holder, keys)
