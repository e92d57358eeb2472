"""Telnet's bytes: however they are cut, the same is typed and answered, and little is kept."""

import sys

import atheris

with atheris.instrument_imports(include=["twisted_chat"]):
    from twisted_chat.wire.telnet import EndlessSubnegotiation, TelnetFilter


def feed(pieces: list[bytes]) -> tuple[bytes, bytes] | None:
    """What is typed and answered; None if it does not end."""
    telnet, typed, answered = TelnetFilter(), b"", b""
    for piece in pieces:
        try:
            more, answers = telnet.feed(piece)
        except EndlessSubnegotiation:
            return None
        typed += more
        answered += answers
        assert len(telnet._held) <= 2
    return typed, answered


def try_one(data: bytes) -> None:
    """One input."""
    provider = atheris.FuzzedDataProvider(data)
    cut = provider.ConsumeIntInRange(0, 4096)
    rest = provider.ConsumeBytes(4096)
    whole = feed([rest])
    assert feed([rest[:cut], rest[cut:]]) == whole
    assert feed([bytes([byte]) for byte in rest]) == whole


if __name__ == "__main__":
    atheris.Setup(sys.argv, try_one)
    atheris.Fuzz()
