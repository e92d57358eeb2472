"""What a nickname and a room may be called, and when two names are the same."""

import unicodedata
from functools import cache

from precis_i18n import get_profile

from twisted_chat.limits import Limits
from twisted_chat.looks import is_structure, looks, mixes_alphabets
from twisted_chat.refusal import Refused

LOBBY = "#lobby"
"""The room that everybody enters."""

_RESERVED = frozenset(
    """admin administrator announcement anonymous chanserv console error everyone help here info
    log me memoserv mod moderator nickserv nobody notice null operator owner root server staff
    support sysop system undefined unknown user warning you""".split()
)
_VOICES = frozenset(
    "admin administrator moderator operator root server staff support sysop system".split()
)
_ROOM_CHARACTERS = 30
_SARA_AM = {0x0E33: "\u0e4d\u0e32", 0x0EB3: "\u0ecd\u0eb2"}
"""Thai and Lao letters of many words, which PRECIS knows only as the two parts they are made of."""
_PRECIS = get_profile("UsernameCasePreserved")


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
    text = text.strip()
    most = limits.nickname_characters
    if len(text) > 4 * most or len(key(text)) > most:  # the first, so that it costs no time
        raise Refused("bad-nick", f"That nickname is too long: use at most {most} characters.")
    name = _in_precis(text)
    folded = key(name)
    if not text:
        raise Refused("bad-nick", "A nickname has at least one letter: type one.")
    letters = _are_letters(name) and _are_letters(folded) and not is_structure(name)
    if not name or not folded[0].isalpha() or not letters:
        raise Refused(
            "bad-nick",
            "A nickname begins with a letter and has letters, digits, _ and - only: "
            "choose another one.",
        )
    if len(name.encode()) > limits.nickname_bytes or len(folded.encode()) > limits.nickname_bytes:
        raise Refused("bad-nick", "That nickname takes too much room: use fewer characters.")
    if mixes_alphabets(name):
        raise Refused(
            "bad-nick",
            "That nickname mixes letters of several alphabets: use those of one.",
        )
    if is_reserved(name):
        raise Refused("reserved-nick", f"The nickname {name} is reserved: choose another one.")
    return name


def is_reserved(name: str) -> bool:
    """Whether a name is the server's, or looks like one of those, also with a number behind it."""
    bare = name.replace("_", "").replace("-", "")
    unnumbered = bare.rstrip("0123456789")
    return not (
        _server_looks(_RESERVED).isdisjoint(map(_without_dots, looks(bare)))
        and _server_looks(_VOICES).isdisjoint(map(_without_dots, looks(unnumbered)))
    )


@cache
def _server_looks(names: frozenset[str]) -> frozenset[str]:
    return frozenset(_without_dots(look) for name in names for look in looks(name))


def _without_dots(look: str) -> str:
    """A look in which i is l, as 1 and I are in a skeleton: nobody is Adm1n."""
    return look.replace("i", "l")


def _in_precis(text: str) -> str:
    """A name as PRECIS has it (RFC 8265), full-width letters made narrow; empty if it has none."""
    try:
        name: str = _PRECIS.enforce(text.translate(_SARA_AM))
    except UnicodeEncodeError:
        return ""
    return name


def room(text: str, limits: Limits) -> str:
    """The name of a room, `#` first, whether or not that was typed.

    Raises:
        Refused: why no room can have that name.
    """
    bare = text.strip().removeprefix("#")
    name = "#" + (_in_precis(bare) if len(bare) <= 4 * _ROOM_CHARACTERS else "")
    folded = key(name)
    if (
        not 1 < len(folded) <= _ROOM_CHARACTERS + 1
        or not _are_letters(folded[1:])
        or not _are_letters(name[1:])
        or not folded[1].isalnum()
        or mixes_alphabets(name)
        or is_structure(name[1:])
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
