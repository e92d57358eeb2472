"""What an operator does with a database in PostgreSQL is what they do with a file."""

import contextlib
import io
import json
import secrets
from pathlib import Path

from tests.postgres import engine, why_not
from tests.sharing import SharingTestCase
from tests.test_copying import in_file
from twisted_chat import Limits
from twisted_chat.service.archive import run

if not why_not():
    from tests.people import at_once
    from twisted_chat.service import postgres_database
    from twisted_chat.stores.postgres.store import PostgresStore
    from twisted_chat.turn import Turn


class ArchiveInPostgresTests(SharingTestCase):
    """The same chat in a file and in PostgreSQL."""

    keep = None
    limits = Limits(pace=None)
    skip = why_not() or None

    def setUp(self) -> None:
        """People have talked and sent files, and the server has stopped."""
        super().setUp()
        alice, bob = self.joins("alice"), self.joins("bob", "192.0.2.7")
        alice.types("/register correct horse", "/topic oolong", "/join dev", "in dev", "/away ill")
        bob.types("hello", "/whisper alice secret", "/topic green")
        self.sends(bob, "secret.txt", b"hello")
        self.sends(bob, "same.txt", b"same")
        self.sends(alice, "mine.txt", b"same")
        program = self.program("carol")
        program.asks(do="say", text="as a program", ref="r")
        program.asks(do="command", text="/away at the dentist")
        self.stops()
        self.url = engine().new()
        self.archive("--db", str(self.path), "copy", self.url)

    def archive(self, *arguments: str, status: int = 0) -> tuple[str, str]:
        """What the command writes and says."""
        output, errors = io.TextIOWrapper(io.BytesIO()), io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
            self.assertEqual(run(arguments), status, errors.getvalue())
        output.flush()
        buffer = output.buffer
        assert isinstance(buffer, io.BytesIO)
        return buffer.getvalue().decode(), errors.getvalue()

    def both(self, *arguments: str) -> None:
        """A command says the same of both."""
        of_file = self.archive("--db", str(self.path), *arguments)
        written, told = self.archive("--db", self.url, *arguments)
        told = told.replace(f"the database postgres at {engine().folder}", str(self.path))
        told = told.replace("in the database", f"in {self.folder}")
        self.assertEqual((written, told), of_file)

    def assert_equal(self) -> None:
        """The same stands in both."""
        back = self.path.with_name("back.sqlite")
        self.archive("--db", self.url, "copy", str(back))
        self.assertEqual(in_file(str(back)), in_file(str(self.path)))
        folder = back.with_suffix(".files")
        there = sorted(each.name for each in folder.iterdir()) if folder.exists() else []
        self.assertEqual(there, self.on_disk())
        with engine().connect(self.url) as look:
            chunks = look.execute("SELECT DISTINCT key FROM chunks ORDER BY key").fetchall()
        self.assertEqual([key for (key,) in chunks], self.on_disk())

    def test_everything_is_exported(self) -> None:
        self.both("export")
        self.both("export", "dev")

    def test_a_room_that_there_is_not_is_said(self) -> None:
        told = self.archive("--db", self.url, "export", "nope", status=1)[1]
        self.assertIn(f"at {engine().folder} has no room #nope", told)

    def test_what_is_exported_is_the_same_after_the_way_there_and_back(self) -> None:
        exported, _ = self.archive("--db", str(self.path), "export")
        file = self.path.with_name("chat.ndjson")
        file.write_text(exported)
        places = engine().new(), str(self.path.with_name("new.sqlite"))
        for place in places:
            self.assertEqual(
                self.archive("--db", place, "import", str(file))[1], "9 events in 2 rooms\n"
            )
            again, _ = self.archive("--db", place, "export")
            self.assertEqual(again, exported)
            file.write_text(again)
        back = self.path.with_name("back.sqlite")
        self.archive("--db", places[0], "copy", str(back))
        expected, found = in_file(places[1]), in_file(str(back))
        for table in ("logs", "events", "state", "seats", "accounts"):
            self.assertEqual(found[table], expected[table])

    def test_what_is_said_after_an_import_has_the_next_number(self) -> None:
        exported, _ = self.archive("--db", self.url, "export", "dev")
        file, url = self.path.with_name("chat.ndjson"), engine().new()
        file.write_text(exported)
        self.archive("--db", url, "import", str(file))
        store = PostgresStore(url, Turn(), at_once, at_once, at_once, self.clock)
        self.addCleanup(store.stop)
        known = self.successResultOf(store._history.find("#dev"))
        assert known is not None
        self.assertEqual(known[0].last, json.loads(exported.splitlines()[-1])["id"])

    def test_a_strange_import_harms_nobody(self) -> None:
        exported, _ = self.archive("--db", self.url, "export")
        things = [json.loads(line) for line in exported.splitlines()]
        files = [thing for thing in things if thing["event"] == "file"]
        files[0]["digest"] = "../" + secrets.token_hex(10_000)
        files[1]["until"] = "2200-01-01T00:00:00Z"
        files[2]["owner"] = {}
        file, url = self.path.with_name("chat.ndjson"), engine().new()
        file.write_text("".join(json.dumps(thing) + "\n" for thing in things))
        self.archive("--db", url, "import", str(file))
        told = self.archive("--db", url, "check", status=1)[1]
        self.assertIn("the contents of files are missing in the database: mine.txt", told)

    def test_a_line_that_cannot_be_imported_is_named_and_nothing_is_imported(self) -> None:
        exported, _ = self.archive("--db", self.url, "export")
        file, url = self.path.with_name("chat.ndjson"), engine().new()
        file.write_text(exported + "[]\n")
        told = self.archive("--db", url, "import", str(file), status=1)[1]
        self.assertIn("chat.ndjson:10: this is not a JSON object; nothing is imported", told)
        self.assertEqual(self.archive("--db", url, "export")[1], "0 events\n")
        file.write_text(exported)
        told = self.archive("--db", self.url, "import", str(file), status=1)[1]
        self.assertIn("chat.ndjson:1: #lobby has events already", told)

    def test_what_is_sound_is_said_to_be(self) -> None:
        self.both("check")

    def test_what_is_wrong_is_found(self) -> None:
        for change, told in (
            ("UPDATE logs SET last = 1 WHERE name = '#lobby'", "#lobby would give a number twice"),
            ("DELETE FROM chunks WHERE data = 'hello'", "the contents of files are missing in"),
            ("UPDATE events SET kind = 'whisper' WHERE text = 'hello'", "wrong place (1 in #lobby"),
            ("DELETE FROM events WHERE text = 'hello'", "events are missing in #lobby"),
            ("UPDATE server SET version = 99", "which is newer than this program's"),
        ):
            with engine().connect(self.url) as look:
                (last,) = look.execute("SELECT last FROM logs WHERE name = '#lobby'").fetchall()[0]
                look.execute(change.encode())
            self.assertIn(told, self.archive("--db", self.url, "check", status=1)[1])
            with engine().connect(self.url) as look:
                look.execute("UPDATE logs SET last = %s WHERE name = '#lobby'", (last,))

    def test_what_one_person_wrote_and_sent_is_erased(self) -> None:
        for nickname in ("Bob", "carol", "ALICE", "nobody"):
            self.both("erase", nickname)
            self.assert_equal_and_away()
        self.both("check")

    def assert_equal_and_away(self) -> None:
        self.assert_equal()
        self.path.with_name("back.sqlite").unlink()
        for each in self.path.with_name("back.files").glob("*"):
            each.unlink()

    def test_nothing_of_it_is_left_on_the_disk(self) -> None:
        self.assertIn(b"oolong", self.on_its_disk("events"))
        self.archive("--db", self.url, "erase", "alice")
        self.assertNotIn(b"oolong", self.on_its_disk("events"))

    def on_its_disk(self, table: str) -> bytes:
        """The file in which the database keeps a table."""
        with engine().connect(self.url) as look:
            look.execute("CHECKPOINT")
            ((path,),) = look.execute(f"SELECT pg_relation_filepath('{table}')".encode()).fetchall()
        return Path(engine().folder, "data", path).read_bytes()

    def test_who_erases_while_somebody_reads_is_told_that_the_files_still_hold_it(self) -> None:
        self.patch(postgres_database, "PATIENCE", 0.1)
        with engine().connect(self.url) as reader, reader.transaction():
            reader.execute("SELECT count(*) FROM events")
            told = self.archive("--db", self.url, "erase", "alice", status=1)[1]
        self.assertIn("all of it is erased, but another program reads the database", told)
        self.assertIn(
            "0 lines of alice erased", self.archive("--db", self.url, "erase", "alice")[1]
        )

    def test_beside_a_server_it_can_be_looked_at_and_not_changed(self) -> None:
        store = PostgresStore(self.url, Turn(), at_once, at_once, at_once, self.clock)
        self.addCleanup(store.stop)
        file = self.path.with_name("chat.ndjson")
        file.write_text("")
        for arguments in (("erase", "alice"), ("import", str(file)), ("copy", str(file) + "x")):
            told = self.archive("--db", self.url, *arguments, status=1)[1]
            self.assertIn("a twisted-chat uses the database postgres", told)
            self.assertEqual(told.count("\n"), 1)
        self.archive("--db", self.url, "export")
        self.archive("--db", self.url, "check")

    def test_where_there_is_no_chat_that_is_said(self) -> None:
        url = engine().new()
        for arguments in (("export",), ("check",), ("erase", "alice"), ("copy", "x.sqlite")):
            told = self.archive("--db", url, *arguments, status=1)[1]
            self.assertRegex(told, "the database postgres at .* has no chat: say where it is with")

    def test_a_backup_is_postgresqls_own(self) -> None:
        told = self.archive("--db", self.url, "backup", "copy.sqlite", status=1)[1]
        self.assertIn("pg_dump", told)
