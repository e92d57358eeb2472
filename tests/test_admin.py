"""What an operator does with accounts."""

import contextlib
import io
import json
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.people import at_once
from tests.test_passwords import CHEAP
from twisted_chat.service.admin import run
from twisted_chat.stores.account import Account
from twisted_chat.stores.sqlite.store import SqliteStore
from twisted_chat.text.passwords import Password
from twisted_chat.turn import Turn

RIGHT, NEW = "correct horse", "battery staple"


class AdminTestCase(SynchronousTestCase):
    """The command, on a database of its own."""

    def setUp(self) -> None:
        """There is no database yet."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.database = self.folder / "chat.sqlite"

    def admin(self, *arguments: str, typed: str = "", status: int = 0) -> tuple[bytes, str]:
        """What the command writes and says."""
        output, errors = io.TextIOWrapper(io.BytesIO()), io.StringIO()
        self.patch(sys, "stdin", io.TextIOWrapper(io.BytesIO(typed.encode())))
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
            self.assertEqual(run(["--db", str(self.database), *arguments], CHEAP), status)
        output.flush()
        buffer = output.buffer
        assert isinstance(buffer, io.BytesIO)
        return buffer.getvalue(), errors.getvalue()

    def says(self, *arguments: str, typed: str = "") -> str:
        """What the command says that has done something."""
        return self.admin(*arguments, typed=typed)[1]

    def fails(self, *arguments: str, typed: str = "") -> str:
        """Why the command has done nothing: one line."""
        output, told = self.admin(*arguments, typed=typed, status=1)
        self.assertEqual((output, told.count("\n")), (b"", 1))
        start, _, why = told.partition("twisted-chat-admin: ")
        self.assertEqual(start, "")
        return why.rstrip("\n")

    def known(self) -> dict[str, Account]:
        """The accounts that a server would find, by name."""
        store = SqliteStore(self.database, Turn(), at_once, at_once, at_once)
        found = {account.name: account for account in self.successResultOf(store.accounts())}
        store.stop()
        return found


class AdminTests(AdminTestCase):
    def test_an_account_is_made_with_a_password_from_the_input(self) -> None:
        told = self.says("create", "Alice", typed=f"{RIGHT}\nsomething else\n")
        self.assertEqual(told, "Alice is registered\n")
        alice = self.known()["Alice"]
        self.assertTrue(CHEAP.matches(alice.password, Password(RIGHT)))
        self.assertFalse(alice.is_admin)
        self.assertEqual(len(alice.id), 16)

    def test_what_cannot_be_made_is_said_and_leaves_no_file(self) -> None:
        self.assertIn("at least 8 characters", self.fails("create", "alice", typed="short\n"))
        self.assertIn("at least 8 characters", self.fails("create", "alice"))
        self.assertIn("reserved", self.fails("create", "root", typed=RIGHT))
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_no_two_accounts_have_names_that_look_alike(self) -> None:
        self.says("create", "alice", typed=RIGHT)
        told = self.fails("create", "ALICE", typed=RIGHT)
        self.assertEqual(told, "the name ALICE is registered already")
        told = self.fails("create", "aIice", typed=RIGHT)
        self.assertEqual(told, "the name aIice looks like alice")

    def test_administrators_are_made_and_made_no_longer(self) -> None:
        told = self.says("create", "alice", "--admin", typed=RIGHT)
        self.assertEqual(told, "alice is registered as an administrator\n")
        self.assertTrue(self.known()["alice"].is_admin)
        self.assertEqual(self.says("demote", "ALICE"), "alice is no administrator\n")
        self.assertFalse(self.known()["alice"].is_admin)
        self.assertEqual(self.says("promote", "alice"), "alice is an administrator\n")
        self.assertTrue(self.known()["alice"].is_admin)

    def test_an_account_is_locked_and_unlocked(self) -> None:
        self.says("create", "alice", typed=RIGHT)
        self.assertEqual(self.says("lock", "alice"), "alice is locked\n")
        self.assertTrue(self.known()["alice"].is_locked)
        self.assertEqual(self.says("unlock", "alice"), "alice is not locked\n")
        self.assertFalse(self.known()["alice"].is_locked)

    def test_a_password_is_set(self) -> None:
        self.says("create", "alice", typed=RIGHT)
        self.assertEqual(self.says("password", "alice", typed=NEW), "alice has another password\n")
        self.assertTrue(CHEAP.matches(self.known()["alice"].password, Password(NEW)))

    def test_an_account_is_deleted(self) -> None:
        self.says("create", "alice", typed=RIGHT)
        self.assertEqual(self.says("delete", "alice"), "the account alice is deleted\n")
        self.assertEqual(self.known(), {})
        told = self.fails("delete", "alice")
        self.assertEqual(told, "there is no account alice: list shows all of them")

    def test_all_of_them_are_listed(self) -> None:
        self.says("create", "bob", typed=RIGHT)
        self.says("create", "alice", "--admin", typed=RIGHT)
        self.says("lock", "alice")
        output, told = self.admin("list")
        self.assertRegex(
            output.decode(),
            r"^alice: last used \d{4}-\d\d-\d\d, administrator, locked\n"
            r"bob: last used \d{4}-\d\d-\d\d\n$",
        )
        self.assertEqual(told, "2 accounts\n")

    def test_where_there_is_no_database_only_what_makes_accounts_makes_one(self) -> None:
        for command in ("list", "export"):
            self.assertIn("there is no database", self.fails(command))
        for command in ("lock", "promote", "delete", "password"):
            self.assertIn("there is no database", self.fails(command, "alice", typed=RIGHT))
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_beside_a_server_they_can_be_looked_at_and_not_changed(self) -> None:
        self.says("create", "alice", typed=RIGHT)
        server = SqliteStore(self.database, Turn(), at_once, at_once, at_once)
        self.addCleanup(server.stop)
        for arguments in (("lock", "alice"), ("create", "bob"), ("password", "alice")):
            told = self.fails(*arguments, typed=RIGHT)
            self.assertIn(f"another twisted-chat uses the database {self.database}: stop it", told)
        self.assertEqual(self.says("list"), "1 account\n")
        self.assertEqual(self.says("export"), "1 account\n")


class MovingTests(AdminTestCase):
    def imports(self, *things: object) -> Path:
        """A file with these objects, one a line."""
        file = self.folder / "accounts.ndjson"
        file.write_text("".join(json.dumps(thing) + "\n" for thing in things))
        return file

    def test_what_is_exported_can_be_imported(self) -> None:
        self.says("create", "alice", "--admin", typed=RIGHT)
        self.says("create", "Žofie", typed=NEW)
        self.says("lock", "Žofie")
        exported, _ = self.admin("export")
        self.database = self.folder / "new.sqlite"
        file = self.folder / "accounts.ndjson"
        file.write_bytes(exported)
        self.assertEqual(self.says("import", str(file)), "2 accounts\n")
        self.assertEqual(self.admin("export")[0], exported)
        known = self.known()
        self.assertTrue(known["alice"].is_admin)
        self.assertTrue(known["Žofie"].is_locked)
        self.assertTrue(CHEAP.matches(known["Žofie"].password, Password(NEW)))

    def test_only_a_name_is_needed(self) -> None:
        kept = CHEAP.hash(Password(RIGHT))
        file = self.imports({"account": "alice", "password": kept}, {"account": "bob"})
        self.assertEqual(self.says("import", str(file)), "2 accounts\n")
        self.assertEqual(
            {name: each.password for name, each in self.known().items()},
            {"alice": kept, "bob": ""},
        )

    def test_a_line_that_is_wrong_is_named_and_nothing_is_imported(self) -> None:
        good = {"account": "alice", "id": "0" * 16}
        for wrong, told in (
            ([], "this is not a JSON object"),
            ({}, "the account's name is missing"),
            ({"account": "a b"}, "a nickname starts with a letter"),
            ({"account": "ALICE"}, "the name ALICE is registered already"),
            ({"account": "aIice"}, "the name aIice looks like alice"),
            ({"account": "bob", "id": "0" * 16}, "the id 0000000000000000 is that of alice"),
            ({"account": "bob", "id": "../x"}, "the id must be 16 hexadecimal digits"),
            ({"account": "bob", "password": "secret"}, "the password is no Argon2id hash"),
            ({"account": "bob", "password": None}, "the password is no Argon2id hash"),
            ({"account": "bob", "admin": "no"}, "admin must be true or false"),
            ({"account": "bob", "settings": []}, "the settings must be an object"),
            ({"account": "bob", "used": "soon"}, "the used is missing, or not like"),
        ):
            file = self.imports(good, wrong)
            why = self.fails("import", str(file))
            self.assertTrue(why.startswith(f"{file}:2: {told}"), why)
            self.assertTrue(why.endswith("; nothing is imported"), why)
            self.assertFalse(self.database.exists())
        self.assertIn("cannot read", self.fails("import", str(self.folder / "nope")))
