"""What is true of a chat on a disk is as true of one in PostgreSQL, and while that is away."""

from unittest import SkipTest

from tests import (
    test_coming_back,
    test_devices,
    test_effects,
    test_files,
    test_files_at_random,
    test_nameless,
    test_read_marks,
    test_rights,
    test_room_limits,
    test_server_log,
    test_storing,
    test_uploads,
)
from tests.behaviour import test_order_on_disk
from tests.postgres import engine, why_not
from tests.postgres_case import PostgresSharingTestCase, SlowPostgresTestCase
from tests.sharing import SharingTestCase
from twisted_chat.limits import Limits

if not why_not():
    from tests.faulty import Network
    from twisted_chat.stores.postgres import history

_ALIKE: dict[type, tuple[str, ...]] = {
    test_storing.PrivateTests: (),
    test_storing.RefusalTests: (),
    test_storing.OutcomeTests: (),
    test_storing.FullTests: (),
    test_storing.ForgettingTests: ("test_nothing_is_read_where_nothing_is_old",),
    test_storing.StoppingTests: (),
    test_coming_back.NameTests: (
        "test_a_name_that_was_taken_is_kept_when_the_server_dies_at_once",
    ),
    test_coming_back.RememberingTests: (),
    test_coming_back.RestartTests: (),
    test_devices.RestartTests: (),
    test_devices.RenamingTests: ("test_so_is_what_somebody_says_whom_an_administrator_renames",),
    test_effects.RefusedTests: (),
    test_files.SendingTests: ("test_it_is_on_the_disk_once_under_the_hash_of_its_content",),
    test_files.RightsTests: (),
    test_files.DeletingTests: (),
    test_files.KeepingTests: (
        "test_the_files_of_another_database_are_left_alone",
        "test_a_disk_that_was_full_at_the_first_start_keeps_no_deleted_files",
        "test_what_a_crash_has_left_is_deleted_at_the_start",
    ),
    test_uploads.UploadTests: (),
    test_uploads.InterruptedTests: ("test_half_a_file_leaves_nothing_and_can_be_sent_again",),
    test_uploads.SlowDiskTests: (),
    test_uploads.DownloadTests: ("test_a_file_that_the_disk_has_lost_ends_the_connection",),
    test_nameless.DiskTests: (),
    test_order_on_disk.RestartTests: ("test_erasing_what_an_owner_wrote_leaves_what_they_decided",),
    test_read_marks.KeepingTests: ("test_reading_on_is_stored_once_in_a_while",),
    test_rights.RemovalTests: (),
    test_room_limits.KeptRoomTests: (),
    test_server_log.LogTests: ("test_erasing_somebody_leaves_what_they_did_without_their_words",),
}
"""Tests of a chat on a disk, but for those that are about the file, how it is read, or when.

A nickname takes one more commit here, as other servers are asked whether it is free, and each
server says every few seconds that it is there.
"""


def _is_about_the_file(_: object) -> None:
    raise SkipTest("this is about the file, how it is read, or when it is written")


def _in_postgres(case: type, others: tuple[str, ...]) -> type:
    is_sharing = issubclass(case, SharingTestCase)
    base = PostgresSharingTestCase if is_sharing else SlowPostgresTestCase
    name = f"{case.__module__.rpartition('.')[2]}_{case.__name__}InPostgres"
    return type(
        name, (case, base), {"__module__": __name__, **dict.fromkeys(others, _is_about_the_file)}
    )


if not why_not():
    _made = (_in_postgres(case, others) for case, others in _ALIKE.items())
    globals().update({each.__name__: each for each in _made})


class RandomFilesTests(test_files_at_random.RandomFilesTests, PostgresSharingTestCase):
    """Whatever happens to files whose records are in PostgreSQL."""

    seeds = range(1)
    skip = why_not() or None


class NamelessTests(test_nameless._NamelessTests, SlowPostgresTestCase):
    """An account is forgotten while the way to the database breaks."""

    skip = why_not() or None

    def all_is_done(self) -> None:
        """See `_NamelessTests.all_is_done`."""
        self.the_disk_works()

    def assert_gone(self) -> None:
        """The name is nowhere, in memory and in the database."""
        self.forgets()
        self.assertEqual(self.network.loses, "", "nothing was lost")
        self.assert_nameless()
        for table in ("events WHERE kind != 'act'", "state"):
            self.assertNotIn("zeb", str(self.rows(f"SELECT * FROM {table}")), table)

    def test_a_name_is_gone_if_the_change_did_not_arrive_at_first(self) -> None:
        self.network.loses = "group"
        self.assert_gone()

    def test_a_name_is_gone_if_the_answer_to_the_change_was_lost(self) -> None:
        self.network.loses = "answer"
        self.assert_gone()

    def test_while_the_database_is_away_nothing_is_forgotten(self) -> None:
        self.network.is_cut = True
        self.alice.types("in doubt")
        self.the_disk_works()
        self.zebedee.raw()
        self.zebedee.types(f"/forget {test_nameless.SECRET}")
        self.the_disk_works()
        self.assertIn("the database is away), so nothing has changed", self.zebedee.raw())

    def test_a_room_that_is_being_opened_meanwhile_has_no_name_in_it(self) -> None:
        self.the_server_is_killed()
        self.the_disk_works()
        account = next(iter(self.rows("SELECT id FROM accounts WHERE name = 'zebedee'")))[0]
        self.store.close("#dev")
        opened = self.store.open("#dev", "#dev", self.factory.chat.rooms["#dev"].log)
        self.reading.turns()
        self.store.make_nameless(account)
        self.clock.advance(0)
        self.writing.turns()
        self.writing.is_heard()
        self.the_disk_works()
        state = self.successResultOf(opened).state
        self.assertIn("(deleted)", str(state))
        self.assertNotIn("zebedee", str(state))


