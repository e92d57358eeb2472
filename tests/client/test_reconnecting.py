from typing import Any

from twisted.internet import error

from tests.client.desk import Desk, DeskTest, Server
from twisted_chat.client.failed import Untrusted
from twisted_chat.client.patience import NEVER, SCRIPT, Patience


class ConnectingTests(DeskTest):
    def test_a_refused_connection_is_reported_and_tried_again(self) -> None:
        desk, server = self.desk(plain=True)
        server.refuses()
        (line,) = desk.sees()
        self.assertEqual(
            line,
            "*** Connection refused by home port 5000: is the server running? "
            "Trying again in 2 seconds",
        )
        desk.waits(2)
        server.accepts()
        self.assertEqual(server.hears(), [{"do": "hello", "nick": "alice"}])

    def test_the_pauses_grow_to_fifteen_seconds_and_the_reports_end(self) -> None:
        desk, server = self.desk(plain=True)
        for pause in (2, 4, 8, 15, 15, 15):
            server.refuses()
            desk.waits(pause - 0.1)
            self.assertFalse(server.is_called)
            desk.waits(0.1)
            self.assertTrue(server.is_called)
        *_, last = lines = desk.sees()
        self.assertEqual(len(lines), 4)
        self.assertTrue(last.endswith("in 15 seconds, and then every 15 seconds"))

    def test_without_reconnecting_one_line_says_why_it_ends(self) -> None:
        desk, server = self.desk(patience=NEVER)
        desk.types("hello")
        server.refuses()
        self.assertEqual(desk.ended, "Connection refused by home port 5000: is the server running?")
        self.assertEqual(desk.sees() + desk.is_warned(), [])

    def test_the_line_says_what_to_look_at(self) -> None:
        for why, line in {
            error.DNSLookupError(): "No address found for home port 5000: is the name right?",
            error.TimeoutError(): "No answer from home port 5000: is the network working?",
            error.ConnectError(2, "x"): "There is no socket home port 5000: is the server running?",
            OSError("strange"): "No connection to home port 5000: strange",
        }.items():
            desk, server = self.desk(patience=NEVER)
            server.refuses(why)
            self.assertEqual(desk.ended, line)

    def test_without_reconnecting_a_lost_connection_ends_it(self) -> None:
        desk, server = self.connected(patience=NEVER)
        desk.types("hello", *"abcdefgh")
        server.vanishes()
        self.assertEqual(desk.ended, "Connection lost")
        *sent, unsent = desk.is_warned()
        self.assertEqual(sent[0], "!!! Could not be confirmed: hello")
        self.assertEqual(len(sent), 8)
        self.assertEqual(unsent, "!!! Not sent: h")

    def test_a_full_server_is_asked_again_later(self) -> None:
        desk, server = self.desk(plain=True)
        server.accepts()
        server.sends(b"!!! The server is full: try again in a minute.\r\n")
        server.vanishes()
        self.assertEqual(
            desk.sees(),
            ["*** The server is full: try again in a minute. Trying again in 2 seconds"],
        )

    def test_who_is_to_wait_before_they_are_let_in_is_let_in_later(self) -> None:
        desk, server = self.desk(plain=True)
        server.accepts()
        server.says("error", code="too-fast", text="Too many nicknames.", wait=30)
        self.assertTrue(server.hung_up)
        self.assertEqual(desk.sees(), ["*** Too many nicknames. Trying again in 2 seconds"])

    def test_who_leaves_while_there_is_no_connection_leaves_at_once(self) -> None:
        desk, server = self.desk(plain=True)
        server.refuses()
        desk.ends_input()
        self.assertEqual(desk.ended, "well")
        desk.waits(60)
        self.assertFalse(server.is_called)

    def test_a_script_does_not_leave_before_its_lines_are_sent(self) -> None:
        desk, server = self.desk()
        desk.types("deploy done")
        desk.ends_input()
        server.refuses()
        desk.waits(2)
        server.accepts()
        server.hears()
        server.welcomes("alice")
        self.assertEqual(server.is_told(), ["deploy done"])


