"""Opening a database for the operator's commands, to read or to change it."""

from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path
from types import ModuleType

from twisted_chat.service import sqlite_database
from twisted_chat.service.database import Database, missing
from twisted_chat.stores.unusable import Unusable


def must_exist(place: Path | str) -> None:
    """Make sure that there is a database.

    Raises:
        Unusable: there is none; in PostgreSQL that is found out later.
    """
    if isinstance(place, Path) and not place.exists():
        raise missing(f"there is no database {place}")


def reading(place: Path | str, *, is_alone: bool = False) -> AbstractContextManager[Database]:
    """A database that is read.

    Args:
        place: a file, or the address of a PostgreSQL database.
        is_alone: whether no server may be using it.

    Raises:
        Unusable: why it cannot be read.
    """
    must_exist(place)
    if isinstance(place, Path):
        return sqlite_database.reading(place, is_alone=is_alone)
    read: AbstractContextManager[Database] = _postgres().reading(place, is_alone=is_alone)
    return read


def changing(
    place: Path | str, *, is_new: bool = False, erases: bool = False
) -> AbstractContextManager[Database]:
    """A database that is changed, all or nothing, and that nobody else uses meanwhile.

    Args:
        place: a file, or the address of a PostgreSQL database.
        is_new: whether it is made if it is not there.
        erases: whether nothing may be left on the disk of what is deleted.

    Raises:
        Unusable: why it cannot be changed, or that somebody keeps it from being erased for good.
    """
    if not is_new:
        must_exist(place)
    if isinstance(place, Path):
        return sqlite_database.changing(place, erases=erases)
    changed: AbstractContextManager[Database]
    changed = _postgres().changing(place, is_new=is_new, erases=erases)
    return changed


def _postgres() -> ModuleType:
    try:
        return import_module("twisted_chat.service.postgres_database")  # an extra
    except ImportError as error:
        raise Unusable(
            "--db postgresql://... needs psycopg: pip install 'psycopg[binary]'"
        ) from error
