"""A whole server that can be killed: the only place here that knows how one is put together."""

import fcntl
import importlib
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Protocol
from unittest.mock import patch

from tests.world.disk import Disk, Fickle
from tests.world.network import Reactor, Socket, Transport
from twisted_chat import ChatFactory, ChatProtocol, Limits
from twisted_chat.chat.chat import Chat
from twisted_chat.frontends.networks import Networks
from twisted_chat.log.fanout import Fanout
from twisted_chat.stores import Store
from twisted_chat.stores.memory import MemoryStore
from twisted_chat.stores.sqlite.store import SqliteStore
from twisted_chat.turn import Turn

SMALL: dict[tuple[str, str], Any] = {
    ("twisted_chat.log.window", "PIECE"): 300,
    ("twisted_chat.log.fanout", "SLICE"): 2,
    ("twisted_chat.log.window", "KEPT"): 3,
    ("twisted_chat.chat.chat", "Fanout"): partial(Fanout, window=5),
    ("twisted_chat.log.reader", "PAGE"): 4,
    ("twisted_chat.stores.sqlite.writer", "GROUP"): 6,
    ("twisted_chat.stores.sqlite.writer", "QUEUE"): 60,
    ("twisted_chat.stores.sqlite.forgetting", "MOST"): 6,
    ("twisted_chat.stores.sqlite.checkpoints", "PAGES"): 3,
    ("twisted_chat.frontends.fairness", "LINES"): 5,
}
"""Sizes of a server in which a few people already find every edge."""


class Witness(Protocol):
    """Who hears what a server does, as it does it."""

    def came(self, nickname: str, person: str, token: str) -> None:
        """Somebody has a session, new or again."""

    def does(self, kind: str, person: Any, room: str, text: str, others: Iterable[Any]) -> None:
        """Somebody says or does something."""


class WatchedChat(Chat):
    """A chat that says what it does, where it does it."""

    def __init__(self, witness: Witness, *args: Any, **more: Any) -> None:
        self._witness = witness
        super().__init__(*args, **more)

    def attach(self, person: Any, device: Any, *rest: Any, **more: Any) -> Any:
        """See `Chat.attach`."""
        result = super().attach(person, device, *rest, **more)
        self._witness.came(person.nickname, person.id, device.token)
        return result

    def say(self, person: Any, room: Any, text: str, *rest: Any, **more: Any) -> Any:
        """See `Chat.say`."""
        self._witness.does("message", person, room.name, text, ())
        return super().say(person, room, text, *rest, **more)

    def act(self, person: Any, room: Any, text: str, *rest: Any, **more: Any) -> Any:
        """See `Chat.act`."""
        self._witness.does("action", person, room.name, text, ())
        return super().act(person, room, text, *rest, **more)

    def set_topic(self, person: Any, room: Any, text: str, *rest: Any, **more: Any) -> Any:
        """See `Chat.set_topic`."""
        self._witness.does("topic", person, room.name, text, ())
        return super().set_topic(person, room, text, *rest, **more)

    def whisper(self, person: Any, others: Any, text: str, *rest: Any, **more: Any) -> Any:
        """See `Chat.whisper`."""
        others = list(others)
        self._witness.does("whisper", person, "@", text, others)
        return super().whisper(person, others, text, *rest, **more)

    def set_away(self, person: Any, reason: Any, *rest: Any, **more: Any) -> Any:
        """See `Chat.set_away`."""
        self._witness.does("away", person, "", reason or "", ())
        return super().set_away(person, reason, *rest, **more)

    def part(self, person: Any, reason: str, *rest: Any, **more: Any) -> Any:
        """See `Chat.part`."""
        self._witness.does("leave", person, "", reason, ())
        return super().part(person, reason, *rest, **more)


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
        self.chat = WatchedChat(
            witness,
            self.reactor,
            self.store,
            turn,
            "the world",
            limits,
            ["Be nice."],
            now=lambda: self.reactor.now + offset(),
        )
        self.factory = ChatFactory(self.reactor, chat=self.chat)

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
        return self.writing, self.reading, self.settling

    def accept(self, socket: Socket, host: str) -> None:
        """Somebody connects."""
        protocol: Any = self.factory.buildProtocol(None)
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
        return person.id if person else ""

    def nickname_of(self, person_id: str) -> str:
        """What somebody is called just now."""
        person = self.chat.people.with_id(person_id)
        return person.nickname if person else ""

    def ignored_by(self, person_id: str) -> set[str]:
        """The ids of those whom somebody does not hear just now."""
        person = self.chat.people.with_id(person_id)
        ignored = person.ignored.values() if person else ()
        return {each.person_id for each in ignored if each.person_id}

    @property
    def is_empty(self) -> bool:
        """Whether nobody is here, and nothing is remembered of anybody."""
        return not len(self.chat.people) and not self.factory.connections

    def is_killed(self) -> None:
        """`kill -9`: what was not done is never done, what was not heard never heard."""
        for connection in self._opened:
            with suppress(sqlite3.Error):
                connection.close()
        for file in self._locked:
            with suppress(OSError):
                os.close(file) if isinstance(file, int) else file.close()


@contextmanager
def fixed(chance: Random, *, small: bool) -> Iterator[None]:
    """Everything that differs from run to run is out of one seed; sizes may be small."""

    def token_hex(size: int = 32) -> str:
        return chance.randbytes(size).hex()

    with ExitStack() as stack:
        put = stack.enter_context
        put(patch.object(secrets, "token_hex", token_hex))
        put(patch.object(secrets, "token_urlsafe", token_hex))
        put(patch.object(ChatProtocol, "__hash__", lambda self: self.world_number))
        for (module, name), value in SMALL.items() if small else ():
            with suppress(ImportError):
                where = importlib.import_module(module)
                if hasattr(where, name):
                    put(patch.object(where, name, value))
        yield
