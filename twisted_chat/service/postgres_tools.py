"""A PostgreSQL database as the operator's commands use it, while no server does."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from twisted_chat.service.account_book import AccountBook
from twisted_chat.service.copying import TABLES, Database, Rows
from twisted_chat.stores.account import Account
from twisted_chat.stores.postgres import schema
from twisted_chat.stores.postgres.connection import check_engine, connect, name, understood
from twisted_chat.stores.records import ACCOUNT, account_row, to_account
from twisted_chat.stores.unusable import Unusable

_LAST_LOG = b"SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence('logs', 'log')), 0)"


class PostgresDatabase:
    """A `Database` in PostgreSQL.

    Args:
        connection: to it, in a transaction.
    """

    def __init__(self, connection: schema.Connection) -> None:
        self._connection = connection
        self.epoch = schema.epoch(connection)
        row = connection.execute(_LAST_LOG).fetchone()
        self.last_log: int = row[0] if row else 0

    @contextmanager
    def rows(self, table: str) -> Iterator[Rows]:
        """See `Database.rows`."""
        columns = TABLES[table].replace("value", "value::text")
        query = f"SELECT {columns} FROM {table}"  # noqa: S608 - ours
        with self._connection.cursor(f"all_{table}") as cursor:
            yield iter(cursor.execute(query.encode()))

    def fill(self, table: str, rows: Rows) -> int:
        """See `Database.fill`."""
        into = f"COPY {table} ({TABLES[table]}) FROM STDIN"
        with self._connection.cursor() as cursor:
            with cursor.copy(into.encode()) as copy:
                for row in rows:
                    copy.write_row(row)
            count: int = cursor.rowcount
        return count

    def finish(self, epoch: str, last_log: int) -> None:
        """See `Database.finish`."""
        execute = self._connection.execute
        execute("UPDATE server SET epoch = %s", (epoch,))
        execute("UPDATE logs SET last = (SELECT max(id) FROM events WHERE log = logs.log)")
        execute("SELECT setval('requests', max(request)) FROM events WHERE request IS NOT NULL")
        if last_log:
            execute("SELECT setval(pg_get_serial_sequence('logs', 'log'), %s)", (last_log,))


@contextmanager
def locked(url: str, *, is_new: bool) -> Iterator[schema.Connection]:
    """A connection in a transaction to a database that no server uses.

    Args:
        url: where it is.
        is_new: whether its tables are made if they are not there.

    Raises:
        Unusable: why not.
    """
    where = name(url)
    with closing(connect(url)) as connection, understood(url):
        check_engine(connection, url)
        if not is_new and not schema.version_of(connection, where):
            raise Unusable(f"{where} has no chat: give its address with --db")
        if not schema.lock(connection):
            raise Unusable(f"a twisted-chat uses {where}: stop it first")
        schema.migrate(connection, where)
        with connection.transaction():
            yield connection


class _Accounts:
    """See `AccountBook`."""

    def __init__(self, connection: schema.Connection) -> None:
        self._connection = connection

    def __iter__(self) -> Iterator[Account]:
        query = f"SELECT {ACCOUNT} FROM accounts ORDER BY created, id"  # noqa: S608 - ours
        return map(to_account, self._connection.execute(query.encode()))

    def save(self, account: Account) -> None:
        self.drop(account.id)
        row = account_row(account)
        marks = ", ".join(["%s"] * len(row))
        into = f"INSERT INTO accounts ({TABLES['accounts']}) VALUES ({marks})"  # noqa: S608 - ours
        self._connection.execute(into.encode(), row)

    def drop(self, account_id: str) -> None:
        self._connection.execute("DELETE FROM accounts WHERE id = %s", (account_id,))


@contextmanager
def reading(url: str) -> Iterator[AccountBook]:
    """See `account_book.reading`."""
    where = name(url)
    with closing(connect(url)) as connection, understood(url):
        check_engine(connection, url)
        if schema.version_of(connection, where) != schema.VERSION:
            raise Unusable(f"{where} has no chat, or an older one: start the server with it once")
        yield _Accounts(connection)


@contextmanager
def changing(url: str) -> Iterator[AccountBook]:
    """See `account_book.changing`."""
    with locked(url, is_new=True) as connection:
        yield _Accounts(connection)


@contextmanager
def opened(url: str, *, is_target: bool) -> Iterator[Database]:
    """A database that is copied, or copied into; see `locked`."""
    with locked(url, is_new=is_target) as connection:
        yield PostgresDatabase(connection)
