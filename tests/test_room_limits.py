"""When there are too many rooms, those give way that nobody would miss."""

import gc
from weakref import ref

from tests.disk import DiskTestCase
from tests.people import AccountsTestCase, ChatTestCase
from twisted_chat import Limits, Pace
from twisted_chat.stores import memory


class RoomLimitTests(ChatTestCase):
    limits = Limits(pace=None, rooms=6)

    def setUp(self) -> None:
        """Bob is in three rooms, and alice in two; one has only a topic."""
        super().setUp()
        self.alice, self.bob = self.joins("alice"), self.joins("bob")
        self.bob.types("/join a", "/join b", "/join c")
        self.alice.types("/join kept", "/topic tea", "/join d").raw()

    def test_a_room_with_a_topic_gives_way_last_and_keeps_it(self) -> None:
        self.alice.types("/leave kept", "/join e", "/leave e").raw()
        self.assertNotIn("#kept", self.alice.types("/rooms").raw())
        self.alice.types("/join kept", "/topic")
        self.assertIn("*** The topic of #kept is: tea", self.alice.sees())

    def test_one_that_gives_way_is_gone_from_memory_at_once(self) -> None:
        self.alice.types("/leave d").raw()
        rooms = self.factory.chat.rooms
        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)
        d = ref(rooms["#d"])
        self.alice.types("/join e").raw()
        self.assertNotIn("#d", rooms)
        self.assertIsNone(d())


class ArrivalTests(ChatTestCase):
    """Somebody says hello who was in many rooms that are not there any more."""

    def setUp(self) -> None:
        """A program says that it was in 24 rooms; ten lines may come at once, and two a second."""
        super().setUp()
        self.alice = self.joins("alice").types("/join r23").types("hello")
        self.bot = self.program("bot", seen={f"#r{number}": 0 for number in range(24)})

    @property
    def rooms(self) -> int:
        """How many rooms there are."""
        return len(self.factory.chat.rooms)

    def test_they_are_made_no_faster_than_one_by_one(self) -> None:
        self.assertEqual(self.rooms, 2 + 10)
        self.clock.advance(0.5)
        self.assertEqual(self.rooms, 2 + 11)
        self.time_passes(6)
        self.assertEqual(self.rooms, 2 + 23)
        self.assertEqual(len(self.bot.gets("state")), 1 + 24)

    def test_those_that_are_there_are_entered_at_once(self) -> None:
        states = self.bot.gets("state")
        self.assertIn("#r23", [state["room"] for state in states])

    def test_lines_wait_until_they_are_made(self) -> None:
        self.bot.asks(do="say", room="#r22", text="hello", ref="1")
        self.assertEqual(self.bot.gets("error"), [])
        self.time_passes(7)
        self.assertEqual([said["ref"] for said in self.bot.gets("message") if "ref" in said], ["1"])

    def test_who_disconnects_makes_no_more(self) -> None:
        self.bot.vanishes()
        self.time_passes(7)
        self.assertEqual(self.rooms, 2 + 10)
        self.assertEqual(self.alice.types("/users r23").sees()[-1][-3:], "(2)")
        self.time_passes(300)
        self.assertEqual(self.alice.types("/users r23").sees()[-1][-3:], "(1)")

    def test_who_comes_back_is_brought_into_the_others_too(self) -> None:
        (welcome,) = self.bot.gets("welcome")
        self.bot.vanishes()
        self.time_passes(7)
        again = self.program("bot", session=welcome["session"])
        self.time_passes(7)
        self.assertEqual(self.rooms, 2 + 23)
        self.assertEqual(len(again.gets("state")), 1 + 24)


