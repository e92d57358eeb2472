"""Commands about files: sending them to a room, and deleting them."""

from twisted.internet.defer import Deferred

from twisted_chat.chat.rights import Right
from twisted_chat.chat.room import Room
from twisted_chat.chat.uploads import OFFER_SECONDS
from twisted_chat.commands.command import Caller, Family, Lines, Offered, when_stored
from twisted_chat.text.counted import in_bytes

family = Family()


@family.command(
    "upload",
    "",
    "get an address for sending a file to the room",
    right=Right.SPEAK,
    detail=("The answer is a command for a terminal: put your file's name in the place of FILE.",),
)
def _upload(caller: Caller, room: Room, rest: str) -> Lines:
    chat = caller.chat
    url = chat.offer_upload(caller.person, room, caller.device.id)
    most, minutes = in_bytes(chat.limits.file_size), round(OFFER_SECONDS / 60)
    return [
        Offered(f"curl -T FILE {url}", url),
        f"That sends one file of at most {most} to {room.name}, within {minutes} minutes.",
    ]


@family.command(
    "delete",
    "FILE",
    "delete a file that you sent to the room",
    right=None,
    aliases=("unsend",),
    detail=(
        "FILE is its name, or # and the number of its event; of several, your last one goes.",
        "Operators of the room can delete the files of others.",
    ),
)
def _delete(caller: Caller, room: Room, name: str) -> Deferred[Lines]:
    caller.chat.delete_file(caller.person, caller.aim, name, caller.request)
    return when_stored(caller)
