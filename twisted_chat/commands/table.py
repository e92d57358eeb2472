"""The table of commands, and the one place where every request is checked and run."""

import difflib
import re

from twisted.internet.defer import Deferred

from twisted_chat.chat.room import Room
from twisted_chat.commands import (
    account,
    doors,
    files,
    history,
    moderation,
    people,
    rooms,
    server,
    settings,
    speaking_order,
    talking,
)
from twisted_chat.commands.command import Caller, Command, Family, Lines
from twisted_chat.refusal import Refused
from twisted_chat.text.cleaning import is_blank

_ALONE = {"exit": "quit", "quit": "quit", ":q": "quit", "!disconnect": "quit", "help": "help"}
"""Commands that work without a slash, alone on a line."""
_LONGEST_ALONE = max(map(len, _ALONE))
_TO_SOMEBODY = re.compile(r"@[^\s@]")


def parse(line: str) -> tuple[str, str] | None:
    """The name and arguments of the command in a line; None if the line is a message.

    `exit` and the like and `@NICK TEXT` are commands too, `//text` is not.
    """
    command = line.strip()
    if len(command) <= _LONGEST_ALONE:
        alone = _ALONE.get(command.lower())
        if alone is not None:
            return alone, ""
    sign = command[:1]
    if sign == "/" and command[1:2] != "/":
        word, _, rest = command[1:].partition(" ")
        return word.lower(), rest.strip()
    if sign == "@" and _TO_SOMEBODY.match(command):
        return "whisper", command[1:]
    return None


def run(caller: Caller, word: str, rest: str) -> Lines | Deferred[Lines]:
    """Run a command.

    Raises:
        Refused: the command is unknown, lacks arguments, or cannot be carried out.
    """
    command = _find(word)
    if is_blank(rest):  # nobody would see it, on any screen
        rest = ""
    if len(rest.split()) < command.needs:
        raise Refused("usage", f"Usage: {command.synopsis} ({command.help})")
    return _do(caller, command, None, rest)


def say(caller: Caller, room: Room | None, text: str) -> Lines | Deferred[Lines]:
    """Say something in a room, which is a command like any other.

    Args:
        caller: whose line it is.
        room: where; None for the room that they are typing into.
        text: what they say.

    Raises:
        Refused: why not.
    """
    found = account.SLIP.match(text)
    if found is not None:
        raise account.slip(found)
    return _do(caller, talking.SAY, room, text)


def _do(caller: Caller, command: Command, room: Room | None, rest: str) -> Lines | Deferred[Lines]:
    right = command.right
    if right is None or (command.only_asks and not rest):
        return command.do(caller, room or caller.room, rest)
    if room is None:
        room = caller.aim if right.is_about_a_room else caller.room
    caller.chat.rights.check(caller.person, right, room, command.typed)
    return command.do(caller, room, rest)


def is_join(word: str) -> bool:
    """Whether a command can create a room."""
    return BY_WORD.get(word) is BY_WORD["join"]


_INSTEAD = {
    "identify": "/login NICK PASSWORD logs in.",
    "send": "/upload gives an address to send a file to.",
    "query": "/whisper NICK TEXT sends a private message, and /reply TEXT answers one.",
}
"""What to do instead of commands that other chat systems have."""


def _find(word: str) -> Command:
    command = BY_WORD.get(word)
    if command is not None:
        return command
    if word in _INSTEAD:
        raise Refused("no-such-command", f"There is no command /{word}: {_INSTEAD[word]}")
    close = difflib.get_close_matches(word[:20], BY_WORD, 1, 0.6)
    hint = f"did you mean /{close[0]}?" if close else "/help lists the commands;"
    slash = "" if close else " to send a line that begins with a slash, type two."
    raise Refused("no-such-command", f"There is no command /{word[:20]}: {hint}{slash}")


def too_late() -> Refused:
    """What is said of a line that comes when the server stops."""
    return Refused(
        "closing", "The server is shutting down, and that was not done: try again later."
    )


family = Family()


def _is_for(caller: Caller, command: Command) -> bool:
    """Whether somebody may use a command in any of their rooms."""
    return command.right is None or caller.chat.may_anywhere(caller.person, command.right)


@family.command(
    "help",
    "[COMMAND]",
    "show this list, or the details of one command",
    right=None,
    aliases=("h", "?"),
)
def _help(caller: Caller, room: Room, rest: str) -> Lines:
    if not rest:
        return [
            *(
                f"{command.synopsis}: {command.help}"
                for command in COMMANDS
                if _is_for(caller, command)
            ),
            "/help COMMAND shows details. Anything else you type is sent to the room.",
        ]
    command = _find(rest.lstrip("/").lower())
    if command.right is not None and not _is_for(caller, command):
        caller.chat.rights.check(caller.person, command.right, room, f"/{command.name}")
    lines = [f"{command.synopsis}: {command.help}", *command.detail]
    if command.aliases:
        lines.append("Also: " + ", ".join(f"/{alias}" for alias in command.aliases))
    return lines


_ORDER = (
    *("users", "whisper", "reply", "me", "nick", "join", "leave", "rooms", "topic", "away", "back"),
    *("upload", "delete", "ignore", "unignore", "history", "whois", "bell", "time", "doors"),
    *("register", "login", "logout", "password", "devices", "forget", "", "help", "quit"),
)
"""The order of commands in /help, for first-time readers.

Commands that are not listed here take the place of the empty name.
"""


def _place(command: Command) -> int:
    return _ORDER.index(command.name if command.name in _ORDER else "")


_FAMILIES = (
    account.family,
    moderation.family,
    settings.family,
    speaking_order.family,
    server.family,
    talking.family,
    people.family,
    rooms.family,
    history.family,
    files.family,
    doors.family,
    family,
)

COMMANDS = tuple(sorted((each for one in _FAMILIES for each in one.commands), key=_place))
BY_WORD = {word: each for each in COMMANDS for word in (each.name, *each.aliases)}
