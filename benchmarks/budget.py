"""`python -m benchmarks.budget`: what one delivery and one message cost, part by part.

Each figure is the best of many rounds, in microseconds: what is left when nothing disturbs.
"""

import socket
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock
from twisted.internet.tcp import Connection
from twisted.internet.testing import StringTransport

from twisted_chat import ChatFactory, Limits
from twisted_chat.events import Entry, Message
from twisted_chat.frontends.outlet import Outlet
from twisted_chat.log.fanout import Fanout
from twisted_chat.log.log import Log
from twisted_chat.log.reader import Reader
from twisted_chat.stores.memory import MemoryStore
from twisted_chat.stores.rows import to_row
from twisted_chat.stores.sqlite.insertion import insert_events
from twisted_chat.stores.sqlite.schema import open_database
from twisted_chat.turn import Turn
from twisted_chat.wire.plain import PlainWire

ROUNDS, READERS, CONNECTIONS, LINES = 200, 1_000, 400, 80
TEXT = "x" * 100


def best(measure: Callable[[], None], count: int) -> float:
    """Microseconds for each of `count` things that are done at once."""
    least = float("inf")
    for _ in range(ROUNDS):
        began = time.perf_counter()
        measure()
        least = min(least, time.perf_counter() - began)
    return least * 1e6 / count


class Nothing(Connection):
    """A connection whose socket takes everything and does nothing."""

    def __init__(self) -> None:
        self.TLS = self.disconnecting = False
        self.dataBuffer = b""
        self._tempDataBuffer: list[bytes] = []
        self.offset = self._tempDataLen = 0
        self.socket: Any = self
        self.send = len

    def registerProducer(self, producer: object, streaming: bool) -> None:  # noqa: N802 - of Twisted
        """Nothing is ever held."""


def delivery() -> float:
    """To find out what a reader has not seen, and to hand it over."""
    calls: list[Callable[[], None]] = []
    log, wire = Log.new("#x", "#x", MemoryStore()), PlainWire()
    fanout = Fanout(log, Turn(calls.append))
    for _ in range(READERS):
        Reader(fanout, wire, Outlet(Nothing(), lambda: None))

    def turn() -> None:
        log.append(Entry(Message(0.0, "#x", "bob", TEXT), "somebody"))
        while calls:
            calls.pop()()

    return best(turn, READERS)


def sending() -> float:
    """A `send` into one of many TCP connections on this machine, with the kernel's share."""
    with ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=CONNECTIONS))
        sends, theirs = [], []
        for _ in range(CONNECTIONS):
            link = stack.enter_context(socket.create_connection(server.getsockname()))
            ours = stack.enter_context(server.accept()[0])
            ours.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            ours.setblocking(False)
            sends.append(ours.send)
            theirs.append(link)
        data, least = TEXT.encode(), float("inf")
        for _ in range(ROUNDS):
            began = time.perf_counter()
            for send in sends:
                send(data)
            least = min(least, time.perf_counter() - began)
            for link in theirs:
                link.recv(4096)
        return least * 1e6 / CONNECTIONS


def message() -> float:
    """A line from a connection's bytes into the log, and to nobody."""
    clock = Clock()
    factory = ChatFactory(clock, limits=Limits(pace=None))
    protocol = factory.buildProtocol(None)
    protocol.makeConnection(StringTransport())
    protocol.dataReceived(b"bob\n")
    clock.advance(0)
    line = TEXT.encode() + b"\n"

    def turn() -> None:
        for _ in range(LINES):
            protocol.dataReceived(line)
        clock.advance(0)

    return best(turn, LINES)


def row() -> float:
    """A row of a group that is committed to SQLite."""
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(Path(folder) / "chat.sqlite", full=False)
        number = 0

        def commit() -> None:
            nonlocal number
            rows = []
            for _ in range(LINES):
                number += 1
                entry = Entry(Message(0.0, "#x", "bob", TEXT), "somebody", None, number)
                rows.append(to_row(1, entry))
            database.execute("BEGIN IMMEDIATE")
            insert_events(database, rows)
            database.execute("COMMIT")

        took = best(commit, LINES)
        database.close()
        return took


def main() -> int:
    """Print the budget."""
    for what, measure in (
        ("a delivery, in Python", delivery),
        ("a delivery, the send", sending),
        (f"a message, from bytes into the log ({LINES} in a turn)", message),
        (f"a message, its row in SQLite (groups of {LINES})", row),
    ):
        print(f"{measure():6.2f} us  {what}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
