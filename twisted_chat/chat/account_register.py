"""Every account by its id and its name, and how it is changed: that is seen when it is stored."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

from twisted.internet.defer import Deferred, DeferredList, DeferredLock, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_chat.addresses import neighbourhood
from twisted_chat.chat.account_names import AccountNames, ReservedNames
from twisted_chat.refusal import Refused
from twisted_chat.stores import Store
from twisted_chat.stores.account import Account, name_taken
from twisted_chat.text import names

NAME_EXPIRY = 90 * 86400.0
"""Seconds that a registered name stays somebody's who does not use it."""

PLACES = 5
"""Places of which it is known that the owner of an account has been there."""

_USED = 3600.0
"""Seconds for which it is not stored again that an account is used."""

_log = Logger(namespace="chat")


class AccountRegister:
    """Which accounts there are, and whose their names are.

    A name that has not been used for long stays its owner's until somebody else registers it, or
    one that looks like it. Who registers it gets another account, with another id, so that
    nothing private becomes theirs.

    Args:
        store: keeps the accounts.
        now: gives the time of day, in seconds since 1970.
        name_expiry: seconds without use after which a name becomes free; None for never.
    """

    def __init__(
        self, store: Store, now: Callable[[], float], name_expiry: float | None = NAME_EXPIRY
    ) -> None:
        self.name_expiry = name_expiry
        self.is_here: Callable[[str], bool] = lambda _: False
        """Says whether the owner of an account is in the chat, so that its name is in use."""
        self.changed: Callable[[str, Account | None], None] = lambda account_id, account: None
        """Called with an account that is stored, and its id; None if it is deleted."""
        self._reserved = ReservedNames(())
        self._store = store
        self._now = now
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
            self.learn(account.id, account)

    async def load_again(self) -> None:
        """Find out what other servers may have changed."""
        before = set(self._by_id)
        kept = await self._store.accounts()
        for deleted in before - {account.id for account in kept}:
            self.learn(deleted, None)
        self._load(kept)

    def learn(self, account_id: str, account: Account | None) -> None:
        """An account is in the store as another server has put it there; None if it is deleted."""
        known = self._by_id.get(account_id)
        if known is not None:
            self._remove(known)
        if account is not None:
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

    def with_id(self, account_id: str) -> Account | None:
        """The account of this id, if there is one."""
        return self._by_id.get(account_id)

    def reserve(self, reserved: Iterable[str]) -> None:
        """Give these names, and what looks like them, to nobody who only says to be called so."""
        self._reserved = ReservedNames(reserved)

    def is_reserved(self, account: Account) -> bool:
        """Whether an account has one of these names."""
        return account.key in self._reserved

    def check_free(self, name: str, account_id: str = "", *, is_proven: bool = False) -> None:
        """Make sure that a name is no other account's nor reserved, and does not look like one.

        Args:
            name: the name, as it is shown.
            account_id: the account of whoever wants it; empty if they have none.
            is_proven: whether they have proved to be called so.

        Raises:
            Refused: it is; with the code `registered-nick` if it is that very name.
        """
        self._check_unregistered(name, account_id)
        reserved = self._reserved.like(name)
        if reserved is None or self._is_own(name, account_id):
            return
        if names.key(reserved) != names.key(name):
            raise Refused(
                "nick-taken",
                f"The nickname {name} looks like {reserved}, which is kept for an administrator: "
                "choose another one.",
            )
        if not is_proven:
            raise Refused(
                "registered-nick",
                f"The nickname {name} is kept for an administrator: choose another one, or have "
                f"whoever runs this server register it (twisted-chat-admin create {name}).",
            )

    def _is_own(self, name: str, account_id: str) -> bool:
        account = self._by_id.get(account_id)
        return account is not None and account.key == names.key(name)

    def _check_unregistered(self, name: str, account_id: str) -> None:
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
        is_safe = account.is_locked or account.is_admin or self.is_reserved(account)
        if self.name_expiry is None or is_safe:
            return False
        if self.is_here(account.id):
            return False
        return account.id in self._by_id and self._now() - account.used > self.name_expiry

    # Changing accounts

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
                self.changed(each.id, None)
            self._by_id[account.id] = account
            self._names.add(account)
            self.changed(account.id, account)

    def _remove(self, account: Account) -> None:
        del self._by_id[account.id]
        self._unsaved.discard(account.id)
        self._names.remove(account)

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

    def delete(self, account_id: str) -> Deferred[Account]:
        """Delete an account, by an administrator; fails with `Refused`."""
        return Deferred.fromCoroutine(self._drop(account_id, lambda: succeed(None)))

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
                raise wrong_password()
            changed = replace(account, **changes)
            if changed != account or is_to_be_stored:
                await self._store.save_account(changed)
                self._by_id[account_id] = replace(self._get(account_id), **changes)
                self.changed(account_id, changed)
            return self._by_id[account_id]

    async def _drop(self, account_id: str, also: Callable[[], Deferred[None]]) -> Account:
        async with self._lock(account_id):
            account = self._get(account_id)
            await _all_of(self._store.drop_account(account_id), also())
            self._remove(self._get(account_id))
            self.changed(account_id, None)
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


def wrong_password() -> Refused:
    """What is said to who could not prove to be somebody."""
    return Refused("bad-password", "The nickname or the password is wrong: try again.")


async def _all_of(*stored: Deferred[None]) -> None:
    """Wait until all of these are done.

    Raises:
        Refused: one has failed.
    """
    for _, why in await DeferredList(stored, consumeErrors=True):
        if isinstance(why, Failure):
            why.raiseException()
