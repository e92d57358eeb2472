"""Recognises the protocol of a connection by its first bytes."""

import re
from enum import Enum, auto

_REQUEST = re.compile(rb"[A-Z]{3,10} \S+ HTTP/1\.[01]\r?$")
_PERHAPS_REQUEST = re.compile(rb"[A-Z]{1,10}( \S*( H?T?T?P?/?1?\.?[01]?\r?)?)?$")
_HELLO = b"\x16\x03"
LONGEST = 8_192
"""Maximum size in bytes of the first line of a request."""


class Speaks(Enum):
    """A protocol."""

    TLS = auto()
    HTTP = auto()
    LINES = auto()


def recognize(data: bytes) -> Speaks | None:
    """The protocol that begins with these bytes; None if it takes more to tell."""
    if not data or data == _HELLO[:1]:
        return None
    if data.startswith(_HELLO):
        return Speaks.TLS
    first, end, _ = data.partition(b"\n")
    if end:
        return Speaks.HTTP if _REQUEST.match(first) else Speaks.LINES
    if len(data) <= LONGEST and _PERHAPS_REQUEST.match(data):
        return None
    return Speaks.LINES
