"""The factory as others use it, and the limits of a whole server."""

from pathlib import Path

from twisted.internet.protocol import Factory
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.protocols.basic import LineReceiver
from twisted.python import usage
from twisted.trial.unittest import SynchronousTestCase

from tests.people import ChatTestCase, Program
from twisted_chat import ChatFactory, ChatProtocol, Limits, Pace
from twisted_chat.options import Options
from twisted_chat.transcript import Transcript
from twisted_chat.wires.plain import PlainWire


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

    def test_who_does_not_read_the_answers_is_not_asked_for_more(self) -> None:
        greedy = self.joins("greedy")
        greedy.protocol.outlet.pauseProducing()
        greedy.types(*["/help"] * 1000)
        self.assertLess(len(greedy.transport.value()), 5_000)
        greedy.protocol.outlet.resumeProducing()
        self.assertEqual(greedy.raw().count("/help COMMAND says more"), 1000)


class TranscriptTests(ChatTestCase):
    def test_it_writes_what_the_rooms_say_and_no_whisper(self) -> None:
        file = Path(self.mktemp())
        transcript = Transcript(str(file), PlainWire(self.clock.seconds))
        self.addCleanup(transcript.close)
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
            (("--port", "x"), "'x' is no whole number"),
            (("--port", "70000"), "not between 0 and 65535"),
            (("--max-clients", "0"), "less than 1"),
            (("--flood", "3"), "neither off nor LINES/SECONDS"),
            (("--flood", "0/5"), "neither off nor LINES/SECONDS"),
            (("--sync", "never"), "neither normal nor full"),
            (("--keep", "3"), "neither forever nor a time"),
            (("--endpoint", "nope:1"), "cannot use endpoint 'nope:1'"),
            (("--motd", "/nonexistent"), "cannot read --motd"),
            (("--name", "a\x1bb"), "no screen can show"),
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
