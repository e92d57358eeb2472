"""A whole database is copied into another one, and people go on as after a restart."""

import contextlib
import io
import json
import sqlite3
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from tests.people import NOW, at_once, cheap_accounts
from tests.postgres import engine, why_not
from tests.sharing import SharingTestCase
from twisted_chat import ChatFactory, Limits
from twisted_chat.chat.chat import Chat
from twisted_chat.service.archive import run
from twisted_chat.stores import Store
from twisted_chat.stores.contents import Contents
from twisted_chat.stores.folder import FolderContents
from twisted_chat.stores.sqlite.store import SqliteStore
from twisted_chat.turn import Turn
from twisted_chat.wire.structured import decode, encode

if not why_not():
    from twisted_chat.stores.postgres.contents import DatabaseContents
    from twisted_chat.stores.postgres.sharers import DatabaseSharers
    from twisted_chat.stores.postgres.steady import SteadyConnection
    from twisted_chat.stores.postgres.store import PostgresStore


KEPT = ("server", "sqlite_sequence", "logs", "events", "state", "seats", "accounts")


def in_file(path: str) -> dict[str, Any]:
    """Everything that stands in a database, by table."""
    with contextlib.closing(sqlite3.connect(path)) as database:
        found = {name: database.execute(f"SELECT * FROM {name}").fetchall() for name in KEPT}
    found["state"] = [(log, name, json.loads(value)) for log, name, value in found["state"]]
    return {name: sorted(rows, key=repr) for name, rows in found.items()}


class _CopyingTestCase(SynchronousTestCase):
    def copies(self, *words: str, status: int = 0) -> str:
        """Run `twisted-chat-archive`; gives what it says."""
        errors = io.StringIO()
        with contextlib.redirect_stderr(errors):
            self.assertEqual(run(words), status, errors.getvalue())
        return errors.getvalue()


