"""Several real servers on one real PostgreSQL, and what may happen to them."""

import signal
from pathlib import Path
from typing import Any

from tests.cluster.cable import Cable
from tests.cluster.crowd import Crowd
from tests.cluster.witness import Address
from tests.e2e.people import Typist
from tests.e2e.server import Server
from tests.postgres import Engine

NODES = 3

UNLIMITED = (
    *("--flood", "off", "--registrations", "1000/1"),
    *("--per-address", "1000", "--nameless-per-address", "1000"),
)


class Node:
    """One of several servers; each has a cable of its own to the database.

    Args:
        folder: where it runs.
        name: what transcripts call it.
        url: where the database is.
        options: what it is told besides.
        cable: what stands between it and the database, if anything does.
    """

    def __init__(
        self, folder: Path, name: str, url: str, options: tuple[str, ...], cable: Cable | None
    ) -> None:
        self.name = name
        self.cable = cable
        self._folder = folder
        self._options = ("--db", f"{url}&application_name={name}", *options)
        folder.mkdir()
        self.output = ""
        self.server = Server(folder, *self._options)
        self.port = self.server.port

    def kills(self) -> None:
        """Kill it."""
        self.server.kill()

    def freezes(self) -> None:
        """It stands still."""
        self.server.signal(signal.SIGSTOP)

    def thaws(self) -> None:
        """It goes on."""
        self.server.signal(signal.SIGCONT)

    def starts(self) -> None:
        """It was stopped or killed, and starts again on its port."""
        self.output += self.server.output
        self.server = Server(self._folder, *self._options, port=self.port)


class Cluster:
    """Servers that are one chat.

    Args:
        folder: where they run.
        engine: their database, which they reach over cables.
        options: what each is told besides.
        count: how many they are.
        url: where the database is, if they reach it without any.
    """

    def __init__(
        self, folder: Path, engine: Engine, *options: str, count: int = NODES, url: str = ""
    ) -> None:
        self.engine = engine
        self.crowd = Crowd()
        self.nodes: list[Node] = []
        self.url = url or engine.new()
        self._folder = folder
        self._options = (*UNLIMITED, *options)
        self._has_cables = not url
        try:
            for _ in range(count):
                self.adds()
        except BaseException:
            self.ends()
            raise

    def adds(self) -> Node:
        """One more server."""
        name, cable, url = f"node-{len(self.nodes) + 1}", None, self.url
        if self._has_cables:
            cable = Cable(self.engine.folder / ".s.PGSQL.5432")
            where = f"host=127.0.0.1&port={cable.port}&connect_timeout=2"
            url = url.replace(f"host={self.engine.folder}", where)
        node = Node(self._folder / name, name, url, self._options, cable)
        self.nodes.append(node)
        return node

    def __getitem__(self, number: int) -> Node:
        return self.nodes[number % len(self.nodes)]

    def addresses(self, first: int = 0) -> list[Address]:
        """Where all servers are, from one of them on."""
        turned = [self[first + number] for number in range(len(self.nodes))]
        return [(node.name, node.port) for node in turned]

    def brings(self, who: str, first: int = 0, **hello: object) -> Any:
        """A program comes in that knows all servers, to one of them, and is let in."""
        return self.crowd.brings(who, self.addresses(first), **hello).is_let_in()

    def at_netcat(self, node: int, nickname: str | None = None) -> Typist:
        """Somebody comes in with netcat to one server."""
        person = Typist("nc", "127.0.0.1", str(self[node].port))
        return person if nickname is None else person.comes_in(nickname)

    def ends_connections(self, node: Node) -> int:
        """The database ends a server's connections; gives how many there were."""
        with self.engine.connect(self.engine.url()) as connection:
            query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            mine = f"{query} WHERE application_name = '{node.name}'"
            return len(connection.execute(mine.encode()).fetchall())

    def ends(self) -> None:
        """All is over."""
        self.crowd.ends()
        for node in self.nodes:
            node.server.kill()
            if node.cable is not None:
                node.cable.closes()

    @property
    def output(self) -> str:
        """What all servers have written."""
        return "".join(node.output + node.server.output for node in self.nodes)
