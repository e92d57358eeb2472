from twisted.internet import error

from tests.client.desk import DeskTest


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

    def test_the_pauses_grow_to_a_minute_and_the_reports_end(self) -> None:
        desk, server = self.desk(plain=True)
        for pause in (2, 4, 8, 16, 32, 60, 60, 60):
            server.refuses()
            desk.waits(pause - 0.1)
            self.assertFalse(server.is_called)
            desk.waits(0.1)
            self.assertTrue(server.is_called)
        *_, last = lines = desk.sees()
        self.assertEqual(len(lines), 6)
        self.assertTrue(last.endswith("in 60 seconds, and then about once a minute"))

    def test_without_reconnecting_one_line_says_why_it_ends(self) -> None:
        desk, server = self.desk(again=False)
        desk.types("hello")
        server.refuses()
        self.assertEqual(desk.ended, "Connection refused by home port 5000: is the server running?")
        self.assertEqual(desk.sees() + desk.is_warned(), [])

    def test_the_line_says_what_to_look_at(self) -> None:
        for why, line in {
            error.DNSLookupError(): "No address found for home port 5000: is the name right?",
            error.TimeoutError(): "No answer from home port 5000: is the network all right?",
            OSError("strange"): "No connection to home port 5000: strange",
        }.items():
            desk, server = self.desk(again=False)
            server.refuses(why)
            self.assertEqual(desk.ended, line)

    def test_without_reconnecting_a_lost_connection_ends_it(self) -> None:
        desk, server = self.connected(again=False)
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

    def test_a_server_that_lets_nobody_in_for_a_while_is_asked_again_later(self) -> None:
        desk, server = self.desk(plain=True)
        server.accepts()
        server.says("error", code="too-fast", text="Not so fast.", wait=1)
        self.assertTrue(server.hung_up)
        self.assertEqual(desk.sees(), ["*** Not so fast. Trying again in 2 seconds"])

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

    def test_a_server_that_never_welcomes_anybody_is_given_up(self) -> None:
        desk, server = self.desk(plain=True)
        server.accepts()
        server.sends(b"SSH-2.0-OpenSSH_9.2\r\n")
        desk.waits(30)
        self.assertTrue(server.hung_up)


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
