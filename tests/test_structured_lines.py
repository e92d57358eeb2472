"""What programs send and get."""

import re
import tempfile
from pathlib import Path
from typing import Any

import twisted_chat
from tests.disk import Disk
from tests.people import AccountsTestCase, ChatTestCase, Person, Program, at_once
from twisted_chat import ChatFactory, Limits
from twisted_chat.chat.chat import Chat
from twisted_chat.stores.memory import MemoryStore
from twisted_chat.stores.sqlite.store import SqliteStore
from twisted_chat.turn import Turn
from twisted_chat.wire.structured import encode


def bare(event: dict[str, Any]) -> dict[str, Any]:
    """An event without its time."""
    return {key: value for key, value in event.items() if key != "time"}


class StructuredLineTests(ChatTestCase):
    def test_blanks_are_kept(self) -> None:
        alice, bob = self.program("alice"), self.program("bob")
        text = "a" + " " * 70 + "b"
        bob.asks(do="say", room="#lobby", text=text)
        (message,) = alice.gets("message")
        self.assertEqual(message["text"], text)

    def test_hello_is_answered_with_a_welcome_and_the_rooms_state(self) -> None:
        welcome, join, state = self.program("alice").gets()
        self.assertEqual(welcome["event"], "welcome")
        self.assertEqual((welcome["nick"], welcome["server"]), ("alice", "the lab"))
        self.assertEqual(welcome["time"], "2026-09-21T14:13:20.000Z")
        self.assertGreater(len(welcome["session"]), 20)
        self.assertEqual(welcome["limits"], {"line_bytes": 2_000, "input_bytes": 8_192})
        self.assertEqual(bare(join), {"event": "join", "room": "#lobby", "from": "alice"})
        member = {"nick": "alice", "away": None, "role": "member"}
        self.assertEqual(
            state,
            {"event": "state", "room": "#lobby", "topic": "", "members": [member], "count": 1},
        )

    def test_a_welcome_tells_the_chats_other_addresses_if_there_are_any(self) -> None:
        (welcome, *_) = self.program("bot").gets()
        self.assertNotIn("addresses", welcome)
        self.factory.chat.addresses = ["a.example:5000", "https://a.example"]
        (welcome, *_) = self.program("bot2").gets()
        self.assertEqual(welcome["addresses"], ["a.example:5000", "https://a.example"])

    def test_the_echo_is_the_acknowledgement_and_only_its_sender_has_the_ref(self) -> None:
        alice, bob = self.program("alice"), self.program("bob")
        alice.gets(), bob.gets()
        alice.asks(do="say", room="#lobby", text="hi", ref="c-17", unknown="is ignored")
        event = {"event": "message", "id": 1, "room": "#lobby", "from": "alice", "text": "hi"}
        self.assertEqual([bare(each) for each in alice.gets()], [event | {"ref": "c-17"}])
        self.assertEqual([bare(each) for each in bob.gets()], [event])

    def test_people_and_programs_hear_each_other(self) -> None:
        alice, bot = self.joins("alice"), self.program("bot")
        bot.gets()
        alice.types("hello bot")
        bot.asks(do="say", room="#lobby", text="hello alice")
        self.assertEqual([event["text"] for event in bot.gets()], ["hello bot", "hello alice"])
        self.assertEqual(alice.sees(), ["*** bot has joined #lobby", "bot: hello alice"])

    def test_ids_have_no_hole(self) -> None:
        alice = self.program("alice")
        alice.gets()
        for number in range(5):
            alice.asks(do="say", room="#lobby", text=str(number))
            self.joins(f"guest{number}").vanishes()
            alice.asks(do="command", room="#lobby", text="/topic tea")
            self.time_passes(3)
        ids = [event["id"] for event in alice.gets("message", "topic")]
        self.assertEqual(ids, list(range(1, 11)))

    def test_a_whisper_stands_in_both_peoples_own_logs(self) -> None:
        alice, bob = self.program("alice"), self.program("bob")
        alice.gets(), bob.gets()
        alice.asks(do="command", text="/whisper bob psst", ref="w")
        event = {
            "event": "whisper", "id": 1, "room": "@", "from": "alice", "to": "bob", "text": "psst",
        }  # fmt: skip
        self.assertEqual(bare(alice.gets("whisper")[0]), event | {"ref": "w"})
        self.assertEqual([bare(each) for each in bob.gets()], [event])

    def test_a_command_is_answered_under_its_ref(self) -> None:
        alice = self.program("alice")
        alice.gets()
        alice.asks(do="command", room="#lobby", text="/users", ref="c-18")
        answer = {"event": "answer", "ref": "c-18", "lines": ["In #lobby: alice (1)"]}
        self.assertEqual(alice.gets(), [answer])

    def test_history_pages_back_to_the_first_event_and_forth_again(self) -> None:
        alice = self.program("alice")
        for number in range(1, 26):
            alice.asks(do="say", room="#lobby", text=f"line {number}")
            self.time_passes(1)
        alice.gets()
        pages: list[list[int]] = []
        before = 26
        while before > 1:
            alice.asks(do="history", room="#lobby", before=before, limit=10, ref="h")
            (page,) = alice.gets()
            self.assertTrue(all(event["replayed"] for event in page["events"]))
            pages.append([event["id"] for event in page["events"]])
            before = pages[-1][0]
            self.assertEqual(page["more"], before > 1)
        self.assertEqual(pages, [[*range(16, 26)], [*range(6, 16)], [*range(1, 6)]])
        alice.asks(do="history", room="#lobby", after=20, limit=50)
        (page,) = alice.gets()
        self.assertEqual([event["id"] for event in page["events"]], [*range(21, 26)])
        self.assertFalse(page["more"])

    def test_a_ping_is_answered(self) -> None:
        alice = self.program("alice")
        alice.gets()
        self.assertEqual(alice.asks(do="ping", ref="p").gets()[0]["ref"], "p")
        self.assertEqual(alice.asks(do="ping").gets()[0]["event"], "pong")

    def test_what_cannot_be_read_is_answered_and_the_connection_goes_on(self) -> None:
        alice = self.program("alice")
        alice.gets()
        for line, code in (
            (b"{", "bad-json"),
            (b"[1]", "bad-json"),
            (b"hello", "bad-json"),
            (b"{" + b'"a":[' * 1500, "bad-json"),
            (b'{"do":"say","text":' + b"9" * 5000 + b"}", "bad-json"),
            (b'{"do":"nothing"}', "bad-request"),
            (b'{"do":["say"]}', "bad-request"),
            (b'{"do":"say","text":5}', "bad-request"),
            (b'{"do":"say","text":"hi","room":"#nowhere"}', "no-such-room"),
            (b'{"do":"say","text":"hi","room":7}', "bad-room"),
            (b'{"do":"say","text":"hi","ref":{}}', "bad-ref"),
            (b'{"do":"say","text":"\\ud800"}', "unshowable-characters"),
            (b'{"do":"say","text":"\\u001b[2J"}', "control-characters"),
            (b'{"do":"say","text":"two\\nlines"}', "control-characters"),
            (b'{"do":"say","text":" "}', "empty"),
            (b'{"do":"say","text":"' + b"x" * 2001 + b'"}', "too-long"),
            (b'{"do":"say","text":"' + b"x" * 20_000 + b'"}', "too-long"),
            (b'{"do":"history","before":-1}', "bad-request"),
            (b'{"do":"history","before":1e400}', "bad-request"),
            (b'{"do":"history","limit":true}', "bad-request"),
            (b'{"do":"command","text":"hi"}', "no-such-command"),
            (b'{"do":"command","text":"/usres"}', "no-such-command"),
            (b'{"do":"hello","nick":"x"}', "bad-request"),
            (b"\xff\xfe", "bad-json"),
        ):
            alice.sends(line + b"\n")
            self.assertEqual([event.get("code") for event in alice.gets()], [code], line[:60])
            self.time_passes(2)
        alice.asks(do="say", room="#lobby", text="still here")
        self.assertEqual(alice.gets()[0]["id"], 1)

    def test_before_hello_there_is_nothing_to_do(self) -> None:
        program = Program(self.factory)
        program.asks(do="say", room="#lobby", text="hi")
        program.asks(do="hello")
        program.asks(do="hello", nick="not a name")
        codes = [event["code"] for event in program.gets()]
        self.assertEqual(codes, ["no-nick", "bad-nick", "bad-nick"])
        self.assertEqual(program.asks(do="hello", nick="alice").gets()[0]["event"], "welcome")

    def test_a_ref_sent_again_is_said_once(self) -> None:
        alice, bob = self.program("alice"), self.joins("bob")
        alice.gets()
        for _ in range(2):
            alice.asks(do="say", room="#lobby", text="once", ref="r")
        self.assertEqual(bob.sees(), ["alice: once"])
        self.assertEqual(alice.gets()[1], {"event": "answer", "ref": "r", "lines": [], "id": 1})

    def test_the_ids_have_no_hole_where_somebody_is_ignored(self) -> None:
        alice, bob = self.program("alice"), self.joins("bob")
        alice.asks(do="command", text="/ignore bob").gets()
        bob.types("noise", "/nick robert", "more noise")
        self.assertEqual(
            [(event["event"], event["id"], "text" in event) for event in alice.gets()],
            [("hidden", 1, False), ("rename", 2, False), ("hidden", 3, False)],
        )

    def test_the_greeting_is_the_only_plain_line(self) -> None:
        program = self.program("alice")
        program.asks(do="say").asks(do="command", text="/help").asks(do="command", text="/quit")
        greeting, *lines = program.raw().splitlines()
        self.assertEqual(greeting, "Welcome to the lab. What is your nickname?")
        self.assertEqual([line for line in lines if not line.startswith('{"event":"')], [])

    def test_that_holds_for_a_first_line_that_is_too_long_too(self) -> None:
        program = Program(self.factory)
        program.sends(b'{"do":"hello","nick":"' + b"x" * 10_000 + b'"}\n')
        _, answer = program.raw().splitlines()
        self.assertIn('"code":"too-long"', answer)
        self.assertEqual(program.asks(do="hello", nick="alice").gets()[0]["event"], "welcome")

    def test_and_for_who_says_no_hello_in_time(self) -> None:
        program = Program(self.factory)
        program.asks(do="ping")
        self.time_passes(30)
        self.assertEqual(program.gets()[-1]["code"], "closing")
        self.assertTrue(program.is_gone)

    def test_every_event_has_its_form(self) -> None:
        alice, bob = self.program("alice"), self.program("bob")
        alice.gets(), bob.gets()
        for text in (
            *("/me waves", "/nick robert", "/topic tea", "/w alice psst", "/away lunch", "/back"),
            "/quit bye",
        ):
            bob.asks(do="command", room="#lobby", text=text)
        self.time_passes(1)
        self.factory.say_goodbye()
        self.clock.advance(0)
        events = alice.gets()
        self.assertEqual({event["time"] for event in events[:-1]}, {"2026-09-21T14:13:20.000Z"})
        here = {"room": "#lobby", "from": "robert"}
        self.assertEqual(
            [bare(event) for event in events],
            [
                {"event": "action", "id": 1, "room": "#lobby", "from": "bob", "text": "waves"},
                {"event": "rename", "id": 2, "room": "#lobby", "from": "bob", "to": "robert"},
                {"event": "topic", "id": 3, "text": "tea"} | here,
                {"event": "whisper", "id": 1, "to": "alice", "text": "psst"} | here | {"room": "@"},
                {"event": "away", "text": "lunch"} | here,
                {"event": "away", "text": ""} | here,
                {"event": "leave", "reason": "bye"} | here,
                {"event": "notice", "room": "@", "text": "The server is shutting down"},
            ],
        )

    def test_the_state_says_who_is_there_and_how(self) -> None:
        self.joins("bob").types("/away at lunch", "/topic tea")
        self.program("gone").vanishes()
        (state,) = self.program("alice").gets("state")
        self.assertEqual((state["topic"], state["count"]), ("tea", 3))
        self.assertEqual(
            state["members"],
            [
                {"nick": "bob", "away": "at lunch", "role": "member"},
                {"nick": "gone", "away": None, "role": "member", "connected": False},
                {"nick": "alice", "away": None, "role": "member"},
            ],
        )

    def test_joining_a_room_is_told_with_its_history_and_its_state(self) -> None:
        bob = self.program("bob")
        bob.asks(do="command", text="/join dev")
        bob.asks(do="say", room="#dev", text="hi")
        alice = self.program("alice")
        alice.gets()
        alice.asks(do="command", text="/join dev", ref="j")
        message, join, state, answer = alice.gets()
        self.assertEqual((message["text"], message["id"], message["replayed"]), ("hi", 1, True))
        self.assertEqual((join["event"], join["from"]), ("join", "alice"))
        self.assertEqual((state["event"], state["room"], state["count"]), ("state", "#dev", 2))
        self.assertEqual((answer["event"], answer["ref"]), ("answer", "j"))

    def test_of_the_history_a_newcomer_gets_the_last_twenty(self) -> None:
        bob = self.joins("bob")
        for number in range(1, 31):
            bob.types(f"line {number}")
            self.time_passes(1)
        events = self.program("alice").gets("message")
        self.assertEqual([event["id"] for event in events], [*range(11, 31)])
        self.assertTrue(all(event["replayed"] for event in events))

    def test_a_whisper_to_several_is_told_to_its_sender_for_each(self) -> None:
        alice = self.program("alice")
        self.joins("bob"), self.joins("carol")
        alice.gets()
        alice.asks(do="command", text="@bob,carol psst", ref="w")
        self.assertEqual(
            [(event["id"], event["to"], event["ref"]) for event in alice.gets("whisper")],
            [(1, "bob", "w"), (2, "carol", "w")],
        )

    def test_whose_command_is_an_event_has_its_ref_there_too(self) -> None:
        alice = self.program("alice")
        alice.gets()
        alice.asks(do="command", text="/topic tea", ref="t")
        self.assertEqual([event["ref"] for event in alice.gets("topic", "answer")], ["t", "t"])

    def test_ones_own_log_has_pages_of_history_too(self) -> None:
        alice, bob = self.program("alice"), self.joins("bob")
        for number in range(5):
            bob.types(f"@alice psst {number}")
        alice.gets()
        alice.asks(do="history", room="@", before=4, limit=2, ref="h")
        (page,) = alice.gets()
        self.assertEqual((page["room"], page["more"], page["ref"]), ("@", True, "h"))
        self.assertEqual([event["text"] for event in page["events"]], ["psst 1", "psst 2"])

    def test_forth_from_the_first_event_the_pages_join_without_a_gap(self) -> None:
        alice = self.program("alice")
        for number in range(1, 26):
            alice.asks(do="say", text=f"line {number}")
            self.time_passes(1)
        alice.gets()
        seen: list[int] = []
        more = True
        while more:
            alice.asks(do="history", after=seen[-1] if seen else 0, limit=10)
            (page,) = alice.gets()
            seen += [event["id"] for event in page["events"]]
            more = page["more"]
        self.assertEqual(seen, [*range(1, 26)])

    def test_a_page_has_its_limits(self) -> None:
        self.factory.chat.limits.answer_bytes = 10**9  # it may be asked for as fast as one likes
        bob = self.joins("bob")
        for _ in range(60):
            bob.types("x" * 2000)
            self.time_passes(1)
        alice = self.program("alice")
        alice.raw()
        for asked in ({"limit": 10**15}, {}, {"before": 10**15}, {"after": 0, "limit": 60}):
            alice.asks(do="history", **asked)
            self.assertLess(len(alice.transport.value()), 80_000)
            (page,) = alice.gets()
            self.assertTrue(page["more"])
            ids = [event["id"] for event in page["events"]]
            first = 1 if "after" in asked else 61 - len(ids)
            self.assertEqual(ids, [*range(first, first + len(ids))])
        for asked in ({"before": 0}, {"before": 1}, {"after": 60}, {"after": 10**15}):
            alice.asks(do="history", **asked)
            (page,) = alice.gets()
            self.assertEqual((page["events"], page["more"]), ([], False))
        alice.asks(do="history", limit=0)
        self.assertEqual(len(alice.gets()[0]["events"]), 1)

    def test_who_is_not_in_a_room_neither_speaks_nor_reads_there(self) -> None:
        self.joins("bob").types("/join dev", "a secret")
        alice = self.program("alice")
        alice.gets()
        alice.asks(do="say", room="#dev", text="hi", ref="1")
        alice.asks(do="history", room="#dev", ref="2")
        alice.asks(do="command", room="#dev", text="/history", ref="3")
        alice.asks(do="command", room="#dev", text="/topic mine", ref="4")
        self.assertEqual(
            [(event["code"], event["ref"]) for event in alice.gets()],
            [("not-in-room", str(number)) for number in range(1, 5)],
        )

    def test_a_request_may_name_its_room_or_means_the_last_one(self) -> None:
        alice = self.program("alice")
        alice.asks(do="command", text="/join dev").asks(do="say", text="in dev")
        alice.asks(do="say", room="LOBBY", text="in the lobby").asks(do="say", text="in dev")
        self.assertEqual(
            [event["room"] for event in alice.gets("message")], ["#dev", "#lobby", "#dev"]
        )

    def test_requests_of_one_packet_are_answered_in_order(self) -> None:
        program = Program(self.factory)
        program.sends(
            b'{"do":"hello","nick":"alice"}\n{"do":"ping","ref":"1"}\r\n\n'
            b'{"do":"say","text":"hi","ref":"s"}\n{"do":"command","text":"/users","ref":"2"}\n'
            b'{"do":"history","ref":"3"}\n{"do":"nothing","ref":"4"}\n{"do":"ping","ref":"5"}\n'
        )
        events = program.gets()
        self.assertEqual([event["event"] for event in events[:3]], ["welcome", "join", "state"])
        answers = [(event["ref"], event["event"]) for event in events[3:]]
        answers.remove(("s", "message"))  # it comes in the order of the room
        self.assertEqual(
            answers,
            [("1", "pong"), ("2", "answer"), ("3", "history"), ("4", "error"), ("5", "pong")],
        )

    def test_keys_that_are_not_known_are_passed_over(self) -> None:
        program = Program(self.factory)
        program.asks(do="hello", nick="alice", colour="blue", deep={"a": [{}]})
        program.asks(do="ping", ref="p", extra=None)
        self.assertEqual(
            [event["event"] for event in program.gets("welcome", "pong")][1:], ["pong"]
        )

    def test_a_hello_that_cannot_be_read_is_answered_and_can_be_said_again(self) -> None:
        program = Program(self.factory)
        for line, code in (
            (b'{"do":"hello","nick":5}', "bad-nick"),
            (b'{"do":"hello","nick":"al\\u0000ice"}', "control-characters"),
            (b'{"do":"hello","nick":"\\ud800"}', "unshowable-characters"),
            (b'{"do":"hello","nick":"alice","seen":[]}', "bad-request"),
            (b'{"do":"hello","nick":"alice","seen":{"#lobby":"1"}}', "bad-request"),
            (b'{"do":"hello","nick":"alice","seen":{"#lobby":-1}}', "bad-request"),
            (b'{"do":"hello","nick":"alice","seen":{"#lobby":1.5}}', "bad-request"),
            (b'{"do":"hello","nick":"alice","seen":{"\\ud800":null}}', "bad-request"),
            (b'{"do":"hello","nick":"alice","seen":{"\\u001b[2J":null}}', "bad-request"),
        ):
            program.raw()
            program.sends(line + b"\n")
            self.assertEqual([event["code"] for event in program.gets()], [code], line)
        program.sends(
            b'{"do":"hello","nick":"alice","session":5,"seen":{"#lobby":999999999999,"\\ud800":1}}\n'
        )
        welcome, *_ = program.gets()
        self.assertEqual((welcome["event"], welcome["resumed"]), ("welcome", False))

    def test_objects_that_are_none_are_answered_under_their_ref_if_they_have_one(self) -> None:
        alice = self.program("alice")
        alice.gets()
        for line, code in (
            (b"", None),
            (b"   ", None),
            (b'"text"', "bad-json"),
            (b"null", "bad-json"),
            (b"{}{}", "bad-json"),
            (b"{'do':'ping'}", "bad-json"),
            (b'{"do":"ping",}', "bad-json"),
            (b'{"do":"say","text":"\xff"}', "bad-json"),
            (b'{"do":"say","text":"\x1b"}', "bad-json"),
            (b"[" * 4000, "bad-json"),
            (b'{"do":null,"ref":"r"}', "bad-request"),
            (b'{"do":{},"ref":"r"}', "bad-request"),
            (b'{"do":"SAY","text":"x","ref":"r"}', "bad-request"),
            (b'{"ref":"r"}', "bad-request"),
            (b'{"do":"say","ref":"r"}', "bad-request"),
            (b'{"do":"say","text":null,"ref":"r"}', "bad-request"),
            (b'{"do":"say","text":["x"],"ref":"r"}', "bad-request"),
            (b'{"do":"say","text":"x","room":"@","ref":"r"}', "bad-room"),
            (b'{"do":"say","text":"x","room":"#\\ud800","ref":"r"}', "bad-room"),
            (b'{"do":"say","text":"x","room":["#lobby"],"ref":"r"}', "bad-room"),
            (b'{"do":"say","text":"x","ref":5}', "bad-ref"),
            (b'{"do":"say","text":"x","ref":"\\ud800"}', "bad-ref"),
            (b'{"do":"say","text":"x","ref":"\\n"}', "bad-ref"),
            (b'{"do":"say","text":"x","ref":"' + b"r" * 101 + b'"}', "bad-ref"),
            (b'{"do":"say","text":"","ref":"r"}', "empty"),
            (b'{"do":"say","text":"\\u200b","ref":"r"}', "empty"),
            (b'{"do":"say","text":"\\u0000","ref":"r"}', "control-characters"),
            (b'{"do":"say","text":"\\ue000","ref":"r"}', "unshowable-characters"),
            (b'{"do":"history","room":{},"ref":"r"}', "bad-room"),
            (b'{"do":"history","before":"1","ref":"r"}', "bad-request"),
            (b'{"do":"history","before":1.5,"ref":"r"}', "bad-request"),
            (b'{"do":"history","before":NaN,"ref":"r"}', "bad-request"),
            (b'{"do":"history","after":99999999999999999999,"ref":"r"}', "bad-request"),
            (b'{"do":"history","limit":-5,"ref":"r"}', "bad-request"),
            (b'{"do":"history","before":' + b"9" * 5000 + b',"ref":"r"}', "bad-json"),
            (b'{"do":"command","ref":"r"}', "bad-request"),
            (b'{"do":"command","text":"","ref":"r"}', "no-such-command"),
            (b'{"do":"command","text":"//users","ref":"r"}', "no-such-command"),
            (b'{"do":"command","text":"/w zed hi","ref":"r"}', "no-such-nick"),
            (b'{"do":"command","text":"/bell all","ref":"r"}', "no-bell"),
        ):
            alice.sends(line + b"\n")
            answers = alice.gets()
            self.assertEqual(
                [answer["code"] for answer in answers], [code] if code else [], line[:60]
            )
            if code not in (None, "bad-json", "bad-ref"):
                self.assertEqual(answers[0]["ref"], "r", line)
            self.time_passes(1)
        self.assertEqual(alice.asks(do="ping", ref="p").gets()[0]["ref"], "p")

    def test_an_object_however_deep_is_survived(self) -> None:
        alice = self.program("alice")
        alice.gets()
        alice.sends(b'{"a":' * 1200 + b"1" + b"}" * 1200 + b"\n")
        (answer,) = alice.gets()
        self.assertIn(answer["code"], ("bad-json", "bad-request"))  # as deep as Python can read

    def test_every_error_has_a_code_that_the_documents_list(self) -> None:
        documented = (Path(__file__).parent.parent / "docs" / "protocol.md").read_text()
        source = Path(twisted_chat.__file__).parent
        codes = {
            code
            for path in source.glob("**/*.py")
            for code in re.findall(r'Refused\(\s*"([a-z0-9-]+)"', path.read_text())
        }
        self.assertGreater(len(codes), 20)
        for code in codes:
            self.assertIn(f"`{code}`", documented)

    def test_a_request_too_fast_is_answered_with_how_long_to_wait(self) -> None:
        alice = self.program("alice")
        alice.gets()
        for number in range(40):
            alice.asks(do="say", text=str(number), ref=f"r{number}")
        events = alice.gets()
        refused = [event for event in events if event["event"] == "error"]
        self.assertEqual([event["ref"] for event in refused], [f"r{n}" for n in range(30, 40)])
        self.assertEqual({event["code"] for event in refused}, {"too-fast"})
        self.assertTrue(all(0 < event["wait"] <= 10 for event in refused))
        self.time_passes(10)
        events += alice.gets()
        said = [event["ref"] for event in events if event["event"] == "message"]
        self.assertEqual(said, [f"r{number}" for number in range(30)])

    def test_a_ref_is_said_once_whichever_way_it_is_sent_again(self) -> None:
        alice, bob = self.program("alice"), self.joins("bob")
        alice.gets()
        alice.protocol.dataReceived(b'{"do":"say","text":"once","ref":"r"}\n' * 3)
        self.time_passes(1)
        alice.asks(do="command", text="/me says it otherwise", ref="r")
        self.assertEqual(bob.sees(), ["alice: once"])
        kinds = [event["event"] for event in alice.gets() if event["ref"] == "r"]
        self.assertEqual(sorted(kinds), ["answer"] * 3 + ["message"])

    def test_the_refs_of_two_people_are_their_own(self) -> None:
        alice, bob = self.program("alice"), self.program("bob")
        alice.gets(), bob.gets()
        alice.asks(do="say", text="one", ref="r")
        bob.asks(do="say", text="two", ref="r")
        self.assertEqual([event["text"] for event in alice.gets("message")], ["one", "two"])

    def test_a_program_that_stops_reading_gets_it_all_later_in_order(self) -> None:
        alice, bob = self.program("alice"), self.joins("bob")
        alice.gets()
        alice.stops_reading()
        for number in range(60):
            bob.types(f"line {number}")
            self.time_passes(1)
        self.assertEqual(alice.raw(), "")
        alice.reads_again()
        self.assertEqual([event["id"] for event in alice.gets("message")], [*range(1, 61)])


