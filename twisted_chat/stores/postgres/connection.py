"""Connections to the database, and what keeps it from being used."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from twisted_chat.stores.postgres import clocks
from twisted_chat.stores.postgres.schema import Connection, lock, version_of
from twisted_chat.stores.unusable import Unusable

OLDEST = 13
"""The first version of PostgreSQL that will do."""

_PATIENCE: dict[str, int] = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,  # milliseconds
}
"""How long a machine that does not answer is waited for, unless the address says otherwise."""

_NOTICES = (
    b"SELECT set_config('tcp_keepalives_idle', '5', false),"
    b" set_config('tcp_keepalives_interval', '2', false),"
    b" set_config('tcp_keepalives_count', '3', false)"
)
"""So that the database notices soon that a machine is gone, and what it has locked is free."""

_PROBE = 2.0
"""Seconds after which a notification that has not come does not come."""


class Away(Exception):
    """There is no connection to the database just now; the text says why."""


def name(url: str) -> str:
    """What a database is called where its password is not to be seen.

    Raises:
        Unusable: the address cannot be understood.
    """
    parts = _parts(url)
    host = parts.get("host")
    database = parts.get("dbname") or parts.get("user") or ""
    return f"the database {database}" + (f" at {host}" if host else "")


def connect(url: str, called: str = "twisted-chat") -> Connection:
    """A connection on which every statement is committed by itself.

    Args:
        url: where the database is.
        called: the name under which the database's operator sees the connection.

    Raises:
        Unusable: why there is none.
    """
    defaults = make_conninfo("", application_name=called, **_PATIENCE)
    try:
        connection = psycopg.connect(make_conninfo(defaults, **_parts(url)), autocommit=True)
        connection.execute(_NOTICES)
    except psycopg.Error as error:
        raise Unusable(f"cannot use {name(url)}: {_why_not(error)}") from error
    return connection


def _parts(url: str) -> dict[str, str]:
    """The address in its parts; what cannot be understood is not repeated, as it may be a password.

    Raises:
        Unusable: the address cannot be understood.
    """
    user_and_host, _, database = url.partition("?")[0].partition("://")[2].partition("/")
    if user_and_host.count("@") > 1 or "@" in database:
        raise Unusable(
            "cannot use --db: in a user, a password or a database, write @ as %40 and / as %2F"
        )
    try:
        return {key: str(value) for key, value in conninfo_to_dict(url).items()}
    except psycopg.Error as error:
        told = _line(error).partition(' "')[0].rstrip(":")
        raise Unusable(
            f"cannot use --db: {told}: write it as postgresql://USER@HOST/DATABASE, and in these "
            "% as %25 and a blank as %20"
        ) from error


def _why_not(error: psycopg.Error) -> str:
    text = str(error)
    if "password" in text:
        return "the password is wrong or missing: it belongs into --db, PGPASSWORD or ~/.pgpass"
    if "session is read-only" in text or "not yet accepting" in text or "starting up" in text:
        return "it is not ready to be written to (a standby, or just starting): try again later"
    return f"{_line(error)}: check that it runs, and its address"


def _line(error: BaseException) -> str:
    """What a library's message of several lines says in the end."""
    lines = [line for line in str(error).splitlines() if line and not line.startswith("\t")]
    last = lines[-1] if lines else type(error).__name__
    return last.rpartition("FATAL:  ")[2].rpartition("failed: ")[2].rstrip(".")


def hang_up(connection: Connection) -> None:
    """Lose a connection on which another thread waits for a database that does not answer."""
    with (
        suppress(OSError, psycopg.Error),  # it is lost already
        socket.socket(fileno=os.dup(connection.fileno())) as wire,
    ):
        wire.shutdown(socket.SHUT_RDWR)


def explain(error: BaseException) -> str:
    """Why the database did not do something, in a few words."""
    if isinstance(error, psycopg.errors.DiskFull):
        return "the disk is full"
    if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
        return "the database is read-only"
    if isinstance(error, psycopg.Error) and error.diag.message_primary:
        return error.diag.message_primary  # the rest is about our statements, and what is in them
    return _line(error)


def check(url: str) -> bool:
    """Make sure that a database can be used, and change nothing.

    Returns:
        Whether a command is alone with it just now; other servers may use it.

    Raises:
        Unusable: why it cannot be used.
    """
    with closing(connect(url)) as connection, understood(url):
        check_engine(connection, url)
        check_clock(connection, url)
        version_of(connection, name(url))
        return not lock(connection, shared=True)


def check_engine(connection: Connection, url: str) -> None:
    """Make sure that a database's engine can be used.

    Raises:
        Unusable: why not.
    """
    where = name(url)
    version = connection.info.server_version // 10_000
    if version < OLDEST:
        raise Unusable(
            f"{where} is kept by PostgreSQL {version}, which is too old: "
            f"upgrade it to {OLDEST} or newer"
        )
    if connection.info.parameter_status("server_encoding") != "UTF8":
        raise Unusable(f"{where} is not in UTF-8: create one with ENCODING 'UTF8'")
    row = connection.execute("SELECT current_setting('transaction_read_only')").fetchone()
    if row == ("on",):
        raise Unusable(
            f"{where} is read-only, as a standby is: name the other servers too, and add "
            "?target_session_attrs=read-write"
        )
    with closing(connect(url)) as other:
        _check_sessions(connection, other, where)


def check_clock(connection: Connection, url: str) -> None:
    """Make sure that the database's clock agrees with this machine's.

    Raises:
        Unusable: they are far apart.
    """
    before = time.time()
    row = connection.execute(f"SELECT {clocks.NOW}".encode()).fetchone()
    assert row is not None  # noqa: S101 - that gives one
    why = clocks.far_off(clocks.ahead(before, row[0], time.time()))
    if why:
        raise Unusable(
            f"cannot use {name(url)}: {why}: have chrony or the like set both, and start again"
        )


def _check_sessions(connection: Connection, other: Connection, where: str) -> None:
    """Make sure that a connection is a session: one of a pool may belong to others meanwhile."""
    channel = f"probe_{id(connection)}"
    connection.execute(f"LISTEN {channel}".encode())
    other.execute(f"NOTIFY {channel}".encode())
    if not list(connection.notifies(timeout=_PROBE, stop_after=1)):
        raise Unusable(
            f"{where} is behind a pool of connections (PgBouncer in transaction mode?): "
            "give --db the address of PostgreSQL itself, or set pool_mode = session"
        )
    connection.execute(f"UNLISTEN {channel}".encode())


@contextmanager
def understood(url: str) -> Iterator[None]:
    """Whatever the database says here is why it cannot be used."""
    try:
        yield
    except psycopg.Error as error:
        raise Unusable(f"cannot use {name(url)}: {explain(error)}") from error
