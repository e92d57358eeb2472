"""Counts with the right singular or plural noun."""


def counted(count: int, noun: str) -> str:
    """`1 line`, `2 lines`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def seconds_to_wait(wait: float) -> str:
    """`1 second`, `2 seconds`: never too few."""
    return counted(round(wait) + 1, "second")
