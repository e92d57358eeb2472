"""The accounts of a database, of whatever kind, as an operator reads and changes them."""

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Protocol

from twisted_chat.stores.account import Account
from twisted_chat.stores.records import account_row
from twisted_chat.stores.sqlite import accounts
from twisted_chat.stores.sqlite.lock import Lock
from twisted_chat.stores.sqlite.schema import open_database, open_to_read
from twisted_chat.stores.unusable import Unusable


class AccountBook(Protocol):
    """The accounts of a database."""

    def __iter__(self) -> Iterator[Account]:
        """Every account, in the order in which they were made."""

    def save(self, account: Account) -> None:
        """Keep an account, new or changed."""

    def drop(self, account_id: str) -> None:
        """Keep an account no longer."""


class _InFile:
    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def __iter__(self) -> Iterator[Account]:
        return accounts.read(self._database)

    def save(self, account: Account) -> None:
        self._database.execute(accounts.SAVE, account_row(account))

    def drop(self, account_id: str) -> None:
        self._database.execute(accounts.DROP, (account_id,))


def reading(place: Path | str) -> AbstractContextManager[AccountBook]:
    """The accounts of a database that may be in use.

    Args:
        place: a file, or the address of a PostgreSQL database.

    Raises:
        Unusable: why they cannot be read.
    """
    if isinstance(place, Path):
        return _reading_file(place)
    from twisted_chat.service import postgres_tools  # an extra

    return postgres_tools.reading(place)


def changing(place: Path | str) -> AbstractContextManager[AccountBook]:
    """The accounts of a database that nobody else uses, which is made if it is not there yet.

    They are changed together, or not at all. Arguments and what is raised are those of `reading`.
    """
    if isinstance(place, Path):
        return _changing_file(place)
    from twisted_chat.service import postgres_tools  # an extra

    return postgres_tools.changing(place)


def must_exist(place: Path | str) -> None:
    """Make sure that there is a database.

    Raises:
        Unusable: there is none; in PostgreSQL that is found out later.
    """
    if isinstance(place, Path) and not place.exists():
        raise Unusable(f"there is no database {place}: say where it is with --db")


@contextmanager
def _reading_file(path: Path) -> Iterator[AccountBook]:
    must_exist(path)
    with closing(open_to_read(path)) as database:
        yield _InFile(database)


@contextmanager
def _changing_file(path: Path) -> Iterator[AccountBook]:
    with Lock(path):
        is_new = not path.exists()
        try:
            with closing(open_database(path, full=True)) as database:
                database.execute("BEGIN IMMEDIATE")
                yield _InFile(database)
                database.execute("COMMIT")
        except BaseException:
            if is_new:
                path.unlink(missing_ok=True)
            raise
