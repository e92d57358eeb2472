"""Parsing of option values: numbers, rates and times.

A `ValueError` says what is allowed, as the end of a sentence that begins with the option's name.
"""

import re
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from twisted_chat.limits import Pace, Size

PROCESSES = 64
"""More than these serve nobody any quicker."""


def is_postgres(value: str) -> bool:
    """Whether a database is meant by its address, and not a file."""
    return value.startswith(("postgresql://", "postgres://"))


def database(value: str) -> Path | str:
    """A database: a file, or the address of one in PostgreSQL."""
    return value if is_postgres(value) else Path(value)


def port(value: str) -> int:
    """A TCP port; 0 picks a free one."""
    if not re.fullmatch(r"[0-9]{1,5}", value) or int(value) > 65535:
        raise ValueError(f"must be a number from 0 to 65535, not {value!r}")
    return int(value)


def count(value: str) -> int:
    """How many of something."""
    if not re.fullmatch(r"[0-9]{1,9}", value) or int(value) < 1:
        raise ValueError(f"must be a whole number of 1 or more, not {value!r}")
    return int(value)


def processes(value: str) -> int:
    """How many processes."""
    if not re.fullmatch(r"[0-9]{1,2}", value) or not 1 <= int(value) <= PROCESSES:
        raise ValueError(f"must be a number from 1 to {PROCESSES}, not {value!r}")
    return int(value)


def seconds(value: str) -> float:
    """A maximum duration in seconds."""
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,3})?", value) or not float(value):
        raise ValueError(f"must be a number of seconds, such as 30 or 0.5, not {value!r}")
    return float(value)


def pace(value: str) -> Pace:
    """`COUNT/SECONDS`."""
    match = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,6}(?:\.[0-9]{1,3})?)", value)
    if match is None or int(match[1]) < 1 or float(match[2]) <= 0:
        raise ValueError(f"must be COUNT/SECONDS, such as 10/5, not {value!r}")
    return Pace(int(match[1]), float(match[2]))


def pace_or_off(value: str) -> Pace | None:
    """`COUNT/SECONDS`, or `off`."""
    if value == "off":
        return None
    try:
        return pace(value)
    except ValueError as error:
        raise ValueError(f"{error}; off disables it") from None


def on_or_off(value: str) -> str:
    """`on` or `off`."""
    return _one_of(value, "on", "off")


def sync(value: str) -> str:
    """What a commit survives."""
    return _one_of(value, "normal", "full")


def log_format(value: str) -> str:
    """How the operator's log looks."""
    return _one_of(value, "text", "json")


def _one_of(value: str, *allowed: str) -> str:
    if value not in allowed:
        raise ValueError(f"must be {' or '.join(allowed)}, not {value!r}")
    return value


class Span(float):
    """Seconds that show as they are written: `90d`, `10m`."""

    def __str__(self) -> str:
        return f"{self / 86400:g}d" if self >= 86400 else f"{self / 60:g}m"


def short_span(value: str) -> float:
    """A time such as 30s or 10m, in seconds.

    The others are not so short, since somebody may mean months by 6m.
    """
    match = re.fullmatch(r"([0-9]{1,6})([smh])", value)
    if match is None:
        raise ValueError(f"must be a time such as 30s, 10m or 1h, not {value!r}")
    return int(match[1]) * {"s": 1.0, "m": 60.0, "h": 3600.0}[match[2]]


def span_or_off(value: str) -> float | None:
    """A time such as 90d or 12h, in seconds; `off` is None."""
    if value == "off":
        return None
    try:
        return span("" if value == "forever" else value)
    except ValueError:
        raise ValueError(f"must be off, or a time such as 12h, 90d or 52w, not {value!r}") from None


def span(value: str) -> float | None:
    """A time such as 90d or 12h, in seconds; `forever` is None."""
    if value == "forever":
        return None
    match = re.fullmatch(r"([0-9]{1,6})([hdw])", value)
    if match is None or int(match[1]) < 1:
        raise ValueError(f"must be forever, or a time such as 12h, 90d or 52w, not {value!r}")
    return int(match[1]) * {"h": 3600.0, "d": 86400.0, "w": 604800.0}[match[2]]


def place(value: str) -> tuple[str, int]:
    """An address (127.0.0.1 if it is left out) and a port."""
    address, _, number = value.rpartition(":")
    try:
        return address.strip("[]") or "127.0.0.1", port(number)
    except ValueError:
        raise ValueError(f"must be PORT or ADDRESS:PORT, not {value!r}") from None


def origin(value: str) -> str:
    """An origin: a scheme and a host."""
    if not re.fullmatch(r"https?://[^/\s]+/?", value):
        raise ValueError(f"must be http:// or https:// and a host, not {value!r}")
    return value.rstrip("/").lower()


_ADDRESS = re.compile(
    r"(?:(?P<scheme>tls|https?)://)?(?P<host>[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])"
    r"(?::(?P<port>[0-9]{1,5}))?/?"
)
_PORTS = {"http": "80", "https": "443"}


def addresses(value: str) -> list[str]:
    """Addresses of the chat with commas between them: `HOST:PORT`, `tls://...`, or of a page."""
    return [_address(each.strip()) for each in value.split(",")]


def _address(value: str) -> str:
    """One of them, with its port, but a page's as browsers write it: without the usual one."""
    match = _ADDRESS.fullmatch(value.lower())
    if match is None or not 0 < int(match["port"] or 1) < 65536:
        raise ValueError(
            "must be addresses such as chat.example:5000, tls://chat.example:5001 or "
            f"https://chat.example, not {value!r}"
        )
    scheme, host, number = match["scheme"], match["host"], match["port"]
    if scheme in _PORTS:
        return f"{scheme}://{host}" + (f":{number}" if number not in (None, _PORTS[scheme]) else "")
    return (f"{scheme}://" if scheme else "") + f"{host}:{number or 5000}"


def network(value: str) -> str:
    """An address or a network."""
    try:
        ip_network(value, strict=False)
    except ValueError:
        raise ValueError(
            f"must be an address or a network, such as 192.0.2.7 or 2001:db8::/32, not {value!r}"
        ) from None
    return value


_UNITS = {"": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9}


def size(value: str) -> Size:
    """Bytes, such as 10MB."""
    match = re.fullmatch(r"([0-9]{1,9})(|kB|MB|GB)", value)
    if match is None or int(match[1]) < 1:
        raise ValueError(f"must be a size such as 500kB, 10MB or 2GB, not {value!r}")
    return Size(int(match[1]) * _UNITS[match[2]])


def limit(default: object) -> Callable[[str], Any]:
    """The parser for a limit with this default."""
    if isinstance(default, Pace):
        return pace
    if isinstance(default, Size):
        return size
    return seconds if isinstance(default, float) else count
