"""What the operator's instruments tell."""

from prometheus_client import CollectorRegistry

from tests.people import ChatTestCase
from tests.sharing import SharingTestCase
from twisted_chat import Limits
from twisted_chat.counters import SECONDS, Durations
from twisted_chat.service.metrics import LOOK, ChatCollector, Heartbeat


class MetricsTests(ChatTestCase):
    limits = Limits(clients=4)

    def setUp(self) -> None:
        """An empty chat with its instruments."""
        super().setUp()
        self.registry = CollectorRegistry()
        self.registry.register(ChatCollector(self.factory, lambda: 7, has_others=False))

    def value(self, name: str, **labels: str) -> float | None:
        """What an instrument shows."""
        return self.registry.get_sample_value(name, labels)

    def test_who_is_connected_and_how(self) -> None:
        self.joins("alice")
        self.program("bot")
        self.connects()
        for frontend, state in (("plain", "named"), ("structured", "named"), ("plain", "nameless")):
            self.assertEqual(self.value("chat_connections", protocol=frontend, state=state), 1)
        self.assertEqual(self.value("chat_people"), 2)
        self.assertEqual(self.value("chat_rooms"), 1)

    def test_lines_deliveries_and_refusals(self) -> None:
        alice, _bob, _carol = self.joins("alice"), self.joins("bob"), self.joins("carol")
        before = self.value("chat_deliveries_total") or 0
        alice.types("one", "two", "/whisper nobody hi", "/bogus", "x\x07")
        self.assertEqual(self.value("chat_lines_total"), 3 + 5)
        self.assertEqual((self.value("chat_deliveries_total") or 0) - before, 6)
        self.assertEqual(self.value("chat_refusals_total", reason="no-such-nick"), 1)
        self.assertEqual(self.value("chat_refusals_total", reason="no-such-command"), 1)
        self.assertEqual(self.value("chat_refusals_total", reason="control-characters"), 1)
        for _ in range(3):
            self.connects()
        self.assertEqual(self.value("chat_refusals_total", reason="full"), 2)

    def test_what_waits(self) -> None:
        self.assertEqual(self.value("chat_uncommitted_events"), 7)
        self.assertEqual(self.value("chat_unread_output_bytes"), 0)

    def test_what_others_say_is_measured_only_where_there_can_be_others(self) -> None:
        counters = self.factory.chat.counters
        counters.heard.add(0.003)
        counters.missed, counters.in_doubt = 5, 2
        names = (
            "chat_heard_seconds_count",
            "chat_missed_events_total",
            "chat_commits_in_doubt_total",
        )
        self.assertEqual([self.value(name) for name in names], [None, None, None])
        self.registry = CollectorRegistry()
        self.registry.register(ChatCollector(self.factory, lambda: 0, has_others=True))
        self.assertEqual([self.value(name) for name in names], [1, 5, 2])

    def test_how_long_turns_are(self) -> None:
        turns = self.factory.chat.counters.turns
        Heartbeat(self.clock, turns)
        self.clock.advance(LOOK)
        self.assertEqual(turns.last, 0)
        self.clock.advance(LOOK + 0.3)
        self.assertAlmostEqual(turns.last, 0.3, places=5)
        self.assertEqual(self.value("chat_turn_seconds_bucket", le="0.5"), 2)
        self.assertEqual(self.value("chat_turn_seconds_bucket", le="0.25"), 1)

    def test_times_fall_into_classes(self) -> None:
        times = Durations()
        for seconds in (0.0, SECONDS[0], 0.3, 100.0):
            times.add(seconds)
        self.assertEqual(times.counts[0], 2)
        self.assertEqual(times.counts[-1], 1)
        self.assertEqual(sum(times.counts), 4)


class FileTests(SharingTestCase):
    def test_files_and_their_bytes(self) -> None:
        registry = CollectorRegistry()
        registry.register(ChatCollector(self.factory, lambda: 0, has_others=False))

        def files() -> tuple[float | None, float | None]:
            return registry.get_sample_value("chat_files"), registry.get_sample_value(
                "chat_file_bytes"
            )

        self.assertEqual(files(), (0, 0))
        bob = self.joins("bob")
        self.sends(bob, "a", b"x" * 100_000)
        self.sends(bob, "b", b"x")
        self.assertEqual(files(), (2, 116_000))
        bob.types("/delete a")
        self.assertEqual(files(), (1, 16_000))
