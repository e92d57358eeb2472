"""The options of `twistd chat`, from the command line and files, checked before the start."""

import difflib
import socket
import sys
from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import partial
from getopt import GetoptError, getopt
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeVar

from twisted.python import usage

from twisted_chat.frontends.networks import Networks
from twisted_chat.limits import Limits
from twisted_chat.refusal import Refused
from twisted_chat.service import checks, child, config, values
from twisted_chat.service.auth import make_portal
from twisted_chat.service.endpoints import below_tls, tcp_endpoint
from twisted_chat.service.known_options import (
    AT_START,
    BY_NAME,
    LIMITS,
    Option,
    help_text,
    limits_text,
)
from twisted_chat.text import cleaning, names

if TYPE_CHECKING:
    from twisted_chat.service.tls import Pair  # an extra

BACKLOG = 4096
"""Connections waiting to be accepted; with fewer, a burst of clients is dropped silently."""

ADDRESSES = 16
"""So many addresses of the chat are told to everybody who comes."""

SERVER = "twisted-chat-server"
"""The command that needs no `twistd`."""

_T = TypeVar("_T")


def _coerced(option: Option, value: str) -> Any:
    """A value that the command line has, or one line that names its option."""
    try:
        return option.read(value)
    except ValueError as error:
        raise usage.UsageError(f"--{option.name} {error}") from error


