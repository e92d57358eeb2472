"""State follows the log: what an event changes is changed when the event may be seen."""

from twisted_chat.chat.room import Room
from twisted_chat.events import Entry
from twisted_chat.events.effects import EFFECTS, apply


def project(room: Room, entry: Entry) -> None:
    """Change a room as an entry of its log says."""
    apply(entry, room.state)
    if type(entry.event) in EFFECTS:
        room.order.changed()
