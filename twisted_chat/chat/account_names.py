"""Which account has a name, or one that looks like it."""

from collections.abc import Iterable

from twisted_chat.stores.account import Account
from twisted_chat.text import names
from twisted_chat.text.confusables import looks


class AccountNames:
    """The ids of accounts, by what they are called and by what that looks like."""

    def __init__(self) -> None:
        self._by_key: dict[str, str] = {}
        self._by_look: dict[str, tuple[str, ...]] = {}  # an import may bring some that look alike

    def add(self, account: Account) -> None:
        """An account has its name."""
        self._by_key[account.key] = account.id
        for look in set(looks(account.name)):
            self._by_look[look] = (*self._by_look.get(look, ()), account.id)

    def remove(self, account: Account) -> None:
        """Its name is free."""
        del self._by_key[account.key]
        for look in set(looks(account.name)):
            self._by_look[look] = tuple(i for i in self._by_look[look] if i != account.id)
            if not self._by_look[look]:
                del self._by_look[look]

    def called(self, name: str) -> str:
        """Which account has this name; empty if none has."""
        return self._by_key.get(names.key(name), "")

    def like(self, name: str) -> list[str]:
        """Which accounts have this name, or one that looks like it."""
        found = [self.called(name)]
        for look in looks(name):
            found += self._by_look.get(look, ())
        return list(dict.fromkeys(filter(None, found)))


class ReservedNames:
    """Names that nobody can have who only says that they are called so.

    Args:
        reserved: the names.
    """

    def __init__(self, reserved: Iterable[str]) -> None:
        self._by_key = {names.key(name): name for name in reserved}
        self._by_look = {look: name for name in self._by_key.values() for look in looks(name)}

    def __contains__(self, key: object) -> bool:
        """Whether the name with this key is reserved."""
        return key in self._by_key

    def like(self, name: str) -> str | None:
        """The reserved name that this is, or looks like; None if it is and does neither."""
        same = self._by_key.get(names.key(name))
        return same or next(filter(None, map(self._by_look.get, looks(name))), None)
