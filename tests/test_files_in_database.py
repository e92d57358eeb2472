"""Contents of files in the database, and in a folder that servers on one database share."""

from collections.abc import Callable
from hashlib import sha256
from threading import Thread
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from tests import test_files_at_random
from tests.browsers import Asker
from tests.disk import Disk
from tests.people import at_once
from tests.postgres import why_not
from tests.postgres_case import PostgresSharingTestCase, SharedFolderTestCase
from tests.sharing import put
from twisted_chat.stores.contents import Contents, Incoming

if not why_not():
    from twisted_chat.stores.postgres.connection import hang_up
    from twisted_chat.stores.postgres.steady import PATIENCE, SteadyConnection

_T = TypeVar("_T")

LARGE = b"0123456789" * 5_000
DIGEST = sha256(LARGE).hexdigest()


def comes_whole(contents: Contents, content: bytes = LARGE) -> Incoming:
    """A content has come to a server, and is kept; nobody has been told of it yet."""
    incoming = contents.begin()
    incoming.write(content)
    digest = succeeds(incoming.end())
    succeeds(incoming.keep(digest))
    return incoming


def succeeds(asked: Deferred[_T]) -> _T:
    """What is answered at once."""
    found: list[_T] = []
    asked.addCallback(found.append)
    return found[0]


