"""What is known of a log without asking the database."""

from twisted_chat.stores import Subscriber


class OpenLog:
    """A log that somebody is told of, or that something still waits for.

    Args:
        name: what it is called.
        room: the name under which its readers know it.
    """

    __slots__ = ("is_erased", "is_kept", "last", "name", "room", "subscriber", "waiting")

    def __init__(self, name: str, room: str) -> None:
        self.name = name
        self.room = room
        self.is_kept = False  # whether the database knows of it
        self.is_erased = False
        self.last = 0
        self.waiting = 0  # entries that wait to be stored, or told
        self.subscriber: Subscriber | None = None
