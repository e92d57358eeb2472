"""What was said before, and what else one can ask."""

import time

from tests.behaviour.case import Behaviour
from tests.behaviour.seen import Said, Told
from tests.people import NOW
from twisted_chat import Limits


class HistoryTests(Behaviour):
    limits = Limits(pace=None)

    def setUp(self) -> None:
        """Bob has said a line a minute, for half an hour."""
        super().setUp()
        self.alice, self.bob = self.come("alice", "bob")
        self.said = [Said("bob", f"line {number}") for number in range(30)]
        for said in self.said:
            self.bob.says(said.text)
            self.clock.advance(60)
        self.look_away(self.alice)

    def assert_history(self, how_much: str, *seen: Said | Told) -> None:
        """What alice is shown who asks for so much."""
        self.assert_sees(self.alice.does(f"/history {how_much}"), *seen)

    def test_it_shows_the_last_lines(self) -> None:
        self.assert_history("5", *self.said[-5:])
        self.assert_history("", *self.said[-20:])
        self.assert_history("1000", *self.said)

    def test_it_shows_what_was_said_in_a_time(self) -> None:
        self.assert_history("5m", *self.said[-5:])
        self.assert_history("130s", *self.said[-2:])
        for span in ("1h", "2d", "1w", "999999w"):
            self.assert_history(span, *self.said)

    def test_it_shows_what_was_said_from_a_day_on(self) -> None:
        self.assert_history(time.strftime("%Y-%m-%d", time.localtime(NOW)), *self.said)
        self.assert_history("2001-01-01", *self.said)
        nothing = Told("There is nothing in the history of #lobby to show.")
        self.assert_history("2038-01-01", nothing)
        self.assert_history("0", nothing)

    def test_ones_own_lines_are_in_it(self) -> None:
        self.assert_sees(self.bob.does("/history 2"), *self.said[-2:])

    def test_each_room_has_its_own(self) -> None:
        self.alice.joins("dev").sees()
        self.assert_history("", Told("There is nothing in the history of #dev to show."))

    def test_what_is_no_amount_is_refused(self) -> None:
        for rest in ("-1", "x", "1y", "five", "2026-13-01", "1.5h", "9999999", "1 2", "２m x"):
            self.assert_refused(
                self.alice.does(f"/history {rest}"),
                "Usage: /history 50, /history 1h or /history 2026-11-20",
            )

    def test_a_page_is_two_hundred_lines(self) -> None:
        more = [Said("bob", f"more {number}") for number in range(250)]
        self.bob.says(*(said.text for said in more))
        self.look_away(self.alice)
        self.assert_history("999", *more[50:])
        self.assertEqual(len(self.alice.does("/history 1d").sees()), 200)


class AskingTests(Behaviour):
    def setUp(self) -> None:
        """Alice and bob are in the lobby."""
        super().setUp()
        self.alice, self.bob = self.come("alice", "bob")

    def test_who_somebody_is(self) -> None:
        self.bob.says("hello")
        self.bob.joins("dev")
        self.alice.sees()
        self.time_passes(3 * 3600)
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(NOW))
        self.assert_sees(
            self.alice.does("/whois BOB"),
            Told(f"bob has been here since {since}."),
            Told("bob was last active 3 hours ago."),
            Told("bob is in #lobby, #dev."),
        )
        self.bob.says("hi")
        last = Told("bob was last active less than a minute ago.")
        self.assertIn(last, self.alice.does("/whois bob").sees())
        self.assert_refused(self.alice.does("/whois zed"), "There is nobody")

    def test_what_time_it_is(self) -> None:
        now = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(NOW))
        (told,) = self.alice.does("/time").sees()
        self.assertIn(f"The server's time is {now} (UTC", str(told))


globals().update(HistoryTests.make_test_case_classes())
globals().update(AskingTests.make_test_case_classes())
