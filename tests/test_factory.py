"""The factory as others use it, and the limits of a whole server."""

import gc
import random
import weakref
from pathlib import Path

from twisted.internet.protocol import Factory
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import capturedLogs, formatEvent
from twisted.protocols.basic import LineReceiver
from twisted.python import usage
from twisted.trial.unittest import SynchronousTestCase

from tests.disk import DiskTestCase
from tests.people import BANNED, AccountsTestCase, ChatTestCase, Program, Somebody
from twisted_chat import ChatFactory, ChatProtocol, Limits, Pace
from twisted_chat.log.window import KEPT
from twisted_chat.service.options import Options
from twisted_chat.service.transcript import Transcript
from twisted_chat.wire.plain import PlainWire


class EmbeddingTests(SynchronousTestCase):
    def test_it_is_what_someone_who_knows_twisted_expects(self) -> None:
        self.assertTrue(issubclass(ChatFactory, Factory))
        self.assertTrue(issubclass(ChatProtocol, LineReceiver))

    def test_without_a_clock_everything_is_delivered_at_once(self) -> None:
        factory = ChatFactory()
        people = []
        for nickname in (b"alice", b"bob"):
            protocol, transport = factory.buildProtocol(None), StringTransport()
            protocol.makeConnection(transport)
            protocol.dataReceived(nickname + b"\r\n")
            people.append((protocol, transport))
        people[0][0].dataReceived(b"hello\r\n")
        self.assertIn(b"] alice: hello\r\n", people[1][1].value())

    def test_one_turn_makes_one_write_for_each_reader(self) -> None:
        writes: list[bytes] = []

        class Transport(StringTransport):
            def write(self, data: bytes) -> None:
                writes.append(data)

        clock = Clock()
        factory = ChatFactory(clock)
        reader, sender = factory.buildProtocol(None), factory.buildProtocol(None)
        reader.makeConnection(Transport())
        sender.makeConnection(StringTransport())
        reader.dataReceived(b"alice\n")
        sender.dataReceived(b"bob\n")
        clock.advance(0)
        writes.clear()
        sender.dataReceived(b"one\ntwo\nthree\n")
        clock.advance(0)
        self.assertEqual(len(writes), 1)
        self.assertEqual(writes[0].count(b"\r\n"), 3)


class FullServerTests(ChatTestCase):
    limits = Limits(clients=2)

    def test_who_finds_it_full_is_told_so(self) -> None:
        alice = self.joins("alice")
        self.joins("bob")
        late = self.connects()
        self.assertEqual(late.sees(), ["!!! The server is full: try again in a minute."])
        self.assertTrue(late.is_gone)
        late.closes()
        alice.vanishes()
        self.joins("carol")


class GoodbyeTests(ChatTestCase):
    def test_everybody_reads_that_the_server_stops(self) -> None:
        alice, bot, nobody = self.joins("alice"), self.program("bot"), self.connects()
        alice.raw(), bot.gets()
        gone = self.factory.say_goodbye()
        self.clock.advance(0)
        self.assertEqual(alice.sees(), ["*** The server is shutting down"])
        self.assertEqual(bot.gets()[0]["text"], "The server is shutting down")
        self.assertNoResult(gone)
        for somebody in (alice, bot, nobody):
            self.assertTrue(somebody.is_gone)
            somebody.closes()
        self.successResultOf(gone)

    def test_what_was_accepted_before_is_delivered_before(self) -> None:
        alice, bob = self.joins("alice"), self.joins("bob")
        alice.raw()
        bob.protocol.dataReceived(b"one more thing\n")  # in the same turn
        self.factory.say_goodbye()
        self.clock.advance(0)
        self.assertEqual(alice.sees(), ["bob: one more thing", "*** The server is shutting down"])

    def test_who_does_not_read_the_goodbye_is_cut_off(self) -> None:
        alice = self.joins("alice")
        alice.protocol.outlet.pauseProducing()
        self.factory.say_goodbye()
        self.clock.advance(2.9)
        self.assertFalse(alice.transport.disconnected)
        self.clock.advance(0.2)
        self.assertTrue(alice.transport.disconnected)


