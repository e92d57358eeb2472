from tests.client.desk import NOON, DeskTest


class PlainTests(DeskTest):
    def test_the_lines_are_those_of_the_servers_plain_wire(self) -> None:
        desk, server = self.connected(plain=True)
        server.shows_room("#dev", "alice", "bob", topic="tea")
        events = {
            "message": {"text": "hello"},
            "action": {"text": "waves"},
            "whisper": {"text": "psst", "to": "alice"},
            "rename": {"to": "robert"},
            "topic": {"text": "cake"},
            "leave": {"reason": "connection lost"},
        }
        for number, (event, keys) in enumerate(events.items(), 1):
            room = "@" if event == "whisper" else "#dev"
            server.says(event, id=number, room=room, from_="bob", **keys)
        server.says("notice", text="The server is shutting down")
        first, topic, *lines = desk.sees()
        self.assertEqual(first, "*** In #dev: alice, bob (2)")
        self.assertEqual(topic, "*** The topic of #dev is: tea")
        self.assertTrue(all(line.startswith("[2026-11-20 ") for line in lines))
        self.assertEqual(
            [line.partition("] ")[2] for line in lines],
            [
                "#dev bob: hello",
                "#dev * bob waves",
                "[whisper from bob] psst",
                "*** bob is now known as robert",
                "*** bob changed the topic of #dev to: cake",
                "*** bob has left #dev (connection lost)",
                "*** The server is shutting down",
            ],
        )

    def test_somebody_who_comes_is_welcomed(self) -> None:
        desk, server = self.desk(plain=True)
        server.accepts()
        server.sends(b"Welcome to Test Chat. What is your nickname?\r\n")
        server.welcomes("alice", motd=["Be kind."])
        self.assertEqual(
            desk.sees(),
            [
                "*** Welcome to Test Chat, alice! /help lists the commands.",
                "*** Be kind.",
                "*** In #lobby: alice (1)",
            ],
        )

    def test_what_one_has_typed_is_not_shown_again(self) -> None:
        desk, server = self.connected(plain=True)
        desk.types("hello", "/me waves")
        said, done = server.hears()
        server.says("message", id=1, room="#lobby", from_="alice", text="hello", ref=said["ref"])
        server.says("action", id=2, room="#lobby", from_="alice", text="waves", ref=done["ref"])
        (line,) = desk.sees()
        self.assertTrue(line.endswith("* alice waves"))

    def test_answers_and_refusals_are_told_apart(self) -> None:
        desk, server = self.connected(plain=True)
        desk.types("/users", "/frob")
        users, frob = server.hears()
        server.says("answer", ref=users["ref"], lines=["alice"])
        server.says("error", ref=frob["ref"], code="no-such-command", text="No /frob here.")
        self.assertEqual(desk.sees(), ["*** alice", "!!! No /frob here."])

    def test_a_terminal_is_safe_from_a_hostile_server(self) -> None:
        desk, server = self.connected(plain=True)
        server.says("message", id=1, room="#lobby", from_="b\x1b[2Jb", text="x\r\n[12:00] root: y")
        server.says("error", code="x", text="a\x07b\x9bc\u202ed\u2028e")
        message, refusal = desk.sees()
        self.assertIn("b\ufffd[2Jb: x\ufffd\ufffd[12:00] root: y", message)
        self.assertEqual(refusal, "!!! a\ufffdb\ufffdc\ufffdd\ufffde")

    def test_blanks_up_to_the_edge_of_the_screen_forge_no_line(self) -> None:
        desk, server = self.connected(plain=True)
        server.says("message", id=1, room="#lobby", from_="bob", text="x" + " " * 70 + "y")
        server.says("topic", id=2, room="#lobby", from_="bob", text="x" + "\u3000" * 70 + "y")
        for line, blank in zip(desk.sees(), " \u3000", strict=True):
            self.assertTrue(line.endswith("x" + blank * 16 + "y"), ascii(line))

    def test_missed_lines_are_counted_aloud(self) -> None:
        desk, server = self.connected(plain=True)
        server.says("missed", room="#lobby", count=3)
        server.says("missed", room="@", count=1)
        self.assertEqual(
            desk.sees(),
            [
                "*** You missed 3 lines of #lobby: older lines are no longer kept",
                "*** You missed 1 line: older lines are no longer kept",
            ],
        )

    def test_lines_that_could_not_be_read_just_now_are_to_be_had_later(self) -> None:
        desk, server = self.connected(plain=True)
        server.says("missed", room="#dev", kept=True)
        server.says("missed", room="#dev", kept=True, count=2)
        server.says("missed", room="@", kept=True, count=0)
        why = "which could not be read right now"
        self.assertEqual(
            desk.sees(),
            [
                f"*** You missed some lines of #dev, {why}: type /history in #dev to see them",
                f"*** You missed 2 lines of #dev, {why}: type /history in #dev to see them",
                f"*** You missed some lines, {why}",
            ],
        )

    def test_an_event_from_somebody_ignored_shows_nothing_and_counts_as_seen(self) -> None:
        desk, server = self.connected(plain=True)
        server.says("hidden", id=9, room="#lobby")
        self.assertEqual(desk.sees(), [])
        self.assertEqual(desk.talk.model.seen, {"#lobby": 9, "@": 0})

    def test_control_d_leaves(self) -> None:
        desk, server = self.connected(plain=True)
        desk.ends_input()
        self.assertEqual(server.is_told(), ["/quit"])
        server.vanishes()
        self.assertEqual(desk.ended, "well")

    def test_quit_takes_a_farewell_along(self) -> None:
        desk, server = self.connected(plain=True)
        desk.types("/quit good night")
        self.assertEqual(server.is_told(), ["/quit good night"])

    def test_who_leaves_waits_five_seconds_at_the_most(self) -> None:
        desk, _ = self.connected(plain=True)
        desk.types("hello")
        desk.ends_input()
        desk.waits(5)
        self.assertEqual(desk.sees(), ["!!! Could not be confirmed: hello"])
        self.assertEqual(desk.ended, "well")


