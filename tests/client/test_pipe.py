import io
import json
from typing import Any

from tests.client.desk import Desk, DeskTest, Server


def stores(server: Server, said: dict[str, Any], number: int) -> None:
    """The server acknowledges something that was said."""
    server.says(
        "message", id=number, room=said["room"], from_="alice", text=said["text"], ref=said["ref"]
    )


class SendingTests(DeskTest):
    def test_a_line_is_sent_and_nothing_is_printed_and_all_is_well(self) -> None:
        desk, server = self.desk("ci")
        desk.types("deploy done")
        desk.ends_input()
        server.accepts()
        self.assertEqual(server.hears(), [{"do": "hello", "nick": "ci", "quiet": True}])
        server.welcomes("ci")
        (said,) = server.hears()
        self.assertEqual((said["do"], said["room"]), ("say", "#lobby"))
        self.assertEqual(said["text"], "deploy done")
        stores(server, said, 1)
        self.assertEqual(server.is_told(), ["/quit"])
        server.vanishes()
        self.assertEqual((desk.ended, desk.view.failed), ("well", False))
        self.assertEqual(desk.sees() + desk.is_warned(), [])

    def test_an_empty_input_comes_and_goes_in_silence(self) -> None:
        desk, server = self.desk()
        desk.ends_input()
        server.accepts()
        server.welcomes("alice")
        server.vanishes()
        self.assertEqual(desk.ended, "well")
        self.assertEqual(desk.sees() + desk.is_warned(), [])

    def test_the_last_line_needs_no_line_end(self) -> None:
        desk, server = self.connected()
        desk.pipes(b"one\ntwo")
        self.assertEqual(server.is_told(), ["one"])
        desk.ends_input()
        self.assertEqual(server.is_told(), ["two"])

    def test_it_does_not_leave_before_everything_is_acknowledged(self) -> None:
        desk, server = self.connected()
        desk.types("one", "two")
        desk.ends_input()
        first, second = server.hears()
        stores(server, first, 1)
        self.assertEqual(server.hears(), [])
        stores(server, second, 2)
        self.assertEqual(server.is_told(), ["/quit"])

    def test_eight_lines_are_on_their_way_at_once_and_their_order_is_kept(self) -> None:
        desk, server = self.connected()
        desk.types(*map(str, range(20)))
        on_their_way = server.hears()
        self.assertEqual([said["text"] for said in on_their_way], list("01234567"))
        stores(server, on_their_way[0], 1)
        self.assertEqual(server.is_told(), ["8"])

    def test_the_input_is_read_no_faster_than_the_server_takes_it(self) -> None:
        desk, server = self.connected()
        desk.types(*map(str, range(300)))
        self.assertLessEqual(len(desk.talk.outbox), 101)
        for number in range(300):
            (line, *_) = desk.talk.outbox
            stores(server, line.request, number + 1)
            desk._read()
        self.assertEqual(server.is_told(), [str(number) for number in range(300)])

    def test_a_line_that_came_too_fast_is_sent_again_after_the_wait_before_the_next(self) -> None:
        desk, server = self.connected()
        desk.types("one", "two")
        one, two = server.hears()
        for said in (one, two):
            server.says("error", code="too-fast", text="Too fast.", ref=said["ref"], wait=2.5)
        desk.waits(2)
        self.assertEqual(server.hears(), [])
        desk.waits(0.5)
        (again,) = server.hears()
        self.assertEqual(again["text"], "one")
        self.assertNotIn(again["ref"], (one["ref"], two["ref"]))
        stores(server, again, 1)
        self.assertEqual(server.is_told(), ["two"])
        self.assertFalse(desk.view.failed)

    def test_a_slash_doubled_is_said_and_exit_leaves(self) -> None:
        for farewell in ("exit", "!Disconnect", "/quit"):
            desk, server = self.connected()
            desk.types("//usr/bin", farewell, "never sent")
            (said,) = server.hears()
            self.assertEqual((said["do"], said["text"]), ("say", "/usr/bin"))
            stores(server, said, 1)
            self.assertEqual(server.is_told(), ["/quit"])

    def test_a_line_that_is_not_utf_8_is_refused_and_the_others_are_sent(self) -> None:
        desk, server = self.connected()
        desk.types(b"caf\xe9", "café")
        self.assertEqual(server.is_told(), ["café"])
        self.assertIn("not UTF-8", desk.is_warned()[0])
        self.assertTrue(desk.view.failed)

    def test_a_line_that_the_server_could_not_read_is_refused_and_the_others_are_sent(self) -> None:
        desk, server = self.connected()
        desk.types("x" * 8_000, "x" * 9_000, "ü" * 4_096, "\\" * 4_096, "and this")
        first, last = server.hears()
        self.assertEqual((len(first["text"]), last["text"]), (8_000, "and this"))
        for warned in desk.is_warned():
            self.assertIn("!!! That line is too long for the server and was not sent", warned)
            self.assertLess(len(warned), 2_100)
        self.assertTrue(desk.view.failed)
        for said in (first, last):
            stores(server, said, 1)
        desk.ends_input()
        self.assertEqual(server.is_told(), ["/quit"])

    def test_a_file_of_such_lines_alone_comes_to_an_end(self) -> None:
        desk, server = self.desk()
        for _ in range(90):
            desk.types("x" * 9_000)
        desk.ends_input()
        server.accepts()
        server.welcomes("alice")
        self.assertEqual(server.is_told()[-1], "/quit")
        self.assertEqual(len(desk.is_warned()), 90)

    def test_how_long_a_line_may_be_is_what_the_server_says(self) -> None:
        for most, sent in ((200, []), (20_000, ["x" * 9_000])):
            desk, server = self.desk()
            server.accepts()
            server.hears()
            server.welcomes("alice", limits={"line_bytes": 100, "input_bytes": most})
            desk.types("x" * 9_000)
            self.assertEqual(server.is_told(), sent)
        nonsense: Any
        for nonsense in (None, [], {}, {"input_bytes": "many"}, {"input_bytes": -1}):
            desk, server = self.desk()
            server.accepts()
            server.hears()
            server.welcomes("alice", limits=nonsense)
            desk.types("x" * 8_000, "x" * 9_000)
            self.assertEqual(server.is_told(), ["x" * 8_000])

    def test_a_farewell_that_is_too_long_is_a_short_one(self) -> None:
        desk, server = self.connected()
        desk.types("/quit " + "x" * 9_000)
        self.assertEqual(server.is_told(), ["/quit"])
        self.assertEqual(len(desk.is_warned()), 1)

    def test_a_server_that_does_not_close_is_not_waited_for(self) -> None:
        desk, server = self.connected()
        desk.ends_input()
        self.assertEqual(server.is_told(), ["/quit"])
        desk.waits(5)
        self.assertEqual(desk.ended, "well")
        self.assertTrue(server.hung_up)


