"""Every option of the server: name, default, description and parser."""

import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from typing import Any, NamedTuple

from twisted_chat.chat.account_register import NAME_EXPIRY
from twisted_chat.chat.files import FILE_KEEP
from twisted_chat.limits import Limits
from twisted_chat.service import values

DRAIN = 600.0
"""Seconds in which somebody with netcat finds time to connect again."""


class Option(NamedTuple):
    """An option of the server.

    Args:
        name: its name, after `--` and in a file.
        default: its value if it is not given.
        told: what it does, for `--help` and the documentation.
        read: parses its value, or raises `ValueError`.
        short: its letter, after `-`, if there is one.
        is_flag: whether it takes no value.
        is_list: whether it can be given several times.
    """

    name: str
    default: Any
    told: str
    read: Callable[[str], Any] = str
    short: str | None = None
    is_flag: bool = False
    is_list: bool = False


LIMITS = tuple(
    Option(
        limit.metadata["option"] or limit.name.replace("_", "-"),
        limit.default,
        limit.metadata["told"],
        values.pace_or_off if limit.name == "pace" else values.limit(limit.default),
    )
    for limit in fields(Limits)
)
"""Options that are fields of `Limits`, in the same order."""

GROUPS = {
    "Where people join": (
        Option("port", 5000, "TCP port to listen on; 0 picks a free one.", values.port, "p"),
        Option("interface", None, "Address to listen on (default: all of them).", short="i"),
        Option(
            "endpoint",
            None,
            "Listen on this Twisted endpoint instead of a port, such as unix:/run/chat.sock. "
            "May be given several times.",
            short="e",
            is_list=True,
        ),
        Option(
            "join-with",
            None,
            "Addresses of the chat, in the order in which clients try them "
            "(default: the machine's).",
            values.addresses,
            is_list=True,
        ),
        Option(
            "qr",
            None,
            "Show the page's address as a QR code.",
            is_flag=True,
        ),
        Option(
            "announce",
            None,
            "Announce the server on the local network.",
            is_flag=True,
        ),
    ),
    "TLS and browsers": (
        Option(
            "one-port",
            "on",
            "Serve browsers, and TLS if there is a certificate, on every port, by recognising "
            "a client's first bytes (on), or greet at once (off).",
            values.on_or_off,
        ),
        Option(
            "tls-port",
            None,
            "Another TCP port, with TLS, like --endpoint ssl:PORT.",
            values.port,
        ),
        Option(
            "tls-cert",
            None,
            "PEM file with the certificate and its chain; SIGHUP reloads it "
            "(default: one is created next to the database).",
        ),
        Option("tls-key", None, "PEM file with its key (default: the same file)."),
        Option("web-port", None, "Another TCP port for the page.", values.port),
        Option(
            "web-endpoint",
            None,
            "Serve the page on this Twisted endpoint, such as ssl:8443 for HTTPS. "
            "May be given several times, like the next two.",
            is_list=True,
        ),
        Option(
            "web-origin",
            None,
            "Allow pages from here to connect, such as https://chat.example.",
            values.origin,
            is_list=True,
        ),
        Option(
            "web-proxy",
            None,
            "Address or network of a proxy whose X-Forwarded-For is trusted.",
            values.network,
            is_list=True,
        ),
    ),
    "What they see": (
        Option("name", "Twisted Chat", "Name of the server."),
        Option("motd", None, "File with the message of the day, shown to everyone who joins."),
    ),
    "What is kept": (
        Option(
            "db",
            "chat.sqlite",
            "What keeps the history: a file, or a PostgreSQL database (postgresql://...).",
        ),
        Option(
            "no-db",
            None,
            "Keep the history in memory only; the oldest lines are dropped.",
            is_flag=True,
        ),
        Option(
            "sync",
            "normal",
            "What a message on screen has survived: a crash of the server (normal), or a power "
            "cut too (full).",
            values.sync,
        ),
        Option(
            "keep", None, "How long to keep history, such as 90d (default: forever).", values.span
        ),
        Option("files", None, "Folder for people's files (default: beside or in the database)."),
        Option("file-keep", values.Span(FILE_KEEP), "How long files are kept.", values.span),
        Option("no-files", None, "Take no files.", is_flag=True),
        Option("transcript", None, "File to append everything said in rooms to; - is the console."),
    ),
    "Who may connect": (
        Option("ban-file", None, "File of addresses and networks that may not connect."),
        Option(
            "allow-file",
            None,
            "File of addresses and networks that are never banned or limited by address.",
        ),
    ),
    "Accounts": (
        Option(
            "admin",
            None,
            "Account that administers the server. May be given several times.",
            is_list=True,
        ),
        Option(
            "auth",
            None,
            "Check passwords with this twisted.cred plugin, such as file:/etc/chat/passwords "
            "(default: people register).",
        ),
        Option(
            "name-expiry",
            values.Span(NAME_EXPIRY),
            "How long an unused name stays registered, such as 90d; off: forever.",
            values.span_or_off,
        ),
        Option(
            "erase-on-forget",
            None,
            "Remove a deleted account's name from what it said.",
            is_flag=True,
        ),
        Option(
            "require-secure-login",
            None,
            "Take passwords only over TLS, or from this machine.",
            is_flag=True,
        ),
    ),
    "Running it": (
        Option("config", None, "TOML file of options; SIGHUP reads it again.", short="c"),
        Option(
            "check",
            None,
            "Check the options, files and ports, start nothing, and exit.",
            is_flag=True,
        ),
        Option(
            "metrics",
            None,
            "[ADDRESS:]PORT for Prometheus metrics and /healthz; ADDRESS defaults to 127.0.0.1.",
            values.place,
        ),
        Option("log-format", "text", "Log as text or json.", values.log_format),
        Option(
            "processes",
            None,
            "How many processes to run, each with --max-clients.",
            values.processes,
        ),
        Option(
            "drain",
            values.Span(DRAIN),
            "How long people can stay in an upgrade.",
            values.short_span,
        ),
    ),
}
"""All options except limits, grouped as in `--help`."""

