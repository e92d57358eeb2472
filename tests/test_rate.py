"""How fast one may talk: at once what a person types, in turn what they paste, and no flood."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.people import ChatTestCase
from twisted_chat import Limits, Pace
from twisted_chat.rate import Bucket
from twisted_chat.sessions.throttle import Throttle


class BucketTests(SynchronousTestCase):
    def test_after_a_silence_so_many_come_at_once_and_then_they_come_evenly(self) -> None:
        bucket, pace = Bucket(), Pace(10, 5)
        for _ in range(10):
            self.assertEqual(bucket.wait(pace, 1000.0), 0)
            bucket.take(pace, 1000.0)
        self.assertAlmostEqual(bucket.wait(pace, 1000.0), 0.5)
        self.assertAlmostEqual(bucket.wait(pace, 1000.4), 0.1)
        self.assertEqual(bucket.wait(pace, 1000.5), 0)

    def test_a_long_silence_earns_no_more_than_a_short_one(self) -> None:
        bucket, pace = Bucket(), Pace(2, 10)
        for _ in range(2):
            self.assertEqual(bucket.wait(pace, 10_000.0), 0)
            bucket.take(pace, 10_000.0)
        self.assertAlmostEqual(bucket.wait(pace, 10_000.0), 5)

    def test_who_takes_more_than_there_is_waits_for_all_of_it(self) -> None:
        bucket, pace = Bucket(), Pace(1, 1)
        for _ in range(5):
            bucket.take(pace, 0.0)
        self.assertAlmostEqual(bucket.wait(pace, 0.0), 5)

    def test_a_clock_that_is_set_back_makes_nobody_wait(self) -> None:
        bucket, pace = Bucket(), Pace(2, 10)
        for _ in range(5):
            bucket.wait(pace, 10_000.0)
            bucket.take(pace, 10_000.0)
        waited = bucket.wait(pace, 10_000.0)
        self.assertEqual(bucket.wait(pace, 10_000.0 - 240), waited)
        self.assertEqual(bucket.wait(pace, 10_000.0 - 240 + waited), 0)

    def test_however_much_was_had_it_is_not_forgotten(self) -> None:
        bucket, pace = Bucket(), Pace(10, 5)
        for _ in range(1_000):
            bucket.take(pace, 10_000.0)
        self.assertAlmostEqual(bucket.wait(pace, 10_000.0), 495.5)

    @given(
        st.integers(1, 20), st.floats(0.5, 60), st.lists(st.floats(0, 5), min_size=1, max_size=100)
    )
    def test_in_no_time_does_more_come_than_the_pace_allows(
        self, lines: int, seconds: float, pauses: list[float]
    ) -> None:
        bucket, pace = Bucket(), Pace(lines, seconds)
        now, taken = 0.0, []
        for pause in pauses:
            now += pause
            if not bucket.wait(pace, now):
                bucket.take(pace, now)
                taken.append(now)
        for index, start in enumerate(taken):
            for count, end in enumerate(taken[index:], 1):
                self.assertLessEqual(count, lines + (end - start) * lines / seconds + 1e-6)


class AskingTests(ChatTestCase):
    def test_a_long_answer_counts_as_the_lines_that_it_is_long(self) -> None:
        alice, bot = self.joins("alice"), self.program("bot")
        for number in range(60):
            alice.types(f"{number} " + "x" * 500)
            self.clock.advance(1)
        bot.raw()
        bot.asks(do="history", limit=200)  # 35 kB
        (page,) = bot.gets("history")
        self.assertEqual(len(page["events"]), 60)
        bot.asks(do="ping")
        self.assertEqual(bot.gets(), [])
        self.time_passes(10)
        self.assertEqual([thing["event"] for thing in bot.gets()], ["pong"])

    def test_whose_last_line_waits_and_leaves_a_room_is_told_so(self) -> None:
        alice = self.joins("alice").types("/join dev", *["hello"] * 9, "/leave")
        alice.says_no_more()
        self.time_passes(10)
        self.assertEqual(alice.sees()[-1][:20], "*** You left #dev; y")
        self.assertTrue(alice.is_gone)

    def test_what_waits_when_the_server_stops_may_enter_a_room(self) -> None:
        self.joins("alice").types(*["hello"] * 10, "/join dev", "the last words")
        self.factory.say_goodbye()
        self.time_passes(10)
        self.assertEqual(self.factory.chat.rooms["#dev"].log.last, 1)


class PacingTests(SynchronousTestCase):
    def setUp(self) -> None:
        """Two lines a second may be done, and three may wait."""
        self.clock = Clock()
        self.done: list[bytes] = []
        self.idle = 0

    def pacing(self, pace: Pace) -> Throttle:
        """A pace to be tried."""
        limits = Limits(pace=pace, waiting_lines=3)
        return Throttle(self.clock, limits, self.done.append, self.is_idle)

    def is_idle(self) -> None:
        """Nothing waits any more."""
        self.idle += 1

    def test_what_is_too_fast_waits_its_turn_and_what_is_far_too_fast_is_refused(self) -> None:
        pacing = self.pacing(Pace(2, 1))
        waits = [pacing.take(bytes([line])) for line in b"abcdefg"]
        self.assertEqual([bool(wait) for wait in waits], [False] * 5 + [True] * 2)
        self.assertEqual(self.done, [b"a", b"b"])
        self.assertFalse(pacing.is_idle)
        for count in (3, 4, 5):
            self.clock.advance(0.5)
            self.assertEqual(len(self.done), count)
        self.assertEqual(self.done, [b"a", b"b", b"c", b"d", b"e"])
        self.assertEqual(self.idle, 1)
        self.assertTrue(pacing.is_idle)

    def test_who_has_waited_as_long_as_told_is_not_refused_again(self) -> None:
        pacing = self.pacing(Pace(2, 1))
        wait = max(pacing.take(b"x") for _ in range(20))
        self.clock.pump([wait / 10] * 10)
        self.assertEqual(pacing.take(b"y"), 0)

    def test_a_line_that_comes_while_others_wait_does_not_overtake_them(self) -> None:
        pacing = self.pacing(Pace(1, 1))
        for line in (b"a", b"b", b"c"):
            pacing.take(line)
        self.clock.advance(1)
        pacing.take(b"d")
        self.clock.pump([1, 1])
        self.assertEqual(self.done, [b"a", b"b", b"c", b"d"])

    def test_when_it_is_stopped_nothing_more_is_done(self) -> None:
        pacing = self.pacing(Pace(1, 1))
        for line in (b"a", b"b"):
            pacing.take(line)
        pacing.stop()
        self.clock.advance(10)
        self.assertEqual(self.done, [b"a"])
        self.assertEqual(self.clock.getDelayedCalls(), [])


class PaceTests(ChatTestCase):
    def setUp(self) -> None:
        """Alice and bob are in the lobby."""
        super().setUp()
        self.alice, self.bob = self.joins("alice"), self.joins("bob")
        self.alice.raw()

    def floods(self, count: int) -> list[str]:
        """What bob is answered who sends so many lines in a packet."""
        self.bob.sends("".join(f"line {number}\n" for number in range(count)).encode())
        return self.bob.sees()

    def test_of_a_flood_the_rest_is_refused_and_that_is_said_once(self) -> None:
        (refusal,) = self.floods(300)
        self.assertTrue(
            refusal.startswith("!!! You are sending too fast, and lines are lost: wait ")
        )
        self.time_passes(12)
        self.assertEqual(len(self.alice.sees()), 30)
        self.assertEqual(self.bob.raw(), "")

    def test_who_goes_on_is_told_now_and_then_and_never_gets_more(self) -> None:
        told = 0
        for _ in range(60):
            told += len(self.floods(100))
            self.time_passes(1)
        self.assertLessEqual(told, 30)
        self.assertLessEqual(len(self.alice.sees()), 10 + 20 + 2 * 60)

    def test_who_is_cut_off_in_a_flood_has_the_lines_said_that_were_accepted(self) -> None:
        self.floods(300)
        self.bob.vanishes()
        self.time_passes(12)
        lines = self.alice.sees()
        self.assertEqual(len(lines), 31)
        self.assertEqual(lines[-1], "*** bob has left #lobby (connection lost)")


class NoPaceTests(ChatTestCase):
    limits = Limits(pace=None)

    def test_where_there_is_no_pace_a_thousand_lines_are_said(self) -> None:
        alice, bob = self.joins("alice"), self.joins("bob")
        alice.raw()
        bob.sends(b"x\n" * 1000)
        self.assertEqual(alice.sees(), ["bob: x"] * 1000)
