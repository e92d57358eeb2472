"""What the server says of what it stores is true, whatever the disk does and whoever leaves."""

import sqlite3
from typing import Any

from tests.disk import DiskTestCase
from tests.people import Program
from twisted_chat.chat.request import Request
from twisted_chat.events import Ban
from twisted_chat.limits import Limits, Pace
from twisted_chat.stores.sqlite import forgetting, writer
from twisted_chat.stores.sqlite.schema import explain_unsaved


class PrivateTests(DiskTestCase):
    """A whisper is two people's, also when one of them leaves while it is being stored."""

    def events(self) -> list[tuple[Any, ...]]:
        return self.rows("SELECT name, text FROM events LEFT JOIN logs USING (log)")

    def logs(self) -> set[int]:
        return {number for (number,) in self.rows("SELECT log FROM logs")}

    def test_what_waits_for_somebody_who_leaves_is_not_stored(self) -> None:
        bob, alice = self.joins("bob"), self.joins("alice")
        self.the_disk_works()
        bob.types("/whisper alice secret one")
        bob.types("/whisper alice secret two")
        self.writing.turns()
        alice.vanishes()
        self.the_disk_works()
        hers = [row for row in self.events() if row[1].startswith("secret")]
        self.assertEqual(len(hers), 2, "they stand in bob's own log only")
        bob.closes()
        self.the_disk_works()
        self.assertEqual(self.events(), [])

    def test_nothing_stays_of_who_was_banned_when_the_server_was_killed(self) -> None:
        bob, alice = self.joins("bob"), self.program("alice")
        self.the_disk_works()
        bob.types("/whisper alice secret")
        self.the_disk_works()
        self.assertEqual([each["text"] for each in alice.gets("whisper")], ["secret"])
        chat = self.factory.chat
        by = chat.people.find("bob")
        server = chat.server_log.name
        ban = Ban(chat.now(), server, "bob", "alice", "", None, ("ban/nick:alice",), ())
        chat.decide_for_all(by, ban, Request())
        self.clock.advance(0)
        self.writing.turns()
        self.the_server_is_killed()
        self.the_disk_works()
        self.assertEqual([row for row in self.events() if row[1] == "secret"], [])

    def test_it_is_in_nobodys_history_after_a_crash(self) -> None:
        for moment in range(6):
            bob, alice = self.joins("bob"), self.joins("alice")
            for number in range(3):
                bob.types(f"/whisper alice secret {number}")
                if number < moment // 2:
                    self.writing.turns()
            alice.vanishes()
            for _ in range(moment):
                self.writing.turns()
                self.writing.is_heard()
                self.clock.advance(0)
            self.the_server_is_killed()
            carol = self.joins("carol")
            for room in ("tea", "milk", "dev"):
                carol.types(f"/join {room}{moment}", "hello", "/history 100")
                self.the_disk_works()
            dave = self.program("dave")
            dave.asks(do="history", room="@").asks(do="history", room="#lobby")
            self.the_disk_works()
            self.assertNotIn("secret", carol.raw() + dave.raw(), f"moment {moment}")
            self.assertNotIn("could not", carol.raw())
            carol.closes()
            dave.closes()
            self.time_passes(400)
            self.the_disk_works()

    def test_a_room_never_gets_the_number_of_a_log_that_was_erased(self) -> None:
        bob, alice = self.joins("bob"), self.joins("alice")
        bob.types("/whisper alice psst")
        self.the_disk_works()
        numbers = self.logs()
        alice.closes()
        bob.closes()
        self.the_disk_works()
        self.the_server_is_killed()
        self.joins("carol").types("/join dev", "hello")
        self.the_disk_works()
        self.assertEqual(numbers & self.logs(), set())


