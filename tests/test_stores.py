"""Whatever a store goes through, each log shows what was put into it, in order, and no more."""

import json
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from tests.disk import Disk
from tests.kept import Batch, Life, Register, owner
from tests.people import at_once
from twisted_chat.events import OWN, Entry, Event, Join, Message, Notice, Topic, Whisper
from twisted_chat.refusal import Refused
from twisted_chat.stores import SavedSession, Store
from twisted_chat.stores.account import Account
from twisted_chat.stores.memory import MemoryStore
from twisted_chat.stores.rows import COLUMNS, to_entry
from twisted_chat.stores.sqlite import forgetting, writer
from twisted_chat.stores.sqlite.store import SqliteStore
from twisted_chat.turn import Turn

_T = TypeVar("_T")

SETTINGS = settings(max_examples=100, stateful_step_count=50, deadline=None)
ROOMS = ("#tea", "#milk")
PEOPLE = ("ann", "bob")
LOGS = (*ROOMS, *("@" + person for person in PEOPLE))

_Wanted = tuple[str, str, str, str, bool]

logs = st.sampled_from(LOGS)
people = st.sampled_from(PEOPLE)
devices = st.sampled_from(("", "-phone"))
kinds = st.sampled_from(("said", "told", "topic", "no topic"))
wanted = st.tuples(logs, kinds, people, devices, st.booleans())
batches = st.lists(wanted, min_size=1, max_size=5)
choices = st.lists(st.integers(0, 14), max_size=8)
FULL, ROOMY = (14,), (10, 11, 12, 13)
"""Choices after which the disk is full, and has room again."""


def answer(asked: Deferred[_T]) -> _T:
    """What a store answers at once."""
    found: list[_T] = []
    asked.addCallback(found.append)
    (only,) = found
    return only


