"""What `twistd chat` can be told on the command line."""

import re
import socket
from pathlib import Path
from typing import Any, ClassVar

from twisted.internet.endpoints import quoteStringArgument, serverFromString
from twisted.python import usage

from twisted_chat import text
from twisted_chat.limits import Limits, Pace
from twisted_chat.refusal import Refused
from twisted_chat.stores.schema import Unusable, open_database

BACKLOG = 4096
"""Connections that wait to be accepted; with fewer, a storm loses clients without a word."""


def port(value: str) -> int:
    """A TCP port; 0 picks a free one."""
    number = _number(value)
    if not 0 <= number <= 65535:
        raise ValueError(f"{value} is not between 0 and 65535")
    return number


def _number(value: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,9}", value):
        raise ValueError(f"{value!r} is no whole number")
    return int(value)


def count(value: str) -> int:
    """How many of something."""
    number = _number(value)
    if number < 1:
        raise ValueError(f"{value} is less than 1")
    return number


def pace(value: str) -> Pace | None:
    """`LINES/SECONDS`, or `off`."""
    if value == "off":
        return None
    match = re.fullmatch(r"(\d+)/(\d+(?:\.\d+)?)", value)
    if match is None or int(match[1]) < 1 or float(match[2]) <= 0:
        raise ValueError(f"{value!r} is neither off nor LINES/SECONDS, such as 10/5")
    return Pace(int(match[1]), float(match[2]))


def sync(value: str) -> str:
    """What a commit survives."""
    if value not in ("normal", "full"):
        raise ValueError(f"{value!r} is neither normal nor full")
    return value


def span(value: str) -> float | None:
    """A time such as 90d or 12h, in seconds; `forever` is None."""
    if value == "forever":
        return None
    match = re.fullmatch(r"(\d+)([hdw])", value)
    if match is None or int(match[1]) < 1:
        raise ValueError(f"{value!r} is neither forever nor a time such as 12h, 90d or 52w")
    return int(match[1]) * {"h": 3600.0, "d": 86400.0, "w": 604800.0}[match[2]]


span.coerceDoc = "Must be forever, or a time such as 12h, 90d or 52w."  # type: ignore[attr-defined]
port.coerceDoc = "Must be a number from 0 to 65535."  # type: ignore[attr-defined]  # Twisted's way
count.coerceDoc = "Must be a number from 1 on."  # type: ignore[attr-defined]
sync.coerceDoc = "Must be normal or full."  # type: ignore[attr-defined]
pace.coerceDoc = "Must be off, or LINES/SECONDS such as 10/5."  # type: ignore[attr-defined]


class Options(usage.Options):
    """The options of `twistd chat`."""

    longdesc = (
        "A chat room that anyone can join with netcat, telnet or its own client, twisted-chat."
    )
    optParameters: ClassVar[list[list[Any]]] = [
        ["port", "p", 5000, "TCP port to listen on; 0 picks a free one.", port],
        ["interface", "i", None, "Address to listen on [default: all, IPv4 and IPv6]."],
        ["name", None, "Twisted Chat", "What the server calls itself."],
        ["motd", None, None, "File with lines for everybody who comes."],
        ["max-clients", None, Limits.clients, "Connections at once.", count],
        ["flood", None, Limits.pace, "How fast one may talk: off or LINES/SECONDS.", pace],
        ["db", None, "chat.sqlite", "Database where everything said is kept."],
        [
            "sync",
            None,
            "normal",
            "What is shown survives the process's death (normal), or the machine's too (full).",
            sync,
        ],
        [
            "keep",
            None,
            None,
            "How long what was said is kept, such as 90d [default: forever]",
            span,
        ],
        ["transcript", None, None, "File to write what the rooms say to; - is the console."],
    ]

    optFlags: ClassVar[list[list[Any]]] = [
        ["no-db", None, "Keep everything in memory, as far as it goes."],
    ]

    def __init__(self) -> None:
        super().__init__()
        self.endpoints: list[str] = []
        self.motd: list[str] = []

    def opt_endpoint(self, description: str) -> None:
        """Listen on this Twisted endpoint instead of a port, such as
        ssl:5001:privateKey=key.pem:certKey=cert.pem, unix:/run/chat.sock, or haproxy:tcp:5002.
        May be given several times."""
        self.endpoints.append(description)

    opt_e = opt_endpoint

    def postOptions(self) -> None:
        """Check everything before anything starts."""
        from twisted.internet import reactor  # chosen by twistd by now

        for description in self.endpoints:
            try:
                serverFromString(reactor, description)
            except Exception as error:
                raise usage.UsageError(f"cannot use endpoint {description!r}: {error}") from error
        try:
            self["name"] = text.clean(self["name"], 100).text
        except Refused:
            raise usage.UsageError("--name has characters that no screen can show") from None
        if self["motd"] is not None:
            self.motd = _read(Path(self["motd"]))
        if self.database is not None and self.database.exists():
            try:
                open_database(self.database, full=self.is_sync_full).close()
            except Unusable as error:
                raise usage.UsageError(str(error)) from error
        if not self.endpoints:
            self.endpoints = [_listen(self["port"], self["interface"])]

    @property
    def database(self) -> Path | None:
        """Where everything is kept; None for memory."""
        return None if self["no-db"] else Path(self["db"])

    @property
    def is_sync_full(self) -> bool:
        """Whether what is shown survives the machine's death too."""
        return bool(self["sync"] == "full")

    @property
    def limits(self) -> Limits:
        """The limits that were asked for."""
        return Limits(clients=self["max-clients"], pace=self["flood"])


def _listen(number: int, interface: str | None) -> str:
    if interface is None:
        interface = "::" if socket.has_dualstack_ipv6() else ""
    return f"tcp:{number}:interface={quoteStringArgument(interface)}:backlog={BACKLOG}"


def _read(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return [text.clean(line, Limits.line_bytes).text for line in lines]
    except OSError as error:
        raise usage.UsageError(f"cannot read --motd {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise usage.UsageError(f"--motd {path} is not UTF-8") from error
    except Refused as refusal:
        raise usage.UsageError(f"--motd {path} cannot be shown: {refusal.text}") from refusal
