"""A whole server that can be killed: the only place here that knows how one is put together."""

import fcntl
import importlib
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from tests.world.disk import Disk, Fickle
from tests.world.law import OPERATORS, Owner
from tests.world.network import Reactor, Socket, Transport
from tests.world.witness import WatchedChat, WatchedLog, Witness, unshowable
from twisted_chat import ChatFactory, Limits
from twisted_chat.chat.accounts import Accounts
from twisted_chat.chat.passwords import Hasher, OwnPasswords
from twisted_chat.frontends.line_connection import LineConnection
from twisted_chat.frontends.networks import Networks
from twisted_chat.frontends.websocket import WebSocket
from twisted_chat.log.fanout import Fanout
from twisted_chat.log.log import append_together
from twisted_chat.stores import Store
from twisted_chat.stores.memory import MemoryStore
from twisted_chat.stores.sqlite.store import SqliteStore
from twisted_chat.turn import Turn

SMALL: dict[tuple[str, str], Any] = {
    ("twisted_chat.log.window", "PIECE"): 300,
    ("twisted_chat.log.fanout", "SLICE"): 2,
    ("twisted_chat.log.window", "KEPT"): 3,
    ("twisted_chat.chat.membership", "Fanout"): partial(Fanout, window=5),
    ("twisted_chat.chat.own_logs", "Fanout"): partial(Fanout, window=5),
    ("twisted_chat.chat.people", "LEFT"): 5,
    ("twisted_chat.log.reader", "PAGE"): 4,
    ("twisted_chat.stores.sqlite.writer", "GROUP"): 6,
    ("twisted_chat.stores.sqlite.writer", "QUEUE"): 60,
    ("twisted_chat.stores.sqlite.forgetting", "MOST"): 6,
    ("twisted_chat.stores.sqlite.checkpoints", "PAGES"): 3,
    ("twisted_chat.frontends.fairness", "LINES"): 5,
}
"""Sizes of a server in which a few people already find every edge."""


