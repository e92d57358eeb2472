"""Spans of time as people type and read them: `10m`, `2 hours`."""

import re
import time

from twisted_chat.text.counted import counted

SPANS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
"""Seconds in each unit that can be typed."""


def span(word: str) -> int | None:
    """The seconds that `30s`, `10m`, `2h`, `1d` or `1w` are; None for any other word."""
    found = re.fullmatch(r"(\d{1,6})([smhdw])", word)
    return int(found[1]) * SPANS[found[2]] if found else None


def in_words(seconds: float) -> str:
    """`45 seconds`, `2 hours`: to the nearest whole unit that is not too coarse."""
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= 2 * size or seconds == size:
            return counted(round(seconds / size), unit)
    return counted(max(1, round(seconds)), "second")


def moment(seconds: float, now: float) -> str:
    """A time of day as the server's clock shows it, with its date unless that is today's."""
    then = time.localtime(seconds)
    is_today = then[:3] == time.localtime(now)[:3]
    return time.strftime("%H:%M:%S" if is_today else "%Y-%m-%d %H:%M", then)
