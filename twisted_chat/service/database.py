"""A database as the operator's commands read and change it, of whatever kind it is."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from twisted_chat.stores.records import ACCOUNT, SESSION
from twisted_chat.stores.rows import COLUMNS, Row
from twisted_chat.stores.unusable import Unusable

EVENT = f"log, {COLUMNS}, request"
"""The columns of `events`."""

TABLES = {
    "logs": "log, name, room",
    "events": EVENT,
    "state": "log, name, value",
    "sessions": SESSION,
    "accounts": f"{ACCOUNT}, key",
}
"""What a database keeps, and in which columns."""


SET = "INSERT INTO state (log, name, value) VALUES (?, ?, ?)"
UNSET = "DELETE FROM state WHERE log = ? AND name = ?"
"""What a room's state has under a name, as JSON, after that it has nothing there."""


class KeptContents(Protocol):
    """The contents of people's files, by digest."""

    where: str
    """Where they are, as in "the contents of files are in ..."."""

    def there(self) -> set[str]:
        """The digests of all of them."""

    def pieces(self, digest: str) -> Iterator[bytes]:
        """One of them; raises `OSError`, such as `FileNotFoundError`."""

    def put(self, digest: str, pieces: Iterable[bytes]) -> None:
        """Keep one; raises `OSError`."""

    def delete(self, digests: Iterable[str]) -> None:
        """Delete some."""


class Database(Protocol):
    """A database, in a transaction. Queries are such as SQLite and PostgreSQL understand.

    Values stand for each `?` in a query.
    """

    where: str
    """What it is called in messages."""

    epoch: str
    """What the numbers of its events belong to."""

    last_log: int
    """The greatest number that a log has ever had, which no other gets."""

    sessions: str
    """What its table of sessions is called."""

    @property
    def contents(self) -> KeptContents:
        """Where the contents of people's files are, unless the operator has named a folder."""

    def read(self, query: str, *values: object) -> Iterator[Row]:
        """What a query gives, as it is read."""

    def write(self, query: str, *values: object) -> int:
        """Change something; gives how many rows."""

    def write_all(self, query: str, rows: Iterable[Row]) -> int:
        """The same for each of these values."""

    def fill(self, table: str, rows: Iterable[Row]) -> int:
        """Put rows into one of `TABLES`, which is empty; gives how many."""

    def rows(self, table: str) -> Iterator[Row]:
        """What stands in one of `TABLES`."""

    def become(self, epoch: str, last_log: int) -> None:
        """Everything is from another database, which had these."""

    def count_on(self) -> None:
        """Events were put in: those that come next have the numbers after theirs."""

    def damage(self) -> str:
        """What is damaged; empty if nothing is."""

    def strays(self) -> Mapping[str, int]:
        """How many rows stand where they must not be read, by log."""

    def abandoned(self) -> int:
        """How many events are private to people who cannot come back."""


def missing(what: str) -> Unusable:
    """There is nothing where a chat was expected.

    Args:
        what: what there is not, or what is empty.
    """
    return Unusable(f"{what}: say where it is with --db")
