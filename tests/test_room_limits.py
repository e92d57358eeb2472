"""When there are too many rooms, those give way that nobody would miss."""

import gc
from weakref import ref

from tests.disk import DiskTestCase
from tests.people import ChatTestCase
from twisted_chat import Limits


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
