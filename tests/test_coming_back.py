"""Who loses the connection, and who comes instead: nobody gets what is another's."""

import tracemalloc
from dataclasses import replace
from typing import Any

from twisted.internet.task import Clock

from tests.disk import DiskTestCase
from tests.people import NOW, ChatTestCase, Program
from twisted_chat.chat.device import Device
from twisted_chat.chat.request import Request
from twisted_chat.limits import Limits


class SameAddressTests(ChatTestCase):
    """Many people share one address; it says nothing of who they are."""

    def setUp(self) -> None:
        """Alice's program has lost its connection, and there is a whisper for it."""
        super().setUp()
        self.bob = self.joins("bob", "192.0.2.9")
        self.alice = self.program("alice", "192.0.2.1")
        self.alice.asks(do="command", text="/join dev", ref="1")
        self.token = self.alice.gets("welcome")[0]["session"]
        self.alice.vanishes()
        self.bob.types("/whisper alice psst").raw()

    def comes_back(self, **hello: Any) -> Program:
        return self.program("alice", "192.0.2.1", session=self.token, seen={"@": 0}, **hello)

    def test_a_program_that_was_started_anew_gets_its_name_back(self) -> None:
        anew = self.program("alice", "192.0.2.1")
        (welcome,) = anew.gets("welcome")
        self.assertEqual((welcome["nick"], welcome["resumed"]), ("alice", False))
        self.assertEqual(
            self.bob.sees(),
            ["*** alice has left #lobby (connection lost)", "*** alice has joined #lobby"],
        )

    def test_but_nothing_of_the_one_before(self) -> None:
        anew = self.program("alice", "192.0.2.1").asks(do="history", room="@")
        self.assertNotIn("psst", anew.raw())
        self.bob.types("/whisper alice for the new one")
        self.assertIn("for the new one", anew.raw())

    def test_somebody_from_elsewhere_does_not_get_the_name(self) -> None:
        (error,) = self.program("alice", "192.0.2.2").gets("error")
        self.assertEqual(error["code"], "nick-taken")

    def test_who_returns_with_the_token_finds_rooms_and_whispers(self) -> None:
        anew = self.joins("alice", "192.0.2.1")
        self.bob.raw()
        back = self.comes_back()
        things = back.gets()
        self.assertEqual((things[0]["nick"], things[0]["resumed"]), ("alice_2", True))
        self.assertEqual(things[0]["rooms"], ["#lobby", "#dev"])
        told = [thing["text"] for thing in things if thing.get("room") == "@"]
        self.assertEqual(
            told,
            ["psst", "Somebody else took the nickname alice: you are now alice_2."],
        )
        self.assertIn("*** alice_2 has joined #lobby", self.bob.sees())
        self.assertIn("*** In #lobby: bob, alice, alice_2 (3)", anew.types("/users").sees())
        self.bob.types("/whisper alice_2 and you?")
        self.assertIn("and you?", back.raw())

    def test_they_may_choose_another_name(self) -> None:
        self.joins("alice", "192.0.2.1")
        back = self.program("alicia", "192.0.2.1", session=self.token)
        self.assertEqual(back.gets("welcome")[0]["nick"], "alicia")

    def test_they_get_their_own_when_it_is_free_again(self) -> None:
        self.joins("alice", "192.0.2.1").types("/quit")
        self.assertEqual(self.comes_back().gets("welcome")[0]["nick"], "alice")

    def test_who_does_not_return_is_forgotten(self) -> None:
        anew = self.joins("alice", "192.0.2.1")
        self.time_passes(301)
        self.assertEqual(self.comes_back().gets("error")[0]["code"], "nick-taken")
        self.assertIn("*** In #lobby: bob, alice (2)", anew.types("/users").sees())
        self.assertFalse(self.factory.chat.people.displaced)

    def test_a_room_waits_for_them(self) -> None:
        self.joins("alice", "192.0.2.1")
        self.factory.chat.limits.rooms = 2
        self.bob.types("/join tea")
        self.assertIn("!!! There are too many rooms already", self.bob.raw())
        self.assertEqual(len(self.comes_back().gets("state")), 2)

    def test_a_reply_still_finds_them(self) -> None:
        back = self.comes_back().asks(do="command", text="/whisper bob here")
        back.vanishes()
        self.joins("alice", "192.0.2.1")
        self.bob.types("/reply to you").raw()
        self.assertIn("to you", self.comes_back().raw())


