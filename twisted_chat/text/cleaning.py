"""Text from outside, made safe to display: the one function that all input goes through.

A line is shown whole, or its sender is told why it is not. What is refused: bytes that are not
UTF-8, control characters (they move cursors, change colours, ring and type), private-use and
non-characters, marks piled up on one character, invisible tags outside of a flag. What is taken
out: what changes the direction of the text around it (Unicode TR 9; CVE-2021-42574), and the
byte order mark that some editors put first. Everything else arrives unchanged: joiners,
variation selectors, flags, and characters newer than this program's Unicode tables.

On a screen with lines of its own a long run of blanks is shown as a short one.
"""

import re

from twisted_chat.refusal import Refused
from twisted_chat.text import unicode_tables
from twisted_chat.text.marks import are_piled
from twisted_chat.text.ranges import in_brackets, ranges

_PRINTABLE = bytes(range(0x20, 0x7F))
"""All that most lines are made of."""

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_UNSHOWABLE = re.compile(
    "[\ud800-\udfff\ue000-\uf8ff\ufdd0-\ufdef\ufff9-\ufffb\ufffe\uffff"
    + "".join(chr(plane * 0x10000 + end) for plane in range(1, 15) for end in (0xFFFE, 0xFFFF))
    + "\U000f0000-\U0010ffff]"
)
_DIRECTION = re.compile("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\u206a-\u206f]")
_FLAG = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,6}\U000e007f")
_TAG = re.compile("[\U000e0000-\U000e007f]")
_UNSEEN = in_brackets(ranges(unicode_tables.IGNORABLE))
_BLANK = f"\\s\u2800\u2d7f{_UNSEEN}\U00013430-\U00013442\U00016fe4\U0001d159"
"""What shows nothing: blanks, what is ignored, and a few letters and signs without ink."""

_ALL_BLANK = re.compile(f"[{_BLANK}]*")
_MANY_BLANKS = re.compile(f"([{_BLANK}]{{16}})[{_BLANK}]+")


def clean(line: bytes | str, limit: int) -> str:
    """The text of a line that somebody sent, safe to display.

    Args:
        line: what came in, without its line end.
        limit: the most bytes of UTF-8 that it may have.

    Raises:
        Refused: the line is not shown to anybody, and why.
    """
    if isinstance(line, bytes):
        if len(line) > limit:
            raise too_long(limit)
        if not line.translate(None, _PRINTABLE):
            return line.decode()
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
        return text
    return _clean_beyond_ascii(text, limit)


def _clean_beyond_ascii(text: str, limit: int) -> str:
    text = text.replace("\t", " ")
    text = _DIRECTION.sub("", text)  # before all else: nothing can be built around such marks
    text = text.lstrip("\ufeff")
    if _CONTROL.search(text):
        raise Refused(
            "control-characters",
            "Control characters are not allowed, so that line was not sent: type it again "
            "without arrow keys, colours or escape sequences.",
        )
    if _UNSHOWABLE.search(text) or _TAG.search(_FLAG.sub("", text)):
        raise Refused(
            "unshowable-characters",
            "That line has characters that cannot be displayed, and was not sent: "
            "type it again without them.",
        )
    if are_piled(text):
        raise Refused(
            "piled-marks",
            "That line has too many marks on one character and was not sent: use at most six.",
        )
    if len(text.encode()) > limit:
        raise too_long(limit)
    return text


def note_on(line: bytes) -> str:
    """What the sender of a line that was made safe should know; empty if that is nothing."""
    if line.isascii() or not _DIRECTION.search(line.decode()):
        return ""
    return "Invisible direction marks were removed from that line."


def too_long(limit: int) -> Refused:
    """What the sender of a line over `limit` bytes reads."""
    return Refused(
        "too-long",
        f"That line is too long (the limit is {limit} bytes) and was not sent: split it.",
    )


def is_blank(text: str) -> bool:
    """Whether a text shows nothing at all on a screen."""
    if text.isascii():
        return not text or text.isspace()
    return _ALL_BLANK.fullmatch(text) is not None


def with_few_blanks(text: str) -> str:
    """A text with longer runs of blanks cut to sixteen.

    With a screen's width of blanks, the text after them would look like a separate line.
    """
    if text.isascii() and " " * 17 not in text:
        return text
    return _MANY_BLANKS.sub(r"\1", text)
