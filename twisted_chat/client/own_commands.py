"""The commands that the client does itself: they are about this screen, not about the chat."""

from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from twisted_chat.client.alerts import LEVELS, Alerts
from twisted_chat.client.conversation import Conversation
from twisted_chat.client.focus import Focus
from twisted_chat.client.incoming import Command
from twisted_chat.client.typed import Typed


class Desk(Protocol):
    """What the commands are about."""

    conversation: Conversation
    focus: Focus
    alerts: Alerts

    def told(self, text: str) -> None:
        """Say what has become of a command."""

    def refused(self, text: str) -> None:
        """Say that something cannot be done."""

    def clear(self) -> None:
        """Clear the screen."""


def run(typed: Typed, desk: Desk) -> bool:
    """Do a command if it is one of these; says whether it was."""
    known = _BY_NAME.get(typed.word)
    if known is not None:
        known.do(typed.argument, desk)
    elif typed.word == "/help" and (about := _BY_NAME.get("/" + typed.argument.lstrip("/"))):
        desk.told(_help(about.command))
    else:
        return False
    return True


def help_lines(others: Iterable[Command]) -> tuple[str, ...]:
    """What is said about those of these commands that are not listed among the others."""
    listed = {command.name for command in others}
    own = (_help(command) for command in COMMANDS if command.name not in listed)
    return ("Commands of this client:", *own)


def _help(command: Command) -> str:
    return f"{command.name} {command.usage}".rstrip() + f": {command.help}"


def _query(nick: str, desk: Desk) -> None:
    model = desk.conversation.model
    before, model.query = model.query, nick.removeprefix("@")
    if model.query:
        desk.told(f"What you type is whispered to {model.query} from now on. /query ends it.")
    elif before:
        desk.told(f"What you type goes to {model.current} again.")
    else:
        desk.told("Usage: /query NICK")


def _view(which: str, desk: Desk) -> None:
    if which not in ("", "room", "all"):
        desk.refused("Usage: /view room or /view all")
        return
    if which == "room":
        desk.focus.narrow = True
    elif which == "all":
        desk.focus.widen()
    if desk.focus.narrow:
        desk.told("You now see the current room, and whispers. /view all shows all rooms.")
    else:
        desk.told("You now see all your rooms. /view room shows only the current one.")


def _bell(level: str, desk: Desk) -> None:
    if level and level not in LEVELS:
        desk.refused(f"Usage: /bell {', '.join(LEVELS[:-1])} or {LEVELS[-1]}")
        return
    desk.alerts.level = level or desk.alerts.level
    desk.told(desk.alerts.sentence)


def _send(path: str, desk: Desk) -> None:
    desk.conversation.send_file(path)


def _clear(_: str, desk: Desk) -> None:
    desk.clear()


def _reconnect(_: str, desk: Desk) -> None:
    desk.conversation.reconnect()


class _Own(NamedTuple):
    command: Command
    do: Callable[[str, Desk], None]


_TABLE = (
    _Own(Command("/query", "[NICK]", (), "whisper everything you type to NICK, or stop"), _query),
    _Own(Command("/send", "FILE", (), "send a file to the room"), _send),
    _Own(Command("/view", "[room|all]", (), "show only the current room, or all"), _view),
    _Own(Command("/bell", f"[{'|'.join(LEVELS)}]", (), "ring your terminal's bell"), _bell),
    _Own(Command("/clear", "", (), "clear the screen"), _clear),
    _Own(Command("/reconnect", "", (), "reconnect now"), _reconnect),
)
_BY_NAME = {each.command.name: each for each in _TABLE}
COMMANDS = tuple(each.command for each in _TABLE)
