"""The README says what the program does: its tables are those of the program."""

import re
from importlib import reload
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.people import ChatTestCase
from twisted_chat.client.arguments import make_parser
from twisted_chat.commands import table, talking
from twisted_chat.commands.table import COMMANDS
from twisted_chat.service.options import Options

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


def options_table(parameters: list[list[Any]], flags: list[list[Any]]) -> str:
    """Options of the server as they are listed."""
    rows = ["| option | default | what it does |", "|---|---|---|"]
    for name, _, default, text, *_ in parameters:
        shown = "" if default is None else f"`{default}`"
        rows.append(f"| `--{name}` | {shown} | {text} |")
    for name, _, text in flags:
        rows.append(f"| `--{name}` | off | {text} |")
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
    def test_every_command_is_in_it_as_help_has_it(self) -> None:
        self.assertIn(commands_table(), README)

    def test_every_option_is_in_it_as_help_has_it(self) -> None:
        self.assertIn(options_table(Options.everyday, Options.optFlags), README)
        self.assertIn("`--endpoint`", README)

    def test_every_limit_is_in_the_operators_guide(self) -> None:
        guide = (ROOT / "docs" / "operating.md").read_text()
        self.assertIn(options_table(Options.limit_parameters, []), guide)

    def test_every_option_of_the_client_is_in_it(self) -> None:
        self.assertIn(client_table(), README)

    def test_every_file_of_the_package_is_on_the_map(self) -> None:
        package = ROOT / "twisted_chat"
        files = [path.relative_to(package).as_posix() for path in package.rglob("*.py")]
        for file in files:
            folder = file.rpartition("/")[0]
            if not file.endswith("__init__.py") and folder != "client":
                self.assertIn(f"`{file}`", README)

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
                "!!! Something is missing: /shout TEXT (say it louder)",
                "*** /shout TEXT: say it louder",
                "*** Also: /yell",
            ],
        )
        self.assertIn("*** /shout TEXT: say it louder", bob.types("/help").sees()[-4])
