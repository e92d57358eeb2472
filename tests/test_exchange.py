"""What a line of an export has to be."""

from itertools import chain

from twisted.trial.unittest import SynchronousTestCase

from tests.honest_names import NAMES_OF_THE_WORLD
from twisted_chat.events import Action, Entry, Message, Rename, Topic
from twisted_chat.service.exchange import from_line, to_line
from twisted_chat.wire.structured import encode

TIME = 1_790_000_000.123456

SAID = {
    "event": "message",
    "id": 2,
    "time": "2026-11-20T12:35:02Z",
    "room": "#dev",
    "from": "eve",
    "text": "hi",
}


class ExchangeTests(SynchronousTestCase):
    def test_what_is_written_is_read_back_as_it_was(self) -> None:
        for event in (
            Message(TIME, "#dev", "eve", "grüße \u200d \U0001f44b"),
            Action(TIME, "#dev", "eve", "waves"),
            Topic(TIME, "#dev", "eve", ""),
            Rename(TIME, "#dev", "eve", "ève"),
        ):
            self.assertEqual(from_line(to_line(Entry(event, id=7))), Entry(event, id=7))

    def test_who_did_it_and_under_which_ref_is_left_out(self) -> None:
        line = to_line(Entry(Message(TIME, "#dev", "eve", "hi"), "0123abcd", "c-17", 7))
        self.assertNotIn(b"0123abcd", line)
        self.assertNotIn(b"c-17", line)
        self.assertEqual(from_line(encode(SAID | {"ref": ["x"], "new": 1})).ref, None)

    def test_the_first_and_the_last_that_there_can_be(self) -> None:
        for number in (1, 2**53 - 1):
            self.assertEqual(from_line(encode(SAID | {"id": number})).id, number)
        for time in ("1970-01-01T00:00:00Z", "9999-12-30T23:59:59Z"):
            from_line(encode(SAID | {"time": time}))

    def test_a_time_is_that_of_its_zone(self) -> None:
        there = from_line(encode(SAID | {"time": "2026-11-20T13:35:02+01:00"}))
        self.assertEqual(there, from_line(encode(SAID)))

    def test_what_servers_with_other_limits_or_of_other_versions_let_in(self) -> None:
        honest = chain.from_iterable(NAMES_OF_THE_WORLD.values())
        for name in (
            *honest,
            "a" * 200,
            "Adm1n",
            "r\u043e\u043et",
            "x_-",
            "d·e",
            "\u06cc\u200c\u062e",
        ):
            from_line(encode(SAID | {"from": name, "room": f"#{name}"}))
        from_line(encode(SAID | {"room": "#2026"}))
        from_line(encode(SAID | {"room": "#help", "text": "x" * 60_000}))

    def test_a_line_that_is_no_object(self) -> None:
        for line, told in (
            (b"[]", "this is not a JSON object"),
            (b"5", "this is not a JSON object"),
            (b"hello", "this is not JSON"),
            (b"", "this is not JSON"),
            (b"[" * 100_000, "this is not JSON"),
            (b'{"text":"\xff"}', "this is not UTF-8"),
        ):
            self.assertEqual(str(self.assertRaises(ValueError, from_line, line)), told)

    def test_an_object_that_is_no_event_of_a_room(self) -> None:
        for wrong, told in (
            (
                {"event": None},
                "the event must be one of message, action, topic, rename",
            ),
            ({"event": "whisper", "to": "bob"}, "the event must be one of "),
            ({"event": "join"}, "the event must be one of "),
            ({"event": "hidden"}, "the event must be one of "),
            ({"event": ["message"]}, "the event must be one of "),
            ({"id": None}, "the id must be a whole number of 1 or more"),
            ({"id": "abc"}, "the id must be a whole number of 1 or more"),
            ({"id": -5}, "the id must be a whole number of 1 or more"),
            ({"id": 0}, "the id must be a whole number of 1 or more"),
            ({"id": True}, "the id must be a whole number of 1 or more"),
            ({"id": 2.0}, "the id must be a whole number of 1 or more"),
            ({"id": 2**53}, "the id must be a whole number of 1 or more"),
            ({"id": 10**400}, "the id must be a whole number of 1 or more"),
            ({"time": None}, "the time is missing, or not like 2026-11-20T12:35:02.123456Z"),
            ({"time": 5}, "the time is missing"),
            ({"time": "yesterday"}, "the time is missing"),
            ({"time": "2026-11-20T12:35:02"}, "the time is missing"),
            ({"time": "1969-12-31T12:35:02Z"}, "the time is missing"),
            ({"time": "9999-12-31T12:35:02Z"}, "the time is missing"),
            ({"room": None}, "the room is missing or not a string"),
            ({"room": "@"}, "the room must begin with #"),
            ({"from": ""}, "the from is missing or not a string"),
            ({"from": "eve\r\n"}, "the from has control characters"),
            ({"text": None}, "the text is missing or not a string"),
            ({"text": {"a": 1}}, "the text is missing or not a string"),
            ({"text": "\x1b[2J"}, "the text has control characters"),
            ({"text": "\u202eolleh"}, "the text has control characters"),
            ({"room": "#"}, "the room does not have a valid name"),
            ({"room": "# "}, "the room does not have a valid name"),
            ({"room": "#x y: hi"}, "the room does not have a valid name"),
            ({"room": "##x"}, "the room does not have a valid name"),
            ({"from": "*** server"}, "the from is not a valid nickname"),
            ({"from": "bob: [12:00:00] alice"}, "the from is not a valid nickname"),
            ({"from": "Server"}, "the from is not a valid nickname"),
            ({"from": "eve\u3164"}, "the from is not a valid nickname"),
            ({"event": "rename", "to": "a b"}, "the to is not a valid nickname"),
            ({"from": "e" + "\u0301" * 50}, "the from has too many marks on one character"),
            ({"text": "e" + "\u0301" * 50}, "the text has too many marks on one character"),
            ({"text": "x" * 100_000}, "the text has more than 65536 bytes"),
            ({"event": "rename"}, "the to is missing or not a string"),
        ):
            error = self.assertRaises(ValueError, from_line, encode(SAID | wrong))
            self.assertTrue(str(error).startswith(told), f"{wrong}: {error}")
        line = encode(SAID).replace(b"hi", b"\\ud800")
        error = self.assertRaises(ValueError, from_line, line)
        self.assertEqual(str(error), "the text has control characters")