class ExistingRoomTests(ChatTestCase):
    """A client asks before it makes a room, for most new names are slips."""

    def joins_existing(self, room: str) -> dict[str, Any]:
        self.joins(f"maker-of-{room[:4]}").types("/join development")
        bot = self.program(f"bot-{room[:4]}")
        bot.gets()
        bot.asks(do="command", text=f"/join {room}", existing=True, ref="j")
        (outcome,) = bot.gets("answer", "error")
        return outcome

    def test_a_room_that_there_is_is_entered(self) -> None:
        self.assertEqual(self.joins_existing("development")["event"], "answer")

    def test_one_that_there_is_not_is_not_made(self) -> None:
        error = self.joins_existing("dvelopment")
        self.assertEqual(
            (error["code"], error["text"]),
            ("no-such-room", "There is no room #dvelopment: did you mean #development?"),
        )
        self.assertEqual(list(self.factory.chat.rooms), ["#lobby", "#development"])


class ForgetfulTests(ChatTestCase):
    def setUp(self) -> None:
        """A server with memory for some ten lines."""
        super().setUp()
        turn = Turn(lambda call: self.clock.callLater(0, call))
        chat = Chat(self.clock, MemoryStore(room=6_000), turn, "the lab", Limits(pace=None))
        self.factory = ChatFactory(self.clock, chat=chat)

    def test_what_is_no_longer_kept_is_announced_with_how_much_it_was(self) -> None:
        alice, bob = self.program("alice"), self.joins("bob")
        token = alice.gets()[0]["session"]
        alice.vanishes()
        for number in range(1, 1001):
            bob.types(f"line {number}")
        alice = self.program("alice", session=token, seen={"#lobby": 0})
        _, missed, *events, _ = alice.gets()
        self.assertEqual((missed["event"], missed["room"]), ("missed", "#lobby"))
        self.assertEqual([event["id"] for event in events], [*range(missed["count"] + 1, 1001)])
        self.assertGreater(len(events), 5)

    def test_a_person_reads_that_too(self) -> None:
        alice, bob = self.joins("alice"), self.joins("bob")
        alice.raw()
        alice.stops_reading()
        for number in range(1, 1001):
            bob.types(f"line {number}")
        alice.reads_again()
        missed, *lines = alice.sees()
        self.assertRegex(
            missed, r"^\*\*\* You missed \d+ lines of #lobby: older lines are no longer kept$"
        )
        count = int(missed.split()[3])
        self.assertEqual(lines, [f"bob: line {number}" for number in range(count + 1, 1001)])


