"""Making accounts, and proving to be the owner of one."""

import secrets
from collections.abc import Callable
from dataclasses import replace

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_chat.addresses import neighbourhood
from twisted_chat.chat.account_register import (
    NAME_EXPIRY,
    AccountRegister,
    wrong_password,
)
from twisted_chat.chat.attempts import Attempt, Attempts, Recent
from twisted_chat.chat.passwords import Authenticator
from twisted_chat.limits import Limits
from twisted_chat.rate import Bucket
from twisted_chat.refusal import Refused
from twisted_chat.stores import Store
from twisted_chat.stores.account import Account, name_taken
from twisted_chat.stores.nodes import Value
from twisted_chat.text import names
from twisted_chat.text.counted import seconds_to_wait
from twisted_chat.text.passwords import Password

_log = Logger(namespace="chat")


class Accounts(AccountRegister):
    """Every account, and everything that happens to one.

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
        self.needs_privacy = False
        """Whether no password is taken over a connection that others can read."""
        self.tell_others: Callable[[str, Value], None] = lambda name, value: None
        """Tells the other servers what counts there too, see `is_told`."""
        self._clock = clock
        self._limits = limits
        self._authenticator = authenticator
        self._attempts = Attempts(clock, limits)
        self._registrations = Recent(Bucket)  # by place
        super().__init__(store, now, name_expiry)

    @property
    def are_elsewhere(self) -> bool:
        """Whether a site decides who may log in, so that an account may not be known yet."""
        return self._authenticator.is_elsewhere

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
            account = await self._make(name, password, person_id, place)
        except Refused:
            bucket.give_back(pace)
            raise
        self.tell_others("registered", place)
        return account

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
        self.tell_others("tried", attempt)
        try:
            while True:
                proven = await self._authenticator.check(name, account, password)
                known, account = account, self.called(name)
                if _credentials(known) == _credentials(account):
                    break  # else somebody has just changed it
        except BaseException:
            self._take_back(attempt)
            raise
        if proven is None:
            raise wrong_password()
        self._take_back(attempt)
        if account is None or account.name != proven:
            account = await self._found_elsewhere(proven, place)
        return account

    def _take_back(self, attempt: Attempt) -> None:
        self._attempts.take_back(attempt)
        self.tell_others("took back", attempt)

    def is_told(self, name: str, value: Value) -> None:
        """Another server has counted something, so that nobody has more tries than at one."""
        match name, value:
            case "tried", [*tried]:
                self._attempts.count(Attempt(*tried))
            case "took back", [*tried]:
                self._attempts.take_back(Attempt(*tried))
            case "registered", place:
                self._registrations[place].take(self._limits.registrations, self._clock.seconds())

    async def _found_elsewhere(self, name: str, place: str) -> Account:
        """The account of somebody whom the site knows under a name."""
        async with self._lock(names.key(name)):  # they may come with two devices at once
            account = self.called(name)
            if account is None:
                name = names.nickname(name, self._limits)
                self.check_free(name, is_proven=True)
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

    def forget(
        self,
        account_id: str,
        password: Password,
        address: str,
        also: Callable[[], Deferred[None]] = lambda: succeed(None),
    ) -> Deferred[Account]:
        """Delete an account whose owner knows its password; fails with `Refused`.

        Args:
            account_id: the account.
            password: what its owner typed.
            address: where they are.
            also: what else is to be stored together with that.
        """

        async def prove_and_drop() -> Account:
            await self._prove(self._get(account_id).name, password, address)
            return await self._drop(account_id, also)

        return Deferred.fromCoroutine(prove_and_drop())


def _credentials(account: Account | None) -> tuple[str, str] | None:
    return (account.id, account.password) if account else None