class StoppedReaderTests(ChatTestCase):
    limits = Limits(pace=None)

    def test_who_stops_reading_costs_nothing_and_reads_on_later(self) -> None:
        sleeper, bob = self.joins("sleeper"), self.joins("bob")
        sleeper.raw()
        sleeper.protocol.outlet.pauseProducing()
        for number in range(3000):
            bob.types(f"line {number}")
        self.assertEqual(sleeper.raw(), "")
        sleeper.protocol.outlet.resumeProducing()
        self.assertEqual(sleeper.sees(), [f"bob: line {number}" for number in range(3000)])

    def test_what_everybody_has_read_is_not_kept_at_hand(self) -> None:
        self.joins("alice")
        bob = self.joins("bob")
        for number in range(500):
            bob.types(f"line {number}")
        lobby = self.factory.chat.lobby
        self.assertLessEqual(lobby.log.last - lobby.fanout.window.first, 2 * KEPT)

    def test_who_does_not_read_the_answers_is_not_asked_for_more(self) -> None:
        greedy = self.joins("greedy")
        greedy.protocol.outlet.pauseProducing()
        greedy.types(*["/help"] * 1000)
        self.assertLess(len(greedy.transport.value()), 5_000)
        greedy.reads_again()
        greedy.turn_ends()  # more than one turn takes
        greedy.turn_ends()
        self.assertEqual(greedy.raw().count("/help COMMAND shows details"), 1000)


class FreeingTestCase(ChatTestCase):
    """The garbage collector looks at old things once an hour only: nobody may wait for it."""

    def assert_freed(self, somebody: Somebody) -> None:
        """Nothing is left of somebody who is gone, though the garbage collector was not there."""
        self.time_passes(400)  # nobody comes back to resume
        protocol = weakref.ref(somebody.protocol)
        del somebody.protocol
        somebody.transport.producer = None  # which a real one forgets by itself
        self.assertIsNone(protocol())

    def setUp(self) -> None:
        super().setUp()
        gc.disable()
        self.addCleanup(gc.enable)


class MemoryTests(FreeingTestCase):
    def test_who_quits_is_freed(self) -> None:
        alice = self.joins("alice").types("hello", "/join #tea", "/ignore bob", "/quit")
        alice.closes()
        self.assert_freed(alice)

    def test_who_is_lost_is_freed(self) -> None:
        alice = self.joins("alice").types(*["hello"] * 40)
        alice.vanishes()
        self.assert_freed(alice)

    def test_who_says_no_more_and_then_leaves_is_freed(self) -> None:
        alice = self.joins("alice")
        alice.says_no_more()
        alice.closes()
        self.assert_freed(alice)

    def test_who_had_the_bell_on_is_freed(self) -> None:
        alice = self.joins("alice").types("/bell all")
        alice.vanishes()
        self.assert_freed(alice)

    def test_who_is_banned_without_a_nickname_is_freed(self) -> None:
        somebody = self.connects().types("no such name!")
        somebody.protocol.ban(BANNED)
        somebody.closes()
        self.assert_freed(somebody)

    def test_who_says_no_more_without_a_nickname_and_is_banned_is_freed(self) -> None:
        somebody = self.connects().types("no such name!")
        somebody.says_no_more()
        somebody.protocol.ban(BANNED)
        somebody.closes()
        self.assert_freed(somebody)

    def test_who_is_lost_while_leaving_is_freed(self) -> None:
        alice = self.joins("alice")
        alice.stops_reading()
        alice.types("/quit")
        alice.vanishes()
        self.assert_freed(alice)

    def test_who_never_had_a_name_is_freed(self) -> None:
        stranger = self.connects()
        stranger.vanishes()
        self.assert_freed(stranger)

    def test_a_program_that_does_not_come_back_is_freed(self) -> None:
        robot = self.program("robot").asks(do="say", text="hello", ref="r")
        self.assertEqual([event["text"] for event in robot.gets("message")], ["hello"])
        robot.vanishes()
        self.assert_freed(robot)


