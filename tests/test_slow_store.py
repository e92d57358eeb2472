"""While somebody waits for a store that is elsewhere, the others go on; and they may give up."""

import sqlite3
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.people import Program
from tests.slow import SlowStore, SlowTestCase
from twisted_chat.chat.chat import Chat
from twisted_chat.chat.people import People
from twisted_chat.chat.person import Person
from twisted_chat.limits import Limits
from twisted_chat.turn import Turn

IN_DEV = "*** You are in #dev: what you type goes there. /leave leaves it."


class OpeningTests(SlowTestCase):
    """A room that nobody has entered in this run has to be asked for."""

    def setUp(self) -> None:
        """Alice and bob are in the lobby."""
        super().setUp()
        self.alice, self.bob = self.joins("alice"), self.joins("bob")
        self.alice.raw()

    def test_the_others_go_on_while_somebody_waits(self) -> None:
        self.alice.types("/join dev", "hello dev")
        self.bob.types("hello")
        self.assertEqual(self.alice.sees(), ["bob: hello"])
        self.the_store_answers()
        self.assertEqual(self.alice.sees(), ["*** In #dev: alice (1)", IN_DEV])
        self.bob.types("/join dev")
        self.assertIn("#dev alice: hello dev", self.bob.sees())

    def test_two_who_enter_a_new_room_at_once_are_in_the_same_one(self) -> None:
        self.alice.types("/join dev", "is anybody here?")
        self.bob.types("/join DEV")
        self.the_store_answers()
        self.assertEqual(self.store.opened.count("#dev"), 1)
        self.assertIn("#dev alice: is anybody here?", self.bob.sees())
        self.assertIn("*** In #dev: alice, bob (2)", self.bob.types("/users").sees())

    def test_who_disconnects_meanwhile_is_not_in_it(self) -> None:
        self.alice.types("/join dev").vanishes()
        self.bob.types("/join dev")
        self.the_store_answers()
        self.bob.raw()
        self.assertEqual(self.bob.types("/users").sees(), ["*** In #dev: bob (1)"])
        self.joins("alice")

    def test_a_program_that_disconnects_meanwhile_is_in_it_when_it_is_back(self) -> None:
        bot = self.program("bot").asks(do="command", text="/join dev", ref="j")
        token = bot.gets("welcome")[0]["session"]
        bot.vanishes()
        self.the_store_answers()
        back = self.program("bot", session=token).asks(do="command", text="/join dev", ref="j")
        self.assertEqual(back.gets("welcome")[0]["rooms"], ["#lobby", "#dev"])

    def test_a_program_that_is_back_before_the_answer_gets_it_there(self) -> None:
        bot = self.program("bot").asks(do="command", text="/join dev", ref="j")
        token = bot.gets("welcome")[0]["session"]
        back = self.program("bot", session=token)
        back.asks(do="command", text="/join dev", ref="again").gets()
        self.the_store_answers()
        things = back.gets("state", "answer")
        self.assertEqual(
            [thing.get("room", thing.get("ref")) for thing in things], ["#dev", "again"]
        )
        self.bob.types("/users dev")
        self.assertEqual(self.bob.sees()[-1], "*** In #dev: bot (1)")

    def test_what_is_asked_again_before_the_answer_has_the_same_outcome(self) -> None:
        for works in (True, False):
            bot = self.program("bot").asks(do="command", text="/join dev", ref="j")
            token = bot.gets("welcome")[0]["session"]
            back = self.program("bot", session=token).asks(do="command", text="/join dev", ref="j")
            self.assertEqual(back.gets("answer", "error"), [], "nothing is done yet")
            if works:
                self.the_store_answers()
            else:
                self.the_store_fails()
                self.flushLoggedErrors(sqlite3.OperationalError)
            (outcome,) = back.gets("answer", "error")
            self.assertEqual((outcome["ref"], outcome["event"] == "answer"), ("j", works))
            back.asks(do="command", text="/quit")
            self.chat.limits.rooms = 1
            self.alice.types("/join x")  # so that the room is closed
            self.chat.limits.rooms = 9

    def test_who_is_sent_away_meanwhile_does_not_enter(self) -> None:
        self.alice.types("/join dev")
        person = self.chat.people.called("alice")
        assert person is not None
        self.chat.part(person, "flooding")
        self.the_store_answers()
        self.assertTrue(self.alice.is_gone)
        self.assertEqual(self.bob.types("/users dev").sees()[-1], "*** In #dev:  (0)")

    def test_who_loses_the_nickname_meanwhile_enters_when_they_are_back(self) -> None:
        bot = self.program("bot").asks(do="command", text="/join dev", ref="j")
        token = bot.gets("welcome")[0]["session"]
        self.program("bot", session=token).vanishes()
        bot.closes()
        self.assertEqual(self.program("bot").gets("welcome")[0]["nick"], "bot")
        self.the_store_answers()
        self.bob.types("/users dev")
        self.assertEqual(self.bob.sees()[-1], "*** In #dev:  (0)")
        back = self.program("bot", session=token)
        self.assertEqual(back.gets("welcome")[0]["rooms"], ["#lobby", "#dev"])
        self.bob.types("/users dev")
        self.assertEqual(self.bob.sees()[-1], "*** In #dev: bot_2 (1)")

    def test_where_it_cannot_be_opened_there_is_no_such_room(self) -> None:
        self.alice.types("/join dev", "hello")
        self.bob.types("/join dev")
        self.the_store_fails()
        why = "!!! #dev cannot be opened just now: try again in a while."
        self.assertEqual((self.alice.sees(), self.bob.sees()), ([why], ["alice: hello", why][::-1]))
        self.flushLoggedErrors(sqlite3.OperationalError)
        self.assertIn("!!! There is no room #dev", self.alice.types("/users dev").sees()[0])
        self.alice.types("/join dev")
        self.the_store_answers()
        self.assertIn(IN_DEV, self.alice.sees())

    def test_whispers_come_while_somebody_waits(self) -> None:
        self.alice.types("/join dev")
        self.bob.types("/whisper alice psst")
        self.assertEqual(self.alice.sees(), ["[whisper from bob] psst"])
        self.the_store_answers()
        self.assertIn(IN_DEV, self.alice.sees())

    def test_what_a_program_asks_for_waits_until_its_rooms_are_open(self) -> None:
        bot = self.program("bot", seen={"#dev": 0})
        bot.asks(do="say", room="#dev", text="hello", ref="1")
        self.assertEqual(len(bot.gets("state")), 1)
        self.the_store_answers()
        things = bot.gets("state", "message", "error")
        self.assertEqual([thing["event"] for thing in things], ["state", "message"])

    def test_what_a_program_says_that_is_back_before_the_answer_goes_there(self) -> None:
        bot = self.program("bot").asks(do="command", text="/join dev", ref="j")
        token = bot.gets("welcome")[0]["session"]
        back = self.program("bot", session=token)
        self.the_store_answers()
        (said,) = back.asks(do="say", text="hello").gets("message")
        self.assertEqual(said["room"], "#dev")

    def test_unless_it_has_gone_elsewhere_meanwhile(self) -> None:
        bot = self.program("bot").asks(do="command", text="/join tea", ref="t")
        self.the_store_answers()
        bot.asks(do="command", text="/join dev", ref="j")
        token = bot.gets("welcome")[0]["session"]
        back = self.program("bot", session=token)
        back.asks(do="command", text="/time", room="#lobby")
        self.the_store_answers()
        (said,) = back.asks(do="say", text="hello").gets("message")
        self.assertEqual(said["room"], "#lobby")
        back.vanishes()
        again = self.program("bot", session=token)
        things = again.asks(do="say", text="hello again").gets("message")
        self.assertEqual(things[-1]["room"], "#lobby")

    def test_a_program_that_is_back_while_a_room_is_opened_misses_nothing_there(self) -> None:
        self.alice.types("/join dev")
        self.the_store_answers()
        self.alice.types(*(f"line {number}" for number in range(9)), "/leave dev")
        self.time_passes(9)
        self.chat.limits.entry_history = 2
        self.chat.limits.rooms = 1
        self.bob.types("/join x")  # so that the room is closed
        self.chat.limits.rooms = 9
        seen = {"#lobby": 0, "#dev": 3}
        token = self.program("bot", seen=seen).gets("welcome")[0]["session"]
        back = self.program("bot", session=token, seen=seen)
        self.the_store_answers()
        missed = [said["id"] for said in back.gets("message") if said["room"] == "#dev"]
        self.assertEqual(missed, [4, 5, 6, 7, 8, 9])

    def test_a_program_is_told_which_of_its_rooms_cannot_be_opened(self) -> None:
        bot = self.program("bot", seen={"#dev": 0, "#tea": 0})
        bot.gets()
        self.the_store_fails()
        self.flushLoggedErrors(sqlite3.OperationalError)
        self.the_store_answers()
        error, state = bot.gets("error", "state")
        self.assertEqual((error["code"], state["room"]), ("not-opened", "#tea"))

    def test_no_other_room_takes_its_place_or_looks_like_it_meanwhile(self) -> None:
        self.chat.limits.rooms = 2
        self.alice.types("/join dol")
        self.bob.types("/join tea")
        self.assertIn(
            "!!! There are too many rooms already: join one that /rooms lists.", self.bob.sees()
        )
        self.bob.types("/join do1")
        self.assertIn("looks like #dol", self.bob.raw())

    def test_the_server_can_stop_meanwhile(self) -> None:
        self.alice.types("/join dev")
        gone = self.factory.say_goodbye()
        self.the_store_answers()
        self.assertTrue(self.alice.is_gone)
        for somebody in (self.alice, self.bob):
            somebody.closes()
        self.successResultOf(gone)


