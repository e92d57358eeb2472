"""Several servers are one chat: the same people, rooms, order and rules at each."""

from unittest.mock import patch

from twisted.internet.defer import fail

from tests.people import Program
from tests.several import SeveralTestCase
from twisted_chat.events import Entry, Join


class RoomTests(SeveralTestCase):
    """What is said in a room."""

    def test_what_one_says_is_heard_at_all_servers_in_the_same_order(self) -> None:
        people = [self.joins(name, server) for server, name in enumerate(("ann", "bob", "cid"))]
        self.look_away(*people)
        for person, text in zip(people, ("one", "two", "three"), strict=True):
            person.types(text)
        self.clock.advance(0)
        self.assertEqual(
            [person.sees() for person in people],
            [
                ["bob: two", "cid: three"],
                ["ann: one", "cid: three"],
                ["ann: one", "bob: two"],
            ],
        )

    def test_who_comes_and_goes_is_told_at_all_servers_once(self) -> None:
        ann = self.joins("ann", 0)
        bob = self.joins("bob", 1)
        cid = self.joins("cid", 2)
        self.assertEqual(ann.sees(), ["*** bob has joined #lobby", "*** cid has joined #lobby"])
        self.assertEqual(bob.sees(), ["*** cid has joined #lobby"])
        bob.types("/quit")
        self.clock.advance(0)
        self.assertEqual(ann.sees(), ["*** bob has left #lobby"])
        self.assertEqual(cid.sees(), ["*** bob has left #lobby"])

    def test_everybody_is_listed_at_every_server(self) -> None:
        ann, bob = self.joins("ann", 0), self.joins("bob", 1)
        bob.types("/join #dev", "/away at lunch")
        self.look_away(ann, bob)
        self.assertEqual(
            ann.types("/users").sees(), ["*** In #lobby: ann, bob (away: at lunch) (2)"]
        )
        self.assertEqual(ann.types("/users #dev").sees(), ["*** In #dev: bob (away: at lunch) (1)"])
        late = self.joins("late", 2)
        self.assertIn("*** bob is in #lobby, #dev.", late.types("/whois bob").sees())
        self.look_away(bob)
        bob.types("/leave #dev")
        self.look_away(bob, ann)
        self.assertEqual(ann.types("/users #dev").sees(), ["*** In #dev:  (0)"])

    def test_a_server_that_starts_later_knows_who_is_here(self) -> None:
        ann = self.joins("ann", 0)
        self.joins("bob", 1)
        self.servers.append(self.starts())
        cid = self.joins("cid", 3)
        self.look_away(ann)
        self.assertEqual(cid.types("/users").sees(), ["*** In #lobby: ann, bob, cid (3)"])
        cid.types("/whisper ann hello")
        self.assertEqual(ann.sees(), ["[whisper from cid] hello"])


class NameTests(SeveralTestCase):
    """Nicknames are somebody's at all servers."""

    def test_a_nickname_that_is_taken_elsewhere_or_looks_like_one_is_refused(self) -> None:
        self.joins("alice", 0)
        bob = self.joins("bob", 1)
        bob.types("/nick alice")
        self.assertEqual(bob.sees(), ["!!! The nickname alice is taken: choose another one."])
        bob.types("/nick a1ice")
        self.assertIn("looks like alice", bob.sees()[0])

    def test_ten_who_ask_at_once_are_told_of_one_who_has_it(self) -> None:
        self.database.is_quick = False
        programs = [self.program("dave", server % 3) for server in range(10)]
        self.database.is_quick = True
        self.database.all_hear()
        self.clock.advance(0)
        answers = [each.gets("welcome", "error")[0]["event"] for each in programs]
        self.assertEqual(answers.count("welcome"), 1)

    def test_a_new_nickname_is_seen_everywhere_and_the_old_one_is_free(self) -> None:
        ann, bob = self.joins("ann", 0), self.joins("bob", 1)
        self.look_away(ann, bob)
        ann.types("/nick anna")
        self.clock.advance(0)
        self.assertEqual(bob.sees(), ["*** ann is now known as anna"])
        bob.types("/nick ann")
        self.clock.advance(0)
        self.assertIn("*** bob is now known as ann", ann.sees())
        self.assertEqual(bob.types("/users").sees()[-1], "*** In #lobby: anna, ann (2)")