EVERYDAY = tuple(option for group in GROUPS.values() for option in group)

BY_NAME = {option.name: option for option in (*EVERYDAY, *LIMITS)}

AT_START = (
    *("port", "tls-port", "web-port", "one-port", "interface", "endpoint"),
    "web-endpoint",
    *("db", "no-db", "sync", "keep", "transcript", "files", "no-files"),
    *("metrics", "log-format", "auth", "qr", "announce", "processes"),
)
"""Options that only a restart can change."""

_COLUMN = 26
_WIDTH = 80
_ABOUT = (
    "More",
    (
        Option("help", None, "Show these options.", is_flag=True),
        Option("help-limits", None, "Show the options that set limits.", is_flag=True),
        Option("version", None, "Show the version.", is_flag=True),
    ),
)


def help_text() -> str:
    """The options by group, without the limits."""
    return "\n".join(_group(title, options) for title, options in (*GROUPS.items(), _ABOUT))


def limits_text() -> str:
    """The options that set limits."""
    return _group("Limits (10/5 means ten at once, then ten more every five seconds)", LIMITS)


def _group(title: str, options: Iterable[Option]) -> str:
    lines = [f"{title}:", *(line for option in options for line in _lines(option))]
    return "\n".join(lines) + "\n"


def _lines(option: Option) -> Iterator[str]:
    """An option as `--help` shows it: its name and its description."""
    start = f"  -{option.short}, " if option.short else "      "
    start += f"--{option.name}" + ("" if option.is_flag else "=")
    told = option.told
    if option.default is not None:
        told = f"{told} [default: {option.default}]"
    first, *rest = textwrap.wrap(told, _WIDTH - _COLUMN)
    if len(start) >= _COLUMN:
        yield start
        yield " " * _COLUMN + first
    else:
        yield start.ljust(_COLUMN) + first
    yield from (" " * _COLUMN + line for line in rest)