class ArrivalWithAccountTests(AccountsTestCase):
    limits = Limits(rooms=13, pace=Pace(1, 2))

    def test_who_disconnects_meanwhile_is_brought_into_the_others_the_next_time(self) -> None:
        alice = self.joins("alice").types("/register correct horse")
        self.time_passes(2)
        for number in range(5):
            alice.types(f"/join r{number}")
            self.time_passes(2)
        alice.closes()
        bob = self.joins("bob")
        for number in range(12):  # so that the others are closed
            bob.types(f"/join x{number}")
            self.time_passes(2)
            bob.types(f"/leave x{number}")
            self.time_passes(2)
        for is_entered in (False, True):
            alice = self.connects().types("alice correct horse")
            self.time_passes(10 if is_entered else 2)
            here = self.factory.chat.people.called("alice")
            assert here is not None
            self.assertEqual(len(here.rooms) == 6, is_entered)
            alice.vanishes()


class KeptRoomTests(DiskTestCase):
    limits = Limits(pace=None, rooms=4)

    def test_no_more_rooms_are_open_after_a_restart_than_there_may_be(self) -> None:
        alice = self.joins("alice")
        for room in "abcdefg":
            alice.types(f"/join {room}", f"in {room}", "/topic tea", "/leave")
            self.the_disk_works()
            self.clock.advance(1)
        bot = self.program("bot", seen={"#b": 0})
        self.the_disk_works()
        self.the_server_is_killed()
        self.assertEqual(list(self.factory.chat.rooms), ["#lobby", "#b", "#g", "#f"])
        carol = self.joins("carol").types("/join c")
        self.the_disk_works()
        self.assertIn("#c alice: in c", carol.sees())
        bot = self.program("bot", session=bot.gets("welcome")[0]["session"])
        self.assertEqual(bot.gets("welcome")[0]["rooms"], ["#lobby", "#b"])

    def test_of_rooms_where_nothing_was_ever_said_nothing_is_kept_in_memory(self) -> None:
        alice = self.joins("alice")
        for number in range(20):
            alice.types("hello", f"/join r{number}")  # so rooms are closed while the disk is busy
            self.the_disk_works()
            alice.types(f"/leave r{number}")
            self.the_disk_works()
        self.assertLessEqual(len(self.store._logs), 2 * self.limits.rooms)

    def test_of_rooms_that_are_not_open_nothing_is_kept_in_memory_either(self) -> None:
        alice = self.joins("alice")
        for number in range(20):
            alice.types(f"/join r{number}", f"in r{number}", f"/topic tea {number}")
            self.the_disk_works()
            alice.types(f"/leave r{number}")
            self.the_disk_works()
        open_at_most = self.limits.rooms + 2  # with alice's own log, and the server's
        self.assertLessEqual(len(self.store._logs), open_at_most)
        self.the_server_is_killed()
        self.assertLessEqual(len(self.store._logs), open_at_most)
        bob = self.joins("bob").types("/join r3", "hello", "/topic")
        self.the_disk_works()
        lines = bob.sees()
        self.assertIn("#r3 alice: in r3", lines)
        self.assertIn("*** The topic of #r3 is: tea 3", lines)
        query = "SELECT id, text FROM events JOIN logs USING (log) WHERE name = '#r3' ORDER BY id"
        self.assertEqual(self.rows(query), [(1, "in r3"), (2, "tea 3"), (3, "hello")])


class ForgottenRoomTests(ChatTestCase):
    """Where everything is in memory, rooms are forgotten that were left long ago."""

    limits = Limits(pace=None, rooms=2)

    def test_it_is_remembered_what_was_said_in_the_last_ones(self) -> None:
        self.patch(memory, "CLOSED", 3)
        alice = self.joins("alice")
        for number in range(8):
            alice.types(f"/join r{number}", f"in r{number}", f"/leave r{number}")
        alice.raw()
        self.assertIn("#r5 alice: in r5", alice.types("/join r5", "/leave r5").sees())
        self.assertEqual(alice.types("/join r1").sees()[0], "*** In #r1: alice (1)")
        store = self.factory.chat._store
        assert isinstance(store, memory.MemoryStore)
        self.assertLessEqual(len(store._last), 3 + 2 + 1)  # with those that are open, and ours
