"""Frames of terminals as one animated SVG; programs that do not animate show the last frame."""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from tools.cells import BACKGROUND, FOREGROUND, Line, Run

_CELL, _ROW, _BAR, _GAP = 8.4, 18, 26, 10
"""Pixels: the width of a cell, and the heights of a row, a title bar and the space between."""

_FONT = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"


class Screen(NamedTuple):
    """What a terminal shows: its lines, and the cursor's column and row."""

    lines: tuple[Line, ...]
    cursor: tuple[int, int]


class Frame(NamedTuple):
    """The screens at one moment, and for how many seconds they are shown."""

    screens: tuple[Screen, ...]
    seconds: float


def svg(titles: Sequence[str], size: tuple[int, int], frames: Sequence[Frame]) -> str:
    """The animation, with the terminals one above the other.

    Args:
        titles: what is written above each terminal.
        size: the columns and rows of each.
        frames: what is shown, in order.
    """
    columns, rows = size
    width = columns * _CELL + 2 * _GAP
    panel = _BAR + rows * _ROW + _GAP
    tops = [_GAP + number * (panel + _GAP) for number in range(len(titles))]
    height = tops[-1] + panel + _GAP
    lines: dict[Line, int] = {}
    drawn = "".join(
        f'<g class="f" id="f{number}">{_frame(frame, tops, lines)}</g>\n'
        for number, frame in enumerate(frames)
    )
    shapes = "".join(
        f'<g id="l{number}">{"".join(map(_run, line))}</g>\n' for line, number in lines.items()
    )
    panels = "".join(
        _panel(title, top, width, panel) for title, top in zip(titles, tops, strict=True)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" font-family="{_FONT}" font-size="14">\n'
        f"<style>{_style(frames)}</style>\n<defs>\n{shapes}</defs>\n{panels}{drawn}</svg>\n"
    )


def _style(frames: Sequence[Frame]) -> str:
    whole, start = sum(frame.seconds for frame in frames), 0.0
    rules = ["text{white-space:pre}.f{visibility:hidden}"]
    for number, frame in enumerate(frames):
        begin, end = 100 * start / whole, 100 * (start + frame.seconds) / whole
        start += frame.seconds
        hide = "" if number == len(frames) - 1 else f"{end:.3f}%{{visibility:hidden}}"
        show = f"{begin:.3f}%{{visibility:visible}}"
        rules.append(f"@keyframes k{number}{{0%{{visibility:hidden}}{show}{hide}}}")
        rules.append(f"#f{number}{{animation:k{number} {whole:.1f}s step-end infinite}}")
    last = len(frames) - 1
    rules.append(f"#f{last}{{visibility:visible}}")
    rules.append("@media(prefers-reduced-motion:reduce){.f{animation:none!important}}")
    return "\n".join(rules)


def _panel(title: str, top: float, width: float, height: float) -> str:
    left, middle = _GAP / 2, top + _BAR / 2
    lights = "".join(
        f'<circle cx="{left + 14 + 16 * number}" cy="{middle}" r="5" fill="{colour}"/>'
        for number, colour in enumerate(("#e06c75", "#e5c07b", "#98c379"))
    )
    return (
        f'<rect x="{left}" y="{top}" width="{width - 2 * left:g}" height="{height}" rx="7" '
        f'fill="{BACKGROUND}" stroke="#3a3f4b"/>{lights}'
        f'<text x="{width / 2:g}" y="{middle + 5}" text-anchor="middle" fill="#8b909c" '
        f'font-size="12">{escape(title)}</text>\n'
    )


def _frame(frame: Frame, tops: Sequence[float], lines: dict[Line, int]) -> str:
    """The lines of a frame, each drawn once in the whole picture, and the cursors."""
    shapes = []
    for screen, top in zip(frame.screens, tops, strict=True):
        first = top + _BAR
        for row, line in enumerate(screen.lines):
            if line:
                number = lines.setdefault(line, len(lines))
                shapes.append(f'<use href="#l{number}" x="{_GAP}" y="{first + row * _ROW:g}"/>')
        column, row = screen.cursor
        shapes.append(
            f'<rect x="{_GAP + column * _CELL:.1f}" y="{first + row * _ROW + 1:g}" width="{_CELL}" '
            f'height="{_ROW - 2}" fill="{FOREGROUND}" opacity=".6"/>'
        )
    return "".join(shapes)


def _run(run: Run) -> str:
    style = run.style
    colour, back = style.colour, style.background
    if style.reverse:
        colour, back = back, colour
    x, width = run.column * _CELL, len(run.text) * _CELL
    shape = ""
    if back != BACKGROUND:
        shape = f'<rect x="{x:.1f}" width="{width:.1f}" height="{_ROW}" fill="{back}"/>'
    if not run.text.strip():
        return shape
    weight = ' font-weight="bold"' if style.bold else ""
    slant = ' font-style="italic"' if style.italic else ""
    return (
        f'{shape}<text x="{x:.1f}" y="13" textLength="{width:.1f}" fill="{colour}"{weight}{slant} '
        f'xml:space="preserve">{escape(run.text)}</text>'
    )
