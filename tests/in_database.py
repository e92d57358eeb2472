"""A store in a database that takes its time, and cannot store anything now and then."""

from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from tests.any_store import FULL, LOGS, PEOPLE, ROOMS, ROOMY, AnyStore, people
from tests.disk import Disk
from tests.kept import Life, owner
from twisted_chat.events import OWN
from twisted_chat.refusal import Refused
from twisted_chat.stores import SavedSession
from twisted_chat.stores.rows import to_entry


class InDatabase(AnyStore):
    """A store that keeps what it is given from one run to the next."""

    writing: Disk
    reading: Disk

    def __init__(self) -> None:
        self.saved: dict[str, list[SavedSession | None]] = {person: [None] for person in PEOPLE}
        self.owners: dict[int, Life] = {}  # of the numbers under which logs are kept
        self.turns: list[Callable[[], None]] = []
        self.was_full = False  # since everything was stored
        super().__init__()

    def read(self) -> None:
        """See `AnyStore.read`."""
        self.reading.turns()
        self.reading.is_heard()

    def rows(self) -> list[tuple[Any, ...]]:
        """Every event in the database: the number and name of its log, then `COLUMNS`."""
        raise NotImplementedError

    def states(self) -> list[tuple[str, str, Any]]:
        """Everything in the states of logs: the log's name, and name and value."""
        raise NotImplementedError

    def close(self) -> None:
        """The server is gone, whatever it was about to do."""
        raise NotImplementedError

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

    def turn_ends(self) -> None:
        """The turn is over."""
        asked, self.turns[:] = list(self.turns), []
        for call in asked:
            call()

    def work(self, choices: list[int]) -> None:
        """See `AnyStore.work`: a turn ends, the disk does something, or it is heard of."""
        for choice in choices:
            if choice in FULL + ROOMY:
                self.has_room(is_full=choice in FULL)
                self.was_full = self.was_full or choice in FULL
            elif possible := list(self.possible()):
                possible[choice % len(possible)]()

    def has_room(self, *, is_full: bool) -> None:
        """The disk has room from now on, or has none."""
        self.writing.is_full = is_full

    def possible(self) -> Iterator[Callable[[], None]]:
        """What can happen next."""
        if self.turns:
            yield self.turn_ends
        for disk in (self.writing, self.reading):
            if disk.has_work:
                yield disk.turns
            if disk.has_news:
                yield disk.is_heard

    def everything_happens(self) -> None:
        """Everything that can happen does."""
        while possible := list(self.possible()):
            possible[0]()

    def everything_is_settled(self) -> None:
        """And the file holds what it should."""
        self.everything_happens()
        self.has_room(is_full=False)
        self.was_full = False
        self.store.try_again()
        self.everything_happens()
        super().everything_is_settled()
        self._is_all_stored()
        self._check_file()

    def _is_all_stored(self) -> None:
        """A crash undoes nothing of what was asked for until now."""
        self.erased = []
        self.saved = {person: states[-1:] for person, states in self.saved.items()}

    @invariant()
    def whatever_comes_next_nothing_stands_in_another_log(self) -> None:
        for number, name, *row in self.rows():
            assert name is not None, f"{row} stands in the log of nobody"
            event = to_entry(name if name in ROOMS else OWN, tuple(row)).event
            life = self.put_into[event]
            assert life.name == name, f"{event} stands in the log of {name}"
            assert self.owners.setdefault(number, life) is life, f"{number} is given twice"

    def _check_file(self) -> None:
        """What is erased is gone, and everything else is kept."""
        rows = self.rows()
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
            refs = self.answer(self.store.refs(client, 5))
            there = [(ref, n) for _, ref, n, may_be_gone in asked if not may_be_gone]
            maybe = [(ref, n) for _, ref, n, _ in asked]
            assert [ref for ref in maybe if ref in refs] == refs, "no such refs, or out of order"
            older = maybe[: maybe.index(refs[0])] if len(refs) == 5 else []
            assert set(there) <= {*older, *refs}, "some are missing"
        self._check_states()
        self._check_sessions()
        assert self.accounts() == self.register.kept

    def _check_states(self) -> None:
        """What has no log has no state either."""
        found: dict[str, dict[str, Any]] = {name: {} for name in self.lives}
        for log, name, value in self.states():
            found[log][name] = value
        assert found == {name: life.state for name, life in self.lives.items()}

    def _check_sessions(self) -> None:
        saved = {each.id: each for each in self.answer(self.store.saved_sessions())}
        for person, states in self.saved.items():
            assert saved.get(person) in states
            self.saved[person] = [saved.get(person)]

    # A run ends, and another begins

    @rule(how=st.sampled_from(("when all is done", "in good order", "at once")))
    def the_server_ends(self, how: str) -> None:
        if how == "at once":
            self.close()
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
        rooms = self.answer(self.store.rooms())
        assert set(rooms) == self.lives.keys() & set(ROOMS)

    def _stop(self) -> None:
        stopped = self.store.stop()
        self.everything_happens()
        assert stopped.called, "it does not stop"
        for life in self.lives.values():
            assert not life.pending, f"{life.name} hears nothing of {life.pending}"
        assert not self.register.pending, "somebody hears nothing of their account"
        if not self.was_full:
            self._is_all_stored()

    def _cannot_come_back(self, person: str) -> bool:
        return self.saved[person] == [None] and person not in self.register.kept

    def _recover(self, log: str, life: Life | None) -> None:
        """The log is as it was; or as it was before it was erased, if that is not stored."""
        passing = Life(log)
        self.answer(self.store.open(log, passing.room, passing))
        found = self.answer(self.store.after(log, 0, 1_000))
        self.store.close(log)
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
        """In the end everything is told of, and the server goes."""
        try:
            super().teardown()
        finally:
            self.close()
