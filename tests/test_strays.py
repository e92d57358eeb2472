"""Private rows in the wrong log, and those in the right one."""

import sqlite3
from collections.abc import Iterable
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from twisted_chat.stores import SavedSession
from twisted_chat.stores.records import session_row
from twisted_chat.stores.sqlite import strays
from twisted_chat.stores.sqlite.schema import open_database
from twisted_chat.stores.sqlite.sessions import SAVE_SESSION

CAME = 1_790_000_000.0
"""When alice, who may resume, came."""


class StrayTests(SynchronousTestCase):
    def setUp(self) -> None:
        """A room, and alice's own log."""
        path = Path(self.mktemp())
        self.database = open_database(path, full=False)
        self.addCleanup(self.database.close)
        self.has_log(1, "#lobby")
        self.has_log(2, "@a1")
        saved = SavedSession("a1", "a1", "token", "alice", "192.0.2.7", CAME, {"#lobby": 0})
        self.database.execute(SAVE_SESSION, session_row(saved))
        self.last: dict[int, int] = {}

    def has_log(self, number: int, name: str) -> None:
        """There is a log of this name."""
        self.database.execute("INSERT INTO logs VALUES (?, ?, ?)", (number, name, name))

    def stands(
        self,
        log: int,
        kind: str,
        sender: str,
        author: str,
        to: str | None = None,
        time: float = CAME + 1,
    ) -> int:
        """Something stands in a log; gives its number."""
        row = self.last[log] = self.last.get(log, 0) + 1
        text = None if kind == "rename" else "psst"
        self.database.execute(
            "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, NULL, NULL)",
            (log, row, time, kind, sender, to, text, author),
        )
        return row

    def rows(self) -> set[tuple[int, int]]:
        """Every row: its log, and its number there."""
        return set(self.database.execute("SELECT log, id FROM events"))

    def go(self, *gone: tuple[int, int], found: dict[str, int]) -> None:
        """These are found and deleted, and nothing else is."""
        self.assertEqual(strays.find(self.database), found)
        before = self.rows()
        self.database.execute("BEGIN IMMEDIATE")
        count = strays.delete(self.database) + strays.delete_foreign(self.database)
        self.assertEqual(count, len(gone))
        self.database.execute("COMMIT")
        self.assertEqual(before - self.rows(), set(gone))
        self.assertEqual(strays.find(self.database), {})

    def test_what_belongs_where_it_stands_stays(self) -> None:
        self.stands(1, "message", "bob", "b2", time=CAME - 100)
        self.stands(1, "topic", "bob", "b2")
        self.stands(1, "rename", "bob", "b2", "robert")
        self.stands(2, "whisper", "robert", "b2", "alice")
        self.stands(2, "whisper", "alice", "a1", "robert")
        self.go(found={})

    def test_rows_of_a_log_that_nobody_has(self) -> None:
        gone = [(log, self.stands(log, "whisper", "bob", "b2", "zed")) for log in (3, 7, 7)]
        self.stands(1, "message", "bob", "b2")
        self.go(*gone, found={"log 3": 1, "log 7": 2})

    def test_a_database_without_any_rows(self) -> None:
        self.go(found={})

    def test_whispers_in_a_room(self) -> None:
        first = self.stands(1, "whisper", "bob", "b2", "zed")
        self.stands(1, "message", "bob", "b2")
        second = self.stands(1, "whisper", "zed", "z9", "bob")
        self.go((1, first), (1, second), found={"#lobby": 2})

    def test_what_somebody_said_to_who_had_their_log_before(self) -> None:
        gone = (
            (2, self.stands(2, "whisper", "bob", "b2", "zed")),
            (2, self.stands(2, "whisper", "zed", "z9", "bob")),
            (2, self.stands(2, "message", "bob", "b2")),
        )
        self.stands(2, "whisper", "bob", "b2", "alice")
        self.go(*gone, found={"@a1": 3})

    def test_what_was_whispered_to_another_alice_before_this_one_came(self) -> None:
        gone = self.stands(2, "whisper", "bob", "b2", "alice", time=CAME - 1)
        self.stands(2, "whisper", "bob", "b2", "alice", time=CAME)
        self.go((2, gone), found={})

    def test_what_somebody_whispered_themselves_is_theirs_whatever_the_clock_said(self) -> None:
        self.stands(2, "whisper", "alice", "a1", "bob", time=CAME - 1)
        self.go(found={})

    def test_what_was_whispered_to_who_had_their_name_before_they_took_it(self) -> None:
        gone = self.stands(2, "whisper", "bob", "b2", "alice", time=CAME + 5)
        self.stands(1, "rename", "al", "a1", "alice", time=CAME + 9)
        self.stands(2, "whisper", "bob", "b2", "alice", time=CAME + 10)
        self.stands(2, "whisper", "bob", "b2", "al", time=CAME + 6)
        self.go((2, gone), found={})

    def test_what_was_whispered_to_who_they_were_called_before_is_theirs(self) -> None:
        self.stands(1, "rename", "al", "a1", "ally")
        self.stands(1, "rename", "ally", "a1", "alice")
        self.stands(1, "rename", "zed", "z9", "zoe")
        self.stands(2, "whisper", "bob", "b2", "al")
        self.stands(2, "whisper", "bob", "b2", "ally")
        gone = self.stands(2, "whisper", "bob", "b2", "zed")
        self.go((2, gone), found={"@a1": 1})

    def test_the_log_of_somebody_who_cannot_come_back_goes_with_its_rows(self) -> None:
        self.has_log(3, "@z9")
        self.assertEqual(strays.abandoned(self.database), 0)
        gone = [(3, self.stands(3, "whisper", "bob", "b2", "zed")) for _ in range(2)]
        for log in (1, 3):
            self.database.execute("INSERT INTO state VALUES (?, 'topic', '\"tea\"')", (log,))
        self.stands(2, "whisper", "bob", "b2", "alice")
        self.assertEqual(strays.abandoned(self.database), 2)
        self.go(*gone, found={})
        self.assertEqual(strays.abandoned(self.database), 0)
        self.assertEqual(self.names(), {"#lobby", "@a1"})
        self.assertEqual(self.database.execute("SELECT log FROM state").fetchall(), [(1,)])

    def names(self) -> set[str]:
        """The logs that there are."""
        rows: Iterable[tuple[str]] = self.database.execute("SELECT name FROM logs")
        return {name for (name,) in rows}

    def test_finding_changes_nothing(self) -> None:
        self.stands(1, "whisper", "bob", "b2", "zed")
        self.stands(5, "whisper", "bob", "b2", "zed")
        self.database.execute("PRAGMA query_only = ON")
        strays.find(self.database)
        strays.abandoned(self.database)
        self.assertRaises(sqlite3.OperationalError, strays.delete, self.database)
