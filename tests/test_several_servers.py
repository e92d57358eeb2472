"""Several servers are one chat: the same people, rooms, order and rules at each."""

from collections.abc import Sequence
from unittest.mock import patch

from twisted.internet.defer import fail

from tests.people import Person, Program
from tests.several import SeveralTestCase, store_of
from twisted_chat import Limits
from twisted_chat.events import Entry, Join, Leave, Message


class Operations:
    """What is asked of the program that runs a server."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def reload(self) -> Sequence[str]:
        """See `operations.Operations`."""
        self.asked.append("reload")
        return ()

    def stop(self) -> None:
        """See `operations.Operations`."""
        self.asked.append("stop")

    def fail(self) -> None:
        """See `operations.Operations`."""
        self.asked.append("fail")


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

    def test_when_somebody_did_something_in_a_room_is_known_everywhere(self) -> None:
        ann = self.joins("ann", 0)
        for name, did in (
            ("bob", "hello"),
            ("cid", "/topic tea"),
            ("dan", "/away at lunch"),
        ):
            person = self.joins(name, 1)
            person.types(did)
            self.time_passes(1)
            self.look_away(ann)
            told = ann.types(f"/whois {name}").sees()
            self.assertIn(f"*** {name} was last active less than a minute ago.", told)

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

    def test_a_new_nickname_stays_claimed_though_something_else_changes_too(self) -> None:
        ann = self.joins("ann", 0)
        ann.types("/away at lunch", "/nick dora")
        self.time_passes(1)
        self.assertEqual(sorted(self.database.claims), ["=dora", "~clora"])


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

    def test_of_two_servers_to_which_a_client_comes_at_once_one_has_it(self) -> None:
        bob = self.program("bob", 0)
        token = bob.gets("welcome")[0]["session"]
        self.database.is_quick = False
        first, second = (
            Program(self.servers[server]).asks(do="hello", session=token, seen={})
            for server in (1, 2)
        )
        self.clock.advance(0)
        first.vanishes()
        self.clock.advance(0)
        self.database.is_quick = True
        self.database.all_hear()
        self.time_passes(1)
        self.assertFalse(second.is_gone)
        second.asks(do="say", room="#lobby", text="hello", ref="r1")
        self.time_passes(1)
        self.assertEqual([each["text"] for each in second.gets("message")], ["hello"])
        ann = self.joins("ann", 0)
        self.assertEqual(ann.types("/users").sees(), ["*** In #lobby: bob, ann (2)"])

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

    def test_when_a_server_dies_just_after_a_rename_the_new_nickname_stands(self) -> None:
        ann = self.joins("ann", 0)
        bob = self.program("bob", 1)
        token = bob.gets("welcome")[0]["session"]
        self.look_away(ann)
        self.database.is_quick = False
        bob.asks(do="command", text="/nick rob")
        self.clock.advance(0)
        self.database.is_quick = True
        self.dies(1)
        self.assertEqual(ann.sees(), ["*** bob is now known as rob"])
        self.assertEqual(ann.types("/users").sees(), ["*** In #lobby: ann, rob (reconnecting) (2)"])
        again = Program(self.servers[1]).asks(do="hello", session=token, seen={})
        self.time_passes(2)
        self.assertEqual(again.gets("welcome")[0]["nick"], "rob")
        self.assertEqual(sorted(self.database.claims), ["=ann", "=rob", "~ann", "~rob"])

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


class NothingIsLeftTests(SeveralTestCase):
    """What servers know of people who have left."""

    def test_a_connection_that_is_lost_after_its_owner_left_elsewhere(self) -> None:
        eve = self.program("eve", 1)
        token = eve.gets("welcome")[0]["session"]
        self.hears_nothing(1)
        again = Program(self.servers[2]).asks(do="hello", session=token, seen={})
        self.time_passes(1)
        again.asks(do="command", text="/quit")
        self.time_passes(1)
        eve.vanishes()
        self.time_passes(1)
        self.hears_again()
        self.time_passes(1)
        self.assertEqual(self.database.shared, {})
        self.assertEqual([server.chat._values.people() for server in self.servers], [set()] * 3)

    def test_a_session_that_is_saved_after_its_owner_left_elsewhere(self) -> None:
        eve = self.program("eve", 1)
        token = eve.gets("welcome")[0]["session"]
        self.hears_nothing(1)
        again = Program(self.servers[2]).asks(do="hello", session=token, seen={})
        self.time_passes(1)
        again.asks(do="command", text="/quit")
        self.time_passes(1)
        eve.asks(do="command", text="/join #dev", ref="r1")
        self.assertEqual(len(self.database.sessions), 1)
        self.hears_again()
        self.time_passes(1)
        self.assertEqual(self.database.sessions, {})


class SlowTests(SeveralTestCase):
    """A slow room is as slow for who speaks at several servers."""

    def test_nobody_speaks_sooner_by_going_on_at_another_server(self) -> None:
        ann = self.joins("ann", 0)
        ann.types("/register secret words", "/join #dev", "/slow 10")
        eve = self.program("eve", 1)
        token = eve.gets("welcome")[0]["session"]
        eve.asks(do="command", text="/join #dev")
        self.time_passes(1)
        eve.asks(do="say", room="#dev", text="one", ref="r1")
        self.time_passes(1)
        again = Program(self.servers[2]).asks(do="hello", session=token, seen={})
        self.time_passes(1)
        again.asks(do="say", room="#dev", text="two", ref="r2")
        self.time_passes(1)
        self.assertEqual(again.gets("error")[0]["code"], "too-fast")
        self.time_passes(10)
        again.asks(do="say", room="#dev", text="three", ref="r3")
        self.time_passes(1)
        self.assertEqual([each["text"] for each in again.gets("message")], ["three"])


class LateTests(SeveralTestCase):
    """Decisions about people whose server cannot act any more, and who go on at another one."""

    def setUp(self) -> None:
        """Ann owns #dev, at the first server; Eve is in it, at the second, which stands still."""
        super().setUp()
        self.ann = self.joins("ann", 0)
        self.ann.types("/register secret words", "/join #dev")
        self.eve = self.program("eve", 1)
        self.token = self.eve.gets("welcome")[0]["session"]
        self.eve.asks(do="command", text="/join #dev")
        self.time_passes(1)
        self.look_away(self.ann)
        self.hears_nothing(1)

    def goes_on(self, server: int) -> Program:
        """Eve's program resumes at another server."""
        again = Program(self.servers[server]).asks(do="hello", session=self.token, seen={})
        self.time_passes(2)
        return again

    def is_not_in_the_room(self) -> None:
        """Eve goes on elsewhere, and is in the room no more."""
        self.look_away(self.ann)
        again = self.goes_on(2)
        again.asks(do="say", room="#dev", text="still here", ref="r1")
        self.time_passes(1)
        self.assertEqual(again.gets("error")[0]["code"], "not-in-room")
        self.assertEqual(self.ann.sees(), ["*** eve has left #dev (removed)"])
        self.ann.types("/users #dev")
        self.assertEqual(self.ann.sees(), ["*** In #dev: ann* (owner) (1)"])
        self.hears_again()
        self.time_passes(1)
        self.assertEqual(self.ann.sees(), [])

    def test_who_was_removed_is_not_in_the_room_when_they_go_on_elsewhere(self) -> None:
        self.ann.types("/kick eve")
        self.is_not_in_the_room()

    def test_who_was_banned_is_not_in_the_room_when_they_go_on_elsewhere(self) -> None:
        self.ann.types("/ban eve")
        self.is_not_in_the_room()

    def test_who_was_disconnected_cannot_go_on_elsewhere(self) -> None:
        for server in self.servers:
            server.chat.administrators.use(["ann"])
        self.ann.types("/disconnect eve")
        self.look_away(self.ann)
        again = self.goes_on(2)
        self.assertEqual(again.gets("welcome"), [])
        self.assertIn("*** eve has left #lobby (disconnected by ann)", self.ann.sees())
        self.hears_again()
        self.time_passes(1)
        self.assertEqual(self.ann.sees(), [])

    def test_they_have_left_it_when_their_server_is_gone(self) -> None:
        self.ann.types("/ban eve")
        self.look_away(self.ann)
        self.dies(1)
        self.time_passes(1)
        self.assertEqual(self.ann.sees(), ["*** eve has left #dev (removed)"])
        self.assertEqual(self.ann.types("/users #dev").sees(), ["*** In #dev: ann* (owner) (1)"])
        again = self.goes_on(1)
        self.assertEqual(again.gets("welcome")[0]["rooms"], ["#lobby"])


