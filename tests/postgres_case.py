"""People in a chat that is kept in PostgreSQL."""

from dataclasses import replace
from functools import partial
from typing import Any

from tests.disk import Disk, DiskTestCase
from tests.people import ChatTestCase, Person, at_once, cheap_accounts
from tests.postgres import engine, why_not
from tests.sharing import SharingTestCase
from twisted_chat import ChatFactory
from twisted_chat.chat.chat import Chat
from twisted_chat.stores import Store
from twisted_chat.stores.contents import Contents
from twisted_chat.stores.folder import FolderContents
from twisted_chat.turn import Turn

if not why_not():
    import psycopg

    from tests.faulty import Network
    from twisted_chat.stores.postgres import contents
    from twisted_chat.stores.postgres import engine as writing_engine
    from twisted_chat.stores.postgres.contents import DatabaseContents
    from twisted_chat.stores.postgres.sharers import DatabaseSharers
    from twisted_chat.stores.postgres.steady import SteadyConnection
    from twisted_chat.stores.postgres.store import PostgresStore


def close(store: Any) -> None:
    """End a server's connections, as if it were killed, and long ago."""
    store._engine.close()
    store._history._close()
    with engine().connect(store._url) as look:
        look.execute(b"DELETE FROM nodes WHERE node = %s", (store.nodes.number,))


class _Lent(ChatTestCase):
    """A chat in a place that was lent to it."""

    def setUp(self) -> None:
        """An empty place; its engine is not checked, which takes as long as a test."""
        self.patch(writing_engine, "check_engine", lambda *_: None)
        self.url = self.enterContext(engine().lend())
        super().setUp()

    def is_forgotten(self) -> None:
        """So much time has passed that servers which were killed are gone for the others."""
        with engine().connect(self.url) as look:
            look.execute(b"DELETE FROM nodes")


class PostgresTestCase(_Lent):
    """A chat whose database is never busy, and people in it."""

    def setUp(self) -> None:
        """An empty chat."""
        super().setUp()
        store = PostgresStore(self.url, Turn(), at_once, at_once, at_once, self.clock)
        self.addCleanup(close, store)
        limits = replace(self.limits)
        accounts = cheap_accounts(self.clock, store, limits)
        turn = Turn(partial(self.clock.callLater, 0))
        chat = Chat(self.clock, store, turn, "the lab", limits, accounts=accounts)
        self.factory = ChatFactory(self.clock, chat=chat)


class PostgresSharingTestCase(_Lent, SharingTestCase):
    """A chat that takes files and keeps all in a database that is never busy."""

    def setUp(self) -> None:
        """An empty chat, for which a content of a few bytes is a large one."""
        self.patch(contents, "PIECE", 7_000)
        super().setUp()

    def opens(self, turn: Turn) -> Store:
        """See `SharingTestCase.opens`."""
        return PostgresStore(self.url, turn, at_once, at_once, at_once, self.clock)

    def opens_contents(self) -> Contents:
        """See `SharingTestCase.opens_contents`."""
        self.database = self.connects_for_files()
        return self.contents_of(self.store.nodes.number, self.database)

    def connects_for_files(self) -> "SteadyConnection":
        """A server's connection for files."""
        database = SteadyConnection(self.url, self.elsewhere, self.clock)
        self.addCleanup(lambda: database._connection.close())
        return database

    def contents_of(self, node: int, database: "SteadyConnection") -> Contents:
        """The contents of files, as a server knows them."""
        return DatabaseContents(database, node, self.clock.seconds)

    def dies(self) -> None:
        """See `SharingTestCase.dies`."""
        close(self.store)
        self.database._connection.close()
        self.is_forgotten()

    def looks(self, query: str) -> list[tuple[Any, ...]]:
        """What stands in the database."""
        with engine().connect(self.url) as look:
            cursor = look.execute(query.encode())
            return list(cursor) if cursor.description else []

    def loses(self) -> None:
        """See `SharingTestCase.loses`."""
        self.looks("DELETE FROM chunks")

    def on_disk(self) -> list[str]:
        """See `SharingTestCase.on_disk`."""
        return [key for (key,) in self.looks("SELECT DISTINCT key FROM chunks ORDER BY key")]


class SharedFolderTestCase(PostgresSharingTestCase):
    """A chat that keeps files in a folder, which other servers on its database may share."""

    def contents_of(self, node: int, database: "SteadyConnection") -> Contents:
        """See `PostgresSharingTestCase.contents_of`."""
        sharers = DatabaseSharers(database, node, self.clock.seconds)
        return FolderContents(self.folder, database.do, sharers)

    def dies(self) -> None:
        """See `SharingTestCase.dies`."""
        super().dies()
        self.closes_halves()

    loses = SharingTestCase.loses
    on_disk = SharingTestCase.on_disk


class SlowPostgresTestCase(_Lent, DiskTestCase):
    """A chat whose database does nothing by itself, over a network that may break."""

    def setUp(self) -> None:
        """An empty chat."""
        self.network = Network()
        self.patch(writing_engine, "connect", self.network.connect)
        super().setUp()

    def _open(self, turn: Turn) -> None:
        full = psycopg.errors.DiskFull("could not extend file: No space left on device")
        self.writing, self.reading = Disk(full), Disk()
        store = PostgresStore(self.url, turn, self.writing, self.reading, at_once, self.clock)
        self.store: Any = store

    def _start(self) -> None:
        super()._start()
        while not self.factory.chat.ready.called:
            self.the_disk_works()

    def _close(self) -> None:
        close(self.store)
        self.is_forgotten()

    def joins(self, nickname: str, host: str = "127.0.0.1") -> Person:
        """See `ChatTestCase.joins`: that nobody else is called so, the database has to say."""
        person = self.connects(host).types(nickname)
        welcome = f"*** Welcome, {nickname}! You are in #lobby."
        for _ in range(10):
            if welcome not in person.transport.value().decode():
                self.writing.turns()
                self.writing.is_heard()
                self.clock.advance(0)
        assert welcome in person.raw()
        return person

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """See `DiskTestCase.rows`."""
        with engine().connect(self.url) as look:
            return list(look.execute(query.encode()))
