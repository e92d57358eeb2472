import io
from typing import Any

from tests.client.desk import Desk, DeskTest, Server
from twisted_chat.client.alerts import notification
from twisted_chat.client.incoming import Command
from twisted_chat.client.own_commands import COMMANDS, help_lines


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


class OwnCommandsTest(DeskTest):
    def seated(self, **keys: Any) -> tuple[Desk, Server]:
        """Somebody at plain lines, in the lobby and in #dev, who types into the lobby."""
        desk, server = self.connected(plain=True, **keys)
        server.shows_room("#dev", "alice", "bob")
        desk.sees()
        return desk, server

    def says(self, server: Server, room: str, text: str, **keys: Any) -> None:
        server.says("message", id=1, room=room, from_="bob", text=text, **keys)


class ViewTests(OwnCommandsTest):
    def test_one_may_see_only_the_room_that_one_types_into(self) -> None:
        desk, server = self.seated()
        desk.types("/view room")
        self.assertIn("You now see the current room, and whispers.", desk.sees()[0])
        self.says(server, "#dev", "in dev")
        self.says(server, "#lobby", "in the lobby")
        server.says("whisper", id=1, room="@", from_="bob", to="alice", text="psst")
        lobby, whisper = desk.sees()
        self.assertTrue(lobby.endswith("bob: in the lobby"))
        self.assertTrue(whisper.endswith("[whisper from bob] psst"))

    def test_what_one_has_missed_is_shown_when_one_goes_there(self) -> None:
        desk, server = self.seated()
        desk.types("/view room")
        desk.sees()
        self.says(server, "#dev", "in dev")
        desk.types("/join dev")
        head, line = desk.sees()
        self.assertEqual(head, "--- #dev ---")
        self.assertTrue(line.endswith("#dev bob: in dev"))

    def test_a_room_in_which_nothing_was_missed_is_entered_in_silence(self) -> None:
        desk, _ = self.seated()
        desk.types("/view room")
        desk.sees()
        desk.types("/join dev")
        self.assertEqual(desk.sees(), [])

    def test_of_what_was_missed_the_last_is_kept_and_the_rest_counted(self) -> None:
        desk, server = self.seated()
        desk.types("/view room")
        desk.sees()
        for number in range(503):
            self.says(server, "#dev", f"line {number}")
        desk.types("/join dev")
        head, first, *_, last = desk.sees()
        self.assertEqual(head, "--- #dev, 3 older lines are not shown: /history ---")
        self.assertTrue(first.endswith("line 3"))
        self.assertTrue(last.endswith("line 502"))

    def test_to_see_all_rooms_again_shows_what_was_missed(self) -> None:
        desk, server = self.seated()
        desk.types("/view room")
        self.says(server, "#dev", "in dev")
        desk.types("/view all")
        self.assertTrue(any(line.endswith("#dev bob: in dev") for line in desk.sees()))
        self.says(server, "#dev", "and again")
        self.assertTrue(desk.sees()[0].endswith("#dev bob: and again"))

    def test_one_may_ask_which_it_is_and_is_told_what_there_is(self) -> None:
        desk, _ = self.seated()
        desk.types("/view", "/view nothing")
        seen, refused = desk.sees()
        self.assertTrue(seen.startswith("*** You now see all your rooms."))
        self.assertEqual(refused, "!!! Usage: /view room or /view all")


class QueryTests(OwnCommandsTest):
    def test_what_one_types_is_whispered_until_one_ends_it(self) -> None:
        desk, server = self.seated()
        desk.types("/query bob", "psst", "//slash", "/users", "/query", "aloud")
        self.assertEqual(
            server.is_told(), ["/whisper bob psst", "/whisper bob /slash", "/users", "aloud"]
        )
        self.assertEqual(
            desk.sees(),
            [
                "*** What you type is whispered to bob from now on. /query ends it.",
                "*** What you type goes to #lobby again.",
            ],
        )

    def test_going_to_a_room_ends_it_too(self) -> None:
        desk, server = self.seated()
        desk.types("/query @bob", "/join dev", "aloud")
        _, said = server.hears()
        self.assertEqual((said["do"], said["room"], said["text"]), ("say", "#dev", "aloud"))

    def test_they_are_followed_to_another_nickname(self) -> None:
        desk, server = self.seated()
        desk.types("/query bob")
        server.says("rename", id=1, room="#dev", from_="Bob", to="robert")
        desk.types("psst")
        self.assertEqual(server.is_told(), ["/whisper robert psst"])

    def test_nobody_is_nobody(self) -> None:
        desk, _ = self.seated()
        desk.types("/query")
        self.assertEqual(desk.sees(), ["*** Usage: /query NICK"])