class GoneElsewhereTests(SeveralTestCase):
    """A server stands still and then does what somebody asked for who has gone on elsewhere."""

    def setUp(self) -> None:
        """A program was at the second server, and is at the third one."""
        super().setUp()
        self.witnesses = [self.program(f"witness{server}", server) for server in range(3)]
        for witness in self.witnesses:
            witness.asks(do="command", text="/join #dev")
        self.before = self.program("bob", 1)
        token = self.before.gets("welcome")[0]["session"]
        self.time_passes(1)
        self.hears_nothing(1)
        self.now = Program(self.servers[2]).asks(do="hello", session=token, seen={})
        self.time_passes(1)
        for witness in self.witnesses:
            witness.gets()

    def goes_on(self) -> None:
        """It hears of everything by now."""
        self.hears_again()
        self.time_passes(4)

    def test_what_is_asked_for_again_is_seen_once(self) -> None:
        for asks in (self.now, self.before):
            asks.asks(do="command", text="/join #dev", ref="r1")
            asks.asks(do="command", text="/away lunch", ref="r2")
            asks.asks(do="command", text="/nick bobby", ref="r3")
            self.clock.advance(1)
        self.goes_on()
        for witness in self.witnesses:
            things = witness.gets()
            seen = [
                (each["event"], each["room"], each["from"]) for each in things if "from" in each
            ]
            expected = [("join", "#dev", "bob"), ("away", "#dev", "bob"), ("rename", "#dev", "bob")]
            self.assertEqual([each for each in seen if each[1] == "#dev"], expected)
            self.assertTrue(self.before.is_gone)

    def test_a_room_that_was_left_since_is_left_once(self) -> None:
        self.now.asks(do="command", text="/join #dev", ref="r1")
        self.before.asks(do="command", text="/join #dev", ref="r1")
        self.now.asks(do="command", text="/leave #dev", ref="r2")
        self.time_passes(1)
        self.before.asks(do="command", text="/leave #dev", ref="r2")
        self.goes_on()
        for witness in self.witnesses:
            things = witness.gets()
            seen = [each["event"] for each in things if each.get("from") == "bob"]
            self.assertEqual(seen, ["join", "leave"])

    def test_what_was_not_asked_for_again_does_not_happen(self) -> None:
        self.before.asks(do="command", text="/join #dev", ref="r1")
        self.goes_on()
        for witness in self.witnesses:
            self.assertEqual([each["event"] for each in witness.gets() if "from" in each], [])
            witness.asks(do="command", text="/users #dev")
            self.time_passes(1)
            (answer,) = witness.gets("answer")
            self.assertEqual(answer["lines"], ["In #dev: witness0, witness1, witness2 (3)"])