class SharedTests(PostgresSharingTestCase):
    """What holds wherever files are kept that several servers know."""

    skip = why_not() or None

    def setUp(self) -> None:
        """Bob may send a file."""
        self.nodes: dict[str, int] = {}
        super().setUp()
        self.bob = self.joins("bob")
        self.offered = self.is_offered(self.bob)

    def another_server(self, name: str = "another") -> Contents:
        """The contents of files as another server knows them, which has just started."""
        ((node,),) = self.looks("INSERT INTO nodes DEFAULT VALUES RETURNING node")
        self.nodes[name] = node
        return self.contents_of(node, self.connects_for_files())

    def is_gone(self, name: str = "another") -> None:
        """Another server is gone, and everybody has been told."""
        self.looks(f"DELETE FROM nodes WHERE node = {self.nodes[name]}")

    def test_half_a_file_leaves_nothing_and_can_be_sent_again(self) -> None:
        asker = self.begins(self.offered + "a.txt", LARGE, 20_000)
        self.assertEqual(len(self.on_disk()), 1)
        asker.channel.connectionLost()
        self.assertEqual(self.on_disk(), [])
        self.assertEqual(self.looks("SELECT * FROM uploads"), [])
        self.assertEqual(self.puts(self.offered + "a.txt", LARGE)[0], 201)

    def test_half_a_file_of_a_server_that_was_killed_is_deleted_at_the_start(self) -> None:
        self.begins(self.offered + "a.txt", LARGE, 20_000)
        self.chat.rooms["#lobby"].hush()
        self.dies()
        self.starts()
        self.assertEqual((self.on_disk(), self.looks("SELECT * FROM uploads")), ([], []))

    def test_what_is_coming_to_another_server_is_left_alone_until_that_is_gone(self) -> None:
        incoming = self.another_server().begin()
        incoming.write(b"x" * 20_000)
        self.restarts_beside_others()
        self.assertEqual(len(self.on_disk()), 1)
        self.is_gone()
        self.files.contents.clear_away()
        self.assertEqual(self.on_disk(), [])
        self.failureResultOf(incoming.keep(DIGEST), OSError)
        incoming.drop()

    def restarts_beside_others(self) -> None:
        """This server's view of files is made anew, as at its start."""
        self.opens_contents_again()
        self.files.know_all(self.store.epoch)

    def opens_contents_again(self) -> None:
        self.files.contents.stop()
        self.files.contents = self.opens_contents()

    def test_what_has_just_come_to_another_server_is_not_deleted_by_this_one(self) -> None:
        path = self.sends(self.bob, "a.txt", LARGE)
        incoming = comes_whole(self.another_server())
        self.bob.types("/delete a.txt")
        self.assertEqual((self.gets(path)[0], self.on_disk()), (404, [DIGEST]))
        self.restarts_beside_others()
        self.assertEqual(self.on_disk(), [DIGEST])
        incoming.drop()
        self.restarts_beside_others()
        self.assertEqual(self.on_disk(), [])

    def test_what_had_come_to_a_server_that_is_gone_is_deleted_unless_it_was_shown(self) -> None:
        comes_whole(self.another_server())
        self.is_gone()
        self.files.contents.clear_away()
        self.assertEqual(self.on_disk(), [])
        path = self.sends(self.bob, "a.txt", b"hello")
        comes_whole(self.another_server("third"), b"hello")
        self.is_gone("third")
        self.restarts_beside_others()
        self.assertEqual(self.gets(path)[::2], (200, b"hello"))

    def test_a_server_that_was_thought_to_be_gone_keeps_nothing(self) -> None:
        incoming = self.another_server().begin()
        incoming.write(LARGE)
        self.successResultOf(incoming.end())
        self.is_gone()
        self.opens_contents_again()
        failure = self.failureResultOf(incoming.keep(DIGEST), OSError)
        self.assertIn("another server has taken over", str(failure.value))
        incoming.drop()
        self.assertEqual(self.on_disk(), [])

    def test_the_same_from_two_servers_is_there_once(self) -> None:
        first, second = self.another_server("first"), self.another_server("second")
        for incoming in [comes_whole(each) for each in (first, second)]:
            self.assertEqual(self.on_disk(), [DIGEST])
            incoming.drop()

    def test_what_another_server_has_shown_is_not_lost(self) -> None:
        """Its room is opened here later."""
        comes_whole(self.another_server())
        self.assertTrue(self.files.contents.has(DIGEST))

    def test_if_the_database_is_away_that_is_said_and_it_can_be_sent_later(self) -> None:
        asker = self.begins(self.offered + "a.txt", LARGE, 20_000)
        url, self.database._url = self.database._url, "postgresql:///?host=/nowhere"
        self.database._connection.close()
        asker.sends(LARGE[20_000:])
        self.clock.advance(0)
        status, _, body = asker.gets()
        told = "That file could not be stored (the database is away), so nobody saw it: try again"
        self.assertEqual((status, body.decode()[: len(told)]), (507, told))
        self.database._url = url
        self.time_passes(2)
        self.assertEqual(self.puts(self.offered + "a.txt", b"hello")[0], 201)

    def test_a_lost_connection_is_made_again_and_nobody_notices(self) -> None:
        asker = self.begins(self.offered + "a.txt", LARGE, 20_000)
        hang_up(self.database._connection)
        asker.sends(LARGE[20_000:])
        self.clock.advance(0)
        self.assertEqual(asker.gets()[0], 201)
        self.assertEqual(self.on_disk(), [DIGEST])


class SharedFolderTests(SharedTests, SharedFolderTestCase):
    pass


class RandomTests(test_files_at_random.RandomFilesTests, SharedFolderTestCase):
    seeds = range(1)
    skip = why_not() or None


class PieceTests(PostgresSharingTestCase):
    skip = why_not() or None

    def test_parts_of_a_file_are_read_over_the_borders_of_its_pieces(self) -> None:
        path = self.sends(self.joins("bob"), "a", LARGE)
        for begin, end in ((0, 50_000), (6_999, 7_001), (7_000, 14_000), (49_999, 50_000)):
            status, _, body = self.gets(path, {"Range": f"bytes={begin}-{end - 1}"})
            self.assertEqual((status in (200, 206), body), (True, LARGE[begin:end]))

    def test_a_file_that_ends_with_a_piece_is_whole(self) -> None:
        path = self.sends(self.joins("bob"), "a", b"x" * 14_000)
        self.assertEqual(self.gets(path)[2], b"x" * 14_000)
        self.assertEqual(self.looks("SELECT place FROM chunks ORDER BY place"), [(0,), (1,)])

    def test_a_file_that_the_database_has_lost_ends_the_connection(self) -> None:
        bob = self.joins("bob")
        path, half = self.sends(bob, "a", LARGE), self.sends(bob, "b", LARGE[1:])
        self.looks(f"DELETE FROM chunks WHERE key = '{DIGEST}' OR place = 3")
        for each in (path, half):
            self.assertTrue(Asker(self.web).asks(each).is_gone)


