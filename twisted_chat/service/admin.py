"""What an operator does with accounts: make, list, lock, delete and move them."""

import argparse
import getpass
import secrets
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from twisted_chat.chat.account_names import AccountNames
from twisted_chat.chat.passwords import Hasher
from twisted_chat.service import account_lines, operator_command, values
from twisted_chat.service.account_book import AccountBook, changing, reading
from twisted_chat.service.opening import must_exist
from twisted_chat.stores.account import Account
from twisted_chat.text import names
from twisted_chat.text.counted import counted
from twisted_chat.text.passwords import Password


def main() -> None:
    """Do what the command line says; a failure is one line and a non-zero exit."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str], hasher: Hasher | None = None) -> int:
    """Do what a command line says, and give the exit status.

    Args:
        arguments: the command line.
        hasher: how passwords are hashed.
    """
    parser = _parser()
    parser.set_defaults(hasher=hasher or Hasher())
    return operator_command.run(parser, arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="twisted-chat-admin",
        description="Look after the accounts of a chat server. What changes them needs the server "
        "to be stopped.",
    )
    parser.add_argument(
        "--db",
        type=values.database,
        default=Path("chat.sqlite"),
        help="the database: a file, or a postgresql:// address",
    )
    acts = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, act: Callable[[argparse.Namespace], str], told: str) -> Any:
        parser = acts.add_parser(name, help=told, description=told[:1].upper() + told[1:] + ".")
        parser.set_defaults(act=act)
        return parser

    def of_account(name: str, told: str, **changes: bool) -> None:
        parser = command(name, _change, told)
        parser.add_argument("nickname")
        parser.set_defaults(changes=changes)

    command("list", _list, "list the accounts; also while the server runs")
    create = command("create", _create, "make an account; its password is read from the input")
    create.add_argument("nickname")
    create.add_argument("--admin", action="store_true", help="an administrator of the server")
    password = command("password", _set_password, "set a password, which is read from the input")
    password.add_argument("nickname")
    of_account("lock", "let nobody log in to an account", is_locked=True)
    of_account("unlock", "let them log in again", is_locked=False)
    of_account("promote", "make somebody an administrator of the server", is_admin=True)
    of_account("demote", "make an administrator one no longer", is_admin=False)
    delete = command("delete", _delete, "delete an account; what it said in rooms stays")
    delete.add_argument("nickname")
    command(
        "export",
        _export,
        "write the accounts as NDJSON, with the hashes of their passwords; also while the "
        "server runs",
    )
    imported = command("import", _import, "read accounts as NDJSON from a file; all or none")
    imported.add_argument("file", type=Path)
    return parser


def _list(chosen: argparse.Namespace) -> str:
    with reading(chosen.db) as book:
        known = list(book)
        for account in sorted(known, key=lambda account: account.key):
            used = datetime.fromtimestamp(account.used, UTC).date()
            is_so = {"administrator": account.is_admin, "locked": account.is_locked}
            marks = "".join(f", {mark}" for mark, is_it in is_so.items() if is_it)
            sys.stdout.write(f"{account.name}: last used {used}{marks}\n")
    return counted(len(known), "account")


def _create(chosen: argparse.Namespace) -> str:
    name, now = account_lines.check_name(chosen.nickname), time.time()
    kept = _new_password(chosen.hasher)
    account = Account(secrets.token_hex(8), name, kept, now, now, is_admin=chosen.admin)
    with changing(chosen.db, is_new=True) as book:
        _add(book, [account])
    return f"{name} is registered" + (" as an administrator" if chosen.admin else "")


def _set_password(chosen: argparse.Namespace) -> str:
    must_exist(chosen.db)
    kept = _new_password(chosen.hasher)
    with changing(chosen.db) as book:
        account = _find(book, chosen.nickname)
        book.save(replace(account, password=kept))
    return f"{account.name} has another password"


def _new_password(hasher: Hasher) -> str:
    """The hash of a password that is typed twice, or stands in the first line of a file."""
    if sys.stdin.isatty():
        typed = getpass.getpass("Password: ")
        if getpass.getpass("Again: ") != typed:
            raise ValueError("these are two different passwords: try again")
    else:
        try:
            typed = sys.stdin.buffer.readline().decode().rstrip("\r\n")
        except UnicodeDecodeError:
            raise ValueError("the password is not UTF-8") from None
    password = Password(typed)
    password.check_new()
    return hasher.hash(password)


def _change(chosen: argparse.Namespace) -> str:
    with changing(chosen.db) as book:
        account = _find(book, chosen.nickname)
        changed = replace(account, **chosen.changes)
        book.save(changed)
    is_admin = "an administrator" if changed.is_admin else "no administrator"
    is_locked = "locked" if changed.is_locked else "not locked"
    return f"{account.name} is {is_admin if 'is_admin' in chosen.changes else is_locked}"


def _delete(chosen: argparse.Namespace) -> str:
    with changing(chosen.db) as book:
        account = _find(book, chosen.nickname)
        book.drop(account.id)
    return f"the account {account.name} is deleted"


def _find(book: AccountBook, nickname: str) -> Account:
    key = names.key(nickname)
    found = next((each for each in book if each.key == key), None)
    if found is None:
        raise ValueError(f"there is no account {nickname}: list shows all of them")
    return found


def _export(chosen: argparse.Namespace) -> str:
    with reading(chosen.db) as book:
        known = list(book)
        for account in known:
            sys.stdout.buffer.write(account_lines.to_line(account))
    sys.stdout.flush()
    return counted(len(known), "account")


def _import(chosen: argparse.Namespace) -> str:
    try:
        lines = chosen.file.read_bytes().splitlines()
    except OSError as error:
        raise ValueError(f"cannot read {chosen.file}: {error.strerror}") from error
    now, number = time.time(), 0

    def read() -> Iterator[Account]:
        nonlocal number
        for number, line in enumerate(lines, 1):  # noqa: B007 - for whoever reports a mistake
            yield account_lines.from_line(line, now)

    with changing(chosen.db, is_new=True) as book:
        try:
            _add(book, read())
        except ValueError as error:
            raise ValueError(f"{chosen.file}:{number}: {error}; nothing is imported") from error
    return counted(len(lines), "account")


def _add(book: AccountBook, new: Iterable[Account]) -> None:
    """Put in accounts whose names are free, and look like nobody else's.

    Raises:
        ValueError: which is not.
    """
    taken, by_id = AccountNames(), {}
    for account in book:
        taken.add(account)
        by_id[account.id] = account
    for account in new:
        for other in taken.like(account.name):
            same = by_id[other].key == account.key
            why = "is registered already" if same else f"looks like {by_id[other].name}"
            raise ValueError(f"the name {account.name} {why}")
        if account.id in by_id:
            raise ValueError(f"the id {account.id} is that of {by_id[account.id].name}")
        taken.add(account)
        by_id[account.id] = account
        book.save(account)