class Options(usage.Options):
    """The options of `twistd chat`, from the command line and from a file.

    Args:
        is_again: whether a running server reloads them, and has its database open.
    """

    optParameters: ClassVar[list[list[Any]]] = [
        [option.name, option.short, option.default, option.told, partial(_coerced, option)]
        for option in BY_NAME.values()
        if not option.is_flag and not option.is_list
    ]
    optFlags: ClassVar[list[list[Any]]] = [
        [option.name, option.short, option.told] for option in BY_NAME.values() if option.is_flag
    ]

    def __init__(self, *, is_again: bool = False) -> None:
        super().__init__()
        self.fixed: list[str] = []
        """Those out of the file that only a restart can change."""
        self.endpoints: list[str] = []
        self.addresses: list[str] = []
        self.admins: list[str] = []
        self.web_endpoints: list[str] = []
        self.web_origins: list[str] = []
        self.web_proxies: list[str] = []
        self.pair: Pair | None = None
        self.motd: list[str] = []
        self.banned = Networks()
        self.allowed = Networks()
        self._files: dict[str, Sequence[str]] = {}  # the lines of those that options name
        self._is_again = is_again
        self._arguments: list[str] = []

    def opt_endpoint(self, description: str) -> None:
        """See `known_options`."""
        self.endpoints.append(description)

    opt_e = opt_endpoint

    def opt_join_with(self, addresses: str) -> None:
        """See `known_options`."""
        self.addresses += _coerced(BY_NAME["join-with"], addresses)

    def opt_admin(self, name: str) -> None:
        """See `known_options`."""
        try:
            self.admins.append(names.nickname(name, Limits()))
        except Refused as why:
            raise usage.UsageError(f"--admin: {why.text}") from why

    def opt_web_endpoint(self, description: str) -> None:
        """See `known_options`."""
        self.web_endpoints.append(description)

    def opt_web_origin(self, origin: str) -> None:
        """See `known_options`."""
        self.web_origins.append(_coerced(BY_NAME["web-origin"], origin))

    def opt_web_proxy(self, network: str) -> None:
        """See `known_options`."""
        self.web_proxies.append(_coerced(BY_NAME["web-proxy"], network))

    def opt_help_limits(self) -> NoReturn:
        """Show the options that set limits."""
        sys.stdout.write(limits_text())
        raise SystemExit(0)

    def opt_version(self) -> NoReturn:
        """Show the version."""
        sys.stdout.write(f"twisted-chat {metadata.version('twisted-chat')}\n")
        raise SystemExit(0)

    def getSynopsis(self) -> str:
        """The usage line of the command."""
        command = Path(sys.argv[0]).name
        return f"Usage: {command if command == SERVER else 'twistd -n chat'} [options]"

    def getUsage(self, width: int | None = None) -> str:
        """The options by group, without the limits."""
        return (
            "\nA chat room that anyone can join with netcat, telnet or twisted-chat.\n"
            f"\n{help_text()}"
        )

    def parseArgs(self, *words: str) -> None:
        """Refuse arguments that are not options."""
        if words:
            raise usage.UsageError(f"{words[0]!r} is not an option: options begin with --")

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """Parse the configuration file, then the command line, which overrides it.

        Raises:
            usage.UsageError: what is wrong with them; if they are part of a command line, the
                program prints that line and exits, without the list of all options.
        """
        self._arguments = list(sys.argv[1:] if options is None else options)
        try:
            super().parseOptions(self._from_file(self._given()) + self._arguments)
            if self["check"]:
                checks.check_start(self)
        except usage.UsageError as error:
            if self.parent is None:
                raise
            sys.stderr.write(f"twisted-chat: {error}{self._meant(str(error))}\n")
            raise SystemExit(1) from None
        if self["check"]:
            sys.stdout.write("twisted-chat: the options are valid, and the server can start\n")
            raise SystemExit(0)

    def _meant(self, told: str) -> str:
        """What to do about an unknown option."""
        word = next((word for word in told.split() if word.startswith("--")), "")
        if "not recognized" not in told:
            return ""
        close = difflib.get_close_matches(word.lstrip("-"), BY_NAME, 1)
        return f": did you mean --{close[0]}?" if close else ": --help lists the options"

    @property
    def arguments(self) -> list[str]:
        """The command line of the chat, without what is twistd's own."""
        return list(self._arguments)

    def again(self) -> "Options":
        """The same command line with its files read again.

        Raises:
            usage.UsageError: what is wrong with them.
        """
        options = Options(is_again=True)
        options.parseOptions(self._arguments)
        return options

    def differences(self, other: "Options") -> set[str]:
        """The names of options that have another value, or whose files have, in other options."""
        changed = {name for name in self if self[name] != other[name]}
        changed |= {name for name in self if self._files.get(name) != other._files.get(name)}
        lists, others = self._lists(), other._lists()
        changed |= {name for name, values in lists.items() if values != others[name]}
        if changed & {"port", "tls-port"}:  # from which the endpoints are made
            changed.discard("endpoint")
        if "web-port" in changed:
            changed.discard("web-endpoint")
        return changed

    def _lists(self) -> dict[str, list[str]]:
        return {
            "admin": self.admins,
            "endpoint": self.endpoints,
            "join-with": self.addresses,
            "web-endpoint": self.web_endpoints,
            "web-origin": self.web_origins,
            "web-proxy": self.web_proxies,
        }

    def _given(self) -> list[tuple[str, str]]:
        """The options given, by full name, since Twisted accepts `-cFILE` and `--conf`."""
        try:
            given, _ = getopt(self._arguments, self.shortOpt, self.longOpt)
        except GetoptError:  # Twisted says what is wrong
            return []
        return [(self.synonyms[word.lstrip("-")], value) for word, value in given]

    def _from_file(self, given: list[tuple[str, str]]) -> list[str]:
        paths = [Path(value) for name, value in given if name == "config"]
        if not paths:
            return []
        if len(paths) > 1:
            raise usage.UsageError("--config can be given only once: put everything in one file")
        try:
            words = config.arguments(paths[0], BY_NAME)
        except config.Mistake as mistake:
            raise usage.UsageError(str(mistake)) from mistake
        lists = {name for name, _ in given if name in BY_NAME and BY_NAME[name].is_list}
        words = [word for word in words if _named(word) not in lists]
        self.fixed = [word for word in words if _named(word) in AT_START]
        start = child.told()
        if start is None:
            return words
        return [*(word for word in words if _named(word) not in AT_START), *start.fixed]

    def postOptions(self) -> None:
        """Check everything that can be checked without starting anything."""
        for option, endpoints in (
            ("endpoint", self.endpoints),
            ("web-endpoint", self.web_endpoints),
        ):
            for description in endpoints:
                is_start = not self["check"] and child.told() is None
                checks.check_endpoint(option, description, is_start=is_start)
        try:
            self["name"] = cleaning.clean(self["name"], 100)
        except Refused:
            raise usage.UsageError("--name has characters that cannot be displayed") from None
        for option, module in (("qr", "segno"), ("announce", "zeroconf")):
            if self[option] and find_spec(module) is None:
                raise usage.UsageError(f"--{option} needs a library: pip install '{module}'")
        if self["metrics"] is not None and find_spec("prometheus_client") is None:
            raise usage.UsageError(
                "--metrics needs prometheus-client: pip install prometheus-client"
            )
        if self["auth"] is not None:
            try:
                make_portal(self["auth"])
            except ValueError as error:
                raise usage.UsageError(f"cannot use --auth {error}") from error
        self.addresses = list(dict.fromkeys(self.addresses))
        if len(self.addresses) > ADDRESSES:
            raise usage.UsageError(f"--join-with can name at most {ADDRESSES} addresses")
        if self["files"] is not None and self["no-db"]:
            raise usage.UsageError(
                "--files needs a database: with --no-db, files last as long as the server runs"
            )
        if self["processes"] is not None:
            self._check_processes()
        if self["line-bytes"] > self["input-bytes"]:
            raise usage.UsageError("--line-bytes must not be more than --input-bytes")
        self.motd = self._lines_of("motd", _shown)
        self.banned = self._lines_of("ban-file", Networks)
        self.allowed = self._lines_of("allow-file", Networks)
        if not self.endpoints:
            self.endpoints = [_listen(self["port"], self["interface"])]
        if self["tls-port"] is not None:
            tcp = _listen(self["tls-port"], self["interface"])
            self.endpoints.append("ssl:" + tcp.removeprefix("tcp:"))
        if self["web-port"] is not None:
            self.web_endpoints.insert(0, _listen(self["web-port"], self["interface"]))
        self._read_certificate()
        if not self._is_again:
            if self.database is not None:
                checks.check_database(self.database)
            if self.files is not None and not self["no-files"]:
                checks.check_folder(self.files)
            if self.postgres is not None:
                checks.check_psycopg()
            if self.parent is not None:
                checks.check_files_of_twistd(self.parent)

    def _check_processes(self) -> None:
        if self.postgres is None:
            raise usage.UsageError(
                "--processes needs --db postgresql://...: a file, or memory, is for one process"
            )
        if self["transcript"] is not None:
            raise usage.UsageError(
                "--transcript is for one process: leave out --processes or --transcript"
            )

    def _read_certificate(self) -> None:
        """Read the server's certificate, if one is needed and exists already."""
        wanted = self._what_needs_tls()
        if wanted is None:
            return
        if find_spec("OpenSSL") is None:
            raise usage.UsageError(f"--{wanted} needs TLS: pip install 'twisted[tls]'")
        if self["tls-key"] is not None and self["tls-cert"] is None:
            raise usage.UsageError("--tls-key needs --tls-cert: the certificate for this key")
        path = Path(self["tls-cert"]) if self["tls-cert"] else self.made_certificate
        if path is None or not (path.exists() or self["tls-cert"]):
            return
        from twisted_chat.service import tls  # an extra

        try:
            self.pair = tls.read(path, Path(self["tls-key"]) if self["tls-key"] else path)
        except tls.BadCertificate as why:
            option = "--tls-cert: " if self["tls-cert"] else ""
            raise usage.UsageError(f"{option}{why}") from why

    def _what_needs_tls(self) -> str | None:
        """The option that needs a certificate, if there is one."""
        for name in ("tls-port", "tls-cert", "tls-key"):
            if self[name] is not None:
                return name
        if any(map(below_tls, self.endpoints)):
            return "endpoint"
        return "web-endpoint" if self.has_tls else None

    @property
    def has_tls(self) -> bool:
        """Whether any port uses the server's certificate."""
        at_all_ports = self["one-port"] == "on" and self["tls-cert"] is not None
        return at_all_ports or any(map(below_tls, (*self.endpoints, *self.web_endpoints)))

    @property
    def made_certificate(self) -> Path | None:
        """The file of the certificate that the server creates; None without a database."""
        return self._beside and self._beside.with_suffix(".tls.pem")

    def _lines_of(self, option: str, understand: Callable[[Sequence[str]], _T]) -> _T:
        name = self[option]
        if name is None:
            return understand([])
        try:
            lines = self._files[option] = Path(name).read_text(encoding="utf-8").splitlines()
            return understand(lines)
        except OSError as error:
            raise usage.UsageError(f"cannot read --{option} {name}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise usage.UsageError(f"--{option} {name} is not UTF-8") from error
        except ValueError as error:
            raise usage.UsageError(f"--{option} {name}, {error}") from error

    @property
    def database(self) -> Path | None:
        """The database file; None if there is none."""
        return None if self["no-db"] or self.postgres is not None else Path(self["db"])

    @property
    def postgres(self) -> str | None:
        """The address of the PostgreSQL database; None if everything is kept elsewhere."""
        is_url = values.is_postgres(self["db"])
        return self["db"] if is_url and not self["no-db"] else None

    @property
    def files(self) -> Path | None:
        """The folder for files that people send; None if they go with all else, or with nothing."""
        if self["files"] is not None:
            return Path(self["files"])
        return self.database and self.database.with_suffix(".files")

    @property
    def _beside(self) -> Path | None:
        """What else is kept is called as this is; None if nothing is."""
        return Path("chat") if self.postgres is not None else self.database

    @property
    def is_sync_full(self) -> bool:
        """Whether everything shown survives a power cut too."""
        return bool(self["sync"] == "full")

    @property
    def limits(self) -> Limits:
        """The limits that were asked for."""
        names = (limit.name for limit in fields(Limits))
        return Limits(
            **{name: self[option.name] for name, option in zip(names, LIMITS, strict=True)}
        )


def _shown(lines: Sequence[str]) -> list[str]:
    """The lines of a file for people.

    Raises:
        ValueError: which line cannot be displayed.
    """
    shown = []
    for number, line in enumerate(lines, 1):
        try:
            shown.append(cleaning.clean(line, Limits.line_bytes))
        except Refused as why:
            wrong = {
                "too-long": f"has more than {Limits.line_bytes} bytes: split it",
                "piled-marks": "has too many marks on one character",
            }.get(why.code, "has control characters, or others that cannot be displayed")
            raise ValueError(f"line {number} {wrong}") from why
    return shown


def _named(word: str) -> str:
    """The name of an option as it stands on a command line."""
    return word.partition("=")[0].removeprefix("--")


def _listen(number: int, interface: str | None) -> str:
    if interface is None:
        interface = "::" if socket.has_dualstack_ipv6() else ""
    return f"{tcp_endpoint(number, interface)}:backlog={BACKLOG}"
