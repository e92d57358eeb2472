"""Accounts in the database: their table, and writes that somebody waits for."""

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from twisted.internet.defer import Deferred

from twisted_chat.refusal import Refused
from twisted_chat.stores.account import Account, name_taken
from twisted_chat.stores.records import ACCOUNT, account_row, to_account

TABLE = """
    CREATE TABLE accounts (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        key TEXT NOT NULL UNIQUE,
        password TEXT NOT NULL,
        created REAL NOT NULL,
        used REAL NOT NULL,
        places TEXT NOT NULL,
        locked INTEGER NOT NULL,
        admin INTEGER NOT NULL,
        settings TEXT NOT NULL
    ) WITHOUT ROWID;
"""

SAVE = (
    f"INSERT INTO accounts ({ACCOUNT}, key)"  # noqa: S608 - ours
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (id) DO UPDATE SET name = excluded.name, key = excluded.key,"
    " password = excluded.password, created = excluded.created, used = excluded.used,"
    " places = excluded.places, locked = excluded.locked, admin = excluded.admin,"
    " settings = excluded.settings"
)
DROP = "DELETE FROM accounts WHERE id = ?"


def read(connection: sqlite3.Connection) -> Iterator[Account]:
    """Every account, in the order in which they were made."""
    query = f"SELECT {ACCOUNT} FROM accounts ORDER BY created, id"  # noqa: S608 - ours
    return map(to_account, connection.execute(query))


class Awaited(Protocol):
    """What is written in one transaction with all else, and somebody waits for it."""

    done: Deferred[Any]
    """Fires when it is stored; fails if it is not."""

    def execute(self, connection: sqlite3.Connection) -> None:
        """Write it."""

    def tell(self) -> None:
        """It is stored."""


class Write:
    """One change to the accounts that somebody waits for.

    Args:
        statement: the SQL.
        values: what belongs into it.
    """

    def __init__(self, statement: str, values: tuple[Any, ...]) -> None:
        self._statement = statement
        self._values = values
        self._why: Refused | None = None
        self.done: Deferred[None] = Deferred()

    def execute(self, connection: sqlite3.Connection) -> None:
        """Make the change, or find that the name is taken; others in the transaction go on."""
        try:
            connection.execute(self._statement, self._values)
        except sqlite3.IntegrityError:  # which undoes this statement only
            self._why = name_taken(self._values[1])

    def tell(self) -> None:
        """It is stored, unless the name is taken."""
        if self._why is None:
            self.done.callback(None)
        else:
            self.done.errback(self._why)


def save(account: Account) -> Write:
    """Keep an account, new or changed."""
    return Write(SAVE, account_row(account))


def drop(account_id: str) -> Write:
    """Keep an account no longer."""
    return Write(DROP, (account_id,))


def refuse(writes: Sequence[Awaited], why: Refused) -> None:
    """None of these could be stored."""
    for write in writes:
        write.done.errback(why)
