"""Structured lines over a WebSocket (RFC 6455): each object is one text message, in one frame."""

from typing import Any, Final

from twisted_chat.wire.structured import StructuredWire, encode

TEXT: Final = 1
CLOSE: Final = 8
PING: Final = 9
PONG: Final = 10

_LAST = 0x80
"""The bit that marks the last frame of a message, set in all of ours."""


def frame(kind: int, data: bytes = b"") -> bytes:
    """A whole message in one frame, unmasked, as servers send them.

    Args:
        kind: `TEXT`, or a control frame, whose data has at most 125 bytes.
        data: the content.
    """
    size = len(data)
    if size < 126:
        return bytes((_LAST | kind, size)) + data
    if size < 1 << 16:
        return bytes((_LAST | kind, 126)) + size.to_bytes(2, "big") + data
    return bytes((_LAST | kind, 127)) + size.to_bytes(8, "big") + data


class FramedWire(StructuredWire):
    """Encodes events as text messages; a frame is made once for all readers."""

    def encode(self, thing: dict[str, Any]) -> bytes:
        """An object as a frame."""
        return frame(TEXT, encode(thing)[:-1])