class BellTests(OwnCommandsTest):
    def rings(self, server: Server, desk: Desk) -> list[str]:
        """What of all this rings the bell."""
        rung = []
        for text in ("hello", "Alice!"):
            self.says(server, "#lobby", text)
            if "\a" in "".join(desk.sees()):
                rung.append(text)
        server.says("whisper", id=1, room="@", from_="bob", to="alice", text="psst")
        if "\a" in "".join(desk.sees()):
            rung.append("whisper")
        return rung

    def test_it_rings_for_ones_name_and_for_whispers(self) -> None:
        desk, server = self.seated(out=Tty())
        self.assertEqual(self.rings(server, desk), ["Alice!", "whisper"])

    def test_one_may_choose(self) -> None:
        desk, server = self.seated(out=Tty())
        for level, rung in {
            "off": [],
            "whisper": ["whisper"],
            "name": ["Alice!", "whisper"],
            "all": ["hello", "Alice!", "whisper"],
        }.items():
            desk.types(f"/bell {level}")
            desk.sees()
            self.assertEqual(self.rings(server, desk), rung)

    def test_it_says_how_it_is_set(self) -> None:
        desk, server = self.seated(out=Tty())
        desk.types("/bell", "/bell off", "/bell loud")
        self.assertEqual(
            desk.sees(),
            [
                "*** The bell rings for whispers, and when somebody says your name.",
                "*** The bell is off. /bell name, /bell whisper or /bell all turns it on.",
                "!!! Usage: /bell off, whisper, name or all",
            ],
        )
        self.assertEqual(server.hears(), [])

    def test_what_one_says_oneself_and_old_lines_ring_nothing(self) -> None:
        desk, server = self.seated(out=Tty())
        self.says(server, "#lobby", "alice was here", replayed=True)
        server.says("message", id=2, room="#lobby", from_="alice", text="I am alice")
        self.assertNotIn("\a", "".join(desk.sees()))

    def test_a_file_gets_no_bell(self) -> None:
        desk, server = self.seated()
        self.assertEqual(self.rings(server, desk), [])
        desk.types("/bell")
        self.assertTrue(desk.sees()[0].startswith("*** The bell is off."))

    def test_only_terminals_that_are_known_to_show_notifications_get_any(self) -> None:
        for environment, shown in (
            ({"TERM_PROGRAM": "iTerm.app"}, "\x1b]9;psst\x1b\\"),
            ({"TERM": "xterm-kitty"}, "\x1b]9;psst\x1b\\"),
            ({"TERM": "foot"}, "\x1b]777;notify;Twisted Chat;psst\x1b\\"),
            ({"TERM": "xterm-256color", "VTE_VERSION": "7600"}, "\x1b]777;notify;Twisted Chat;"),
            ({"TERM": "xterm-256color"}, ""),
            ({"TERM": "linux"}, ""),
            ({"TERM": "tmux-256color", "TERM_PROGRAM": "tmux", "VTE_VERSION": "7600"}, ""),
        ):
            show = notification(environment)
            self.assertTrue((show("psst") if show else "").startswith(shown))
            self.assertEqual(show is None, not shown)


class HelpTests(OwnCommandsTest):
    def test_the_list_of_commands_has_those_of_the_client_too_each_once(self) -> None:
        desk, server = self.seated()
        desk.types("/help")
        (asked,) = server.hears()
        server.says("answer", ref=asked["ref"], lines=["/users: who is there"])
        first, head, *others = desk.sees()
        self.assertEqual(first, "*** /users: who is there")
        self.assertEqual(head, "*** Commands of this client:")
        self.assertEqual(len(others), len(COMMANDS))
        self.assertIn("*** /clear: clear the screen", others)
        bell = Command("/bell", "", (), "")
        self.assertFalse(any("/bell" in line for line in help_lines([bell])))

    def test_one_of_them_is_explained_here(self) -> None:
        desk, server = self.seated()
        desk.types("/help clear", "/help /clear")
        self.assertEqual(desk.sees(), ["*** /clear: clear the screen"] * 2)
        self.assertEqual(server.hears(), [])

    def test_a_script_has_none_of_them(self) -> None:
        desk, server = self.connected()
        desk.types("/clear")
        self.assertEqual(server.is_told(), ["/clear"])


class SlipTests(OwnCommandsTest):
    def test_a_room_that_does_not_exist_is_made_only_if_one_insists(self) -> None:
        desk, server = self.seated()
        desk.types("/join loby", "hello")
        join, said = server.hears()
        self.assertTrue(join["existing"])
        for asked, code, text in (
            (join, "no-such-room", "There is no room #loby: did you mean #lobby?"),
            (said, "not-in-room", "You are not in #loby."),
        ):
            server.says("error", ref=asked["ref"], code=code, text=text)
        told, refused = desk.sees()
        self.assertTrue(told.endswith("#lobby? To create #loby, type /join #loby again."))
        self.assertEqual(refused, "!!! You are not in #loby.")
        self.assertEqual(desk.talk.model.current, "#lobby")
        desk.types("/join #Loby")
        (join,) = server.hears()
        self.assertNotIn("existing", join)

    def test_a_script_knows_what_it_does(self) -> None:
        desk, server = self.connected()
        desk.types("/join new")
        self.assertNotIn("existing", server.hears()[0])
