"""The other end of a WebSocket: lines as text messages, and back (RFC 6455)."""

_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10
_MASK = b"\0\0\0\0"


def frame(kind: int, data: bytes) -> bytes:
    """A whole message, as browsers send them, but that its mask changes nothing."""
    size = len(data)
    if size < 126:
        return bytes((0x80 | kind, 0x80 | size)) + _MASK + data
    return bytes((0x80 | kind, 0x80 | 126)) + size.to_bytes(2, "big") + _MASK + data


def framed(data: bytes) -> bytes:
    """Lines as messages; what has no line's end is a message that is broken off."""
    *lines, rest = data.split(b"\n")
    whole = b"".join(frame(_TEXT, line.decode(errors="replace").encode()) for line in lines)
    return whole + (frame(_TEXT, rest + b"?")[:-1] if rest else b"")


class Frames:
    """Takes what the server sends apart."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """The messages in it, as lines, and what is to be answered at once."""
        self._rest += data
        lines = answers = b""
        while (found := self._data()) is not None:
            start, end = found
            kind, payload = self._rest[0] & 15, self._rest[start:end]
            self._rest = self._rest[end:]
            if kind == _TEXT:
                lines += payload + b"\n"
            elif kind == _PING:
                answers += frame(_PONG, payload)
            elif kind == _CLOSE:
                answers += frame(_CLOSE, payload)
        return lines, answers

    def _data(self) -> tuple[int, int] | None:
        """Where the data of the first frame begin and end, if it is here."""
        rest = self._rest
        if len(rest) < 2 or len(rest) < (start := {126: 4, 127: 10}.get(rest[1], 2)):
            return None
        size = rest[1] if start == 2 else int.from_bytes(rest[2:start], "big")
        return (start, start + size) if len(rest) >= start + size else None
