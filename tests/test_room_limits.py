"""When there are too many rooms, those give way that nobody would miss."""

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
