"""The command that says how to join, for whoever wants to tell others."""

from twisted_chat.chat.room import Room
from twisted_chat.commands.command import Caller, Family, Lines

family = Family()


@family.command("doors", "", "show the addresses to join at", right=None)
def _doors(caller: Caller, room: Room, rest: str) -> Lines:
    lines = caller.chat.how_to_join()
    return lines or ["This server does not know its addresses: ask whoever runs it."]
