"""Who administers the server: accounts that whoever runs it has chosen, and nobody else."""

from collections.abc import Iterable, Iterator

from twisted_chat.chat.accounts import Accounts
from twisted_chat.stores.account import Account


class Administrators:
    """The accounts that administer the server.

    Nobody becomes one by being first: those that are named here can only be registered on the
    command line, or by whoever the site knows under that name, and nobody else is called so.

    Args:
        accounts: every account.
        named: names of accounts, beside those that are administrators by themselves.
    """

    def __init__(self, accounts: Accounts, named: Iterable[str] = ()) -> None:
        self._accounts = accounts
        self.use(named)

    def use(self, named: Iterable[str]) -> None:
        """Have other names than before."""
        self._accounts.reserve(named)

    def __contains__(self, account_id: object) -> bool:
        """Whether the account of this id administers the server."""
        account = self._accounts.with_id(account_id) if isinstance(account_id, str) else None
        return account is not None and self._is_one(account)

    def __iter__(self) -> Iterator[Account]:
        return filter(self._is_one, self._accounts)

    def names(self) -> list[str]:
        """What they are called, in the order of the alphabet."""
        return sorted((account.name for account in self), key=str.casefold)

    def _is_one(self, account: Account) -> bool:
        chosen = account.is_admin or self._accounts.is_reserved(account)
        return chosen and not account.is_locked
