"""Who sends without an end is let in bit by bit, and does not make the others wait."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from tests.browsers import Tab
from tests.people import NOW, ChatTestCase, Person, at_once
from twisted_chat import Limits
from twisted_chat.chat.chat import Chat
from twisted_chat.frontends.factory import ChatFactory
from twisted_chat.frontends.fairness import LATER, LINES
from twisted_chat.stores.sqlite import writer
from twisted_chat.stores.sqlite.store import SqliteStore
from twisted_chat.turn import Turn

_T = TypeVar("_T")


class TurnClock(Clock):
    """A clock that can tell one turn of the reactor from the next."""

    turn = 0.0

    def callLater(
        self,
        delay: float,
        callable: Callable[..., object],  # noqa: A002 - Twisted's name for it
        *args: object,
        **kw: object,
    ) -> IDelayedCall:
        """What is to come in the next turn comes no earlier."""
        return super().callLater(max(delay, self.turn), callable, *args, **kw)


class FloodTests(ChatTestCase):
    limits = Limits(pace=None)

    clock: TurnClock

    def setUp(self) -> None:
        """A chat, alice who listens, and a clock that goes turn by turn once `next_turn` is."""
        super().setUp()
        self.clock = TurnClock()
        self.clock.advance(NOW)
        self.factory = ChatFactory(self.clock, limits=self.limits)
        self.alice = self.joins("alice")

    def next_turn(self) -> list[str]:
        """What alice sees in the next turn."""
        self.clock.turn = 0.001
        self.clock.advance(0.001)
        return [line for line in self.alice.sees() if line[0] != "*"]

    def flood(self, person: Person, lines: int) -> None:
        """Somebody sends many lines at once."""
        person.protocol.dataReceived(b"".join(b"%d\n" % number for number in range(lines)))

    def test_a_turn_takes_so_many_lines_and_the_rest_follows_in_order(self) -> None:
        bob = self.joins("bob")
        said = [f"bob: {number}" for number in range(2 * LINES + 10)]
        self.flood(bob, len(said))
        self.assertEqual(bob.transport.producerState, "paused")
        self.assertEqual(self.next_turn(), said[:LINES])
        self.assertEqual(self.next_turn(), said[LINES : 2 * LINES])
        self.assertEqual(self.next_turn(), said[2 * LINES :])
        self.assertEqual(bob.transport.producerState, "producing")

    def test_messages_over_a_websocket_are_taken_as_slowly_as_lines(self) -> None:
        bob = Tab(self.factory)
        bob.asks(do="hello", nick="bob")
        self.next_turn()
        numbers = [str(number) for number in range(LINES + 10)]
        bob.sends_text(*(f'{{"do":"say","text":"{number}"}}' for number in numbers))
        said = [f"bob: {number}" for number in numbers]
        self.assertEqual(self.next_turn(), said[:LINES])
        self.assertEqual(self.next_turn(), said[LINES:])

    def test_a_single_line_is_let_in_at_once_beside_a_flood(self) -> None:
        bob, carol = self.joins("bob"), self.joins("carol")
        self.flood(bob, 5 * LINES)
        carol.protocol.dataReceived(b"can you hear me?\n")
        self.assertEqual(self.next_turn()[-1], "carol: can you hear me?")

    def test_floods_are_let_in_evenly(self) -> None:
        people = [self.joins(f"bob{number}") for number in range(8)]
        for person in people:
            self.flood(person, 2 * LINES)
        self.next_turn()
        heard = [line.partition(":")[0] for line in self.next_turn()]
        counts = {heard.count(f"bob{number}") for number in range(8)}
        self.assertEqual(counts, {LINES // 8})

    def test_who_comes_while_others_wait_gets_no_more_than_they(self) -> None:
        people = [self.joins(f"bob{number}") for number in range(8)]
        for person in people:
            self.flood(person, 2 * LINES)
        self.next_turn()
        late = self.joins("late")
        self.flood(late, 2 * LINES)
        heard = self.next_turn()
        self.assertLess(len([line for line in heard if line.startswith("late: ")]), LINES // 8)

    def test_long_lines_count_for_more(self) -> None:
        bob = self.joins("bob")
        bob.protocol.dataReceived((b"x" * 1_999 + b"\n") * LINES)
        self.assertEqual(len(self.next_turn()), LINES // 4)

    def test_what_waits_is_still_said_when_the_connection_is_closed(self) -> None:
        bob = self.joins("bob")
        self.flood(bob, 2 * LINES)
        bob.protocol.connectionLost(Failure(ConnectionDone()))
        heard = [*self.next_turn(), *self.next_turn(), *self.next_turn()]
        self.assertEqual(heard, [f"bob: {number}" for number in range(2 * LINES)])
        self.next_turn()
        self.assertNotIn("bob", self.factory.chat.lobby.members)


class SlowDiskTests(ChatTestCase):
    limits = Limits(pace=None)

    def setUp(self) -> None:
        """A chat whose disk stores nothing until `self.disk` is told to."""
        super().setUp()
        self.patch(writer, "GROUP", 10)
        turn = Turn(lambda call: self.clock.callLater(0, call))
        self.disk: list[Callable[[], None]] = []
        store = SqliteStore(Path(self.mktemp()), turn, self.write, at_once, at_once)
        self.addCleanup(store.stop)
        chat = Chat(self.clock, store, turn, limits=self.limits)
        self.factory = ChatFactory(self.clock, chat=chat)

    def write(self, work: Callable[[], _T]) -> Deferred[_T]:
        """Do some work when the disk is ready."""
        deferred: Deferred[_T] = Deferred()
        self.disk.append(lambda: deferred.callback(work()))
        return deferred

    def disk_works(self) -> None:
        """Everything that is to be written is written."""
        self.clock.advance(0)
        while self.disk:
            self.disk.pop(0)()
            self.clock.advance(LATER)

    def test_who_says_much_waits_for_the_disk_and_nothing_is_refused(self) -> None:
        bob = Person(self.factory).types("bob")
        self.disk_works()
        bob.raw()
        bob.types(*map(str, range(100)))
        self.clock.pump([LATER] * 50)
        self.assertEqual(bob.transport.producerState, "paused")
        alice = Person(self.factory).types("alice")
        self.disk_works()
        self.assertEqual(bob.transport.producerState, "producing")
        said = [line for line in alice.sees() if line.startswith("bob: ")]
        self.assertEqual(said, [f"bob: {number}" for number in range(100)])
        self.assertNotIn("!!!", bob.raw())
        bob.closes()
        alice.closes()
        self.disk_works()
