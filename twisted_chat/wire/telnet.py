"""Telnet's own commands (RFC 854), removed from the input and answered.

A bare telnet client negotiates; netcat does not. We take part in no option: what is asked of us
is refused (`DO` with `WONT`, `WILL` with `DONT`), answers are not answered (RFC 1143: no loops),
and what comes between `SB` and `SE` is dropped as it arrives, so that nothing is kept of it.
"""

from twisted_chat.wire.keys import CTRL_C, CTRL_D, CTRL_Z

IAC, SE, AYT, SB, WILL, WONT, DO, DONT = 255, 240, 246, 250, 251, 252, 253, 254
EOF, SUSP, ABORT, BRK, IP = 236, 237, 238, 243, 244
FIRST = 236
"""The first byte that is a command behind `IAC` (EOF, RFC 1184); others are no telnet at all."""

_KEYS = {
    EOF: CTRL_D + b"\n",
    SUSP: CTRL_Z + b"\n",
    ABORT: CTRL_C + b"\n",
    BRK: CTRL_C + b"\n",
    IP: CTRL_C + b"\n",
}
"""Keys that a client in line mode sends so, at the end of a line that it has forgotten."""

SUBNEGOTIATION = 4_096
"""Bytes of one subnegotiation after which it is an attack; Twisted's own limit since 26.10."""


class EndlessSubnegotiation(Exception):
    """A subnegotiation that does not end: the connection is to be closed."""


class TelnetFilter:
    """Takes telnet's commands out of one connection's bytes, however these are cut into pieces."""

    __slots__ = ("_held", "_inside")

    def __init__(self) -> None:
        self._held = b""  # the beginning of a command whose end has not arrived
        self._inside = -1  # bytes seen of a subnegotiation, -1 outside of one

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """What was typed, and what is to be answered, for the next piece of a connection.

        Raises:
            EndlessSubnegotiation: more than `SUBNEGOTIATION` bytes of one.
        """
        if self._inside < 0 and not self._held and IAC not in data:
            return data, b""
        data = self._held + data
        self._held = b""
        typed, answers = bytearray(), bytearray()
        at = 0
        while at < len(data):
            if self._inside >= 0:
                at = self._skip(data, at)
                continue
            command = data.find(IAC, at)
            if command < 0:
                typed += data[at:]
                break
            typed += data[at:command]
            size = 3 if data[command + 1 : command + 2] >= bytes([WILL]) else 2
            if data[command + 1 : command + 2] == bytes([IAC]):
                size = 2
            if len(data) < command + size:
                self._held = data[command:]
                break
            verb = data[command + 1]
            if verb < FIRST:  # a stray byte, such as a Latin-1 y with dots before a line end
                typed.append(IAC)
                at = command + 1
                continue
            at = command + size
            if verb == IAC:
                typed.append(IAC)
            elif verb == SB:
                self._inside = 0
            elif verb == DO:
                answers += bytes([IAC, WONT, data[command + 2]])
            elif verb == WILL:
                answers += bytes([IAC, DONT, data[command + 2]])
            elif verb == AYT:
                answers += b"*** Yes, the server is here.\r\n"
            else:
                typed += _KEYS.get(verb, b"")
        return bytes(typed), bytes(answers)

    def _skip(self, data: bytes, at: int) -> int:
        """Where in `data` the subnegotiation that we are in ends, or its end."""
        while True:
            mark = data.find(IAC, at)
            if mark < 0 or mark + 1 == len(data):
                self._inside += len(data) - at
                self._held = b"\xff" if mark >= 0 else b""
                if self._inside > SUBNEGOTIATION:
                    raise EndlessSubnegotiation
                return len(data)
            self._inside += mark + 2 - at
            if self._inside > SUBNEGOTIATION:
                raise EndlessSubnegotiation
            at = mark + 2
            if data[mark + 1] == SE:
                self._inside = -1
                return at