class RefusalTests(DiskTestCase):
    """Whoever said what could not be stored is told so, once."""

    def test_also_when_they_say_no_more(self) -> None:
        bob = self.joins("bob")
        self.writing.is_full = True
        bob.types("important").says_no_more()
        self.the_disk_works()
        self.assertIn("!!! That could not be stored (the disk is full)", bob.raw())
        self.assertTrue(bob.is_gone)

    def test_whoever_asks_for_more_meanwhile_is_answered(self) -> None:
        bot = self.program("bot")
        self.the_disk_works()
        self.token = bot.gets("welcome")[0]["session"]
        self.writing.is_full = True
        bot.asks(do="command", text="/nick robot").asks(do="command", text="/ignore eve")
        bot.asks(do="ping")
        self.the_disk_works()
        error, answer, pong = bot.gets("error", "answer", "pong")
        self.assertEqual((error["event"], pong["event"]), ("error", "pong"))
        self.assertEqual(
            answer["lines"],
            [
                "You are ignoring eve: /unignore eve ends it.",
                "Nobody called eve is here.",
                explain_unsaved(sqlite3.OperationalError("database or disk is full")),
            ],
        )
        self.writing.is_full = False
        self.store.try_again()
        self.the_disk_works()
        self.the_server_is_killed()
        back = self.program("bot", session=self.token)
        back.asks(do="command", text="/ignore", ref="i")
        self.the_disk_works()
        self.assertEqual(
            back.gets("answer")[0]["lines"], ["You are ignoring: eve"], "it is tried again"
        )

    def test_who_vanishes_while_being_renamed_leaves_under_the_new_name(self) -> None:
        bob, alice = self.joins("bob"), self.joins("alice")
        self.the_disk_works()
        alice.sees()
        bob.types("/nick robert").vanishes()
        self.the_disk_works()
        self.assertEqual(
            alice.sees(),
            ["*** bob is now known as robert", "*** robert has left #lobby (connection lost)"],
        )
        self.joins("bob")
        self.joins("robert")

    def test_a_reply_goes_to_whose_whisper_came_last_of_some_stored_together(self) -> None:
        alice, bob, carol = self.joins("alice"), self.joins("bob"), self.joins("carol")
        dave = self.joins("dave")
        self.the_disk_works()
        dave.types("hello")  # while this is committed, what follows waits
        bob.types("/whisper dave hello")  # so that bob's log comes before carol's
        carol.types("/whisper alice one")
        bob.types("/whisper alice two")
        self.the_disk_works()
        alice.types("/reply yes")
        self.the_disk_works()
        self.assertIn("[whisper from alice] yes", bob.raw())
        self.assertNotIn("yes", carol.raw())

    def test_an_answer_to_a_whisper_has_its_number_in_the_senders_own_log(self) -> None:
        alice, carol = self.joins("alice"), self.program("carol")
        self.joins("bob")
        for text in ("one", "two"):
            alice.types(f"/whisper bob {text}")
        self.the_disk_works()
        self.joins("dave").types("hello")  # while this is committed, what follows waits
        alice.types("/whisper bob three")
        carol.asks(do="command", text="/whisper alice hello")
        self.the_disk_works()
        (answer,) = carol.gets("answer")
        self.assertEqual(answer["id"], 1)

    def test_a_reply_goes_to_whose_whisper_was_seen(self) -> None:
        bob, carol, mallory = self.joins("bob"), self.joins("carol"), self.joins("mallory")
        carol.types("/w bob psst")
        self.the_disk_works()
        self.writing.is_full = True
        mallory.types("/w bob psst")
        self.the_disk_works()
        self.writing.is_full = False
        bob.types("/reply secret")
        self.the_disk_works()
        self.assertIn("[whisper from bob] secret", carol.sees())
        self.assertNotIn("secret", mallory.raw())


