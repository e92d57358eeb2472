"""Keeping a connection: one is made, and made again when it is gone."""

import math
import random
from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IProtocol,
    IReactorTime,
    ISSLTransport,
)
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure

from twisted_chat.client import wording
from twisted_chat.client.failed import Failed
from twisted_chat.client.patience import FOR_EVER, Patience
from twisted_chat.client.protocol import ClientProtocol, Talker
from twisted_chat.client.route import Address, Route

LONGEST = 15.0
"""The longest pause between two tries, in seconds."""

SHORT = 2.0
"""The longest pause of somebody who tries for a limited time."""

HANGS = 1.0
"""Seconds after which the next address is tried as well."""

SILENT = 3.0
"""Seconds in which a server says something, while there is another one to try."""

STEADY = 10.0
"""Seconds that a connection lasts whose loss is a new one: before, each address is tried once."""

_HUNG_UP = "The server hung up without a word: if it speaks TLS, add --tls"


class Connection(Factory):
    """A connection that is made again when it is gone.

    Each address is tried at once, and then all of them again, after pauses that grow.

    Args:
        addresses: where the chat is; the first one is tried first.
        clock: the time and its timers.
        patience: for how long to try.
        jitter: a number from 0 to 1, so that not all clients come back at the same moment.
    """

    noisy = False

    def __init__(
        self,
        addresses: Sequence[Address],
        clock: IReactorTime,
        patience: Patience = FOR_EVER,
        *,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.address = addresses[0]
        """Where the connection is, or was at last."""
        self._route = Route(addresses)
        self._clock = clock
        self._patience = patience
        self._jitter = jitter
        self._talker: Talker | None = None
        self._attempts: dict[Address, Deferred[IProtocol]] = {}
        self._protocol: ClientProtocol | None = None
        self._retry: IDelayedCall | None = None
        self._hurry: IDelayedCall | None = None  # while there is an address that was not tried
        self._end_of_patience: IDelayedCall | None = None
        self._reached = False
        self._since = math.inf  # when we were let in, over this connection
        self._tries = 0
        self._why = ""  # of a connection that we drop
        self._reason: Failed | None = None  # why the last try came to nothing

    def open(self, talker: Talker) -> None:
        """Connect, and let `talker` talk over it."""
        self._talker = talker
        self._be_patient()
        self._begin()

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
        self._begin()

    def drop(self, why: str) -> None:
        """The chat does not want us now, wherever we come; it may later."""
        self._route.end()
        self._abort(why)

    def welcomed(self) -> None:
        """The server has let us in."""
        self._reached = True
        self._since = self._clock.seconds()
        self._tries = 0
        _stop(self._hurry)
        self._stop_being_patient()

    def learn(self, addresses: Sequence[Address]) -> None:
        """The chat has these addresses too."""
        self._route.learn(addresses)

    def send(self, thing: dict[str, Any]) -> None:
        """Send an object, if there is a connection."""
        if self._protocol is not None:
            self._protocol.send(thing)

    def buildProtocol(self, addr: IAddress | None) -> ClientProtocol | None:
        """A connection is there; of a host's several addresses, more than one may get so far."""
        if self._talker is None:
            return None
        return ClientProtocol(self._talker, self._clock, self._lost)

    # Making a connection

    def _begin(self) -> None:
        """Try all addresses, but for those that are being tried."""
        self._route.begin(self._attempts)
        self._connect()

    def _connect(self) -> None:
        address = self._route.next
        if address is None:
            return
        self._route.tries(address)
        _stop(self._hurry)
        if len(self._route.all) > 1:
            self._hurry = self._clock.callLater(HANGS, self._gone, _no_answer(address))
        attempt = self._attempts[address] = address.endpoint.connect(self)
        attempt.addCallbacks(
            self._made, self._failed, callbackArgs=(address,), errbackArgs=(address,)
        )

    def _made(self, protocol: ClientProtocol, address: Address) -> None:
        del self._attempts[address]
        self._stop_trying()
        self.address = address
        self._protocol = protocol
        if self._route.next is not None:
            self._hurry = self._clock.callLater(SILENT, self._leave_if_silent)
        protocol.greet()

    def _leave_if_silent(self) -> None:
        """A frozen server takes connections too; one that has greeted may be busy."""
        if self._protocol is not None and self._protocol.was_silent:
            self._abort(str(_no_answer(self.address)))

    def _failed(self, failure: Failure, address: Address) -> None:
        if self._attempts.pop(address, None) is None:
            return
        if isinstance(failure.value, Failed):
            self._set_aside(address, failure.value)
        else:
            self._gone(Failed(wording.no_connection(failure, address.where)))

    def _lost(self, protocol: ClientProtocol) -> None:
        if protocol is not self._protocol:
            return
        self._protocol = None
        _stop(self._hurry)
        if self._clock.seconds() - self._since >= STEADY:
            self._route.begin([self.address])
        self._since = math.inf
        if protocol.other is not None and not self._reached:
            self._set_aside(self.address, Failed(f"{self.address.where} is {protocol.other}"))
            return
        might_be_tls = (
            protocol.was_silent
            and not self._reached
            and not ISSLTransport.providedBy(protocol.transport)
        )
        lost = _HUNG_UP if might_be_tls else "Connection lost"
        why, self._why = self._why, ""
        self._gone(Failed(why or protocol.excuse or lost))

    def _set_aside(self, address: Address, why: Failed) -> None:
        """That is not the chat, or may not be."""
        self._route.forget(address)
        if self._route.all:
            self._gone(why)
        else:
            self._give_up(why)

    def _gone(self, why: Failed) -> None:
        """There is no connection, or none yet: try elsewhere at once, or again after a pause."""
        self._reason = why
        _stop(self._hurry)
        following = self._route.next
        if following is not None and (self._limit or not self._reached):
            self._be_patient()
            self._plan(0.0, self._connect)
            self._tell(why, 0.0, following.where)
        elif self._limit:
            self._be_patient()
            longest = LONGEST if math.isinf(self._limit) else SHORT
            pause = min(longest, 2.0 * 2.0**self._tries) * (0.5 + 0.5 * self._jitter())
            self._tries = min(self._tries + 1, 10)
            self._plan(pause, self._begin)
            self._tell(why, pause, "")
        elif not self._attempts:
            self._give_up(why)

    def _plan(self, pause: float, act: Callable[[], None]) -> None:
        _stop(self._retry)
        self._retry = self._clock.callLater(pause, act)

    def _tell(self, why: Failed, pause: float, elsewhere: str) -> None:
        if self._talker is not None:
            self._talker.lost(str(why), pause, elsewhere)

    @property
    def _limit(self) -> float:
        return self._patience.later if self._reached else self._patience.first

    def _be_patient(self) -> None:
        if self._end_of_patience is None and 0 < self._limit < math.inf:
            self._end_of_patience = self._clock.callLater(self._limit, self._too_late)

    # The end

    def _abort(self, why: str) -> None:
        self._why = why
        if self._protocol is not None:
            self._protocol.transport.abortConnection()

    def _stop_being_patient(self) -> None:
        _stop(self._end_of_patience)
        self._end_of_patience = None

    def _stop_trying(self) -> None:
        attempts, self._attempts = self._attempts, {}
        _stop(self._retry)
        _stop(self._hurry)
        for attempt in attempts.values():
            attempt.cancel()

    def _forget(self) -> ClientProtocol | None:
        """Forget the connection and every plan to make one; gives what is left to be closed."""
        protocol, self._protocol = self._protocol, None
        self._since = math.inf
        self._stop_being_patient()
        self._stop_trying()
        return protocol

    def _too_late(self) -> None:
        self._give_up(self._reason or _no_answer(self.address))

    def _give_up(self, why: Failed) -> None:
        self.close()
        if self._talker is not None:
            self._talker.gave_up(why)


def _no_answer(address: Address) -> Failed:
    return Failed(f"No answer from {address.where}")


def _stop(timer: IDelayedCall | None) -> None:
    if timer is not None and timer.active():
        timer.cancel()
