"""A database is one process's: two writers would give two orders."""

import fcntl
from pathlib import Path
from typing import Self

from twisted_chat.stores.schema import Unusable


class Lock:
    """Holds a database; the kernel lets go of it when the process dies.

    Args:
        database: the file that is held, by another one beside it.

    Raises:
        Unusable: another process holds it, or the lock cannot be made.
    """

    def __init__(self, database: Path) -> None:
        path = database.with_name(database.name + ".lock")
        try:
            self._file = path.open("w")
        except OSError as error:
            raise Unusable(
                f"cannot use the database {database}: {error.strerror} ({path.name})"
            ) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise Unusable(
                f"another twisted-chat uses the database {database}: stop it, or choose another "
                "file with --db"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go."""
        self._file.close()
