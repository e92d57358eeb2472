"""Text from the network, made harmless for a terminal: the server may be anybody's."""

import json
import re
from typing import Any

from twisted_chat.text.cleaning import with_few_blanks

_HARMFUL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029"  # move cursors, change colours, type
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u206a-\u206f"  # turn the text around them
    "\ud800-\udfff]"  # cannot be written at all
)
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


LONGEST = 16 * 1024
"""Characters of a text that are shown, many times what a line of a chat has."""


def harmless(text: str) -> str:
    """The text, with U+FFFD in the place of every character that does something to a terminal.

    Of many blanks in a row it has sixteen, as the server's plain lines do; of a text that would
    keep the terminal busy the beginning.
    """
    if len(text) > LONGEST:
        text = text[: LONGEST - 1] + "\u2026"
    return with_few_blanks(_HARMFUL.sub("\ufffd", text))


def as_json(thing: dict[str, Any]) -> str:
    """An object as one line of JSON that says exactly the same and is safe to look at.

    Raises:
        RecursionError: it is nested as deeply as nothing sensible is.
    """
    return _HARMFUL.sub(lambda found: f"\\u{ord(found[0]):04x}", _encode(thing))