class OutcomeTests(DiskTestCase):
    """A request has one outcome, once its effect survives the server."""

    def setUp(self) -> None:
        """Somebody with a program, and others."""
        super().setUp()
        self.alice = self.joins("alice")
        self.bot = self.program("bot")
        self.the_disk_works()
        self.token = self.bot.gets("welcome")[0]["session"]

    def outcomes(self, program: Program, ref: str) -> list[dict[str, Any]]:
        return [t for t in program.gets("answer", "error", "message") if t.get("ref") == ref]

    def comes_back(self, **hello: Any) -> Program:
        return self.program("bot", session=self.token, **hello)

    def test_a_command_is_answered_after_it_is_stored(self) -> None:
        for number, command in enumerate(
            ("/me waves", "/whisper alice psst", "/topic tea", "/nick robot", "/join dev",
             "/away lunch", "/ignore alice", "/leave dev")
        ):  # fmt: skip
            ref = f"c{number}"
            self.bot.asks(do="command", text=command, ref=ref)
            self.writing.turns()
            self.assertEqual(self.outcomes(self.bot, ref), [], command)
            self.the_disk_works()
            (outcome,) = self.outcomes(self.bot, ref)
            self.assertEqual(outcome["event"], "answer", command)

    def test_what_is_answered_is_there_after_a_crash(self) -> None:
        for command in ("/join dev", "/away lunch", "/ignore alice", "/topic tea"):
            self.bot.asks(do="command", text=command, ref=command)
            self.the_disk_works()
        self.the_server_is_killed()
        bot = self.comes_back()
        self.the_disk_works()
        rooms = [state["room"] for state in bot.gets("state")]
        self.assertEqual(rooms, ["#lobby", "#dev"])
        bot.asks(do="command", text="/ignore", ref="1").asks(do="command", text="/topic", ref="2")
        bot.asks(do="command", text="/whois bot", ref="3")
        self.the_disk_works()
        answers = [line for answer in bot.gets("answer") for line in answer["lines"]]
        self.assertIn("You are ignoring: alice", answers)
        self.assertIn("The topic of #dev is: tea", answers)
        self.assertIn("bot is away: lunch", answers)

    def test_what_is_sent_again_while_it_is_stored_is_told_when_it_is(self) -> None:
        self.bot.asks(do="say", text="once", ref="r").vanishes()
        bot = self.comes_back(seen={"#lobby": 0}).asks(do="say", text="once", ref="r")
        self.assertEqual(self.outcomes(bot, "r"), [], "it is not stored yet")
        self.the_disk_works()
        told = [(each["event"], each["id"]) for each in self.outcomes(bot, "r")]
        self.assertEqual(told, [("message", 1), ("answer", 1)], "the event, then the answer")

    def test_what_is_sent_again_while_the_disk_fills_is_refused_once(self) -> None:
        self.bot.asks(do="say", text="once", ref="r").vanishes()
        bot = self.comes_back(seen={"#lobby": 0}).asks(do="say", text="once", ref="r")
        self.writing.is_full = True
        self.the_disk_works()
        self.assertEqual([thing["event"] for thing in self.outcomes(bot, "r")], ["error"])
        self.writing.is_full = False
        bot.asks(do="say", text="once", ref="r")
        self.the_disk_works()
        self.assertEqual([thing["event"] for thing in self.outcomes(bot, "r")], ["message"])

    def test_a_refusal_is_not_told_to_who_has_not_asked_again(self) -> None:
        self.bot.asks(do="say", text="once", ref="r").vanishes()
        bot = self.comes_back(seen={"#lobby": 0})
        self.writing.is_full = True
        self.the_disk_works()
        self.assertEqual(self.outcomes(bot, "r"), [])

    def test_a_command_sent_again_is_not_done_again(self) -> None:
        self.bot.asks(do="command", text="/join dev", ref="j")
        self.bot.asks(do="command", text="/away lunch", ref="a")
        self.the_disk_works()
        self.bot.asks(do="command", text="/leave dev", ref="l")
        self.bot.asks(do="command", text="/back", ref="b")
        self.the_disk_works()
        self.bot.gets()
        self.bot.asks(do="command", text="/join dev", ref="j")
        self.bot.asks(do="command", text="/away lunch", ref="a")
        self.the_disk_works()
        self.assertEqual([thing["event"] for thing in self.bot.gets()], ["answer", "answer"])
        self.the_server_is_killed()
        bot = self.comes_back()
        self.the_disk_works()
        bot.gets()
        bot.asks(do="command", text="/join dev", ref="j")
        bot.asks(do="command", text="/away lunch", ref="a")
        self.the_disk_works()
        self.assertEqual([thing["event"] for thing in bot.gets()], ["answer", "answer"])

    def test_a_program_is_told_its_token_when_that_is_good_after_a_crash(self) -> None:
        for hello in ({"nick": "ci"}, {"nick": "dana", "password": "correct horse"}):
            if "password" in hello:
                self.joins("dana").types("/register correct horse", "/quit")
                self.the_disk_works()
            newcomer = Program(self.factory).asks(do="hello", **hello)
            things = newcomer.gets("welcome")
            while not things and (self.writing.is_busy or self.reading.is_busy):
                for step in (self.writing.turns, self.writing.is_heard, self.reading.turns,
                             self.reading.is_heard):  # fmt: skip
                    step()
                    self.clock.advance(0)
                    things = things or newcomer.gets("welcome")
            self.the_server_is_killed()
            back = self.program("x", session=things[0]["session"])
            self.the_disk_works()
            self.assertEqual(back.gets("welcome")[0]["nick"], hello["nick"])

    def test_who_comes_while_the_disk_is_full_is_let_in(self) -> None:
        self.writing.is_full = True
        newcomer = self.program("ci")
        self.the_disk_works()
        self.assertEqual(newcomer.gets("welcome")[0]["nick"], "ci")

    def test_own_events_come_when_they_are_stored_and_answers_in_their_order(self) -> None:
        self.bot.asks(do="say", text="one", ref="say").asks(do="ping", ref="ping")
        self.bot.asks(do="command", text="/topic tea", ref="topic").asks(do="ping", ref="pong")
        self.the_disk_works()
        told = [(thing["event"], thing["ref"]) for thing in self.bot.gets() if "ref" in thing]
        answers = [ref for event, ref in told if event in ("pong", "answer")]
        self.assertEqual(answers, ["ping", "topic", "pong"])
        events = [ref for event, ref in told if event in ("message", "topic")]
        self.assertEqual(events, ["say", "topic"])
        self.assertLess(told.index(("pong", "ping")), told.index(("message", "say")))

    def test_answers_keep_their_order_when_one_has_to_read_the_disk(self) -> None:
        self.alice.types("hello")
        self.the_disk_works()
        self.alice.sees()
        self.alice.types("/history", "/time")
        self.bot.asks(do="history", ref="h").asks(do="ping", ref="p")
        self.the_disk_works()
        first, second = self.alice.sees()
        self.assertEqual(first, "alice: hello")
        self.assertIn("time is 20", second)
        told = [t["event"] for t in self.bot.gets("history", "pong")]
        self.assertEqual(told, ["history", "pong"])


