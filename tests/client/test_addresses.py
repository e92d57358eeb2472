"""A chat with several addresses: whoever loses one goes on at the next."""

from typing import Any

from tests.client.desk import Desk, DeskTest, Server
from twisted_chat.client.connection import HANGS, SILENT, STEADY
from twisted_chat.client.failed import Untrusted
from twisted_chat.client.patience import NEVER, SCRIPT


class AddressesTest(DeskTest):
    def two(self, **keys: Any) -> tuple[Desk, Server, Server]:
        """Somebody who is not connected yet, and knows two addresses."""
        desk, home = self.desk(others=1, **keys)
        return desk, home, desk.others[0]

    def at_home(self, **keys: Any) -> tuple[Desk, Server, Server]:
        """Somebody who is in the lobby since a while, over the first of two addresses."""
        desk, home = self.connected(others=1, **keys)
        desk.waits(STEADY)
        return desk, home, desk.others[0]


class ConnectingTests(AddressesTest):
    def test_the_first_one_is_tried_first(self) -> None:
        _, home, away = self.two(plain=True)
        self.assertTrue(home.is_called)
        self.assertFalse(away.is_called)

    def test_if_it_refuses_the_next_one_is_tried_at_once(self) -> None:
        desk, home, away = self.two(plain=True)
        home.refuses()
        desk.waits(0)
        away.accepts()
        self.assertEqual(away.hears(), [{"do": "hello", "nick": "alice"}])
        (line,) = desk.sees()
        self.assertEqual(
            line,
            "*** Connection refused by home port 5000: is the server running? "
            "Trying away port 5000",
        )

    def test_after_all_of_them_there_is_a_pause_and_they_are_tried_from_the_first_on(self) -> None:
        desk, home, away = self.two(plain=True)
        for pause in (2, 4, 8):
            home.refuses()
            desk.waits(0)
            away.refuses()
            desk.waits(pause - 0.1)
            self.assertFalse(home.is_called or away.is_called)
            desk.waits(0.1)
            self.assertTrue(home.is_called)
            self.assertFalse(away.is_called)
        self.assertEqual(
            [line.rpartition("? ")[2] for line in desk.sees()],
            [
                "Trying away port 5000",
                "Trying again in 2 seconds",
                "Trying again in 4 seconds",
                "Trying again in 8 seconds",
            ],
        )

    def test_a_script_tries_each_of_them_once(self) -> None:
        for patience in (SCRIPT, NEVER):
            desk, home, away = self.two(patience=patience)
            home.refuses()
            desk.waits(0)
            self.assertEqual(desk.ended, "")
            away.refuses()
            self.assertIn("Connection refused by away port 5000", desk.ended)

    def test_one_that_hangs_is_overtaken_and_then_left_alone(self) -> None:
        desk, home, away = self.two(plain=True)
        desk.waits(HANGS)
        away.accepts()
        self.assertEqual(away.hears(), [{"do": "hello", "nick": "alice"}])
        self.assertEqual(desk.sees(), ["*** No answer from home port 5000; trying away port 5000"])
        away.welcomes("alice")
        self.assertFalse(home.is_called)
        away.says("message", id=1, room="#lobby", from_="bob", text="hi")
        self.assertIn("bob: hi", desk.sees()[-1])

    def test_one_that_is_only_slow_is_still_taken(self) -> None:
        desk, home, away = self.two(plain=True)
        desk.waits(HANGS)
        self.assertTrue(away.is_called)
        home.accepts()
        self.assertEqual(home.hears(), [{"do": "hello", "nick": "alice"}])
        home.welcomes("alice")
        desk.sees()
        desk.waits(SILENT + HANGS)
        self.assertEqual(desk.sees(), [])

    def test_a_script_does_not_give_up_while_a_slow_one_may_answer(self) -> None:
        desk, home, away = self.two(patience=NEVER)
        desk.types("deploy done")
        desk.waits(HANGS)
        away.refuses()
        desk.waits(HANGS)
        self.assertEqual(desk.ended, "")
        home.accepts()
        home.hears()
        home.welcomes("alice")
        self.assertEqual(home.is_told(), ["deploy done"])

    def test_while_one_hangs_the_others_are_tried_again(self) -> None:
        desk, _, away = self.two(plain=True)
        desk.waits(HANGS)
        away.refuses()
        desk.waits(2)
        self.assertTrue(away.is_called)
        away.accepts()
        self.assertEqual(away.hears(), [{"do": "hello", "nick": "alice"}])

    def test_one_that_takes_connections_and_says_nothing_is_left(self) -> None:
        desk, home, away = self.two(plain=True)
        home.accepts()
        desk.waits(SILENT)
        self.assertTrue(home.hung_up)
        desk.waits(0)
        away.accepts()
        desk.waits(SILENT)
        self.assertFalse(away.hung_up)  # there is no other one to try

    def test_one_that_has_greeted_may_take_its_time(self) -> None:
        desk, home, away = self.two(plain=True)
        home.accepts()
        home.sends(b"Welcome to the lab. What is your nickname?\r\n")
        desk.waits(SILENT + HANGS)
        self.assertFalse(home.hung_up or away.is_called)
        home.welcomes("alice")
        self.assertIn("Welcome to Test Chat", desk.sees()[0])

    def test_a_chat_that_lets_nobody_in_just_now_is_not_asked_at_its_other_addresses(self) -> None:
        desk, home, away = self.two(plain=True)
        home.accepts()
        home.says("error", code="too-fast", text="Too many nicknames.", wait=30)
        desk.waits(1)
        self.assertFalse(away.is_called)
        self.assertEqual(desk.sees(), ["*** Too many nicknames. Trying again in 2 seconds"])

    def test_a_certificate_that_is_not_trusted_leaves_the_other_addresses(self) -> None:
        desk, home, away = self.two(plain=True)
        home.refuses(Untrusted("THE CERTIFICATE HAS CHANGED"))
        desk.waits(0)
        self.assertEqual(desk.sees(), ["*** THE CERTIFICATE HAS CHANGED; trying away port 5000"])
        away.refuses()
        desk.waits(2)
        self.assertFalse(home.is_called)
        away.refuses(Untrusted("THAT ONE TOO"))
        self.assertEqual(desk.ended, "THAT ONE TOO")

    def test_what_is_no_chat_server_leaves_the_other_addresses(self) -> None:
        desk, home, away = self.two(plain=True)
        home.accepts()
        home.sends(b"SSH-2.0-OpenSSH_9.2\r\n")
        desk.waits(0)
        self.assertTrue(away.is_called)
        self.assertIn("home port 5000 is an SSH server", desk.sees()[0])

    def test_whoever_leaves_meanwhile_leaves(self) -> None:
        desk, home, away = self.two(plain=True)
        home.refuses()
        desk.ends_input()
        self.assertEqual(desk.ended, "well")
        desk.waits(60)
        self.assertFalse(away.is_called)


