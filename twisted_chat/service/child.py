"""One of several processes, seen from inside: what it is told at its start, and its parent."""

import json
import os
from collections.abc import Callable
from functools import cache
from itertools import count
from typing import Any, NamedTuple, Protocol

from twisted.internet.protocol import connectionDone
from twisted.internet.stdio import StandardIO
from twisted.logger import Logger
from twisted.protocols.basic import LineOnlyReceiver
from twisted.python.failure import Failure

from twisted_chat.service.inherited import Inheriting

_log = Logger(namespace="chat")

VARIABLE = "TWISTED_CHAT_PROCESS"
"""In the environment of a process that has a parent."""

ASKS, ANSWERS = 3, 4
"""The descriptors at which a process hears its parent, and tells it something."""

FIRST_SOCKET = 5
"""The descriptor of the first socket that it inherits; the others follow."""

LONGEST = 2**24
"""Bytes of a line between a process and its parent."""


class Start(NamedTuple):
    """What a process is told at its start.

    Args:
        number: of the process; it tells those apart that there are.
        endpoints: where people join; the sockets are inherited in this order.
        web_endpoints: where the page is, likewise.
        fixed: options out of the file that only a restart can change, as they were at the start.
    """

    number: int
    endpoints: list[str]
    web_endpoints: list[str]
    fixed: list[str]

    def to_line(self) -> bytes:
        """The same as a line."""
        return json.dumps(self._asdict()).encode() + b"\n"


@cache
def told() -> Start | None:
    """What the parent of this process has told it; None if it has no parent.

    It may have secrets, which do not belong into the environment.
    """
    if VARIABLE not in os.environ:
        return None
    line = b""
    while not line.endswith(b"\n"):  # and nothing that comes after it
        line += os.read(ASKS, 1) or b"\n"
    return Start(**json.loads(line))


class Served(Protocol):
    """What a process does, as its parent asks for it."""

    running: int
    """Whether it is not stopping yet."""

    def end(self) -> None:
        """Stop, in good order."""

    def hang_up(self) -> None:
        """Read the options again."""

    def drain(self, seconds: float) -> None:
        """Accept nobody more, let everybody go elsewhere, and stop.

        Args:
            seconds: for how long those may stay who have to connect again by hand.
        """

    def metrics(self) -> str:
        """The metrics of this process, as Prometheus reads them."""

    def problems(self) -> list[str]:
        """The problems of this process, one line each."""


class Parent(LineOnlyReceiver):
    """A process's parent: hears what it asks, and tells it something.

    Args:
        start: what it told at the start.
        reactor: what everything runs on.
    """

    delimiter = b"\n"
    MAX_LENGTH = LONGEST

    def __init__(self, start: Start, reactor: Any) -> None:
        self.start = start
        self._descriptors = count(FIRST_SOCKET)
        self._reactor = reactor
        self._served: Served

    def next_socket(self) -> Inheriting:
        """What listens at the next socket, in the order of the endpoints."""
        return Inheriting(self._reactor, next(self._descriptors))

    def serve(self, served: Served) -> None:
        """From now on, do what the parent asks."""
        self._served = served
        connect: Any = StandardIO  # which mypy takes for that of Windows
        connect(self, ASKS, ANSWERS, self._reactor)

    def tell(self, **what: object) -> None:
        """Tell it something."""
        self.sendLine(json.dumps(what).encode())

    def stop_all(self) -> None:
        """Stop all processes."""
        self.tell(do="stop")

    def reload_others(self) -> None:
        """Let all other processes read their options again."""
        self.tell(do="reload")

    def lineReceived(self, line: bytes) -> None:
        """It asks for something."""
        asked = json.loads(line)
        match asked:
            case {"do": "stop"}:
                self._served.end()
            case {"do": "reload"}:
                self._served.hang_up()
            case {"do": "drain", "seconds": float(seconds)}:
                self._served.drain(seconds)
            case {"do": "metrics"}:
                self._answer(asked, self._served.metrics)
            case {"do": "problems"}:
                self._answer(asked, self._served.problems)

    def _answer(self, asked: dict[str, Any], answer: Callable[[], object]) -> None:
        self.tell(ref=asked["ref"], answer=answer())

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """It is gone: nobody would ever stop us."""
        if self._served.running:
            _log.error("The parent process is gone")
            self._served.end()
