"""However people say, come, go, stop reading and come back: each reads a piece of the one order."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from twisted.trial.unittest import SynchronousTestCase

from tests.disk import Disk
from tests.people import at_once
from twisted_chat.events import By, Entry, Hidden, Join, Message
from twisted_chat.log import fanout
from twisted_chat.log.fanout import Fanout
from twisted_chat.log.log import Log
from twisted_chat.log.reader import PAGE, Reader
from twisted_chat.refusal import Refused
from twisted_chat.stores import Store
from twisted_chat.stores.memory import MemoryStore
from twisted_chat.stores.sqlite.store import SqliteStore
from twisted_chat.turn import Turn

SETTINGS = settings(max_examples=60, stateful_step_count=40, deadline=None)


class NumbersWire:
    """Shows entries so that a test can tell them apart."""

    def show(self, entry: Entry, by: By = By.OTHERS, *, replayed: bool = False) -> bytes:
        """See `Wire.show`."""
        number = str(entry.id) if entry.stored else "-"
        own = "other" if by is By.OTHERS else "own"
        text = getattr(entry.event, "text", f"{entry.event.sender} after {entry.id}")
        return f"{number} {own} {'replayed' if replayed else 'live'} {text}\n".encode()

    def missed(self, room: str, count: int, *, kept: bool = False) -> bytes:
        """See `Wire.missed`."""
        return f"missed {count} in {room}\n".encode()


class Screen:
    """Somebody's screen, which may stop taking lines after any of them."""

    def __init__(self) -> None:
        self.ready = True
        self.patience = -1  # how many more writes it takes; below zero, any number
        self.half = b""
        self.shown: list[list[str]] = []

    def write(self, data: bytes) -> None:
        """See `Outlet.write`."""
        self.shown += [line.split(" ", 3) for line in data.decode().splitlines()]
        self.patience -= 1
        if self.patience == 0:
            self.ready = False

    def send(self, data: bytes, /) -> int:
        """See `Outlet.send`: the last thing that it takes just now, it takes by half."""
        if self.patience == 1:
            self.half = data[: len(data) // 2]
            return len(self.half)
        self.write(data)
        return len(data)

    def hold(self, rest: bytes, why: OSError | None = None) -> None:
        """See `Outlet.hold`."""
        self.write(self.half + rest)


class Somebody:
    """A reader, and the numbers that they have seen."""

    def __init__(self, room: Fanout, wire: NumbersWire, name: str, after: int) -> None:
        self.id = name
        self.ignored: set[str] = set()
        self.is_cut_off = False
        self.first = after
        self.history = room.log.last  # what has happened up to here is history to them
        self.is_awake = after == room.log.last  # and has been all the time
        self.screen = Screen()
        self.reader = Reader(room, wire, self.screen, self, name, after)
        self.reader.catch_up()

    def failed(self, reader: Reader) -> None:
        """See `reader.Owner`."""
        self.is_cut_off = True

    def caught_up(self, reader: Reader) -> None:
        """See `reader.Owner`."""

    def view(self, entry: Entry) -> Entry:
        """See `Viewer.view`."""
        if entry.author not in self.ignored:
            return entry
        return Entry(Hidden(0.0, entry.event.room, ""), id=entry.id)

    @property
    def numbers(self) -> list[int]:
        """What they have seen; what they were told that they missed counts as a jump."""
        seen, last = [], self.first
        for line in self.screen.shown:
            if line[0] == "missed":
                last += int(line[1])
            elif line[0] == "-":
                assert line[3].endswith(f" after {last}"), f"{last}, and then {line[3]}"
            else:
                assert int(line[0]) == last + 1, f"{last} and then {line[0]}"
                last = int(line[0])
                seen.append(last)
        return seen

    @property
    def last(self) -> int:
        """The number of the last event that they know of."""
        missed = sum(int(line[1]) for line in self.screen.shown if line[0] == "missed")
        return self.first + missed + len(self.numbers)


class ARoom(RuleBasedStateMachine):
    """A room in which anything happens, in any order."""

    memory: int | None = None  # bytes of memory; None keeps everything in SQLite

    def __init__(self) -> None:
        super().__init__()
        self.writing, self.reading = Disk(), Disk()
        self.turns: list[Callable[[], None]] = []
        self.folder = tempfile.TemporaryDirectory()
        turn = Turn(self.turns.append)
        self.store = self.make_store(turn)
        self.order: list[Entry] = []  # everything that may be seen
        self.log = Log("#lobby", "#lobby", self.store, self.order.append)
        self.log.open()
        self.room = Fanout(self.log, turn, window=5)
        self.wire = NumbersWire()
        self.people: list[Somebody] = []
        self.before: dict[Somebody, int] = {}  # how much had happened when somebody came
        self.said: list[str] = []
        self.origins: list[str] = []
        self.count = 0

    def make_store(self, turn: Turn) -> Store:
        """The engine that is tried."""
        if self.memory is not None:
            return MemoryStore(self.memory)
        path = Path(self.folder.name, "chat.sqlite")
        return SqliteStore(path, turn, self.writing, self.reading, at_once)

    def _anybody(self, which: int) -> Somebody:
        return self.people[which % len(self.people)]

    @rule(which=st.integers(0, 9), lines=st.integers(1, 40))
    def somebody_says(self, which: int, lines: int) -> None:
        origin = self._anybody(which).id if self.people else "nobody"
        for _ in range(lines):
            self.said.append(f"line {len(self.said) + 1}")
            self.origins.append(origin)
            self.log.append(Entry(Message(0.0, "#lobby", "x", self.said[-1]), origin))

    @rule()
    def somebody_is_announced(self) -> None:
        self.count += 1
        self.log.append(Entry(Join(0.0, "#lobby", f"guest{self.count}")))

    @rule(back=st.integers(0, 60))
    def somebody_comes(self, back: int) -> None:
        self.count += 1
        after = max(0, self.log.last - back)
        self._let_in(f"p{self.count}", after)

    def _let_in(self, name: str, after: int) -> None:
        somebody = Somebody(self.room, self.wire, name, after)
        self.people.append(somebody)
        self.before[somebody] = len(self.order)

    @precondition(lambda self: self.people)
    @rule(which=st.integers(0, 9))
    def somebody_comes_back(self, which: int) -> None:
        before = self._anybody(which)
        before.reader.close()
        self.people.remove(before)
        self._let_in(before.id, before.last)

    @precondition(lambda self: self.people)
    @rule(which=st.integers(0, 9))
    def somebody_leaves(self, which: int) -> None:
        somebody = self._anybody(which)
        somebody.reader.close()
        self.people.remove(somebody)

    @precondition(lambda self: self.people)
    @rule(which=st.integers(0, 9), patience=st.integers(1, 3))
    def somebody_will_stop_reading(self, which: int, patience: int) -> None:
        self._anybody(which).screen.patience = patience
        self._anybody(which).is_awake = False

    @precondition(lambda self: self.people)
    @rule(which=st.integers(0, 9))
    def somebody_reads_again(self, which: int) -> None:
        self._reads(self._anybody(which))

    def _reads(self, somebody: Somebody) -> None:
        somebody.screen.patience = -1
        somebody.screen.ready = True
        somebody.reader.catch_up()

    @rule()
    def the_turn_ends(self) -> None:
        asked, self.turns[:] = list(self.turns), []
        for call in asked:
            call()

    @rule()
    def something_is_written(self) -> None:
        self.writing.turns()

    @rule()
    def something_is_known_to_be_written(self) -> None:
        self.writing.is_heard()

    @rule()
    def something_is_read(self) -> None:
        self.reading.turns()

    @rule()
    def something_read_arrives(self) -> None:
        self.reading.is_heard()

    def _everything_happens(self) -> None:
        self.the_turn_ends()
        for disk in (self.writing, self.reading):
            disk.turns()
            disk.is_heard()

    @invariant()
    def nobody_sees_a_gap_or_a_repeat(self) -> None:
        for somebody in self.people:
            numbers = somebody.numbers  # asserts that each follows the one before
            assert somebody.last <= self.log.last, "somebody saw what is not stored"
            texts = [line[3] for line in somebody.screen.shown if line[0] not in ("-", "missed")]
            assert texts == [f"line {number}" for number in numbers]
            told = [line[3] for line in somebody.screen.shown if line[0] == "-"]
            assert len(told) == len(set(told)), "somebody is told of the same person twice"

    @invariant()
    def everybody_knows_what_is_their_own_and_what_is_history(self) -> None:
        for somebody in self.people:
            for number, whose, when, _ in somebody.screen.shown:
                if number not in ("-", "missed"):
                    own = self.origins[int(number) - 1] == somebody.id
                    assert whose == ("own" if own else "other")
                    assert when == ("replayed" if int(number) <= somebody.history else "live")
                elif number == "-":
                    assert when == "live"

    def teardown(self) -> None:
        """When everybody reads and the disk is idle, everybody has read everything."""
        for _ in range(10_000):
            for somebody in self.people:
                self._reads(somebody)
            if not (self.turns or self.writing.is_busy or self.reading.is_busy):
                break
            self._everything_happens()
        try:
            assert self.log.last == len(self.said)
            for somebody in self.people:
                assert somebody.last == len(self.said), f"{somebody.id} is behind for good"
                assert somebody.reader.seen == self.log.last
                if somebody.is_awake:
                    happened = self.order[self.before[somebody] :]
                    assert len(somebody.screen.shown) == len(happened), "something was left out"
                if self.memory is None or self.memory > 1_000_000:
                    assert not [line for line in somebody.screen.shown if line[0] == "missed"]
        finally:
            stopped = self.store.stop()
            while not stopped.called:
                self._everything_happens()
            self.folder.cleanup()


class ForgetfulRoom(ARoom):
    """The same with memory for some forty lines."""

    memory = 16_000


class RoomInMemory(ARoom):
    """The same with memory for everything."""

    memory = 16_000_000


class RoomTests(SynchronousTestCase):
    def test_whatever_people_do_they_read_pieces_of_one_order(self) -> None:
        for machine in (ARoom, RoomInMemory, ForgetfulRoom):
            run_state_machine_as_test(machine, settings=SETTINGS)


class MemoryStoreTests(SynchronousTestCase):
    def test_what_is_old_is_forgotten_and_the_numbers_go_on(self) -> None:
        store = MemoryStore()
        log = Log.new("#lobby", "#lobby", store)
        for hour in range(4):
            log.append(Entry(Message(3600.0 * hour, "#lobby", "x", f"in hour {hour}")))
        store.forget(7200.0)
        kept = self.successResultOf(log.before(5, 10))
        self.assertEqual([entry.id for entry in kept], [3, 4])
        store.forget(1e9)
        kept = self.successResultOf(log.before(5, 10))
        self.assertEqual([entry.id for entry in kept], [4], "the last one stays")
        log.append(Entry(Message(14400.0, "#lobby", "x", "later")))
        self.assertEqual(log.last, 5)


class LogTests(SynchronousTestCase):
    def test_a_piece_is_made_once_for_all_who_read_alike(self) -> None:
        shown: list[int] = []

        class CountingWire(NumbersWire):
            def show(self, entry: Entry, by: By = By.OTHERS, *, replayed: bool = False) -> bytes:
                shown.append(entry.id)
                return super().show(entry, by, replayed=replayed)

        turns: list[Callable[[], None]] = []
        room = Fanout(Log.new("#lobby", "#lobby", MemoryStore()), Turn(turns.append))
        wire = CountingWire()
        people = [Somebody(room, wire, f"p{number}", 0) for number in range(50)]
        for number in range(3):
            room.log.append(Entry(Message(0.0, "#lobby", "x", f"line {number + 1}")))
        for call in turns:
            call()
        self.assertEqual(shown, [1, 2, 3])
        self.assertEqual([somebody.last for somebody in people], [3] * 50)

    def test_who_takes_half_of_a_line_gets_the_rest_of_it_later(self) -> None:
        room = Fanout(Log.new("#lobby", "#lobby", MemoryStore()), Turn())
        alice, bob = (Somebody(room, NumbersWire(), name, 0) for name in ("alice", "bob"))
        room.log.append(Entry(Message(0.0, "#lobby", "x", "line 1")))
        alice.screen.patience = 1
        room.log.append(Entry(Message(0.0, "#lobby", "x", "line 2")))
        room.log.append(Entry(Message(0.0, "#lobby", "x", "line 3")))
        self.assertEqual((alice.last, bob.last), (2, 3))
        alice.screen.patience = -1
        alice.screen.ready = True
        alice.reader.catch_up()
        self.assertEqual(alice.last, 3)

    def test_who_takes_nothing_of_a_line_gets_it_later(self) -> None:
        class FullScreen(Screen):
            def send(self, data: bytes, /) -> int:
                raise BlockingIOError

        room = Fanout(Log.new("#lobby", "#lobby", MemoryStore()), Turn())
        alice = Somebody(room, NumbersWire(), "alice", 0)
        room.log.append(Entry(Message(0.0, "#lobby", "x", "line 1")))
        shown, alice.screen = alice.screen.shown, FullScreen()
        alice.reader.outlet = alice.screen
        alice.screen.shown = shown
        room.log.append(Entry(Message(0.0, "#lobby", "x", "line 2")))
        self.assertEqual(alice.last, 2)

    def test_who_comes_when_the_last_one_has_just_left_is_told_everything(self) -> None:
        turns: list[Callable[[], None]] = []
        room = Fanout(Log.new("#lobby", "#lobby", MemoryStore()), Turn(turns.append), window=5)
        Somebody(room, NumbersWire(), "alice", 0).reader.close()
        bob = Somebody(room, NumbersWire(), "bob", 0)
        for number in range(20):
            room.log.append(Entry(Join(0.0, "#lobby", f"guest{number}")))
        for call in turns:
            call()
        self.assertEqual(
            [line[3] for line in bob.screen.shown], [f"guest{n} after 0" for n in range(20)]
        )

    def test_a_reader_that_fails_disturbs_nobody(self) -> None:
        class BrokenScreen(Screen):
            def write(self, data: bytes) -> None:
                raise RuntimeError("this screen is broken")

        turns: list[Callable[[], None]] = []
        room = Fanout(Log.new("#lobby", "#lobby", MemoryStore()), Turn(turns.append))
        alice, bob = (Somebody(room, NumbersWire(), name, 0) for name in ("alice", "bob"))
        alice.reader = Reader(room, NumbersWire(), BrokenScreen(), alice, alice.id, 0, alice)
        for number in range(2):
            room.log.append(Entry(Message(0.0, "#lobby", "x", f"line {number + 1}")))
            while turns:
                turns.pop(0)()
        self.assertEqual(bob.last, 2)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        self.assertTrue(alice.is_cut_off, "whoever reads no more is not left waiting")

    def test_what_cannot_be_shown_is_hidden_and_stops_nobody(self) -> None:
        class PickyWire(NumbersWire):
            def show(self, entry: Entry, by: By = By.OTHERS, *, replayed: bool = False) -> bytes:
                if getattr(entry.event, "text", "") == "two":
                    raise RuntimeError("this cannot be shown")
                return super().show(entry, by, replayed=replayed)

        room = Fanout(Log.new("#lobby", "#lobby", MemoryStore()), Turn())
        alice = Somebody(room, PickyWire(), "alice", 0)
        for text in ("one", "two", "three"):
            room.log.append(
                Entry(Message(0.0, "#lobby", "x", text), "alice" if text == "two" else "")
            )
        later = Somebody(room, PickyWire(), "later", 0)
        for somebody in (alice, later):
            self.assertEqual(
                [line[0::3] for line in somebody.screen.shown],
                [["1", "one"], ["2", " after 2"], ["3", "three"]],
            )
        self.assertGreaterEqual(len(self.flushLoggedErrors(RuntimeError)), 2)

    def test_what_is_ignored_is_hidden_in_its_place(self) -> None:
        room = Fanout(Log.new("#lobby", "#lobby", MemoryStore()), Turn())
        alice = Somebody(room, NumbersWire(), "alice", 0)
        alice.ignored.add("mallory")
        for origin in ("bob", "mallory", "bob"):
            room.log.append(Entry(Message(0.0, "#lobby", origin, f"by {origin}"), origin))
        self.assertEqual(
            [(line[0], line[3]) for line in alice.screen.shown],
            [("1", "by bob"), ("2", " after 2"), ("3", "by bob")],
        )

    def test_who_asks_is_told_when_everything_said_until_then_is_read(self) -> None:
        room = Fanout(Log.new("#lobby", "#lobby", MemoryStore()), Turn())
        alice = Somebody(room, NumbersWire(), "alice", 0)
        alice.screen.ready = False
        room.log.append(Entry(Message(0.0, "#lobby", "x", "line 1")))
        told: list[int] = []
        alice.reader.when_here(lambda: told.append(alice.last))
        alice.reader.catch_up()
        self.assertEqual(told, [])
        alice.screen.ready = True
        alice.reader.catch_up()
        self.assertEqual(told, [1])

    def test_who_asks_is_told_in_a_huge_room_too_when_the_last_line_was_refused(self) -> None:
        self.patch(fanout, "SLICE", 1)
        turns: list[Callable[[], None]] = []
        room = Fanout(Log("#huge", "#huge", MemoryStore()), Turn(turns.append))
        people = [Somebody(room, NumbersWire(), name, 0) for name in ("alice", "bob", "carol")]
        one, two = (Entry(Message(0.0, "#huge", "alice", text), "alice") for text in ("1", "2"))
        one.id = 1
        room.log.appended = 2  # which the store has not told of yet
        called: list[str] = []
        people[0].reader.when_here(lambda: called.append("alice is here"))
        room.log.show([one])
        turns.pop(0)()
        room.log.refuse([two], Refused("not-stored", "The disk is full."))
        while turns:
            turns.pop(0)()
        self.assertEqual(called, ["alice is here"])

    def test_somebody_far_behind_gets_no_more_at_once_than_a_piece(self) -> None:
        sizes: list[int] = []

        class MeasuringScreen(Screen):
            def write(self, data: bytes) -> None:
                sizes.append(len(data))
                super().write(data)

        room = Fanout(Log.new("#lobby", "#lobby", MemoryStore()), Turn())
        alice = Somebody(room, NumbersWire(), "alice", 0)
        alice.reader.outlet = screen = MeasuringScreen()
        screen.ready = False
        for _ in range(3000):
            room.log.append(Entry(Message(0.0, "#lobby", "x", "x" * 2000)))
        screen.ready = True
        alice.reader.catch_up()
        self.assertEqual([int(line[0]) for line in screen.shown], [*range(1, 3001)])
        self.assertLessEqual(max(sizes), PAGE * 2100)
