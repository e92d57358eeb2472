"""Devices that stay logged in although they have been away for long."""

from collections.abc import Sequence

from twisted_chat.chat.device import hash_token
from twisted_chat.stores import SavedSession


class Asleep:
    """What is kept of devices that keep nobody in the chat, and may come back for months."""

    def __init__(self) -> None:
        self._by_token_hash: dict[str, SavedSession] = {}
        self._by_account: dict[str, dict[str, SavedSession]] = {}  # by the device's id

    def add(self, saved: SavedSession) -> None:
        """A device falls asleep."""
        self._by_token_hash[saved.token] = saved
        self._by_account.setdefault(saved.account, {})[saved.id] = saved

    def remove(self, saved: SavedSession) -> None:
        """A device wakes, or is logged out."""
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
