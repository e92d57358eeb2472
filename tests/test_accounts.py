"""Accounts: who may register what, log in, and change what is theirs."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from tests.disk import Disk
from tests.people import ChatTestCase, at_once
from tests.test_passwords import CHEAP
from twisted_chat import ChatFactory, Limits, Pace
from twisted_chat.chat.account_register import NAME_EXPIRY
from twisted_chat.chat.accounts import Accounts
from twisted_chat.chat.passwords import Authenticator, Hasher, OwnPasswords
from twisted_chat.chat.portal import PortalPasswords, portal_for
from twisted_chat.refusal import Refused
from twisted_chat.stores import Store
from twisted_chat.stores.account import Account
from twisted_chat.stores.memory import MemoryStore
from twisted_chat.stores.sqlite.store import SqliteStore
from twisted_chat.text import names
from twisted_chat.text.passwords import Password
from twisted_chat.turn import Turn

HERE, THERE = "192.0.2.7", "198.51.100.1"
RIGHT, WRONG, NEW = "correct horse", "battery staple", "another secret"
DAY = 86400.0


class AccountsTestCase(SynchronousTestCase):
    """Accounts that are kept in memory, and checked at once."""

    limits = Limits()
    store: Store

    def setUp(self) -> None:
        """Nobody has registered."""
        self.clock = Clock()
        self.clock.advance(1_790_000_000)
        self.accounts = self.make()

    def make(
        self, store: Store | None = None, authenticator: Authenticator | None = None
    ) -> Accounts:
        """The accounts of a server."""
        return Accounts(
            self.clock,
            store or MemoryStore(),
            replace(self.limits),
            authenticator or OwnPasswords(CHEAP),
            self.clock.seconds,
        )

    def kept(self) -> Sequence[Account]:
        """The accounts in the database."""
        found: Sequence[Account] = self.successResultOf(self.store.accounts())
        return found

    def registers(
        self, name: str, password: str = RIGHT, person: str = "", address: str = HERE
    ) -> Account:
        """Somebody registers, with an id made of their name."""
        asked = self.accounts.register(name, Password(password), person or f"id-{name}", address)
        return self.successResultOf(asked)

    def logs_in(self, name: str, password: str = RIGHT, address: str = HERE) -> Account:
        """Somebody logs in."""
        return self.successResultOf(self.accounts.log_in(name, Password(password), address))

    def refused(self, asked: Deferred[Any]) -> Refused:
        """Why something cannot be done."""
        why: Refused = self.failureResultOf(asked, Refused).value
        return why

    def cannot_log_in(self, name: str, password: str = RIGHT, address: str = HERE) -> Refused:
        """Why somebody cannot log in."""
        return self.refused(self.accounts.log_in(name, Password(password), address))

    def cannot_register(self, name: str, password: str = RIGHT, person: str = "p") -> Refused:
        """Why somebody cannot register."""
        return self.refused(self.accounts.register(name, Password(password), person, THERE))


class RegisteringTests(AccountsTestCase):
    def test_who_registers_can_log_in(self) -> None:
        made = self.registers("Alice", person="0123456789abcdef")
        self.assertEqual((made.id, made.name, made.key), ("0123456789abcdef", "Alice", "alice"))
        self.assertEqual(self.logs_in("ALICE").id, made.id)
        self.assertIs(self.accounts.called("alice"), self.accounts.with_id(made.id))

    def test_a_short_password_is_refused(self) -> None:
        self.assertEqual(self.cannot_register("alice", "1234567").code, "weak-password")

    def test_nobody_registers_twice(self) -> None:
        self.registers("alice", person="a")
        told = self.cannot_register("carol", person="a")
        self.assertEqual(told.code, "already-registered")
        self.assertIn("as alice", told.text)

    def test_of_ten_who_register_one_name_at_once_one_gets_it(self) -> None:
        thread = Disk()
        self.accounts = self.make(authenticator=OwnPasswords(CHEAP, thread))
        asked = [
            self.accounts.register(name, Password(RIGHT), f"p{n}", f"192.0.2.{n}")
            for n, name in enumerate(["alice", "Alice", "ALICE", "aIice", "alice"] * 2)
        ]
        while thread.is_busy:
            thread.turns()
            thread.is_heard()
        results: list[object] = []
        for each in asked:
            each.addBoth(results.append)
        self.assertEqual(len(results), 10)
        made = [each for each in results if isinstance(each, Account)]
        self.assertEqual([each.id for each in made], ["p0"])
        self.assertEqual(list(self.accounts), made)

    def test_a_name_that_looks_like_a_registered_one_is_refused_to_others(self) -> None:
        self.registers("alice", person="a")
        for name, code in (
            ("ALICE", "registered-nick"),
            ("aIice", "nick-taken"),
            ("alicе", "nick-taken"),
        ):
            why = self.assertRaises(Refused, self.accounts.check_free, name)
            self.assertEqual(why.code, code)
            self.accounts.check_free(name, "a")
            self.assertEqual(self.cannot_register(name).code, code)
        self.accounts.check_free("bob")

    def test_one_address_makes_few_accounts(self) -> None:
        for n in range(3):
            self.registers(f"user{n}")
        why = self.refused(self.accounts.register("more", Password(RIGHT), "p", HERE))
        self.assertEqual((why.code, why.wait), ("too-fast", 1200.0))
        self.registers("more", address=THERE)
        self.clock.advance(1200)
        self.registers("again")

    def test_what_was_refused_does_not_count_for_that(self) -> None:
        self.registers("alice", address=THERE)
        for _ in range(5):
            self.refused(self.accounts.register("alice", Password(RIGHT), "p", HERE))
        self.registers("bob")

    def test_a_server_has_so_many_accounts_and_no_more(self) -> None:
        self.limits = Limits(accounts=2, registrations=Pace(100, 1))
        self.accounts = self.make()
        self.registers("alice")
        self.registers("bob")
        self.assertEqual(self.cannot_register("carol").code, "full")
        self.assertEqual(len(self.accounts), 2)


class LoggingInTests(AccountsTestCase):
    def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(self) -> None:
        self.registers("alice")
        wrong = self.cannot_log_in("alice", WRONG)
        unknown = self.cannot_log_in("nobody", RIGHT)
        self.assertEqual((wrong.code, wrong.text), (unknown.code, unknown.text))
        self.assertEqual(wrong.code, "bad-password")

    def test_they_get_it_after_the_same_work(self) -> None:
        worked: list[str] = []

        class Counting(Hasher):
            def matches(self, kept: str, password: Password) -> bool:
                worked.append(kept)
                return super().matches(kept, password)

        self.accounts = self.make(authenticator=OwnPasswords(Counting(memory=8)))
        self.registers("alice")
        self.cannot_log_in("alice", WRONG)
        self.cannot_log_in("nobody")
        self.cannot_log_in("alice", "")
        self.assertEqual(len(worked), 3)

    def test_whether_a_name_is_known_does_not_show_in_the_waits(self) -> None:
        self.registers("alice")
        answers = [
            [self.cannot_log_in(name, WRONG, THERE).code for _ in range(7)]
            for name in ("alice", "nobody")
        ]
        self.assertEqual(answers[0], answers[1])
        self.assertEqual(answers[0], ["bad-password"] * 5 + ["too-fast"] * 2)

    def test_the_owner_gets_in_from_where_they_have_been_while_others_guess(self) -> None:
        self.registers("alice")
        for n in range(100):
            self.cannot_log_in("alice", WRONG, f"203.0.113.{n}")
        self.assertEqual(self.cannot_log_in("alice", RIGHT, THERE).code, "too-fast")
        self.logs_in("alice")

    def test_also_after_a_restart(self) -> None:
        database = Path(self.mktemp())
        store = SqliteStore(database, Turn(), at_once, at_once, at_once)
        self.accounts = self.make(store)
        self.registers("alice")
        store.stop()
        store = SqliteStore(database, Turn(), at_once, at_once, at_once)
        self.addCleanup(store.stop)
        self.accounts = self.make(store)
        for n in range(100):
            self.cannot_log_in("alice", WRONG, f"203.0.113.{n}")
        self.logs_in("alice")

    def test_a_password_is_hashed_anew_when_the_parameters_have_changed(self) -> None:
        self.registers("alice")
        store = self.accounts._store
        accounts = self.make(store, OwnPasswords(Hasher(memory=16)))
        accounts._by_id, accounts._names = self.accounts._by_id, self.accounts._names
        self.accounts = accounts
        self.assertIn("$m=16,", self.logs_in("alice").password)
        self.logs_in("alice")

    def test_a_password_that_is_changed_meanwhile_does_not_let_anybody_in(self) -> None:
        thread = Disk()
        made = self.registers("alice")
        self.accounts._authenticator = OwnPasswords(CHEAP, thread)
        asked = self.accounts.log_in("alice", Password(RIGHT), HERE)
        thread.turns()
        self.accounts._by_id[made.id] = replace(made, password=CHEAP.hash(Password(NEW)))
        while thread.is_busy:
            thread.is_heard()
            thread.turns()
        self.assertEqual(self.refused(asked).code, "bad-password")

    def test_a_locked_account_says_so_only_to_who_knows_the_password(self) -> None:
        made = self.registers("alice")
        self.successResultOf(self.accounts.set_locked(made.id, is_locked=True))
        self.assertEqual(self.cannot_log_in("alice", WRONG).code, "bad-password")
        self.assertEqual(self.cannot_log_in("alice").code, "locked")
        self.successResultOf(self.accounts.set_locked(made.id, is_locked=False))
        self.logs_in("alice")

    def test_no_password_is_in_any_log_or_exception(self) -> None:
        with capturedLogs() as captured:
            made = self.registers("alice")
            self.logs_in("alice")
            why = self.failureResultOf(self.accounts.log_in("alice", Password(WRONG), HERE))
        told = [why.getTraceback(detail="verbose"), repr(made), str(list(self.accounts))]
        told += [formatEvent(event) or "" for event in captured] + [repr(captured)]
        for secret in (RIGHT, WRONG, "argon2id"):
            self.assertNotIn(secret, "".join(told))


class ChangingTests(AccountsTestCase):
    def test_another_password_is_chosen_by_who_knows_the_old_one(self) -> None:
        made = self.registers("alice")
        change = self.accounts.change_password
        wrong = self.refused(change(made.id, Password(WRONG), Password(NEW), HERE))
        self.assertEqual(wrong.code, "bad-password")
        short = self.refused(change(made.id, Password(RIGHT), Password("short"), HERE))
        self.assertEqual(short.code, "weak-password")
        self.successResultOf(change(made.id, Password(RIGHT), Password(NEW), HERE))
        self.cannot_log_in("alice")
        self.logs_in("alice", NEW)

    def test_guessing_the_old_one_is_limited_like_logging_in(self) -> None:
        made = self.registers("alice")
        codes = [
            self.refused(
                self.accounts.change_password(made.id, Password(WRONG), Password(NEW), THERE)
            ).code
            for _ in range(6)
        ]
        self.assertEqual(codes[-2:], ["bad-password", "too-fast"])

    def test_an_administrator_sets_a_password_without_the_old_one(self) -> None:
        made = self.registers("alice")
        self.successResultOf(self.accounts.set_password(made.id, Password(NEW)))
        self.logs_in("alice", NEW)

    def test_who_forgets_an_account_frees_the_name(self) -> None:
        made = self.registers("alice")
        self.refused(self.accounts.forget(made.id, Password(WRONG), HERE))
        self.successResultOf(self.accounts.forget(made.id, Password(RIGHT), HERE))
        self.assertIs(self.accounts.called("alice"), None)
        self.assertEqual(self.cannot_log_in("alice").code, "bad-password")
        self.registers("aIice", person="b")
        why = self.refused(self.accounts.delete(made.id))
        self.assertEqual(why.code, "no-such-account")

    def test_settings_and_power_are_kept_with_the_account(self) -> None:
        made = self.registers("alice")
        self.successResultOf(self.accounts.set_settings(made.id, {"bell": True}))
        self.successResultOf(self.accounts.set_admin(made.id, is_admin=True))
        known = self.accounts.with_id(made.id)
        assert known is not None
        self.assertEqual((known.settings, known.is_admin), ({"bell": True}, True))

    def test_of_two_who_change_a_password_at_once_one_does(self) -> None:
        thread = Disk()
        made = self.registers("alice")
        self.accounts._authenticator = OwnPasswords(CHEAP, thread)
        asked = [
            self.accounts.change_password(made.id, Password(RIGHT), Password(new), HERE)
            for new in (NEW, "a third one")
        ]
        while thread.is_busy:
            thread.turns()
            thread.is_heard()
        self.successResultOf(asked[0])
        self.assertEqual(self.refused(asked[1]).code, "bad-password")


class UnusedNamesTests(AccountsTestCase):
    def test_an_unused_name_is_for_others_and_nothing_else_of_it_is(self) -> None:
        self.registers("alice", person="a")
        self.clock.advance(NAME_EXPIRY + 1)
        self.accounts.check_free("alice")
        made = self.registers("Alice", NEW, person="b")
        self.assertEqual(made.id, "b")
        self.assertIs(self.accounts.with_id("a"), None)
        self.cannot_log_in("alice", RIGHT)

    def test_so_is_one_that_looks_like_it(self) -> None:
        self.registers("alice", person="a")
        self.clock.advance(NAME_EXPIRY + 1)
        self.registers("aIice", person="b")
        self.assertIs(self.accounts.called("alice"), None)

    def test_it_stays_theirs_until_somebody_wants_it(self) -> None:
        self.registers("alice")
        self.clock.advance(NAME_EXPIRY + 1)
        self.logs_in("alice")
        self.assertEqual(self.cannot_register("alice").code, "registered-nick")

    def test_it_stays_theirs_while_they_are_here(self) -> None:
        made = self.registers("alice")
        self.clock.advance(NAME_EXPIRY - DAY)
        self.accounts.use(made.id, HERE)
        self.clock.advance(2 * DAY)
        self.assertEqual(self.cannot_register("alice").code, "registered-nick")

    def test_names_of_administrators_and_locked_ones_never_become_free(self) -> None:
        admin, locked = self.registers("alice"), self.registers("bob")
        self.accounts.set_admin(admin.id, is_admin=True)
        self.accounts.set_locked(locked.id, is_locked=True)
        self.clock.advance(10 * NAME_EXPIRY)
        for name in ("alice", "bob"):
            self.assertEqual(self.cannot_register(name).code, "registered-nick")

    def test_where_it_is_off_no_name_does(self) -> None:
        self.registers("alice")
        self.accounts.name_expiry = None
        self.clock.advance(10 * NAME_EXPIRY)
        self.assertEqual(self.cannot_register("alice").code, "registered-nick")

    def test_an_owner_who_comes_back_just_then_keeps_it(self) -> None:
        thread = Disk()
        self.registers("alice", person="a")
        self.clock.advance(NAME_EXPIRY + 1)
        self.accounts._authenticator = OwnPasswords(CHEAP, thread)
        asked = self.accounts.register("alice", Password(NEW), "b", THERE)
        thread.turns()
        self.accounts.use("a", HERE)
        thread.is_heard()
        self.assertEqual(self.refused(asked).code, "nick-taken")
        self.assertEqual(self.accounts._pending, {})


class FullDiskTests(AccountsTestCase):
    def setUp(self) -> None:
        """The database is on a disk that does nothing by itself."""
        super().setUp()
        self.turns: list[Callable[[], None]] = []
        self.disk = Disk()
        self.store = SqliteStore(
            Path(self.mktemp()), Turn(self.turns.append), self.disk, at_once, at_once
        )
        self.accounts = self.make(self.store)
        self.addCleanup(self.stop)

    def stop(self) -> None:
        """The server ends."""
        self.store.stop()
        self.the_disk_works()

    def the_disk_works(self) -> None:
        """Everything is done that there is to do, and told of."""
        while self.turns or self.disk.is_busy:
            while self.turns:
                self.turns.pop(0)()
            self.disk.turns()
            self.disk.is_heard()

    def asks_to_register(self, name: str, person: str) -> Deferred[Account]:
        """Somebody registers, and the disk has not heard of it."""
        return self.accounts.register(name, Password(RIGHT), person, HERE)

    def test_an_account_is_made_once_it_is_stored(self) -> None:
        asked = self.asks_to_register("alice", "a")
        self.assertNoResult(asked)
        self.assertIs(self.accounts.called("alice"), None)
        self.assertRaises(Refused, self.accounts.check_free, "alice")
        self.the_disk_works()
        self.assertEqual(self.successResultOf(asked).name, "alice")
        self.assertEqual(list(self.kept()), list(self.accounts))

    def test_where_it_cannot_be_stored_it_is_not_made(self) -> None:
        self.disk.is_full = True
        asked = self.asks_to_register("alice", "a")
        self.the_disk_works()
        why = self.refused(asked)
        self.assertEqual(why.code, "not-stored")
        self.assertEqual(
            why.text,
            "That could not be stored (the disk is full), so nothing has changed: try again in a "
            "while.",
        )
        self.assertEqual(list(self.accounts), [])
        self.disk.is_full = False
        again = self.asks_to_register("alice", "a")
        self.the_disk_works()
        self.successResultOf(again)
        self.assertEqual(len(list(self.kept())), 1)

    def test_nor_does_it_count_for_the_address(self) -> None:
        self.disk.is_full = True
        for _ in range(5):
            asked = self.asks_to_register("alice", "a")
            self.the_disk_works()
            self.assertEqual(self.refused(asked).code, "not-stored")

    def test_nor_is_anything_changed(self) -> None:
        self.asks_to_register("alice", "a")
        self.the_disk_works()
        before = list(self.accounts)
        self.disk.is_full = True
        asked = [
            self.accounts.set_admin("a", is_admin=True),
            self.accounts.set_password("a", Password(NEW)),
            self.accounts.delete("a"),
        ]
        self.the_disk_works()
        self.assertEqual([self.refused(each).code for each in asked], ["not-stored"] * 3)
        self.assertEqual(list(self.accounts), before)
        self.assertEqual(self.accounts._locks, {})

    def test_changes_of_one_account_that_come_together_are_all_made(self) -> None:
        self.asks_to_register("alice", "a")
        self.the_disk_works()
        self.accounts.set_admin("a", is_admin=True)
        self.accounts.set_settings("a", {"bell": False})
        self.accounts.set_locked("a", is_locked=True)
        self.the_disk_works()
        (kept,) = self.kept()
        self.assertEqual(
            (kept.is_admin, kept.settings, kept.is_locked), (True, {"bell": False}, True)
        )
        self.assertEqual([kept], list(self.accounts))

    def test_the_database_has_each_name_once_and_others_are_stored_all_the_same(self) -> None:
        one, two = Account("a", "alice", "", 1, 1), Account("b", "ALICE", "", 2, 2)
        three = Account("c", "carol", "", 3, 3)
        saved = [self.store.save_account(each) for each in (one, two, three)]
        self.the_disk_works()
        self.successResultOf(saved[0])
        self.assertEqual(self.refused(saved[1]).code, "nick-taken")
        self.successResultOf(saved[2])
        self.assertEqual(list(self.kept()), [one, three])

    def test_an_unused_account_stays_if_the_new_one_cannot_be_stored(self) -> None:
        self.asks_to_register("alice", "a")
        self.the_disk_works()
        self.clock.advance(NAME_EXPIRY + 1)
        self.disk.is_full = True
        asked = self.asks_to_register("alice", "b")
        self.the_disk_works()
        self.assertEqual(self.refused(asked).code, "not-stored")
        self.assertEqual([each.id for each in self.accounts], ["a"])
        self.disk.is_full = False
        asked = self.asks_to_register("alice", "b")
        self.the_disk_works()
        self.successResultOf(asked)
        self.assertEqual([each.id for each in self.kept()], ["b"])

    def test_an_owner_who_comes_back_too_late_does_not_return_in_the_database(self) -> None:
        self.asks_to_register("alice", "a")
        self.the_disk_works()
        self.clock.advance(NAME_EXPIRY + 1)
        asked = self.asks_to_register("aIice", "b")
        self.accounts.use("a", THERE)
        self.the_disk_works()
        self.successResultOf(asked)
        self.assertEqual([each.id for each in self.kept()], ["b"])
        self.assertEqual([each.id for each in self.accounts], ["b"])


class SiteTests(AccountsTestCase):
    def setUp(self) -> None:
        """A site says who is who."""
        super().setUp()
        self.site = InMemoryUsernamePasswordDatabaseDontUse(alice=RIGHT.encode())
        self.accounts = self.make(authenticator=PortalPasswords(portal_for(self.site)))

    def test_who_is_known_to_the_site_has_an_account_from_the_first_time_on(self) -> None:
        first = self.logs_in("alice")
        self.assertEqual((first.name, first.password), ("alice", ""))
        self.assertEqual(self.logs_in("ALICE").id, first.id)
        self.assertEqual(self.cannot_log_in("alice", WRONG).code, "bad-password")

    def test_two_whom_only_the_site_tells_apart_are_never_one(self) -> None:
        self.site.addUser(b"Alice", NEW.encode())
        self.logs_in("alice")
        self.assertEqual(self.cannot_log_in("Alice", NEW).code, "bad-password")

    def test_a_name_that_is_no_nickname_is_refused_with_the_reason(self) -> None:
        self.site.addUser(b"alice@example.org", NEW.encode())
        self.assertEqual(self.cannot_log_in("alice@example.org", NEW).code, "bad-nick")

    def test_nobody_registers_or_chooses_a_password(self) -> None:
        self.assertEqual(self.cannot_register("bob").code, "not-allowed")
        made = self.logs_in("alice")
        asked = self.accounts.change_password(made.id, Password(RIGHT), Password(NEW), HERE)
        self.assertEqual(self.refused(asked).code, "not-allowed")


class EmbeddingTests(ChatTestCase):
    def test_a_program_that_embeds_the_chat_has_its_own_portal_decide(self) -> None:
        site = InMemoryUsernamePasswordDatabaseDontUse(alice=RIGHT.encode())
        accounts = ChatFactory(self.clock, portal=portal_for(site)).chat.accounts
        made = self.successResultOf(accounts.log_in("alice", Password(RIGHT), HERE))
        self.assertEqual(made.name, "alice")

    def test_without_one_people_register(self) -> None:
        accounts = self.factory.chat.accounts
        self.successResultOf(accounts.register("alice", Password(RIGHT), "a", HERE))
        self.successResultOf(accounts.log_in("alice", Password(RIGHT), HERE))


class Model:
    """What a dictionary says of accounts."""

    def __init__(self) -> None:
        self.owners: dict[str, str] = {}  # ids by key
        self.passwords: dict[str, str] = {}  # by id
        self.used: dict[str, float] = {}
        self.locked: set[str] = set()

    def is_unused(self, account_id: str, now: float) -> bool:
        """Whether somebody else may have its name."""
        return account_id not in self.locked and now - self.used[account_id] > NAME_EXPIRY

    def drop(self, key: str) -> None:
        """A name is nobody's any more."""
        account_id = self.owners.pop(key)
        self.locked.discard(account_id)


