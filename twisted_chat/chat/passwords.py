"""Whether a password is right: hashed with Argon2id, in a thread beside the chat."""

import secrets
from base64 import b64encode
from collections.abc import Callable
from typing import Protocol, TypeVar

from argon2 import PasswordHasher, Type, extract_parameters
from argon2.exceptions import Argon2Error, InvalidHashError
from twisted.internet.defer import Deferred, execute, fail

from twisted_chat.refusal import Refused
from twisted_chat.stores import WorkerThread
from twisted_chat.stores.account import Account
from twisted_chat.text.passwords import Password

MEMORY, PASSES, LANES = 47_104, 1, 1
"""OWASP's first choice, in KiB: 50 ms of one core, 46 MB while it lasts.

Whoever changes these changes nothing that is stored: a password is hashed anew when its owner
logs in the next time.
"""

WAITING = 50
"""Passwords that wait to be checked: some seconds' work. More are refused at once."""

_MOST_MEMORY, _MOST_WORK = 1_048_576, 16_777_216
"""KiB, and KiB times passes, of a hash from elsewhere: some seconds."""

_BUSY = 5.0
"""Seconds after which those who wait have been checked."""

_T = TypeVar("_T")


class Hasher:
    """Makes Argon2id hashes of passwords, and checks them (RFC 9106).

    Args:
        memory: KiB that it takes.
        passes: how often it goes through them.
        lanes: how many cores it keeps busy.
    """

    def __init__(self, memory: int = MEMORY, passes: int = PASSES, lanes: int = LANES) -> None:
        self._argon2 = PasswordHasher(time_cost=passes, memory_cost=memory, parallelism=lanes)
        salt, digest = (_base64(secrets.token_bytes(size)) for size in (16, 32))
        self._nobodys = f"$argon2id$v=19$m={memory},t={passes},p={lanes}${salt}${digest}"

    def hash(self, password: Password) -> str:
        """The hash that is kept of a password, with its parameters and a salt of its own."""
        return self._argon2.hash(password.secret)

    def matches(self, kept: str, password: Password) -> bool:
        """Whether a password is the one of which this is the hash.

        Where there is none, another is compared with it, which takes as long.
        """
        try:
            return self._argon2.verify(kept or self._nobodys, password.secret)
        except (Argon2Error, InvalidHashError):
            return False

    def is_outdated(self, kept: str) -> bool:
        """Whether a hash was made with other parameters than these."""
        return self._argon2.check_needs_rehash(kept)


def _base64(data: bytes) -> str:
    return b64encode(data).decode().rstrip("=")


def check_hash(text: str) -> None:
    """Make sure that a hash from elsewhere can be checked here.

    Raises:
        ValueError: why not.
    """
    try:
        made_with = extract_parameters(text)
    except (InvalidHashError, ValueError):
        made_with = None
    if made_with is None or made_with.type is not Type.ID:
        raise ValueError("the password is no Argon2id hash, such as $argon2id$v=19$m=...")
    work = made_with.memory_cost * made_with.time_cost
    if made_with.memory_cost > _MOST_MEMORY or work > _MOST_WORK:
        raise ValueError("the password's hash takes too much memory or time to be checked")


def _at_once(work: Callable[[], _T]) -> Deferred[_T]:
    return execute(work)


class Authenticator(Protocol):
    """Decides whether a password is right."""

    def check(self, name: str, account: Account | None, password: Password) -> Deferred[str | None]:
        """The name for which a password is right, or None if it is wrong.

        Args:
            name: what was typed.
            account: the account of that name, if there is one.
            password: what is to be the password.

        Returns:
            Fails with `Refused` if that cannot be found out now.
        """

    def hash(self, password: Password) -> Deferred[str]:
        """What is to be kept of a new password; fails with `Refused` where none can be chosen."""

    def is_outdated(self, account: Account) -> bool:
        """Whether what is kept of an account's password should be made anew."""


class OwnPasswords:
    """An `Authenticator` that goes by the hashes that are kept of each account.

    Args:
        hasher: how passwords are hashed.
        elsewhere: a thread in which that is done; without it, it is done at once.
        waiting: how many may wait for that thread; more are refused.
    """

    def __init__(
        self,
        hasher: Hasher | None = None,
        elsewhere: WorkerThread | None = None,
        waiting: int = WAITING,
    ) -> None:
        self._hasher = hasher or Hasher()
        self._elsewhere = elsewhere or _at_once
        self._free = waiting

    def check(self, name: str, account: Account | None, password: Password) -> Deferred[str | None]:
        """See `Authenticator.check`: an unknown name takes the same time."""
        kept = account.password if account else ""
        if not password.secret:  # nobody has it, whatever a hash from elsewhere says
            kept = ""
        right = self._do(lambda: self._hasher.matches(kept, password))
        return right.addCallback(lambda is_right: account.name if account and is_right else None)

    def hash(self, password: Password) -> Deferred[str]:
        """See `Authenticator.hash`."""
        return self._do(lambda: self._hasher.hash(password))

    def is_outdated(self, account: Account) -> bool:
        """See `Authenticator.is_outdated`."""
        return self._hasher.is_outdated(account.password)

    def _do(self, work: Callable[[], _T]) -> Deferred[_T]:
        if not self._free:
            busy = f"Too many people are logging in just now: try again in {_BUSY:g} seconds."
            return fail(Refused("too-fast", busy, _BUSY))
        self._free -= 1

        def is_done(result: _T) -> _T:
            self._free += 1
            return result

        return self._elsewhere(work).addBoth(is_done)
