"""What a command is, and how a file declares its commands: next to the functions."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from twisted.internet.defer import Deferred

from twisted_chat.chat.chat import Chat
from twisted_chat.chat.device import Device
from twisted_chat.chat.person import Person
from twisted_chat.chat.request import Request
from twisted_chat.chat.rights import Right
from twisted_chat.chat.room import Room
from twisted_chat.events import Entry

Lines: TypeAlias = Sequence[str | Entry]
"""An answer, one line per fact; an entry is shown as history is."""


class Caller(Protocol):
    """Whose command it is."""

    chat: Chat
    request: Request

    @property
    def person(self) -> Person:
        """Who they are."""

    @property
    def device(self) -> Device:
        """Which of their devices it comes from."""

    @property
    def room(self) -> Room:
        """The room that they are typing into."""

    def talk_in(self, room: Room) -> None:
        """What they type goes to another room from now on."""

    def charge(self, lines: int) -> None:
        """That was as much as so many lines more."""

    def ring(self, when: str) -> str:
        """Ring the terminal's bell `off`, on `name`, `whisper` or `all`; empty only asks."""


Do: TypeAlias = Callable[[Caller, Room, str], Lines | Deferred[Lines]]
"""Does a command in a room, with what stands behind its word, and gives the answer."""


@dataclass(frozen=True)
class Command:
    """A command.

    Args:
        name: the word behind the slash.
        usage: what follows it, in capitals; in brackets what may be left out.
        help: what it does, in a few words.
        do: does it.
        right: what one needs to do it; None if nobody is kept from it.
        aliases: other words for it.
        detail: what else is good to know.
        only_asks: whether nothing changes when nothing follows it, so that it needs no right.
    """

    name: str
    usage: str
    help: str
    do: Do
    right: Right | None
    aliases: tuple[str, ...] = ()
    detail: tuple[str, ...] = ()
    only_asks: bool = False

    @property
    def synopsis(self) -> str:
        """The command as one types it."""
        return f"/{self.name} {self.usage}".rstrip()

    @property
    def needs(self) -> int:
        """How many words it cannot do without."""
        return len(re.sub(r"\[[^]]*]", "", self.usage).split())


class Family:
    """The commands of one file."""

    def __init__(self) -> None:
        self.commands: tuple[Command, ...] = ()

    def command(
        self,
        name: str,
        usage: str,
        help: str,  # noqa: A002 - what /help says, as in `Command`
        *,
        right: Right | None,
        aliases: tuple[str, ...] = (),
        detail: tuple[str, ...] = (),
        only_asks: bool = False,
    ) -> Callable[[Do], Do]:
        """Declare the function below to be a command; the arguments are those of `Command`."""

        def declare(do: Do) -> Do:
            command = Command(name, usage, help, do, right, aliases, detail, only_asks)
            self.commands = (*self.commands, command)
            return do

        return declare