class FullTests(DiskTestCase):
    def test_who_joins_while_a_line_is_being_refused_is_heard(self) -> None:
        alice, bot = self.joins("alice"), self.program("bot")
        self.the_disk_works()
        bot.gets()
        self.writing.is_full = True
        alice.types("important")
        bot.asks(do="command", text="/join dev").asks(do="ping")
        self.the_disk_works()
        self.assertEqual([thing["event"] for thing in bot.gets("answer", "pong")][-1:], ["pong"])


class ReadingTests(DiskTestCase):
    def test_who_goes_while_their_history_is_read_is_gone_from_the_room_they_leave(self) -> None:
        alice, bob = self.joins("alice"), self.joins("bob")
        bob.types("/history 3", "/join dev", "/leave")
        bob.closes()
        self.the_disk_works()
        alice.raw()
        self.assertEqual(alice.types("/users", "/rooms").sees()[0], "*** In #lobby: alice (1)")

    def test_history_that_cannot_be_read_stops_nobody(self) -> None:
        alice, bot = self.joins("alice"), self.program("bot")
        alice.types("/join dev", *(f"line {number}" for number in range(9)))
        self.the_disk_works()
        self.the_server_is_killed()
        bob, bot = self.joins("bob"), self.program("bot")
        self.the_disk_works()
        bob.raw()
        self.reading.is_full = True
        bob.types("/join dev", "/time")
        bot.asks(do="command", text="/join dev", ref="j").asks(do="ping")
        self.the_disk_works()
        seen = bob.sees()
        self.assertIn("*** You missed 9 lines of #dev: they cannot be read right now", seen)
        self.assertTrue(seen[-1].startswith("*** The server's time is "))
        missed = {"event": "missed", "room": "#dev", "count": 9, "kept": True}
        things = bot.gets()
        self.assertIn(missed, things)
        self.assertEqual(things[-1]["event"], "pong")
        self.flushLoggedErrors(sqlite3.OperationalError)
        bob.types("still here")
        self.the_disk_works()
        self.assertEqual([thing["text"] for thing in bot.gets("message")], ["still here"])


