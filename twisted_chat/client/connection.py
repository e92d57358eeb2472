"""Keeping a connection: one is made, and made again when it is gone."""

import math
import random
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IProtocol,
    IReactorTime,
    ISSLTransport,
    IStreamClientEndpoint,
)
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure

from twisted_chat.client import wording
from twisted_chat.client.failed import Failed
from twisted_chat.client.patience import FOR_EVER, Patience
from twisted_chat.client.protocol import ClientProtocol, Talker

LONGEST = 15.0
"""The longest pause between two tries, in seconds."""

SHORT = 2.0
"""The longest pause of somebody who tries for a limited time."""

_HUNG_UP = "The server hung up without a word: if it speaks TLS, add --tls"


class Connection(Factory):
    """A connection that is made again when it is gone, after pauses that grow.

    Args:
        endpoint: where the server is.
        clock: the time and its timers.
        where: what a person calls that place.
        patience: for how long to try.
        jitter: a number from 0 to 1, so that not all clients come back at the same moment.
    """

    noisy = False

    def __init__(
        self,
        endpoint: IStreamClientEndpoint,
        clock: IReactorTime,
        where: str,
        patience: Patience = FOR_EVER,
        *,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._endpoint = endpoint
        self._clock = clock
        self._where = where
        self._patience = patience
        self._jitter = jitter
        self._talker: Talker | None = None
        self._attempt: Deferred[IProtocol] | None = None
        self._protocol: ClientProtocol | None = None
        self._retry: IDelayedCall | None = None
        self._end_of_patience: IDelayedCall | None = None
        self._reached = False
        self._tries = 0
        self._why = ""  # of a connection that we drop
        self._reason = ""  # why the last try came to nothing

    def open(self, talker: Talker) -> None:
        """Connect, and let `talker` talk over it."""
        self._talker = talker
        self._be_patient()
        self._connect()

    def close(self) -> None:
        """Let go of the connection and of every plan to make one; `talker` is not told."""
        if protocol := self._forget():
            protocol.transport.loseConnection()

    def reconnect(self) -> None:
        """Try at once, even if there seems to be a connection; `talker` is not told."""
        if protocol := self._forget():
            protocol.transport.abortConnection()
        self._tries = 0
        self._be_patient()
        self._connect()

    def drop(self, why: str) -> None:
        """This connection is of no use, but a later one may be."""
        self._why = why
        if self._protocol is not None:
            self._protocol.transport.abortConnection()

    def welcomed(self) -> None:
        """The server has let us in."""
        self._reached = True
        self._tries = 0
        self._stop_being_patient()

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
            if isinstance(failure.value, Failed):
                self._give_up(failure.value)
            else:
                self._gone(wording.no_connection(failure, self._where))

    def _lost(self, protocol: ClientProtocol) -> None:
        if protocol is not self._protocol:
            return
        self._protocol = None
        if protocol.other is not None and not self._reached:
            self._give_up(Failed(f"{self._where} is {protocol.other}"))
        else:
            might_be_tls = (
                protocol.was_silent
                and not self._reached
                and not ISSLTransport.providedBy(protocol.transport)
            )
            lost = _HUNG_UP if might_be_tls else "Connection lost"
            self._gone(self._why or protocol.excuse or lost)

    def _gone(self, why: str) -> None:
        self._why = ""
        self._reason = why
        if not self._limit:
            self._give_up(Failed(why))
            return
        self._be_patient()
        longest = LONGEST if math.isinf(self._limit) else SHORT
        pause = min(longest, 2.0 * 2.0**self._tries) * (0.5 + 0.5 * self._jitter())
        self._tries = min(self._tries + 1, 10)
        self._retry = self._clock.callLater(pause, self._connect)
        if self._talker is not None:
            self._talker.lost(why, pause)

    @property
    def _limit(self) -> float:
        return self._patience.later if self._reached else self._patience.first

    def _be_patient(self) -> None:
        if self._end_of_patience is None and 0 < self._limit < math.inf:
            self._end_of_patience = self._clock.callLater(self._limit, self._too_late)

    def _stop_being_patient(self) -> None:
        if self._end_of_patience is not None:
            self._end_of_patience.cancel()
            self._end_of_patience = None

    def _forget(self) -> ClientProtocol | None:
        """Forget the connection and every plan to make one; gives what is left to be closed."""
        attempt, self._attempt = self._attempt, None
        protocol, self._protocol = self._protocol, None
        retry, self._retry = self._retry, None
        self._stop_being_patient()
        if retry is not None:
            retry.cancel()
        if attempt is not None:
            attempt.cancel()
        return protocol

    def _too_late(self) -> None:
        self._end_of_patience = None
        self._give_up(Failed(self._reason or f"No answer from {self._where}"))

    def _give_up(self, why: Failed) -> None:
        self.close()
        if self._talker is not None:
            self._talker.gave_up(why)
