"""Passwords: what they may be, how they are checked, and how often one may guess."""

from collections.abc import Callable
from typing import Literal, NoReturn, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from hypothesis import given
from hypothesis import strategies as st
from twisted.cred.checkers import (
    AllowAnonymousAccess,
    ICredentialsChecker,
    InMemoryUsernamePasswordDatabaseDontUse,
)
from twisted.cred.credentials import IUsernamePassword
from twisted.cred.portal import IRealm, Portal
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from tests.disk import Disk
from twisted_chat.chat.attempts import FORGET, MOST, Attempts
from twisted_chat.chat.passwords import Hasher, OwnPasswords, check_hash
from twisted_chat.chat.portal import PortalPasswords, portal_for
from twisted_chat.limits import Limits
from twisted_chat.refusal import Refused
from twisted_chat.stores.account import Account
from twisted_chat.text.passwords import LONGEST, Password

_T = TypeVar("_T")
_Avatar = bytes | tuple[()]

CHEAP = Hasher(memory=8)
"""Made for tests: 50 microseconds."""

RIGHT = Password("correct horse")


def account(name: str = "alice", password: str = "") -> Account:
    """Somebody's account."""
    return Account("a" * 16, name, password, 0.0, 0.0)


class PasswordTests(SynchronousTestCase):
    def refused(self, text: str) -> str:
        """Why a password cannot be chosen."""
        why: Refused = self.assertRaises(Refused, Password(text).check_new)
        return why.text

    def test_it_has_eight_characters_at_least(self) -> None:
        self.assertIn("at least 8 characters", self.refused("1234567"))
        self.assertIn("at least 8 characters", self.refused(""))
        self.assertIn("at least 8 characters", self.refused("       x       "))
        Password("12345678").check_new()
        Password("пароль12").check_new()

    def test_it_ends_somewhere_and_has_no_control_characters(self) -> None:
        Password("x" * LONGEST).check_new()
        self.assertIn(f"at most {LONGEST} characters", self.refused("x" * (LONGEST + 1)))
        self.assertIn(f"at most {LONGEST} characters", self.refused("x" * 1_000_000))
        self.assertIn("no control characters", self.refused("12345678\x1b[A"))

    def test_all_of_it_counts(self) -> None:
        kept = CHEAP.hash(Password("x" * 80 + "a"))
        self.assertFalse(CHEAP.matches(kept, Password("x" * 80 + "b")))
        self.assertTrue(CHEAP.matches(kept, Password("x" * 80 + "a")))

    def test_it_is_the_same_however_a_keyboard_writes_it(self) -> None:
        self.assertEqual(Password("cafe\u0301 noir").secret, Password("café\u00a0noir").secret)
        self.assertEqual(Password("  with blanks ").secret, Password("with blanks").secret)
        self.assertNotEqual(Password("Password").secret, Password("password").secret)

    @given(st.text())
    def test_whatever_it_is_it_shows_nowhere(self, text: str) -> None:
        password = Password(text)
        self.assertEqual(f"{password} {password!r}", "<Password> <Password>")
        self.assertEqual(Password(password.secret.decode()).secret, password.secret)


class HasherTests(SynchronousTestCase):
    def test_the_default_is_what_owasp_recommends(self) -> None:
        self.assertTrue(Hasher().hash(RIGHT).startswith("$argon2id$v=19$m=47104,t=1,p=1$"))

    def test_a_hash_of_other_parameters_is_outdated_and_still_right(self) -> None:
        kept = CHEAP.hash(RIGHT)
        other = Hasher(memory=16)
        self.assertTrue(other.matches(kept, RIGHT))
        self.assertTrue(other.is_outdated(kept))
        self.assertFalse(CHEAP.is_outdated(kept))

    def test_nobodys_hash_is_compared_with_the_same_work_and_is_never_right(self) -> None:
        self.assertFalse(CHEAP.matches("", RIGHT))
        self.assertFalse(CHEAP.is_outdated(CHEAP._nobodys))

    def test_nobodys_hash_is_a_hash_that_is_worked_on_to_the_end(self) -> None:
        hasher, ended = Hasher(memory=8), []

        class Watched(PasswordHasher):
            def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 - of argon2
                try:
                    return super().verify(hash, password)
                except VerifyMismatchError:
                    ended.append(hash)
                    raise

        hasher._argon2 = Watched(time_cost=1, memory_cost=8, parallelism=1)
        self.assertFalse(hasher.matches("", RIGHT))
        self.assertEqual(ended, [hasher._nobodys])

    def test_a_hash_from_elsewhere_must_be_one_that_can_be_checked(self) -> None:
        check_hash(CHEAP.hash(RIGHT))
        for wrong in (
            "",
            "secret",
            "$2b$12$KIXQfEuqz",
            CHEAP.hash(RIGHT).replace("argon2id", "argon2i"),
            CHEAP.hash(RIGHT).replace("m=8,t=1", "m=4294967295,t=1"),
            CHEAP.hash(RIGHT).replace("m=8,t=1", "m=8,t=4294967295"),
            CHEAP.hash(RIGHT)[:40],
        ):
            self.assertRaises(ValueError, check_hash, wrong)


