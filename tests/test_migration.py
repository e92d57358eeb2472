"""A database of the version before holds the same when it has been brought up to date."""

import sqlite3
from contextlib import closing
from pathlib import Path

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.test_sqlite_store import Run
from twisted_chat.stores import SavedSession
from twisted_chat.stores.sqlite import schema

TOPIC = 'tea; "milk" \N{LATIN SMALL LETTER E WITH ACUTE}'


class MigrationTests(SynchronousTestCase):
    def setUp(self) -> None:
        """A database of version 3: a room, and a program that asked for something there."""
        folder = Path(self.mktemp())
        folder.mkdir()
        self.path = folder / "chat.sqlite"
        with closing(sqlite3.connect(self.path)) as database, database:
            for migration in schema._MIGRATIONS[:3]:
                database.executescript(migration)
            database.execute("PRAGMA user_version = 3")
            database.execute("INSERT INTO server VALUES ('e1')")
            database.execute("INSERT INTO logs VALUES (4, '#lobby', '#lobby', ?)", (TOPIC,))
            database.execute("INSERT INTO logs VALUES (7, '#dev', '#dev', '')")
            database.execute("UPDATE sqlite_sequence SET seq = 9")
            self.rows = [
                (4, 2, 1.5, "message", "bot", None, "built", "b1", "c-17"),
                (4, 3, 1.6, "topic", "eve", None, TOPIC, "e1", None),
                (7, 1, 1.7, "rename", "bob", "rob", None, "b2", "c-17"),
            ]
            database.execute(
                "INSERT INTO seats VALUES ('b1', 'hash', 'bot', '::1', 1, '{}', '', NULL, '[]',"
                " '[]', '[]', 0)"
            )
            marks = ", ".join("?" * 9)
            database.executemany(f"INSERT INTO events VALUES ({marks})", self.rows)

    def test_everything_is_there_as_it_was(self) -> None:
        run = Run(self.path, Clock())
        self.addCleanup(run.ends)
        self.assertEqual(run.store.epoch, "e1")
        self.assertEqual(run.factory.chat.lobby.topic, TOPIC)
        self.assertEqual(run.factory.chat.rooms["#dev"].topic, "")
        self.assertEqual(self.successResultOf(run.store.refs("b1", 9)), [("c-17", 2)])
        self.assertEqual(self.successResultOf(run.store.refs("b2", 9)), [], "has no session")
        (entry,) = self.successResultOf(run.store.after("#dev", 0, 9))
        self.assertEqual((entry.author, entry.client), ("b2", "b2"))
        (session,) = self.successResultOf(run.store.saved_sessions())
        self.assertEqual(session, SavedSession("b1", "b1", "hash", "bot", "::1", 1.0, {}))
        run.hears("ann", "/join new", "hi")
        with closing(sqlite3.connect(self.path)) as database:
            query = "SELECT log, id, time, kind, sender, recipient, text, author, ref FROM events"
            self.assertEqual(database.execute(f"{query} WHERE log < 9").fetchall(), self.rows)
            new = database.execute("SELECT log FROM logs WHERE name = '#new'").fetchone()
        self.assertGreater(new[0], 9, "no number is given twice")
