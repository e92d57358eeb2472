"""What was decided holds after a restart, however the server ended."""

import sqlite3
from contextlib import closing, redirect_stderr
from io import StringIO

from tests.behaviour.case import DiskBehaviour
from tests.behaviour.seen import Here, Said
from tests.disk import DiskTestCase
from tests.people import Program
from twisted_chat import Limits
from twisted_chat.service import archive


class OrderOnDiskTests(DiskBehaviour):
    limits = Limits(pace=None, rooms=2)

    def setUp(self) -> None:
        """Alice owns #dev, and bob is in it."""
        super().setUp()
        self.all_is_done()
        self.alice = self.connects("192.0.2.1").answers("alice")
        self.look_away(self.alice)
        person = self.factory.chat.people.find("alice")
        person.account = person.id
        self.bob = self.connects("192.0.2.2").answers("bob")
        self.look_away(self.bob)
        for visitor in (self.alice, self.bob):
            visitor.joins("dev")
            self.all_is_done()
        self.look_away(self.alice, self.bob)

    def members(self, room: str = "#dev") -> list[str]:
        return [each.nickname for each in self.factory.chat.rooms[room].members.values()]

    def test_nobody_is_removed_before_it_is_stored_and_says_nothing_meanwhile(self) -> None:
        self.alice.does("/kick bob")
        self.clock.advance(0)
        self.assertEqual(self.members(), ["alice", "bob"])
        self.assert_refused(self.bob.says("one more"), "You may not speak in #dev")
        self.all_is_done()
        self.assertEqual(self.members(), ["alice"])
        self.assertEqual(self.alice.sees(Said), [])

    def test_a_kick_that_cannot_be_stored_removes_nobody(self) -> None:
        self.writing.is_full = True
        self.alice.does("/kick bob")
        self.all_is_done()
        self.assert_refused(self.alice, "That could not be stored")
        self.writing.is_full = False
        self.bob.says("still here")
        self.all_is_done()
        self.assertEqual(self.alice.sees(Said), [Said("bob", "still here", "#dev")])

    def test_an_idle_room_that_was_closed_to_make_place_keeps_its_order(self) -> None:
        self.alice.does("/ban bob", "/lock", "/join lobby", "/leave dev")
        self.all_is_done()
        eve = self.connects("192.0.2.3").answers("eve")
        self.look_away(eve)
        eve.joins("tea")
        self.all_is_done()
        self.assertNotIn("#dev", self.factory.chat.rooms)
        self.look_away(eve)
        eve.does("/join lobby", "/leave tea")
        self.look_away(eve)
        self.look_away(self.bob)
        self.bob.joins("dev")
        self.all_is_done()
        self.assert_refused(self.bob, "You are banned from #dev by alice.")
        eve.joins("dev")
        self.all_is_done()
        self.assert_refused(eve, "#dev is locked: ask alice for an invitation.")
        self.alice.joins("dev")
        self.all_is_done()
        self.assertEqual(self.alice.sees(Here), [Here(("alice (owner)",), "#dev")])


