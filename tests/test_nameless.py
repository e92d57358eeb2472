"""Where names are erased with accounts, nothing tells who somebody was, and all else stays."""

from tests.disk import DiskTestCase
from tests.people import AccountsTestCase, ChatTestCase, Person
from twisted_chat import Limits

SECRET = "correct horse"


class _NamelessTests(ChatTestCase):
    """Alice owns #dev; zebedee is an operator there, to whom much has happened."""

    limits = Limits(pace=None, entry_history=200)

    def setUp(self) -> None:
        super().setUp()
        self.factory.chat.erases_on_forget = True
        self.all_is_done()
        self.alice, self.zebedee = (
            self.comes("alice", "192.0.2.1"),
            self.comes("zebedee", "192.0.2.2"),
        )
        self.eve = self.comes("eve", "192.0.2.3")
        self.does(self.alice, f"/register {SECRET}", "/join dev")
        self.does(self.zebedee, f"/register {SECRET}", "/join dev")
        self.does(self.eve, "/join dev")
        self.does(self.alice, "/mute zebedee", "/unmute zebedee", "/kick zebedee", "/ban zebedee")
        self.does(self.alice, "/unban zebedee", "/lock", "/invite zebedee", "/unlock")
        self.does(self.zebedee, "/join dev", "/hand", "hello", "/nick zeb2", "/nick zebedee")
        self.does(self.eve, "/hand")
        self.does(self.alice, "/next", "/op zebedee", "/topic of alice")
        self.does(self.zebedee, "/mute eve 1d", "/ban mallory 1d")
        self.does(self.zebedee, "/hand")
        self.does(self.alice, "/mute zebedee 1d noise")

    def all_is_done(self) -> None:
        """Nothing is under way any more."""

    def comes(self, nickname: str, host: str) -> Person:
        person = self.connects(host).types(nickname)
        self.all_is_done()
        return person

    def does(self, person: Person, *lines: str) -> None:
        for line in lines:
            person.types(line)
            self.all_is_done()
            self.clock.advance(0)
            self.all_is_done()

    def seen_by_somebody_new(self) -> str:
        """All that a newcomer reads of #dev, and of what is decided there."""
        newcomer = self.comes("newcomer", "192.0.2.77")
        self.does(newcomer, "/join dev", "/settings", "/hands", "/users dev", "/kick eve", "/quit")
        return newcomer.raw()

    def forgets(self) -> None:
        self.does(self.zebedee, f"/forget {SECRET}", "/quit")
        self.does(self.eve, "/quit")
        self.does(self.alice, "/quit")
        for _ in range(400):
            self.clock.advance(1)
        self.all_is_done()

    def assert_nameless(self) -> None:
        seen = self.seen_by_somebody_new()
        self.assertNotIn("zeb", seen)
        for told in (
            "alice muted (deleted) in #dev",
            "alice let (deleted) speak in #dev again",
            "alice removed (deleted) from #dev",
            "alice banned (deleted) from #dev",
            "alice ended the ban of (deleted)",
            "alice invited (deleted)",
            "(deleted) raised a hand",
            "alice gives the word to (deleted)",
            "(deleted) has given back the word",
            "(deleted): hello",
            "(deleted) muted eve in #dev",
            "(deleted) banned mallory from #dev",
            "eve raised a hand in #dev",
        ):
            self.assertIn(told, seen)


class MemoryTests(_NamelessTests, AccountsTestCase):
    def test_it_is_taken_from_what_is_at_hand_and_from_what_holds(self) -> None:
        self.forgets()
        self.assert_nameless()
        self.assertNotIn("zeb", str(self.factory.chat.rooms["#dev"].state))


class DiskTests(_NamelessTests, DiskTestCase):
    def all_is_done(self) -> None:
        """See `_NamelessTests.all_is_done`."""
        self.the_disk_works()

    def test_it_is_taken_from_what_is_at_hand_and_from_what_holds(self) -> None:
        self.forgets()
        self.assert_nameless()
        self.assertNotIn("zeb", str(self.factory.chat.rooms["#dev"].state))

    def test_it_is_gone_from_the_database_and_what_was_decided_holds(self) -> None:
        self.forgets()
        state = dict(self.factory.chat.rooms["#dev"].state)
        self.the_server_is_killed()
        self.all_is_done()
        self.assertEqual(self.factory.chat.rooms["#dev"].state, state)
        self.assert_nameless()
        for table in ("events WHERE kind != 'act'", "state", "accounts"):
            self.assertNotIn("zeb", str(self.rows(f"SELECT * FROM {table}")), table)
        sessions = self.store.saved_sessions()
        self.all_is_done()
        self.assertNotIn("zeb", str(self.successResultOf(sessions)))

    def test_whom_a_ban_is_for_is_told_by_nothing_although_its_event_is_forgotten(self) -> None:
        self.does(self.alice, "/ban zebedee 1d")
        for _ in range(10):
            self.clock.advance(1)
        self.does(self.alice, "much later")
        self.store.forget(self.clock.seconds() - 5)
        self.all_is_done()
        self.forgets()
        state = dict(self.factory.chat.rooms["#dev"].state)
        bans = [value for name, value in state.items() if name.startswith("ban/person:")]
        self.assertEqual([ban["target"] for ban in bans if isinstance(ban, dict)], ["(deleted)"])
        self.assertNotIn("'target': 'zebedee'", str(state))
        self.the_server_is_killed()
        self.all_is_done()
        self.assertEqual(self.factory.chat.rooms["#dev"].state, state)

    def test_where_it_cannot_be_stored_the_account_stays(self) -> None:
        self.writing.is_full = True
        self.zebedee.raw()
        self.does(self.zebedee, f"/forget {SECRET}")
        self.assertIn("nothing has changed: try again", self.zebedee.raw())
        self.writing.is_full = False
        self.assertIn("operators of #dev: alice, zebedee", self.seen_by_somebody_new())
