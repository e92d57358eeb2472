"""Accounts as lines of a file, and back, with the hashes of their passwords.

Left out is from where somebody has logged in.
"""

import re
import secrets
from datetime import UTC, datetime
from typing import Any

from twisted_chat.chat.passwords import check_hash
from twisted_chat.limits import Limits
from twisted_chat.refusal import Refused
from twisted_chat.service.exchange import decode, time_of
from twisted_chat.stores.account import Account
from twisted_chat.text import names
from twisted_chat.wire.structured import encode

_WIDE = Limits(nickname_characters=64, nickname_bytes=256)
"""A server may allow longer names than it does by default."""

_FLAGS = ("locked", "admin")
_ID = re.compile("[0-9a-f]{16}")


def to_line(account: Account) -> bytes:
    """An account as a line; a password that a site keeps is left out."""
    thing = {
        "account": account.name,
        "id": account.id,
        "created": _written(account.created),
        "used": _written(account.used),
        "locked": account.is_locked,
        "admin": account.is_admin,
        "settings": account.settings,
    }
    return encode(thing | ({"password": account.password} if account.password else {}))


def from_line(line: bytes, now: float) -> Account:
    """The account that a line is; only its name has to be there.

    Args:
        line: what is written there.
        now: seconds since 1970, for times that are not.

    Raises:
        ValueError: what is wrong with it.
    """
    thing = decode(line)
    password, settings = thing.get("password", ""), thing.get("settings", {})
    if password != "":
        check_hash(password if isinstance(password, str) else "")
    if not isinstance(settings, dict):
        raise ValueError("the settings must be an object")  # noqa: TRY004 - of the file
    account_id = thing.get("id") or secrets.token_hex(8)
    if not isinstance(account_id, str) or not _ID.fullmatch(account_id):
        raise ValueError("the id must be 16 hexadecimal digits")
    for flag in _FLAGS:
        if not isinstance(thing.get(flag, False), bool):
            raise ValueError(f"{flag} must be true or false")  # noqa: TRY004 - of the file
    return Account(
        account_id,
        check_name(thing.get("account")),
        password,
        time_of(thing, "created") if "created" in thing else now,
        time_of(thing, "used") if "used" in thing else now,
        is_locked=thing.get("locked", False),
        is_admin=thing.get("admin", False),
        settings=settings,
    )


def check_name(name: Any) -> str:
    """A name that an account may have.

    Raises:
        ValueError: why it may not.
    """
    if not isinstance(name, str):
        raise ValueError("the account's name is missing")  # noqa: TRY004 - of the file
    try:
        return names.nickname(name, _WIDE)
    except Refused as why:
        told = why.text[:1].lower() + why.text[1:].rstrip(".")
        raise ValueError(told) from None


def _written(seconds: float) -> str:
    """To the microsecond, so that the order in which accounts were made stays."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")