class ArrivingMemoryTests(FreeingTestCase, AccountsTestCase):
    """The same, of who is not let in everywhere where they say that they were."""

    limits = Limits(pace=Pace(1, 2))

    def setUp(self) -> None:
        """Nobody else may enter #dev, and #tea has to be made."""
        super().setUp()
        alice = self.joins("alice")
        for line in ("/register correct horse", "/join #dev", "/lock"):
            self.time_passes(2)
            alice.types(line)
        self.robot = self.program("robot", seen={"#dev": 0, "#tea": 0, "#new": 0})

    def test_who_is_kept_out_of_a_room_is_freed(self) -> None:
        self.time_passes(10)
        self.assertEqual([error["code"] for error in self.robot.gets("error")], ["not-allowed"])
        self.robot.vanishes()
        self.assert_freed(self.robot)

    def test_who_is_lost_while_being_brought_into_rooms_is_freed(self) -> None:
        self.robot.vanishes()
        self.assert_freed(self.robot)


class StoringMemoryTests(FreeingTestCase, DiskTestCase):
    """The same, while the disk is slow."""

    def test_a_program_that_quits_is_freed(self) -> None:
        robot = self.program("robot").asks(do="say", text="goodbye")
        robot.asks(do="command", text="/quit")
        self.the_disk_works()
        robot.closes()
        self.assert_freed(robot)

    def test_a_program_that_comes_back_frees_its_old_connection(self) -> None:
        robot = self.program("robot").asks(do="say", text="hello")
        robot.asks(do="command", text="/join dev")
        self.the_disk_works()
        (welcome,) = robot.gets("welcome")
        self.program("robot", session=welcome["session"])
        robot.closes()
        self.the_disk_works()
        self.assert_freed(robot)


class TranscriptTests(ChatTestCase):
    def test_it_writes_what_the_rooms_say_and_no_whisper(self) -> None:
        file = Path(self.mktemp())
        transcript = Transcript(str(file), PlainWire(self.clock.seconds))
        transcript.watch(self.factory.chat.lobby)
        self.joins("bob")
        self.joins("alice").types("hello", "/whisper bob secret")
        lines = [line.partition("] ")[2] for line in file.read_text().splitlines()]
        self.assertEqual(
            lines,
            ["*** bob has joined #lobby", "*** alice has joined #lobby", "alice: hello"],
        )