class Server:
    """One run of a server.

    Args:
        path: the database; None keeps everything in memory.
        now: the steady time.
        offset: gives the seconds between the steady time and the time of day.
        limits: what one may take.
        witness: hears what it does.
        written: called when the disk has done something.
    """

    def __init__(
        self,
        path: Path | None,
        now: float,
        offset: Callable[[], float],
        limits: Limits,
        witness: Witness,
        written: Callable[[], None],
    ) -> None:
        self.reactor = Reactor(now)
        self.writing, self.reading, self.settling = Disk(written), Disk(), Disk()
        self.hashing = Disk()
        self._opened: list[sqlite3.Connection] = []
        self._locked: list[Any] = []
        self._made = 0
        turn = Turn(partial(self.reactor.callLater, 0))
        with self._watched_files():
            self.store: Store = (
                SqliteStore(path, turn, self.writing, self.reading, self.settling)
                if path
                else MemoryStore(40_000)
            )

        def time() -> float:
            return self.reactor.now + offset()

        passwords = OwnPasswords(Hasher(memory=8), self.hashing)
        accounts = Accounts(self.reactor, self.store, limits, passwords, time)
        self.chat = WatchedChat(
            witness,
            self.reactor,
            self.store,
            turn,
            "the world",
            limits,
            ["Be nice."],
            now=time,
            accounts=accounts,
        )
        self.factory = ChatFactory(self.reactor, chat=self.chat)
        self._web = self.factory.web({})

    @contextmanager
    def _watched_files(self) -> Iterator[None]:
        """Know what is opened and locked, so that a kill can let go of it."""
        connect, flock = sqlite3.connect, fcntl.flock

        def connects(*args: Any, **kwargs: Any) -> sqlite3.Connection:
            self._opened.append(connect(*args, **{"factory": Fickle} | kwargs))
            return self._opened[-1]

        def locks(file: Any, *rest: Any) -> None:
            flock(file, *rest)
            self._locked.append(file)

        with patch.object(sqlite3, "connect", connects), patch.object(fcntl, "flock", locks):
            yield

    @property
    def disks(self) -> tuple[Disk, ...]:
        """Everything that is slow."""
        return self.writing, self.reading, self.settling, self.hashing

    def accept(self, socket: Socket, host: str, *, is_web: bool = False) -> None:
        """Somebody connects; the handshake of a WebSocket is over."""
        protocol: Any
        if is_web:
            protocol = WebSocket(self.factory.server, self._web.wires, host, self._web.pings)
        else:
            protocol = self.factory.buildProtocol(None)
        protocol.address = host
        self._made += 1
        protocol.world_number = self._made  # what its hash is, see `fixed`
        transport = Transport(socket, protocol, host, self.reactor)
        protocol.makeConnection(transport)

    def ban(self, hosts: Iterable[str]) -> None:
        """The operator bans these, and nobody else."""
        self.factory.ban(Networks(hosts), Networks())

    def holder_of(self, nickname: str) -> str:
        """The id of who has a nickname just now."""
        person = self.chat.people.called(nickname)
        return person.id if person else self.account(nickname) or ""

    def makes_admin(self, owner: Owner) -> None:
        """The operator lets somebody administer the server."""

        def is_made(_: object) -> None:
            owner.is_admin = True

        self.chat.accounts.set_admin(owner.id, is_admin=True).addCallbacks(is_made, lambda _: None)

    def is_admin(self, account_id: str) -> bool:
        """Whether somebody administers the server."""
        account = self.chat.accounts.with_id(account_id)
        return account is not None and account.is_admin

    def lets_everybody_in(self) -> None:
        """The operator ends the lockdown, and all bans from the server."""
        log, operator = self.chat.server_log, SimpleNamespace(nickname=OPERATORS, id=OPERATORS)
        changes = {name: None for name in log._state if name.startswith(("ban/", "lockdown"))}
        if changes:
            append_together([log.record(operator, "let everybody in", changes=changes)])  # type: ignore[arg-type]

    def account(self, name: str) -> str | None:
        """The id of the account of a name, if there is one."""
        account = self.chat.accounts.called(name)
        return account.id if account else None

    def person(self, person_id: str) -> Any:
        """Who has this id, if they are here."""
        return self.chat.people.with_id(person_id)

    def rooms_of(self, person_id: str) -> Mapping[str, int]:
        """Where somebody is just now, and the last number when they entered."""
        person = self.chat.people.with_id(person_id)
        return person.rooms if person else {}

    def members(self) -> Iterator[tuple[Any, str, int]]:
        """Everybody in every room, and the last number when they entered."""
        for person in [*self.chat.people, *self.chat.people.displaced]:
            for room, entered in person.rooms.items():
                yield person, room, entered

    def nickname_of(self, person_id: str) -> str:
        """What somebody is called just now."""
        person = self.chat.people.with_id(person_id)
        return person.nickname if person else ""

    def names_of_all(self) -> dict[str, tuple[str, ...]]:
        """By id, what everybody is called, and was before somebody took that."""
        people = [*self.chat.people, *self.chat.people.displaced]
        return {person.id: (person.nickname, *person.former) for person in people}

    def ignored_by(self, person_id: str) -> set[str]:
        """The ids of those whom somebody does not hear just now."""
        person = self.chat.people.with_id(person_id)
        ignored = person.ignored.values() if person else ()
        return {each.person_id for each in ignored if each.person_id}

    @property
    def most_refs(self) -> int:
        """How many requests are remembered of one person, at the most."""
        devices = (device for person in self.chat.people for device in person.devices.values())
        return max((len(device.refs) + len(device.settled) for device in devices), default=0)

    @property
    def most_waiting(self) -> int:
        """How many lines of one connection wait for their rate limit, at the most."""
        connections: Iterable[Any] = self.factory.connections
        sessions = (connection._session for connection in connections)
        throttles = (session._input._throttle for session in sessions if session is not None)
        return max((len(each._waiting) for each in throttles if each is not None), default=0)

    def is_killed(self) -> None:
        """`kill -9`: what was not done is never done, what was not heard never heard."""
        for connection in self._opened:
            with suppress(sqlite3.Error):
                connection.close()
        for file in self._locked:
            with suppress(OSError):
                os.close(file) if isinstance(file, int) else file.close()


@contextmanager
def fixed(chance: Random, witness: Witness, *, small: bool) -> Iterator[None]:
    """Everything that differs from run to run is out of one seed; sizes may be small.

    Logs tell a witness what they show, and some lines cannot be shown.
    """

    def token_hex(size: int = 32) -> str:
        return chance.randbytes(size).hex()

    with ExitStack() as stack:
        put = stack.enter_context
        watched = type("Log", (WatchedLog,), {"witness": witness})
        for module in ("membership", "own_logs", "server_log"):
            put(patch(f"twisted_chat.chat.{module}.Log", watched))
        put(unshowable())
        put(patch.object(secrets, "token_hex", token_hex))
        put(patch.object(secrets, "token_urlsafe", token_hex))
        put(patch.object(LineConnection, "__hash__", lambda self: self.world_number))
        for (module, name), value in SMALL.items() if small else ():
            put(patch.object(importlib.import_module(module), name, value))
        yield
