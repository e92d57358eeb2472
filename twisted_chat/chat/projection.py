"""State follows the log: what an event changes is changed when the event may be seen."""

from twisted_chat.chat.room import Room
from twisted_chat.events import Entry
from twisted_chat.events.effects import apply


def project(room: Room, entry: Entry) -> None:
    """Change a room as an entry of its log says."""
    apply(entry, room.state)
    room.order.changed()
