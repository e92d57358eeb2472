"""What somebody may not do, they are refused, whichever way they try."""

from tests.disk import DiskTestCase
from tests.people import ChatTestCase, at_once
from twisted_chat import Limits
from twisted_chat.chat.chat import Chat
from twisted_chat.chat.files import Files
from twisted_chat.chat.order import Role
from twisted_chat.chat.person import Person
from twisted_chat.chat.rights import Right, Rights
from twisted_chat.chat.room import Room
from twisted_chat.commands.table import COMMANDS
from twisted_chat.stores.folder import FolderContents

GUARDED = {
    command.name: command.right
    for command in COMMANDS
    if command.right is not None and command.right.role is Role.MEMBER
}
"""Commands that everybody can do who is not kept from it; for others one needs a role."""

DONE = {
    "me": "/me waves",
    "whisper": "@alice psst",
    "reply": "/reply psst",
    "nick": "/nick robert",
    "topic": "/topic tea",
    "hand": "/hand",
    "upload": "/upload",
}
"""Each command that needs a right, as bob does it."""


class Strict(Rights):
    """Some may do less than others, in one room or in all.

    Args:
        chat: where.
        forbidden: the nickname, the right, and the room's name where it is one alone.
    """

    def __init__(self, chat: Chat, *forbidden: tuple[str, Right] | tuple[str, Right, str]) -> None:
        super().__init__(chat.now, lambda _: None, lambda _: False, tuple, chat.server_log)
        self._forbidden = forbidden

    def may(self, person: Person, right: Right, room: Room) -> bool:
        """See `Rights.may`."""
        name = person.nickname
        return not {(name, right), (name, right, room.name)} & set(self._forbidden)


class RightsTests(ChatTestCase):
    def setUp(self) -> None:
        """Alice has whispered to bob, and a program watches."""
        super().setUp()
        contents = FolderContents(None, at_once)
        chat, now = self.factory.chat, self.clock.seconds
        chat.files = Files(contents, chat.limits, self.clock, now, lambda: "http://chat.example")
        self.alice, self.bob, self.bot = self.joins("alice"), self.joins("bob"), self.program("bot")
        self.alice.types("@bob hello")
        for person in (self.alice, self.bob, self.bot):
            person.raw()

    def forbids(self, *forbidden: tuple[str, Right] | tuple[str, Right, str]) -> None:
        self.factory.chat.rights = Strict(self.factory.chat, *forbidden)

    def test_everybody_may_do_everything(self) -> None:
        for name in GUARDED:
            self.assertNotIn("!!!", self.bob.types(DONE[name]).raw(), name)

    def test_a_command_is_refused_to_who_lacks_its_right_and_nobody_hears_of_it(self) -> None:
        for name, right in GUARDED.items():
            self.forbids(("bob", right))
            (answer,) = self.bob.types(DONE[name]).sees()
            self.assertTrue(answer.startswith("!!! You may not "), answer)
            self.assertEqual(self.alice.raw() + self.bot.raw(), "", name)

    def test_nothing_but_that_right_is_needed(self) -> None:
        for name, right in GUARDED.items():
            self.forbids(*(("bob", other) for other in Right if other is not right))
            self.assertNotIn("!!!", self.bob.types(DONE[name]).raw(), name)

    def test_saying_is_no_exception(self) -> None:
        self.forbids(("bob", Right.SPEAK), ("bot", Right.SPEAK))
        self.assertEqual(
            self.bob.types("hello").sees(),
            ["!!! You may not speak in #lobby: ask whoever runs this server."],
        )
        self.bot.asks(do="say", text="hello", ref="s")
        (error,) = self.bot.gets()
        self.assertEqual((error["code"], error["ref"]), ("not-allowed", "s"))
        self.assertEqual(self.alice.raw(), "")

    def test_a_right_may_be_missing_in_one_room_alone(self) -> None:
        self.bob.types("/join dev").raw()
        self.bot.asks(do="command", text="/join dev").gets()
        self.forbids(("bob", Right.SPEAK, "#dev"), ("bot", Right.SPEAK, "#lobby"))
        self.bob.types("in dev", "/join lobby", "in the lobby")
        self.assertEqual(self.alice.sees()[-1:], ["bob: in the lobby"])
        self.bot.asks(do="say", text="in dev").asks(do="say", room="#lobby", text="in the lobby")
        said = self.bot.gets("message", "error")
        self.assertEqual([thing.get("text") for thing in said[:2]], ["in the lobby", "in dev"])
        self.assertEqual(said[2]["code"], "not-allowed")

    def test_a_room_that_one_may_not_enter_is_closed_to_every_way_in(self) -> None:
        self.alice.types("/join dev").raw()
        self.forbids(("bob", Right.ENTER, "#dev"), ("robot", Right.ENTER, "#dev"))
        self.assertIn("!!! You may not enter #dev", self.bob.types("/join dev").raw())
        things = self.program("robot", seen={"#dev": 0}).gets("state", "error")
        self.assertEqual([thing.get("code") for thing in things], [None, "not-allowed"])
        self.assertEqual(self.alice.types("/users dev").sees()[-1], "*** In #dev: alice (1)")

    def test_who_may_not_change_a_topic_may_read_it(self) -> None:
        self.alice.types("/topic tea")
        self.forbids(("bob", Right.SET_TOPIC))
        self.bob.raw()
        self.assertEqual(self.bob.types("/topic").sees(), ["*** The topic of #lobby is: tea"])


class RemovalTests(DiskTestCase):
    limits = Limits(pace=None)

    def test_who_is_removed_before_they_have_read_the_room_is_heard_all_the_same(self) -> None:
        alice = self.program("alice")
        self.the_disk_works()
        alice.asks(do="command", text="/register correct horse")
        self.the_disk_works()
        alice.asks(do="command", text="/join #dev")
        self.the_disk_works()
        alice.asks(do="say", text="hello", room="#dev")
        self.the_disk_works()
        self.the_server_is_killed()
        alice = self.program("alice", session=alice.gets("welcome")[0]["session"])
        bob = self.program("bob")
        self.the_disk_works()
        bob.asks(do="command", text="/join #dev")
        alice.asks(do="command", text="/ban bob", room="#dev")
        while self.writing.is_busy:  # and reading what was said before takes longer
            self.writing.turns()
            self.writing.is_heard()
            self.clock.advance(0)
        self.the_disk_works()
        bob.asks(do="ping", ref="p")
        self.the_disk_works()
        self.assertEqual([pong["ref"] for pong in bob.gets("pong")], ["p"])

    def test_of_two_decisions_about_somebody_each_holds_until_it_is_stored(self) -> None:
        alice, carol, bob = (self.program(name) for name in ("alice", "carol", "bob"))
        self.the_disk_works()
        for operator in (alice, carol):
            operator.asks(do="command", text="/register correct horse")
        self.the_disk_works()
        for each in (alice, carol, bob):
            each.asks(do="command", text="/join #dev")
            self.the_disk_works()
        alice.asks(do="command", text="/op carol", room="#dev")
        self.the_disk_works()
        alice.asks(do="command", text="/mute bob 1s", room="#dev")
        carol.gets()
        self.writing.turns()
        carol.asks(do="command", text="/kick bob", room="#dev")
        self.writing.is_heard()
        self.clock.advance(2)
        self.assertEqual(len(carol.gets("mute")), 1)
        bob.gets()
        bob.asks(do="say", text="hello", room="#dev")
        self.the_disk_works()
        self.assertEqual([error["code"] for error in bob.gets("error")], ["not-allowed"])
        self.assertEqual(carol.gets("message"), [])
