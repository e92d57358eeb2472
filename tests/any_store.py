"""A store to which everything happens that can happen to one, in any order."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
)
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from tests.kept import Batch, Life, Register
from twisted_chat.events import OWN, Entry, Event, Join, Message, Notice, Topic, Whisper
from twisted_chat.stores import Store
from twisted_chat.stores.account import Account

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


class AnyStore(RuleBasedStateMachine):
    """A store to which everything happens that can happen to one, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.lives: dict[str, Life] = {}
        self.erased: list[Life] = []  # and the database may not know it yet
        self.count = 0
        self.wrong: list[BaseException | None] = []
        self.put_into: dict[Event, Life] = {}
        self.register = Register()
        self.store: Store
        self.start()

    def start(self) -> None:
        """Begin a run with what an earlier one has left."""
        raise NotImplementedError

    def answer(self, asked: Deferred[_T]) -> _T:
        """What the store answers, which may have to be read first."""
        found: list[_T | Failure] = []
        asked.addBoth(found.append)
        while not found:
            self.read()
        if isinstance(found[0], Failure):
            found[0].raiseException()
        return found[0]

    def read(self) -> None:
        """Read something that was asked for."""
        raise AssertionError("there is nothing to wait for")

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
        opened = self.answer(self.store.open(life.name, life.room, life))
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
        return {account.id: account for account in self.answer(self.store.accounts())}

    @rule(age=st.integers(0, 20))
    def what_is_old_is_forgotten(self, age: int) -> None:
        before = self.count - age + 0.5
        for life in (*self.lives.values(), *self.erased):
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
