"""What a command is, and how a file declares its commands: next to the functions."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, Self, TypeAlias

from twisted.internet.defer import Deferred

from twisted_chat.chat.chat import Chat
from twisted_chat.chat.device import Device
from twisted_chat.chat.person import Person
from twisted_chat.chat.request import Request
from twisted_chat.chat.rights import Right
from twisted_chat.chat.room import Room
from twisted_chat.events import Entry
from twisted_chat.text.passwords import Password

Lines: TypeAlias = Sequence[str | Entry]
"""An answer, one line per fact; entries are shown like history."""


class Offered(str):
    """A line of an answer that offers an address, which programs get beside it.

    Args:
        line: what people read.
        url: the address.
    """

    __slots__ = ("url",)

    url: str

    def __new__(cls, line: str, url: str) -> Self:
        """See the class."""
        offered = super().__new__(cls, line)
        offered.url = url
        return offered


class Caller(Protocol):
    """The session that a command comes from."""

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
        """The current room, which typed lines go to."""

    @property
    def aim(self) -> Room:
        """The same, where they may not be mistaken about it.

        Raises:
            Refused: they were removed from the room that they were typing into.
        """

    def talk_in(self, room: Room) -> None:
        """Make this the current room, which typed lines go to."""

    def charge(self, lines: int) -> None:
        """Count so many more lines against the rate limit."""

    def check_privacy(self) -> None:
        """Warn once if others can read a password on its way; refuse if the server demands it."""

    def log_in(self, name: str, password: Password) -> "Deferred[Lines]":
        """Go on as the owner of an account, if the password is right."""

    def ring(self, when: str) -> str:
        """Set when the bell rings: `off`, `name`, `whisper` or `all`; empty only asks."""


Do: TypeAlias = Callable[[Caller, Room, str], Lines | Deferred[Lines]]
"""Runs a command in a room with the text after its name, and returns the answer."""


@dataclass(frozen=True)
class Command:
    """A command.

    Args:
        name: the word after the slash.
        usage: its arguments, in capitals; optional ones in brackets.
        help: what it does, in a few words.
        do: runs it.
        right: the right that is needed; None if everybody may use it.
        aliases: other words for it.
        detail: more lines for `/help COMMAND`.
        only_asks: whether it changes nothing without arguments, so that it then needs no right.
    """

    name: str
    usage: str
    help: str
    do: Do
    right: Right | None
    aliases: tuple[str, ...] = ()
    detail: tuple[str, ...] = ()
    only_asks: bool = False
    typed: str = field(init=False)
    """How one begins to type it."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "typed", f"/{self.name}")

    @property
    def synopsis(self) -> str:
        """The command with its arguments."""
        return f"{self.typed} {self.usage}".rstrip()

    @property
    def needs(self) -> int:
        """How many words are required after the name."""
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


def when_stored(caller: Caller, *lines: str) -> Deferred[Lines]:
    """Answer once what was asked for is stored; if it is refused, that is all they are told."""
    answered: Deferred[Lines] = Deferred()
    request = caller.request
    request.when_settled(lambda: answered.callback(() if request.is_refused else lines))
    return answered