class OptionTests(SynchronousTestCase):
    def options(self, *arguments: str) -> Options:
        """What a command line means."""
        options = Options()
        options.parseOptions(list(arguments))
        return options

    def test_by_default_it_listens_everywhere_on_port_5000(self) -> None:
        (endpoint,) = self.options().endpoints
        self.assertTrue(endpoint.startswith("tcp:5000:"))

    def test_the_pace_is_off_or_lines_in_seconds(self) -> None:
        self.assertEqual(self.options().limits.pace, Pace(10, 5))
        self.assertEqual(self.options("--flood", "3/1.5").limits.pace, Pace(3, 1.5))
        self.assertIsNone(self.options("--flood", "off").limits.pace)

    def test_a_wrong_option_is_said_in_a_line(self) -> None:
        for arguments, reason in (
            (("--port", "x"), "--port must be a number from 0 to 65535, not 'x'"),
            (("--port", "70000"), "--port must be a number from 0 to 65535, not '70000'"),
            (("--max-clients", "0"), "--max-clients must be a whole number of 1 or more"),
            (("--flood", "3"), "--flood must be COUNT/SECONDS, such as 10/5, not '3'; off"),
            (("--flood", "0/5"), "--flood must be COUNT/SECONDS, such as 10/5"),
            (("--sync", "never"), "--sync must be normal or full, not 'never'"),
            (("--keep", "3"), "--keep must be forever, or a time such as 12h, 90d or 52w, not '3'"),
            (("--endpoint", "nope:1"), "cannot use --endpoint nope:1"),
            (("--motd", "/nonexistent"), "cannot read --motd"),
            (("--name", "a\x1bb"), "cannot be displayed"),
        ):
            error = self.assertRaises(usage.UsageError, self.options, *arguments)
            self.assertIn(reason, str(error))

    def test_the_motd_is_shown_to_who_comes(self) -> None:
        file = Path(self.mktemp())
        file.write_text("Be kind.\nThe lab closes at ten.\n")
        motd = self.options("--motd", str(file)).motd
        clock = Clock()
        bot = Program(ChatFactory(clock, motd=motd)).asks(do="hello", nick="bot")
        self.assertEqual(bot.gets()[0]["motd"], ["Be kind.", "The lab closes at ten."])

    def test_every_wrong_value_is_a_usage_error(self) -> None:
        for option, values in (
            ("--port", ("", "-1", "65536", "5e3", "0x10", "5000 ", "５０００", "9" * 5000)),
            ("--max-clients", ("", "-1", "1.5", "many")),
            (
                "--flood",
                ("", "on", "/", "5/", "/5", "5/0", "-5/5", "5/-5", "5/x", "1/1/1", "5.5/1"),
            ),
            ("--keep", ("", "0d", "-1d", "d", "1y", "1.5d", "90")),
            ("--sync", ("", "FULL", "off")),
            ("--endpoint", ("", "tcp", "tcp:x", "ssl:5001:privateKey=/nonexistent")),
            ("--name", ("a\x07b", "a\nb", "x" * 101)),
            ("--motd", ("/", "/nonexistent/motd")),
        ):
            for value in values:
                error = self.assertRaises(usage.UsageError, self.options, f"{option}={value}")
                self.assertNotIn("\n", str(error), value)

    def test_a_motd_that_no_screen_can_show_is_refused(self) -> None:
        file = Path(self.mktemp())
        for content, reason in (
            (b"Hi.\n\x1b[31mred\n", ", line 2 has control characters"),
            (b"\xff\xfe", "is not UTF-8"),
            (b"Hi.\n" + b"x" * 2001, ", line 2 has more than 2000 bytes"),
        ):
            file.write_bytes(content)
            error = self.assertRaises(usage.UsageError, self.options, "--motd", str(file))
            self.assertIn(reason, str(error))

    def test_endpoints_take_the_place_of_the_port(self) -> None:
        options = self.options("--endpoint", "unix:/tmp/chat.sock", "-e", "tcp:5001", "-p", "7")
        self.assertEqual(options.endpoints, ["unix:/tmp/chat.sock", "tcp:5001"])

    def test_an_address_with_colons_is_one_address(self) -> None:
        (endpoint,) = self.options("--interface", "::1", "--port", "7").endpoints
        self.assertTrue(endpoint.startswith(r"tcp:7:interface=\:\:1:"), endpoint)

    def test_how_long_things_are_kept(self) -> None:
        self.assertIsNone(self.options()["keep"])
        self.assertIsNone(self.options("--keep", "forever")["keep"])
        self.assertEqual(self.options("--keep", "12h")["keep"], 12 * 3600)
        self.assertEqual(self.options("--keep", "90d")["keep"], 90 * 86400)

    def test_where_things_are_kept(self) -> None:
        self.assertEqual(self.options().database, Path("chat.sqlite"))
        self.assertEqual(self.options("--db", "/srv/x.sqlite").database, Path("/srv/x.sqlite"))
        self.assertIsNone(self.options("--no-db").database)
        self.assertTrue(self.options("--sync", "full").is_sync_full)


class NoiseTests(ChatTestCase):
    def test_random_bytes_harm_nobody(self) -> None:
        alice = self.joins("alice")
        alice.raw()
        noise = random.Random(7)  # the same each time
        for _ in range(150):
            somebody = self.connects()
            for _ in range(3):
                somebody.sends(noise.randbytes(noise.randrange(1, 2000)))
            somebody.vanishes()
        self.time_passes(60)
        for line in alice.sees():
            self.assertTrue(line.isprintable(), line)
        self.assertEqual(alice.types("/users").sees(), ["*** In #lobby: alice (1)"])


