"""What browsers may send over a WebSocket, and how the rest is refused."""

import gc
import struct
from dataclasses import replace
from itertools import count
from weakref import ref

from wsproto.frame_protocol import CloseReason, Opcode

from tests.browsers import Tab
from tests.people import ChatTestCase
from twisted_chat import Limits
from twisted_chat.wire.websocket import TEXT, FramedWire, frame


def masked(first: int, payload: bytes = b"", size: int | None = None) -> bytes:
    """A client's frame with any first byte; `size` is what it says it has."""
    size = len(payload) if size is None else size
    if size < 126:
        head = bytes((first, 0x80 | size))
    elif size < 1 << 16:
        head = struct.pack("!BBH", first, 0xFE, size)
    else:
        head = struct.pack("!BBQ", first, 0xFF, size)
    return head + b"\0\0\0\0" + payload


class FrameTests(ChatTestCase):
    def setUp(self) -> None:
        """Nobody is there yet."""
        super().setUp()
        self.names = (f"tab{number}" for number in count(1))

    def tab(self) -> Tab:
        """Somebody with a nickname, who has read what stands there."""
        tab = Tab(self.factory).asks(do="hello", nick=next(self.names))
        tab.gets()
        return tab

    def assert_closed(self, tab: Tab, code: int) -> None:
        """The server has said why it closes, and closed."""
        tab.gets_frames()
        self.assertEqual(tab.closed, code)
        self.assertTrue(tab.is_gone)

    def test_messages_go_both_ways(self) -> None:
        alice, tab = self.joins("alice"), self.tab()
        alice.types("hello")
        (heard,) = tab.gets("message")
        self.assertEqual((heard["from"], heard["text"], heard["id"]), ("alice", "hello", 1))
        tab.asks(do="say", text="hé 漢字 😀")
        self.assertEqual(alice.sees(), ["*** tab1 has joined #lobby", "tab1: hé 漢字 😀"])

    def test_there_is_no_greeting(self) -> None:
        self.assertEqual(Tab(self.factory).gets_frames(), [])

    def test_lengths_of_frames_are_encoded_in_the_fewest_bytes(self) -> None:
        for size, head in (
            (0, b"\x81\x00"),
            (125, b"\x81\x7d"),
            (126, b"\x81\x7e\x00\x7e"),
            (65_535, b"\x81\x7e\xff\xff"),
            (65_536, b"\x81\x7f\0\0\0\0\0\1\0\0"),
        ):
            self.assertEqual(frame(TEXT, b"x" * size), head + b"x" * size)

    def test_a_frame_is_made_once_for_everybody(self) -> None:
        web = self.factory.web({})
        tabs = [Tab(self.factory, web=web) for _ in range(20)]
        for number, tab in enumerate(tabs):
            tab.asks(do="hello", nick=f"tab{number}")
        alice = self.joins("alice")
        self.time_passes(1)
        for tab in tabs:
            tab.gets()
        made = []
        show = FramedWire.show

        def show_and_count(*args: object, **more: object) -> bytes:
            made.append(args)
            return show(*args, **more)  # type: ignore[arg-type]

        self.patch(FramedWire, "show", show_and_count)
        alice.types("hello", "again")
        self.assertEqual(len(made), 2)
        for tab in tabs:
            self.assertEqual([said["text"] for said in tab.gets("message")], ["hello", "again"])

    def test_a_message_may_come_in_fragments_and_a_byte_at_a_time(self) -> None:
        alice, tab = self.joins("alice"), self.tab()
        text = '{"do":"say","text":"hé😀"}'.encode()
        data = masked(0x01, text[:22]) + masked(0x89, b"ping") + masked(0x00, text[22:23])
        data += masked(0x80, text[23:])
        for index in range(len(data)):
            tab.sends(data[index : index + 1])
        self.assertEqual(alice.sees()[-1], "tab1: hé😀")
        self.assertIn((Opcode.PONG, b"ping"), tab.gets_frames())

    def test_a_line_end_in_a_message_is_a_blank(self) -> None:
        alice, tab = self.joins("alice"), self.tab()
        tab.sends_text('{"do":"say",\r\n"text":\n"hi"}')
        self.assertEqual(alice.sees()[-1], "tab1: hi")
        self.assertEqual([thing["event"] for thing in tab.gets()], ["message"])

    def test_a_message_that_is_no_object_is_refused_and_the_connection_stays_open(self) -> None:
        tab = self.tab()
        for text in ("", "hello", "[]", "GET / HTTP/1.1", "{" * 3000, "\x16\x03\x01", "\x04"):
            tab.sends_text(text)
        codes = [thing["code"] for thing in tab.gets()]
        self.assertEqual(codes, ["bad-json"] * 6)
        tab.asks(do="ping")
        self.assertEqual([thing["event"] for thing in tab.gets()], ["pong"])

    def test_a_message_longer_than_any_line_is_refused(self) -> None:
        tab = self.tab()
        tab.asks(do="say", text="x" * 9_000)
        self.assertEqual([thing["code"] for thing in tab.gets()], ["too-long"])
        self.assertFalse(tab.is_gone)

    def test_a_message_of_thirty_megabytes_closes_the_connection_early(self) -> None:
        tab = self.tab()
        tab.sends(masked(0x81, b"", 30_000_000))
        sent = 0
        while not tab.is_gone:
            tab.sends(b"x" * 8_192)
            sent += 8_192
        self.assertLess(sent, 100_000)
        self.assert_closed(tab, CloseReason.MESSAGE_TOO_BIG)
        self.assertEqual(tab.protocol.beginning, b"")

    def test_endless_fragments_close_the_connection(self) -> None:
        tab = self.tab()
        tab.sends(masked(0x01, b"{") + masked(0x00) * 2_000)
        self.assert_closed(tab, CloseReason.MESSAGE_TOO_BIG)

    def test_frames_that_break_the_protocol_close_the_connection(self) -> None:
        for data, code in (
            (frame(TEXT, b"{}"), CloseReason.PROTOCOL_ERROR),  # without a mask
            (masked(0xC1, b"{}"), CloseReason.PROTOCOL_ERROR),  # compressed
            (masked(0x83, b"{}"), CloseReason.PROTOCOL_ERROR),  # of no kind
            (masked(0x80, b"{}"), CloseReason.PROTOCOL_ERROR),  # goes on with nothing
            (masked(0x01, b"{") + masked(0x81, b"}"), CloseReason.PROTOCOL_ERROR),
            (masked(0x09, b"x"), CloseReason.PROTOCOL_ERROR),  # a ping in fragments
            (masked(0x89, b"x" * 126), CloseReason.PROTOCOL_ERROR),
            (masked(0x88, b"x"), CloseReason.PROTOCOL_ERROR),
            (masked(0x81, b"\xff\xfe"), CloseReason.INVALID_FRAME_PAYLOAD_DATA),
            (masked(0x81, b"\xed\xa0\x80"), CloseReason.INVALID_FRAME_PAYLOAD_DATA),
            (masked(0x82, b"{}"), CloseReason.UNSUPPORTED_DATA),
            (masked(0x88, b"\x03\xe8\xff"), CloseReason.INVALID_FRAME_PAYLOAD_DATA),
        ):
            tab = self.tab()
            tab.sends(data)
            self.assert_closed(tab, code)

    def test_nothing_after_a_broken_frame_is_heard(self) -> None:
        alice, tab = self.joins("alice"), self.tab()
        tab.sends(masked(0x82) + masked(0x81, b'{"do":"say","text":"hi"}'))
        tab.sends(masked(0x81, b'{"do":"say","text":"hi"}'))
        self.assertEqual(alice.sees(), ["*** tab1 has joined #lobby"])

    def test_a_ping_is_answered(self) -> None:
        tab = self.tab()
        tab.sends(masked(0x89, b"are you there?"))
        self.assertEqual(tab.gets_frames(), [(Opcode.PONG, b"are you there?")])

    def test_a_flood_of_pings_closes_the_connection(self) -> None:
        tab = self.tab()
        tab.sends(masked(0x89) * 1_000)
        self.assertEqual(len(tab.gets_frames()), 21)
        self.assert_closed(tab, CloseReason.POLICY_VIOLATION)

    def test_a_close_frame_is_answered_after_everything_before_it(self) -> None:
        alice, tab = self.joins("alice"), self.tab()
        tab.sends(masked(0x81, b'{"do":"say","text":"bye"}') + masked(0x88, b"\x03\xe9going"))
        self.assertEqual(alice.sees()[-1], "tab1: bye")
        frames = tab.gets_frames()
        self.assertEqual(frames[-1], (Opcode.CLOSE, (CloseReason.GOING_AWAY, "")))
        self.assertTrue(tab.is_gone)

    def test_a_close_frame_without_a_code_is_answered_without_one(self) -> None:
        tab = self.tab()
        tab.sends(masked(0x88))
        self.assertEqual(tab.transport.value(), b"\x88\x00")

    def test_half_a_message_is_dropped(self) -> None:
        alice, tab = self.joins("alice"), self.tab()
        tab.sends(masked(0x01, b'{"do":"say","text":"hi"}'))
        tab.says_no_more()
        self.assertEqual(alice.sees(), ["*** tab1 has joined #lobby"])
        self.assertEqual(tab.gets("error"), [])

    def test_a_server_that_stops_says_so(self) -> None:
        tab, nameless = self.tab(), Tab(self.factory)
        self.factory.say_goodbye()
        self.clock.advance(0)
        (told,) = tab.gets("notice")
        self.assertEqual(told["text"], "The server is shutting down")
        self.assertEqual(tab.closed, CloseReason.GOING_AWAY)
        self.assert_closed(nameless, CloseReason.GOING_AWAY)

    def test_taking_too_long_for_a_nickname_is_explained(self) -> None:
        tab = Tab(self.factory)
        self.time_passes(30)
        (told,) = tab.gets()
        self.assertEqual(told["code"], "closing")
        self.assertIn("You chose no nickname within 30 seconds", told["text"])
        self.assertTrue(tab.is_gone)

    def test_it_is_counted_as_a_websocket(self) -> None:
        tab, nameless = self.tab(), Tab(self.factory)
        self.assertEqual(tab.protocol.state, ("websocket", "named"))
        self.assertEqual(nameless.protocol.state, ("websocket", "nameless"))


