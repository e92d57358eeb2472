"""Text from outside, made safe for everybody's screen: the one function that all doors call.

A line is shown whole, or its sender is told why it is not. What is refused: bytes that are not
UTF-8, control characters (they move cursors, change colours, ring and type), private-use and
non-characters, marks piled up on one character, invisible tags outside of a flag. What is taken
out: what changes the direction of the text around it (Unicode TR 9; CVE-2021-42574), and the
byte order mark that some editors put first. Everything else arrives unchanged: joiners,
variation selectors, flags, and characters newer than this program's Unicode tables.
"""

import re
from typing import NamedTuple

from twisted_chat.refusal import Refused

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_UNSHOWABLE = re.compile(
    "[\ud800-\udfff\ue000-\uf8ff\ufdd0-\ufdef\ufff9-\ufffb\ufffe\uffff"
    + "".join(chr(plane * 0x10000 + end) for plane in range(1, 15) for end in (0xFFFE, 0xFFFF))
    + "\U000f0000-\U0010ffff]"
)
_DIRECTION = re.compile("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\u206a-\u206f]")
_FLAG = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,6}\U000e007f")
_TAG = re.compile("[\U000e0000-\U000e007f]")
_MARK = (
    "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
    "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"  # Hebrew
    "\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed"  # Arabic
    "\u0e31\u0e34-\u0e3a\u0e47-\u0e4e"  # Thai
)
_PILE = re.compile(f"(?:[{_MARK}][\u200b-\u200d\u2060\ufe00-\ufe0f]*){{7,}}")
_INVISIBLE = re.compile(
    "[\\s\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2060-\u2064"
    "\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0100-\U000e01ef]*"
)


class Cleaned(NamedTuple):
    """A line that may be shown, and what its sender is to know about it (empty: nothing)."""

    text: str
    note: str = ""


def clean(line: bytes | str, limit: int) -> Cleaned:
    """The text of a line that somebody sent, ready for every screen.

    Args:
        line: what came in, without its line end.
        limit: the most bytes of UTF-8 that it may have.

    Raises:
        Refused: the line is not shown to anybody, and why.
    """
    if isinstance(line, bytes):
        if len(line) > limit:
            raise too_long(limit)
        try:
            text = line.decode()
        except UnicodeDecodeError:
            raise Refused(
                "not-utf-8",
                "That line is not UTF-8 and was not sent: set your terminal to UTF-8.",
            ) from None
    else:
        text = line
    if text.isascii() and text.isprintable():
        if len(text) > limit:
            raise too_long(limit)
        return Cleaned(text)
    return _clean_beyond_ascii(text, limit)


def _clean_beyond_ascii(text: str, limit: int) -> Cleaned:
    text = text.replace("\t", " ")
    straight = _DIRECTION.sub("", text)  # before all else: nothing can be built around such marks
    removed = straight != text
    text = straight.lstrip("\ufeff")
    if _CONTROL.search(text):
        raise Refused(
            "control-characters",
            "Control characters are not allowed, so that line was not sent: type it again "
            "without arrow keys, colours or escape sequences.",
        )
    if _UNSHOWABLE.search(text) or _TAG.search(_FLAG.sub("", text)):
        raise Refused(
            "unshowable-characters",
            "That line has characters that no screen can show, and was not sent: "
            "type it again without them.",
        )
    if _PILE.search(text):
        raise Refused(
            "piled-marks",
            "That line piles too many marks on one character, and was not sent: use six at most.",
        )
    if len(text.encode()) > limit:
        raise too_long(limit)
    note = "Invisible direction marks were taken out of that line." if removed else ""
    return Cleaned(text, note)


def too_long(limit: int) -> Refused:
    """What the sender of a line over `limit` bytes reads."""
    return Refused(
        "too-long",
        f"That line is too long (the limit is {limit} bytes) and was not sent: split it.",
    )


def is_blank(text: str) -> bool:
    """Whether a text shows nothing at all on a screen."""
    return _INVISIBLE.fullmatch(text) is not None