class ResumingTests(ChatTestCase):
    def setUp(self) -> None:
        """Alice's program has seen two lines, and bob watches."""
        super().setUp()
        self.bob = self.joins("bob")
        self.alice = self.program("alice")
        self.bob.types("one", "two")
        events = self.alice.gets()
        self.token = events[0]["session"]
        self.seen = {"#lobby": 2, "@": 0}
        self.bob.raw()

    def comes_back(self, **hello: Any) -> Program:
        """Alice's program over another connection."""
        return self.program("alice", session=self.token, seen=self.seen, **hello)

    def test_nobody_sees_it_and_everything_missed_comes_once_in_order(self) -> None:
        self.alice.vanishes()
        self.bob.types("three", "/whisper alice psst", "four")
        welcome, *told, state = self.comes_back().gets()
        self.assertEqual((welcome["resumed"], welcome["session"]), (True, self.token))
        self.assertEqual(
            [(event["room"], event["id"], event["text"], event["replayed"]) for event in told],
            [("@", 1, "psst", True), ("#lobby", 3, "three", True), ("#lobby", 4, "four", True)],
        )
        self.assertEqual(state["event"], "state")
        seen = "\n".join(self.bob.sees())
        self.assertNotIn("has left", seen)
        self.assertNotIn("has joined", seen)

    def test_a_program_that_says_no_more_is_let_go_and_may_come_back(self) -> None:
        self.alice.says_no_more()
        self.assertTrue(self.alice.is_gone)
        self.alice.closes()
        self.assertTrue(self.comes_back().gets()[0]["resumed"])
        self.assertNotIn("has left", "\n".join(self.bob.sees()))

    def test_it_goes_on_live(self) -> None:
        self.alice.vanishes()
        alice = self.comes_back()
        alice.gets()
        self.bob.types("three")
        (event,) = alice.gets()
        self.assertNotIn("replayed", event)

    def test_it_is_possible_for_five_minutes_and_then_the_leave_is_told_once(self) -> None:
        self.alice.vanishes()
        self.time_passes(299)
        self.assertEqual(self.bob.raw(), "")
        self.bob.types("/users")
        self.assertEqual(self.bob.sees(), ["*** In #lobby: bob, alice (reconnecting) (2)"])
        self.time_passes(2)
        self.assertEqual(self.bob.sees(), ["*** alice has left #lobby (connection lost)"])
        self.assertFalse(self.comes_back().gets()[0]["resumed"])

    def test_who_comes_back_too_late_still_catches_up(self) -> None:
        self.alice.vanishes()
        self.bob.types("three")
        self.time_passes(301)
        events = self.comes_back().gets("message")
        self.assertEqual([event["id"] for event in events], [3])

    def test_coming_back_stops_the_clock(self) -> None:
        self.alice.vanishes()
        self.time_passes(200)
        self.comes_back()
        self.time_passes(200)
        self.assertEqual(self.bob.raw(), "")

    def test_a_connection_that_looked_alive_is_replaced(self) -> None:
        alice = self.comes_back()
        self.assertTrue(alice.gets()[0]["resumed"])
        self.assertTrue(self.alice.is_gone)
        self.alice.vanishes()
        self.bob.types("three")
        self.assertEqual([event["text"] for event in alice.gets("message")], ["three"])

    def test_two_programs_with_one_token_do_not_go_on_for_ever(self) -> None:
        replaced = [self.comes_back() for _ in range(10)]
        self.assertTrue(all(each.gets("welcome") for each in replaced))
        (error,) = self.comes_back().gets()
        self.assertEqual((error["code"], error["wait"]), ("too-fast", 6))
        self.assertFalse(replaced[-1].is_gone)
        self.time_passes(6)
        self.assertTrue(self.comes_back().gets("welcome"))

    def test_who_loses_the_connection_again_and_again_may_always_come_back(self) -> None:
        for _ in range(20):
            self.alice.vanishes()
            self.alice = self.comes_back()
            self.assertTrue(self.alice.gets("welcome"))

    def test_a_wrong_token_takes_nobodys_name(self) -> None:
        self.alice.vanishes()
        stranger = Program(self.factory, "198.51.100.7")
        stranger.asks(do="hello", nick="alice", session="guessed", seen={"#lobby": 0})
        self.assertEqual(stranger.gets()[0]["code"], "nick-taken")

    def test_who_lost_the_token_takes_the_name_again_from_the_same_place(self) -> None:
        self.alice.vanishes()
        self.assertEqual(self.program("alice").gets()[0]["nick"], "alice")

    def test_a_line_sent_again_is_said_once(self) -> None:
        self.alice.asks(do="say", room="#lobby", text="did this arrive?", ref="r")
        self.alice.vanishes()
        alice = self.comes_back()
        alice.asks(do="say", room="#lobby", text="did this arrive?", ref="r")
        self.assertEqual(self.bob.sees(), ["alice: did this arrive?"])
        events = [event for event in alice.gets() if event.get("ref") == "r"]
        self.assertEqual([event["event"] for event in events], ["message", "answer"])

    def test_who_quits_does_not_linger(self) -> None:
        self.alice.asks(do="command", text="/quit bye")
        self.assertTrue(self.alice.is_gone)
        self.assertEqual(self.bob.sees(), ["*** alice has left #lobby (bye)"])
        self.assertFalse(self.comes_back().gets()[0]["resumed"])

    def test_every_room_and_ones_own_log_are_made_up_for(self) -> None:
        self.alice.asks(do="command", text="/join dev")
        self.bob.types("/join dev", "in dev", "@alice seen")
        self.alice.gets()
        self.alice.vanishes()
        self.bob.types("more in dev", "/join lobby", "in the lobby", "@alice psst")
        self.seen = {"#lobby": 2, "#dev": 1, "@": 1}
        _, *events = self.comes_back().gets()
        told = [event for event in events if event["event"] != "state"]
        self.assertEqual(
            sorted((event["room"], event["id"], event["text"]) for event in told),
            [("#dev", 2, "more in dev"), ("#lobby", 3, "in the lobby"), ("@", 2, "psst")],
        )
        states = [event["room"] for event in events if event["event"] == "state"]
        self.assertEqual(sorted(states), ["#dev", "#lobby"])

    def test_of_a_room_without_a_number_all_since_entering_it_comes(self) -> None:
        self.alice.asks(do="command", text="/join dev")
        self.alice.asks(do="say", text="my own", ref="m")
        self.alice.vanishes()
        self.seen = {}
        events = self.comes_back().gets("message")
        self.assertEqual(
            [(event["room"], event["id"]) for event in events],
            [("#lobby", 1), ("#lobby", 2), ("#dev", 1)],
        )
        self.assertEqual(events[-1]["ref"], "m")

    def test_what_is_said_in_the_same_moment_comes_once(self) -> None:
        self.alice.vanishes()
        self.bob.protocol.dataReceived(b"three\nfour\n")
        alice = Program(self.factory)
        alice.protocol.dataReceived(
            encode({"do": "hello", "nick": "alice", "session": self.token, "seen": self.seen})
        )
        self.bob.protocol.dataReceived(b"five\n")
        self.clock.advance(0)
        self.assertEqual([event["id"] for event in alice.gets("message")], [3, 4, 5])

    def test_numbers_seen_that_do_not_exist_say_that_something_is_missing(self) -> None:
        self.alice.vanishes()
        self.seen = {"#lobby": 10**9, "@": 10**9, "#nowhere": 5}
        alice = self.comes_back()
        told = [event["event"] for event in alice.gets()]
        self.assertEqual(told, ["welcome", "missed", "message", "message", "state"])
        self.bob.types("three")
        self.assertEqual([event["id"] for event in alice.gets()], [3])

    def test_one_goes_on_typing_into_the_room_entered_last(self) -> None:
        self.alice.asks(do="command", text="/join dev")
        self.alice.vanishes()
        alice = self.comes_back()
        alice.asks(do="say", text="still here")
        self.assertEqual(alice.gets("message")[-1]["room"], "#dev")

    def test_a_name_that_was_changed_stays_changed(self) -> None:
        self.alice.asks(do="command", text="/nick Allie")
        self.alice.vanishes()
        self.assertEqual(self.comes_back().gets()[0]["nick"], "Allie")

    def test_lines_that_waited_for_the_pace_are_said_though_the_connection_is_lost(self) -> None:
        for number in range(15):
            self.alice.asks(do="say", text=str(number), ref=str(number))
        self.alice.vanishes()
        self.time_passes(5)
        self.assertEqual(len(self.bob.sees()), 15)

    def test_lines_that_wait_when_the_connection_is_replaced_are_sent_again_once(self) -> None:
        for number in range(15):
            self.alice.asks(do="say", text=str(number), ref=str(number))
        alice = self.comes_back()
        for number in range(15):
            alice.asks(do="say", text=str(number), ref=str(number))
        self.time_passes(10)
        self.assertEqual(self.bob.sees(), [f"alice: {number}" for number in range(15)])

    def test_again_and_again_nothing_is_missed_and_nothing_comes_twice(self) -> None:
        alice, said, seen = self.alice, 2, [1, 2]
        for number in range(20):
            if number % 3:
                alice.vanishes()
            self.bob.types(f"line {number}")
            said += 1
            self.time_passes(1)
            self.seen = {"#lobby": seen[-1]}
            alice = self.comes_back()
            seen += [event["id"] for event in alice.gets("message")]
        self.assertEqual(seen, [*range(1, said + 1)])

    def test_who_was_told_of_the_goodbye_of_one_connection_keeps_the_other(self) -> None:
        alice = self.comes_back()
        self.alice.closes()
        self.time_passes(400)
        self.assertFalse(alice.is_gone)
        self.assertEqual(self.bob.raw(), "")

    def test_an_ignored_person_stays_ignored(self) -> None:
        self.alice.asks(do="command", text="/ignore bob")
        self.alice.vanishes()
        self.bob.types("noise")
        events = self.comes_back().gets()
        self.assertEqual([event["event"] for event in events], ["welcome", "hidden", "state"])

    def test_a_person_with_plain_lines_does_not_linger(self) -> None:
        self.joins("carol").vanishes()
        self.assertEqual(
            self.bob.sees(),
            ["*** carol has joined #lobby", "*** carol has left #lobby (connection lost)"],
        )