class EndingTests(ChatTestCase):
    def test_who_quits_and_does_not_read_on_is_cut_off(self) -> None:
        alice, bob = self.joins("alice"), self.joins("bob")
        alice.raw()
        bob.stops_reading()
        alice.types("one more thing")
        bob.types("/quit")
        self.assertFalse(bob.transport.disconnected)
        self.time_passes(4)
        self.assertTrue(bob.transport.disconnected)

    def test_who_quits_reads_first_what_was_said_before(self) -> None:
        alice, bob = self.joins("alice"), self.joins("bob")
        bob.raw()
        alice.protocol.dataReceived(b"one more thing\n")
        bob.types("/quit")
        self.assertEqual(bob.sees(), ["alice: one more thing"])
        self.assertTrue(bob.is_gone)

    def test_after_the_goodbye_nobody_is_told_of_those_who_leave(self) -> None:
        alice, bob = self.joins("alice"), self.joins("bob")
        alice.raw()
        alice.stops_reading()
        self.factory.say_goodbye()
        self.clock.advance(0)
        bob.closes()
        alice.reads_again()
        self.assertEqual(alice.sees(), ["*** The server is shutting down"])

    def test_a_goodbye_is_said_once(self) -> None:
        alice = self.joins("alice")
        alice.raw()
        first, second = self.factory.say_goodbye(), self.factory.say_goodbye()
        self.factory.stopFactory()
        self.clock.advance(0)
        self.assertEqual(alice.sees(), ["*** The server is shutting down"])
        alice.closes()
        self.successResultOf(first)
        self.successResultOf(second)

    def test_where_nobody_is_the_goodbye_is_over_at_once(self) -> None:
        self.successResultOf(self.factory.say_goodbye())

    def test_who_leaves_a_room_after_the_connection_is_gone_is_gone_all_the_same(self) -> None:
        alice = self.joins("alice")
        for close in ("closes", "vanishes", "says_no_more"):
            for somebody in (self.joins("bob"), self.program("bot")):
                lines = [*(f"line {number}" for number in range(10)), "/join dev", "/leave dev"]
                if isinstance(somebody, Program):
                    for line in lines:
                        do = "command" if line.startswith("/") else "say"
                        somebody.asks(do=do, text=line)
                else:
                    somebody.types(*lines)
                getattr(somebody, close)()
                self.time_passes(10)
                if close == "says_no_more":
                    self.assertTrue(somebody.is_gone)
                    somebody.closes()
            self.time_passes(400)
            alice.raw()
            self.assertEqual(alice.types("/users").sees(), ["*** In #lobby: alice (1)"], close)

    def test_whoever_quits_is_answered_first(self) -> None:
        bot = self.program("bot").asks(do="command", text="/quit", ref="q")
        self.assertEqual([answer["ref"] for answer in bot.gets("answer")], ["q"])
        self.assertTrue(bot.is_gone)

    def test_a_command_that_is_the_last_line_is_done_whole(self) -> None:
        bot = self.program("bot")
        for number in range(10):
            bot.asks(do="say", text=str(number))
        bot.asks(do="command", text="/join dev", ref="j").says_no_more()
        self.time_passes(5)
        self.assertEqual([answer["ref"] for answer in bot.gets("answer")], ["j"])

    def test_when_everybody_has_gone_nothing_is_left_to_do(self) -> None:
        for number in range(5):
            self.joins(f"guest{number}").types("hello", "/join dev").vanishes()
        self.connects().vanishes()
        stranger = self.connects()
        stranger.types("GET / HTTP/1.1")
        stranger.closes()
        self.time_passes(60)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(list(self.factory.chat.people), [])


class LoggingTests(ChatTestCase):
    def test_what_people_say_is_not_in_the_operators_log(self) -> None:
        with capturedLogs() as events:
            alice, bob = self.joins("alice"), self.joins("bob")
            alice.types(
                "a secret", "@bob another secret", "/topic secret", "/nick allie", "/w zed secret"
            )
            bob.sends(b"\xff secret\n" + b"secret" * 5000 + b"\n")
            self.connects().types("Server").types("\x1b[2Jsecret")
            alice.vanishes()
            bob.types("/quit secret")
        logged = [formatEvent(event) for event in events]
        text = "\n".join(logged)
        self.assertNotIn("secret", text)
        self.assertNotIn("Traceback", text)
        for line in (
            "alice connected from 127.0.0.1",
            "alice is now allie",
            "allie has left",
            "The nickname Server is reserved",
        ):
            self.assertIn(line, text)
        for line in logged:
            self.assertTrue(line.isprintable(), line)
