"""What a nickname and a room may be called, and when two names are the same."""

import unicodedata

from twisted_chat.limits import Limits
from twisted_chat.refusal import Refused

LOBBY = "#lobby"
"""The room that everybody enters."""

_RESERVED = frozenset(
    """admin administrator announcement anonymous chanserv console error everyone help here info
    log me memoserv mod moderator nickserv nobody notice null operator owner root server staff
    support sysop system undefined unknown user warning you""".split()
)
_ROOM_CHARACTERS = 30


def key(name: str) -> str:
    """What makes two names the same: normal form (Unicode TR 15, NFKC) and case folding."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def nickname(text: str, limits: Limits) -> str:
    """The nickname that somebody asks for, as it will be shown.

    Args:
        text: what they typed.
        limits: how long it may be, measured after normalising.

    Raises:
        Refused: why it cannot be a nickname.
    """
    name = unicodedata.normalize("NFC", text.strip())
    folded = key(name)
    if not name:
        raise Refused("bad-nick", "A nickname has at least one letter: type one.")
    if len(folded) > limits.nickname_characters or len(name) > limits.nickname_characters:
        raise Refused(
            "bad-nick",
            f"That nickname is too long: use at most {limits.nickname_characters} characters.",
        )
    if not folded[0].isalpha() or not _are_letters(name) or not _are_letters(folded):
        raise Refused(
            "bad-nick",
            "A nickname begins with a letter and has letters, digits, _ and - only: "
            "choose another one.",
        )
    if len(name.encode()) > limits.nickname_bytes or len(folded.encode()) > limits.nickname_bytes:
        raise Refused("bad-nick", "That nickname takes too much room: use fewer characters.")
    if folded.strip("_-") in _RESERVED:
        raise Refused("reserved-nick", f"The nickname {name} is reserved: choose another one.")
    return name


def room(text: str, limits: Limits) -> str:
    """The name of a room, `#` first, whether or not that was typed.

    Raises:
        Refused: why no room can have that name.
    """
    name = "#" + unicodedata.normalize("NFC", text.strip()).removeprefix("#")
    folded = key(name)
    if (
        not 1 < len(folded) <= _ROOM_CHARACTERS + 1
        or not _are_letters(folded[1:])
        or not _are_letters(name[1:])
        or not folded[1].isalnum()
        or len(folded.encode()) > limits.nickname_bytes
    ):
        raise Refused(
            "bad-room",
            f"A room's name has at most {_ROOM_CHARACTERS} letters, digits, _ and -: "
            "choose another one.",
        )
    return name


def _are_letters(name: str) -> bool:
    marks = 0
    for character in name:
        category = unicodedata.category(character)
        marks = marks + 1 if category in ("Mn", "Mc") else 0
        if marks > 2 or not (marks or category[0] == "L" or category == "Nd" or character in "_-"):
            return False
        if character in "\u115f\u1160\u3164\uffa0\u034f\u17b4\u17b5":  # letters that show nothing
            return False
        if "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef":
            return False
    return True
