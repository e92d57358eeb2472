"""A PostgreSQL that cannot be used: one sentence says why, and what to do."""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import SkipTest
from unittest.mock import patch

from twisted.logger import capturedLogs
from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase

from tests.people import at_once
from tests.postgres import engine, why_not
from twisted_chat.service.options import Options
from twisted_chat.stores.unusable import Unusable

if not why_not():
    import psycopg
    from twisted.internet.task import Clock

    from tests.faulty import Network
    from twisted_chat.service.opening import changing
    from twisted_chat.stores.postgres import connection, schema
    from twisted_chat.stores.postgres import engine as writing_engine
    from twisted_chat.stores.postgres.connection import Away
    from twisted_chat.stores.postgres.engine import Engine, TakenOver
    from twisted_chat.stores.postgres.group import Group
    from twisted_chat.stores.postgres.store import PostgresStore
    from twisted_chat.stores.postgres.work import AccountWrite, Work
    from twisted_chat.turn import Turn


class FarOff:
    """A clock that is so many seconds ahead."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def time(self) -> float:
        """The time of day."""
        return time.time() + self._seconds


class UnusableTests(SynchronousTestCase):
    skip = why_not() or None

    def setUp(self) -> None:
        """An empty place for a chat."""
        self.url = engine().new()
        self.patch(writing_engine, "PATIENCE", 0.1)

    def does(self, *statements: str) -> None:
        with engine().connect(self.url) as look:
            for statement in statements:
                look.execute(statement.encode())

    def assert_unusable(
        self, url: str, *texts: str, use: Callable[[str], object] | None = None
    ) -> None:
        why = str(self.assertRaises(Unusable, use or Engine, url))
        for text in texts:
            self.assertIn(text, why)
        self.assertNotIn("\n", why)
        self.assertNotIn("secret", why)

    def test_the_password_is_wrong(self) -> None:
        self.does("DROP ROLE IF EXISTS guarded", "CREATE ROLE guarded LOGIN PASSWORD 'right'")
        url = self.url.replace("chat@", "guarded:secret@")
        self.assert_unusable(url, "the password is wrong or missing", "PGPASSWORD")
        self.assert_unusable(self.url.replace("chat@", "guarded@"), "the password is wrong")

    def test_it_is_not_there(self) -> None:
        url = "postgresql://chat:secret@127.0.0.1:1/chat"
        self.assert_unusable(url, "the database chat at 127.0.0.1", "Connection refused")
        self.assert_unusable("postgresql:///chat?host=/nowhere", "No such file or directory")
        self.assert_unusable(engine().url("none"), 'database "none" does not exist')
        self.assert_unusable("postgresql://chat:secret@[", "cannot use --db")

    def test_a_password_that_makes_the_address_unreadable_is_not_repeated(self) -> None:
        for password in ("100%secret", "a secret", "x%00secret", "%secret", 'a "secret" %'):
            url = f"postgresql://chat:{password}@127.0.0.1:1/chat"
            self.assert_unusable(url, "cannot use --db", "% as %25")
        for password in ("x@secret", "x/secret", "x@secret/y", "x@y/secret"):
            url = f"postgresql://chat:{password}@127.0.0.1:1/chat"
            self.assert_unusable(url, "cannot use --db", "@ as %40 and / as %2F")
        self.assert_unusable("postgresql:///chat?password=x&secret", "cannot use --db")

    def test_it_is_too_old(self) -> None:
        self.patch(connection, "OLDEST", 99)
        self.assert_unusable(self.url, "which is too old: upgrade it to 99 or newer")

    def test_it_is_a_standby(self) -> None:
        url = self.url + "%20-cdefault_transaction_read_only%3Don"
        self.assert_unusable(url, "is read-only, as a standby is", "target_session_attrs")

    def test_its_clock_is_far_from_ours(self) -> None:
        for seconds, told in ((300.5, "5 minutes ahead of"), (-12, "12 seconds behind")):
            self.patch(connection, "time", FarOff(seconds))
            for use in (Engine, connection.check):
                why = f"this machine's clock is {told} the database's"
                self.assert_unusable(self.url, why, "set both", use=use)
        self.patch(connection, "time", FarOff(9))
        Engine(self.url).close()

    def test_it_is_of_a_newer_version(self) -> None:
        Engine(self.url).close()
        self.does("UPDATE server SET version = 99")
        self.assert_unusable(self.url, "is of version 99, which is newer", "install a newer")
        self.assert_unusable(self.url, "is of version 99", use=connection.check)

    def test_a_command_is_alone_with_it(self) -> None:
        self.enterContext(changing(self.url, is_new=True))
        self.assert_unusable(self.url, "a command or an older twisted-chat is alone", "--db")
        self.assertTrue(connection.check(self.url))

    def test_tables_of_another_program_are_there(self) -> None:
        self.does("CREATE TABLE events (what text)")
        self.assert_unusable(self.url, "has tables of another program")

    def test_nobody_may_create_tables(self) -> None:
        self.does("DROP ROLE IF EXISTS guest", "CREATE ROLE guest LOGIN")
        self.assert_unusable(self.url.replace("chat@", "guest@"), "does not let this user create")

    def test_it_is_not_in_utf_8(self) -> None:
        self.does("DROP DATABASE IF EXISTS latin")
        self.does("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
        self.assert_unusable(engine().url("latin"), "is not in UTF-8")

    def test_it_is_behind_pgbouncer_in_transaction_mode(self) -> None:
        program = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin")
        if program is None:
            raise SkipTest("PgBouncer is not installed")
        folder = engine().folder
        Path(folder, "bouncer.ini").write_text(
            f"[databases]\npostgres = host={folder} user=chat\n[pgbouncer]\n"
            f"unix_socket_dir = {folder}\nlisten_port = 6432\nlisten_addr =\n"
            "auth_type = any\npool_mode = transaction\nignore_startup_parameters = options\n"
        )
        command = [program, str(folder / "bouncer.ini")]
        command = ["runuser", "-u", "postgres", "--", *command] if engine().is_root else command
        bouncer = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(bouncer.wait)
        self.addCleanup(bouncer.terminate)
        while not (folder / ".s.PGSQL.6432").exists():
            time.sleep(0.01)
        self.patch(connection, "_PROBE", 0.3)
        url = f"postgresql://chat@/postgres?host={folder}&port=6432"
        self.assert_unusable(url, "behind a pool of connections", "pool_mode = session")


class OptionTests(SynchronousTestCase):
    def options(self, *words: str) -> Options:
        options = Options()
        options.parseOptions(["--db", "postgresql://chat@db1/chat", *words])
        return options

    def test_an_address_is_no_file(self) -> None:
        options = self.options()
        self.assertIsNone(options.database)
        self.assertEqual(options.postgres, "postgresql://chat@db1/chat")
        self.assertEqual(str(options.made_certificate), "chat.tls.pem")
        self.assertIsNone(options.files, "they are in the database")
        self.assertEqual(str(self.options("--files", "shared").files), "shared")

    test_an_address_is_no_file.skip = why_not() or None  # type: ignore[attr-defined]

    def test_without_a_database_there_is_neither(self) -> None:
        options = Options()
        options.parseOptions(["--no-db"])
        self.assertEqual((options.database, options.postgres), (None, None))

    def test_without_psycopg_one_is_told_what_to_install(self) -> None:
        absent: Any = {"psycopg": None}
        self.enterContext(patch.dict(sys.modules, absent))
        why = self.assertRaises(UsageError, self.options)
        self.assertIn("needs psycopg: pip install 'psycopg[binary]'", str(why))


class KeptTests(SynchronousTestCase):
    """What is found at the start."""

    skip = why_not() or None

    def setUp(self) -> None:
        """An empty place for a chat."""
        self.url = engine().new()

    def test_two_servers_that_start_at_once_create_the_tables_once(self) -> None:
        with engine().connect(self.url) as one, engine().connect(self.url) as two:
            schema.migrate(one, "one")
            schema.migrate(two, "two")
            self.assertEqual(schema.version_of(two, "two"), schema.VERSION)

    def test_numbers_go_on_and_the_epoch_stays(self) -> None:
        epochs = set()
        for _ in range(2):
            store = PostgresStore(self.url, Turn(), at_once, at_once, at_once, Clock())
            epochs.add(store.epoch)
            self.successResultOf(store.stop())
        self.assertEqual(len(epochs), 1)

    def test_a_connection_that_the_database_ended_is_made_again_for_history_too(self) -> None:
        store = PostgresStore(self.url, Turn(), at_once, at_once, at_once, Clock())
        self.addCleanup(store.stop)
        self.assertEqual(self.successResultOf(store.rooms()), [])
        with engine().connect(self.url) as look:
            look.execute(
                b"SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                b" WHERE application_name LIKE 'twisted-chat%'"
            )
        self.assertEqual(self.successResultOf(store.rooms()), [])

    def test_a_server_that_is_gone_for_the_others_lets_go_of_its_lock(self) -> None:
        replaced = Engine(self.url)
        self.addCleanup(replaced.close)
        replaced._connection.close()  # it is cut off
        with engine().connect(self.url) as look:
            look.execute(b"DELETE FROM nodes")  # as another does that looks after its people
        for _ in range(2):
            self.assertRaises(TakenOver, replaced.store, Group([], Work()))
            with changing(self.url, is_new=False):
                pass  # a command is alone with the database

    def test_why_something_is_not_stored_is_said_without_what_it_was(self) -> None:
        kept = Engine(self.url)
        self.addCleanup(kept.close)
        call = "SELECT store_group(%s, 1, '10 s', %s::jsonb, '')"
        for work in ('{"sessions":[["secret"]]}', '{"sessions":[["secret\\u0000"]]}'):
            with self.assertRaises(psycopg.Error) as raised:
                kept._connection.execute(call.encode(), (kept.node, work))
            why = connection.explain(raised.exception)
            for word in ("secret", "store_group", "portal", "Failing row"):
                self.assertNotIn(word, why)

    def test_a_clock_that_goes_wrong_is_told_of_until_it_is_right(self) -> None:
        store = PostgresStore(self.url, Turn(), at_once, at_once, at_once, Clock())
        self.addCleanup(store.stop)
        told = self.enterContext(capturedLogs())
        for off, where in ((11, "ahead of"), (8, "ahead of"), (4, ""), (8, ""), (-11, "behind")):
            self.patch(writing_engine, "time", FarOff(off))
            store.nodes._writer.asked.renew()  # as every few seconds
            wrong = f"this machine's clock is {abs(off)} seconds {where} the database's"
            self.assertEqual(store.problem, f"times are wrong: {wrong}" if where else "")
        self.assertEqual([each["log_level"].name for each in told], ["error", "info", "error"])

    def test_two_chats_in_one_database_leave_each_other_alone(self) -> None:
        first, second = Engine(self.url), Engine(engine().new())
        for each in (first, second):
            self.addCleanup(each.close)
        before = second._connection.info.backend_pid
        first.hang_up()
        for each in (first, second):
            each.store(Group([], Work()))
        self.assertEqual(second._connection.info.backend_pid, before)

    def test_the_answer_to_a_group_that_was_given_up_is_no_answer_to_another(self) -> None:
        network = Network()
        self.patch(writing_engine, "connect", network.connect)
        kept = Engine(self.url)
        self.addCleanup(kept.close)
        network.loses, network.cuts_after = "answer", True
        given_up, other = (Group([], Work(accounts=[AccountWrite(each)])) for each in "ab")
        self.assertRaises(Away, kept.store, given_up)
        network.is_cut = False
        kept.store(other)
        with engine().connect(self.url) as look:
            self.assertEqual(look.execute(b"SELECT done FROM nodes").fetchone(), (2,))
