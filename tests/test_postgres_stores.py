"""Whatever befalls a PostgreSQL and the way to it, each log shows what was put into it."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.any_store import SETTINGS
from tests.disk import Disk
from tests.in_database import InDatabase
from tests.people import at_once
from tests.postgres import engine, why_not
from twisted_chat.stores.rows import COLUMNS
from twisted_chat.turn import Turn

if not why_not():
    import psycopg

    from tests.faulty import Network
    from twisted_chat.stores.postgres import asked, history, writer
    from twisted_chat.stores.postgres import engine as writing_engine
    from twisted_chat.stores.postgres.connection import connect
    from twisted_chat.stores.postgres.store import PostgresStore

LOST_BEFORE, LOST_AFTER, CUT, MENDED = 6, 7, 8, 9
"""Choices that befall the network: a group is lost, or its answer; nobody is reached, or again."""


class InPostgres(InDatabase):
    """A store in PostgreSQL, over a network that breaks now and then."""

    def __init__(self) -> None:
        self.url = engine().new()
        self.network = Network()
        self.look = engine().connect(self.url)
        super().__init__()

    def start(self) -> None:
        """Begin a run with what an earlier one has left."""
        self.turns = []
        self.clock = Clock()
        self.was_full = False
        self.network.is_cut, self.network.loses, self.network.is_full = False, "", False
        with contextlib.suppress(psycopg.errors.UndefinedTable):
            self.look.execute(b"DELETE FROM nodes")  # the earlier one ended long ago
        self.writing, self.reading = Disk(), Disk()
        setattr(writing_engine, "connect", self.network.connect)  # noqa: B010 - not exported
        self.store = self.postgres = PostgresStore(
            self.url, Turn(self.turns.append), self.writing, self.reading, at_once, self.clock
        )

    def rows(self) -> list[tuple[Any, ...]]:
        """See `InDatabase.rows`."""
        query = f"SELECT log, logs.name, {COLUMNS} FROM events LEFT JOIN logs USING (log)"
        return list(self.look.execute(query.encode()))

    def states(self) -> list[tuple[str, str, Any]]:
        """See `InDatabase.states`."""
        query = b"SELECT logs.name, state.name, value FROM state LEFT JOIN logs USING (log)"
        return list(self.look.execute(query))

    def work(self, choices: list[int]) -> None:
        """See `AnyStore.work`; or the network breaks, or is mended."""
        for choice in choices:
            if choice in (LOST_BEFORE, LOST_AFTER):
                self.network.loses = "group" if choice == LOST_BEFORE else "answer"
            elif choice in (CUT, MENDED):
                self.network.is_cut = choice == CUT
                self.was_full = self.was_full or self.network.is_cut
            else:
                super().work([choice])

    def has_room(self, *, is_full: bool) -> None:
        """See `InDatabase.has_room`."""
        self.network.is_full = is_full

    def possible(self) -> Iterator[Callable[[], None]]:
        """See `InDatabase.possible`: it is also time to try again."""
        yield from super().possible()
        if self.clock.getDelayedCalls():
            yield lambda: self.clock.advance(writer.LATEST)

    def everything_is_settled(self) -> None:
        """See `AnyStore.everything_is_settled`: the network is whole."""
        self.network.is_cut = False
        super().everything_is_settled()

    def close(self) -> None:
        """See `InDatabase.close`."""
        self.postgres._engine.close()
        self.postgres._history._close()

    def teardown(self) -> None:
        """In the end nobody looks into the database."""
        try:
            super().teardown()
        finally:
            self.look.close()


class PostgresStoresTests(SynchronousTestCase):
    skip = why_not() or None

    def test_whatever_happens_each_log_shows_what_was_put_into_it(self) -> None:
        self.patch(writing_engine, "connect", connect)
        self.patch(writing_engine, "check_engine", lambda *_: None)  # which takes long
        for module, name, few in (
            (asked, "GROUP", 2),
            (asked, "QUEUE", 3),
            (history, "FORGOTTEN", 2),
        ):
            self.patch(module, name, few)
        run_state_machine_as_test(InPostgres, settings=settings(SETTINGS, max_examples=15))
