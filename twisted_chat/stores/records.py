"""How accounts and saved sessions become rows of a database, and rows what they were."""

import json

from twisted_chat.stores import SavedSession
from twisted_chat.stores.account import Account
from twisted_chat.stores.rows import Row

ACCOUNT = "id, name, password, created, used, places, locked, admin, settings"

SESSION = (
    "id, person, token, nickname, address, since, room, away, quiet, account, until, asleep,"
    " displaced, rooms, ignored, former, done"
)


def account_row(account: Account) -> Row:
    """An account as a row: `ACCOUNT`, then the key of its name."""
    return (
        account.id,
        account.name,
        account.password,
        account.created,
        account.used,
        json.dumps(account.places),
        account.is_locked,
        account.is_admin,
        json.dumps(account.settings),
        account.key,
    )


def to_account(row: Row) -> Account:
    """A row of `ACCOUNT` as the account that it was."""
    account_id, name, password, created, used, places, is_locked, is_admin, settings = row
    return Account(
        *(account_id, name, password, created, used),
        places=tuple(json.loads(places)),
        is_locked=bool(is_locked),
        is_admin=bool(is_admin),
        settings=json.loads(settings),
    )


def session_row(saved: SavedSession) -> Row:
    """A saved session as a row of `SESSION`."""
    return (
        *(
            saved.id,
            saved.person,
            saved.token,
            saved.nickname,
            saved.address,
            saved.since,
            saved.room,
            saved.away,
            saved.is_quiet,
            saved.account,
            saved.until,
            saved.is_asleep,
            saved.is_displaced,
        ),
        *map(json.dumps, (saved.rooms, saved.ignored, saved.former, saved.done)),
    )


def to_session(row: Row) -> SavedSession:
    """A row of `SESSION` as the saved session that it was."""
    device, person, token, nickname, address, since, room, away, quiet, *others = row
    account, until, asleep, displaced, *lists = others
    rooms, ignored, former, done = map(json.loads, lists)
    return SavedSession(
        *(device, person, token, nickname, address, since, rooms, room, away),
        ignored=tuple((name, other) for name, other in ignored),
        former=tuple(former),
        done=tuple(done),
        is_quiet=bool(quiet),
        account=account,
        until=until,
        is_asleep=bool(asleep),
        is_displaced=bool(displaced),
    )
