"""Characters that have caused trouble somewhere, so that random bytes become worthwhile text."""

CHARACTERS = (
    "aAbIl1O0_-. #@/:*<>[]\t\n\r\x00\x07\x08\x1b\x7f\x85\x9b\u00a0\u00ad\u00e9\u0131\u0130\u00df"
    "\u0300\u0301\u0308\u034f\u0430\u043e\u0435\u0440\u03b1\u03bf\u05d0\u0627\u0661\u064b\u061c"
    "\u0e01\u0e34\u0915\u094d\u115f\u1160\u1161\u1100\uac00\u17b4\u180b\u180e\u200b\u200c\u200d"
    "\u200e\u200f\u202a\u202e\u2028\u2029\u2060\u2066\u2069\u206a\u2800\u3000\u3042\u30a2\u3105"
    "\u3164\u4e00\ue000\ufdfa\ufe0f\ufeff\uff21\uffa0\uffff\U0001d41b\U0001f3f4\U0001f600"
    "\U000e0020\U000e0067\U000e007f\U000e0100\U0010ffff"
)


def text(data: bytes) -> str:
    """A text in which every byte is one of them, or as the bytes are."""
    if data[:1] < b"\x40":
        return data[1:].decode(errors="replace")
    return "".join(CHARACTERS[byte % len(CHARACTERS)] for byte in data[1:])