class OwnPasswordsTests(SynchronousTestCase):
    def setUp(self) -> None:
        """Alice has a password, and the thread does nothing by itself."""
        self.thread = Disk()
        self.passwords = OwnPasswords(CHEAP, self.thread, waiting=2)
        self.alice = account(password=CHEAP.hash(RIGHT))

    def when_done(self, asked: Deferred[_T]) -> _T:
        """What comes out once the thread has done its work."""
        self.assertNoResult(asked)
        self.thread.turns()
        self.thread.is_heard()
        return self.successResultOf(asked)

    def test_only_the_right_password_proves_a_name(self) -> None:
        passwords = self.passwords
        self.assertEqual(self.when_done(passwords.check("ALICE", self.alice, RIGHT)), "alice")
        wrong = Password("battery staple")
        self.assertIs(self.when_done(passwords.check("alice", self.alice, wrong)), None)
        self.assertIs(self.when_done(passwords.check("nobody", None, RIGHT)), None)

    def test_an_unusable_password_is_wrong_even_where_the_empty_one_was_hashed(self) -> None:
        imported = account(password=CHEAP._argon2.hash(b""))
        for text in ("", "   ", "\x00", "x" * 1_000):
            asked = self.passwords.check("alice", imported, Password(text))
            self.assertIs(self.when_done(asked), None)

    def test_who_finds_too_many_waiting_is_told_to_wait(self) -> None:
        waiting = [self.passwords.check("alice", self.alice, RIGHT) for _ in range(2)]
        refused = self.failureResultOf(self.passwords.hash(RIGHT), Refused).value
        self.assertEqual((refused.code, refused.wait), ("too-fast", 5.0))
        self.assertEqual([self.when_done(each) for each in waiting], ["alice", "alice"])
        self.when_done(self.passwords.hash(RIGHT))


@implementer(ICredentialsChecker)
class Checker:
    """A site's checker that does what a test says."""

    credentialInterfaces = (IUsernamePassword,)  # noqa: N815 - of Twisted

    def __init__(self, answer: Callable[[], Deferred[_Avatar]]) -> None:
        self.answer = answer
        self.asked: list[tuple[bytes, bytes]] = []

    def requestAvatarId(self, credentials: IUsernamePassword) -> Deferred[_Avatar]:
        self.asked.append((credentials.username, credentials.password))
        return self.answer()


@implementer(IRealm)
class Nobody:
    """A realm where nobody is known."""

    def requestAvatar(self, avatar_id: object, mind: object, *interfaces: object) -> NoReturn:
        raise NotImplementedError


class PortalTests(SynchronousTestCase):
    def check(self, checker: ICredentialsChecker, name: str, password: Password) -> str | None:
        """Whose password a site says that this is."""
        asked = PortalPasswords(portal_for(checker)).check(name, None, password)
        name_proven: str | None = self.successResultOf(asked)
        return name_proven

    def test_the_sites_checker_decides(self) -> None:
        site = InMemoryUsernamePasswordDatabaseDontUse(alice=b"correct horse")
        self.assertEqual(self.check(site, "alice", RIGHT), "alice")
        self.assertIs(self.check(site, "alice", Password("wrong")), None)
        self.assertIs(self.check(site, "bob", RIGHT), None)

    def test_it_is_asked_for_an_accounts_name_as_the_site_spells_it(self) -> None:
        checker = Checker(lambda: succeed(b"Alice"))
        passwords = PortalPasswords(portal_for(checker))
        passwords.check("ALICE", account("Alice"), RIGHT)
        self.assertEqual(checker.asked, [(b"Alice", b"correct horse")])

    def test_it_is_never_asked_for_an_empty_password(self) -> None:
        checker = Checker(lambda: succeed(b"alice"))
        self.assertIs(self.check(checker, "alice", Password(" ")), None)
        self.assertEqual(checker.asked, [])

    def test_who_is_nobody_in_particular_is_not_logged_in(self) -> None:
        self.assertIs(self.check(Checker(lambda: succeed(())), "alice", RIGHT), None)

    def test_a_checker_that_fails_says_so_and_tells_no_password(self) -> None:
        def fails() -> Deferred[_Avatar]:
            raise OSError("correct horse")

        asked = PortalPasswords(portal_for(Checker(fails))).check("alice", None, RIGHT)
        refused = self.failureResultOf(asked, Refused).value
        self.assertEqual(refused.code, "not-available")
        self.assertNotIn("horse", refused.text)

    def test_a_portal_that_takes_no_passwords_is_a_fault_and_no_wrong_password(self) -> None:
        portal = Portal(Nobody(), [AllowAnonymousAccess()])
        asked = PortalPasswords(portal).check("alice", None, RIGHT)
        self.assertEqual(self.failureResultOf(asked, Refused).value.code, "not-available")

    def test_nobody_chooses_a_password_there(self) -> None:
        passwords = PortalPasswords(portal_for(Checker(lambda: succeed(()))))
        refused = self.failureResultOf(passwords.hash(RIGHT), Refused).value
        self.assertEqual(refused.code, "not-allowed")
        self.assertFalse(passwords.is_outdated(account()))


