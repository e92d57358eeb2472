"""Ranges of characters, from Unicode's tables to regular expressions."""

from collections.abc import Iterable


def ranges(table: str) -> list[tuple[str, str]]:
    """The first and the last character of each range of a table."""
    ends = (each.partition("-") for each in table.split())
    return [(chr(int(first, 16)), chr(int(last or first, 16))) for first, _, last in ends]


def in_brackets(wanted: Iterable[tuple[str, str]]) -> str:
    """Ranges as they stand in the brackets of a regular expression."""
    return "".join(f"{first}-{last}" for first, last in wanted)


def characters(wanted: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Every character of some ranges."""
    return frozenset(
        chr(code) for first, last in wanted for code in range(ord(first), ord(last) + 1)
    )
