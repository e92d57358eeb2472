"""Finding a place in a log by its time."""

from collections.abc import Callable


def last_older(newest: int, time: float, time_of: Callable[[int], float | None]) -> int:
    """The number of the last event that is older than a time, in seconds since 1970.

    Args:
        newest: the number of the last event.
        time: the time.
        time_of: gives the time of the last event up to a number that is still kept, or None.
    """
    low, high = 0, newest  # up to `low` everything is older, behind `high` nothing is
    while low < high:
        middle = (low + high + 1) // 2
        found = time_of(middle)
        if found is None or found < time:
            low = middle
        else:
            high = middle - 1
    return low
