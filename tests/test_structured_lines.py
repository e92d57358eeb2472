"""What programs send and get."""

from typing import Any

from tests.people import ChatTestCase, Program


def bare(event: dict[str, Any]) -> dict[str, Any]:
    """An event without its time."""
    return {key: value for key, value in event.items() if key != "time"}


class StructuredLineTests(ChatTestCase):
    def test_hello_is_answered_with_a_welcome_and_the_rooms_state(self) -> None:
        welcome, join, state = self.program("alice").gets()
        self.assertEqual(welcome["event"], "welcome")
        self.assertEqual((welcome["nick"], welcome["server"]), ("alice", "the lab"))
        self.assertEqual(welcome["time"], "2026-09-21T14:13:20.000Z")
        self.assertGreater(len(welcome["session"]), 20)
        self.assertEqual(bare(join), {"event": "join", "room": "#lobby", "from": "alice"})
        member = {"nick": "alice", "away": None, "role": "member"}
        self.assertEqual(
            state,
            {"event": "state", "room": "#lobby", "topic": "", "members": [member], "count": 1},
        )

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