class SlowDiskTests(ChatTestCase):
    def setUp(self) -> None:
        """A server whose disk does nothing until it turns."""
        super().setUp()
        turn = Turn(lambda call: self.clock.callLater(0, call))
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.writing, self.reading = Disk(), Disk()
        path = Path(folder.name, "chat")
        self.store = SqliteStore(path, turn, self.writing, self.reading, at_once)
        self.addCleanup(self.the_server_ends)
        self.factory = ChatFactory(self.clock, chat=Chat(self.clock, self.store, turn))

    def the_disk_turns(self) -> None:
        """Everything that is under way is done, and told."""
        while self.writing.is_busy or self.reading.is_busy:
            for disk in (self.writing, self.reading):
                disk.turns()
                disk.is_heard()
            self.clock.advance(0)

    def the_server_ends(self) -> None:
        """Nothing is left open."""
        self.factory.say_goodbye()
        stopped = self.store.stop()
        self.the_disk_turns()
        self.successResultOf(stopped)

    def test_nothing_is_shown_before_it_is_stored(self) -> None:
        alice, bob = self.program("alice"), self.program("bob")
        self.the_disk_turns()
        alice.gets(), bob.gets()
        alice.asks(do="say", text="hi", ref="r")
        self.assertEqual((alice.gets(), bob.gets()), ([], []))
        self.the_disk_turns()
        self.assertEqual([event["ref"] for event in alice.gets()], ["r"])
        self.assertEqual([event["text"] for event in bob.gets()], ["hi"])

    def test_what_is_sent_again_before_it_is_stored_is_said_once(self) -> None:
        alice, bob = self.program("alice"), self.joins_slowly("bob")
        self.the_disk_turns()
        token = alice.gets()[0]["session"]
        bob.raw()
        alice.asks(do="say", text="once", ref="r")
        alice.vanishes()
        alice = self.program("alice", session=token, seen={"#lobby": 0})
        alice.asks(do="say", text="once", ref="r")
        self.the_disk_turns()
        self.assertEqual(bob.sees(), ["alice: once"])
        self.assertEqual([event["ref"] for event in alice.gets("message")], ["r"])

    def test_a_command_that_has_to_read_the_disk_is_answered_under_its_ref(self) -> None:
        alice = self.program("alice").asks(do="say", text="tea?")
        self.the_disk_turns()
        alice.gets()
        alice.asks(do="command", text="/history 5", ref="c")
        self.assertEqual(alice.gets(), [])
        self.the_disk_turns()
        (answer,) = alice.gets()
        self.assertEqual((answer["event"], answer["ref"]), ("answer", "c"))
        self.assertIn("alice: tea?", answer["lines"][-1])

    def joins_slowly(self, nickname: str) -> Person:
        """Somebody who is in the lobby as soon as the disk has turned."""
        person = self.connects().types(nickname)
        self.the_disk_turns()
        return person

    def test_answers_on_their_way_to_a_connection_that_is_replaced_are_let_go(self) -> None:
        alice = self.program("alice").asks(do="say", text="something to show")
        self.the_disk_turns()
        token = alice.gets()[0]["session"]
        for request in (
            {"do": "history", "room": "#lobby", "ref": "h"},
            {"do": "command", "text": "/history", "ref": "c"},
        ):
            alice.asks(**request)
            again = self.program("alice", session=token)
            self.the_disk_turns()
            self.assertEqual(again.gets()[0]["event"], "welcome")
            alice = again
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_answers_on_their_way_to_somebody_who_leaves_are_let_go(self) -> None:
        for leave in (Person.closes, Person.vanishes, Person.says_no_more):
            bob = self.joins_slowly("bob")
            bob.protocol.dataReceived(b"hello\n/history\n/history 1h\n")
            leave(bob)
            self.the_disk_turns()
            self.time_passes(5)
            self.the_disk_turns()
        self.assertEqual(self.flushLoggedErrors(), [])
        self.assertEqual(list(self.factory.chat.people), [])


