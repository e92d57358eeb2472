"""How far people have read: told to their other devices, and kept with their accounts."""

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from twisted_chat.chat.device import Device
from twisted_chat.chat.person import Person
from twisted_chat.log.log import Log
from twisted_chat.text import names

_KEPT_WITHIN = 30.0
"""Seconds within which a read mark is stored: reading on costs the disk nothing more often."""


class ReadMarks:
    """Moves people's read marks, which only ever go forward.

    Args:
        clock: says when to store them.
        keep: stores what the account of somebody keeps, their marks included.
        publish: tells the other servers what there is to know of somebody.
    """

    def __init__(
        self,
        clock: IReactorTime,
        keep: Callable[[Person], None],
        publish: Callable[[Person], None],
    ) -> None:
        self._clock = clock
        self._keep = keep
        self._publish = publish
        self._moved: dict[str, Person] = {}  # since they were stored, by id
        self._due: IDelayedCall | None = None

    def move(self, person: Person, device: Device, log: Log, number: int) -> None:
        """Somebody has read a room, or their own log, up to a number.

        Args:
            person: who.
            device: where they have read it; their others are told.
            log: what they have read.
            number: the last one.
        """
        room, number = names.key(log.room), min(number, log.last)
        if number <= person.read_marks.get(room, 0) <= log.last:  # else the numbers began anew
            return
        person.marks = {**person.marks, room: number}
        for other in person.devices.values():
            if other is not device and other.connection is not None:
                other.connection.has_read(log.room, number)
        if not all(each.is_here for each in person.devices.values()):
            self._publish(person)
        if person.account:
            self._moved[person.id] = person
            if self._due is None:
                self._due = self._clock.callLater(_KEPT_WITHIN, self._keep_all)

    def stop(self) -> None:
        """Store none later: everything is stored now."""
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _keep_all(self) -> None:
        self._due = None
        moved, self._moved = self._moved, {}
        for person in moved.values():
            self._keep(person)