class MissedActsTests(SeveralTestCase):
    """What administrators do while a server is not in touch with the others."""

    def setUp(self) -> None:
        """Ann administers the chat, from the first server; Bob is at the second."""
        super().setUp()
        self.ann, self.bob = self.joins("ann", 0), self.joins("bob", 1)
        self.ann.types("/register secret words")
        self.operations = [Operations() for _ in self.servers]
        for server, operations in zip(self.servers, self.operations, strict=True):
            server.chat.administrators.use(["ann"])
            server.chat.operations = operations
        self.look_away(self.ann, self.bob)
        self.database.is_quick = False

    def types(self, line: str) -> None:
        """Ann types a command, of which the second server does not hear."""
        self.ann.types(line)
        self.others_hear()

    def others_hear(self) -> None:
        """All but the second server hear of everything."""
        self.clock.advance(0)
        while any([self.database.nodes[1].hears(), self.database.nodes[3].hears()]):
            self.clock.advance(0)

    def is_in_touch_again(self, after: float = 0.0) -> None:
        """The second server is in touch with the others again, after so many seconds."""
        self.time_passes(after)
        self.database.nodes[2].loses_touch()
        self.database.is_quick = True
        self.database.all_hear()
        self.clock.advance(0)

    def test_an_announcement_of_the_last_minute_is_shown_once(self) -> None:
        self.types("/announce tea is ready")
        self.is_in_touch_again(30)
        self.assertEqual(self.bob.sees(), ["*** Announcement by ann: tea is ready"])
        self.is_in_touch_again()
        self.assertEqual(self.bob.sees(), [])

    def test_an_older_announcement_is_not_shown(self) -> None:
        self.types("/announce tea is ready")
        self.is_in_touch_again(90)
        self.assertEqual(self.bob.sees(), [])

    def test_a_shutdown_comes_when_it_was_planned(self) -> None:
        self.types("/shutdown 5m tea")
        self.is_in_touch_again(60)
        self.assertEqual(self.bob.sees(), ["*** The server shuts down in 4 minutes (tea)."])
        self.time_passes(241)
        self.assertEqual([each.asked for each in self.operations], [["stop"]] * 3)

    def test_a_shutdown_that_was_due_meanwhile_comes_at_once(self) -> None:
        self.types("/shutdown 20s")
        self.is_in_touch_again(30)
        self.assertEqual(self.operations[1].asked, ["stop"])

    def test_a_shutdown_is_cancelled(self) -> None:
        self.database.is_quick = True
        self.types("/shutdown 5m")
        self.look_away(self.bob)
        self.database.is_quick = False
        self.types("/shutdown cancel")
        self.is_in_touch_again(30)
        self.assertEqual(self.bob.sees(), ["*** The server does not shut down after all."])
        self.time_passes(400)
        self.assertEqual([each.asked for each in self.operations], [[]] * 3)

    def test_who_was_disconnected_is(self) -> None:
        self.types("/disconnect bob tea")
        self.is_in_touch_again(30)
        self.clock.advance(0)
        self.assertEqual(self.bob.sees(), ["!!! You were disconnected by ann: tea."])
        self.assertIn("*** bob has left #lobby (disconnected by ann)", self.ann.sees())

    def test_who_has_come_back_since_may_stay(self) -> None:
        self.database.is_quick = True
        self.joins("cid", 0).types("/register secret words")
        self.time_passes(1)
        self.database.is_quick = False
        self.types("/disconnect cid")
        self.time_passes(30)
        self.others_hear()
        again = self.program("cid", 0, password="secret words")
        self.others_hear()
        token = again.gets("welcome")[0]["session"]
        self.is_in_touch_again()
        moved = Program(self.servers[1]).asks(do="hello", session=token, seen={})
        self.time_passes(1)
        self.assertEqual([each["event"] for each in moved.gets("welcome", "error")], ["welcome"])


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

    def test_rooms_that_two_devices_enter_and_leave_at_once_at_two_servers(self) -> None:
        phone = self.program("ann", 1, password="secret words")
        self.time_passes(1)
        phone.asks(do="command", text="/join #old")
        self.time_passes(1)
        self.database.is_quick = False
        self.ann.types("/join #one")
        phone.asks(do="command", text="/join #two")
        phone.asks(do="command", text="/leave #old")
        self.time_passes(1)
        self.database.is_quick = True
        self.database.all_hear()
        self.time_passes(1)
        for server in self.servers:
            (ann,) = server.chat.people
            self.assertEqual(sorted(ann.rooms), ["#lobby", "#one", "#two"])
        phone.asks(do="say", room="#one", text="in one", ref="r1")
        phone.asks(do="say", room="#two", text="in two", ref="r2")
        self.time_passes(1)
        self.assertEqual([each["text"] for each in phone.gets("message")], ["in one", "in two"])
        self.assertIn("#two ann: in two", self.ann.sees())

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