class CommandTests(DeskTest):
    def answers(self, server: Server, *lines: str) -> None:
        (asked,) = server.hears()
        self.assertEqual(asked["do"], "command")
        server.says("answer", ref=asked["ref"], lines=lines)

    def test_an_answer_is_printed(self) -> None:
        desk, server = self.connected()
        desk.types("/users")
        self.answers(server, "In #lobby: alice, bob (2)")
        self.assertEqual(desk.sees(), ["In #lobby: alice, bob (2)"])

    def test_a_command_is_done_when_it_is_answered(self) -> None:
        desk, server = self.connected()
        desk.types("@bob psst")
        desk.ends_input()
        (whisper,) = server.hears()
        self.assertEqual(whisper["text"], "/whisper bob psst")
        keys = {"ref": whisper["ref"], "id": 1, "room": "@", "text": "psst", "to": "bob"}
        server.says("whisper", from_="alice", **keys)
        self.assertEqual(server.hears(), [])
        server.says("answer", ref=whisper["ref"], lines=[])
        self.assertEqual(server.is_told(), ["/quit"])

    def test_a_refusal_goes_to_the_error_output_and_into_the_status(self) -> None:
        desk, server = self.connected()
        desk.types("/whisper nobody hi")
        (asked,) = server.hears()
        server.says("error", ref=asked["ref"], code="no-such-nick", text="Nobody is nobody.")
        self.assertEqual(desk.is_warned(), ["!!! Nobody is nobody. [/whisper nobody hi]"])
        self.assertEqual(desk.sees(), [])
        self.assertTrue(desk.view.failed)

    def test_what_follows_a_join_is_said_in_that_room(self) -> None:
        desk, server = self.connected()
        desk.types("/join dev", "hello")
        join, said = server.hears()
        self.assertEqual((join["room"], join["text"]), ("#lobby", "/join dev"))
        self.assertEqual((said["room"], said["text"]), ("#dev", "hello"))


