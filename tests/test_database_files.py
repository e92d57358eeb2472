"""The files of a database: who may read them, who holds them, and what a look leaves as it is."""

import fcntl
import os
import sqlite3
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock
from twisted.python import usage
from twisted.trial.unittest import SynchronousTestCase

from tests.test_sqlite_store import Run
from twisted_chat.service.options import Options
from twisted_chat.stores.sqlite.lock import Lock
from twisted_chat.stores.sqlite.schema import open_to_read
from twisted_chat.stores.unusable import Unusable


class FilesTestCase(SynchronousTestCase):
    """A folder in which a server keeps its database."""

    def setUp(self) -> None:
        """There is nothing in it yet."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.database = self.folder / "chat.sqlite"

    def run_server(self) -> Run:
        """A server that runs."""
        run = Run(self.database, Clock())
        self.addCleanup(run.ends)
        return run

    def chat_a_little(self) -> None:
        """A server ran here, and has stopped."""
        run = Run(self.database, Clock())
        run.hears("alice", "hello")
        run.ends()

    def crash(self) -> None:
        """A server ran here, and was killed."""
        run = Run(self.database, Clock())
        run.hears("alice", "hello")
        files = {path: path.read_bytes() for path in self.folder.iterdir()}
        run.ends()
        for path, content in files.items():
            path.write_bytes(content)

    def is_as(self) -> dict[str, tuple[bytes, int, int]]:
        """Every file: what is in it, when that was written, and who may read it."""
        return {
            path.name: (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_mode)
            for path in self.folder.iterdir()
        }

    def modes(self) -> dict[str, int]:
        """Who may read and write each file."""
        return {path.name: path.stat().st_mode & 0o777 for path in self.folder.iterdir()}


PRIVATE = dict.fromkeys(
    ("chat.sqlite", "chat.sqlite-wal", "chat.sqlite-shm", "chat.sqlite.lock"), 0o600
)


class ModeTests(FilesTestCase):
    def setUp(self) -> None:
        """Whoever makes a file here lets everybody read it, if they do not say otherwise."""
        super().setUp()
        self.addCleanup(os.umask, os.umask(0))
        self.seen: list[int] = []
        connect = sqlite3.connect

        def watched(path: Any, *arguments: Any, **keywords: Any) -> sqlite3.Connection:
            self.seen += self.modes().values()
            connection: sqlite3.Connection = connect(path, *arguments, **keywords)
            return connection

        self.patch(sqlite3, "connect", watched)

    def test_only_their_owner_may_read_the_files(self) -> None:
        self.run_server().hears("alice", "hello")
        self.assertEqual(self.modes(), PRIVATE)
        self.assertEqual(set(self.seen), {0o600})  # from before there is anything in them

    def test_a_mask_that_takes_everything_away_takes_nothing_from_the_owner(self) -> None:
        os.umask(0o777)
        self.run_server().hears("alice", "hello")
        self.assertEqual(self.modes(), PRIVATE)

    def test_files_that_others_could_read_are_theirs_no_more_before_anything_is_written(
        self,
    ) -> None:
        self.crash()
        for path in self.folder.iterdir():
            path.chmod(0o644)
        self.assertEqual(len(self.modes()), 4)
        self.seen.clear()
        self.run_server().hears("bob", "hello")
        self.assertEqual(self.modes(), PRIVATE)
        self.assertEqual(set(self.seen), {0o600})

    def test_a_link_to_the_database_is_the_database(self) -> None:
        self.crash()
        self.database.chmod(0o644)
        (self.folder / "chat.sqlite-wal").chmod(0o644)
        link = self.folder / "link"
        link.symlink_to(self.database.name)
        run = Run(link, Clock())
        self.addCleanup(run.ends)
        self.assertEqual(self.modes() | PRIVATE, self.modes())
        self.assertRaises(Unusable, Run, self.database, Clock())

    def test_a_folder_that_is_no_database_stays_as_it_is(self) -> None:
        folder = self.folder / "folder"
        folder.mkdir(0o755)
        self.assertRaises(Unusable, Run, folder, Clock())
        self.assertEqual(folder.stat().st_mode & 0o777, 0o755)


class LockTests(FilesTestCase):
    def test_nothing_is_left_of_it(self) -> None:
        with Lock(self.database):
            self.assertEqual(self.modes(), {"chat.sqlite.lock": 0o600})
        self.assertEqual(self.modes(), {})

    def test_what_is_let_go_twice_is_let_go(self) -> None:
        lock = Lock(self.database)
        lock.close()
        with Lock(self.database):
            lock.close()
            self.assertRaises(Unusable, Lock, self.database)

    def test_one_that_was_left_by_a_crash_is_nobodys(self) -> None:
        (self.folder / "chat.sqlite.lock").write_bytes(b"")
        with Lock(self.database):
            self.assertRaises(Unusable, Lock, self.database)

    def test_who_waited_for_one_that_is_gone_takes_another(self) -> None:
        first, flock = Lock(self.database), fcntl.flock

        def let_go_first(file: int, how: int) -> None:
            self.patch(fcntl, "flock", flock)
            first.close()  # after it was opened, and before it is held
            flock(file, how)

        self.patch(fcntl, "flock", let_go_first)
        with Lock(self.database):
            self.assertRaises(Unusable, Lock, self.database)


class LookingTests(FilesTestCase):
    """What only looks at a database changes nothing, whether or not a server runs."""

    def look(self) -> None:
        """Try the options, and read."""
        before = self.is_as()
        Options().parseOptions(["--db", str(self.database)])
        open_to_read(self.database).close()
        self.assertEqual(self.is_as(), before)

    def test_of_a_server_that_has_stopped(self) -> None:
        self.chat_a_little()
        self.look()
        self.assertEqual(list(self.modes()), ["chat.sqlite"])

    def test_of_a_server_that_runs(self) -> None:
        self.run_server().hears("alice", "hello")
        before = {name: content for name, content in self.is_as().items() if "-shm" not in name}
        Options().parseOptions(["--db", str(self.database)])
        open_to_read(self.database).close()
        after = self.is_as()
        self.assertEqual(after.keys(), PRIVATE.keys())
        self.assertEqual({name: after[name] for name in before}, before)

    def test_of_a_server_that_was_killed(self) -> None:
        self.crash()
        before = self.is_as()["chat.sqlite-wal"], self.is_as()["chat.sqlite"]
        Options().parseOptions(["--db", str(self.database)])
        database = open_to_read(self.database)
        said = database.execute("SELECT text FROM events").fetchall()
        database.close()
        self.assertEqual(said, [("hello",)])
        self.assertEqual((self.is_as()["chat.sqlite-wal"], self.is_as()["chat.sqlite"]), before)

    def test_of_an_older_version_which_stays_as_it_is(self) -> None:
        database = sqlite3.connect(self.database)
        database.execute("CREATE TABLE before (x)")
        database.close()
        before = self.is_as()
        Options().parseOptions(["--db", str(self.database)])
        open_to_read(self.database, oldest=0).close()
        error = self.assertRaises(Unusable, open_to_read, self.database)
        self.assertIn("is of version 0, which is older than this program's", str(error))
        self.assertEqual(self.is_as(), before)

    def test_of_one_that_is_damaged_or_newer(self) -> None:
        self.chat_a_little()
        database = sqlite3.connect(self.database)
        database.execute("PRAGMA user_version = 99")
        database.close()
        for told in ("newer than this program's", "is damaged"):
            before = self.is_as()
            for look in (
                lambda: open_to_read(self.database),
                lambda: Options().parseOptions(["--db", str(self.database)]),
            ):
                error = self.assertRaises((Unusable, usage.UsageError), look)
                self.assertIn(told, str(error))
            self.assertEqual(self.is_as(), before)
            self.database.write_bytes(b"this is no database" * 100)

    def test_of_one_of_which_a_page_is_damaged(self) -> None:
        self.chat_a_little()
        content = bytearray(self.database.read_bytes())
        content[4096:8192] = bytes(4096)
        self.database.write_bytes(content)
        before = self.is_as()
        error = self.assertRaises(Unusable, open_to_read, self.database)
        self.assertIn("is damaged", str(error))
        self.assertEqual(self.is_as(), before)

    def test_of_one_with_an_odd_name(self) -> None:
        self.database = self.folder / "a #1?mode=memory%20&x.sqlite"
        self.chat_a_little()
        self.look()
