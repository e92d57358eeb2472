"""A lock on the database: two servers would write two different orders."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import Self

from twisted_chat.stores.unusable import Unusable


class Lock:
    """Locks a database; the kernel releases the lock when the process dies.

    Args:
        database: the file that is held, by another one beside it.

    Raises:
        Unusable: another process holds it, or the lock cannot be made.
    """

    def __init__(self, database: Path) -> None:
        real = database.resolve()
        self._path = real.with_name(real.name + ".lock")
        self._file: int | None = None
        try:
            self._file = _take(self._path)
        except BlockingIOError as error:
            raise Unusable(
                f"another twisted-chat uses the database {database}: stop it, or choose another "
                "file with --db"
            ) from error
        except OSError as error:
            raise Unusable(
                f"cannot use the database {database}: {error.strerror} ({self._path.name})"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go, and leave no file behind; once that is done, nothing more is."""
        if self._file is not None:
            with suppress(OSError):
                self._path.unlink()
            os.close(self._file)
            self._file = None


def is_held(database: Path) -> bool:
    """Whether a process has locked a database; checking creates no file."""
    real = database.resolve()
    try:
        file = os.open(real.with_name(real.name + ".lock"), os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


def _take(path: Path) -> int:
    while True:
        file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.fchmod(file, 0o600)
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(file), path.stat()):
                    return file
        except OSError:
            os.close(file)
            raise
        os.close(file)  # whoever held it has just removed it: a new one is another file
