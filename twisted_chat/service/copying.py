"""Copying a whole database into another one, of whatever kind, with the same ids and sessions."""

from pathlib import Path

from twisted_chat.service import kept_files
from twisted_chat.service.database import TABLES
from twisted_chat.service.opening import changing, reading
from twisted_chat.stores.unusable import Unusable
from twisted_chat.text.counted import counted


def copy(source: Path | str, target: Path | str, folder: Path | None = None) -> str:
    """Copy everything into a database that is empty; says what that was.

    Args:
        source: a file, or the address of a PostgreSQL database, which no server uses.
        target: the same; it is made if it is not there.
        folder: of people's files, if the operator has named it: they stay there. Else their
            contents are copied, too, to where a server looks for them that has the copy.

    Raises:
        Unusable: why not; then nothing is copied.
    """
    counts = {}
    with reading(source, is_alone=True) as old, changing(target, is_new=True) as new:
        for table in ("logs", "sessions", "accounts"):
            if next(new.rows(table), None) is not None:
                raise Unusable("there is something in the other database: choose an empty one")
        for table in TABLES:
            counts[table] = new.fill(table, old.rows(table))
        new.become(old.epoch, old.last_log)
        digests = kept_files.needed(new)
        if folder is None:
            files = kept_files.copy(digests, old.contents, new.contents)
    told = [counted(counts[f"{what}s"], what) for what in ("event", "log", "account", "session")]
    copied = "copied " + ", ".join(told)
    if folder is not None and digests:
        contents = counted(len(digests), "file")
        left = f"the contents of {contents} stay in {folder}: start the server with --files"
        return f"{copied}; {left} {folder}"
    if folder is None and files:
        return f"{copied}; the contents of {counted(files, 'file')} are in {new.contents.where}"
    return copied
