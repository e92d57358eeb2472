"""What a database keeps from one run of the server to the next, and when it cannot be used."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from tests.people import ChatTestCase, at_once
from twisted_chat import ChatFactory
from twisted_chat.chat.chat import Chat
from twisted_chat.frontends.protocol import ChatProtocol
from twisted_chat.stores.sqlite import checkpoints
from twisted_chat.stores.sqlite.store import SqliteStore
from twisted_chat.stores.unusable import Unusable
from twisted_chat.turn import Turn
from twisted_chat.wire.structured import decode, encode

_T = TypeVar("_T")


OWN_HISTORY = {"do": "history", "room": "@"}


class Run:
    """One run of a server that keeps its database in a file.

    Args:
        path: the database.
        clock: the time.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        turn = Turn()
        self.store = SqliteStore(path, turn, at_once, at_once, at_once)
        self.factory = ChatFactory(clock, chat=Chat(clock, self.store, turn))

    def connects(self) -> tuple[ChatProtocol, StringTransport]:
        """A new connection."""
        protocol, transport = self.factory.buildProtocol(None), StringTransport()
        protocol.makeConnection(transport)
        return protocol, transport

    def hears(self, *lines: str) -> list[str]:
        """What somebody reads who sends these lines."""
        protocol, transport = self.connects()
        protocol.dataReceived("".join(line + "\n" for line in lines).encode())
        return list(transport.value().decode().splitlines())

    def program(self, **hello: object) -> list[dict[str, object]]:
        """What a program gets that says hello."""
        protocol, transport = self.connects()
        protocol.dataReceived(encode({"do": "hello", **hello}))
        return [decode(line.encode()) for line in transport.value().decode().splitlines()[1:]]

    def ends(self) -> None:
        """The server is stopped."""
        self.factory.say_goodbye()
        self.store.stop()


