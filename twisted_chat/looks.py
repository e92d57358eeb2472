"""What a name looks like: names that cannot be told apart, and alphabets that do not mix (UTS 39).

https://www.unicode.org/reports/tr39/
"""

import unicodedata
from bisect import bisect
from functools import cache

from twisted_chat import unicode_tables

_TOGETHER = tuple(
    frozenset({"Latin", *scripts})
    for scripts in (("Han", "Hiragana", "Katakana"), ("Han", "Bopomofo"), ("Han", "Hangul"))
)
"""Scripts that are written together (UTS 39, 5.2, highly restrictive)."""

_STRUCTURE = frozenset(':;!?*<>@#/\\[](){}"=|')


@cache
def _prototypes() -> dict[int, str]:
    pairs = (pair.split("=") for pair in unicode_tables.CONFUSABLES.split())
    return {
        int(source, 16): "".join(chr(int(code, 16)) for code in target.split("+"))
        for source, target in pairs
    }


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


def looks(name: str) -> tuple[str, str]:
    """Two names that have one of these in common look alike.

    The first is of the name as it is shown, for a capital I is like a small l; the second of the
    name in small letters, for so it may be mentioned.
    """
    return _drawn(skeleton(name)), _drawn(skeleton(name.casefold()))


def _drawn(look: str) -> str:
    look = look.casefold()
    for letter in "ij":  # a second dot is drawn over the first
        look = look.replace(letter + "\u0307", letter)
    return look


def is_structure(name: str) -> bool:
    """Whether a letter looks like the marks with which lines are built, such as `:` or `*`."""
    return not _STRUCTURE.isdisjoint(skeleton(name))


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
