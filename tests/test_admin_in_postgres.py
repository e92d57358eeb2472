"""What an operator does with accounts in PostgreSQL."""

from pathlib import Path
from typing import cast

from twisted.internet.task import Clock

from tests.people import at_once
from tests.postgres import engine, why_not
from tests.test_admin import RIGHT, AdminTestCase, AdminTests
from twisted_chat.stores.account import Account
from twisted_chat.turn import Turn

if not why_not():
    from twisted_chat.stores.postgres.store import PostgresStore


class PostgresAdminTests(AdminTestCase):
    skip = why_not() or None

    def setUp(self) -> None:
        """The database has no tables yet."""
        super().setUp()
        self.url = engine().new()
        self.database = cast(Path, self.url)

    def opens(self) -> "PostgresStore":
        return PostgresStore(self.url, Turn(), at_once, at_once, at_once, Clock())

    def known(self) -> dict[str, Account]:
        store = self.opens()
        found = {account.name: account for account in self.successResultOf(store.accounts())}
        store.stop()
        return found

    test_made = AdminTests.test_an_account_is_made_with_a_password_from_the_input
    test_alike = AdminTests.test_no_two_accounts_have_names_that_look_alike
    test_administrators = AdminTests.test_administrators_are_made_and_made_no_longer
    test_locked = AdminTests.test_an_account_is_locked_and_unlocked
    test_password = AdminTests.test_a_password_is_set
    test_deleted = AdminTests.test_an_account_is_deleted
    test_listed = AdminTests.test_all_of_them_are_listed

    def test_where_there_is_no_chat_there_is_nothing_to_list(self) -> None:
        for command in (("list",), ("export",), ("lock", "alice"), ("delete", "alice")):
            told = self.fails(*command)
            self.assertRegex(told, "^the database postgres at .* has no chat: ")
            self.assertIn("say where it is with --db", told)

    def test_beside_a_server_they_can_be_looked_at_and_not_changed(self) -> None:
        self.says("create", "alice", typed=RIGHT)
        self.addCleanup(self.opens().stop)
        for arguments in (("lock", "alice"), ("create", "bob"), ("password", "alice")):
            told = self.fails(*arguments, typed=RIGHT)
            self.assertIn("a twisted-chat uses the database", told)
        self.assertEqual(self.says("list"), "1 account\n")
        self.assertEqual(self.says("export"), "1 account\n")


del AdminTests  # these are run where they are
