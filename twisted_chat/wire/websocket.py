"""Structured lines over a WebSocket (RFC 6455): each object is one text message, in one frame."""

from typing import Any, Final

from twisted_chat.wire.structured import StructuredWire, encode

TEXT: Final = 1
CLOSE: Final = 8
PING: Final = 9
PONG: Final = 10

_LAST = 0x80
"""The bit of a frame that ends its message, as all of ours do."""


def frame(kind: int, data: bytes = b"") -> bytes:
    """A whole message in one frame, as a server sends it: without a mask.

    Args:
        kind: `TEXT`, or one of the control frames, which have at most 125 bytes.
        data: what is in it.
    """
    size = len(data)
    if size < 126:
        return bytes((_LAST | kind, size)) + data
    if size < 1 << 16:
        return bytes((_LAST | kind, 126)) + size.to_bytes(2, "big") + data
    return bytes((_LAST | kind, 127)) + size.to_bytes(8, "big") + data


class FramedWire(StructuredWire):
    """Events as text messages, whose frames are made once for everybody."""

    def encode(self, thing: dict[str, Any]) -> bytes:
        """An object as a frame."""
        return frame(TEXT, encode(thing)[:-1])
