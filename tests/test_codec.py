"""Every kind of event can be written in every form that keeps it, and read back as it was."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, redirect_stderr
from dataclasses import fields
from io import StringIO
from typing import get_args

from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from tests.disk import DiskTestCase
from twisted_chat.events import Ban, Entry, Event, Join, Leave, Message, Mute, Stored
from twisted_chat.events.codec import KINDS, NAMED, OF, Kept, Kind
from twisted_chat.service import archive
from twisted_chat.service.exchange import from_line, to_line
from twisted_chat.stores.rows import to_entry, to_row
from twisted_chat.stores.unusable import Unusable
from twisted_chat.wire.plain import PlainWire
from twisted_chat.wire.structured import describe, understand

TIME = 1_790_000_000.125


def of(*kept: Kept) -> Iterator[tuple[Kind, Event]]:
    """An event of each kind that is kept there."""
    for kind in KINDS:
        if kind.kept in kept:
            texts = [f"the-{field}" for field in kind.fields]
            rest = [*(5 for _ in kind.numbers), *(TIME for _ in kind.times)]
            yield kind, kind.make(TIME, "#dev", "eve", [*texts, *rest])


class CodecTests(SynchronousTestCase):
    def test_every_kind_of_event_is_written_in_one_way(self) -> None:
        self.assertEqual([kind.event for kind in KINDS], list(OF))
        self.assertEqual([kind.name for kind in KINDS], list(NAMED))
        self.assertEqual(set(OF), set(get_args(Event)))

    def test_nothing_that_an_event_holds_is_left_out(self) -> None:
        for kind in KINDS:
            of_many = {"also", "persons"} if kind.event in (Join, Leave) else set()
            held = [field.name for field in fields(kind.event) if field.name not in of_many]
            self.assertEqual(("time", "room", "sender", *kind.held), tuple(held), kind.name)
            self.assertLessEqual(set(kind.optional), set(kind.fields), kind.name)

    def test_what_is_kept_has_a_number(self) -> None:
        for kind, event in of(Kept.IN_ROOMS, Kept.IN_OWN_LOGS):
            self.assertIsInstance(event, Stored, kind.name)

    def test_every_kind_can_be_read_in_structured_lines(self) -> None:
        for kind, event in of(*Kept):
            entry = Entry(event, id=7 if isinstance(event, Stored) else 0)
            self.assertEqual(describe(entry)["event"], kind.name)
            self.assertEqual(understand(describe(entry)), entry)

    def test_every_kind_can_be_shown_in_plain_lines(self) -> None:
        for kind, event in of(*Kept):
            self.assertEqual(PlainWire().text(event) == "", kind.name in ("away", "hidden"))

    def test_every_kind_that_is_kept_comes_back_from_a_database(self) -> None:
        for kind, event in of(Kept.IN_ROOMS, Kept.IN_OWN_LOGS, Kept.IN_THE_SERVERS_LOG):
            entry = Entry(event, "0123abcd", "c-17", 7, client="0123abcd")
            log, *row, _ = to_row(1, entry)
            self.assertEqual((log, to_entry("#dev", tuple(row))), (1, entry), kind.name)

    def test_every_kind_that_rooms_keep_comes_back_from_an_export(self) -> None:
        for kind, event in of(Kept.IN_ROOMS):
            self.assertEqual(from_line(to_line(Entry(event, id=7))), Entry(event, id=7), kind.name)

    def test_what_is_private_is_kept_and_exported_and_never_told(self) -> None:
        ban = Ban(TIME, "#dev", "eve", "bob", "", TIME, ("ban/near:192.0.2.1",), ("role/b",))
        entry = Entry(ban, id=7)
        _, *row, _ = to_row(1, entry)
        self.assertEqual(to_entry("#dev", tuple(row)).event, ban)
        self.assertEqual(from_line(to_line(entry)).event, ban)
        self.assertNotIn("192.0.2.1", str(describe(entry)))

    def test_a_time_that_there_is_not_is_not_told(self) -> None:
        mute = Mute(TIME, "#dev", "eve", "bob", "")
        self.assertNotIn("until", describe(Entry(mute, id=7)))
        self.assertEqual(from_line(to_line(Entry(mute, id=7))).event, mute)

    def test_no_other_kind_can_be_imported(self) -> None:
        for kind, event in of(Kept.IN_OWN_LOGS, Kept.IN_THE_SERVERS_LOG, Kept.NOWHERE):
            line = to_line(Entry(event, id=7))
            error = self.assertRaises(ValueError, from_line, line)
            self.assertIn("must be one of ", str(error), kind.name)


class UnknownKindTests(DiskTestCase):
    """A database with an event of a kind that this program does not know."""

    WHY = (
        "the database has an event of the kind 'poll', which this program does not know: "
        "install a newer twisted-chat"
    )

    def setUp(self) -> None:
        """It stands between two messages."""
        super().setUp()
        self.joins("alice").types("one", "two", "three").closes()
        self.the_disk_works()
        with closing(sqlite3.connect(self.path)) as database, database:
            database.execute("UPDATE events SET kind = 'poll' WHERE id = 2")

    def test_it_is_named_and_never_shown_as_a_message(self) -> None:
        self.the_server_is_killed()
        bob = self.joins("bob")
        with capturedLogs() as captured:
            self.the_disk_works()
        self.assertNotIn("two", bob.raw())
        lines = [formatEvent(each) for each in captured]
        self.assertIn(f"The history of #lobby cannot be read: {self.WHY}", lines)

    def test_it_is_not_exported(self) -> None:
        with redirect_stderr(StringIO()) as told:
            status = archive.run(["--db", str(self.path), "export"])
        self.assertEqual((status, told.getvalue()), (1, f"twisted-chat-archive: {self.WHY}\n"))

    def test_what_is_told_is_no_kind_of_row_either(self) -> None:
        _, *row, _ = to_row(1, Entry(Message(TIME, "#dev", "eve", "hi"), id=7))
        row[2] = "join"
        self.assertRaises(Unusable, to_entry, "#dev", tuple(row))