class PrivateTests(SeveralTestCase):
    """Whispers."""

    def test_whispers_reach_people_at_other_servers_and_are_answered(self) -> None:
        ann, bob, cid = (self.joins(name, n) for n, name in enumerate(("ann", "bob", "cid")))
        self.look_away(ann, bob, cid)
        ann.types("/whisper bob psst")
        self.assertEqual(ann.sees(), ["[whisper to bob] psst"])
        self.assertEqual(bob.sees(), ["[whisper from ann] psst"])
        bob.types("/reply what?")
        self.assertEqual(ann.sees(), ["[whisper from bob] what?"])
        self.assertEqual(cid.sees(), [])

    def test_who_is_ignored_is_ignored_at_whatever_server(self) -> None:
        ann, bob = self.joins("ann", 0), self.joins("bob", 1)
        ann.types("/ignore bob")
        self.look_away(ann, bob)
        bob.types("spam", "/whisper ann spam", "/nick rob", "more spam")
        self.clock.advance(0)
        self.assertEqual(ann.sees(), ["*** bob is now known as rob"])


class ResumingTests(SeveralTestCase):
    """Clients that go on at another server."""

    def test_a_client_goes_on_at_another_server_without_gap_or_repeat(self) -> None:
        ann = self.joins("ann", 0)
        bob = self.program("bob", 1)
        token = bob.gets("welcome")[0]["session"]
        bob.asks(do="say", room="#lobby", text="one", ref="r1")
        ann.types("two")
        self.look_away(ann)
        seen = [each["id"] for each in bob.gets("message")]
        again = Program(self.servers[2])
        again.asks(do="hello", session=token, seen={"#lobby": seen[-1]})
        ann.types("three")
        self.time_passes(1)
        things = again.gets()
        self.assertTrue(things[0]["resumed"])
        self.assertEqual([each["text"] for each in things if each["event"] == "message"], ["three"])
        self.assertTrue(bob.is_gone)
        self.assertEqual(ann.sees(), [])
        again.asks(do="say", room="#lobby", text="one", ref="r1")
        again.asks(do="say", room="#lobby", text="four", ref="r2")
        self.clock.advance(0)
        self.assertEqual(ann.sees(), ["bob: four"])

    def test_a_server_that_notices_late_that_a_client_has_gone_on_does_not_take_it_back(
        self,
    ) -> None:
        ann = self.joins("ann", 2)
        bob = self.program("bob", 0)
        token = bob.gets("welcome")[0]["session"]
        self.look_away(ann)
        stands_still = self.database.nodes[1]
        with patch.object(stands_still, "hears", lambda: False):
            again = Program(self.servers[1]).asks(do="hello", session=token, seen={})
            self.time_passes(2)
            self.assertTrue(again.gets("welcome")[0]["resumed"])
            bob.vanishes()
            self.time_passes(2)
        self.time_passes(2)
        self.assertEqual(again.gets("error"), [])
        self.assertFalse(again.is_gone)
        again.asks(do="say", room="#lobby", text="still here", ref="r1")
        self.clock.advance(0)
        self.assertEqual(ann.sees(), ["bob: still here"])
        self.assertEqual(ann.types("/users").sees(), ["*** In #lobby: ann, bob (2)"])
        self.time_passes(self.limits.resume_seconds + 1)
        self.assertEqual(ann.sees(), [])

    def test_when_a_server_dies_its_people_come_back_elsewhere_or_have_left_once(self) -> None:
        ann, bob = self.joins("ann", 0), self.joins("bob", 1)
        cid = self.program("cid", 1)
        token = cid.gets("welcome")[0]["session"]
        self.look_away(ann, bob)
        self.dies(1)
        self.assertEqual(ann.sees(), ["*** bob has left #lobby (connection lost)"])
        self.assertEqual(ann.types("/users").sees(), ["*** In #lobby: ann, cid (reconnecting) (2)"])
        again = Program(self.servers[1]).asks(do="hello", session=token, seen={})
        self.time_passes(2)
        self.assertTrue(again.gets("welcome")[0]["resumed"])
        self.assertEqual(ann.sees(), [])
        self.assertEqual(ann.types("/users").sees(), ["*** In #lobby: ann, cid (2)"])
        self.joins("bob", 1)

    def test_who_had_gone_on_at_a_server_that_dies_speaks_on_at_its_heir(self) -> None:
        ann = self.joins("ann", 0)
        cid = self.program("cid", 1)
        token = cid.gets("welcome")[0]["session"]
        for server in (2, 0):
            cid = Program(self.servers[server]).asks(do="hello", session=token, seen={})
            self.time_passes(2)
            self.assertTrue(cid.gets("welcome")[0]["resumed"])
            if server:
                self.dies(server)
        self.look_away(ann)
        cid.asks(do="say", room="#lobby", text="here", ref="r1")
        self.clock.advance(0)
        self.assertEqual(ann.sees(), ["cid: here"])

    def test_who_does_not_come_back_has_left_after_a_while_once(self) -> None:
        ann, dan = self.joins("ann", 0), self.joins("dan", 2)
        self.program("cid", 1)
        self.look_away(ann, dan)
        self.dies(1)
        self.time_passes(self.limits.resume_seconds + 1)
        self.assertEqual(ann.sees(), ["*** cid has left #lobby (connection lost)"])
        self.assertEqual(dan.sees(), ["*** cid has left #lobby (connection lost)"])
        self.assertEqual(dan.types("/users").sees(), ["*** In #lobby: ann, dan (2)"])


