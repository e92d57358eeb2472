"""What a typed line asks for, as on plain lines: to say something, or to do a command."""

import re
from typing import NamedTuple

from twisted_chat.client.model import Model


class Typed(NamedTuple):
    """A line as the server is to get it.

    Args:
        text: what is said; or the command, with its slash.
        command: whether it is one.
    """

    text: str
    command: bool

    def to(self, nick: str) -> "Typed":
        """The same, whispered to somebody alone; a command stays what it is."""
        return self if self.command else Typed(f"/whisper {nick} {self.text}", command=True)

    @property
    def word(self) -> str:
        """The command's name, as it was typed; empty if it is none."""
        return self.text.split(maxsplit=1)[0].lower() if self.command else ""

    @property
    def argument(self) -> str:
        """What follows the command's name."""
        return self.text.partition(" ")[2].strip()

    def joins(self, model: Model) -> str:
        """The room that this enters; empty for all other lines."""
        enters = self.argument and self.word in model.spellings("/join")
        return room_name(self.argument) if enters else ""

    def leaves(self, model: Model, here: str) -> str:
        """The room that this leaves, `here` if it names none; empty for all other lines."""
        if self.word not in model.spellings("/leave"):
            return ""
        return room_name(self.argument) if self.argument else here

    def is_private(self, model: Model) -> bool:
        """Whether this may hold what nobody else should read: a whisper, or one misspelt."""
        whispers = model.spellings("/whisper") | model.spellings("/reply")
        known = {name for c in model.commands for name in (c.name, *c.aliases)}
        return self.command and self.word not in known - whispers


def lines(text: str) -> list[str]:
    """The lines of what was typed, or pasted."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def parse(line: str) -> Typed:
    """What a typed line asks for.

    `exit`, `!Disconnect` and `@NICK TEXT` are commands too; `//text` says `/text`.
    """
    command = line.strip()
    if command.lower() in ("exit", "!disconnect"):
        return Typed("/quit", command=True)
    if command.startswith("/") and not command.startswith("//"):
        return Typed(command, command=True)
    if re.match(r"@[^\s@]", command):
        return Typed(f"/whisper {command[1:]}", command=True)
    return Typed(line[1:] if line.startswith("//") else line, command=False)


def room_name(text: str) -> str:
    """A room's name, `#` first, whether or not that was typed."""
    return "#" + text.strip().removeprefix("#")
