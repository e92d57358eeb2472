"""The servers on one database share a folder of files: the database knows what they need."""

from collections.abc import Callable, Collection

from twisted.internet.defer import Deferred

from twisted_chat.stores.postgres import uploads
from twisted_chat.stores.postgres.schema import Connection
from twisted_chat.stores.postgres.steady import SteadyConnection


class DatabaseSharers:
    """`Sharers` of a folder.

    Args:
        database: a connection of their own.
        node: the number of this server, which is in `nodes` as long as it runs.
        now: gives the time of day, in seconds since 1970.
    """

    def __init__(self, database: SteadyConnection, node: int, now: Callable[[], float]) -> None:
        self._database = database
        self._node = node
        self._now = now

    def begin(self, key: str) -> None:
        """See `Sharers.begin`."""
        self._database.use(lambda connection: uploads.begin(connection, key, self._node))

    def keep(self, key: str, digest: str) -> None:
        """See `Sharers.keep`."""

        def keep(connection: Connection) -> None:
            with connection.transaction():
                uploads.has_come(connection, key, digest)

        self._database.use(keep)

    def end(self, key: str) -> str:
        """See `Sharers.end`."""
        return self._database.use(lambda connection: uploads.end(connection, key))

    def delete(self, digest: str, delete: Callable[[], None]) -> None:
        """See `Sharers.delete`."""

        def work(connection: Connection) -> None:
            with connection.transaction():
                uploads.lock(connection, digest)
                if uploads.is_unneeded(connection, digest, self._now()):
                    delete()

        self._database.use(work)

    def coming(self) -> Collection[str]:
        """See `Sharers.coming`."""
        return self._database.use(uploads.coming)

    def abandoned(self) -> Collection[str]:
        """See `Sharers.abandoned`."""
        return self._database.use(uploads.abandoned)

    def stop(self) -> Deferred[None]:
        """See `Sharers.stop`."""
        return self._database.stop()
