"""What one types behind `twisted-chat`: where the server is, and who one is."""

import argparse
import getpass
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata

from twisted_chat.limits import Limits
from twisted_chat.names import nickname
from twisted_chat.refusal import Refused

HOST = "127.0.0.1"
PORT = 5000


@dataclass(frozen=True)
class Arguments:
    """What was asked for; an empty `nick` or `room` means that nothing was."""

    host: str
    port: int
    nick: str
    room: str
    plain: bool
    json: bool
    reconnect: bool


def parse(argv: Sequence[str], *, can_ask: bool) -> Arguments:
    """The arguments; ends the program, with a line that says why, if they make no sense.

    Args:
        argv: what was typed.
        can_ask: whether there is a person who can be asked for a nickname later.
    """
    parser = make_parser()
    given = parser.parse_args(argv)
    try:
        host, port = place(given.host, given.port)
    except ValueError as why:
        parser.error(str(why))
    nick = _login_name() if given.nick is None else given.nick.strip()
    if not nick and (given.nick is not None or given.json or not can_ask):
        parser.error("which nickname? Say it with --nick NICK")
    return Arguments(host, port, nick, given.room, given.plain, given.json, given.reconnect)


def place(host: str, port: str | None) -> tuple[str, int]:
    """A host and a port out of `HOST`, `HOST PORT`, `HOST:PORT`, `[::1]:5000` or `::1`.

    Raises:
        ValueError: it is none of these, and why.
    """
    address, colon, after = host.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif colon and (address.endswith("]") or ":" not in address):
        if port is not None:
            raise ValueError(f"two ports, {after} and {port}: say one")
        host, port = address.strip("[]"), after
    if port is None:
        return host or HOST, PORT
    if not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
        raise ValueError(f"a port is a number from 1 to 65535, not {port!r}")
    return host or HOST, int(port)


def _login_name() -> str:
    try:
        return nickname(getpass.getuser(), Limits())
    except (Refused, OSError, KeyError):  # no user of that number
        return ""


def make_parser() -> argparse.ArgumentParser:
    """What is understood on the command line."""
    parser = argparse.ArgumentParser(
        prog="twisted-chat",
        description="Chat at a terminal, or send lines from a pipe.",
        epilog="In a pipe every line of the input is sent, and the status is 0 if all were taken.",
    )
    parser.add_argument("host", nargs="?", default=HOST, metavar="HOST", help=f"default: {HOST}")
    parser.add_argument("port", nargs="?", metavar="PORT", help=f"default: {PORT}")
    parser.add_argument("--nick", help="your nickname (default: your login name)")
    parser.add_argument("--room", default="", help="the room to type into; joined if need be")
    look = parser.add_mutually_exclusive_group()
    look.add_argument("--plain", action="store_true", help="no colours, no moving cursor")
    look.add_argument("--json", action="store_true", help="print what the server sends, as objects")
    parser.add_argument(
        "--no-reconnect",
        dest="reconnect",
        action="store_false",
        help="end when the connection cannot be made, or is lost",
    )
    parser.add_argument("--version", action="version", version=f"twisted-chat {_version()}")
    return parser


def _version() -> str:
    try:
        return metadata.version("twisted-chat")
    except metadata.PackageNotFoundError:
        return "(not installed)"
