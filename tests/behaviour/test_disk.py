"""What is said is seen once it is stored, and whoever said what could not be stored is told."""

from tests.behaviour.case import DiskBehaviour
from tests.behaviour.seen import Here, Refusal, Renamed, Said, TopicSet, Whispered
from tests.behaviour.visitor import Visitor


class DiskTests(DiskBehaviour):
    def setUp(self) -> None:
        """Alice and bob are in the lobby."""
        super().setUp()
        self.alice, self.bob = self.come("alice", "bob")

    def assert_not_stored(self, visitor: Visitor) -> None:
        """They are told so, and nothing else."""
        self.the_disk_works()
        self.assert_refused(visitor, "That could not be stored (the disk is full)")

    def test_nothing_is_seen_before_it_is_stored(self) -> None:
        self.bob.says("hello").whispers("alice", "psst")
        self.clock.advance(0)
        self.assert_sees(self.alice)
        self.the_disk_works()
        both = {Said("bob", "hello"), Whispered("bob", "alice", "psst")}
        self.assertEqual(set(self.alice.sees()), both)

    def test_what_the_full_disk_does_not_take_is_refused_once_and_seen_by_nobody(self) -> None:
        carol = self.comes("carol")
        self.look_away(self.alice, self.bob)
        self.writing.is_full = True
        self.assert_not_stored(self.bob.says("hello"))
        for what in ("/me waves", "/topic tea", "/whisper alice,carol psst", "/nick robert"):
            self.assert_not_stored(self.bob.does(what))
        self.assert_sees(self.alice)
        self.assert_sees(carol)

    def test_when_there_is_room_again_all_goes_on(self) -> None:
        self.writing.is_full = True
        self.assert_not_stored(self.bob.is_called("robert"))
        self.writing.is_full = False
        self.bob.says("again")
        self.the_disk_works()
        self.assert_sees(self.alice, Said("bob", "again"))
        robert = self.connects().answers("robert")
        self.the_disk_works()
        self.assertEqual(robert.sees(Here), [Here(("alice", "bob", "robert"))])

    def test_also_who_has_left_is_told(self) -> None:
        self.writing.is_full = True
        self.bob.says("important").does("/quit")
        self.the_disk_works()
        (refusal,) = self.bob.sees(Refusal)
        self.assertIn("That could not be stored", str(refusal))
        self.assertTrue(self.bob.is_gone)

    def test_whoever_is_being_renamed_speaks_under_the_new_name(self) -> None:
        self.bob.is_called("robert").says("it is me")
        self.assert_refused(self.connects().answers("robert"), "robert is taken")
        self.the_disk_works()
        self.assert_sees(self.alice, Renamed("bob", "robert"), Said("robert", "it is me"))
        self.comes("bob")

    def test_what_was_said_is_there_after_a_crash(self) -> None:
        self.bob.says("one", "two").does("/topic tea")
        self.the_disk_works()
        self.bob.says("three")
        self.the_server_is_killed()
        carol = self.connects().answers("carol")
        self.the_disk_works()
        said = [Said("bob", "one"), Said("bob", "two"), TopicSet("bob", "tea")]
        self.assertEqual(carol.sees(Said, TopicSet), said)


globals().update(DiskTests.make_test_case_classes())
