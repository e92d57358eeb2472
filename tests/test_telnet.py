"""Telnet's own bytes (RFC 854) reach nobody, however they are cut into pieces."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.people import ChatTestCase
from twisted_chat.wire.telnet import SUBNEGOTIATION, EndlessSubnegotiation, TelnetFilter

IAC, SE, NOP, AYT, SB = b"\xff", b"\xf0", b"\xf1", b"\xf6", b"\xfa"
EOF, SUSP, ABORT, BRK, IP = b"\xec", b"\xed", b"\xee", b"\xf3", b"\xf4"
WILL, WONT, DO, DONT = b"\xfb", b"\xfc", b"\xfd", b"\xfe"
ECHO, GO_AHEAD, TERMINAL_TYPE, WINDOW_SIZE = b"\x01", b"\x03", b"\x18", b"\x1f"

PIECES = st.one_of(
    st.sampled_from(
        [
            b"hello",
            "grüße\r\n".encode(),
            IAC,
            IAC + IAC,
            IAC + NOP,
            IAC + AYT,
            IAC + DO + ECHO,
            IAC + WILL + WINDOW_SIZE,
            IAC + DONT + ECHO,
            IAC + SB + TERMINAL_TYPE + b"\0xterm" + IAC + SE,
            IAC + SB + WINDOW_SIZE + b"\0" + IAC + IAC + b"\0\x18" + IAC + SE,
            IAC + SB,
            IAC + SE,
        ]
    ),
    st.binary(max_size=4),
)
STREAMS = st.lists(PIECES, max_size=12).map(b"".join)
CUTS = st.lists(st.integers(1, 5), max_size=60)


def feed(data: bytes, cuts: Sequence[int] = ()) -> tuple[bytes, bytes]:
    """What is typed and what is answered, when the bytes come in pieces of these sizes."""
    telnet = TelnetFilter()
    typed = answered = b""
    at = 0
    for size in (*cuts, len(data)):
        text, answer = telnet.feed(data[at : at + size])
        typed, answered, at = typed + text, answered + answer, at + size
    return typed, answered


class TelnetTests(SynchronousTestCase):
    def test_what_has_no_telnet_in_it_is_left_alone(self) -> None:
        for data in (b"", b"hello\r\n", "grüße 漢字 😀\r\n".encode(), b"\xf0\xfe\x00"):
            self.assertEqual(feed(data), (data, b""))

    def test_what_is_asked_of_us_is_refused(self) -> None:
        self.assertEqual(feed(IAC + DO + ECHO), (b"", IAC + WONT + ECHO))
        self.assertEqual(feed(IAC + DO + GO_AHEAD), (b"", IAC + WONT + GO_AHEAD))

    def test_what_is_offered_to_us_is_declined(self) -> None:
        self.assertEqual(feed(IAC + WILL + WINDOW_SIZE), (b"", IAC + DONT + WINDOW_SIZE))

    def test_an_answer_is_not_answered(self) -> None:
        for verb in (WONT, DONT):
            self.assertEqual(feed(IAC + verb + ECHO), (b"", b""))

    def test_a_question_whether_we_are_here_is_answered(self) -> None:
        typed, answer = feed(b"a" + IAC + AYT + b"b")
        self.assertEqual(typed, b"ab")
        self.assertEqual(answer, b"*** Yes, the server is here.\r\n")

    def test_every_other_command_is_taken_out(self) -> None:
        for command in range(239, 250):  # from EOR (RFC 885) to GA
            if command not in (AYT[0], IP[0], BRK[0]):
                self.assertEqual(feed(b"mid" + IAC + bytes([command]) + b"dle"), (b"middle", b""))

    def test_keys_end_the_line_that_their_client_has_forgotten(self) -> None:
        for command, key in ((IP, 3), (BRK, 3), (ABORT, 3), (EOF, 4), (SUSP, 26)):
            self.assertEqual(feed(IAC + command + b"next"), (bytes([key]) + b"\nnext", b""))

    def test_a_subnegotiation_is_taken_out_whole(self) -> None:
        terminal = IAC + SB + TERMINAL_TYPE + b"\0xterm-256color" + IAC + SE
        window = IAC + SB + WINDOW_SIZE + b"\0\xff\xff\0" + IAC + SE
        self.assertEqual(feed(b"a" + terminal + b"b" + window + b"c"), (b"abc", b""))

    def test_two_of_its_escape_bytes_are_one_byte_that_was_typed(self) -> None:
        self.assertEqual(feed(b"a" + IAC + IAC + b"b"), (b"a\xffb", b""))

    def test_a_stray_byte_takes_no_line_end_with_it(self) -> None:
        self.assertEqual(feed(b"\xff\nnext\n"), (b"\xff\nnext\n", b""))
        self.assertEqual(feed(b"\xff\x01"), (b"\xff\x01", b""))

    @given(STREAMS, CUTS)
    def test_however_it_is_cut_it_means_the_same(self, data: bytes, cuts: list[int]) -> None:
        self.assertEqual(feed(data, cuts), feed(data))

    @given(STREAMS, CUTS)
    def test_whatever_comes_is_survived(self, data: bytes, cuts: list[int]) -> None:
        typed, answers = feed(data, cuts)
        self.assertLessEqual(len(typed), len(data))
        self.assertLessEqual(len(answers), 15 * len(data))

    @given(st.binary(max_size=200).filter(lambda data: IAC not in data), CUTS)
    def test_text_without_its_escape_byte_is_never_touched(
        self, data: bytes, cuts: list[int]
    ) -> None:
        self.assertEqual(feed(data, cuts), (data, b""))

    def test_a_long_subnegotiation_is_dropped_as_it_comes(self) -> None:
        long = IAC + SB + b"x" * (SUBNEGOTIATION - 2) + IAC + SE
        self.assertEqual(feed(long + b"hello"), (b"hello", b""))

    def test_one_that_does_not_end_is_an_attack(self) -> None:
        for filling in (b"x", IAC + IAC, IAC):
            telnet = TelnetFilter()
            telnet.feed(IAC + SB)
            with self.assertRaises(EndlessSubnegotiation):
                for _ in range(SUBNEGOTIATION + 1):
                    telnet.feed(filling)


class TelnetClientTests(ChatTestCase):
    def test_who_negotiates_before_saying_a_nickname_has_a_clean_one(self) -> None:
        alice = self.connects()
        alice.raw()
        alice.sends(IAC + DO + GO_AHEAD + IAC + WILL + TERMINAL_TYPE + b"alice\r\n")
        self.assertEqual(
            alice.transport.value()[:6], IAC + WONT + GO_AHEAD + IAC + DONT + TERMINAL_TYPE
        )
        self.assertIn(b"*** Welcome, alice!", alice.transport.value())

    def test_nothing_of_it_reaches_anybody(self) -> None:
        alice, bob = self.joins("alice"), self.joins("bob")
        alice.raw()
        for byte in b"mid" + IAC + NOP + IAC + SB + b"\x18\0x\n" + IAC + SE + b"dle\r\0":
            bob.sends(bytes([byte]))
        self.assertEqual(alice.sees(), ["bob: middle"])
        self.assertEqual(bob.raw(), "")

    def test_an_endless_one_closes_the_connection_with_a_reason(self) -> None:
        alice, bob = self.joins("alice"), self.joins("bob")
        alice.raw()
        bob.sends(IAC + SB)
        for _ in range(5):
            bob.sends(b"x" * 1000)
        self.assertEqual(bob.sees(), ["!!! That telnet negotiation is too long: goodbye."])
        self.assertTrue(bob.is_gone)
        bob.vanishes()
        self.assertEqual(alice.sees(), ["*** bob has left #lobby (connection lost)"])

    def test_who_reads_nothing_meanwhile_leaves_all_the_same(self) -> None:
        alice, bob = self.joins("alice"), self.joins("bob")
        alice.raw()
        bob.stops_reading()
        bob.types("/help")
        bob.sends(IAC + SB + b"x" * 6_000)
        bob.vanishes()
        self.assertEqual(alice.sees(), ["*** bob has left #lobby (connection lost)"])
        self.assertEqual(alice.types("/users").sees(), ["*** In #lobby: alice (1)"])
        self.joins("bob")

    def test_a_byte_of_another_alphabet_is_no_telnet(self) -> None:
        alice, bob = self.joins("alice"), self.joins("bob")
        alice.raw()
        bob.sends(b"\xff\nnext\n")
        self.assertEqual(alice.sees(), ["bob: next"])
        (answer,) = bob.sees()
        self.assertIn("not UTF-8", answer)
