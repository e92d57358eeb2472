"""Names: what is accepted is one word of letters, and accepted again as it is."""

import sys

import atheris

from fuzz import _alphabet

with atheris.instrument_imports(include=["twisted_chat"]):
    from twisted_chat import Limits
    from twisted_chat.refusal import Refused
    from twisted_chat.text.confusables import JOINERS, looks, mixes_alphabets, skeleton
    from twisted_chat.text.names import key, nickname, room

LIMITS = Limits()


def try_one(data: bytes) -> None:
    """One input."""
    text = _alphabet.text(data)
    for name_of in (nickname, room):
        try:
            name = name_of(text, LIMITS)
        except Refused as why:
            assert why.text.isprintable()
            continue
        assert name_of(name, LIMITS) == name
        assert all(character.isprintable() for character in set(name).difference(JOINERS))
        assert not any(character.isspace() for character in name)
        assert not mixes_alphabets(name)
        assert key(key(name)) == key(name)
        assert skeleton(skeleton(name)) == skeleton(name)
        assert set(looks(name)) & set(looks(key(name)))


if __name__ == "__main__":
    atheris.Setup(sys.argv, try_one)
    atheris.Fuzz()