class LosingTests(AddressesTest):
    def test_the_session_goes_on_at_the_next_one_without_a_pause(self) -> None:
        desk, home, away = self.at_home(plain=True)
        home.says("message", id=41, room="#lobby", from_="bob", text="one")
        desk.types("on its way")
        (before,) = home.hears()
        desk.sees()
        home.vanishes()
        desk.types("typed meanwhile")
        desk.waits(0)
        away.accepts()
        (hello,) = away.hears()
        self.assertEqual((hello["session"], hello["seen"]), ("token", {"#lobby": 41, "@": 0}))
        away.welcomes("alice", resumed=True)
        again, typed = away.hears()
        self.assertEqual(again, before)
        self.assertEqual(typed["text"], "typed meanwhile")
        away.shows_room("#lobby", "alice", "bob")
        self.assertEqual(
            desk.sees(), ["*** Connection lost; trying away port 5000", "*** Connected again"]
        )

    def test_when_that_is_lost_too_the_first_one_is_next(self) -> None:
        desk, home, away = self.at_home(plain=True)
        home.vanishes()
        desk.waits(0)
        away.accepts()
        away.welcomes("alice", resumed=True)
        desk.waits(STEADY)
        away.vanishes()
        desk.waits(0)
        self.assertTrue(home.is_called)

    def test_a_chat_that_throws_one_out_at_once_is_not_tried_in_a_circle(self) -> None:
        desk, home, away = self.at_home(plain=True)
        home.vanishes()
        desk.waits(0)
        away.accepts()
        away.welcomes("alice", resumed=True)
        away.vanishes()
        desk.waits(1)
        self.assertFalse(home.is_called or away.is_called)
        desk.waits(1)
        self.assertTrue(home.is_called)

    def test_the_address_that_was_lost_is_tried_again_after_the_pause(self) -> None:
        desk, home, away = self.at_home(plain=True)
        home.vanishes()
        desk.waits(0)
        away.refuses()
        self.assertFalse(home.is_called)
        desk.waits(2)
        self.assertTrue(home.is_called)

    def test_without_reconnecting_a_lost_connection_ends_it_all_the_same(self) -> None:
        desk, home, away = self.at_home(patience=NEVER)
        home.vanishes()
        self.assertEqual(desk.ended, "Connection lost")
        self.assertFalse(away.is_called)

    def test_somebody_who_cannot_wait_tries_all_of_them_again(self) -> None:
        desk, home, away = self.at_home(plain=True)
        home.vanishes()
        desk.waits(0)
        away.refuses()
        desk.types("")
        home.refuses()
        desk.waits(0)
        self.assertTrue(away.is_called)


class LearningTests(DeskTest):
    def test_the_server_tells_where_else_the_chat_is(self) -> None:
        desk, home = self.desk(plain=True)
        home.accepts()
        home.welcomes("alice", addresses=["there:5000"])
        desk.waits(STEADY)
        desk.sees()
        home.vanishes()
        desk.waits(0)
        desk.told.accepts()
        (hello,) = desk.told.hears()
        self.assertEqual(hello["session"], "token")
        self.assertEqual(desk.sees(), ["*** Connection lost; trying there:5000"])

    def test_what_was_told_last_holds(self) -> None:
        desk, home = self.desk(plain=True)
        home.accepts()
        home.welcomes("alice", addresses=["there:5000"])
        home.vanishes()
        desk.waits(0)
        desk.told.accepts()
        desk.told.welcomes("alice", resumed=True)  # and of no other address
        desk.waits(STEADY)
        desk.told.vanishes()
        desk.waits(0)
        home.refuses()
        desk.waits(60)
        self.assertFalse(desk.told.is_called)

    def test_addresses_that_are_none_are_passed_over(self) -> None:
        desk, home = self.desk(plain=True)
        home.accepts()
        home.welcomes("alice", addresses=[7, None, {"host": "there"}])
        desk.sees()
        home.vanishes()
        self.assertEqual(desk.sees(), ["*** Connection lost; trying again in 2 seconds"])
