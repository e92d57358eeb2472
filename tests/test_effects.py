"""A log's state is what its events have made of it, whichever way they come to it."""

from contextlib import redirect_stderr
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any, cast

from twisted.trial.unittest import SynchronousTestCase

from tests.disk import DiskTestCase
from tests.people import at_once
from twisted_chat.chat.order import Order
from twisted_chat.chat.projection import project
from twisted_chat.events import Entry, Event, Stored, codec
from twisted_chat.events.codec import Kept, Kind
from twisted_chat.events.effects import EFFECTS, effects
from twisted_chat.refusal import Refused
from twisted_chat.service import archive
from twisted_chat.service.exchange import from_line, to_line
from twisted_chat.stores import Store
from twisted_chat.stores.memory import MemoryStore
from twisted_chat.stores.sqlite.store import SqliteStore
from twisted_chat.turn import Turn
from twisted_chat.wire.structured import describe, understand


@dataclass(frozen=True, slots=True)
class Muted(Stored):
    """Somebody may not speak for a while, and in some ways only: a kind that might come."""

    to: str
    reason: str
    until: float | None
    ways: tuple[str, ...]


MUTED = Kind("muted", cast(Any, Muted), Kept.IN_ROOMS, ("to", "reason"), values=("until", "ways"))


def muted(event: Muted, number: int) -> dict[str, Any]:
    """What the chat would have to know of it."""
    return {f"muted:{event.to}": event.until and {"until": event.until, "ways": event.ways}}


def mute(to: str, until: float | None, time: float = 5.0) -> Entry:
    """An entry of the new kind."""
    event = cast(Event, Muted(time, "#dev", "eve", to, "noise", until, ("say", "me")))
    return Entry(event, "e1", client="e1-phone")


class Nobody:
    """Somebody to whom a log tells nothing that they keep."""

    def show(self, entries: Any) -> None:
        """See `Subscriber`."""

    def hear(self, entries: Any) -> None:
        """See `Subscriber`."""

    def refuse(self, entries: Any, why: Refused) -> None:
        """See `Subscriber`."""


class EffectTests(SynchronousTestCase):
    """A kind that holds more than texts, and changes more than a topic."""

    def setUp(self) -> None:
        """It is one more entry in three tables."""
        for table, key, value in (
            (codec.OF, Muted, MUTED),
            (codec.NAMED, "muted", MUTED),
            (EFFECTS, Muted, muted),
        ):
            known = cast(dict[Any, Any], table)
            known[key] = value
            self.addCleanup(known.pop, key)
        self.path = Path(self.mktemp())
        self.path.mkdir()

    def opens(self, store: Store) -> Any:
        """What a log has come to."""
        return self.successResultOf(store.open("#dev", "#dev", Nobody()))

    def sqlite(self) -> SqliteStore:
        """A server's store."""
        return SqliteStore(self.path / "chat", Turn(), at_once, at_once, at_once)

    def test_only_what_is_stored_has_any(self) -> None:
        for kind in EFFECTS:
            self.assertTrue(issubclass(kind, Stored), kind)

    def test_every_store_keeps_it_as_the_chat_does(self) -> None:
        class Seen:
            state: dict[str, Any] = {}  # noqa: RUF012 - of this test alone
            order = Order(state, float)

        for store in (MemoryStore(), self.sqlite()):
            Seen.state = {}
            self.opens(store)
            for entry in (mute("ann", 9.0), mute("bob", 7.5), mute("ann", None)):
                store.append((("#dev", entry),))
                project(cast(Any, Seen), entry)
            expected = {"muted:bob": {"until": 7.5, "ways": ("say", "me")}}
            self.assertEqual((self.opens(store).state, Seen.state), (expected, expected))
            self.successResultOf(store.stop())

    def test_it_survives_a_restart_and_what_is_forgotten(self) -> None:
        store = self.sqlite()
        self.opens(store)
        store.append((("#dev", mute("bob", 7.5)),))
        store.append((("#dev", mute("ann", None, time=10.0)),))
        store.forget(9.0)
        self.assertEqual(len(self.successResultOf(store.after("#dev", 0, 9))), 1)
        self.successResultOf(store.stop())
        again = self.sqlite()
        self.assertEqual(list(self.opens(again).state), ["muted:bob"])
        self.successResultOf(again.stop())

    def test_its_fields_come_back_from_a_database_a_wire_and_an_export(self) -> None:
        store, entry = self.sqlite(), mute("bob", 7.5)
        self.opens(store)
        store.append((("#dev", entry),))
        self.assertEqual(self.successResultOf(store.after("#dev", 0, 9)), [entry])
        self.successResultOf(store.stop())
        read = understand(describe(entry))
        assert read is not None
        self.assertEqual(read.event, entry.event)
        self.assertEqual(from_line(to_line(entry)).event, entry.event)

    def test_texts_among_its_values_are_read_as_closely_as_others(self) -> None:
        line = to_line(mute("bob", 7.5)).replace(b'"say"', rb'"\u001b[2J"')
        self.assertRaises(ValueError, from_line, line)

    def test_it_is_imported_with_the_events(self) -> None:
        file = self.path / "in.ndjson"
        entries = [mute("ann", 9.0), mute("bob", 7.5), mute("ann", None)]
        for number, entry in enumerate(entries, 1):
            entry.id = number
        file.write_bytes(b"".join(map(to_line, entries)))
        with redirect_stderr(StringIO()):
            self.assertEqual(archive.run(["--db", str(self.path / "chat"), "import", str(file)]), 0)
        store = self.sqlite()
        self.assertEqual(list(self.opens(store).state), ["muted:bob"])
        self.successResultOf(store.stop())

    def test_its_texts_are_erased_with_the_others_of_a_person(self) -> None:
        store = self.sqlite()
        self.opens(store)
        store.append((("#dev", mute("bob", 7.5)),))
        self.successResultOf(store.stop())
        with redirect_stderr(StringIO()):
            self.assertEqual(archive.run(["--db", str(self.path / "chat"), "erase", "EVE"]), 0)
        self.assertNotIn(b"noise", (self.path / "chat").read_bytes())
        again = self.sqlite()
        self.assertEqual(list(self.opens(again).state), ["muted:bob"])
        self.successResultOf(again.stop())

    def test_an_event_without_any_changes_nothing(self) -> None:
        del EFFECTS[cast(Any, Muted)]
        self.assertFalse(effects(mute("bob", 7.5)))
        EFFECTS[cast(Any, Muted)] = muted


class RefusedTests(DiskTestCase):
    def test_what_is_not_stored_changes_nothing(self) -> None:
        alice, bob = self.joins("alice"), self.joins("bob")
        alice.types("/topic tea")
        self.the_disk_works()
        self.writing.is_full = True
        alice.types("/topic coffee")
        self.the_disk_works()
        bob.raw()
        self.assertEqual(bob.types("/topic").sees(), ["*** The topic of #lobby is: tea"])
        self.the_server_is_killed()
        carol = self.joins("carol").types("/topic")
        self.the_disk_works()
        self.assertIn("*** The topic of #lobby is: tea", carol.sees())

    def test_a_topic_is_there_before_it_is_seen_in_the_database_only(self) -> None:
        alice, bob = self.joins("alice"), self.joins("bob")
        self.the_disk_works()
        bob.raw()
        alice.types("/topic tea")
        self.writing.turns()
        self.assertEqual(
            bob.types("/topic").sees()[0], "*** #lobby has no topic: /topic TEXT sets one."
        )
        self.assertEqual(self.rows("SELECT name FROM state"), [("topic",)])