class NicknameTests(DeskTest):
    def test_somebody_without_a_nickname_is_asked_before_anything_else(self) -> None:
        desk, server = self.desk("", plain=True)
        self.assertEqual(desk.sees(), ["What is your nickname?"])
        self.assertFalse(server.is_called)
        desk.types("zoë")
        server.accepts()
        self.assertEqual(server.hears(), [{"do": "hello", "nick": "zoë"}])

    def test_somebody_whose_nickname_is_taken_is_asked_for_another_one(self) -> None:
        desk, server = self.desk(plain=True)
        server.accepts()
        server.says("error", code="nick-taken", text="The nickname alice is taken.")
        self.assertEqual(
            desk.sees(), ["!!! The nickname alice is taken.", "What is your nickname?"]
        )
        self.assertTrue(server.hung_up)
        desk.waits(3600)
        self.assertFalse(server.is_called)
        desk.types("alice2")
        server.accepts()
        self.assertEqual(server.hears(), [{"do": "hello", "nick": "alice2"}])
        server.welcomes("alice2")
        desk.types("hello")
        self.assertEqual(server.is_told(), ["hello"])

    def test_one_may_also_leave_instead(self) -> None:
        desk, _ = self.desk("", plain=True)
        desk.types("/quit")
        self.assertEqual(desk.ended, "well")

    def test_a_new_nickname_is_ones_own_from_then_on(self) -> None:
        desk, server = self.connected(plain=True)
        server.says("rename", id=1, room="#lobby", from_="alice", to="ally")
        self.assertEqual(desk.talk.model.nick, "ally")
        self.assertEqual(NOON[:10], desk.sees()[0][1:11])


class RoomTests(DeskTest):
    def test_a_refused_join_leaves_one_where_one_was(self) -> None:
        desk, server = self.connected(plain=True)
        desk.types("/join #secret")
        (join,) = server.hears()
        self.assertEqual(desk.talk.model.current, "#secret")
        server.says("error", ref=join["ref"], code="bad-room", text="Not that one.")
        self.assertEqual(desk.talk.model.current, "#lobby")

    def test_a_line_that_the_server_could_not_read_is_refused_at_once(self) -> None:
        desk, server = self.connected(plain=True)
        desk.types("x" * 9_000, "/join " + "x" * 9_000, "hello")
        self.assertEqual(server.is_told(), ["hello"])
        told = "!!! That line is too long for the server and was not sent: split it."
        self.assertEqual(desk.sees(), [told] * 2)
        self.assertEqual(desk.talk.model.current, "#lobby")

    def test_a_person_is_told_that_a_command_came_too_fast(self) -> None:
        desk, server = self.connected(plain=True)
        desk.types("/nick bob")
        (asked,) = server.hears()
        server.says("error", ref=asked["ref"], code="too-fast", text="Wait a minute.", wait=60)
        self.assertEqual(desk.sees(), ["!!! Wait a minute."])