class PeopleTests(AccountsTestCase):
    """What a program is told of people, so that it can offer what may be done with them."""

    def test_who_is_muted_in_a_room(self) -> None:
        alice = self.program("alice").asks(do="command", text="/register correct horse")
        alice.asks(do="command", text="/join dev")
        for nickname, host in (("bob", "192.0.2.1"), ("carol", "198.51.100.1")):
            self.program(nickname, host).asks(do="command", text="/join dev")
        alice.asks(do="command", room="#dev", text="/mute bob 10m")
        dan = self.program("dan", "203.0.113.1")

        def muted() -> list[str]:
            (state,) = dan.asks(do="command", text="/join dev").gets("state")
            dan.asks(do="command", text="/leave #dev")
            return [each["nick"] for each in state["members"] if each.get("muted")]

        dan.gets()
        self.assertEqual(muted(), ["bob"])
        self.clock.advance(601)
        self.assertEqual(muted(), [])

    def test_only_operators_are_told_who_shares_the_address_of_who_is_muted(self) -> None:
        alice = self.program("alice").asks(do="command", text="/register correct horse")
        alice.asks(do="command", text="/join dev")
        for nickname in ("bob", "carol"):
            self.program(nickname, "192.0.2.1").asks(do="command", text="/join dev")
        alice.asks(do="command", room="#dev", text="/mute bob 10m")

        def muted(state: dict[str, Any]) -> list[str]:
            return [each["nick"] for each in state["members"] if each.get("muted")]

        (seen,) = self.program("dan", seen={"#dev": 0}).gets("state")[1:]
        self.assertEqual(muted(seen), ["bob"])
        alice.gets()
        alice.asks(do="command", text="/leave #dev").asks(do="command", text="/join dev")
        (seen,) = alice.gets("state")
        self.assertEqual(muted(seen), ["bob", "carol"])

    def test_whom_they_ignore(self) -> None:
        bot = self.program("bot")
        (welcome,) = bot.gets("welcome")
        self.assertNotIn("ignored", welcome)
        bot.asks(do="command", text="/ignore Mallory")
        (back,) = self.program("bot", session=welcome["session"]).gets("welcome")
        self.assertEqual(back["ignored"], ["Mallory"])
