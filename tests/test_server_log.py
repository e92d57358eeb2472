"""The server's own log keeps what was done, once, whatever happens to the server."""

from contextlib import redirect_stderr
from io import StringIO

from tests.disk import DiskTestCase
from tests.people import ChatTestCase, Program
from twisted_chat.events import Act, Entry
from twisted_chat.service import archive
from twisted_chat.service.erasing import ERASED
from twisted_chat.stores import SERVER_LOG
from twisted_chat.stores.account import Account
from twisted_chat.stores.memory import _ACTS, MemoryStore
from twisted_chat.text.passwords import Password


class LogTests(DiskTestCase):
    def administrator(self) -> Program:
        """Carol, who administers the server and is logged in."""
        carol = self.program("carol")
        self.the_disk_works()
        self.logs_in()
        return carol

    def logs_in(self) -> None:
        """Carol's account is one of an administrator."""
        chat = self.factory.chat
        person = chat.people.find("carol")
        person.account = person.id
        chat.accounts._load([Account(person.id, "carol", "", 0, 0, is_admin=True)])

    def audit(self) -> list[tuple[str, str]]:
        """What was done, and what was written with it."""
        shown = self.factory.chat.server_log.latest(100)
        self.the_disk_works()
        acts = [entry.event for entry in self.successResultOf(shown)]
        return [(act.act, act.text) for act in acts if isinstance(act, Act)]

    def test_what_is_asked_for_again_after_the_server_was_killed_is_done_once(self) -> None:
        carol = self.administrator()
        token = carol.gets("welcome")[0]["session"]
        self.the_disk_works()
        command = {"do": "command", "text": "/announce tea", "ref": "a"}
        carol.asks(**command)
        self.clock.advance(0)
        while self.writing.has_work:  # it is stored, and nobody has been told
            self.writing.turns()
        self.the_server_is_killed()
        self.the_disk_works()
        carol = self.program("carol", session=token)
        self.the_disk_works()
        carol.asks(**command)
        self.the_disk_works()
        self.assertEqual([each["ref"] for each in carol.gets("answer")], ["a"])
        self.assertEqual(self.audit(), [("announced", "tea")])

    def test_erasing_somebody_leaves_what_they_did_without_their_words(self) -> None:
        carol = self.administrator()
        for text in ("/announce secret", "/ban --server rude secret"):
            carol.asks(do="command", text=text)
            self.the_disk_works()
        self._close()
        with redirect_stderr(StringIO()):
            self.assertEqual(archive.run(["--db", str(self.path), "erase", "carol"]), 0)
        self.assertFalse(b"secret" in self.path.read_bytes())
        self._start()
        self.the_disk_works()
        self.assertEqual(
            self.audit(),
            [("announced", ERASED), ("banned rude from this server", ERASED)],
        )
        (refused,) = self.program("rude").gets("error")
        self.assertIn(f"by carol: {ERASED}", refused["text"])

    def test_it_is_in_no_export(self) -> None:
        carol = self.administrator()
        carol.asks(do="command", text="/announce secret")
        self.the_disk_works()
        rooms = self.store.rooms()
        self.the_disk_works()
        self.assertNotIn(SERVER_LOG, self.successResultOf(rooms))

    def test_what_is_decided_in_a_room_and_cannot_be_stored_is_in_neither_log(self) -> None:
        carol = self.administrator()
        bob = self.program("bob")
        self.the_disk_works()
        self.writing.is_full = True
        carol.asks(do="command", text="/kick bob")
        self.the_disk_works()
        self.writing.is_full = False
        self.assertEqual([each["code"] for each in carol.gets("error")], ["not-stored"])
        self.assertEqual(bob.gets("kick"), [])
        self.assertEqual(self.audit(), [])


class NameTests(ChatTestCase):
    def test_a_name_of_the_configuration_is_registered_by_nobody_and_never_expires(self) -> None:
        chat = self.factory.chat
        chat.administrators.use(["Alice"])
        refused = chat.accounts.register("ALICE", Password("correct horse"), "a1", "192.0.2.1")
        self.assertEqual(self.failureResultOf(refused).value.code, "registered-nick")
        chat.accounts._load([Account("a2", "alice", "", 0, 0)])
        self.assertEqual([each.id for each in chat.administrators], ["a2"])
        refused = chat.accounts.register("Alice", Password("correct horse"), "a3", "192.0.2.1")
        self.assertEqual(self.failureResultOf(refused).value.code, "registered-nick")


class MemoryTests(ChatTestCase):
    def test_nothing_that_is_said_pushes_it_out_and_it_does_not_grow_for_ever(self) -> None:
        store = MemoryStore(room=10_000)
        log = _Nobody()
        for name in (SERVER_LOG, "#lobby"):
            store.begin(name, name, log)
        acts = [Entry(Act(0.0, "*", "carol", f"did {n}")) for n in range(_ACTS + 1)]
        for act in acts:
            store.append([(SERVER_LOG, act)])
        for _ in range(100):
            store.append([("#lobby", Entry(Act(0.0, "#lobby", "bob", "x" * 200)))])
        kept = self.successResultOf(store.after(SERVER_LOG, 0, 2 * _ACTS))
        self.assertEqual(list(kept), acts[1:])


class _Nobody:
    """A subscriber who does nothing with what they are told."""

    def show(self, entries: object) -> None:
        """See `Subscriber.show`."""

    def hear(self, entries: object) -> None:
        """See `Subscriber`."""

    def refuse(self, entries: object, why: object) -> None:
        """See `Subscriber.refuse`."""