class AttemptsTests(SynchronousTestCase):
    limits = Limits()

    def setUp(self) -> None:
        """Nobody has tried anything yet."""
        self.clock = Clock()
        self.attempts = Attempts(self.clock, self.limits)

    def waits(self, key: str, place: str, *, is_known: bool = False) -> float:
        """How long one has to wait before a try; 0.0 if it is counted now."""
        try:
            self.attempts.begin(key, place, is_known=is_known)
        except Refused as refused:
            assert refused.wait is not None
            return refused.wait
        return 0.0

    def test_who_guesses_waits_longer_each_time(self) -> None:
        self.assertEqual([self.waits("alice", "::1") for _ in range(5)], [0.0] * 5)
        waits = []
        for _ in range(10):
            waits.append(self.waits("alice", "::1"))
            self.clock.advance(waits[-1])
            self.assertEqual(self.waits("alice", "::1"), 0.0)
        self.assertEqual(waits, [5, 10, 20, 40, 80, 160, 320, 640, 900, 900])

    def test_waiting_costs_nothing_more(self) -> None:
        for _ in range(5):
            self.waits("alice", "::1")
        for _ in range(100):
            self.assertEqual(self.waits("alice", "::1"), 5.0)

    def test_after_an_hour_it_is_forgotten(self) -> None:
        for _ in range(5):
            self.waits("alice", "::1")
        self.clock.advance(FORGET + 1)
        self.assertEqual([self.waits("alice", "::1") for _ in range(5)], [0.0] * 5)

    def test_what_was_right_does_not_count(self) -> None:
        for _ in range(50):
            self.attempts.take_back(self.attempts.begin("alice", "::1", is_known=False))
        self.assertEqual(self.waits("alice", "::1"), 0.0)

    def test_many_addresses_guess_no_faster_at_one_account(self) -> None:
        for n in range(5):
            self.waits("alice", f"192.0.2.{n}")
        self.assertEqual(self.waits("alice", "198.51.100.1"), 5.0)
        self.assertEqual(self.waits("bob", "198.51.100.1"), 0.0)

    def test_one_address_guesses_no_faster_at_many_accounts(self) -> None:
        for n in range(self.limits.login_tries_per_address):
            self.assertEqual(self.waits(f"name{n}", "192.0.2.1"), 0.0)
        self.assertEqual(self.waits("alice", "192.0.2.1"), 5.0)
        self.assertEqual(self.waits("alice", "192.0.2.2"), 0.0)

    def test_the_owner_is_not_locked_out_of_where_they_have_been(self) -> None:
        for n in range(200):
            self.waits("alice", f"192.0.2.{n}")
            self.waits(f"name{n}", "198.51.100.1")
        self.assertTrue(self.waits("alice", "198.51.100.1"))
        self.assertEqual(self.waits("alice", "198.51.100.1", is_known=True), 0.0)

    def test_a_guesser_who_shares_their_address_waits_all_the_same(self) -> None:
        for _ in range(5):
            self.waits("alice", "192.0.2.1", is_known=True)
        self.assertEqual(self.waits("alice", "192.0.2.1", is_known=True), 5.0)

    def test_many_names_and_addresses_do_not_fill_the_memory(self) -> None:
        for n in range(MOST + 100):
            self.waits(f"name{n}", f"place{n}")
            self.waits(f"name{n}", f"place{n}", is_known=True)
        attempts = self.attempts
        for known in (attempts._by_account, attempts._by_place, attempts._by_both):
            self.assertEqual(len(known), MOST)