class SlowPeople(People):
    """People whose names are claimed when the test says so."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._waiting: list[Deferred[None]] = []

    def claim(self, nickname: str, asker: Person, holder: Person | None = None) -> Deferred[None]:
        """See `People.claim`: taken at once, and told later."""
        later: Deferred[None] = Deferred()
        super().claim(nickname, asker, holder).addCallbacks(
            lambda _: self._waiting.append(later), later.errback
        )
        return later

    def answers(self) -> None:
        """Whoever waits has the name."""
        while self._waiting:
            self._waiting.pop(0).callback(None)


class ClaimingCase(SlowTestCase):
    """A chat in which claiming a name takes its time."""

    def setUp(self) -> None:
        """Bob is here, and then claiming takes its time."""
        super().setUp()
        self.people = SlowPeople(self.clock, self.chat.limits, self.chat.accounts)
        self.chat.people = self.people
        self.bob = self.connects().types("bob")
        self.people.answers()
        self.bob.raw()

    def comes(self, nickname: str) -> Any:
        """Somebody asks for a nickname."""
        return self.connects().types(nickname)


class ClaimingTests(ClaimingCase):
    """A name is nobody else's from the moment when it is asked for."""

    def test_one_of_two_gets_it(self) -> None:
        first, second = self.comes("alice"), self.comes("alice")
        self.assertIn("!!! The nickname alice is taken", second.raw())
        self.people.answers()
        self.assertIn("Welcome, alice!", first.raw())

    def test_one_who_comes_and_one_who_is_renamed_do_not_both_get_it(self) -> None:
        self.bob.types("/nick alice")
        self.assertIn("!!! The nickname alice is taken", self.comes("alice").raw())
        self.people.answers()
        self.clock.advance(0)
        self.assertEqual(self.bob.types("/users").sees()[-1], "*** In #lobby: alice (1)")

    def test_it_is_free_again_when_who_waits_for_it_goes(self) -> None:
        self.comes("alice").vanishes()
        self.people.answers()
        again = self.comes("alice")
        self.people.answers()
        self.assertIn("Welcome, alice!", again.raw())

    def test_both_are_free_when_who_waits_to_be_renamed_is_sent_away(self) -> None:
        for wanted in ("alice", "BOB"):
            self.bob.types(f"/nick {wanted}")
            person = self.chat.people.called("bob")
            assert person is not None
            self.chat.part(person, "flooding")
            self.people.answers()
            self.bob = self.comes("bob")
            other = self.comes("alice")
            self.people.answers()
            self.assertIn("Welcome, bob!", self.bob.raw())
            self.assertIn("Welcome, alice!", other.raw())
            other.types("/quit")

    def test_nobody_is_found_under_it_before(self) -> None:
        alice = self.comes("alice")
        self.bob.types("/whisper alice psst")
        self.assertIn("There is nobody called alice", self.bob.raw())
        self.people.answers()
        self.assertNotIn("psst", alice.raw())