class PingTests(ChatTestCase):
    def tab(self, *, answers: bool = True) -> Tab:
        """Somebody with a nickname, whose browser may have vanished."""
        tab = Tab(self.factory).asks(do="hello", nick="tab")
        tab.transport.answers_pings = answers
        tab.gets()
        return tab

    def test_people_whose_browser_answers_pings_may_be_silent(self) -> None:
        tab = self.tab()
        self.time_passes(600)
        self.assertFalse(tab.is_gone)

    def test_unanswered_pings_close_the_connection(self) -> None:
        tab = self.tab(answers=False)
        self.time_passes(70)
        self.assertFalse(tab.is_gone)
        self.time_passes(40)
        self.assertTrue(tab.is_gone)
        self.assertEqual([kind for kind, _ in tab.gets_frames()], [Opcode.PING] * 3)

    def test_messages_count_as_answers_to_pings(self) -> None:
        tab = self.tab(answers=False)
        for _ in range(20):
            self.time_passes(30)
            tab.asks(do="ping")
        self.assertFalse(tab.is_gone)

    def test_a_client_that_does_not_read_is_not_pinged_and_nothing_grows(self) -> None:
        tab, alice = self.tab(), self.joins("alice")
        tab.stops_reading()
        tab.gets_frames()
        for number in range(20):
            alice.types(f"line {number}")
            self.time_passes(60)
        self.assertEqual(tab.transport.value(), b"")
        self.assertFalse(tab.is_gone)
        tab.reads_again()
        self.assertEqual(len(tab.gets("message")), 20)

    def test_a_thousand_are_pinged_a_few_each_second(self) -> None:
        web = self.factory.web({})
        tabs = [Tab(self.factory, web=web) for _ in range(100)]
        for tab in tabs:
            tab.transport.answers_pings = False
        self.clock.advance(1)
        self.assertEqual(sum(tab.transport.value() == b"\x89\x00" for tab in tabs), 4)
        for _ in range(24):
            self.clock.advance(1)
        self.assertEqual({tab.transport.value() for tab in tabs}, {b"\x89\x00"})

    def test_nobody_is_kept_in_memory_who_left_before_their_turn(self) -> None:
        web = self.factory.web({})
        tabs = [Tab(self.factory, web=web) for _ in range(100)]
        sockets = [ref(tab.protocol) for tab in tabs]
        self.clock.advance(1)
        while tabs:
            tabs.pop().vanishes()
        self.time_passes(60)
        gc.collect()
        self.assertEqual([socket() for socket in sockets if socket() is not None], [])