class AwayTests(SlowPostgresTestCase):
    """The database is away for a while, and nobody is disconnected."""

    limits = Limits(pace=None)
    skip = why_not() or None

    def setUp(self) -> None:
        """Two people are here."""
        super().setUp()
        self.alice, self.bob = self.joins("alice"), self.joins("bob")
        self.the_disk_works()
        self.alice.sees()
        self.bob.sees()

    def goes_away(self) -> None:
        """The database is away, which is noticed when something is to be stored."""
        self.network.is_cut = True
        self.bob.types("in doubt")
        self.the_disk_works()

    def comes_back(self) -> None:
        """It is there again, and some time has passed."""
        self.network.is_cut = False
        self.clock.advance(2)
        self.the_disk_works()

    def test_history_that_cannot_be_read_meanwhile_is_said_to_be_missing(self) -> None:
        self.alice.types("one", "two")
        self.the_disk_works()
        self.the_server_is_killed()
        self.the_disk_works()
        way_to_read = Network()
        way_to_read.is_cut = True
        self.patch(history, "connect", way_to_read.connect)
        self.store._history._connection.close()
        carol = self.joins("carol")
        self.the_disk_works()
        self.assertIn(
            "*** You missed 2 lines of #lobby: they cannot be read right now", carol.sees()
        )
        self.assertEqual(self.flushLoggedErrors(), [])

    def said(self) -> list[str]:
        """What stands in the lobby."""
        with engine().connect(self.url) as look:
            query = b"SELECT text FROM events WHERE kind = 'message' ORDER BY id"
            return [text for (text,) in look.execute(query)]

    def test_what_is_said_meanwhile_is_refused_at_once_and_seen_by_nobody(self) -> None:
        self.goes_away()
        self.bob.types("lost")
        (line,) = self.bob.sees()
        self.assertEqual(
            line,
            "!!! That could not be stored (the database is away), so nobody saw it: "
            "try again later.",
        )
        self.comes_back()
        self.assertEqual(self.alice.sees(), ["bob: in doubt"])
        self.assertEqual(self.said(), ["in doubt"])

    def test_the_group_in_doubt_is_stored_once_if_its_answer_was_lost(self) -> None:
        self.network.loses = "answer"
        self.bob.types("once")
        self.the_disk_works()
        self.assertEqual(self.alice.sees(), ["bob: once"])
        self.bob.types("twice")
        self.the_disk_works()
        self.assertEqual(self.alice.sees(), ["bob: twice"])
        self.assertEqual(self.said(), ["once", "twice"])

    def test_also_if_nobody_is_reached_after_that_and_it_is_shown_when_that_is_known(self) -> None:
        self.network.loses = "answer"
        self.network.cuts_after = True
        self.bob.types("once")
        self.the_disk_works()
        self.assertEqual(self.said(), ["once"])
        self.assertEqual(self.alice.sees(), [], "it is not known yet")
        self.comes_back()
        self.assertEqual(self.alice.sees(), ["bob: once"])
        self.assertEqual(self.said(), ["once"])

    def test_what_is_only_told_is_seen_meanwhile_where_nothing_is_in_doubt(self) -> None:
        for person in (self.alice, self.bob):
            person.types("/join tea")
            self.the_disk_works()
        self.bob.types("/join lobby")
        self.alice.sees()
        self.goes_away()
        self.bob.types("/join tea", "/leave")
        self.clock.advance(0)
        self.assertEqual(self.alice.sees(), ["*** bob has left #tea"])

    def test_who_comes_meanwhile_is_here(self) -> None:
        self.goes_away()
        carol = self.connects().types("carol")
        self.the_disk_works()
        self.assertIn("Welcome, carol!", carol.raw())
        self.comes_back()
        carol.types("hello")
        self.the_disk_works()
        self.assertIn("carol: hello", self.alice.sees())

    def test_a_request_is_answered_as_not_stored_and_can_be_sent_again(self) -> None:
        bot = self.program("bot")
        self.the_disk_works()
        self.goes_away()
        bot.gets()
        bot.asks(do="say", text="hi", ref="r")
        (error,) = bot.gets("error")
        self.assertEqual((error["code"], error["ref"]), ("not-stored", "r"))
        self.comes_back()
        bot.gets()
        bot.asks(do="say", text="hi", ref="r")
        self.the_disk_works()
        (message,) = bot.gets("message")
        self.assertEqual((message["ref"], message["id"]), ("r", 2))

    def test_the_operator_is_told_as_long_as_it_lasts(self) -> None:
        self.goes_away()
        self.assertEqual(self.store.problem, "messages cannot be stored: the database is away")
        self.comes_back()
        self.assertEqual(self.store.problem, "")

    def test_a_server_that_stops_meanwhile_says_that_it_is_not_known_what_is_stored(self) -> None:
        self.goes_away()
        stopped = self.store.stop()
        self.the_disk_works()
        self.successResultOf(stopped)
        (line,) = [line for line in self.bob.sees() if line.startswith("!!!")]
        self.assertIn("It is not known whether that was stored", line)

    def test_a_server_whose_place_was_taken_meanwhile_stores_nothing_more(self) -> None:
        self.goes_away()
        first, _ = self.store, self.bob.sees()
        self.network.is_cut = False
        with engine().connect(self.url) as look:
            look.execute(b"DELETE FROM nodes")
        self.clock.advance(2)
        self.the_disk_works()
        refused, why, *_ = self.bob.sees()
        self.assertIn("another server has taken over the database", refused)
        self.assertIn("This server was cut off from the others: connect again.", why)
        self.assertTrue(self.bob.is_gone)
        self.assertEqual(self.said(), [])
        self.assertIn("another server has taken over", first.problem)
