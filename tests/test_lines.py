"""However bytes are cut into pieces, the lines that they make are the same."""

import re
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from twisted_chat.wire.lines import Lines

LINE_END = re.compile(rb"\r\n|\r\0|\r|\n")
TOO_LONG = "a line that is too long"
END = "the end"


class Listener(Lines):
    """Writes down what it hears.

    Args:
        naps: after how many lines it pauses, again and again.
    """

    MAX_LENGTH = 8

    def __init__(self, naps: Sequence[int] = ()) -> None:
        super().__init__()
        self.heard: list[bytes | str] = []
        self._naps = list(naps)
        self.makeConnection(StringTransport())

    def lineReceived(self, line: bytes) -> None:
        """Write down a line."""
        self._hear(line)

    def lineLengthExceeded(self, line: bytes) -> None:
        """Write down that there was one."""
        self._hear(TOO_LONG)

    def inputEnded(self) -> None:
        """Write down that this was all."""
        self._hear(END)

    def _hear(self, line: bytes | str) -> None:
        self.heard.append(line)
        if self._naps:
            self._naps[0] -= 1
            if self._naps[0] <= 0:
                del self._naps[0]
                self.pauseProducing()


def rest_of(data: bytes) -> bytes:
    """What has no line end."""
    return LINE_END.split(data)[-1]


def lines_of(data: bytes) -> list[bytes | str]:
    """The lines of everything that was sent, told in the shortest way."""
    *lines, rest = LINE_END.split(data)
    if rest:
        lines.append(rest)
    whole = [TOO_LONG if len(line) > Listener.MAX_LENGTH else line for line in lines]
    return [*whole, END]


BYTES = st.lists(
    st.sampled_from([b"\r", b"\n", b"\0", b"\r\n", b"\r\0", b"a", b"b" * 8, b"c" * 9, b"\xff"]),
    max_size=25,
).map(b"".join)
CUTS = st.lists(st.integers(1, 6), max_size=60)


def pieces(data: bytes, cuts: Sequence[int]) -> list[bytes]:
    """The same bytes in pieces of these sizes; the last piece is what is left."""
    cut, at = [], 0
    for size in cuts:
        cut.append(data[at : at + size])
        at += size
    return [piece for piece in (*cut, data[at:]) if piece]


class LinesTests(SynchronousTestCase):
    @given(BYTES, CUTS)
    def test_any_cutting_gives_the_same_lines(self, data: bytes, cuts: list[int]) -> None:
        listener = Listener()
        for piece in pieces(data, cuts):
            listener.dataReceived(piece)
        listener.readConnectionLost()
        self.assertEqual(listener.heard, lines_of(data))

    @given(BYTES, CUTS, st.lists(st.integers(1, 4), max_size=20))
    def test_pausing_loses_nothing(self, data: bytes, cuts: list[int], naps: list[int]) -> None:
        listener = Listener(naps)
        for piece in pieces(data, cuts):
            listener.dataReceived(piece)
            before = len(listener.heard)
            if listener.paused:
                listener.dataReceived(b"")
                self.assertEqual(len(listener.heard), before, "it heard while it was paused")
            if len(piece) % 2:
                listener.resumeProducing()
        listener.readConnectionLost()
        while listener.paused:
            listener.resumeProducing()
        self.assertEqual(listener.heard, lines_of(data))

    @given(BYTES, CUTS)
    def test_of_a_broken_connection_only_whole_lines_count(
        self, data: bytes, cuts: list[int]
    ) -> None:
        listener = Listener()
        for piece in pieces(data, cuts):
            listener.dataReceived(piece)
        listener.connectionLost(Failure(ConnectionLost()))
        expected = lines_of(data)
        if rest_of(data) and expected[-2] != TOO_LONG:  # that one was told of when it came
            del expected[-2]
        self.assertEqual(listener.heard, expected)

    def test_a_line_that_is_too_long_keeps_its_place(self) -> None:
        listener = Listener()
        listener.dataReceived(b"one\ntoo long for us\ntwo\n")
        self.assertEqual(listener.heard, [b"one", TOO_LONG, b"two"])

    def test_a_line_that_is_too_long_is_told_once_however_long_it_is(self) -> None:
        listener = Listener()
        for _ in range(1000):
            listener.dataReceived(b"x" * 100)
        self.assertEqual(listener.heard, [TOO_LONG])
        listener.dataReceived(b"x\nnext\n")
        self.assertEqual(listener.heard, [TOO_LONG, b"next"])

    def test_the_end_is_told_once(self) -> None:
        listener = Listener()
        listener.dataReceived(b"last")
        listener.readConnectionLost()
        listener.readConnectionLost()
        listener.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(listener.heard, [b"last", END])

    def test_the_end_waits_for_who_is_paused(self) -> None:
        listener = Listener([1])
        listener.dataReceived(b"one\ntwo\n")
        listener.connectionLost(Failure(ConnectionLost()))
        self.assertEqual(listener.heard, [b"one"])
        listener.resumeProducing()
        self.assertEqual(listener.heard, [b"one", b"two", END])

    def test_while_paused_nothing_is_read(self) -> None:
        listener = Listener()
        transport = listener.transport
        assert isinstance(transport, StringTransport)
        listener.pauseProducing()
        self.assertEqual(transport.producerState, "paused")
        listener.resumeProducing()
        self.assertEqual(transport.producerState, "producing")
