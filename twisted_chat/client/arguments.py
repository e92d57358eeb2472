"""The command line of `twisted-chat`."""

import argparse
import getpass
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from twisted_chat.client.patience import FOR_EVER, NEVER, SCRIPT, Patience
from twisted_chat.client.place import HOST, PORT, Place, places
from twisted_chat.client.trust import fingerprint
from twisted_chat.limits import Limits
from twisted_chat.refusal import Refused
from twisted_chat.text.names import nickname

UNTRUSTED = 3
"""The exit status if the server's certificate is not trusted; argparse has 2."""


@dataclass(frozen=True)
class Arguments:
    """What was asked for; an empty `nick` or `room` means that nothing was."""

    places: tuple[Place, ...]
    """Where the chat is, in the order in which to try."""
    nick: str
    room: str
    plain: bool
    json: bool
    patience: Patience
    bell: bool
    is_anywhere: bool
    """Whether no host was given, so that one may be looked for."""
    fingerprint: str | None
    password: str = field(default="", repr=False)


def parse(argv: Sequence[str], *, can_ask: bool) -> Arguments:
    """The arguments; ends the program, with a line that says why, if they make no sense.

    Args:
        argv: what was typed.
        can_ask: whether there is a person who can be asked for a nickname later.
    """
    parser = make_parser()
    given = parser.parse_args(argv)
    try:
        where = places(given.host or HOST, given.port, tls=given.tls or bool(given.fingerprint))
    except ValueError as why:
        parser.error(str(why))
    if any(each.tls for each in where) and find_spec("OpenSSL") is None:
        parser.error("--tls needs a library: pip install 'twisted[tls]'")
    nick = _login_name() if given.nick is None else given.nick.strip()
    if not nick and (given.nick is not None or given.json or not can_ask):
        parser.error("no nickname: give one with --nick NICK")
    password = _password(parser, given, nick)
    patience = given.patience or (FOR_EVER if can_ask and not given.json else SCRIPT)
    if given.time is not None:
        patience = Patience(given.time, given.time)
    return Arguments(
        where,
        nick,
        given.room,
        given.plain,
        given.json,
        patience,
        given.bell,
        is_anywhere=given.host is None and can_ask,
        fingerprint=given.fingerprint,
        password=password,
    )


def _password(parser: argparse.ArgumentParser, given: argparse.Namespace, nick: str) -> str:
    if given.password_file is None:
        return getpass.getpass(f"Password for {nick}: ") if given.login else ""
    try:
        lines = given.password_file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as why:
        parser.error(f"cannot read --password-file {given.password_file}: {why}")
    if not lines or not lines[0].strip():
        parser.error(f"--password-file {given.password_file} has no password in its first line")
    return str(lines[0].strip())


def _fingerprint(text: str) -> str:
    try:
        return fingerprint(text)
    except ValueError as why:
        raise argparse.ArgumentTypeError(str(why)) from why


def _seconds(text: str) -> float:
    number = re.fullmatch(r"(\d{1,6})([smh]?)", text, re.ASCII)
    if not number:
        raise argparse.ArgumentTypeError(f"must be a time such as 30s, 5m or 1h, not {text!r}")
    return float(number[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[number[2]]


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
        epilog="In a pipe, every input line is sent; the exit status is 0 if all were accepted. "
        "It fails at once if there is no server; if the connection breaks later, it tries to "
        f"reconnect for {SCRIPT.later:.0f} seconds. The exit status is {UNTRUSTED} if the server's "
        "certificate is not trusted.",
    )
    parser.add_argument(
        "host",
        nargs="?",
        metavar="HOST",
        help="or unix:PATH, or several with commas: if one is gone, the next is used; "
        f"default: {HOST}, or else a server on the local network",
    )
    parser.add_argument("port", nargs="?", metavar="PORT", help=f"default: {PORT}")
    parser.add_argument(
        "--tls", action="store_true", help="connect with TLS; nobody can read along on the way"
    )
    parser.add_argument(
        "--fingerprint",
        type=_fingerprint,
        metavar="SHA256:...",
        help="with TLS, and only if the server's certificate has this fingerprint",
    )
    parser.add_argument("--nick", help="your nickname (default: your login name)")
    proof = parser.add_mutually_exclusive_group()
    proof.add_argument(
        "--login", action="store_true", help="ask for the password of your registered nickname"
    )
    proof.add_argument(
        "--password-file", type=Path, metavar="FILE", help="the first line of FILE is the password"
    )
    parser.add_argument("--room", default="", help="the room to talk in; joined if necessary")
    look = parser.add_mutually_exclusive_group()
    look.add_argument("--plain", action="store_true", help="no colours, no cursor movement")
    look.add_argument("--json", action="store_true", help="print what the server sends, as JSON")
    parser.add_argument(
        "--no-bell",
        dest="bell",
        action="store_false",
        help="no bell or notification when somebody says your name or whispers to you",
    )
    again = parser.add_mutually_exclusive_group()
    again.add_argument(
        "--reconnect",
        dest="patience",
        action="store_const",
        const=FOR_EVER,
        help="keep trying to connect (the default at a terminal)",
    )
    again.add_argument(
        "--no-reconnect",
        dest="patience",
        action="store_const",
        const=NEVER,
        help="exit when the connection fails or is lost",
    )
    again.add_argument(
        "--wait",
        dest="time",
        type=_seconds,
        help="keep trying to connect for at most this long, such as 30s",
    )
    parser.add_argument("--version", action="version", version=f"twisted-chat {_version()}")
    return parser


def _version() -> str:
    try:
        return metadata.version("twisted-chat")
    except metadata.PackageNotFoundError:
        return "(not installed)"