class ResumingTests(ChatTestCase):
    """Who comes back goes on where they were."""

    def setUp(self) -> None:
        """A program in two rooms."""
        super().setUp()
        self.alice = self.joins("alice").types("/join dev")
        self.bot = self.program("bot").asks(do="command", text="/join dev", ref="1")
        self.token = self.bot.gets("welcome")[0]["session"]

    def comes_back(self, **hello: Any) -> Program:
        return self.program("bot", session=self.token, **hello)

    def test_they_speak_in_the_room_that_they_typed_into(self) -> None:
        self.bot.asks(do="command", text="/time", room="#lobby").vanishes()
        self.comes_back().asks(do="say", text="in the lobby")
        self.assertIn("bot: in the lobby", self.alice.sees())

    def test_a_room_that_is_entered_anew_shows_what_a_newcomer_sees(self) -> None:
        self.alice.types(*(f"line {number}" for number in range(9)))
        self.time_passes(20)
        self.alice.types(*(f"more {number}" for number in range(9)))
        self.time_passes(20)
        self.alice.types(*(f"last {number}" for number in range(9)))
        self.bot.vanishes()
        back = self.comes_back(seen={"#dev": 1})
        back.asks(do="command", text="/leave dev").asks(do="command", text="/join dev")
        events = back.gets()
        left = [thing["event"] for thing in events].index("answer")
        again = [thing["id"] for thing in events[left:] if thing["event"] == "message"]
        self.assertEqual(again, [*range(8, 28)])

    def test_what_waited_on_the_old_connection_is_said(self) -> None:
        for number in range(16):
            self.bot.asks(do="say", text=f"line {number}")
        self.alice.raw()
        self.comes_back()
        said = [line.rpartition(" ")[2] for line in self.alice.sees() if "line" in line]
        self.assertEqual(said, [str(number) for number in range(9, 16)])
        self.assertEqual(self.bot.gets("error")[-1]["code"], "replaced")

    def test_who_had_said_last_that_they_leave_is_somebody_new(self) -> None:
        for number in range(9):
            self.bot.asks(do="say", text=f"line {number}")
        self.bot.asks(do="command", text="/quit")
        (welcome,) = self.comes_back().gets("welcome")
        self.assertFalse(welcome["resumed"])


class EpochTests(ChatTestCase):
    """Where nothing is kept, numbers begin anew, and whoever comes back is told so."""

    def test_who_comes_back_after_a_restart_reads_that_they_missed_something(self) -> None:
        bot = self.program("bot")
        bot.asks(do="say", text="one").asks(do="say", text="two")
        (welcome,) = bot.gets("welcome")
        for name in ({"session": welcome["session"]}, {"epoch": welcome["epoch"]}):
            self.setUp()
            self.joins("alice").types("first", "second", "third")
            back = self.program("bot", seen={"#lobby": 2}, **name)
            events = back.gets("welcome", "missed", "message")
            self.assertNotEqual(events[0]["epoch"], welcome["epoch"])
            self.assertEqual(events[1], {"event": "missed", "room": "#lobby", "count": 0})
            self.assertEqual([event["id"] for event in events[2:]], [1, 2, 3])

    def test_where_it_is_the_same_nothing_is_missed(self) -> None:
        self.joins("alice").types("first", "second", "third")
        (welcome,) = self.program("bot").gets("welcome")
        back = self.program("robot", seen={"#lobby": 2}, epoch=welcome["epoch"])
        self.assertEqual([event["id"] for event in back.gets("missed", "message")], [3])


class RememberingTests(DiskTestCase):
    """What was asked for is not done again, and remembering that costs little."""

    limits = Limits(pace=None, refs=100)

    def setUp(self) -> None:
        """A program has said more than is remembered."""
        super().setUp()
        self.bot = self.program("bot")
        self.the_disk_works()
        self.token = self.bot.gets("welcome")[0]["session"]

    def says(self, bot: Program, *numbers: int) -> Program:
        for number in numbers:
            bot.asks(do="say", text=f"line {number}", ref=f"r{number}")
        return bot

    def test_of_the_latest_requests_each_is_answered_with_its_number(self) -> None:
        self.says(self.bot, *range(1, 151))
        self.the_disk_works()
        self.bot.vanishes()
        back = self.says(self.program("bot", session=self.token), *range(51, 151))
        self.the_disk_works()
        outcomes = [(each["ref"], each["id"]) for each in back.gets("answer", "error")]
        self.assertEqual(outcomes, [(f"r{number}", number) for number in range(51, 151)])

    def test_what_waits_for_the_disk_is_remembered_until_it_is_settled(self) -> None:
        self.says(self.bot, *range(1, 51))
        self.writing.is_full = True
        back = self.says(self.program("bot", session=self.token), *range(1, 51))
        self.the_disk_works()
        refused = [each["ref"] for each in back.gets("error")]
        self.assertEqual(refused, [f"r{number}" for number in range(1, 51)])
        self.writing.is_full = False
        self.says(back, 1)
        self.the_disk_works()
        self.assertEqual([each["text"] for each in back.gets("message")], ["line 1"])

    def test_a_thousand_take_less_than_150_kilobytes(self) -> None:
        device = Device("192.0.2.1", NOW)
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        for number in range(3_000):
            request = Request(device.id, f"ref-{number}")
            request.id = number
            device.remember(request, 1_000)
        taken, _ = tracemalloc.get_traced_memory()
        self.assertLess(taken, 150_000)


