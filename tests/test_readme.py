"""The README says what the program does: its tables are those of the program."""

import re
from collections.abc import Iterable
from importlib import reload
from itertools import pairwise
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.people import ChatTestCase
from tools import package_map
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
    def has_rows(self, table: str, name: str, page: str | None = None) -> None:
        """Check a page's table; a failure is one line that says what to do about the first row.

        Args:
            table: as it should be.
            name: the page's path.
            page: what stands there.
        """
        page = (ROOT / name).read_text() if page is None else page
        head, *rows = table.splitlines()
        _, _, rest = page.partition(head + "\n")
        there = rest.partition("\n\n")[0].splitlines()
        for before, row in pairwise((head, *rows)):
            if row not in there:
                self.fail(f"paste into {name}, below the row {before}: {row}")
        for row in there:
            if row not in rows:
                self.fail(f"take out of {name}: {row}")
        for wanted, row in zip(rows, there, strict=True):
            if row != wanted:
                self.fail(f"move up in {name}, to before the row {row}: {wanted}")

    def test_every_command_is_in_it_as_help_has_it(self) -> None:
        self.has_rows(commands_table(), "README.md")

    def test_every_option_is_in_it_as_help_has_it(self) -> None:
        self.has_rows(options_table(EVERYDAY), "README.md")

    def test_every_limit_is_in_the_operators_guide(self) -> None:
        self.has_rows(options_table(LIMITS), "docs/operating.md")

    def test_every_option_of_the_client_is_in_it(self) -> None:
        self.has_rows(client_table(), "README.md")

    def test_a_table_that_is_not_as_it_should_be_fails_with_one_line_that_says_what_to_do(
        self,
    ) -> None:
        head, line, *rows = ["| a |", "|---|", "| 1 |", "| 2 |"]
        should = "\n".join((head, line, *rows))
        for there, told in {
            ("| 1 |",): "paste into README.md, below the row | 1 |: | 2 |",
            ("| 1 |", "| 3 |", "| 2 |"): "take out of README.md: | 3 |",
            ("| 2 |", "| 1 |"): "move up in README.md, to before the row | 2 |: | 1 |",
        }.items():
            page = "\n".join(("x", "", head, line, *there, "", "y"))
            why = self.assertRaises(self.failureException, self.has_rows, should, "README.md", page)
            self.assertEqual(str(why), told)

    def test_the_map_has_every_file_with_its_first_line(self) -> None:
        self.assertEqual(
            package_map.MAP.read_text(), package_map.text(), "run `python -m tools.package_map`"
        )

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