class CopyingTests(_CopyingTestCase):
    skip = why_not() or None

    def setUp(self) -> None:
        """Alice, who has an account, has talked with bob, and the server has stopped."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.file, self.url = str(self.folder / "chat.sqlite"), engine().new()
        self.clock = Clock()
        self.clock.advance(NOW)
        self.start(self.file)
        alice = self.program(nick="alice")
        alice.does("/register correct horse", "/topic tea", "/join dev", "in dev")
        self.token = alice.gets("welcome")[0]["session"]
        self.program(nick="bob").does("hello", "/whisper alice secret")
        self.stop()

    def start(self, place: str) -> None:
        turn = Turn()
        if place.startswith("postgresql"):
            self.store: Any = PostgresStore(place, turn, at_once, at_once, at_once, self.clock)
        else:
            self.store = SqliteStore(Path(place), turn, at_once, at_once, at_once)
        accounts = cheap_accounts(self.clock, self.store, Limits())
        chat = Chat(self.clock, self.store, turn, accounts=accounts)
        self.factory = ChatFactory(self.clock, chat=chat)

    def stop(self) -> None:
        self.factory.say_goodbye()
        self.successResultOf(self.store.stop())

    def program(self, **hello: Any) -> "Program":
        return Program(self.factory, **hello)

    def assert_all_is_there(self) -> None:
        seen = {"#lobby": 0, "#dev": 0, "@": 0}
        alice = self.program(nick="alice", session=self.token, seen=seen)
        welcome = alice.gets("welcome")[0]
        self.assertTrue(welcome["resumed"])
        self.assertEqual((welcome["session"], welcome["account"]), (self.token, "alice"))
        told = {(each["room"], each["id"], each["text"]) for each in alice.gets("message")}
        self.assertEqual(told, {("#lobby", 2, "hello"), ("#dev", 2, "in dev")})
        self.assertEqual([each["text"] for each in alice.gets("whisper")], ["secret"])
        (lobby,) = [each for each in alice.gets("state") if each["room"] == "#lobby"]
        self.assertEqual(lobby["topic"], "tea")
        alice.says("#dev", "again")
        self.assertEqual(alice.gets("message")[-1]["id"], 3)

    def test_from_a_file_to_postgresql_and_back(self) -> None:
        told = self.copies("--db", self.file, "copy", self.url)
        self.assertEqual(told, "copied 6 events, 4 logs, 1 account, 2 sessions\n")
        back = str(self.folder / "back.sqlite")
        self.copies("--db", self.url, "copy", back)
        self.assertEqual(in_file(back), in_file(self.file))
        for place in (self.url, back):
            self.start(place)
            self.assert_all_is_there()
            self.stop()

    def test_not_into_one_that_has_something_in_it(self) -> None:
        self.copies("--db", self.file, "copy", self.url)
        for source, target in ((self.file, self.url), (self.url, self.file)):
            told = self.copies("--db", source, "copy", target, status=1)
            self.assertIn("there is something in the other database", told)

    def test_not_while_a_server_uses_it(self) -> None:
        self.start(self.url)
        told = self.copies("--db", self.file, "copy", self.url, status=1)
        self.assertIn("a twisted-chat uses the database", told)
        self.stop()

    def test_nothing_is_made_of_nothing(self) -> None:
        target = self.folder / "new.sqlite"
        told = self.copies("--db", engine().new(), "copy", str(target), status=1)
        self.assertIn("has no chat", told)
        told = self.copies("--db", str(self.folder / "none"), "copy", str(target), status=1)
        self.assertIn("there is no database", told)
        self.assertFalse(target.exists())


class CopyingFilesTests(_CopyingTestCase, SharingTestCase):
    keep = None
    skip = why_not() or None

    def opens(self, turn: Turn) -> Store:
        """In a file at first, and in PostgreSQL after that."""
        if not self.url:
            return super().opens(turn)
        return PostgresStore(self.url, turn, at_once, at_once, at_once, self.clock)

    def opens_contents(self) -> Contents:
        """In a folder at first, and in PostgreSQL after that, unless the operator says so."""
        if not self.url:
            return super().opens_contents()
        database = SteadyConnection(self.url, at_once, self.clock)
        self.addCleanup(lambda: database._connection.close())
        sharers = DatabaseSharers(database, self.store.nodes.number, self.clock.seconds)
        if self.is_folder_named:
            return FolderContents(self.folder, database.do, sharers)
        return DatabaseContents(database, self.store.nodes.number, self.clock.seconds)

    def setUp(self) -> None:
        """Bob has sent two files."""
        self.url, self.is_folder_named = "", False
        super().setUp()
        bob = self.joins("bob")
        self.paths = [self.sends(bob, name, name.encode()) for name in ("a.txt", "b.txt")]
        self.large = self.sends(bob, "large", LARGE)
        self.stops()

    def assert_all_can_be_had(self) -> None:
        """A server with the database has what bob has sent."""
        self.starts()
        self.assertEqual([self.gets(path)[2] for path in self.paths], [b"a.txt", b"b.txt"])
        self.assertEqual(self.gets(self.large)[2], LARGE)
        self.stops()

    def test_what_people_sent_goes_along_to_postgresql_and_back(self) -> None:
        url, back = engine().new(), self.path.with_name("back.sqlite")
        told = self.copies("--db", str(self.path), "copy", url)
        self.assertIn("; the contents of 3 files are in the database\n", told)
        self.folder = self.folder.rename(self.folder.with_name("away"))
        self.url = url
        self.assert_all_can_be_had()
        told = self.copies("--db", url, "copy", str(back))
        folder = back.with_suffix(".files")
        self.assertIn(f"; the contents of 3 files are in {folder}\n", told)
        self.assertEqual(contents_in(folder), contents_in(self.folder))
        for each in folder.iterdir():
            self.assertEqual(each.stat().st_mode & 0o777, 0o600)
        self.url, self.path, self.folder = "", back, folder
        self.assert_all_can_be_had()

    def test_it_stays_in_a_folder_that_is_named(self) -> None:
        url = engine().new()
        told = self.copies("--files", str(self.folder), "--db", str(self.path), "copy", url)
        stay = f"the contents of 3 files stay in {self.folder}: start the server with --files"
        self.assertIn(stay, told)
        self.url, self.is_folder_named = url, True
        self.assert_all_can_be_had()
        self.assertEqual(len(self.on_disk()), 3)

    def test_from_one_postgresql_to_another(self) -> None:
        urls = [engine().new(), engine().new()]
        self.copies("--db", str(self.path), "copy", urls[0])
        self.copies("--db", urls[0], "copy", urls[1])
        self.url = urls[1]
        self.assert_all_can_be_had()

    def test_nothing_is_copied_if_the_contents_cannot_be(self) -> None:
        url, back = engine().new(), self.path.with_name("back.sqlite")
        self.copies("--db", str(self.path), "copy", url)
        back.with_suffix(".files").write_text("in the way")
        told = self.copies("--db", url, "copy", str(back), status=1)
        self.assertIn("back.files", told)
        self.assertFalse(back.exists())


LARGE = b"0123456789" * 60_000


def contents_in(folder: Path) -> dict[str, bytes]:
    """The contents in a folder."""
    return {each.name: each.read_bytes() for each in folder.glob("?" * 64)}


class Program:
    """A program that has said hello."""

    def __init__(self, factory: ChatFactory, **hello: Any) -> None:
        self._protocol, self._transport = factory.buildProtocol(None), StringTransport()
        self._protocol.makeConnection(self._transport)
        self._ask(do="hello", **hello)

    def _ask(self, **thing: Any) -> None:
        self._protocol.dataReceived(encode(thing))

    def does(self, *lines: str) -> None:
        for line in lines:
            if line.startswith("/"):
                self._ask(do="command", text=line)
            else:
                self.says("#dev" if "dev" in line else "#lobby", line)

    def says(self, room: str, text: str) -> None:
        self._ask(do="say", room=room, text=text)

    def gets(self, kind: str) -> list[dict[str, Any]]:
        lines = self._transport.value().splitlines()
        things = [decode(line) for line in lines if line.startswith(b"{")]
        return [thing for thing in things if thing["event"] == kind]
