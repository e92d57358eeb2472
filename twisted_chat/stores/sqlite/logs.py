"""What is known of a log without asking the disk."""

from math import inf

from twisted_chat.events.effects import Value
from twisted_chat.stores import Subscriber


class KeptLog:
    """A log of a database.

    Args:
        number: its number there, which no other log ever gets.
        name: what it is called.
        room: the name under which its readers know it.
    """

    __slots__ = (
        "is_erased",
        "is_kept",
        "last",
        "name",
        "number",
        "oldest",
        "rests",
        "room",
        "state",
        "subscriber",
        "waiting",
    )

    def __init__(self, number: int, name: str, room: str) -> None:
        self.number = number
        self.name = name
        self.room = room
        self.is_kept = False  # whether the database knows of it
        self.is_erased = False
        self.last = 0
        self.waiting = 0  # entries that wait to be stored, or told
        self.oldest = inf  # when its first event happened
        self.rests = inf  # the same, while only that one is left
        self.state: dict[str, Value] = {}
        self.subscriber: Subscriber | None = None