class AnyStore(RuleBasedStateMachine):
    """A store to which everything happens that can happen to one, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.lives: dict[str, Life] = {}
        self.count = 0
        self.wrong: list[BaseException | None] = []
        self.put_into: dict[Event, Life] = {}
        self.register = Register()
        self.store: Store
        self.start()

    def start(self) -> None:
        """Begin a run with what an earlier one has left."""
        raise NotImplementedError

    def event(self, log: str, kind: str) -> Event:
        """Something that has never happened before."""
        self.count += 1
        time, text = float(self.count), f"{kind} {self.count}"
        match kind, log in ROOMS:
            case "told", True:
                return Join(time, log, text)
            case "told", False:
                return Notice(time, OWN, "", text)
            case "topic", True:
                return Topic(time, log, "x", text)
            case "no topic", True:
                return Topic(time, log, "x", "")
            case _, True:
                return Message(time, log, "x", text)
            case _:
                return Whisper(time, OWN, "x", "y", text)

    # What the chat asks for

    def _open(self, log: str) -> Life:
        is_new = log not in self.lives
        life = self.lives.setdefault(log, Life(log))
        if is_new and log not in ROOMS:
            self.store.begin(log, life.room, life)
        elif not life.is_open:
            self._check_opened(life)
        life.is_open = True
        return life

    def _check_opened(self, life: Life) -> None:
        opened = answer(self.store.open(life.name, life.room, life))
        assert (opened.last, opened.state) == (life.last, life.state)

    @rule(asked=st.lists(st.tuples(batches, choices), min_size=1, max_size=4))
    def people_do_something(self, asked: list[tuple[list[_Wanted], list[int]]]) -> None:
        for each, then in asked:
            batch, entries = Batch(), list[tuple[str, Entry]]()
            for log, kind, person, device, has_ref in each:
                event = self.event(log, kind)
                ref = f"r{self.count}" if has_ref else None
                entry = Entry(event, person, ref, client=person + device)
                life = self.put_into[event] = self._open(log)
                life.append(replace(entry), batch)
                entries.append((log, entry))
            self.store.append(entries)
            self.work(then)

    @rule(log=logs)
    def a_room_that_is_idle_is_closed(self, log: str) -> None:
        life = self.lives.get(log)
        if life is not None and life.is_open and not life.pending:
            life.is_open = False
            self.store.close(log)

    @rule(which=st.integers(0, 3), then=choices)
    def a_log_is_erased(self, which: int, then: list[int]) -> None:
        """Rather one for which something waits."""
        there = [life for life in self.lives.values() if life.is_open]
        if some := [life for life in there if life.pending] or there:
            life = some[which % len(some)]
            life.is_open = False
            del self.lives[life.name]
            self.store.close(life.name)
            self.store.erase(life.name)
            self.is_erased(life)
            self.work(then)

    def work(self, choices: list[int]) -> None:
        """Do some of what is to be done."""

    def is_erased(self, life: Life) -> None:
        """Nothing of that may be seen any more, but for what a crash undoes."""

    @rule(
        person=people,
        name=st.sampled_from(("ann", "Ann", "bob", "Žofie")),
        is_dropped=st.booleans(),
        then=choices,
    )
    def an_account_is_saved_or_dropped(
        self, person: str, name: str, is_dropped: bool, then: list[int]
    ) -> None:
        self.count += 1
        if is_dropped:
            self.register.ask(person, self.store.drop_account(person))
        else:
            account = Account(
                *(person, name, f"hash {self.count}", 1.0, float(self.count)),
                places=("::1",) * (self.count % 3),
                is_locked=self.count % 2 == 0,
                is_admin=self.count % 3 == 0,
                settings={"count": self.count, "rooms": ["#tea"]},
            )
            self.register.ask(account, self.store.save_account(account))
        self.work(then)

    def accounts(self) -> dict[str, Account]:
        """The accounts that are kept, by id."""
        return {account.id: account for account in answer(self.store.accounts())}

    @rule(age=st.integers(0, 20))
    def what_is_old_is_forgotten(self, age: int) -> None:
        before = self.count - age + 0.5
        for life in self.lives.values():
            life.forget(before)
        self.store.forget(before)

    @rule(log=logs, number=st.integers(0, 12), limit=st.integers(1, 6), then=choices)
    def somebody_reads(self, log: str, number: int, limit: int, then: list[int]) -> None:
        life = self._open(log)
        after = self.store.after(log, number, limit)
        self._when_read(after, life, Life.check_after, number, limit, life.last)
        before = self.store.before(log, number, limit)
        self._when_read(before, life, Life.check_before, number, limit, life.last)
        since = self.store.number_at(log, time := 5.0 * number)
        self._when_read(since, life, Life.check_number_at, time, life.last)
        self.work(then)

    def _when_read(
        self, asked: Deferred[_T], life: Life, check: Callable[..., None], *more: object
    ) -> None:
        def read(what: _T) -> None:
            if self.lives.get(life.name) is life:  # else it was erased meanwhile
                check(life, what, *more)

        def is_wrong(failure: Failure) -> None:
            self.wrong.append(failure.value)

        asked.addCallback(read).addErrback(is_wrong)

    @invariant()
    def what_was_read_is_right(self) -> None:
        if self.wrong:
            raise AssertionError("a page is wrong") from self.wrong[0]

    def everything_is_settled(self) -> None:
        """Everybody has heard what became of what they did."""
        for life in self.lives.values():
            assert not life.pending, f"{life.name} hears nothing of {life.pending}"
            if life.is_open:
                self._check_opened(life)
        assert not self.store.is_behind
        assert not self.register.pending, "somebody hears nothing of their account"

    def teardown(self) -> None:
        """In the end everything is told of."""
        self.everything_is_settled()
        self.what_was_read_is_right()


class InMemory(AnyStore):
    """A store that forgets everything when the process ends."""

    def start(self) -> None:
        """Begin anew."""
        self.store = MemoryStore()

    @rule()
    def the_server_is_restarted(self) -> None:
        epoch = self.store.epoch
        self.lives, self.register = {}, Register()
        self.start()
        assert self.store.epoch != epoch
        assert not self.accounts()
        store = self.store
        assert not answer(store.rooms())
        assert not answer(store.saved_sessions())
        assert not answer(store.refs("ann", 9))


class InSqlite(AnyStore):
    """A store in a file, on a disk that takes its time, and is full now and then."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name, "chat.sqlite")
        self.erased: list[Life] = []  # and the disk may not know it yet
        self.saved: dict[str, list[SavedSession | None]] = {person: [None] for person in PEOPLE}
        self.owners: dict[int, Life] = {}  # of the numbers under which logs are kept
        super().__init__()
        self.file = sqlite3.connect(self.path)

    def start(self) -> None:
        """Begin a run with what an earlier one has left."""
        self.turns: list[Callable[[], None]] = []
        self.writing, self.reading = Disk(), Disk()
        self.was_full = False  # since everything was stored
        turn = Turn(self.turns.append)
        self.store = self.sqlite = SqliteStore(self.path, turn, self.writing, self.reading, at_once)

    def is_erased(self, life: Life) -> None:
        """See `AnyStore.is_erased`."""
        self.erased.append(life)

    # Sessions

    @rule(person=people, may_resume=st.booleans())
    def a_session_is_saved_or_dropped(self, person: str, may_resume: bool) -> None:
        self.count += 1
        saved = SavedSession(
            person, f"p{person}", "token", f"{person}{self.count}", "::1", self.count,
            {"#tea": self.count},
            "#tea", "lunch", (("eve", "e"),), ("eva",), (f"r{self.count}",),
            is_quiet=self.count % 2 == 0, account=f"p{person}" if self.count % 3 else "",
            until=self.count * 1.5, is_asleep=self.count % 5 == 0,
        )  # fmt: skip
        self.saved[person].append(saved if may_resume else None)
        if may_resume:
            self.store.save_session(saved).addErrback(lambda failure: failure.trap(Refused))
        else:
            self.store.drop_session(person)

    # The disk

    def _turn_ends(self) -> None:
        asked, self.turns[:] = list(self.turns), []
        for call in asked:
            call()

    def work(self, choices: list[int]) -> None:
        """See `AnyStore.work`: a turn ends, the disk does something, or it is heard of."""
        for choice in choices:
            if choice in FULL:
                self.writing.is_full = self.was_full = True
            elif choice in ROOMY:
                self.writing.is_full = False
            elif possible := list(self._possible()):
                possible[choice % len(possible)]()

    def _possible(self) -> Iterator[Callable[[], None]]:
        if self.turns:
            yield self._turn_ends
        for disk in (self.writing, self.reading):
            if disk.has_work:
                yield disk.turns
            if disk.has_news:
                yield disk.is_heard

    def _everything_happens(self) -> None:
        while possible := list(self._possible()):
            possible[0]()

    def everything_is_settled(self) -> None:
        """And the file holds what it should."""
        self._everything_happens()
        self.writing.is_full = self.was_full = False
        self.store.try_again()
        self._everything_happens()
        super().everything_is_settled()
        self._is_all_stored()
        self._check_file()

    def _is_all_stored(self) -> None:
        """A crash undoes nothing of what was asked for until now."""
        self.erased = []
        self.saved = {person: states[-1:] for person, states in self.saved.items()}

    def _rows(self) -> list[tuple[Any, ...]]:
        query = f"SELECT log, name, {COLUMNS} FROM events LEFT JOIN logs USING (log)"
        return self.file.execute(query).fetchall()

    @invariant()
    def whatever_comes_next_nothing_stands_in_another_log(self) -> None:
        for number, name, *row in self._rows():
            assert name is not None, f"{row} stands in the log of nobody"
            event = to_entry(name if name in ROOMS else OWN, tuple(row)).event
            life = self.put_into[event]
            assert life.name == name, f"{event} stands in the log of {name}"
            assert self.owners.setdefault(number, life) is life, f"{number} is given twice"

    def _check_file(self) -> None:
        """What is erased is gone, and everything else is kept."""
        rows = self._rows()
        for _, name, *row in rows:
            entry = to_entry(name if name in ROOMS else OWN, tuple(row))
            life = self.lives.get(name)
            assert life is not None, f"{name} still holds {entry}"
            assert life.kept.get(entry.id) == entry, f"{name} holds {entry}"
        kept = [life for life in self.lives.values() if life.last]
        last = {(name, number) for _, name, number, *_ in rows}
        assert all((life.name, life.last) in last for life in kept), "a last event is forgotten"
        for client in (person + device for person in PEOPLE for device in ("", "-phone")):
            asked = sorted(
                (entry.event.time, entry.ref, entry.id, entry.id <= life.bound)
                for life in kept
                for entry in life.kept.values()
                if entry.client == client and entry.ref is not None
            )
            refs = answer(self.store.refs(client, 5))
            there = [(ref, n) for _, ref, n, may_be_gone in asked if not may_be_gone]
            maybe = [(ref, n) for _, ref, n, _ in asked]
            assert [ref for ref in maybe if ref in refs] == refs, "no such refs, or out of order"
            assert set(there[-5:]) <= set(refs)
        self._check_states()
        self._check_sessions()
        assert self.accounts() == self.register.kept

    def _check_states(self) -> None:
        """What has no log has no state either."""
        found: dict[str, dict[str, Any]] = {name: {} for name in self.lives}
        query = "SELECT logs.name, state.name, value FROM state LEFT JOIN logs USING (log)"
        for log, name, value in self.file.execute(query):
            found[log][name] = json.loads(value)
        assert found == {name: life.state for name, life in self.lives.items()}

    def _check_sessions(self) -> None:
        saved = {each.id: each for each in answer(self.store.saved_sessions())}
        for person, states in self.saved.items():
            assert saved.get(person) in states
            self.saved[person] = [saved.get(person)]

    # A run ends, and another begins

    @rule(how=st.sampled_from(("when all is done", "in good order", "at once")))
    def the_server_ends(self, how: str) -> None:
        if how == "at once":
            self._close()
        else:
            if how == "when all is done":
                self.everything_is_settled()
            self._stop()
        epoch = self.store.epoch
        self.start()
        assert self.store.epoch == epoch
        self._check_sessions()
        self.register.recover(self.accounts())
        before, self.lives = self.lives, {}
        for log in LOGS:
            self._recover(log, before.get(log))
        self.erased = []
        rooms = answer(self.store.rooms())
        assert set(rooms) == self.lives.keys() & set(ROOMS)

    def _stop(self) -> None:
        stopped = self.store.stop()
        self._everything_happens()
        assert stopped.called, "it does not stop"
        for life in self.lives.values():
            assert not life.pending, f"{life.name} hears nothing of {life.pending}"
        assert not self.register.pending, "somebody hears nothing of their account"
        if not self.was_full:
            self._is_all_stored()

    def _close(self) -> None:
        store = self.sqlite
        connections = (
            store._connection,
            store._history._connection,
            store._checkpoints._connection,
        )
        for held in (*connections, store._lock):
            held.close()

    def _cannot_come_back(self, person: str) -> bool:
        return self.saved[person] == [None] and person not in self.register.kept

    def _recover(self, log: str, life: Life | None) -> None:
        """The log is as it was; or as it was before it was erased, if that is not stored."""
        found: list[Entry] = []
        self.store.after(log, 0, 1_000).addCallback(found.extend)
        self._everything_happens()
        if log not in ROOMS and self._cannot_come_back(log[1:]):
            assert not found, f"{log} is kept of somebody who cannot come back"
            return
        lives = [life] if life is not None else []
        lives += [each for each in self.erased if each.name == log]
        whose = owner(lives, {entry.event for entry in found}) if found else None
        assert whose is not None or not found, f"{log} has {found}"
        if life is not None:
            life.is_open = False
            life.recover(found if whose is life else (), judge=True)
        if whose is not None and whose is not life:
            whose.recover(found, judge=False)
        if whose is not None:
            self.lives[log] = whose

    def teardown(self) -> None:
        """In the end everything is told of, and the file goes."""
        try:
            super().teardown()
        finally:
            self._close()
            self.file.close()
            self.folder.cleanup()


class StoreTests(SynchronousTestCase):
    def test_whatever_happens_each_log_shows_what_was_put_into_it(self) -> None:
        for module, name, few in (
            (writer, "GROUP", 2),
            (writer, "QUEUE", 3),
            (forgetting, "MOST", 2),
        ):
            self.patch(module, name, few)
        for machine in (InMemory, InSqlite):
            run_state_machine_as_test(machine, settings=SETTINGS)
