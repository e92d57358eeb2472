"""Where a running chat keeps what happens, and the files that people send."""

import time
from collections.abc import Callable
from typing import Any

from twisted_chat.counters import Counters
from twisted_chat.service.options import Options
from twisted_chat.stores import Store, WorkerThread
from twisted_chat.stores.contents import Contents
from twisted_chat.stores.folder import FolderContents
from twisted_chat.stores.memory import MemoryStore
from twisted_chat.stores.sqlite.store import SqliteStore
from twisted_chat.stores.unusable import Unusable
from twisted_chat.turn import Turn


def open_store(
    options: Options,
    turn: Turn,
    thread: Callable[[], WorkerThread],
    reactor: Any,
    counters: Counters,
) -> Store:
    """The store that these options name.

    Args:
        options: of the chat.
        turn: says when a turn is over.
        thread: makes a thread for one kind of work.
        reactor: what the chat runs on.
        counters: where it is counted how the store does.

    Raises:
        Unusable: why it cannot be used.
    """
    if options.postgres is not None:
        from twisted_chat.stores.postgres.store import PostgresStore  # an extra

        return PostgresStore(
            options.postgres, turn, thread(), thread(), thread(), reactor, counters, reactor
        )
    if options.database is None:
        return MemoryStore()
    return SqliteStore(
        options.database,
        turn,
        thread(),
        thread(),
        thread(),
        full=options.is_sync_full,
        counters=counters,
    )


def open_contents(
    options: Options, store: Store, thread: Callable[[], WorkerThread], reactor: Any
) -> Contents:
    """The contents of files: in a folder, or in the database with everything else.

    Args:
        options: of the chat, where people can send files.
        store: what everything else is in.
        thread: makes a thread for one kind of work.
        reactor: what the chat runs on.

    Raises:
        Unusable: why they cannot be used.
    """
    try:
        if options.postgres is None:
            return FolderContents(options.files, thread())
        from twisted_chat.stores.postgres.contents import DatabaseContents  # an extra
        from twisted_chat.stores.postgres.sharers import DatabaseSharers
        from twisted_chat.stores.postgres.steady import SteadyConnection

        assert store.nodes is not None  # noqa: S101 - there can be several in such a database
        node = store.nodes.number
        database = SteadyConnection(options.postgres, thread(), reactor)
        if options.files is None:
            return DatabaseContents(database, node, time.time)
        return FolderContents(
            options.files, database.do, DatabaseSharers(database, node, time.time)
        )
    except OSError as error:
        where = "database for files" if options.files is None else f"folder {options.files}"
        raise Unusable(f"cannot use the {where}: {error.strerror}") from error