class AdmissionTests(ChatTestCase):
    limits = replace(Limits(), per_address=3, nameless_per_address=2)

    def test_it_is_refused_like_every_other_connection(self) -> None:
        web = self.factory.web({})
        for _ in range(2):
            Tab(self.factory, "192.0.2.1", web)
        third = Tab(self.factory, "192.0.2.1", web)
        (why,) = third.gets()
        self.assertEqual((why["event"], why["code"]), ("error", "too-many-connections"))
        self.assertTrue(third.is_gone)
        self.assertFalse(Tab(self.factory, "192.0.2.2", web).is_gone)

    def test_a_refusal_says_how_long_to_wait(self) -> None:
        self.factory.chat.limits.nameless_per_address = 100
        self.factory.chat.limits.per_address = 100
        web = self.factory.web({})
        tabs = [Tab(self.factory, "192.0.2.1", web) for _ in range(21)]
        (why,) = tabs[-1].gets()
        self.assertEqual((why["code"], why["wait"]), ("too-fast", 3.0))

    def test_a_place_is_free_again_when_it_is_closed(self) -> None:
        web = self.factory.web({})
        for _ in range(2):
            Tab(self.factory, "192.0.2.1", web).vanishes()
        self.assertFalse(Tab(self.factory, "192.0.2.1", web).is_gone)