class RestartTests(DiskTestCase):
    limits = Limits(pace=None)

    def setUp(self) -> None:
        """Programs of alice, who owns #dev, and of bob and carol."""
        super().setUp()
        self.tokens: dict[str, str] = {}
        self.programs: dict[str, Program] = {}
        for number, nickname in enumerate(("alice", "bob", "carol"), 1):
            program = self.program(nickname, f"192.0.2.{number}")
            self.the_disk_works()
            self.tokens[nickname] = program.gets("welcome")[0]["session"]
            self.programs[nickname] = program
            if nickname == "alice":
                person = self.factory.chat.people.find("alice")
                person.account = person.id
            program.asks(do="command", text="/join dev", ref="j")
            self.the_disk_works()

    def decides(self, *texts: str) -> None:
        for text in texts:
            self.programs["alice"].asks(do="command", text=text, room="#dev", ref=text[:8])

    def stored_but_not_told(self) -> None:
        """The commit is on the disk, and the server is killed before it hears so."""
        self.clock.advance(0)
        self.writing.turns()
        self.the_server_is_killed()
        self.the_disk_works()

    def comes_back(self, nickname: str) -> Program:
        host = {"alice": "192.0.2.1", "bob": "192.0.2.2", "carol": "192.0.2.3"}[nickname]
        program = Program(self.factory, host)
        program.asks(do="hello", nick=nickname, session=self.tokens[nickname], seen={"#dev": 0})
        self.the_disk_works()
        return program

    def rooms_of(self, program: Program) -> list[str]:
        (welcome,) = program.gets("welcome")
        self.assertTrue(welcome["resumed"])
        return list(welcome["rooms"])

    def test_who_was_removed_and_not_told_is_not_in_the_room(self) -> None:
        self.decides("/kick bob")
        self.stored_but_not_told()
        self.assertEqual(self.rooms_of(self.comes_back("bob")), ["#lobby"])
        self.assertEqual(self.rooms_of(self.comes_back("alice")), ["#lobby", "#dev"])

    def test_a_ban_that_was_not_told_keeps_out(self) -> None:
        self.decides("/ban bob 1h spam")
        self.stored_but_not_told()
        bob = self.comes_back("bob")
        self.assertEqual(self.rooms_of(bob), ["#lobby"])
        bob.asks(do="command", text="/join dev", ref="again")
        self.the_disk_works()
        (error,) = bob.gets("error")
        self.assertEqual(error["code"], "banned")
        self.assertRegex(error["until"], r"^20\d\d-.*Z$")

    def test_a_closed_room_keeps_only_its_owner(self) -> None:
        self.decides("/close enough")
        self.stored_but_not_told()
        self.assertEqual(self.rooms_of(self.comes_back("carol")), ["#lobby"])
        self.assertEqual(self.rooms_of(self.comes_back("alice")), ["#lobby", "#dev"])

    def test_who_came_back_after_a_kick_is_in_the_room_after_a_restart(self) -> None:
        self.decides("/kick bob")
        self.the_disk_works()
        self.clock.advance(0)
        self.the_disk_works()
        self.programs["bob"].asks(do="command", text="/join dev", ref="again")
        self.the_disk_works()
        self.the_server_is_killed()
        self.the_disk_works()
        self.assertEqual(self.rooms_of(self.comes_back("bob")), ["#lobby", "#dev"])

    def test_a_lock_removes_nobody_who_is_in(self) -> None:
        self.decides("/lock")
        self.the_disk_works()
        self.the_server_is_killed()
        self.the_disk_works()
        self.assertEqual(self.rooms_of(self.comes_back("bob")), ["#lobby", "#dev"])

    def test_a_mute_holds(self) -> None:
        self.decides("/mute bob 1h")
        self.the_disk_works()
        self.the_server_is_killed()
        self.the_disk_works()
        bob = self.comes_back("bob")
        bob.gets()
        bob.asks(do="say", room="#dev", text="hello", ref="s")
        self.the_disk_works()
        (error,) = bob.gets("error")
        self.assertEqual((error["code"], error["ref"]), ("muted", "s"))
        self.assertIn("until", error)

    def test_roles_hold_and_a_state_tells_them(self) -> None:
        self.decides("/op carol", "/voice bob")
        self.the_disk_works()
        self.the_server_is_killed()
        self.the_disk_works()
        states = self.comes_back("bob").gets("state")
        (dev,) = [each for each in states if each["room"] == "#dev"]
        roles = {each["nick"]: each["role"] for each in dev["members"]}
        self.assertEqual(roles, {"alice": "owner", "bob": "voiced", "carol": "operator"})

    def test_erasing_what_an_owner_wrote_leaves_what_they_decided(self) -> None:
        self.decides("/op carol", "/ban dan 1h horrible", "/ban eve 1h horrible")
        self.the_disk_works()
        self._close()
        with closing(sqlite3.connect(self.path)) as database, database:
            database.execute("DELETE FROM events WHERE id < 3 AND kind != 'message'")
        with redirect_stderr(StringIO()):
            self.assertEqual(archive.run(["--db", str(self.path), "erase", "alice"]), 0)
        self.assertNotIn(b"horrible", self.path.read_bytes())
        self._start()
        self.the_disk_works()
        states = self.comes_back("bob").gets("state")
        (dev,) = [each for each in states if each["room"] == "#dev"]
        roles = {each["nick"]: each["role"] for each in dev["members"]}
        self.assertEqual(roles, {"alice": "owner", "bob": "member", "carol": "operator"})
        bans = self.factory.chat.rooms["#dev"].order.sentences("ban/")
        self.assertEqual(list(bans), ["dan", "eve"])

    def test_who_was_removed_while_away_reads_so_and_is_in_the_lobby(self) -> None:
        self.programs["bob"].vanishes()
        self.decides("/kick bob noise")
        self.the_disk_works()
        bob = self.comes_back("bob")
        things = bob.gets("welcome", "notice")
        self.assertEqual(things[0]["rooms"], ["#lobby"])

    def test_a_person_whose_name_was_taken_is_not_in_a_room_that_was_closed(self) -> None:
        self.programs["bob"].vanishes()
        self.program("bob", "192.0.2.2")
        self.the_disk_works()
        self.decides("/close enough")
        self.the_disk_works()
        self.assertEqual(self.rooms_of(self.comes_back("bob")), ["#lobby"])


globals().update(OrderOnDiskTests.make_test_case_classes())
