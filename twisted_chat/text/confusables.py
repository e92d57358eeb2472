"""What names look like: names that look alike, and alphabets that do not mix (UTS 39).

https://www.unicode.org/reports/tr39/
"""

import unicodedata
from bisect import bisect
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from string import ascii_lowercase

from twisted_chat.text import unicode_tables

JOINERS = "\u200c\u200d"
"""What joins or parts letters in some scripts, and shows nothing itself."""

_TOGETHER = tuple(
    frozenset({"Latin", *scripts})
    for scripts in (("Han", "Hiragana", "Katakana"), ("Han", "Bopomofo"), ("Han", "Hangul"))
)
"""Scripts that are written together (UTS 39, 5.2, highly restrictive)."""

_STRUCTURE = frozenset(":!*#@[]()")
"""The marks that lines are built with."""

_PAIRS = {"i\u0307": "i", "j\u0307": "j", "w": "vv", "d": "cl"}
"""What is drawn alike and is no look-alike to Unicode: a second dot is drawn over the first."""


def _small_letters() -> Iterator[tuple[str, str]]:
    """Letters that are drawn like small ones or small capitals, and stand for themselves."""
    for letter in ascii_lowercase:
        with suppress(KeyError):  # there is no small capital X
            yield unicodedata.lookup(f"Latin letter small capital {letter}"), letter
    yield from zip("\u0185\u0138\u0237", "bkj", strict=True)


_SMALL = str.maketrans(dict(_small_letters()))


@cache
def _prototypes() -> dict[int, str]:
    pairs = (pair.split("=") for pair in unicode_tables.CONFUSABLES.split())
    known = {
        int(source, 16): "".join(chr(int(code, 16)) for code in target.split("+"))
        for source, target in pairs
    }
    return known | dict.fromkeys(map(ord, JOINERS), "")


@cache
def _scripts() -> tuple[list[int], list[tuple[int, str]]]:
    starts, ends = [], []
    for entry in unicode_tables.SCRIPTS.split():
        codes, _, script = entry.partition("=")
        first, _, last = codes.partition("-")
        starts.append(int(first, 16))
        ends.append((int(last, 16), script))
    return starts, ends


def skeleton(name: str) -> str:
    """What all names have in common that look like this one (UTS 39, 4)."""
    known, look = "", unicodedata.normalize("NFD", name)
    while look != known:  # some prototypes have prototypes themselves
        known, look = look, unicodedata.normalize("NFD", look.translate(_prototypes()))
    return look


def looks(name: str) -> tuple[str, ...]:
    """Names that have one of these in common look alike.

    The first is of the name as it is shown, for a capital I is like a small l; the second of the
    name in small letters, for so it may be mentioned. Small capitals are capitals.
    """
    return _drawn(skeleton(name)), _drawn(skeleton(name.translate(_SMALL).casefold()))


def _drawn(look: str) -> str:
    look = look.casefold()
    for drawn, like in _PAIRS.items():
        look = look.replace(drawn, like)
    return look


def is_structure(name: str) -> bool:
    """Whether a letter looks like the marks with which lines are built, such as `:` or `*`.

    The visarga of Indian scripts does too, but hangs on a letter of its own script.
    """
    return not _STRUCTURE.isdisjoint(skeleton("".join(filter(str.isalpha, name))))


def mixes_alphabets(name: str) -> bool:
    """Whether letters come from scripts that nobody writes in one word."""
    used = {script for script in map(_script, name) if script}
    return len(used) > 1 and not any(used <= together for together in _TOGETHER)


def _script(character: str) -> str:
    """The script of a character; empty if it belongs to many."""
    starts, ends = _scripts()
    code = ord(character)
    at = bisect(starts, code) - 1
    last, script = ends[at] if at >= 0 else (-1, "")
    return script if code <= last else ""
