"""The README says what the program does: its tables are those of the program."""

import re
from collections.abc import Iterable
from importlib import reload
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.people import ChatTestCase
from twisted_chat.client.arguments import make_parser
from twisted_chat.commands import table, talking
from twisted_chat.commands.table import COMMANDS
from twisted_chat.service.known_options import EVERYDAY, LIMITS, Option

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def commands_table() -> str:
    """The commands as the README lists them."""
    rows = ["| command | also | what it does |", "|---|---|---|"]
    for command in COMMANDS:
        also = ", ".join(f"`/{alias}`" for alias in command.aliases)
        synopsis = command.synopsis.replace("|", "\\|")
        rows.append(f"| `{synopsis}` | {also} | {command.help} |")
    return "\n".join(rows)


def options_table(options: Iterable[Option]) -> str:
    """Options of the server as they are listed."""
    rows = ["| option | default | what it does |", "|---|---|---|"]
    for option in options:
        shown = "off" if option.is_flag else "" if option.default is None else f"`{option.default}`"
        rows.append(f"| `--{option.name}` | {shown} | {option.told} |")
    return "\n".join(rows)


def client_table() -> str:
    """The client's options as the README lists them."""
    rows = ["| option | what it does |", "|---|---|"]
    for action in make_parser()._actions:  # argparse has no other way to ask for them
        if action.option_strings and action.dest not in ("help", "version"):
            value = f" {action.dest.upper()}" if action.nargs is None else ""
            rows.append(f"| `{action.option_strings[-1]}{value}` | {action.help} |")
    return "\n".join(rows)


class ReadmeTests(SynchronousTestCase):
    def has_rows(self, table: str, page: str, name: str) -> None:
        """Check a page's table; it lacks as many rows as the failure has lines to paste."""
        lacking = [row for row in table.splitlines() if row not in page.splitlines()]
        self.assertFalse(lacking, f"paste into the table of {name}:\n" + "\n".join(lacking))
        self.assertTrue(table in page, f"the table of {name} should be:\n{table}")

    def test_every_command_is_in_it_as_help_has_it(self) -> None:
        self.has_rows(commands_table(), README, "README.md")

    def test_every_option_is_in_it_as_help_has_it(self) -> None:
        self.has_rows(options_table(EVERYDAY), README, "README.md")

    def test_every_limit_is_in_the_operators_guide(self) -> None:
        guide = (ROOT / "docs" / "operating.md").read_text()
        self.has_rows(options_table(LIMITS), guide, "docs/operating.md")

    def test_every_option_of_the_client_is_in_it(self) -> None:
        self.has_rows(client_table(), README, "README.md")

    def test_every_file_of_the_package_is_on_the_map(self) -> None:
        package = ROOT / "twisted_chat"
        files = [path.relative_to(package).as_posix() for path in package.rglob("*.py")]
        for file in files:
            folder = file.rpartition("/")[0]
            if not file.endswith("__init__.py") and folder != "client":
                self.assertTrue(f"| `{file}` |" in README, f"put {file} on README.md's map")

    def test_its_links_lead_somewhere(self) -> None:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", README):
            self.assertTrue((ROOT / target).exists(), target)


class ExampleTests(ChatTestCase):
    def test_the_new_command_is_one_as_it_stands_there(self) -> None:
        (example,) = re.findall(r"```python\n(@family.*?)```", README, re.DOTALL)
        self.addCleanup(reload, table)
        self.patch(talking.family, "commands", talking.family.commands)
        exec(example, dict(vars(talking)))
        reload(table)
        alice, bob = self.joins("alice"), self.joins("bob")
        bob.types("/shout hello", "/yell", "/help shout")
        self.assertEqual(alice.sees()[-1], "bob: HELLO")
        self.assertEqual(
            bob.sees()[-3:],
            [
                "!!! Usage: /shout TEXT (say it louder)",
                "*** /shout TEXT: say it louder",
                "*** Also: /yell",
            ],
        )
        self.assertIn("*** /shout TEXT: say it louder", bob.types("/help").sees()[-4])
