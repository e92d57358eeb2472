"""Counters as plain numbers, which the metrics read when they are requested."""

from bisect import bisect_left
from collections import Counter

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Upper bounds of the histogram's buckets, in seconds."""


class Durations:
    """A histogram of how long something took."""

    __slots__ = ("counts", "last", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(SECONDS) + 1)
        self.total = 0.0
        self.last = 0.0

    def add(self, seconds: float) -> None:
        """Record one duration."""
        self.counts[bisect_left(SECONDS, seconds)] += 1
        self.total += seconds
        self.last = seconds


class Counters:
    """What a server has done since it started."""

    __slots__ = (
        "commits",
        "connections",
        "deliveries",
        "heard",
        "in_doubt",
        "lines",
        "missed",
        "refusals",
        "replayed",
        "turns",
    )

    def __init__(self) -> None:
        self.connections = 0
        """Connections that are open now."""
        self.lines = 0
        """Lines received."""
        self.deliveries = 0
        """Events times the people they were written to."""
        self.replayed = 0
        """Events that were fetched for readers who were behind."""
        self.refusals: Counter[str] = Counter()
        """What was refused, by the code of `Refused`."""
        self.commits = Durations()
        """Duration of database commits."""
        self.in_doubt = 0
        """Commits of which it was not known at first whether they had taken place."""
        self.heard = Durations()
        """How long what happened at other servers took until it was shown here."""
        self.missed = 0
        """Events of other servers that were read, as they had not been heard."""
        self.turns = Durations()
        """How late the reactor came to what was due: as late as its turn was long."""