class OrderTests(SeveralTestCase):
    """Decisions about people at other servers."""

    def setUp(self) -> None:
        """Ann owns #dev, at the first server; Bob is in it, at the second."""
        super().setUp()
        self.ann = self.joins("ann", 0)
        self.ann.types("/register secret words", "/join #dev")
        self.bob = self.joins("bob", 1)
        self.bob.types("/join #dev")
        self.look_away(self.ann, self.bob)

    def test_somebody_is_removed_at_another_server(self) -> None:
        self.ann.types("/kick bob enough")
        self.clock.advance(0)
        self.clock.advance(0)
        self.assertIn(
            "*** bob has left #dev (removed by ann)",
            " ".join(self.ann.sees()).replace("[#dev] ", ""),
        )
        self.assertIn("You were removed from #dev by ann: enough", " ".join(self.bob.sees()))
        self.assertEqual(self.ann.types("/users #dev").sees(), ["*** In #dev: ann* (owner) (1)"])

    def test_a_topic_a_mute_and_a_ban_hold_everywhere(self) -> None:
        self.ann.types("/mute bob", "/topic tea")
        self.look_away(self.ann, self.bob)
        self.assertIn("You are muted in #dev", self.bob.types("hello").sees()[0])
        self.ann.types("/unmute bob", "/ban bob")
        self.clock.advance(0)
        self.clock.advance(0)
        self.look_away(self.bob)
        self.assertIn("You are banned from #dev", self.bob.types("/join #dev").sees()[0])


