"""Every account: names that are somebody's, whether or not they are here."""

import secrets
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

from twisted.internet.defer import Deferred, DeferredList, DeferredLock, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_chat.addresses import neighbourhood
from twisted_chat.chat.account_names import AccountNames
from twisted_chat.chat.attempts import Attempts, Recent
from twisted_chat.chat.passwords import Authenticator
from twisted_chat.limits import Limits
from twisted_chat.rate import Bucket
from twisted_chat.refusal import Refused
from twisted_chat.stores import Store
from twisted_chat.stores.account import Account, name_taken
from twisted_chat.text import names
from twisted_chat.text.counted import seconds_to_wait
from twisted_chat.text.passwords import Password

NAME_EXPIRY = 90 * 86400.0
"""Seconds that a registered name stays somebody's who does not use it."""

PLACES = 5
"""Places of which it is known that the owner of an account has been there."""

_USED = 3600.0
"""Seconds for which it is not stored again that an account is used."""

_log = Logger(namespace="chat")


class Accounts:
    """Every account, and everything that happens to one.

    What changes is seen when it is stored. A name that has not been used for long stays its
    owner's until somebody else registers it, or one that looks like it. Who registers it gets
    another account, with another id, so that nothing private becomes theirs.

    Args:
        clock: seconds by which waits are counted.
        store: keeps the accounts.
        limits: how many there may be, and how often one may try.
        authenticator: says whether a password is right.
        now: gives the time of day, in seconds since 1970.
        name_expiry: seconds without use after which a name becomes free; None for never.
    """

    def __init__(
        self,
        clock: IReactorTime,
        store: Store,
        limits: Limits,
        authenticator: Authenticator,
        now: Callable[[], float],
        name_expiry: float | None = NAME_EXPIRY,
    ) -> None:
        self.name_expiry = name_expiry
        self.is_here: Callable[[str], bool] = lambda _: False
        """Says whether the owner of an account is in the chat, so that its name is in use."""
        self.needs_privacy = False
        """Whether no password is taken over a connection that others can read."""
        self.reserved: frozenset[str] = frozenset()
        """Keys of names that nobody can register who only says that they are called so."""
        self._clock = clock
        self._store = store
        self._limits = limits
        self._authenticator = authenticator
        self._now = now
        self._attempts = Attempts(clock, limits)
        self._registrations = Recent(Bucket)  # by place
        self._by_id: dict[str, Account] = {}
        self._names = AccountNames()
        self._pending: dict[str, Account] = {}  # about to be made
        self._pending_names = AccountNames()
        self._unsaved: set[str] = set()  # the ids of those whose settings are not stored yet
        self._locks: dict[str, DeferredLock] = {}  # of accounts that are being changed, by id
        self.loaded: Deferred[None] = store.accounts().addCallback(self._load)
        """Fires when the accounts of earlier runs are known; nobody may enter before that."""

    def _load(self, kept: Iterable[Account]) -> None:
        for account in kept:
            self._by_id[account.id] = account
            self._names.add(account)

    def __iter__(self) -> Iterator[Account]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def called(self, name: str) -> Account | None:
        """The account of this name, if there is one."""
        return self._by_id.get(self._names.called(name))

    def owner_of(self, name: str) -> Account | None:
        """The account whose owner alone may have this name, if there is one."""
        account = self.called(name)
        return None if account is None or self._is_unused(account) else account

    def name_of(self, account_id: str) -> str:
        """What the account of this id is called; empty if there is none."""
        account = self._by_id.get(account_id)
        return "" if account is None else account.name

    @property
    def are_elsewhere(self) -> bool:
        """Whether a site decides who may log in, so that an account may not be known yet."""
        return self._authenticator.is_elsewhere

    def with_id(self, account_id: str) -> Account | None:
        """The account of this id, if there is one."""
        return self._by_id.get(account_id)

    def check_free(self, name: str, account_id: str = "") -> None:
        """Make sure that a name is no other account's, and does not look like one's.

        Args:
            name: the name, as it is shown.
            account_id: the account of whoever wants it; empty if they have none.

        Raises:
            Refused: it is; with the code `registered-nick` if it is that very name.
        """
        for other in self._like(name):
            if other.id == account_id or self._is_unused(other):
                continue
            if other.key == names.key(name):
                raise Refused(
                    "registered-nick",
                    f"The nickname {name} is registered: log in with its password, or choose "
                    "another one.",
                )
            raise Refused(
                "nick-taken",
                f"The nickname {name} looks like {other.name}, which is registered: "
                "choose another one.",
            )

    def _like(self, name: str) -> list[Account]:
        found = [self._by_id[each] for each in self._names.like(name)]
        if self._pending:
            found += [self._pending[each] for each in self._pending_names.like(name)]
        return found

    def _is_unused(self, account: Account) -> bool:
        """Whether its name is free for others; never where that would give somebody power."""
        is_safe = account.is_locked or account.is_admin or account.key in self.reserved
        if self.name_expiry is None or is_safe:
            return False
        if self.is_here(account.id):
            return False
        return account.id in self._by_id and self._now() - account.used > self.name_expiry

    # Making accounts

    def register(
        self, name: str, password: Password, person_id: str, address: str
    ) -> Deferred[Account]:
        """Make a nickname somebody's own.

        Args:
            name: the nickname, as they have it (see `names.nickname`).
            password: what they prove to be themselves with from now on.
            person_id: their id, which becomes the account's.
            address: where they are.

        Returns:
            The account; fails with `Refused` if they cannot have it.
        """
        return Deferred.fromCoroutine(self._register(name, password, person_id, address))

    async def _register(
        self, name: str, password: Password, person_id: str, address: str
    ) -> Account:
        password.check_new()
        mine = self._by_id.get(person_id) or self._pending.get(person_id)
        if mine is not None:
            raise Refused("already-registered", f"You are registered already, as {mine.name}.")
        self.check_free(name)
        if names.key(name) in self.reserved:
            raise Refused(
                "registered-nick",
                f"The nickname {name} is kept for an administrator: choose another one, or have "
                "whoever runs this server register it.",
            )
        place, pace = neighbourhood(address), self._limits.registrations
        bucket, now = self._registrations[place], self._clock.seconds()
        if wait := bucket.wait(pace, now):
            raise Refused(
                "too-fast",
                f"Too many new accounts from your address: try again in {seconds_to_wait(wait)}.",
                wait,
            )
        bucket.take(pace, now)
        try:
            return await self._make(name, password, person_id, place)
        except Refused:
            bucket.give_back(pace)
            raise

    async def _make(
        self, name: str, password: Password | None, account_id: str, place: str
    ) -> Account:
        """Make an account of a name that has been found free."""
        if len(self._by_id) + len(self._pending) >= self._limits.accounts:
            raise Refused("full", "No more names can be registered here: ask who runs this server.")
        now = self._now()
        account = Account(account_id, name, "", now, now, (place,))
        self._pending[account.id] = account
        self._pending_names.add(account)
        try:
            if password is not None:
                account = replace(account, password=await self._authenticator.hash(password))
            await self._save_new(account)
        finally:
            self._pending_names.remove(account)
            del self._pending[account.id]
        _log.info("{name} is registered", name=name)
        return account

    async def _save_new(self, account: Account) -> None:
        """Store an account instead of those that had its name and did not use it."""
        async with AsyncExitStack() as held:
            ids = self._names.like(account.name)
            for other in sorted(ids):
                await held.enter_async_context(self._lock(other))
            unused = [self._by_id[other] for other in ids if other in self._by_id]
            if not all(map(self._is_unused, unused)):  # an owner has just come back
                raise name_taken(account.name)
            dropped = [self._store.drop_account(each.id) for each in unused]
            saved = self._store.save_account(account)  # in the same turn, so together with these
            await _all_of(*dropped, saved)
            for each in unused:
                self._remove(each)
            self._by_id[account.id] = account
            self._names.add(account)

    def _remove(self, account: Account) -> None:
        del self._by_id[account.id]
        self._unsaved.discard(account.id)
        self._names.remove(account)

    # Proving to be somebody

    def log_in(self, name: str, password: Password, address: str) -> Deferred[Account]:
        """Find the account of somebody who knows its password.

        Args:
            name: what they say that they are called.
            password: what they typed.
            address: where they are.

        Returns:
            The account; fails with `Refused`, and does not tell whether there is such a name.
        """
        return Deferred.fromCoroutine(self._log_in(name, password, address))

    async def _log_in(self, name: str, password: Password, address: str) -> Account:
        account = await self._prove(name, password, address)
        if account.is_locked:
            raise Refused(
                "locked", f"The account {account.name} is locked: ask who runs this server."
            )
        if account.password and self._authenticator.is_outdated(account):
            self._hash_anew(account, password)
        self.use(account.id, address)
        return self._get(account.id)

    async def _prove(self, name: str, password: Password, address: str) -> Account:
        """The account whose password that is."""
        place = neighbourhood(address)
        account = self.called(name)
        key = account.key if account else names.key(name[:100])
        is_known = account is not None and place in account.places
        attempt = self._attempts.begin(key, place, is_known=is_known)
        try:
            while True:
                proven = await self._authenticator.check(name, account, password)
                known, account = account, self.called(name)
                if _credentials(known) == _credentials(account):
                    break  # else somebody has just changed it
        except BaseException:
            attempt.take_back()
            raise
        if proven is None:
            raise _wrong()
        attempt.take_back()
        if account is None or account.name != proven:
            account = await self._found_elsewhere(proven, place)
        return account

    async def _found_elsewhere(self, name: str, place: str) -> Account:
        """The account of somebody whom the site knows under a name."""
        async with self._lock(names.key(name)):  # they may come with two devices at once
            account = self.called(name)
            if account is None:
                name = names.nickname(name, self._limits)
                self.check_free(name)
                return await self._make(name, None, secrets.token_hex(8), place)
        if account.name != name:  # to the site that is somebody else
            raise name_taken(name)
        return account

    def _hash_anew(self, account: Account, password: Password) -> None:
        async def change() -> None:
            kept = await self._authenticator.hash(password)
            await self._change(account.id, account.password, password=kept)

        def later(failure: Failure) -> None:
            failure.trap(Refused)  # the next time that they log in

        Deferred.fromCoroutine(change()).addErrback(later)

    def use(self, account_id: str, address: str) -> None:
        """Somebody has an account's rights just now, so that its name stays theirs.

        Call this when a device comes, and when it goes.

        Args:
            account_id: the account.
            address: where they are, which is known to be a place of theirs from now on.
        """
        account, place, now = self._get(account_id), neighbourhood(address), self._now()
        if place in account.places[:1] and 0 <= now - account.used < _USED:
            return
        others = [each for each in account.places if each != place]
        places = (place, *others)[:PLACES]
        self._by_id[account_id] = replace(account, used=now, places=places)

        def later(failure: Failure) -> None:
            failure.trap(Refused)  # it holds until a restart, and is stored with the next change

        saved = self._change(account_id, used=now, places=places, is_to_be_stored=True)
        Deferred.fromCoroutine(saved).addErrback(later)

    # Changing accounts

    def change_password(
        self, account_id: str, old: Password, new: Password, address: str
    ) -> Deferred[Account]:
        """Choose another password; fails with `Refused`."""
        return Deferred.fromCoroutine(self._change_password(account_id, old, new, address))

    async def _change_password(
        self, account_id: str, old: Password, new: Password, address: str
    ) -> Account:
        new.check_new()
        account = await self._prove(self._get(account_id).name, old, address)
        kept = await self._authenticator.hash(new)
        return await self._change(account_id, account.password, password=kept)

    def set_password(self, account_id: str, new: Password) -> Deferred[Account]:
        """Give an account another password, by an administrator; fails with `Refused`."""

        async def change() -> Account:
            new.check_new()
            return await self._change(account_id, password=await self._authenticator.hash(new))

        return Deferred.fromCoroutine(change())

    def set_locked(self, account_id: str, *, is_locked: bool) -> Deferred[Account]:
        """Let nobody log in to an account, or let them again; fails with `Refused`."""
        return Deferred.fromCoroutine(self._change(account_id, is_locked=is_locked))

    def set_admin(self, account_id: str, *, is_admin: bool) -> Deferred[Account]:
        """Make somebody an administrator of the server, or no longer; fails with `Refused`."""
        return Deferred.fromCoroutine(self._change(account_id, is_admin=is_admin))

    def set_settings(self, account_id: str, settings: Mapping[str, Any]) -> Deferred[Account]:
        """Keep what somebody has set, which holds at once.

        Args:
            account_id: the account.
            settings: all that they have set.

        Returns:
            Fires when it is stored; fails with `Refused`: then the next call stores it.
        """
        account = self._get(account_id)
        if settings == account.settings and account_id not in self._unsaved:
            return succeed(account)
        self._by_id[account_id] = replace(account, settings=settings)
        self._unsaved.add(account_id)

        async def change() -> Account:
            changed = await self._change(account_id, is_to_be_stored=True)
            self._unsaved.discard(account_id)
            return changed

        return Deferred.fromCoroutine(change())

    def forget(self, account_id: str, password: Password, address: str) -> Deferred[Account]:
        """Delete an account whose owner knows its password; fails with `Refused`."""

        async def prove_and_drop() -> Account:
            await self._prove(self._get(account_id).name, password, address)
            return await self._drop(account_id)

        return Deferred.fromCoroutine(prove_and_drop())

    def delete(self, account_id: str) -> Deferred[Account]:
        """Delete an account, by an administrator; fails with `Refused`."""
        return Deferred.fromCoroutine(self._drop(account_id))

    async def _change(
        self,
        account_id: str,
        password_before: str | None = None,
        *,
        is_to_be_stored: bool = False,
        **changes: Any,
    ) -> Account:
        """Store an account with some of it changed, one change after the other.

        Args:
            account_id: the account.
            password_before: the hash that it must have still; None for whatever it is.
            is_to_be_stored: whether it is stored even if all of it is so already in memory.
            changes: fields of the account.
        """
        async with self._lock(account_id):
            account = self._get(account_id)
            if password_before not in (None, account.password):
                raise _wrong()
            changed = replace(account, **changes)
            if changed != account or is_to_be_stored:
                await self._store.save_account(changed)
                self._by_id[account_id] = replace(self._get(account_id), **changes)
            return self._by_id[account_id]

    async def _drop(self, account_id: str) -> Account:
        async with self._lock(account_id):
            account = self._get(account_id)
            await self._store.drop_account(account_id)
            self._remove(self._get(account_id))
        _log.info("The account {name} is deleted", name=account.name)
        return account

    @asynccontextmanager
    async def _lock(self, name: str) -> AsyncIterator[None]:
        lock = self._locks.setdefault(name, DeferredLock())
        await lock.acquire()
        try:
            yield
        finally:
            lock.release()
            if not lock.locked and self._locks.get(name) is lock:
                del self._locks[name]

    def _get(self, account_id: str) -> Account:
        account = self._by_id.get(account_id)
        if account is None:
            raise Refused("no-such-account", "There is no such account any more.")
        return account


def _credentials(account: Account | None) -> tuple[str, str] | None:
    return (account.id, account.password) if account else None


def _wrong() -> Refused:
    return Refused("bad-password", "The nickname or the password is wrong: try again.")


async def _all_of(*stored: Deferred[None]) -> None:
    """Wait until all of these are done.

    Raises:
        Refused: one has failed.
    """
    for _, why in await DeferredList(stored, consumeErrors=True):
        if isinstance(why, Failure):
            why.raiseException()
