"""Text: what is let through is harmless, and cleaning it again changes nothing."""

import sys
import unicodedata

import atheris

from fuzz import _alphabet

with atheris.instrument_imports(include=["twisted_chat"]):
    from twisted_chat.refusal import Refused
    from twisted_chat.text.cleaning import clean

DIRECTION = set("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def try_one(data: bytes) -> None:
    """One input."""
    line = data if data[:1] < b"\x20" else _alphabet.text(data)
    try:
        text = clean(line, 2_000)
    except Refused as why:
        assert why.text.isprintable()
        return
    assert len(text.encode()) <= 2_000
    for character in text:
        assert unicodedata.category(character) not in ("Cc", "Cs", "Co", "Zl", "Zp")
        assert character not in DIRECTION
    assert clean(text, 2_000) == text


if __name__ == "__main__":
    atheris.Setup(sys.argv, try_one)
    atheris.Fuzz()