class WatchTests(DeskTest):
    def test_a_silent_server_is_asked_after_a_minute_and_given_up_after_half_a_minute(self) -> None:
        desk, server = self.connected(plain=True)
        desk.waits(60)
        self.assertEqual(server.hears(), [{"do": "ping"}])
        desk.waits(30)
        self.assertTrue(server.hung_up)
        self.assertEqual(desk.sees(), ["*** Connection lost; trying again in 2 seconds"])

    def test_a_server_that_answers_is_there(self) -> None:
        desk, server = self.connected(plain=True)
        desk.waits(60)
        server.says("pong")
        desk.waits(59)
        self.assertFalse(server.hung_up)
        self.assertEqual(desk.sees(), [])

    def test_a_server_that_never_says_anything_is_given_up(self) -> None:
        desk, server = self.desk(plain=True)
        server.accepts()
        desk.waits(30)
        self.assertTrue(server.hung_up)
        self.assertEqual(desk.sees(), ["*** The server does not answer; trying again in 2 seconds"])


class OtherServerTests(DeskTest):
    def test_a_server_of_another_kind_is_named_and_ends_it(self) -> None:
        for first, kind in {
            b"HTTP/1.1 400 Bad Request\r\n": "a web server",
            b"<!DOCTYPE HTML>\n": "a web server",
            b"SSH-2.0-OpenSSH_9.2\r\n": "an SSH server",
            b"220 mx.example ESMTP Postfix\r\n": "a mail server",
            b"220 ProFTPD ready\r\n": "an FTP server",
            b":irc.example NOTICE * :*** Looking up your hostname\r\n": "an IRC server",
            b"-ERR unknown command\r\n": "a Redis server",
            b"J\0\0\0\n5.7.1-MariaDB\0": "a database server",
        }.items():
            for plain in (True, False):
                desk, server = self.desk(plain=plain)
                server.accepts()
                server.sends(first)
                self.assertEqual(
                    desk.ended,
                    f"home port 5000 is {kind}, not a chat server: check the host and the port",
                )

    def test_a_server_that_wants_tls_is_named_or_guessed(self) -> None:
        desk, server = self.desk()
        server.accepts()
        server.sends(b"\x15\x03\x01\x00\x02\x02\x46")
        self.assertEqual(desk.ended, "home port 5000 is a TLS server: add --tls")
        desk, server = self.desk(patience=NEVER)
        server.accepts()
        server.vanishes()
        self.assertIn("if it speaks TLS, add --tls", desk.ended)

    def test_a_certificate_that_is_not_trusted_ends_it_at_once_and_also_later(self) -> None:
        desk, server = self.desk(plain=True)
        server.refuses(Untrusted("THE CERTIFICATE HAS CHANGED"))
        self.assertEqual(desk.ended, "THE CERTIFICATE HAS CHANGED")
        desk, server = self.connected(plain=True)
        server.vanishes()
        desk.waits(2)
        server.refuses(Untrusted("THE CERTIFICATE HAS CHANGED"))
        self.assertEqual(desk.ended, "THE CERTIFICATE HAS CHANGED")

    def test_a_server_that_was_there_needs_no_tls_now(self) -> None:
        desk, server = self.connected(plain=True)
        server.vanishes()
        desk.waits(2)
        desk.sees()
        server.accepts()
        server.vanishes()
        self.assertEqual(desk.sees(), ["*** Connection lost; trying again in 4 seconds"])

    def test_a_server_of_an_unknown_kind_is_not_tried_again_either(self) -> None:
        desk, server = self.desk(plain=True)
        server.accepts()
        server.sends(b"Good morning\r\n")
        server.vanishes()
        self.assertTrue(desk.ended.startswith("home port 5000 is not a chat server: "))

    def test_a_server_that_repeats_what_one_says_is_no_chat_server(self) -> None:
        desk, server = self.desk()
        server.accepts()
        server.sends(b'{"do":"hello","nick":"alice"}\n')
        self.assertTrue(desk.ended.startswith("home port 5000 is not a chat server: "))

    def test_a_chat_server_behind_one_that_apologizes_is_waited_for(self) -> None:
        desk, server = self.connected(plain=True)
        server.vanishes()
        desk.waits(2)
        server.accepts()
        server.sends(b"HTTP/1.1 502 Bad Gateway\r\n")
        desk.waits(15)
        self.assertTrue(server.is_called)
        self.assertEqual(desk.ended, "")