class FullTests(PostgresSharingTestCase):
    """A disk of the database that is full from the third piece on."""

    skip = why_not() or None

    def test_a_disk_that_is_full_in_the_middle_is_said_and_leaves_nothing(self) -> None:
        offered = self.is_offered(self.joins("bob"))
        self.looks(
            "CREATE OR REPLACE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$"
        )
        self.looks(
            "CREATE TRIGGER full_disk BEFORE INSERT ON chunks FOR EACH ROW WHEN (NEW.place = 2)"
            " EXECUTE FUNCTION fill()"
        )
        self.addCleanup(self.looks, "DROP TRIGGER IF EXISTS full_disk ON chunks")
        status, why = self.puts(offered + "a", LARGE)
        told = (
            "That file could not be stored (the disk is full), so nobody saw it: try again later."
        )
        self.assertEqual((status, why, self.on_disk()), (507, told, []))
        self.looks("DROP TRIGGER full_disk ON chunks")
        self.assertEqual(self.puts(offered + "a", LARGE)[0], 201)


class SlowTests(PostgresSharingTestCase):
    """A database that answers when the test says so."""

    skip = why_not() or None

    def setUp(self) -> None:
        """Bob may send a file."""
        self.elsewhere: Any = at_once
        super().setUp()
        self.offered = self.is_offered(self.joins("bob"))

    def test_one_that_does_not_answer_is_hung_up_on(self) -> None:
        connection = self.database._connection
        self.elsewhere = self.database._elsewhere = disk = Disk()
        asker = Asker(self.web).sends(put(self.offered + "a", b"hello"))
        self.assertTrue(disk.is_busy)
        self.clock.advance(PATIENCE)
        self.assertFalse(is_open(connection))
        while disk.is_busy:
            disk.turns()
            disk.is_heard()
            self.clock.advance(0)
        self.assertEqual(asker.gets()[0], 201)
        self.assertEqual(self.on_disk(), [sha256(b"hello").hexdigest()])
        self.database._elsewhere = at_once


def is_open(connection: Any) -> bool:
    """Whether the database answers over a connection."""
    try:
        connection.execute("SELECT 1")
    except Exception:
        return False
    return True


class RaceTests(PostgresSharingTestCase):
    """Two servers, in two threads, do what they want."""

    skip = why_not() or None

    def server(self) -> Contents:
        """The contents of files as one more server knows them."""
        ((node,),) = self.looks("INSERT INTO nodes DEFAULT VALUES RETURNING node")
        database = SteadyConnection(self.url, at_once, Clock())
        self.addCleanup(lambda: database._connection.close())
        return self.contents_of(node, database)

    def test_what_one_deletes_while_the_other_is_sent_the_same_is_there_if_it_is_shown(
        self,
    ) -> None:
        deleting, sending = self.server(), self.server()
        shown = f"""INSERT INTO state VALUES (1, 'file/x', '{{"digest": "{DIGEST}"}}')"""

        def send() -> None:
            incoming = comes_whole(sending)
            self.looks(shown)
            incoming.drop()

        def delete(contents: Contents) -> None:
            for _ in range(10):
                contents.delete(DIGEST)

        for _ in range(20):
            at_the_same_time(send, lambda: delete(deleting))
            self.assertEqual(self.looks("SELECT count(*) FROM chunks"), [(8,)])
            self.looks("DELETE FROM state")
            at_the_same_time(lambda: delete(sending), lambda: delete(deleting))
            self.assertEqual(self.on_disk(), [])


def at_the_same_time(*things: Callable[[], None]) -> None:
    threads = [Thread(target=each) for each in things]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