class SqliteStoreTests(SynchronousTestCase):
    def setUp(self) -> None:
        """Nothing was said yet."""
        self.path = Path(self.mktemp())
        self.path.mkdir()
        self.database = self.path / "chat.sqlite"
        self.clock = Clock()
        self.clock.advance(1_790_000_000)

    def run_again(self) -> Run:
        """A server on the same database."""
        run = Run(self.database, self.clock)
        self.addCleanup(run.ends)
        return run

    def test_a_newcomer_reads_what_was_said_before_the_restart(self) -> None:
        first = Run(self.database, self.clock)
        first.hears("alice", "hello", "/join dev", "hi dev", "/topic tea")
        first.ends()
        later = self.run_again().hears("bob", "/join dev", "/rooms")
        self.assertTrue(any(line.endswith("] alice: hello") for line in later))
        self.assertTrue(any(line.endswith("] #dev alice: hi dev") for line in later))
        self.assertIn("*** The topic of #dev is: tea", later)
        self.assertIn("*** #dev: 1 person, topic: tea", later)

    def test_a_session_goes_on_after_a_restart(self) -> None:
        first = Run(self.database, self.clock)
        token = first.program(nick="alice")[0]["session"]
        first.hears("bob", "one", "/whisper alice psst", "two")
        first.ends()
        second = self.run_again()
        second.hears("cleo", "three")
        events = second.program(nick="alice", session=token, seen={"#lobby": 1, "@": 0})
        self.assertTrue(events[0]["resumed"])
        self.assertEqual(events[0]["session"], token)
        told = [(event["room"], event["id"], event["text"]) for event in events if "id" in event]
        self.assertEqual(told, [("@", 1, "psst"), ("#lobby", 2, "two"), ("#lobby", 3, "three")])

    def test_who_only_posts_is_told_of_no_more_after_a_restart(self) -> None:
        first = Run(self.database, self.clock)
        first.program(nick="ci", quiet=True)
        first.ends()
        protocol, bob = self.run_again().connects()
        protocol.dataReceived(b"bob\r\n")
        self.clock.advance(3600)
        self.assertNotIn(b"ci has", bob.value())

    def test_a_request_made_before_the_restart_is_not_done_again(self) -> None:
        first = Run(self.database, self.clock)
        protocol, transport = first.connects()
        say = encode({"do": "say", "room": "#lobby", "text": "once", "ref": "r1"})
        protocol.dataReceived(encode({"do": "hello", "nick": "alice"}) + say)
        token = decode(transport.value().splitlines()[1])["session"]
        first.ends()
        second = self.run_again()
        protocol, transport = second.connects()
        hello = {"do": "hello", "nick": "alice", "session": token, "seen": {"#lobby": 0}}
        protocol.dataReceived(encode(hello) + say)
        events = [decode(line) for line in transport.value().splitlines()[1:]]
        self.assertEqual([event["id"] for event in events if event["event"] == "message"], [1])
        self.assertEqual(events[-1], {"event": "answer", "ref": "r1", "lines": [], "id": 1})

    def test_who_does_not_come_back_has_left_and_their_whispers_are_gone(self) -> None:
        first = Run(self.database, self.clock)
        token = first.program(nick="alice")[0]["session"]
        first.hears("bob", "/whisper alice secret")
        first.ends()
        second = self.run_again()
        self.clock.advance(301)
        events = second.program(nick="alice", session=token, seen={"@": 0})
        self.assertFalse(events[0]["resumed"])
        self.assertNotIn("secret", str(events))
        self.assertNotIn(b"secret", self.whole_database())

    def whole_database(self) -> bytes:
        """Everything that a thief of the file would find in its tables."""
        copy = sqlite3.connect(self.database)
        dump = "\n".join(copy.iterdump())
        copy.close()
        return dump.encode()

    def test_a_whisper_is_not_for_whoever_takes_the_nickname_later(self) -> None:
        run = self.run_again()
        alice, transport = run.connects()
        alice.dataReceived(b"alice\n")
        run.hears("bob", "/whisper alice secret")
        self.assertIn(b"secret", transport.value())
        alice.dataReceived(b"/quit\n")
        protocol, transport = run.connects()
        for thing in ({"do": "hello", "nick": "alice", "seen": {"@": 0}}, OWN_HISTORY):
            protocol.dataReceived(encode(thing))
        page = decode(transport.value().splitlines()[-1])
        self.assertEqual((page["event"], page["events"]), ("history", []))
        self.assertNotIn(b"secret", transport.value())

    def test_a_token_is_not_in_the_database(self) -> None:
        run = self.run_again()
        token = run.program(nick="alice")[0]["session"]
        assert isinstance(token, str)
        self.assertNotIn(token.encode(), self.whole_database())

    def test_history_is_read_by_day(self) -> None:
        run = self.run_again()
        protocol, transport = run.connects()
        protocol.dataReceived(b"alice\n")
        for number in range(5):
            protocol.dataReceived(b"line %d\n" % number)
            self.clock.advance(1800)
        transport.clear()
        protocol.dataReceived(b"/history 1h\n")
        shown = [line.partition("alice: ")[2] for line in transport.value().decode().splitlines()]
        self.assertEqual(shown, ["line 3", "line 4"])

    def test_what_is_old_is_forgotten_but_never_a_rooms_last_number(self) -> None:
        run = self.run_again()
        run.hears("alice", "old one", "old two")
        self.clock.advance(1000)
        run.store.forget(self.clock.seconds() - 10)
        self.assertNotIn(b"old one", self.whole_database())
        self.assertIn(b"old two", self.whole_database())

    def test_two_servers_do_not_use_one_database(self) -> None:
        self.run_again()
        error = self.assertRaises(Unusable, Run, self.database, self.clock)
        self.assertIn("another twisted-chat uses the database", str(error))

    def test_a_damaged_database_is_refused_and_left_alone(self) -> None:
        self.database.write_bytes(b"this is no database" * 100)
        error = self.assertRaises(Unusable, Run, self.database, self.clock)
        self.assertIn("is damaged", str(error))
        self.assertEqual(self.database.read_bytes(), b"this is no database" * 100)

    def test_a_newer_database_is_refused(self) -> None:
        database = sqlite3.connect(self.database)
        database.execute("PRAGMA user_version = 99")
        database.close()
        error = self.assertRaises(Unusable, Run, self.database, self.clock)
        self.assertIn("newer than this program's", str(error))

    def test_a_locked_database_is_refused(self) -> None:
        database = sqlite3.connect(self.database, isolation_level=None)
        database.execute("CREATE TABLE held (x)")
        database.execute("BEGIN EXCLUSIVE")
        self.addCleanup(database.close)
        error = self.assertRaises(Unusable, Run, self.database, self.clock)
        self.assertIn("another process has locked it", str(error))