class RoomTests(DeskTest):
    def test_the_room_is_entered_before_anything_is_said_in_it(self) -> None:
        desk, server = self.connected(room="dev")
        (join,) = server.hears()
        self.assertEqual(join["text"], "/join #dev")
        desk.types("hello")
        self.assertEqual(server.hears(), [])
        server.shows_room("#dev", "alice")
        server.says("answer", ref=join["ref"], lines=["You are in #dev."])
        (said,) = server.hears()
        self.assertEqual((said["room"], said["text"]), ("#dev", "hello"))
        self.assertEqual(desk.sees(), [])

    def test_a_room_that_cannot_be_entered_ends_it(self) -> None:
        desk, server = self.connected(room="!")
        (join,) = server.hears()
        server.says("error", ref=join["ref"], code="bad-room", text="No room is called #!.")
        self.assertEqual(desk.ended, "No room is called #!.")
        self.assertEqual(server.is_told(), ["/quit"])

    def test_the_lobby_needs_no_entering(self) -> None:
        desk, server = self.connected(room="#Lobby")
        desk.types("hello")
        self.assertEqual(server.is_told(), ["hello"])


class NicknameTests(DeskTest):
    def test_a_taken_nickname_ends_it_with_one_line(self) -> None:
        desk, server = self.desk()
        desk.types("hello")
        server.accepts()
        server.says("error", code="nick-taken", text="The nickname alice is taken.")
        self.assertEqual(desk.ended, "The nickname alice is taken.")
        self.assertEqual(desk.is_warned(), [])


class JsonTests(DeskTest):
    def test_what_the_server_sends_is_printed_as_objects(self) -> None:
        desk, server = self.connected(json=True)
        event = {"id": 7, "room": "#lobby", "text": "hé 漢", "odd": [1, None, {"a": "b"}]}
        server.says("message", from_="bob", **event)
        (line,) = desk.sees()
        self.assertEqual(json.loads(line)["from"], "bob")
        self.assertLessEqual(event.items(), json.loads(line).items())
        self.assertIn("hé 漢", line)

    def test_an_escape_sequence_is_printed_as_the_escape_that_json_has_for_it(self) -> None:
        desk, server = self.connected(json=True)
        server.sends('{"event":"new","text":"\\u001b[2J\x9b2J\u202e\\ud800"}\n'.encode())
        (line,) = desk.sees()
        self.assertTrue(line.isascii())
        self.assertEqual(json.loads(line)["text"], "\x1b[2J\x9b2J\u202e\ud800")

    def test_the_token_that_lets_one_speak_as_us_is_not_printed(self) -> None:
        desk, server = self.desk(json=True)
        server.accepts()
        server.welcomes("alice")
        welcome, _ = desk.sees()
        self.assertEqual(json.loads(welcome)["nick"], "alice")
        self.assertNotIn("token", welcome)

    def test_who_also_listens_does_not_come_in_secret(self) -> None:
        _, server = self.desk(json=True)
        server.accepts()
        self.assertEqual(server.hears(), [{"do": "hello", "nick": "alice"}])

    def test_answers_are_printed_once_as_objects(self) -> None:
        desk, server = self.connected(json=True)
        desk.types("/users")
        (asked,) = server.hears()
        server.says("answer", ref=asked["ref"], lines=["alice"])
        (line,) = desk.sees()
        self.assertEqual(json.loads(line)["lines"], ["alice"])


class Shut(io.StringIO):
    """An output whose reader has gone: `| head -1`."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


class ClosedOutputTests(DeskTest):
    def test_an_output_that_nobody_reads_ends_it_quietly(self) -> None:
        desk, server = self.connected(json=True, out=Shut())
        self.assertEqual(server.is_told(), ["/quit"])
        server.vanishes()
        self.assertEqual((desk.ended, desk.view.failed), ("well", False))
        self.assertEqual(desk.is_warned(), [])

    def test_a_full_disk_is_reported(self) -> None:
        class Full(io.StringIO):
            def write(self, text: str) -> int:
                raise OSError(28, "No space left on device")

        desk = Desk(json=True, out=Full())
        self.addCleanup(desk.goes)
        desk.server.accepts()
        desk.server.welcomes("alice")
        self.assertEqual(desk.is_warned(), ["!!! No space left on device"])
        self.assertTrue(desk.view.failed)