class NamelessTests(SeveralTestCase):
    """Names that are erased with accounts."""

    def setUp(self) -> None:
        """Ann, at the first server, has said something in a room that all servers know."""
        super().setUp()
        for server in self.servers:
            server.chat.erases_on_forget = True
        self.ann = self.joins("ann", 0)
        self.bob = self.joins("bob", 1)
        self.ann.types("/register secret words", "/topic of ann", "hello")
        self.time_passes(1)

    def is_nameless_everywhere(self) -> None:
        """Nobody new reads of Ann at any server."""
        for server, nickname in enumerate(("cid", "dan", "eve")):
            seen = "\n".join(Person(self.servers[server]).types(nickname).sees())
            self.assertIn("(deleted): hello", seen)
            self.assertNotIn("ann:", seen)

    def test_they_are_erased_at_all_servers(self) -> None:
        self.ann.types("/forget secret words", "/quit")
        self.time_passes(1)
        self.is_nameless_everywhere()
        self.time_passes(61)
        self.assertEqual([name for name in self.database.shared if "nameless" in name], [])

    def test_also_at_one_that_did_not_hear_of_it(self) -> None:
        self.database.is_quick = False
        self.ann.types("/forget secret words", "/quit")
        for _ in range(5):
            self.clock.advance(1)
            while self.database.nodes[1].hears():
                self.clock.advance(0)
        self.database.nodes[2].loses_touch()
        self.dies(0)
        self.servers.insert(0, self.starts())
        self.database.is_quick = True
        self.database.all_hear()
        self.time_passes(1)
        self.is_nameless_everywhere()
        self.time_passes(61)
        self.assertEqual([name for name in self.database.shared if "nameless" in name], [])