class DisplacingTests(ClaimingCase):
    """Somebody's program is started anew, which takes the nickname of the one before."""

    def setUp(self) -> None:
        """A program has lost its connection."""
        super().setUp()
        bot = self.program("bot")
        self.people.answers()
        self.token = bot.gets("welcome")[0]["session"]
        self.bot = bot

    def is_started_anew(self) -> Program:
        self.bot.vanishes()
        return self.program("bot")

    def assert_here(self, *nicknames: str) -> None:
        self.clock.advance(0)
        everybody = ", ".join(("bob", *nicknames))
        line = f"*** In #lobby: {everybody} ({1 + len(nicknames)})"
        self.assertEqual(self.bob.types("/users").sees()[-1], line)
        self.time_passes(310)

    def test_the_one_before_comes_back_meanwhile(self) -> None:
        anew = self.is_started_anew()
        back = self.program("bot", session=self.token)
        self.assertEqual(back.gets("welcome")[0]["nick"], "bot_2")
        self.people.answers()
        self.assertEqual(anew.gets("welcome")[0]["nick"], "bot")
        self.clock.advance(0)
        news = [line for line in self.bob.sees() if "bot" in line]
        self.assertEqual(
            news,
            [
                "*** bot has joined #lobby",
                "*** bot has left #lobby (connection lost)",
                "*** bot_2 has joined #lobby",
                "*** bot has joined #lobby",
            ],
        )
        back.vanishes()
        self.assert_here("bot_2 (reconnecting)", "bot")
        self.assert_here("bot")

    def test_the_one_before_leaves_meanwhile(self) -> None:
        self.bot.vanishes()
        self.time_passes(299)
        self.program("bot")
        self.time_passes(2)
        self.people.answers()
        self.assert_here("bot")

    def test_the_one_before_was_about_to_be_renamed(self) -> None:
        self.bot.asks(do="command", text="/nick robot", ref="n")
        self.program("bot", session=self.token).vanishes()
        self.is_started_anew()
        self.people.answers()
        self.assert_here("bot")
        robot = self.comes("robot")
        self.people.answers()
        self.assertIn("Welcome, robot!", robot.raw())
        self.assertIn("The nickname bot is taken", self.comes("bot").raw())


