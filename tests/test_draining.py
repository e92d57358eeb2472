"""A server that is upgraded is emptied: programs go on elsewhere, and people are told."""

from wsproto.frame_protocol import CloseReason

from tests.browsers import Tab
from tests.people import ChatTestCase, Program
from twisted_chat import Limits
from twisted_chat.frontends.draining import AT_ONCE, Draining

TOLD = "*** The server is being upgraded. You can stay for {}; to go on after that, connect again."
TOLD_AGAIN = (
    "*** The server is being upgraded: this connection ends in 1 minute. Connect again to go on."
)


class DrainingTests(ChatTestCase):
    limits = Limits(per_address=1000, nameless_per_address=1000, pace=None)

    is_busy = False
    has_ended = 0

    def drains(self, seconds: float = 600.0) -> None:
        """Empty the server."""
        server = self.factory.server
        Draining(server, self.clock, seconds, lambda: self.is_busy, self.ends)

    def ends(self) -> None:
        """Nobody is here, or their time is over."""
        self.has_ended += 1

    def test_programs_are_let_go_and_come_back_without_a_gap(self) -> None:
        bot = self.program("bot")
        token = bot.gets("welcome")[0]["session"]
        alice = self.joins("alice")
        bot.gets()
        bot.asks(do="say", text="just before", ref="1")
        self.drains()
        self.clock.advance(0)
        (said,) = bot.gets("message")
        self.assertTrue(bot.is_gone)
        bot.closes()
        self.assertEqual(alice.sees()[0], "bot: just before")
        alice.types("meanwhile")
        again = self.program("bot", session=token, seen={"#lobby": said["id"]})
        self.assertTrue(again.gets("welcome")[0]["resumed"])

    def test_a_page_hears_that_the_server_goes_away_and_not_that_all_is_over(self) -> None:
        tab = Tab(self.factory)
        tab.asks(do="hello", nick="alice")
        self.drains()
        self.clock.advance(0)
        tab.gets_frames()
        self.assertEqual(tab.closed, CloseReason.GOING_AWAY)

    def test_nobody_sees_a_program_leave(self) -> None:
        alice = self.joins("alice")
        bot = self.program("bot")
        alice.sees()
        self.drains()
        self.clock.advance(0)
        bot.closes()
        self.assertEqual(alice.sees(), [TOLD.format("10 minutes")])

    def test_people_are_told_once_and_again_a_minute_before_the_end(self) -> None:
        alice = self.joins("alice")
        self.drains()
        self.assertEqual(alice.sees(), [TOLD.format("10 minutes")])
        self.time_passes(530)
        self.assertEqual(alice.sees(), [])
        self.time_passes(10)
        self.assertEqual(alice.sees(), [TOLD_AGAIN])
        self.time_passes(59)
        self.assertEqual((alice.sees(), self.has_ended), ([], 0))
        self.time_passes(1)
        self.assertEqual(self.has_ended, 1)

    def test_who_has_a_minute_at_most_is_told_once(self) -> None:
        alice = self.joins("alice")
        self.drains(60)
        self.time_passes(59)
        self.assertEqual(alice.sees(), [TOLD.format("1 minute")])

    def test_who_takes_a_nickname_meanwhile_is_told_too(self) -> None:
        late = self.connects()
        self.drains()
        self.time_passes(10)
        late.raw()
        late.types("late")
        self.assertIn("*** Welcome, late!", late.raw())
        self.time_passes(1)
        self.assertEqual(late.sees(), [TOLD.format("10 minutes")])

    def test_a_program_that_came_last_says_hello_and_goes(self) -> None:
        late = Program(self.factory)
        self.drains()
        self.time_passes(5)
        self.assertFalse(late.is_gone)
        late.asks(do="hello", nick="late")
        self.time_passes(1)
        self.assertTrue(late.is_gone)
        late.closes()
        self.time_passes(1)
        self.assertEqual(self.has_ended, 1)

    def test_it_ends_when_nobody_is_there_any_more(self) -> None:
        alice = self.joins("alice")
        self.drains()
        self.time_passes(100)
        self.assertEqual(self.has_ended, 0)
        alice.types("/quit")
        alice.closes()
        self.time_passes(1)
        self.assertEqual(self.has_ended, 1)
        self.time_passes(1000)
        self.assertEqual(self.has_ended, 1)

    def test_a_file_that_is_under_way_is_waited_for(self) -> None:
        self.is_busy = True
        self.drains()
        self.time_passes(10)
        self.assertEqual(self.has_ended, 0)
        self.is_busy = False
        self.time_passes(1)
        self.assertEqual(self.has_ended, 1)

    def test_programs_do_not_all_go_at_once(self) -> None:
        bots = [self.program(f"bot{number}") for number in range(AT_ONCE + 1)]
        self.drains()
        self.clock.advance(0)
        self.assertEqual(sum(bot.is_gone for bot in bots), AT_ONCE)
        for bot in bots:
            if bot.is_gone:
                bot.closes()
        self.time_passes(1)
        self.assertTrue(all(bot.is_gone for bot in bots))