class PatienceTests(DeskTest):
    def test_a_script_ends_at_once_where_there_is_no_server(self) -> None:
        desk, server = self.desk(patience=SCRIPT)
        desk.types("deploy done")
        server.refuses()
        self.assertEqual(desk.ended, "Connection refused by home port 5000: is the server running?")

    def test_a_script_waits_for_a_server_that_is_started_again(self) -> None:
        desk, server = self.connected(patience=SCRIPT)
        server.vanishes()
        desk.types("deploy done")
        desk.waits(2)
        server.refuses()
        desk.waits(2)
        server.accepts()
        server.hears()
        server.welcomes("alice", resumed=True)
        self.assertEqual(server.is_told(), ["deploy done"])
        desk.waits(60)
        self.assertEqual(desk.ended, "")

    def test_a_script_does_not_wait_for_ever(self) -> None:
        desk, server = self.connected(patience=SCRIPT)
        server.vanishes()
        for _ in range(15):
            self.assertEqual(desk.ended, "")
            desk.waits(2)
            if server.is_called:
                server.refuses()
        self.assertEqual(desk.ended, "Connection refused by home port 5000: is the server running?")
        desk.waits(60)
        self.assertFalse(server.is_called)

    def test_who_waits_for_a_limited_time_tries_often_and_then_ends(self) -> None:
        desk, server = self.desk(patience=Patience(5, 5))
        for _ in range(2):
            server.refuses()
            desk.waits(2)
        desk.waits(0.9)
        self.assertEqual(desk.ended, "")
        desk.waits(0.1)  # the third attempt hangs
        self.assertEqual(desk.ended, "Connection refused by home port 5000: is the server running?")

    def test_a_server_that_does_not_answer_at_all_is_waited_for_no_longer_either(self) -> None:
        desk, _ = self.desk(patience=Patience(5, 5))
        desk.waits(5)
        self.assertEqual(desk.ended, "No answer from home port 5000")

    def test_somebody_who_cannot_wait_tries_at_once(self) -> None:
        for line in ("", "/reconnect"):
            desk, server = self.connected(plain=True)
            server.vanishes()
            desk.sees()
            self.assertFalse(server.is_called)
            desk.types(line)
            self.assertEqual(desk.sees(), ["*** Connecting again"])
            server.accepts()
            server.hears()
            server.welcomes("alice", resumed=True)
            self.assertEqual(server.hears(), [])

    def test_a_connection_that_only_seems_to_be_there_is_made_again(self) -> None:
        desk, server = self.connected(plain=True)
        desk.types("/reconnect")
        self.assertTrue(server.hung_up)
        server.accepts()
        self.assertEqual(server.hears()[0]["session"], "token")

    def test_an_attempt_that_hangs_is_made_anew(self) -> None:
        desk, server = self.connected(plain=True)
        server.vanishes()
        desk.waits(2)
        self.assertTrue(server.is_called)
        server.ignores()
        desk.types("/reconnect")
        server.accepts()
        self.assertEqual(server.hears()[0]["session"], "token")

    def test_enter_alone_changes_nothing_while_there_is_a_connection(self) -> None:
        desk, server = self.connected(plain=True)
        desk.types("", " ")
        self.assertFalse(server.hung_up)
        self.assertEqual(server.hears() + desk.sees(), [])


