"""What `twistd chat` can be told on the command line."""

import os
import socket
import sys
from collections.abc import Callable, Sequence
from dataclasses import fields
from getopt import GetoptError, getopt
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from twisted.internet.endpoints import quoteStringArgument, serverFromString
from twisted.python import usage

from twisted_chat.frontends.networks import Networks
from twisted_chat.limits import Limits
from twisted_chat.refusal import Refused
from twisted_chat.service import config, values
from twisted_chat.stores.sqlite.schema import Unusable, open_to_read
from twisted_chat.text import cleaning

BACKLOG = 4096
"""Connections that wait to be accepted; with fewer, a storm loses clients without a word."""

_T = TypeVar("_T")


def _limit_name(limit: Any) -> str:
    name: str = limit.metadata["option"] or limit.name.replace("_", "-")
    return name


class Options(usage.Options):
    """The options of `twistd chat`, from the command line and from a file.

    Args:
        is_again: whether a server that runs reads them again, and has its database open.
    """

    longdesc = (
        "A chat room that anyone can join with netcat, telnet or its own client, twisted-chat."
    )
    everyday: ClassVar[list[list[Any]]] = [
        ["port", "p", 5000, "TCP port to listen on; 0 picks a free one.", values.port],
        ["interface", "i", None, "Address to listen on [default: all, IPv4 and IPv6].", str],
        ["name", None, "Twisted Chat", "What the server calls itself.", str],
        ["motd", None, None, "File with lines for everybody who comes.", str],
        ["db", None, "chat.sqlite", "Database where everything said is kept.", str],
        [
            "sync",
            None,
            "normal",
            "What is shown survives the process's death (normal), or the machine's too (full).",
            values.sync,
        ],
        [
            "keep",
            None,
            None,
            "How long what was said is kept, such as 90d [default: forever]",
            values.span,
        ],
        ["transcript", None, None, "File to write what the rooms say to; - is the console.", str],
        ["config", "c", None, "File with options (TOML), read again on SIGHUP.", str],
        ["ban-file", None, None, "File with addresses and networks that may not connect.", str],
        [
            "allow-file",
            None,
            None,
            "File with those that are neither banned nor limited by address.",
            str,
        ],
        [
            "metrics",
            None,
            None,
            "[ADDRESS:]PORT for Prometheus (/metrics) and /healthz; 127.0.0.1 by default.",
            values.place,
        ],
        ["log-format", None, "text", "How the log looks: text or json.", values.log_format],
    ]
    limit_parameters: ClassVar[list[list[Any]]] = [
        [
            _limit_name(limit),
            None,
            limit.default,
            limit.metadata["told"],
            values.pace_or_off if limit.name == "pace" else values.limit(limit.default),
        ]
        for limit in fields(Limits)
    ]
    optParameters: ClassVar[list[list[Any]]] = everyday + limit_parameters

    optFlags: ClassVar[list[list[Any]]] = [
        ["no-db", None, "Keep everything in memory, as far as it goes."],
        ["check", None, "Check the options and the files that they name, and do no more."],
    ]

    def __init__(self, *, is_again: bool = False) -> None:
        super().__init__()
        self.endpoints: list[str] = []
        self.motd: list[str] = []
        self.banned = Networks()
        self.allowed = Networks()
        self._is_again = is_again
        self._arguments: list[str] = []

    def opt_endpoint(self, description: str) -> None:
        """Listen on this Twisted endpoint instead of a port, such as
        ssl:5001:privateKey=key.pem:certKey=cert.pem, unix:/run/chat.sock, or haproxy:tcp:5002.
        May be given several times."""
        self.endpoints.append(description)

    opt_e = opt_endpoint

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """Take over what the command line says, and before that what its file says."""
        self._arguments = list(sys.argv[1:] if options is None else options)
        given = self._given()
        try:
            super().parseOptions(self._from_file(given) + self._arguments)
        except usage.UsageError as error:
            if any(
                name == "check" for name, _ in given
            ):  # its answer is one line, without the list of options
                sys.stderr.write(f"twisted-chat: {error}\n")
                raise SystemExit(1) from None
            raise
        if self["check"]:
            sys.stdout.write("twisted-chat: these options can be had\n")
            raise SystemExit(0)

    def again(self) -> "Options":
        """The same command line, with its files as they are now.

        Raises:
            usage.UsageError: what is wrong with them.
        """
        options = Options(is_again=True)
        options.parseOptions(self._arguments)
        return options

    def _given(self) -> list[tuple[str, str]]:
        """What the command line has, by full names: Twisted takes `-cFILE` and `--conf` too."""
        try:
            given, _ = getopt(self._arguments, self.shortOpt, self.longOpt)
        except GetoptError:  # Twisted says what is wrong
            return [("check", "")] if "--check" in self._arguments else []
        return [(self.synonyms[word.lstrip("-")], value) for word, value in given]

    def _from_file(self, given: list[tuple[str, str]]) -> list[str]:
        paths = [Path(value) for name, value in given if name == "config"]
        if not paths:
            return []
        if len(paths) > 1:
            raise usage.UsageError("there can be one --config: write everything into one file")
        known: dict[str, Callable[[str], Any] | None]
        known = {name: convert for name, _, _, _, convert in self.optParameters}
        known |= {name: None for name, _, _ in self.optFlags}
        try:
            words = config.arguments(paths[0], known | {"endpoint": str})
        except config.Mistake as mistake:
            raise usage.UsageError(str(mistake)) from mistake
        if any(name == "endpoint" for name, _ in given):
            words = [word for word in words if not word.startswith("--endpoint=")]
        return words

    def postOptions(self) -> None:
        """Check everything before anything starts."""
        from twisted.internet import reactor  # chosen by twistd by now

        for description in self.endpoints:
            try:
                serverFromString(reactor, description)
            except Exception as error:
                raise usage.UsageError(f"cannot use endpoint {description!r}: {error}") from error
        try:
            self["name"] = cleaning.clean(self["name"], 100).text
        except Refused:
            raise usage.UsageError("--name has characters that no screen can show") from None
        if self["metrics"] is not None and find_spec("prometheus_client") is None:
            raise usage.UsageError(
                "--metrics needs prometheus_client: pip install 'twisted-chat[metrics]'"
            )
        if self["line-bytes"] > self["input-bytes"]:
            raise usage.UsageError("--line-bytes may not be more than --input-bytes")
        self.motd = self._lines_of("motd", lambda lines: [_shown(line) for line in lines])
        self.banned = self._lines_of("ban-file", Networks)
        self.allowed = self._lines_of("allow-file", Networks)
        if self.database is not None and not self._is_again:
            self._check_database(self.database)
        if not self.endpoints:
            self.endpoints = [_listen(self["port"], self["interface"])]

    def _lines_of(self, option: str, understand: Callable[[Sequence[str]], _T]) -> _T:
        name = self[option]
        if name is None:
            return understand([])
        try:
            return understand(Path(name).read_text(encoding="utf-8").splitlines())
        except OSError as error:
            raise usage.UsageError(f"cannot read --{option} {name}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise usage.UsageError(f"--{option} {name} is not UTF-8") from error
        except Refused as why:
            raise usage.UsageError(f"--{option} {name} cannot be shown: {why.text}") from why
        except ValueError as error:
            raise usage.UsageError(f"--{option} {name}, {error}") from error

    def _check_database(self, path: Path) -> None:
        if path.exists():
            try:
                open_to_read(path, oldest=0).close()  # the server brings it up to date
            except Unusable as error:
                raise usage.UsageError(str(error)) from error
            if not os.access(path, os.W_OK):
                raise usage.UsageError(f"cannot use the database {path}: it is read-only")
        elif self["check"] and not os.access(path.parent, os.W_OK):
            raise usage.UsageError(f"cannot make the database {path}: may you write there?")

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
        return Limits(**{limit.name: self[_limit_name(limit)] for limit in fields(Limits)})


def _shown(line: str) -> str:
    return cleaning.clean(line, Limits.line_bytes).text


def _listen(number: int, interface: str | None) -> str:
    if interface is None:
        interface = "::" if socket.has_dualstack_ipv6() else ""
    return f"tcp:{number}:interface={quoteStringArgument(interface)}:backlog={BACKLOG}"