class StartingTests(SynchronousTestCase):
    def setUp(self) -> None:
        """A chat that has asked its store what there is."""
        self.store = SlowStore()
        self.chat = Chat(Clock(), self.store, Turn(), limits=Limits())

    def test_it_is_ready_when_the_store_has_answered(self) -> None:
        self.assertNoResult(self.chat.ready)
        self.store.answers()
        self.successResultOf(self.chat.ready)

    def test_it_is_not_ready_if_the_store_does_not_answer(self) -> None:
        self.store.fails()
        self.flushLoggedErrors(sqlite3.OperationalError)
        self.failureResultOf(self.chat.ready)


class WakingTests(SlowTestCase):
    """A device that is asleep comes back, which has to be asked for."""

    def setUp(self) -> None:
        """Alice has a device that is asleep."""
        super().setUp()
        self.store.is_slow = False
        self.joins("alice").types("/register correct horse")
        device = self.program("alice", password="correct horse", remember=True)
        self.token = device.gets("welcome")[0]["session"]
        device.asks(do="command", text="/quit")
        self.store.is_slow = True

    def test_over_two_connections_at_once_it_comes_once(self) -> None:
        first, second = (self.program("alice", session=self.token) for _ in range(2))
        self.the_store_answers()
        self.assertEqual(len(first.gets("welcome")), 1)
        self.assertEqual([each.get("code") for each in second.gets()], ["replaced"])
        person = self.chat.people.called("alice")
        assert person is not None
        self.chat.part(person, "banned")
        self.clock.advance(0)
        self.assertTrue(first.is_gone, "nobody reads along who has left")

    def test_it_does_not_come_if_it_is_logged_out_meanwhile(self) -> None:
        device = self.program("alice", session=self.token)
        (account,) = self.chat.accounts
        self.chat.forget_asleep(*self.chat.asleep.of(account.id))
        self.the_store_answers()
        self.assertEqual([each.get("code") for each in device.gets()], ["replaced"])
