"""What administrators ask of the program: reading its options again, and stopping."""

from pathlib import Path

from twisted.internet.testing import MemoryReactorClock
from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase

from twisted_chat.refusal import Refused
from twisted_chat.service.options import Options
from twisted_chat.service.service import ChatService
from twisted_chat.stores.account import Account


class OperationsTests(SynchronousTestCase):
    def setUp(self) -> None:
        """A server with a file of options and a message of the day."""
        folder = Path(self.mktemp())
        folder.mkdir()
        self.file, self.motd = folder / "chat.toml", folder / "motd"
        self.motd.write_text("Be kind.\n")
        self.write()
        options = Options()
        options.parseOptions(["--config", str(self.file)])
        self.reactor = MemoryReactorClock()
        self.service = ChatService(options, self.reactor)
        self.service.privilegedStartService()
        self.chat = self.service._factory.chat

    def write(self, more: str = "") -> None:
        """Change the file of options."""
        self.file.write_text(f'no-db = true\nport = 5000\nmotd = "{self.motd}"\n{more}\n')

    def test_it_tells_which_options_have_changed(self) -> None:
        self.assertEqual(self.service.reload(), ["Nothing in the options has changed."])
        self.write('name = "the lab"\nrooms = 7\nadmin = ["alice"]')
        self.assertEqual(self.service.reload(), ["Changed: admin, name, rooms."])
        self.assertEqual((self.chat.name, self.chat.limits.rooms), ("the lab", 7))

    def test_a_file_that_is_named_counts_by_what_stands_in_it(self) -> None:
        self.motd.write_text("Be quick.\n")
        self.assertEqual(self.service.reload(), ["Changed: motd."])
        self.assertEqual(self.service.reload(), ["Nothing in the options has changed."])
        self.assertEqual(self.chat.motd, ["Be quick."])

    def test_it_tells_what_only_a_restart_changes_as_long_as_it_is_so(self) -> None:
        self.write("sync = 'full'")
        told = ["Nothing in the options has changed.", "Restart the server to change sync."]
        self.assertEqual(self.service.reload(), told)
        self.assertEqual(self.service.reload(), told)

    def test_what_is_wrong_is_told_and_nothing_changes(self) -> None:
        self.write('name = "the lab"\nrooms = "many"')
        why = self.assertRaises(Refused, self.service.reload)
        self.assertEqual(why.code, "bad-options")
        self.assertIn("rooms must be a whole number", why.text)
        self.assertEqual(self.chat.name, "Twisted Chat")
        self.flushLoggedErrors()

    def test_administrators_are_those_whom_the_file_names_now(self) -> None:
        self.chat.accounts._load([Account("a1", "alice", "", 0, 0), Account("b1", "Bob", "", 0, 0)])
        for named in (["alice"], ["bob"], []):
            self.write(f"admin = {named}")
            self.service.reload()
            names = [name.casefold() for name in self.chat.administrators.names()]
            self.assertEqual(names, named)

    def test_a_name_that_nobody_can_have_is_a_mistake(self) -> None:
        error = self.assertRaises(UsageError, Options().parseOptions, ["--no-db", "--admin", "#x"])
        self.assertIn("--admin", str(error))

    def test_the_whole_program_stops(self) -> None:
        self.service.stop()
        self.assertTrue(self.reactor.hasStopped)
