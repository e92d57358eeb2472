"""What an operator does with the database."""

import contextlib
import io
import sqlite3
from pathlib import Path

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.test_sqlite_store import Run
from twisted_chat.archive import run


class ArchiveTests(SynchronousTestCase):
    def setUp(self) -> None:
        """Alice and bob have talked, and the server has stopped."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.database = self.folder / "chat.sqlite"
        clock = Clock()
        clock.advance(1_790_000_000)
        self.server = Run(self.database, clock)
        self.server.hears("alice", "hello", "/topic tea", "/join dev", "in dev")
        self.server.hears("bob", "hi", "/whisper alice secret")

    def archive(self, *arguments: str, status: int = 0) -> tuple[bytes, str]:
        """What the command writes and says."""
        output, errors = io.TextIOWrapper(io.BytesIO()), io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
            self.assertEqual(run(["--db", str(self.database), *arguments]), status)
        output.flush()
        buffer = output.buffer
        assert isinstance(buffer, io.BytesIO)
        return buffer.getvalue(), errors.getvalue()

    def test_what_is_exported_can_be_imported(self) -> None:
        self.server.ends()
        exported, told = self.archive("export")
        self.assertEqual(told, "4 events\n")
        self.assertNotIn(b"secret", exported)
        file = self.folder / "chat.ndjson"
        file.write_bytes(exported)
        self.database = self.folder / "new.sqlite"
        self.archive("import", str(file))
        self.assertEqual(self.archive("export")[0], exported)
        self.assertIn("exist", self.archive("backup", str(file), status=1)[1])
        self.assertIn("has events already", self.archive("import", str(file), status=1)[1])

    def test_one_room_is_exported_alone(self) -> None:
        self.server.ends()
        exported, _ = self.archive("export", "dev")
        self.assertEqual(exported.count(b"\n"), 1)
        self.assertIn(b"in dev", exported)

    def test_a_backup_is_made_while_the_server_runs(self) -> None:
        copy = self.folder / "copy.sqlite"
        self.archive("backup", str(copy))
        self.server.ends()
        self.database = copy
        self.assertIn("is sound: 6 events in 4 logs", self.archive("check")[1])

    def test_a_hole_is_found(self) -> None:
        self.server.ends()
        database = sqlite3.connect(self.database)
        database.execute("DELETE FROM events WHERE id = 2 AND text = 'tea'")
        database.commit()
        database.close()
        self.assertIn("events are missing in #lobby", self.archive("check", status=1)[1])

    def test_what_one_person_wrote_is_erased_and_the_numbers_stay(self) -> None:
        self.assertIn("another twisted-chat uses", self.archive("erase", "alice", status=1)[1])
        self.server.ends()
        self.assertIn("3 lines of ALICE erased", self.archive("erase", "ALICE")[1])
        exported, _ = self.archive("export")
        self.assertNotIn(b"hello", exported)
        self.assertNotIn(b"tea", exported)
        self.assertIn(b"hi", exported)
        self.archive("check")
        self.assertNotIn(b"in dev", self.database.read_bytes())

    def test_what_is_not_there_is_said_in_a_line(self) -> None:
        self.server.ends()
        self.database = self.folder / "nowhere.sqlite"
        self.assertIn("there is no database", self.archive("check", status=1)[1])