class GuessingTests(SeveralTestCase):
    """Whoever comes to several servers has no more tries than at one."""

    def answer(self, server: int, nickname: str, password: str, host: str) -> str:
        """What is said to somebody who shows a password."""
        program = Program(self.servers[server], host)
        program.asks(do="hello", nick=nickname, password=password)
        self.clock.advance(0)
        (told,) = program.gets("welcome", "error")
        program.asks(do="command", text="/quit").closes()
        self.clock.advance(0.1)
        return str(told.get("code", "welcome"))

    def test_wrong_passwords_for_an_account_count_at_all_servers(self) -> None:
        self.joins("ann", 0).types("/register secret words")
        self.time_passes(1)
        for n in range(self.limits.login_tries):
            guessed = self.answer(n % 3, "ann", "a wrong guess", f"192.0.2.{n}")
            self.assertEqual(guessed, "bad-password")
        for n in range(3):
            self.assertEqual(self.answer(n, "ann", "secret words", "192.0.2.99"), "too-fast")
        self.assertEqual(self.answer(1, "ann", "secret words", "127.0.0.1"), "welcome")

    def test_wrong_passwords_from_an_address_count_at_all_servers(self) -> None:
        for n in range(self.limits.login_tries_per_address):
            guessed = self.answer(n % 3, f"name{n}", "a wrong guess", "192.0.2.1")
            self.assertEqual(guessed, "bad-password")
        for n in range(3):
            self.assertEqual(self.answer(n, f"more{n}", "a guess", "192.0.2.1"), "too-fast")

    def test_right_passwords_do_not_count_anywhere(self) -> None:
        self.joins("ann", 0).types("/register secret words")
        self.time_passes(1)
        for n in range(2 * self.limits.login_tries):
            self.assertEqual(self.answer(n % 3, "ann", "secret words", "192.0.2.1"), "welcome")

    def test_new_accounts_from_an_address_count_at_all_servers(self) -> None:
        for n in range(4):
            person = self.joins(f"n{n}", n % 3)
            person.types("/register secret words")
            self.time_passes(1)
        self.assertIn("Too many new accounts from your address", " ".join(person.sees()))


class HeardLateTests(SeveralTestCase):
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
        self.servers[0].chat.lobby.log.append(Entry(late, person.id))
        self.time_passes(4)
        (state,) = program.gets("state")
        self.assertEqual([each["nick"] for each in state["members"]], ["cid", "ann"])
        ann.types("/quit")
        self.time_passes(1)
        self.assertEqual([each["from"] for each in program.gets("leave")], ["ann"])

    def test_who_is_told_to_have_left_and_is_here_joins_again(self) -> None:
        ann, bob = self.joins("ann", 0), self.joins("bob", 2)
        person = self.servers[0].chat.people.find("ann")
        self.look_away(ann, bob)
        late = Leave(self.clock.seconds(), "#lobby", "ann", "", persons=(person.id,))
        self.servers[1].chat.lobby.log.append(Entry(late, person.id))
        self.time_passes(4)
        self.assertEqual(bob.sees(), ["*** ann has left #lobby", "*** ann has joined #lobby"])

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


class ReplacedTests(SeveralTestCase):
    """A server that others take for gone."""

    def test_it_tells_its_people_and_ends_so_that_it_is_started_again(self) -> None:
        operations = Operations()
        self.servers[1].chat.operations = operations
        bob, program = self.joins("bob", 1), self.program("dan", 1)
        self.look_away(bob, program)
        self.servers[1].chat.replaced()
        self.time_passes(1)
        (told,) = [line for line in bob.sees() if "cut off" in line]
        self.assertTrue(told.endswith("cut off from the others for too long: connect again."))
        told_program = [each for each in program.gets() if "cut off" in each.get("text", "")]
        self.assertEqual([each["event"] for each in told_program], ["notice"])
        self.assertEqual(operations.asked, ["fail"])

    def test_one_that_stops_already_stops_as_it_was_about_to(self) -> None:
        operations = Operations()
        self.servers[1].chat.operations = operations
        self.servers[1].chat.close("The server is shutting down")
        self.servers[1].chat.replaced()
        self.assertEqual(operations.asked, [])