class ForgettingTests(DiskTestCase):
    limits = Limits(pace=None)

    def ids(self) -> list[int]:
        return [number for (number,) in self.rows("SELECT id FROM events ORDER BY log, id")]

    def test_no_hole_is_left_where_the_clock_was_wrong(self) -> None:
        alice = self.joins("alice")
        self.the_disk_works()
        for age in (900, 800, 100, 700, 50):  # the fourth was said while the clock went wrong
            self.clock.rightNow -= age
            alice.types(f"{age} seconds ago")
            self.clock.rightNow += age
        self.the_disk_works()
        self.store.forget(self.clock.seconds() - 500)
        self.the_disk_works()
        self.assertEqual(self.ids(), [3, 4, 5])

    def test_what_the_clock_was_wrong_before_goes_when_that_is_old_itself(self) -> None:
        alice = self.joins("alice")
        for age in (-900, 800, 700):
            self.clock.rightNow -= age
            alice.types("hello")
            self.clock.rightNow += age
        self.the_disk_works()
        for later, left in ((0, [1, 2, 3]), (1000, [3])):
            self.store.forget(self.clock.seconds() + later)
            self.the_disk_works()
            self.assertEqual(self.ids(), left)

    def test_nothing_is_read_where_nothing_is_old(self) -> None:
        self.joins("alice").types("hello")
        for _ in range(2):
            self.the_disk_works()
            self.store.forget(self.clock.seconds() - 500)
            self.the_disk_works()  # from then on it is known how old it all is
            self.store.forget(self.clock.seconds() - 500)
            self.clock.advance(0)
            self.assertFalse(self.reading.is_busy or self.writing.is_busy)
            self.the_server_is_killed()

    def test_what_is_old_goes_from_rooms_too_that_are_not_open(self) -> None:
        alice, self.factory.chat.limits.rooms = self.joins("alice"), 3
        for room in "abcde":
            alice.types(f"/join {room}", f"old in {room}", f"last in {room}")
            self.the_disk_works()
            alice.types("/leave")
            self.the_disk_works()
        self.assertLessEqual(len(self.factory.chat.rooms), 3)
        for _ in range(2):
            self.clock.advance(1000)
            self.store.forget(self.clock.seconds() - 500)
            self.the_disk_works()
            self.assertEqual(self.ids(), [2, 2, 2, 2, 2])
            self.assertFalse(self.reading.is_busy or self.writing.is_busy)
        alice.types("/join b", "new in b")
        self.the_disk_works()
        self.clock.advance(1000)
        self.store.forget(self.clock.seconds() - 500)
        self.the_disk_works()
        self.assertEqual(sorted(self.ids()), [2, 2, 2, 2, 3])

    def test_in_a_room_that_is_not_open_each_line_goes_when_it_is_old(self) -> None:
        self.patch(forgetting, "MOST", 3)
        alice, self.factory.chat.limits.rooms = self.joins("alice"), 2
        alice.types("/join dev")
        for number in range(9):
            alice.types(f"line {number}")
            self.the_disk_works()
            self.clock.advance(1000)
        alice.types("/leave", "/join other")
        self.the_disk_works()
        self.assertNotIn("#dev", self.factory.chat.rooms)
        for age, left in ((6500, 6), (4500, 4), (0, 1)):
            for _ in range(4):
                self.store.forget(self.clock.seconds() - age)
                self.the_disk_works()
            self.assertEqual(self.ids(), list(range(10 - left, 10)))

    def test_the_last_event_stays_for_its_number(self) -> None:
        self.joins("alice").types("one", "two")
        self.the_disk_works()
        self.store.forget(self.clock.seconds() + 500)
        self.the_disk_works()
        self.assertEqual(self.ids(), [2])


