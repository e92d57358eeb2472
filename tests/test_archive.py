"""What an operator does with the database."""

import contextlib
import io
import json
import os
import resource
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.test_sqlite_store import Run
from twisted_chat.events import Message
from twisted_chat.events.codec import Kept, Kind
from twisted_chat.service import erasing
from twisted_chat.service.archive import run
from twisted_chat.wire.structured import encode


def event(room: str, number: int) -> bytes:
    """Something that was said in a room, as a line of an export."""
    thing = {"event": "message", "id": number, "time": "2026-11-20T12:35:02Z", "room": room}
    return encode(thing | {"from": "eve", "text": "hi"})


class ArchiveTests(SynchronousTestCase):
    def setUp(self) -> None:
        """Alice and bob have talked, and the server has stopped."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.database = self.folder / "chat.sqlite"
        clock = Clock()
        clock.advance(1_790_000_000.123456)
        self.server = Run(self.database, clock)
        self.server.hears("alice", "hello", "/topic oolong", "/join dev", "in dev")
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
        told = self.archive("import", str(file), status=1)[1]
        self.assertIn("chat.ndjson:1: #lobby has events already", told)

    def test_what_is_exported_has_exact_times_and_no_request(self) -> None:
        self.server.program(nick="bot")
        protocol, _ = self.server.connects()
        protocol.dataReceived(encode({"do": "hello", "nick": "ci"}))
        protocol.dataReceived(encode({"do": "say", "text": "built", "ref": "c-17"}))
        self.server.ends()
        events = [json.loads(line) for line in self.archive("export")[0].splitlines()]
        self.assertEqual({event["time"] for event in events}, {"2026-09-21T14:13:20.123456Z"})
        self.assertIn("built", [event.get("text") for event in events])
        self.assertEqual({"event", "id", "time", "room", "from", "text"}, set().union(*events))

    def test_a_whisper_that_stands_in_a_room_is_not_exported(self) -> None:
        self.server.ends()
        with contextlib.closing(sqlite3.connect(self.database)) as database:
            (lobby,) = database.execute("SELECT log FROM logs WHERE name = '#lobby'").fetchone()
            moved = database.execute(
                "UPDATE events SET log = ?, id = 9 WHERE (log, id) ="
                " (SELECT log, id FROM events WHERE kind = 'whisper' LIMIT 1)",
                (lobby,),
            )
            database.commit()
        self.assertEqual(moved.rowcount, 1)
        self.assertNotIn(b"secret", self.archive("export")[0])
        self.assertIn("wrong place (1 in #lobby)", self.archive("check", status=1)[1])

    def test_one_room_is_exported_alone(self) -> None:
        self.server.ends()
        exported, _ = self.archive("export", "dev")
        self.assertEqual(exported.count(b"\n"), 1)
        self.assertIn(b"in dev", exported)

    def test_a_room_that_there_is_not_is_said(self) -> None:
        self.server.ends()
        exported, told = self.archive("export", "dev", "#nope", status=1)
        self.assertEqual(exported, b"")
        self.assertEqual(told, f"twisted-chat-archive: {self.database} has no room #nope\n")

    def test_what_is_counted_is_one_line_or_more_lines(self) -> None:
        self.server.ends()
        self.assertEqual(self.archive("export", "dev")[1], "1 event\n")
        self.assertEqual(self.archive("export")[1], "4 events\n")

    def test_a_backup_is_made_while_the_server_runs(self) -> None:
        copy = self.folder / "copy.sqlite"
        self.archive("backup", str(copy))
        self.server.ends()
        self.database = copy
        self.assertIn("is sound: 6 events in 4 logs", self.archive("check")[1])
        self.assertIn("2 are private to people who can no longer resume", self.archive("check")[1])

    def test_a_backup_is_its_owners_alone_and_has_a_name_only_once_it_is_whole(self) -> None:
        self.addCleanup(os.umask, os.umask(0))
        copy = self.folder / "copy.sqlite"
        before = {path.name for path in self.folder.iterdir()}
        with self.little_room():
            told = self.archive("backup", str(copy), status=1)[1]
        self.assertRegex(told, r"^twisted-chat-archive: cannot copy to .*copy.sqlite: .*\n$")
        self.assertEqual({path.name for path in self.folder.iterdir()}, before)
        (self.folder / "copy.sqlite.part").write_bytes(b"of one that was killed")
        self.archive("backup", str(copy))
        self.assertEqual(copy.stat().st_mode & 0o777, 0o600)
        self.assertEqual({path.name for path in self.folder.iterdir()}, before | {copy.name})
        nowhere = str(self.folder / "nowhere" / "copy.sqlite")
        self.assertIn("No such file", self.archive("backup", nowhere, status=1)[1])

    @contextlib.contextmanager
    def little_room(self) -> Iterator[None]:
        """No file may be longer than two pages."""
        now, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, most))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (now, most))

    def test_a_database_of_an_older_version_is_copied_as_it_is_and_nothing_else(self) -> None:
        self.server.ends()
        with contextlib.closing(sqlite3.connect(self.database)) as database:
            database.execute("PRAGMA user_version = 0")
        before = self.database.read_bytes()
        for command in ("check", "export"):
            told = self.archive(command, status=1)[1]
            self.assertIn("start the server with it once, which brings it up to date", told)
        copy = self.folder / "copy.sqlite"
        self.archive("backup", str(copy))
        self.assertEqual(self.database.read_bytes(), before)
        with contextlib.closing(sqlite3.connect(copy)) as database:
            self.assertEqual(database.execute("PRAGMA user_version").fetchone(), (0,))
            self.assertEqual(database.execute("SELECT count(*) FROM events").fetchone(), (6,))

    def test_looking_leaves_no_files_behind(self) -> None:
        self.server.ends()
        before = {path.name: path.stat().st_mtime_ns for path in self.folder.iterdir()}
        self.archive("check")
        self.archive("export")
        self.assertEqual(
            {path.name: path.stat().st_mtime_ns for path in self.folder.iterdir()}, before
        )

    def test_a_hole_is_found(self) -> None:
        self.server.ends()
        database = sqlite3.connect(self.database)
        database.execute("DELETE FROM events WHERE id = 2 AND text = 'oolong'")
        database.commit()
        database.close()
        self.assertIn("events are missing in #lobby", self.archive("check", status=1)[1])

    def test_what_one_person_wrote_is_erased_and_the_numbers_stay(self) -> None:
        self.assertIn("another twisted-chat uses", self.archive("erase", "alice", status=1)[1])
        self.server.ends()
        self.assertIn("3 lines of ALICE erased", self.archive("erase", "ALICE")[1])
        exported, _ = self.archive("export")
        self.assertNotIn(b"hello", exported)
        self.assertNotIn(b"oolong", exported)
        self.assertIn(b"hi", exported)
        self.archive("check")
        self.assertNotIn(b"in dev", self.database.read_bytes())
        self.assertEqual(self.topics(), {"#lobby": "(erased)"})
        self.assertEqual(self.archive("erase", "ALICE")[1], "0 lines of ALICE erased\n")

    def test_who_erases_while_somebody_reads_is_told_that_the_files_still_hold_it(self) -> None:
        self.server.ends()
        with contextlib.closing(sqlite3.connect(self.database)) as reader:
            reader.execute("BEGIN")
            self.assertEqual(reader.execute("SELECT count(*) FROM events").fetchone(), (6,))
            told = self.archive("erase", "alice", status=1)[1]
            self.assertIn("another program reads", told)
        self.assertIn("0 lines of alice erased", self.archive("erase", "alice")[1])
        self.assertNotIn(b"oolong", self.database.read_bytes())

    def test_why_somebody_is_away_is_erased_too(self) -> None:
        for nickname, note in (("carol", "at the dentist"), ("dan", "out for lunch")):
            program, _ = self.server.connects()
            program.dataReceived(encode({"do": "hello", "nick": nickname}))
            program.dataReceived(encode({"do": "command", "text": f"/away {note}"}))
        self.server.ends()
        self.archive("erase", "Carol")
        self.assertEqual(self.away(), {"carol": "(erased)", "dan": "out for lunch"})
        self.assertNotIn(b"dentist", self.database.read_bytes())

    def away(self) -> dict[str, str]:
        """Why those who may resume are away."""
        with contextlib.closing(sqlite3.connect(self.database)) as database:
            return dict(database.execute("SELECT nickname, away FROM seats WHERE away NOT NULL"))

    def topics(self) -> dict[str, str]:
        """What rooms are about, where they are about anything."""
        with contextlib.closing(sqlite3.connect(self.database)) as database:
            query = "SELECT room, value FROM state JOIN logs USING (log) WHERE state.name = 'topic'"
            return {room: json.loads(value) for room, value in database.execute(query)}

    def test_a_topic_goes_too_if_nobody_knows_any_more_who_set_it(self) -> None:
        self.server.hears(
            "carol", "/join dev", "/topic oolong time", "/join away", "/topic -", "hi"
        )
        self.server.hears("dan", "/join dev", "/topic coffee", "enough")
        self.server.ends()
        self.forget("alice")
        told = self.archive("erase", "carol")[1]
        self.assertEqual(
            told,
            "2 lines of carol erased; also the topics of #lobby, since it is no longer recorded "
            "who set them\n",
        )
        self.assertEqual(self.topics(), {"#dev": "coffee"})
        self.assertNotIn(b"oolong", self.database.read_bytes())

    def test_a_topic_that_was_taken_away_is_not_given_back(self) -> None:
        self.server.hears("carol", "/join away", "/topic x", "/topic -")
        self.server.ends()
        self.archive("erase", "carol")
        self.assertNotIn("#away", self.topics())

    def forget(self, nickname: str) -> None:
        """What somebody said is older than what is kept."""
        with contextlib.closing(sqlite3.connect(self.database)) as database:
            database.execute("DELETE FROM events WHERE sender = ?", (nickname,))
            database.commit()

    def test_a_line_that_cannot_be_imported_is_named_and_nothing_is_imported(self) -> None:
        self.server.ends()
        before = self.archive("export")[0]
        for room, line, told in (
            ("#new", b"[]", ":2: this is not a JSON object; nothing is imported"),
            ("#new", event("#new", 1), ":2: the id 1 does not come after 1; nothing is imported"),
            ("#new", event("#NEW", 1), ":2: the id 1 does not come after 1; nothing is imported"),
            ("#new", event("#lobby", 1), ":2: #lobby has events already"),
            ("#dev", b"", ":1: #dev has events already"),
        ):
            self.cannot_import(event(room, 1) + line + b"\n", told)
        self.assertEqual(self.archive("export")[0], before)
        self.database = self.folder / "new.sqlite"
        self.cannot_import(
            event("#new", 1) + event("#new", -5), ":2: the id must be a whole number"
        )

    def cannot_import(self, content: bytes, told: str) -> None:
        """It is said why, and no file is there that was not there before."""
        file = self.folder / "in.ndjson"
        file.write_bytes(content)
        files = {path.name for path in self.folder.iterdir()}
        error = self.archive("import", str(file), status=1)[1]
        self.assertTrue(error.startswith(f"twisted-chat-archive: {file}{told}"), error)
        self.assertEqual(error.count("\n"), 1)
        self.assertEqual({path.name for path in self.folder.iterdir()}, files)

    def test_ids_may_begin_anywhere_and_rooms_may_be_mixed(self) -> None:
        self.server.ends()
        self.database = self.folder / "new.sqlite"
        file = self.folder / "in.ndjson"
        lines = [event("#one", 7), event("#two", 3), event("#one", 8), event("#two", 4)]
        file.write_bytes(b"".join(lines))
        self.assertEqual(self.archive("import", str(file))[1], "4 events in 2 rooms\n")
        exported = self.archive("export")[0].splitlines()
        ids = [(thing["room"], thing["id"]) for thing in map(json.loads, exported)]
        self.assertEqual(ids, [("#one", 7), ("#one", 8), ("#two", 3), ("#two", 4)])

    def test_a_topic_is_imported_and_an_empty_file_is_nothing(self) -> None:
        self.server.ends()
        file = self.folder / "in.ndjson"
        file.write_bytes(self.archive("export")[0])
        self.database = self.folder / "new.sqlite"
        self.archive("import", str(file))
        self.assertEqual(self.topics(), {"#lobby": "oolong"})
        file.write_bytes(b"")
        self.assertEqual(self.archive("import", str(file))[1], "0 events in 0 rooms\n")

    def test_a_file_that_cannot_be_read_is_said_and_leaves_nothing(self) -> None:
        self.server.ends()
        self.database = self.folder / "new.sqlite"
        for path, told in ((self.folder / "none", "No such file"), (self.folder, "Is a directory")):
            error = self.archive("import", str(path), status=1)[1]
            self.assertTrue(error.startswith(f"twisted-chat-archive: cannot read {path}: {told}"))
        self.assertEqual([path.name for path in self.folder.iterdir()], ["chat.sqlite"])

    def test_without_psycopg_one_is_told_what_to_install(self) -> None:
        self.server.ends()
        absent: Any = {"twisted_chat.service.postgres_database": None}
        self.enterContext(patch.dict(sys.modules, absent))
        for command in (["--db", "postgresql:///chat", "check"], ["copy", "postgresql:///chat"]):
            told = self.archive(*command, status=1)[1]
            self.assertIn("needs psycopg: pip install 'psycopg[binary]'", told)
            self.assertEqual(told.count("\n"), 1)

    def test_what_is_not_there_is_said_in_a_line(self) -> None:
        self.server.ends()
        self.database = self.folder / "nowhere.sqlite"
        for command in (["check"], ["export"], ["backup", "copy.sqlite"], ["erase", "alice"]):
            self.assertIn("there is no database", self.archive(*command, status=1)[1])
        self.assertEqual([path.name for path in self.folder.iterdir()], ["chat.sqlite"])


class ErasingTests(SynchronousTestCase):
    def erased(self, kind: str, **held: object) -> object:
        return json.loads(erasing.erased(kind, json.dumps(held)))

    def test_texts_inside_other_values_are_erased_too(self) -> None:
        values = ("texts", "count")
        self.patch(erasing, "NAMED", {"poll": Kind("poll", Message, Kept.IN_ROOMS, values=values)})
        erased = self.erased("poll", texts=[{"tea": "mine", "votes": 3}, ""], count=2)
        self.assertEqual(erased, {"texts": [{"tea": "(erased)", "votes": 3}, ""], "count": 2})

    def test_whose_hands_were_raised_is_nobodys_own_words(self) -> None:
        held = {"what": "raised", "people": ["ann"], "persons": ["a1"], "ends": []}
        self.assertEqual(self.erased("hands", **held), held)