NAMES = ("alice", "ALICE", "bob", "Žofie")
PASSWORDS = (RIGHT, WRONG, NEW)
steps = st.lists(
    st.tuples(
        st.sampled_from(
            ("register", "log in", "change", "forget", "lock", "unlock", "days", "restart")
        ),
        st.sampled_from(NAMES),
        st.sampled_from(PASSWORDS),
        st.sampled_from(PASSWORDS),
        st.integers(1, 80),
    ),
    max_size=40,
)


class AnyOrderTests(AccountsTestCase):
    limits = Limits(registrations=Pace(1000, 1), login_tries=1000, login_tries_per_address=1000)

    @settings(max_examples=100, deadline=None)
    @given(steps)
    def test_whatever_people_do_a_dictionary_agrees(
        self, steps: list[tuple[str, str, str, str, int]]
    ) -> None:
        self.clock = Clock()
        self.database = Path(self.mktemp())
        self.opens()
        self.model = Model()
        for number, step in enumerate(steps):
            self.step(number, *step)
            self.agrees()
        self.store.stop()

    def opens(self) -> None:
        """The server starts."""
        self.store = SqliteStore(self.database, Turn(), at_once, at_once, at_once)
        self.accounts = self.make(self.store)

    def step(self, number: int, what: str, name: str, old: str, new: str, days: int) -> None:
        """Somebody does something, and the dictionary says what comes of it."""
        model, accounts, key, now = self.model, self.accounts, names.key(name), self.clock.seconds()
        owner = model.owners.get(key, "")
        is_right = bool(owner) and model.passwords[owner] == old
        match what:
            case "register":
                is_free = not owner or model.is_unused(owner, now)
                asked = accounts.register(name, Password(old), f"p{number}", HERE)
                self.comes(asked, "" if is_free else "registered-nick")
                if is_free:
                    if owner:
                        model.drop(key)
                    model.owners[key] = f"p{number}"
                    model.passwords[f"p{number}"] = old
                    model.used[f"p{number}"] = now
            case "log in":
                asked = accounts.log_in(name, Password(old), HERE)
                is_locked = owner in model.locked
                self.comes(asked, "bad-password" if not is_right else "locked" if is_locked else "")
                if is_right and not is_locked:
                    model.used[owner] = now
            case "change" if owner:
                asked = accounts.change_password(owner, Password(old), Password(new), HERE)
                self.comes(asked, "" if is_right else "bad-password")
                if is_right:
                    model.passwords[owner] = new
            case "forget" if owner:
                asked = accounts.forget(owner, Password(old), HERE)
                self.comes(asked, "" if is_right else "bad-password")
                if is_right:
                    model.drop(key)
            case "lock" if owner:
                self.comes(accounts.set_locked(owner, is_locked=True), "")
                model.locked.add(owner)
            case "unlock" if owner:
                self.comes(accounts.set_locked(owner, is_locked=False), "")
                model.locked.discard(owner)
            case "days":
                self.clock.advance(days * DAY)
            case "restart":
                self.store.stop()
                self.opens()

    def comes(self, asked: Deferred[Account], code: str) -> None:
        """It is done, or refused with a code."""
        if code:
            self.assertEqual(self.refused(asked).code, code)
        else:
            self.successResultOf(asked)

    def agrees(self) -> None:
        """The accounts are those of the dictionary, in memory and in the database."""
        kept = {each.id: each for each in self.kept()}
        self.assertEqual(kept, {each.id: each for each in self.accounts})
        self.assertEqual({each.key: each.id for each in kept.values()}, self.model.owners)
        for account_id, each in kept.items():
            self.assertEqual(each.is_locked, account_id in self.model.locked)
            self.assertEqual(each.used, self.model.used[account_id])