class ResumingTests(DeskTest):
    def test_a_session_is_resumed_after_what_was_seen(self) -> None:
        desk, server = self.connected(plain=True)
        server.says("message", id=41, room="#lobby", from_="bob", text="one")
        server.says("whisper", id=2, room="@", from_="bob", to="alice", text="two")
        server.vanishes()
        desk.waits(2)
        server.accepts()
        (hello,) = server.hears()
        self.assertEqual(hello["session"], "token")
        self.assertEqual(hello["seen"], {"#lobby": 41, "@": 2})
        desk.sees()
        server.welcomes("alice", resumed=True)
        server.shows_room("#lobby", "alice", "carl")
        self.assertEqual(desk.sees(), ["*** Connected again"])

    def test_a_session_that_goes_on_elsewhere_ends_it(self) -> None:
        desk, server = self.connected()
        server.says("error", code="replaced", text="This session continues elsewhere.")
        self.assertEqual(desk.ended, "This session continues elsewhere.")

    def test_a_room_that_one_has_left_is_not_entered_again(self) -> None:
        desk, server = self.connected(plain=True)
        server.says("join", room="#dev", from_="alice")
        server.shows_room("#dev", "alice")
        server.says("leave", room="#dev", from_="alice")
        self.assertEqual(list(desk.talk.model.seen), ["#lobby", "@"])

    def test_what_was_typed_meanwhile_is_sent_once(self) -> None:
        desk, server = self.connected(plain=True)
        server.vanishes()
        desk.types("hello")
        self.assertEqual(desk.talk.sender.late(), 1)
        desk.waits(2)
        server.accepts()
        server.hears()
        server.welcomes("alice", resumed=True)
        (said,) = server.hears()
        self.assertEqual(said["text"], "hello")
        server.says("message", id=1, room="#lobby", from_="alice", text="hello", ref=said["ref"])
        self.assertEqual(desk.talk.sender.late(), 0)
        self.assertEqual(server.hears(), [])

    def test_what_was_on_its_way_is_sent_again_under_its_old_name(self) -> None:
        desk, server = self.connected(plain=True)
        desk.types("hello")
        (before,) = server.hears()
        server.vanishes()
        desk.waits(2)
        server.accepts()
        server.hears()
        server.welcomes("alice", resumed=True)
        self.assertEqual(server.hears(), [before])
        server.says("answer", ref=before["ref"], lines=[], id=3)
        self.assertEqual(len(desk.talk.outbox), 0)

    def test_after_a_lost_session_nothing_is_sent_that_may_have_arrived(self) -> None:
        desk, server = self.connected(plain=True)
        desk.types("perhaps")
        server.vanishes()
        desk.types("for sure")
        desk.waits(2)
        desk.sees()
        server.accepts()
        server.hears()
        server.welcomes("alice", resumed=False)
        self.assertEqual(server.is_told(), ["for sure"])
        self.assertEqual(
            desk.sees(),
            [
                "*** Connected again",
                "!!! Could not be confirmed: perhaps",
                "*** In #lobby: alice (1)",
            ],
        )

    def test_a_script_ends_badly_if_a_line_could_not_be_confirmed(self) -> None:
        desk, server = self.connected()
        desk.types("perhaps")
        server.vanishes()
        desk.waits(2)
        server.accepts()
        server.welcomes("alice", resumed=False)
        self.assertTrue(desk.view.failed)
        self.assertIn("!!! Could not be confirmed: perhaps", desk.is_warned())

    def test_a_nickname_that_was_taken_meanwhile_is_asked_for_again(self) -> None:
        desk, server = self.connected(plain=True)
        server.vanishes()
        desk.types("hello")
        desk.waits(2)
        server.accepts()
        server.says("error", code="nick-taken", text="Taken.")
        desk.types("alice2")
        server.accepts()
        self.assertEqual(server.hears()[0]["nick"], "alice2")
        server.welcomes("alice2")
        self.assertEqual(server.is_told(), ["hello"])

    def test_a_server_that_goes_in_good_order_is_waited_for_too(self) -> None:
        desk, server = self.connected(plain=True)
        server.says("notice", text="The server is shutting down")
        assert server._protocol is not None
        server._protocol.readConnectionLost()
        self.assertEqual(desk.sees()[-1], "*** Connection lost; trying again in 2 seconds")

    def test_a_whisper_is_not_lost_when_the_server_is_killed_before_it_answers(self) -> None:
        desk, server = self.connected(plain=True)
        desk.types("/whisper bob psst")
        (before,) = server.hears()
        event = {"room": "@", "from_": "alice", "to": "bob", "text": "psst", "ref": before["ref"]}
        server.says("whisper", id=1, **event)
        server.vanishes()
        desk.waits(2)
        server.accepts()
        server.hears()
        server.welcomes("alice", resumed=True)
        self.assertEqual(server.hears(), [before])
        desk.sees()
        server.says("error", ref=before["ref"], code="not-stored", text="The disk is full.")
        self.assertEqual(desk.sees(), ["!!! The disk is full."])
        self.assertEqual(len(desk.talk.outbox), 0)