class AccountTests(SeveralTestCase):
    """Accounts, with devices at several servers."""

    def setUp(self) -> None:
        """Ann has an account."""
        super().setUp()
        self.ann = self.joins("ann", 0)
        self.ann.types("/register secret words")
        self.look_away(self.ann)

    def test_two_devices_at_two_servers_are_one_person(self) -> None:
        phone = self.program("ann", 1, password="secret words")
        self.time_passes(1)
        self.assertEqual([each["event"] for each in phone.gets("welcome", "error")], ["welcome"])
        bob = self.joins("bob", 2)
        self.assertEqual(bob.types("/users").sees(), ["*** In #lobby: ann*, bob (2)"])
        self.look_away(self.ann, phone)
        phone.asks(do="command", text="/join #dev")
        self.clock.advance(0)
        self.assertIn("#dev", " ".join(self.ann.sees()))
        self.assertEqual(bob.types("/users #dev").sees(), ["*** In #dev: ann* (owner) (1)"])
        bob.types("/whisper ann hello")
        self.assertEqual(self.ann.sees(), ["[whisper from bob] hello"])
        self.assertEqual([each["text"] for each in phone.gets("whisper")], ["hello"])
        self.look_away(bob)
        self.ann.types("/quit")
        self.time_passes(1)
        self.assertEqual(bob.sees(), [])
        phone.asks(do="command", text="/quit")
        self.time_passes(1)
        self.assertEqual(bob.sees(), ["*** ann has left #lobby"])
        self.assertEqual(bob.types("/users").sees(), ["*** In #lobby: bob (1)"])

    def test_what_one_device_has_read_is_told_to_those_at_other_servers(self) -> None:
        zoe = self.program("zoe", 0).asks(do="command", text="/register secret words")
        self.time_passes(1)
        zoe.asks(do="say", text="one").asks(do="say", text="two")
        self.time_passes(1)
        two = self.program("zoe", 1, password="secret words")
        self.time_passes(1)
        two.gets()
        zoe.asks(do="read", room="#lobby", id=1)
        self.time_passes(1)
        self.assertEqual([each["id"] for each in two.gets("read")], [1])
        three = self.program("zoe", 2, password="secret words")
        self.time_passes(1)
        self.assertEqual(three.gets("welcome")[0]["read"], {"#lobby": 1})

    def test_a_name_that_was_registered_elsewhere_wants_its_password(self) -> None:
        self.ann.types("/quit")
        self.time_passes(1)
        eve = self.program("ann", 1)
        self.assertEqual(eve.gets("error")[0]["code"], "registered-nick")
        phone = self.program("ann", 1, password="secret words")
        self.time_passes(1)
        self.assertEqual(len(phone.gets("welcome")), 1)


class LateTests(SeveralTestCase):
    """What a server hears late, or another has told late."""

    def test_a_new_nickname_is_known_where_it_is_seen(self) -> None:
        ann, bob = self.joins("ann", 0), self.joins("bob", 1)
        self.look_away(ann, bob)
        self.database.is_quick = False
        ann.types("/nick anna")
        while "anna" not in (seen := bob.transport.value().decode()):
            self.assertTrue(self.database.nodes[2].hears() or self.database.nodes[1].hears(), seen)
            self.clock.advance(0)
        self.look_away(bob)
        bob.types("/whois anna")
        self.assertIn("anna has been here", bob.sees()[0])

    def test_who_is_told_late_to_have_joined_is_shown_as_they_are_called_by_now(self) -> None:
        program = self.program("cid", 2)
        ann = self.joins("ann", 0)
        person = self.servers[0].chat.people.find("ann")
        self.look_away(program)
        late = Join(self.clock.seconds(), "#lobby", "old", persons=(person.id,))
        self.servers[1].chat.lobby.log.append(Entry(late, person.id))
        self.time_passes(4)
        (state,) = program.gets("state")
        self.assertEqual([each["nick"] for each in state["members"]], ["cid", "ann"])
        ann.types("/quit")
        self.time_passes(1)
        self.assertEqual([each["from"] for each in program.gets("leave")], ["ann"])

    def test_who_cannot_be_brought_to_a_server_may_try_again(self) -> None:
        bob = self.program("bob", 0)
        token = bob.gets("welcome")[0]["session"]
        store = self.database.nodes[2]
        patch = self.patch(store, "refs", lambda *_: fail(OSError("the database is away")))
        again = Program(self.servers[1]).asks(do="hello", session=token, seen={})
        self.assertEqual(again.gets("error")[0]["code"], "not-stored")
        patch.restore()
        self.assertFalse(bob.is_gone)
        more = Program(self.servers[1]).asks(do="hello", session=token, seen={})
        self.assertTrue(more.gets("welcome")[0]["resumed"])
        self.assertTrue(bob.is_gone)
