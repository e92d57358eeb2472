"""Lines out of bytes: however they are cut, the same lines, none too long, none lost."""

import sys

import atheris

with atheris.instrument_imports(include=["twisted_chat"]):
    from twisted_chat.wire.lines import Lines


class Keeping(Lines):
    """Keeps its lines."""

    MAX_LENGTH = 50

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[bytes] = []

    def lineReceived(self, line: bytes) -> None:
        """See `Lines`."""
        assert len(line) <= self.MAX_LENGTH
        assert b"\n" not in line
        assert b"\r" not in line
        self.kept.append(line)

    def lineLengthExceeded(self, line: bytes) -> None:
        """See `Lines`."""
        self.kept.append(b"(too long)")

    def inputEnded(self) -> None:
        """See `Lines`."""
        self.kept.append(b"(end)")


def lines(pieces: list[bytes]) -> list[bytes]:
    """What becomes of bytes."""
    protocol = Keeping()
    for piece in pieces:
        protocol.dataReceived(piece)
        assert len(protocol.beginning) <= protocol.MAX_LENGTH
    protocol.readConnectionLost()
    return protocol.kept


def try_one(data: bytes) -> None:
    """One input."""
    provider = atheris.FuzzedDataProvider(data)
    cut = provider.ConsumeIntInRange(0, 4096)
    rest = provider.ConsumeBytes(4096)
    whole = lines([rest])
    assert whole.count(b"(end)") == 1
    assert lines([rest[:cut], rest[cut:]]) == whole
    assert lines([bytes([byte]) for byte in rest]) == whole


if __name__ == "__main__":
    atheris.Setup(sys.argv, try_one)
    atheris.Fuzz()
