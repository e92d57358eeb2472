"""People of all frontends in one room see the same, in the same order."""

from hypothesis import given
from hypothesis import strategies as st

from tests.behaviour.case import FRONTENDS
from tests.behaviour.seen import Did, Left, Renamed, Said, Seen, TopicSet
from tests.behaviour.visitor import Visitor
from tests.people import ChatTestCase
from twisted_chat import Limits, Pace

ACTS = ("hello", "/me waves", "/topic tea", "/topic -", "/nick", "/join dev", "/leave dev", "/quit")


class TogetherTests(ChatTestCase):
    limits = Limits(pace=None, renames=Pace(1000, 1))

    def setUp(self) -> None:
        """Those who watch and those who act: one of each frontend."""
        super().setUp()
        self.watchers, self.people = self.come("watcher"), self.come("actor")
        self.time_passes(60)
        for visitor in (*self.watchers, *self.people):
            visitor.sees()

    def come(self, role: str) -> list[Visitor]:
        """One comes by each way in."""
        return [
            visitor(self.factory).answers(f"{role}{number}")
            for number, visitor in enumerate(FRONTENDS.values())
        ]

    def test_everybody_reads_everybody(self) -> None:
        expected: list[Seen] = []
        for person in self.people:
            me = person.nickname
            person.says("hello").does("/me waves", "/topic tea").is_called(f"x{me}")
            person.does("/quit bye")
            expected += [Said(me, "hello"), Did(me, "waves"), TopicSet(me, "tea")]
            expected += [Renamed(me, f"x{me}"), Left(f"x{me}", "bye")]
        for watcher in self.watchers:
            self.assertEqual(watcher.sees(), expected)

    @given(st.lists(st.tuples(st.integers(0, 7), st.sampled_from(ACTS)), max_size=40))
    def test_whatever_they_do_all_see_the_same_in_the_same_order(
        self, script: list[tuple[int, str]]
    ) -> None:
        self.setUp()
        for number, (who, act) in enumerate(script):
            person = self.people[who % len(self.people)]
            if not act.startswith("/"):
                person.says(f"{act} {number}")
            elif act == "/nick":
                person.is_called(f"n{number}")
            else:
                person.does(act)
        self.time_passes(60)
        first, *others = [watcher.sees() for watcher in self.watchers]
        for other in others:
            self.assertEqual(other, first)