class CheckpointTests(SynchronousTestCase):
    """A disk that is slow to settle keeps nobody waiting."""

    def setUp(self) -> None:
        """A chat whose database settles when the test says so, and after a few lines."""
        self.patch(checkpoints, "PAGES", 6)
        self.stopped: Deferred[None] | None = None
        self.database = Path(self.mktemp())
        self.settling: list[Callable[[], None]] = []
        self.failing: list[Callable[[], None]] = []
        turn, clock = Turn(), Clock()
        self.store = SqliteStore(self.database, turn, at_once, at_once, self.settles)
        self.factory = ChatFactory(clock, chat=Chat(clock, self.store, turn))
        self.bob, self.screen = self.factory.buildProtocol(None), StringTransport()
        self.bob.makeConnection(self.screen)
        self.bob.dataReceived(b"bob\n")
        alice = self.factory.buildProtocol(None)
        alice.makeConnection(StringTransport())
        alice.dataReceived(b"alice\n")
        self.alice = alice

    def tearDown(self) -> None:
        """Let the server stop."""
        if not self.stopped:
            self.stopped = self.store.stop()
        while self.settling:
            self.settling.pop()()
        self.successResultOf(self.stopped)

    def settles(self, work: Callable[[], _T]) -> Deferred[_T]:
        """Do some work when it is time."""
        done: Deferred[_T] = Deferred()
        self.settling.append(lambda: done.callback(work()))
        self.failing.append(lambda: done.errback(sqlite3.OperationalError("disk I/O error")))
        return done

    def test_lines_are_seen_while_it_settles(self) -> None:
        for number in range(9):
            self.alice.dataReceived(f"line {number}\n".encode())
        self.assertEqual(len(self.settling), 1)
        self.assertIn(b"alice: line 8", self.screen.value())

    def test_once_it_has_settled_the_database_itself_holds_them(self) -> None:
        for number in range(4):
            self.alice.dataReceived(f"line {number}\n".encode())
        self.assertNotIn(b"line 0", self.database.read_bytes())
        self.settling.pop()()
        self.assertIn(b"line 0", self.database.read_bytes())

    def test_what_fails_is_tried_again(self) -> None:
        for number in range(4):
            self.alice.dataReceived(f"line {number}\n".encode())
        self.settling.clear()
        with capturedLogs() as log:
            self.failing.pop()()
        self.assertIn("disk I/O error", formatEvent(log[0]))
        for number in range(4, 8):
            self.alice.dataReceived(f"line {number}\n".encode())
        self.settling.pop()()
        self.assertIn(b"line 7", self.database.read_bytes())

    def test_the_server_stops_when_it_has_settled(self) -> None:
        for number in range(4):
            self.alice.dataReceived(f"line {number}\n".encode())
        self.stopped = self.store.stop()
        self.assertNoResult(self.stopped)
        self.settling.pop()()
        self.assertTrue(self.stopped.called)


class FullDiskTests(ChatTestCase):
    """A disk that stores nothing for a while."""

    def setUp(self) -> None:
        """Alice and bob are here, and a program."""
        super().setUp()
        self.is_full = False
        turn = Turn(lambda call: self.clock.callLater(0, call))
        self.store = SqliteStore(Path(self.mktemp()), turn, self.write, at_once, at_once)
        chat = Chat(self.clock, self.store, turn, limits=self.limits)
        self.factory = ChatFactory(self.clock, chat=chat)
        self.alice, self.bob, self.robot = self.joins("alice"), self.joins("bob"), self.program("r")
        self.time_passes(5)
        self.alice.raw(), self.bob.raw(), self.robot.gets()

    def tearDown(self) -> None:
        """There is room, and the server stops."""
        self.is_full = False
        self.factory.say_goodbye()
        stopped = self.store.stop()
        self.time_passes(1)
        self.successResultOf(stopped)

    def write(self, work: Callable[[], _T]) -> Deferred[_T]:
        """Store something, if there is room."""
        if self.is_full:
            return fail(sqlite3.OperationalError("database or disk is full"))
        return at_once(work)

    def test_who_speaks_reads_that_nobody_has_seen_it(self) -> None:
        self.is_full = True
        self.alice.types("is anybody there?")
        why = "!!! That could not be stored (the disk is full), so nobody saw it"
        self.assertEqual(self.alice.sees(), [f"{why}: try again later."])
        self.assertEqual((self.bob.sees(), self.robot.gets()), ([], []))

    def test_who_comes_and_goes_is_told_all_the_same(self) -> None:
        self.is_full = True
        self.alice.protocol.dataReceived(b"nobody hears this\n/quit\n")
        self.time_passes(5)
        self.assertEqual(self.bob.sees(), ["*** alice has left #lobby"])

    def test_when_there_is_room_again_the_numbers_go_on_without_a_hole(self) -> None:
        for number in range(4):
            self.is_full = number in (1, 2)
            self.alice.types(f"line {number}")
        messages = self.robot.gets("message")
        self.assertEqual([event["text"] for event in messages], ["line 0", "line 3"])
        self.assertEqual([event["id"] for event in messages], [1, 2])