class LoggedOutTests(SeveralTestCase):
    """Devices that are logged out from another one let nobody in any more, at any server."""

    limits = Limits(resume_seconds=5.0)

    def setUp(self) -> None:
        """Ann has an account, and a phone at the second server."""
        super().setUp()
        self.ann = self.joins("ann", 0)
        self.ann.types("/register secret words")
        self.phone = self.program("ann", 1, password="secret words", remember=True)
        self.time_passes(1)
        self.token = self.phone.gets("welcome")[0]["session"]

    def lets_nobody_in(self) -> None:
        """Whoever shows the phone's token has to know the password."""
        for server in self.servers:
            if store_of(server).is_deaf:
                continue
            eve = Program(server).asks(do="hello", nick="ann", session=self.token, seen={})
            self.time_passes(1)
            self.assertEqual(
                [each["code"] for each in eve.gets("welcome", "error")], ["registered-nick"]
            )

    def test_also_if_its_server_stands_still(self) -> None:
        self.hears_nothing(1)
        self.ann.types("/devices end all")
        self.look_away(self.ann)
        self.lets_nobody_in()
        self.hears_again()
        self.assertEqual(self.phone.gets("error")[0]["code"], "logged-out")
        self.lets_nobody_in()
        self.assertEqual(len(self.ann.types("/devices").sees()), 1)
        self.assertEqual([name for name in self.database.shared if name.startswith("over/")], [])

    def test_also_if_its_server_dies(self) -> None:
        self.hears_nothing(1)
        self.ann.types("/devices end all")
        self.look_away(self.ann)
        self.dies(1)
        self.lets_nobody_in()
        self.servers.append(self.starts())
        self.lets_nobody_in()
        self.assertEqual(len(self.ann.types("/devices").sees()), 1)

    def test_also_if_all_servers_die(self) -> None:
        self.hears_nothing(1)
        self.ann.types("/devices end all")
        self.look_away(self.ann)
        self.database.nodes.clear()
        self.servers = [self.starts()]
        self.lets_nobody_in()

    def test_also_if_it_was_asleep_and_woke_at_another_server(self) -> None:
        self.phone.closes()
        self.time_passes(6)
        woken = Program(self.servers[2]).asks(do="hello", session=self.token, seen={})
        self.time_passes(1)
        self.assertEqual(len(woken.gets("welcome")), 1)
        woken.asks(do="command", text="/logout")
        self.time_passes(1)
        self.lets_nobody_in()

    def test_also_at_a_server_that_did_not_hear_of_it(self) -> None:
        self.phone.closes()
        self.time_passes(6)
        self.database.is_quick = False
        self.ann.types("/devices end all")
        self.clock.advance(0)
        store_of(self.servers[2]).loses_touch()
        self.database.is_quick = True
        self.database.all_hear()
        self.time_passes(1)
        self.lets_nobody_in()


class WakingTests(SeveralTestCase):
    """Devices that have been away for long."""

    limits = Limits(resume_seconds=5.0)

    def test_who_wakes_at_another_server_than_they_came_to_last_is_heard(self) -> None:
        ann, bob = self.joins("ann", 0), self.joins("bob", 0)
        ann.types("/register secret words")
        self.time_passes(1)
        phone = self.program("ann", 1, password="secret words", remember=True)
        token = phone.gets("welcome")[0]["session"]
        for server, away in ((2, 1), (0, 6)):
            phone.closes()
            self.time_passes(away)
            phone = self.program("ann", server, session=token, seen={})
        self.look_away(bob)
        phone.asks(do="say", room="#lobby", text="good morning", ref="r1")
        self.time_passes(1)
        self.assertEqual(bob.sees(), ["ann: good morning"])


