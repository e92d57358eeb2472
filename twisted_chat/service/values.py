"""What an option's value may be: text from the operator into numbers, paces and times."""

import re
from collections.abc import Callable
from typing import Any

from twisted_chat.limits import Pace


def _told_as(doc: str) -> Callable[[Callable[[str], Any]], Callable[[str], Any]]:
    """What `twistd` says of a wrong value."""

    def tell(convert: Callable[[str], Any]) -> Callable[[str], Any]:
        convert.coerceDoc = doc  # type: ignore[attr-defined]  # Twisted's way
        return convert

    return tell


def _number(value: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,9}", value):
        raise ValueError(f"{value!r} is no whole number")
    return int(value)


@_told_as("Must be a number from 0 to 65535.")
def port(value: str) -> int:
    """A TCP port; 0 picks a free one."""
    number = _number(value)
    if not 0 <= number <= 65535:
        raise ValueError(f"{value} is not between 0 and 65535")
    return number


@_told_as("Must be a number from 1 on.")
def count(value: str) -> int:
    """How many of something."""
    number = _number(value)
    if number < 1:
        raise ValueError(f"{value} is less than 1")
    return number


@_told_as("Must be a number of seconds.")
def seconds(value: str) -> float:
    """How long something takes at the most."""
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,3})?", value) or not float(value):
        raise ValueError(f"{value!r} is no number of seconds, such as 30 or 0.5")
    return float(value)


@_told_as("Must be LINES/SECONDS such as 10/5.")
def pace(value: str) -> Pace:
    """`TIMES/SECONDS`."""
    match = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,6}(?:\.[0-9]{1,3})?)", value)
    if match is None or int(match[1]) < 1 or float(match[2]) <= 0:
        raise ValueError(f"{value!r} is no pace, such as 10/5: ten in five seconds")
    return Pace(int(match[1]), float(match[2]))


@_told_as("Must be off, or LINES/SECONDS such as 10/5.")
def pace_or_off(value: str) -> Pace | None:
    """`LINES/SECONDS`, or `off`."""
    if value == "off":
        return None
    try:
        known: Pace = pace(value)
    except ValueError:
        raise ValueError(f"{value!r} is neither off nor LINES/SECONDS, such as 10/5") from None
    return known


@_told_as("Must be normal or full.")
def sync(value: str) -> str:
    """What a commit survives."""
    if value not in ("normal", "full"):
        raise ValueError(f"{value!r} is neither normal nor full")
    return value


@_told_as("Must be forever, or a time such as 12h, 90d or 52w.")
def span(value: str) -> float | None:
    """A time such as 90d or 12h, in seconds; `forever` is None."""
    if value == "forever":
        return None
    match = re.fullmatch(r"([0-9]{1,6})([hdw])", value)
    if match is None or int(match[1]) < 1:
        raise ValueError(f"{value!r} is neither forever nor a time such as 12h, 90d or 52w")
    return int(match[1]) * {"h": 3600.0, "d": 86400.0, "w": 604800.0}[match[2]]


@_told_as("Must be text or json.")
def log_format(value: str) -> str:
    """How the operator's log looks."""
    if value not in ("text", "json"):
        raise ValueError(f"{value!r} is neither text nor json")
    return value


@_told_as("Must be PORT or ADDRESS:PORT.")
def place(value: str) -> tuple[str, int]:
    """An address, this machine's own if it is left out, and a port."""
    address, _, number = value.rpartition(":")
    return address.strip("[]") or "127.0.0.1", port(number)


def limit(default: object) -> Callable[[str], Any]:
    """What reads a limit that has this default."""
    if isinstance(default, Pace):
        return pace
    return seconds if isinstance(default, float) else count
