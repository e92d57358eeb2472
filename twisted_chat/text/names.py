"""Which nicknames and room names are valid, and when two names are the same."""

import unicodedata
from functools import cache

from precis_i18n import get_profile

from twisted_chat.limits import Limits
from twisted_chat.refusal import Refused
from twisted_chat.text.cleaning import is_blank
from twisted_chat.text.confusables import JOINERS, is_structure, looks, mixes_alphabets

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
_PARTS = {
    ord(letter): unicodedata.normalize("NFKC", letter)
    for letter in "\u0e33\u0eb3\u0edc\u0edd\u0587\u0675\u0676\u0677\u0678"
}
"""Thai, Lao, Armenian and Kazakh letters that PRECIS knows only as the parts they are made of."""

_BESIDES = "_-\u00b7\u05f3\u05f4\u0f0b\u30fb"
"""What may stand between letters: PRECIS lets the last five in where the words of Catalan, Hebrew,
Tibetan and Japanese have them."""

_MOST_MARKS = 4
"""Drawn on one letter (UTS 39, 5.4): Burmese words have as many."""

_PRECIS = get_profile("UsernameCasePreserved")


def key(name: str) -> str:
    """What makes two names the same: normal form (Unicode TR 15, NFKC) and case folding."""
    for joiner in JOINERS:
        name = name.replace(joiner, "")
    if name.isascii():  # which is in normal form
        return name.lower()
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
        raise Refused("bad-nick", "A nickname needs at least one letter: type one.")
    letters = _are_letters(name) and _are_letters(folded) and not is_structure(name)
    if not name or not folded[0].isalpha() or not letters:
        raise Refused(
            "bad-nick",
            "A nickname starts with a letter and has only letters, digits, _ and -: "
            "choose another one.",
        )
    if (
        len(name) > most
        or len(name.encode()) > limits.nickname_bytes
        or len(folded.encode()) > limits.nickname_bytes
    ):
        raise Refused("bad-nick", "That nickname takes too many bytes: use fewer characters.")
    if mixes_alphabets(name):
        raise Refused(
            "bad-nick",
            "That nickname mixes letters of several alphabets: use only one.",
        )
    if is_reserved(name):
        raise Refused("reserved-nick", f"The nickname {name} is reserved: choose another one.")
    return name


def is_like_a_name(name: str) -> bool:
    """Whether a name from a file has what names of all times have, whatever their limits were.

    Without it, a line with this name could look like a line of somebody else.
    """
    folded = key(name)
    return folded[:1].isalnum() and all(map(_is_in_names, name))


def _is_in_names(character: str) -> bool:
    if unicodedata.category(character) in ("Mn", "Mc") or character in JOINERS:
        return True
    return (character.isalnum() or character in _BESIDES) and not is_blank(character)


def is_the_servers(name: str) -> bool:
    """Whether a name is one that nobody could ever have, being the server's word for word."""
    return key(name).strip("_-") in _RESERVED


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
        name: str = _PRECIS.enforce(text.translate(_PARTS))
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
            f"A room name has at most {_ROOM_CHARACTERS} letters, digits, _ and -: "
            "choose another one.",
        )
    return name


def _are_letters(name: str) -> bool:
    """Whether all of a name is seen: letters with few marks, none of them twice, and digits."""
    marks: list[tuple[str, str]] = []  # on the letter before, each with its category
    for character in unicodedata.normalize("NFD", name):
        category = unicodedata.category(character)
        if character in JOINERS:  # where PRECIS lets them in
            continue
        if category in ("Mn", "Mc") and (category, character) not in marks:
            marks.append((category, character))
        elif category[0] == "L" or category == "Nd" or character in _BESIDES:
            marks = []
        else:
            return False
        if is_blank(character) or [kind for kind, _ in marks].count("Mn") > _MOST_MARKS:
            return False
    return True