class NameTests(DiskTestCase):
    def test_a_name_that_was_taken_is_kept_when_the_server_dies_at_once(self) -> None:
        bot = self.program("bot")
        self.the_disk_works()
        token = bot.gets("welcome")[0]["session"]
        bot.asks(do="command", text="/nick robot")
        self.writing.turns()
        self.writing.is_heard()
        self.the_server_is_killed()
        back = self.program("bot", session=token)
        self.the_disk_works()
        self.assertEqual(back.gets("welcome")[0]["nick"], "robot")


class RestartTests(DiskTestCase):
    """A restart of the server ends nobody's session."""

    def setUp(self) -> None:
        """A program that ignores mallory, in two rooms."""
        super().setUp()
        bot = self.program("bot")
        for command in ("/join dev", "/ignore mallory"):
            bot.asks(do="command", text=command, ref=command)
        bot.asks(do="command", text="/time", room="#lobby")
        self.the_disk_works()
        (welcome,) = bot.gets("welcome")
        self.token, self.epoch = welcome["session"], welcome["epoch"]

    def comes_back(self) -> Program:
        program = self.program("bot", session=self.token)
        self.the_disk_works()
        return program

    def test_who_was_ignored_is_ignored_still(self) -> None:
        self.the_server_is_killed()
        bot = self.comes_back()
        mallory = self.joins("mallory")
        mallory.types("boo", "/me boos", "/topic boo", "/away boo", "/w bot boo", "/quit boo")
        self.the_disk_works()
        self.assertNotIn("boo", bot.raw().replace('"/me', ""))

    def test_what_is_said_goes_to_the_same_room(self) -> None:
        self.the_server_is_killed()
        alice = self.joins("alice")
        self.comes_back().asks(do="say", text="in the lobby")
        self.the_disk_works()
        self.assertIn("bot: in the lobby", alice.sees())

    def test_it_does_so_if_all_that_was_asked_for_there_was_refused(self) -> None:
        bot = self.comes_back()
        bot.asks(do="command", text="/topic", room="#dev").asks(do="say", text="in dev")
        bot.asks(do="command", text="/w nobody hi", room="#lobby").asks(do="say", text="here")
        self.the_disk_works()
        self.assertEqual([each["code"] for each in bot.gets("error")], ["no-such-nick"])
        self.the_server_is_killed()
        alice = self.joins("alice")
        self.comes_back().asks(do="say", text="still here")
        self.the_disk_works()
        self.assertIn("bot: still here", alice.sees())

    def test_the_numbers_go_on(self) -> None:
        self.the_server_is_killed()
        self.assertEqual(self.comes_back().gets("welcome")[0]["epoch"], self.epoch)

    def test_two_who_were_called_the_same_are_told_apart(self) -> None:
        next(self.factory.chat.people.find("bot").connections).end()
        self.time_passes(5)
        for connection in list(self.factory.connections):
            connection.vanish()
        self.the_server_is_killed()
        welcome = self.another_takes_the_name()
        self.assertEqual(self.comes_back().gets("welcome")[0]["nick"], "bot_2")
        again = self.program("bot", session=welcome["session"])
        self.assertEqual(again.gets("welcome")[0]["nick"], "bot")

    def test_who_lost_the_name_does_not_get_it_back_because_the_clock_was_set_back(self) -> None:
        self.the_clock_is_set_back()
        self.the_server_is_killed()
        self.another_takes_the_name()
        self.assertEqual(self.comes_back().gets("welcome")[0]["nick"], "bot_2")

    def another_takes_the_name(self) -> dict[str, Any]:
        """Another program is welcomed under the name, and then the server is killed."""
        other = self.program("bot")
        self.the_disk_works()
        (welcome,) = other.gets("welcome")
        self.assertEqual(welcome["nick"], "bot")
        self.the_server_is_killed()
        return welcome

    def test_the_newest_requests_are_known_although_the_clock_was_set_back(self) -> None:
        self.limits = replace(self.limits, pace=None, refs=3)
        self.the_server_is_killed()
        self.says(self.comes_back(), "1", "2", "3")
        self.the_clock_is_set_back()
        self.the_server_is_killed()
        self.says(self.comes_back(), "4", "5", "6")
        self.the_server_is_killed()
        again = self.says(self.comes_back(), "4", "5", "6")
        self.assertEqual([each["ref"] for each in again.gets("answer")], ["4", "5", "6"])

    def says(self, bot: Program, *refs: str) -> Program:
        for ref in refs:
            bot.asks(do="say", text=ref, ref=ref)
            self.the_disk_works()
        return bot

    def the_clock_is_set_back(self) -> None:
        """It is set back by a day."""
        self.clock = Clock()
        self.clock.advance(NOW - 86400)
