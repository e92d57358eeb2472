"""The accounts of a database, of whatever kind, as an operator reads and changes them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from twisted_chat.service import opening
from twisted_chat.service.database import TABLES, Database
from twisted_chat.stores.account import Account
from twisted_chat.stores.records import ACCOUNT, account_row, to_account


class AccountBook:
    """The accounts of a database.

    Args:
        database: where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def __iter__(self) -> Iterator[Account]:
        """Every account, in the order in which they were made."""
        query = f"SELECT {ACCOUNT} FROM accounts ORDER BY created, id"  # noqa: S608 - ours
        return map(to_account, self._database.read(query))

    def save(self, account: Account) -> None:
        """Keep an account, new or changed."""
        self.drop(account.id)
        row = account_row(account)
        marks = ", ".join("?" * len(row))
        into = f"INSERT INTO accounts ({TABLES['accounts']}) VALUES ({marks})"  # noqa: S608 - ours
        self._database.write(into, *row)

    def drop(self, account_id: str) -> None:
        """Keep an account no longer."""
        self._database.write("DELETE FROM accounts WHERE id = ?", account_id)


@contextmanager
def reading(place: Path | str) -> Iterator[AccountBook]:
    """The accounts of a database that may be in use; see `opening.reading`."""
    with opening.reading(place) as read:
        yield AccountBook(read)


@contextmanager
def changing(place: Path | str, *, is_new: bool = False) -> Iterator[AccountBook]:
    """The accounts of a database that nobody else uses; see `opening.changing`."""
    with opening.changing(place, is_new=is_new) as changed:
        yield AccountBook(changed)