class StandingStillTests(SeveralTestCase):
    """What happens while nothing comes from the database for a while."""

    limits = Limits(resume_seconds=5.0)

    def setUp(self) -> None:
        """Ann, whom somebody may displace, had a program at the first server."""
        super().setUp()
        self.ann = self.program("ann", 0)
        self.token = self.ann.gets("welcome")[0]["session"]
        self.ann.vanishes()
        self.time_passes(1)
        store_of(self.servers[0]).stands_still()
        self.newcomer = Person(self.servers[0]).types("ann")

    def goes_on(self) -> None:
        """All comes from it that has waited."""
        store_of(self.servers[0]).goes_on()
        self.time_passes(2)

    def test_who_comes_back_while_somebody_is_getting_their_nickname_has_another_one(self) -> None:
        back = self.program("ann", 0, session=self.token, seen={})
        self.goes_on()
        self.assertIn("Welcome, ann!", self.newcomer.raw())
        self.assertEqual(back.gets("notice")[-1]["text"].split(": ")[-1], "you are now ann_2.")
        self.assertEqual(self.newcomer.types("/users").sees(), ["*** In #lobby: ann_2, ann (2)"])

    def test_nobody_is_left_of_who_leaves_while_somebody_is_getting_their_nickname(self) -> None:
        self.time_passes(self.limits.resume_seconds + 1)
        self.goes_on()
        self.assertIn("Welcome, ann!", self.newcomer.raw())
        for server in self.servers:
            self.assertEqual(list(server.chat.people.displaced), [])


class CutOffTests(SeveralTestCase):
    """A server that is cut off from the database for longer than its lease."""

    def test_it_stores_nothing_more_and_its_people_go_on_elsewhere(self) -> None:
        ann, bob, eve = self.program("ann", 0), self.joins("bob", 1), self.joins("eve", 2)
        token = ann.gets("welcome")[0]["session"]
        cut_off = self.servers.pop(0)
        store_of(cut_off).stands_still()
        self.database.buries(store_of(cut_off))
        self.look_away(bob, eve)
        ann.asks(do="say", room="#lobby", text="too late", ref="r1")
        ann.asks(do="command", text="/nick anna")
        self.time_passes(1)
        store_of(cut_off).goes_on()
        self.time_passes(2)
        codes = [each["code"] for each in ann.gets("error")]
        self.assertEqual(codes, ["not-stored", "not-stored"])
        self.assertTrue(ann.is_gone)
        back = self.program("ann", 0, session=token, seen={})
        self.time_passes(1)
        self.assertTrue(back.gets("welcome")[0]["resumed"])
        back.asks(do="say", room="#lobby", text="now", ref="r1")
        self.time_passes(1)
        self.assertEqual([bob.sees(), eve.sees()], [["ann: now"], ["ann: now"]])


class InDoubtTests(SeveralTestCase):
    """Groups of which it is not known for a while whether they are stored."""

    def speaks(self, *, is_stored: bool) -> None:
        """Ann says something while the connection breaks, and Bob hears it once."""
        ann, bob = self.joins("ann", 0), self.joins("bob", 1)
        self.look_away(ann, bob)
        store = store_of(self.servers[0])
        store.breaks(is_stored=is_stored)
        ann.types("once")
        self.clock.advance(0)
        ann.types("lost")
        self.clock.advance(0)
        self.assertEqual(bob.sees(), ["ann: once"] if is_stored else [])
        self.assertEqual(ann.sees(), ["!!! The database is away."])
        store.connects()
        self.time_passes(1)
        self.assertEqual(bob.sees(), [] if is_stored else ["ann: once"])
        self.assertEqual(ann.types("/history").sees()[-1].split("] ")[-1], "ann: once")
        stored = [each.event for each in self.database.kept["#lobby"]]
        self.assertEqual([each.text for each in stored if isinstance(each, Message)], ["once"])

    def test_one_that_was_stored_is_shown_once(self) -> None:
        self.speaks(is_stored=True)

    def test_one_that_was_not_is_stored_then(self) -> None:
        self.speaks(is_stored=False)

    def test_who_was_let_in_without_being_able_to_ask_has_the_nickname_or_another(self) -> None:
        bob = self.joins("bob", 0)
        store = store_of(self.servers[0])
        store.breaks(is_stored=True)
        bob.types("hello")
        self.clock.advance(0)
        token = self.program("ann", 0).gets("welcome")[0]["session"]
        self.joins("ann", 1)
        store.connects()
        self.clock.advance(0)
        self.dies(0)
        back = self.program("ann", 1, session=token, seen={})
        self.time_passes(3)
        self.assertEqual(back.gets("welcome")[0]["resumed"], True)
        names = sorted(each.nickname for each in self.servers[1].chat.people)
        self.assertEqual(names, ["ann", "ann_2"])
