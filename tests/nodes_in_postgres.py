"""Several servers on one database, and what each of them hears."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from tests.disk import Disk
from tests.people import at_once
from tests.postgres import engine, why_not
from twisted_chat.counters import Counters
from twisted_chat.events import Entry, Event, Join, Message
from twisted_chat.refusal import Refused
from twisted_chat.turn import Turn

if not why_not():
    from tests.faulty import Network
    from twisted_chat.stores.postgres.nodes import BEAT
    from twisted_chat.stores.postgres.store import PostgresStore

ROOMS = ("#tea", "#milk")

END = "this is the end"

NETWORKS: "dict[str, Network]" = {}
"""By its address, the way of each server to the database."""


def connect(url: str, *called: str) -> Any:
    """See `connection.connect`."""
    return NETWORKS[url].connect(url, *called)


class Reader:
    """Sees all that is shown in a log on one server."""

    def __init__(self) -> None:
        self.seen: list[tuple[Event, int]] = []
        self.refused: list[Event] = []

    def show(self, entries: Sequence[Entry]) -> None:
        """See `Subscriber.show`."""
        assert entries, "there is always something to show"
        self.seen += [(entry.event, entry.id) for entry in entries]

    hear = show

    def refuse(self, entries: Sequence[Entry], why: Refused) -> None:
        """See `Subscriber.refuse`."""
        self.refused += [entry.event for entry in entries]

    @property
    def stored(self) -> list[tuple[Message, int]]:
        """What has a number of its own."""
        return [(event, number) for event, number in self.seen if isinstance(event, Message)]


class Node:
    """One of several servers, which hears what is told.

    Args:
        url: where the database is.
        called: the test's own name for it.
    """

    def __init__(self, url: str, called: str = "") -> None:
        self.called = called
        self._url = url
        self.turns: list[Callable[[], None]] = []
        self.network, self.clock, self.writing, self.reading = Network(), Clock(), Disk(), Disk()
        self.readers = {room: Reader() for room in ROOMS}
        self.heard_of: list[tuple[int, str, Any]] = []
        self.shared: dict[str, Any] = {}
        self.lost: list[tuple[int, int]] = []  # servers that are gone, and their heirs
        self.missed_times = 0
        self.was_replaced = 0
        self.asked: list[str] = []
        turn = Turn(self.turns.append)
        way = f"{url}&fallback_application_name={id(self)}"
        NETWORKS[way] = self.network
        self.counters = Counters()
        self.store = PostgresStore(
            way, turn, self.writing, self.reading, at_once, self.clock, self.counters
        )
        self.nodes = self.store.nodes
        self.number = self.nodes.number

    def starts(self) -> Any:
        """It joins the others, and opens its rooms; gives what was answered."""
        found: list[Any] = []
        self.nodes.join(self).addCallback(found.append)
        for room, reader in self.readers.items():
            self.store.open(room, room, reader)
        self.is_done()
        (shared,) = found
        self.shared = dict(shared or {})
        return shared

    # What the store tells (`Hearer`)

    def heard(self, node: int, name: str, value: Any) -> None:
        """See `Hearer.heard`."""
        self.heard_of.append((node, name, value))
        if name.startswith("say/"):
            return
        if value is None:
            self.shared.pop(name, None)
        else:
            self.shared[name] = value

    def gone(self, node: int, heir: int) -> None:
        """See `Hearer.gone`."""
        self.lost.append((node, heir))

    def counts(self, node: int, entry: Entry) -> bool:
        """See `Hearer.counts`: nobody goes on elsewhere, but `gone`."""
        return entry.author != "gone"

    def asked_for(self, log: str, room: str) -> None:
        """See `Hearer.asked_for`: own logs are begun here."""
        self.asked.append(log)
        if log.startswith("@"):
            self.readers[log] = Reader()
            self.store.begin(log, room, self.readers[log])

    def missed(self, shared: Mapping[str, Any], nodes: Sequence[int]) -> None:
        """See `Hearer.missed`."""
        self.missed_times += 1
        self.shared = dict(shared)

    def replaced(self) -> None:
        """See `Hearer.replaced`."""
        self.was_replaced += 1

    # What happens

    def says(self, room: str, text: str) -> None:
        """Somebody says something here."""
        entry = Entry(Message(1.0, room, self.called, text), f"p{self.called}")
        self.store.append([(room, entry)])

    def joins(self, room: str, who: str) -> None:
        """Somebody joins a room here, which is only told."""
        entry = Entry(Join(1.0, room, who, ("and others",)), f"p{self.called}")
        self.store.append([(room, entry)])

    def goes_on(self) -> bool:
        """A turn ends, the database does something, or it is heard of; gives whether any did."""
        if self.turns:
            self.turns.pop(0)()
        elif self.writing.has_news:
            self.writing.is_heard()
        elif self.writing.has_work:
            self.writing.turns()
        elif self.reading.has_news:
            self.reading.is_heard()
        elif self.reading.has_work:
            self.reading.turns()
        elif self.store._writer._retry is not None and not self.network.is_cut:
            self.clock.advance(2)
        else:
            return False
        return True

    def is_done(self) -> None:
        """Everything is stored that was said here."""
        while self.goes_on():
            pass

    def hears_until(self, has_heard: Callable[[], bool]) -> None:
        """Others are heard until something has been."""
        for _ in range(2_000):
            self.is_done()
            if has_heard():
                return
            self.store.hear()
            time.sleep(0.005)
        raise AssertionError("that is not heard")

    def hears_the_end(self) -> None:
        """Others are heard until the last of all has said that it is the end."""
        self.hears_until(
            lambda: any(event.text == END for event, _ in self.readers[ROOMS[0]].stored)
        )

    def beats(self) -> None:
        """It says that it is there."""
        self.clock.advance(BEAT)
        self.is_done()

    def stops(self) -> None:
        """It stops in good order."""
        stopped: Deferred[None] = self.store.stop()
        self.is_done()
        assert stopped.called, "it does not stop"

    def is_killed(self) -> None:
        """It ends at once."""
        self.store._engine.close()
        self.store._history._close()

    def loses_its_connection(self) -> None:
        """The database ends the connection, which this server does not know yet."""
        with engine().connect(self._url) as look:
            look.execute(
                b"SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity"
                b" WHERE application_name = %s",
                (self.store._engine._called,),
            )
