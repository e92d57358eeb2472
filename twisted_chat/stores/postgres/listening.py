"""Hearing what other servers store while nothing is to be stored here."""

import os
from collections.abc import Callable

from twisted.internet.interfaces import IReactorFDSet, IReadDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer


@implementer(IReadDescriptor)
class Listening:
    """Has the reactor say when something arrives on a connection.

    It waits for a copy of the connection's descriptor: the connection closes its own when it is
    lost, and the reactor breaks if one is closed that it waits for.

    Args:
        reactor: waits for descriptors.
        hear: called when something has arrived.
    """

    def __init__(self, reactor: IReactorFDSet, hear: Callable[[], None]) -> None:
        self._reactor = reactor
        self._hear = hear
        self._copy: int | None = None

    def start(self, descriptor: int | None) -> None:
        """Listen until `stop` is called, which is to be done before the connection is used."""
        self.stop()
        if descriptor is not None:
            self._copy = os.dup(descriptor)
            self._reactor.addReader(self)

    def stop(self) -> None:
        """Listen no more, if it does."""
        if self._copy is not None:
            self._reactor.removeReader(self)
            os.close(self._copy)
            self._copy = None

    # What the reactor calls (`IReadDescriptor`)

    def fileno(self) -> int:
        """The descriptor that is watched."""
        return -1 if self._copy is None else self._copy

    def doRead(self) -> None:  # noqa: N802 - its name there
        """Something has arrived, or the connection is lost."""
        self._hear()

    def connectionLost(self, reason: Failure) -> None:  # noqa: N802 - its name there
        """The connection is lost, and there is nothing to read."""
        self.stop()
        self._hear()

    def logPrefix(self) -> str:  # noqa: N802 - its name there
        """What the reactor calls it."""
        return "PostgreSQL"
