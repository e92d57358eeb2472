"""Entries of several logs, and whoever is told what became of them."""

from collections.abc import Iterable
from typing import Protocol, TypeVar

from twisted_chat.events import Entry
from twisted_chat.refusal import Refused
from twisted_chat.stores import Subscriber


class KnownLog(Protocol):
    """A log as a store knows it: the number of its last event, and whoever is told of them."""

    last: int
    subscriber: Subscriber | None


_L = TypeVar("_L", bound=KnownLog)


def by_log(batch: Iterable[tuple[_L, Entry]]) -> Iterable[tuple[_L, list[Entry]]]:
    """The entries of each log, in their order."""
    logs: dict[_L, list[Entry]] = {}
    for log, entry in batch:
        logs.setdefault(log, []).append(entry)
    return logs.items()


def is_only_told(batch: Iterable[tuple[_L, Entry]]) -> bool:
    """Whether nothing of it is stored."""
    return not any(entry.stored for _, entry in batch)


def split(
    batch: Iterable[tuple[_L, Entry]],
) -> tuple[list[tuple[_L, Entry]], list[tuple[_L, Entry]]]:
    """What is stored, and what is only told."""
    stored: list[tuple[_L, Entry]] = []
    told: list[tuple[_L, Entry]] = []
    for each in batch:
        (stored if each[1].stored else told).append(each)
    return stored, told


def show_told(batch: Iterable[tuple[_L, Entry]]) -> None:
    """Show entries that are only told, and that nothing is before."""
    for log, entries in by_log(batch):
        for entry in entries:
            entry.id = log.last
        if log.subscriber is not None:
            log.subscriber.show(entries)


def refuse(batch: Iterable[tuple[_L, Entry]], why: Refused) -> None:
    """These could not be stored."""
    for log, entries in by_log(batch):
        if log.subscriber is not None:
            log.subscriber.refuse(entries, why)
