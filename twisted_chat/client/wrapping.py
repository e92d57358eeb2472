"""Lines that are broken between words, and go on under the text that they are of."""

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from prompt_toolkit.utils import get_cwidth

Fragments: TypeAlias = list[tuple[str, str]]
"""Pieces of text, each with its style first."""

_TIME = len("[12:35:02] ")
_JOINER = "\u200d"  # of several emoji into one


class Row(NamedTuple):
    """A line to be shown: its text, and what stands before that."""

    head: Fragments
    text: Fragments

    @property
    def fragments(self) -> Fragments:
        """The whole line."""
        return [*self.head, *self.text]


def wrapped(row: Row, width: int) -> Fragments:
    """A line, broken to fit into `width` cells.

    Nothing of it but its head ever begins a line on the screen, or somebody could say what looks
    like a line of somebody else. So a word that is too long for a line is broken too.
    """
    head = cells(row.head)
    indent = next(each for each in (head, _TIME, 2, 0) if each <= width // 2)
    shown = list(row.head)
    column = head
    gap: Fragments = []
    for word in _fitting(row.text, width - indent):
        size = cells(word)
        if word[0][1].startswith(" "):
            gap = word
        elif column > indent and column + cells(gap) + size > width:
            shown += [("", "\n" + " " * indent), *word]
            column, gap = indent + size, []
        else:
            shown += [*gap, *word]
            column, gap = column + cells(gap) + size, []
    return shown


def cells(line: Fragments) -> int:
    """How many cells of a terminal a line takes."""
    return sum(get_cwidth(text) for _, text in line)


def _fitting(line: Fragments, width: int) -> Iterator[Fragments]:
    """The words of a line; of one that is too long the characters."""
    for word in _words(line):
        if cells(word) <= width or word[0][1].startswith(" "):
            yield word
        else:
            yield from _words(word, apart=True)


def _words(line: Fragments, *, apart: bool = False) -> Iterator[Fragments]:
    """The words of a line, and the blanks between them; wide characters are words by themselves.

    So is each other character if they are to be taken `apart`.
    """
    word: Fragments = []
    before = ""
    for style, text in line:
        start = 0
        for at, character in enumerate(text):
            if before and _may_break(before, character, apart=apart):
                if start < at:
                    word.append((style, text[start:at]))
                yield word
                word, start = [], at
            before = character
        if text[start:]:
            word.append((style, text[start:]))
    if word:
        yield word


def _may_break(before: str, after: str, *, apart: bool) -> bool:
    if before == " " or after == " ":
        return before != after
    wide = get_cwidth(before) > 1 or get_cwidth(after) > 1
    return (wide or apart) and get_cwidth(after) > 0 and before != _JOINER
