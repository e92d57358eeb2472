"""Counts with the right singular or plural noun."""


def counted(count: int, noun: str) -> str:
    """`1 line`, `2 lines`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def in_bytes(size: int) -> str:
    """`1 byte`, `999 bytes`, `12 kB`, `1.2 MB`."""
    if size < 1000:
        return counted(size, "byte")
    number, unit = size / 1000, "kB"
    for larger in ("MB", "GB"):
        if number < 999.5:
            break
        number, unit = number / 1000, larger
    return f"{number:.1f} {unit}" if number < 9.95 else f"{number:.0f} {unit}"


def seconds_to_wait(wait: float) -> str:
    """`1 second`, `2 seconds`: never too few."""
    return counted(round(wait) + 1, "second")
