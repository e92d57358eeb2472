"""State follows the log: what an event changes is changed when the event may be seen."""

from twisted_chat.chat.room import Room
from twisted_chat.events import Entry
from twisted_chat.events.effects import EFFECTS, apply


def project(room: Room, entry: Entry) -> bool:
    """Change a room as an entry of its log says; gives whether it changes anything."""
    if type(entry.event) not in EFFECTS:
        return False
    apply(entry, room.state)
    room.order.changed()
    return True
