"""Keeping a connection: one is made, and made again when it is gone."""

import random
from collections.abc import Callable
from typing import Any

from twisted.internet import error
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IProtocol,
    IReactorTime,
    IStreamClientEndpoint,
)
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure

from twisted_chat.client.protocol import ClientProtocol, Talker

LONGEST = 60.0
"""The longest pause between two tries, in seconds."""


class Connection(Factory):
    """A connection that is made again when it is gone, after pauses that grow.

    Args:
        endpoint: where the server is.
        clock: the time and its timers.
        where: what a person calls that place.
        again: whether to try again at all.
        jitter: a number from 0 to 1, so that not all clients come back at the same moment.
    """

    noisy = False

    def __init__(
        self,
        endpoint: IStreamClientEndpoint,
        clock: IReactorTime,
        where: str,
        *,
        again: bool,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._endpoint = endpoint
        self._clock = clock
        self._where = where
        self._try_again = again
        self._jitter = jitter
        self._talker: Talker | None = None
        self._attempt: Deferred[IProtocol] | None = None
        self._protocol: ClientProtocol | None = None
        self._retry: IDelayedCall | None = None
        self._tries = 0
        self._why = ""

    def open(self, talker: Talker) -> None:
        """Connect, and let `talker` talk over it."""
        self._talker = talker
        self._connect()

    def close(self) -> None:
        """Let go of the connection and of every plan to make one; `talker` is not told."""
        attempt, self._attempt = self._attempt, None
        protocol, self._protocol = self._protocol, None
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        if attempt is not None:
            attempt.cancel()
        if protocol is not None:
            protocol.transport.loseConnection()

    def drop(self, why: str) -> None:
        """This connection is of no use, but a later one may be."""
        self._why = why
        if self._protocol is not None:
            self._protocol.transport.abortConnection()

    def send(self, thing: dict[str, Any]) -> None:
        """Send an object, if there is a connection."""
        if self._protocol is not None:
            self._protocol.send(thing)

    def buildProtocol(self, addr: IAddress | None) -> ClientProtocol | None:
        """A connection is there; of a host's several addresses, more than one may get so far."""
        if self._talker is None:
            return None
        return ClientProtocol(self._talker, self._clock, self._lost)

    def _connect(self) -> None:
        self._retry = None
        self._attempt = self._endpoint.connect(self)
        self._attempt.addCallbacks(self._made, self._failed)

    def _made(self, protocol: ClientProtocol) -> None:
        self._attempt = None
        self._protocol = protocol
        protocol.greet()

    def _failed(self, failure: Failure) -> None:
        if self._attempt is not None:
            self._attempt = None
            self._gone(self._sentence(failure))

    def _lost(self, protocol: ClientProtocol) -> None:
        if protocol is self._protocol:
            self._protocol = None
            if protocol.welcomed:
                self._tries = 0
            self._gone(self._why or protocol.excuse or "Connection lost")

    def _gone(self, why: str) -> None:
        self._why = ""
        pause = None
        if self._try_again:
            longest = min(LONGEST, 2.0 * 2.0**self._tries)
            pause = longest * (0.5 + 0.5 * self._jitter())
            self._tries = min(self._tries + 1, 10)
            self._retry = self._clock.callLater(pause, self._connect)
        if self._talker is not None:
            self._talker.lost(why, pause)

    def _sentence(self, failure: Failure) -> str:
        if failure.check(error.ConnectionRefusedError):
            return f"Connection refused by {self._where}: is the server running?"
        if failure.check(error.DNSLookupError):
            return f"No address found for {self._where}: is the name right?"
        if failure.check(error.TimeoutError):
            return f"No answer from {self._where}: is the network all right?"
        return f"No connection to {self._where}: {failure.getErrorMessage()}"
