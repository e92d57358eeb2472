"""`--qr`: text as a QR code in a terminal, for the camera of a phone."""

import io

import segno

_WHITE_ON_BLACK, _NORMAL = "\x1b[97;40m", "\x1b[0m"


def code(text: str) -> str:
    """A QR code, with colours of its own: on a light terminal it would be a negative."""
    out = io.StringIO()
    segno.make(text, micro=False).terminal(out, compact=True)
    return "".join(f"{_WHITE_ON_BLACK}{line}{_NORMAL}\n" for line in out.getvalue().splitlines())
