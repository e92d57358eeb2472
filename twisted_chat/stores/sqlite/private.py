"""Files that no other user of the machine can read."""

import os
import stat
from contextlib import suppress
from pathlib import Path


def make_private(path: Path) -> None:
    """Create a file that only its owner can use, or restrict an existing one.

    Args:
        path: the file; what is in it stays.

    Raises:
        OSError: it cannot be made, or belongs to somebody else.
    """
    with suppress(FileExistsError):
        made = os.open(path, os.O_CREAT | os.O_EXCL)
        os.fchmod(made, 0o600)
        os.close(made)
    mode = path.stat().st_mode
    if stat.S_ISREG(mode) and mode & 0o177:
        path.chmod(mode & 0o600)
