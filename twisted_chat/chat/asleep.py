"""Devices that stay logged in although they have been away for long."""

from collections.abc import Sequence

from twisted_chat.chat.device import hash_token
from twisted_chat.stores import SavedSession


class Asleep:
    """What is kept of devices that keep nobody in the chat, and may come back for months."""

    def __init__(self) -> None:
        self._by_token_hash: dict[str, SavedSession] = {}
        self._by_account: dict[str, dict[str, SavedSession]] = {}  # by the device's id
        self._unstored: set[str] = set()  # tokens

    def add(self, saved: SavedSession, *, is_stored: bool = True) -> None:
        """A device falls asleep.

        Args:
            saved: what is kept of it.
            is_stored: whether it is in the store; if not, `was_stored` is to be called then.
        """
        self._by_token_hash[saved.token] = saved
        self._by_account.setdefault(saved.account, {})[saved.id] = saved
        if not is_stored:
            self._unstored.add(saved.token)

    def was_stored(self, saved: SavedSession) -> None:
        """What is kept of a device is in the store now."""
        self._unstored.discard(saved.token)

    def stored(self) -> Sequence[SavedSession]:
        """All that are in the store, too."""
        known = self._by_token_hash.items()
        return [saved for token, saved in known if token not in self._unstored]

    def remove(self, saved: SavedSession) -> None:
        """A device wakes, or is logged out."""
        self._unstored.discard(saved.token)
        if self._by_token_hash.pop(saved.token, None) is not None:
            of_account = self._by_account[saved.account]
            del of_account[saved.id]
            if not of_account:
                del self._by_account[saved.account]

    def with_token(self, token: str) -> SavedSession | None:
        """The device whose token this is, if it is asleep."""
        return self._by_token_hash.get(hash_token(token))

    def of(self, account_id: str) -> Sequence[SavedSession]:
        """An account's devices that are asleep, the one that has slept longest first."""
        found = self._by_account.get(account_id, {}).values()
        return sorted(found, key=lambda saved: saved.until)
