"""Whatever a store goes through, each log shows what was put into it, in order, and no more."""

import json
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis.stateful import rule, run_state_machine_as_test
from twisted.trial.unittest import SynchronousTestCase

from tests.any_store import SETTINGS, AnyStore
from tests.disk import Disk, let_go
from tests.in_database import InDatabase
from tests.kept import Register
from tests.people import at_once
from twisted_chat.stores.memory import MemoryStore
from twisted_chat.stores.rows import COLUMNS
from twisted_chat.stores.sqlite import forgetting, writer
from twisted_chat.stores.sqlite.store import SqliteStore
from twisted_chat.turn import Turn


class InMemory(AnyStore):
    """A store that forgets everything when the process ends."""

    def start(self) -> None:
        """Begin anew."""
        self.store = MemoryStore()

    @rule()
    def the_server_is_restarted(self) -> None:
        epoch = self.store.epoch
        self.lives, self.register = {}, Register()
        self.start()
        assert self.store.epoch != epoch
        assert not self.accounts()
        store = self.store
        assert not self.answer(store.rooms())
        assert not self.answer(store.saved_sessions())
        assert not self.answer(store.refs("ann", 9))


class InSqlite(InDatabase):
    """A store in a file."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name, "chat.sqlite")
        super().__init__()
        self.file = sqlite3.connect(self.path)

    def start(self) -> None:
        """Begin a run with what an earlier one has left."""
        self.turns: list[Callable[[], None]] = []
        self.writing, self.reading = Disk(), Disk()
        self.was_full = False  # since everything was stored
        turn = Turn(self.turns.append)
        self.store = self.sqlite = SqliteStore(self.path, turn, self.writing, self.reading, at_once)

    def rows(self) -> list[tuple[Any, ...]]:
        """See `InDatabase.rows`."""
        query = f"SELECT log, name, {COLUMNS} FROM events LEFT JOIN logs USING (log)"
        return self.file.execute(query).fetchall()

    def states(self) -> list[tuple[str, str, Any]]:
        """See `InDatabase.states`."""
        query = "SELECT logs.name, state.name, value FROM state LEFT JOIN logs USING (log)"
        rows = self.file.execute(query)
        return [(log, name, json.loads(value)) for log, name, value in rows]

    def close(self) -> None:
        """See `InDatabase.close`."""
        let_go(self.sqlite)

    def teardown(self) -> None:
        """In the end the file goes."""
        try:
            super().teardown()
        finally:
            self.file.close()
            self.folder.cleanup()


class StoreTests(SynchronousTestCase):
    def test_whatever_happens_each_log_shows_what_was_put_into_it(self) -> None:
        for module, name, few in (
            (writer, "GROUP", 2),
            (writer, "QUEUE", 3),
            (forgetting, "MOST", 2),
        ):
            self.patch(module, name, few)
        for machine in (InMemory, InSqlite):
            run_state_machine_as_test(machine, settings=SETTINGS)
