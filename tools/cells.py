"""The lines of a terminal with their escape sequences, as pieces of text with colours."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeAlias

FOREGROUND, BACKGROUND = "#d8d8d8", "#16181d"

_SEQUENCE = re.compile(r"\x1b\[([\d;]*)m|\x1b\][^\x1b\a]*(?:\x1b\\\\|\a)|\x1b[()]\w|[\x0e\x0f]")
_BASIC = """#16181d #e06c75 #98c379 #e5c07b #61afef #c678dd #56b6c2 #d8d8d8
    #5c6370 #e06c75 #98c379 #e5c07b #61afef #c678dd #56b6c2 #ffffff""".split()
_CUBE = (0, 95, 135, 175, 215, 255)


class Style(NamedTuple):
    """How a cell looks."""

    colour: str = FOREGROUND
    background: str = BACKGROUND
    bold: bool = False
    italic: bool = False
    reverse: bool = False


class Run(NamedTuple):
    """Some text in one style, and the column where it starts; a character is one cell wide."""

    column: int
    text: str
    style: Style


Line: TypeAlias = tuple[Run, ...]


def picture(lines: Iterable[str]) -> tuple[Line, ...]:
    """The pieces of each line; a style holds until it changes, also on the next line."""
    style, drawn = Style(), []
    for line in lines:
        runs, column, end = [], 0, 0
        for found in [*_SEQUENCE.finditer(line), None]:
            text = line[end : found.start() if found else None]
            if text:
                runs.append(Run(column, text, style))
                column += len(text)
            if found:
                end = found.end()
                if found[1] is not None:
                    style = _changed(style, [int(code or 0) for code in found[1].split(";")])
        drawn.append(tuple(runs))
    return tuple(drawn)


def _changed(style: Style, codes: list[int]) -> Style:
    rest = iter(codes)
    for code in rest:
        match code:
            case 0:
                style = Style()
            case 1 | 22:
                style = style._replace(bold=code == 1)
            case 3 | 23:
                style = style._replace(italic=code == 3)
            case 7 | 27:
                style = style._replace(reverse=code == 7)
            case 38:
                style = style._replace(colour=_extended(rest))
            case 48:
                style = style._replace(background=_extended(rest))
            case 39:
                style = style._replace(colour=FOREGROUND)
            case 49:
                style = style._replace(background=BACKGROUND)
            case _ if 30 <= code <= 37 or 90 <= code <= 97:
                style = style._replace(colour=_BASIC[code - (30 if code < 90 else 82)])
            case _ if 40 <= code <= 47 or 100 <= code <= 107:
                style = style._replace(background=_BASIC[code - (40 if code < 100 else 92)])
    return style


def _extended(codes: Iterator[int]) -> str:
    """A colour of 24 bits, or one of the 256."""
    if next(codes) == 2:
        red, green, blue = next(codes), next(codes), next(codes)
        return f"#{red:02x}{green:02x}{blue:02x}"
    number = next(codes)
    if number < 16:
        return _BASIC[number]
    if number >= 232:
        return f"#{8 + 10 * (number - 232):02x}" + f"{8 + 10 * (number - 232):02x}" * 2
    number -= 16
    return "#" + "".join(f"{_CUBE[number // size % 6]:02x}" for size in (36, 6, 1))