class RoomTests(DeskTest):
    def comes_back(self, desk: Desk, server: Server, **keys: Any) -> dict[str, Any]:
        """The connection breaks and is made again; gives the client's hello."""
        server.vanishes()
        desk.waits(2)
        server.accepts()
        (hello,) = server.hears()
        desk.sees()
        server.welcomes("alice", **keys)
        return hello

    def in_dev(self, **keys: Any) -> tuple[Desk, Server]:
        """Somebody who types into #dev."""
        desk, server = self.connected(plain=True, **keys)
        desk.types("/join dev")
        server.shows_room("#dev", "alice")
        self.answers(server, "You are in #dev.")
        self.assertEqual(desk.talk.model.current, "#dev")
        return desk, server

    def answers(self, server: Server, *lines: str) -> None:
        (asked,) = server.hears()
        server.says("answer", ref=asked["ref"], lines=lines)

    def test_a_room_whose_leave_was_never_answered_is_left_all_the_same(self) -> None:
        desk, server = self.in_dev()
        desk.types("/leave")
        self.comes_back(desk, server, resumed=True, rooms=["#lobby"])
        self.assertEqual(list(desk.talk.model.rooms), ["#lobby"])
        self.assertEqual(desk.talk.model.current, "#lobby")

    def test_a_server_that_does_not_list_the_rooms_changes_none_of_them(self) -> None:
        desk, server = self.in_dev()
        self.comes_back(desk, server, resumed=True)
        self.assertEqual(list(desk.talk.model.rooms), ["#lobby", "#dev"])

    def test_a_room_in_which_nobody_is_told_that_one_left_is_left(self) -> None:
        desk, server = self.in_dev()
        desk.types("/leave dev")
        self.answers(server, "You left #dev.")
        self.assertEqual(list(desk.talk.model.rooms), ["#lobby"])

    def test_what_is_still_told_of_a_room_does_not_bring_it_back(self) -> None:
        desk, server = self.in_dev()
        desk.types("/leave")
        server.says("leave", room="#dev", from_="alice")
        self.answers(server, "You left #dev.")
        server.says("message", id=7, room="#dev", from_="bob", text="hello")
        server.shows_room("#dev", "alice", "bob")
        self.assertEqual(list(desk.talk.model.rooms), ["#lobby"])

    def test_a_room_that_one_goes_back_to_at_once_stays(self) -> None:
        desk, server = self.in_dev()
        desk.types("/leave", "/join dev")
        leave, join = server.hears()
        server.says("leave", room="#dev", from_="alice")
        server.says("answer", ref=leave["ref"], lines=["You left #dev."])
        self.assertEqual(desk.talk.model.current, "#dev")
        server.says("answer", ref=join["ref"], lines=["You are in #dev."])
        server.shows_room("#dev", "alice")
        self.assertEqual(list(desk.talk.model.rooms), ["#lobby", "#dev"])

    def test_a_server_that_began_anew_says_so_and_is_read_from_its_beginning(self) -> None:
        desk, server = self.desk(plain=True)
        server.accepts()
        server.welcomes("alice", epoch="one")
        server.says("message", id=41, room="#lobby", from_="bob", text="hi")
        hello = self.comes_back(desk, server, epoch="two")
        self.assertEqual((hello["epoch"], hello["seen"]["#lobby"]), ("one", 41))
        self.assertEqual(
            desk.sees(),
            [
                "*** Connected again",
                "*** The server restarted with an empty history: lines may be missing",
                "*** In #lobby: alice (1)",
            ],
        )
        hello = self.comes_back(desk, server, epoch="two")
        self.assertEqual((hello["epoch"], hello["seen"]), ("two", {"#lobby": 0, "@": 0}))
        self.assertNotIn("anew", " ".join(desk.sees()))