class OverloadTests(DiskTestCase):
    limits = Limits(pace=None)

    def test_nothing_overtakes_what_waits_however_much_that_is(self) -> None:
        self.patch(writer, "QUEUE", 2)
        alice, bot = self.joins("alice"), self.program("bot")
        self.the_disk_works()
        bot.gets()
        alice.types("one", "two", "/away three", "/back", "/away four", "/back")
        self.assertEqual(bot.gets(), [])
        self.the_disk_works()
        told = [(thing["event"], thing["text"]) for thing in bot.gets()]
        self.assertEqual(
            told, [("message", "one"), ("message", "two"), ("away", "three"), ("away", "")]
        )

    def test_who_comes_while_nothing_can_be_told_is_in_the_lists(self) -> None:
        self.patch(writer, "QUEUE", 1)
        alice = self.joins("alice")
        self.the_disk_works()
        alice.types("one")
        alice.types("two", "/away")
        self.joins("bob")
        self.the_disk_works()
        bot = self.program("bot")
        self.the_disk_works()
        (state,) = bot.gets("state")
        self.assertIn("bob", [member["nick"] for member in state["members"]])


class StoppingTests(DiskTestCase):
    limits = Limits(pace=Pace(1, 10))

    def test_lines_that_wait_for_their_pace_are_stored(self) -> None:
        alice, bot = self.joins("alice"), self.program("bot")
        self.the_disk_works()
        alice.types("one", "two", "three")
        bot.asks(do="say", text="four", ref="4").asks(do="say", text="five", ref="5")
        self.the_server_is_restarted()
        later = self.joins("carol")
        self.the_disk_works()
        said = [line.partition(": ")[2] for line in later.sees() if "carol" not in line]
        self.assertEqual(sorted(said), ["five", "four", "one", "three", "two"])

    def test_pages_that_are_asked_for_are_still_read(self) -> None:
        self.joins("alice").types("hello")
        self.the_disk_works()
        page, stopped = self.store.after("#lobby", 0, 9), self.store.stop()
        self.assertNoResult(stopped)
        self.the_disk_works()
        self.successResultOf(stopped)
        self.assertEqual(len(self.successResultOf(page)), 1)

    def test_a_session_is_stored_at_the_second_try(self) -> None:
        bot = self.program("bot")
        self.the_disk_works()
        token = bot.gets("welcome")[0]["session"]
        bot.asks(do="command", text="/away lunch", ref="a")
        self.writing.is_full = True
        stopped = self.store.stop()
        self.writing.turns()
        self.writing.is_full = False
        self.the_disk_works()
        self.successResultOf(stopped)
        self._start()
        back = self.program("bot", session=token)
        back.asks(do="command", text="/whois bot", ref="w")
        self.the_disk_works()
        self.assertIn("bot is away: lunch", back.gets("answer")[0]["lines"])

    def test_it_stops_although_nothing_can_be_stored(self) -> None:
        self.program("bot").asks(do="command", text="/away lunch")
        self.writing.is_full = True
        stopped = self.store.stop()
        self.the_disk_works()
        self.successResultOf(stopped)

    def test_a_line_that_comes_too_late_is_refused(self) -> None:
        alice, bot = self.joins("alice"), self.program("bot")
        self.the_disk_works()
        alice.stops_reading()
        bot.stops_reading()
        self.factory.say_goodbye()
        alice.types("too late", "and again")
        bot.asks(do="say", text="too late", ref="x")
        late = "!!! The server is shutting down, and that was not done: try again later."
        self.assertEqual(alice.sees().count(late), 1)
        (error,) = bot.gets("error")
        self.assertEqual((error["ref"], error["code"]), ("x", "closing"))
