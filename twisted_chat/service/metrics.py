"""Metrics for the operator: `/metrics` for Prometheus, and `/healthz`."""

import platform
from collections import Counter
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.web.http import Request as HttpRequest
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from twisted_chat.counters import SECONDS, Counters, Durations
from twisted_chat.frontends.factory import ChatFactory

LOOK = 0.1
"""Seconds between two measurements of how late the reactor is."""


class Heartbeat:
    """Measures how long the event loop is blocked, by how late a timer is.

    Args:
        clock: the reactor.
        turns: where that is counted.
    """

    def __init__(self, clock: IReactorTime, turns: Durations) -> None:
        self._clock = clock
        self._turns = turns
        self._due = clock.seconds() + LOOK
        clock.callLater(LOOK, self._beat)

    def _beat(self) -> None:
        now = self._clock.seconds()
        self._turns.add(max(0.0, now - self._due))
        self._due = now + LOOK
        self._clock.callLater(LOOK, self._beat)


class ChatCollector(Collector):
    """Collects the metrics when they are requested, so that nothing else is slower.

    Args:
        factory: the chat's connections.
        waiting: returns how many entries wait to be committed.
        has_others: whether other servers can be the same chat.
    """

    def __init__(
        self, factory: ChatFactory, waiting: Callable[[], int], *, has_others: bool
    ) -> None:
        self._factory = factory
        self._waiting = waiting
        self._has_others = has_others

    def collect(self) -> Iterator[Metric]:
        """See `prometheus_client`."""
        chat, counters = self._factory.chat, self._factory.chat.counters
        connections = GaugeMetricFamily(
            "chat_connections", "Open connections.", labels=["protocol", "state"]
        )
        held = 0
        states = Counter({(wire, "named"): 0 for wire in ("plain", "structured", "websocket")})
        for connection in self._factory.connections:
            states[connection.state] += 1
            held += connection.outlet.held
        for state, count in states.items():
            connections.add_metric(state, count)
        yield connections
        yield GaugeMetricFamily(
            "chat_people",
            "People, including disconnected ones who can resume.",
            value=len(chat.people),
        )
        yield GaugeMetricFamily("chat_rooms", "Rooms.", value=len(chat.rooms))
        if chat.files is not None:
            yield GaugeMetricFamily("chat_files", "Files of people.", value=chat.files.count)
            yield GaugeMetricFamily(
                "chat_file_bytes",
                "Bytes that they take, as `file-total` counts them.",
                value=chat.files.taken,
            )
        yield GaugeMetricFamily(
            "chat_unread_output_bytes", "Output bytes that clients have not read yet.", value=held
        )
        yield GaugeMetricFamily(
            "chat_uncommitted_events", "Events waiting to be stored.", value=self._waiting()
        )
        yield from _counters(counters)
        yield _histogram("chat_commit_seconds", "Duration of database commits.", counters.commits)
        yield _histogram(
            "chat_turn_seconds", "How late the event loop was for its timers.", counters.turns
        )
        if self._has_others:
            yield from _of_others(counters)
        yield InfoMetricFamily(
            "chat_build",
            "The running server.",
            value={"name": chat.name, "python": platform.python_version()},
        )


def _counters(counters: Counters) -> Iterator[Metric]:
    yield CounterMetricFamily("chat_lines", "Lines received.", value=counters.lines)
    yield CounterMetricFamily(
        "chat_deliveries",
        "Events delivered, counted once for each recipient.",
        value=counters.deliveries,
    )
    yield CounterMetricFamily(
        "chat_replayed_events",
        "Events read back from the store for readers who fell behind.",
        value=counters.replayed,
    )
    refusals = CounterMetricFamily(
        "chat_refusals", "Refused requests and connections.", labels=["reason"]
    )
    for reason, count in counters.refusals.items():
        refusals.add_metric([reason], count)
    yield refusals


def _of_others(counters: Counters) -> Iterator[Metric]:
    yield _histogram(
        "chat_heard_seconds",
        "Time from when something happened at another server until it was shown here.",
        counters.heard,
    )
    yield CounterMetricFamily(
        "chat_missed_events",
        "Events of other servers that were read after the connection to the database was lost.",
        value=counters.missed,
    )
    yield CounterMetricFamily(
        "chat_commits_in_doubt",
        "Commits whose answer was lost with the connection; each was settled afterwards.",
        value=counters.in_doubt,
    )


def _histogram(name: str, doc: str, durations: Durations) -> Metric:
    buckets, so_far = [], 0
    for bound, count in zip((*map(str, SECONDS), "+Inf"), durations.counts, strict=True):
        so_far += count
        buckets.append((bound, float(so_far)))
    return HistogramMetricFamily(name, doc, buckets=buckets, sum_value=durations.total)


class _Page(Resource):
    def __init__(self, kind: str, show: Callable[[Request], Deferred[bytes]]) -> None:
        super().__init__()
        self._kind = kind
        self._show = show

    def render_GET(self, request: Request) -> int:
        """The page; HEAD is made of it."""
        request.setHeader(b"cache-control", b"no-store")
        request.setHeader(b"content-type", self._kind.encode())
        request.notifyFinish().addErrback(lambda _: None)  # nobody waits for it any more
        self._show(request).addCallback(self._write, request)
        return NOT_DONE_YET

    def _write(self, content: bytes, request: Request) -> None:
        if not request._disconnected:
            request.write(content)
            request.finish()


class _QuietSite(Site):
    def log(self, request: HttpRequest) -> None:
        """Do not log requests, which come every few seconds."""


def where(_: str, address: object) -> list[str]:
    """The line that says where the metrics are; see `endpoints.Says`."""
    host, port = getattr(address, "host", ""), getattr(address, "port", "")
    return [f"Metrics are at http://{f'[{host}]' if ':' in host else host}:{port}/metrics"]


def registry(
    factory: ChatFactory, waiting: Callable[[], int], *, has_others: bool
) -> CollectorRegistry:
    """Everything that is measured in this process.

    Args:
        factory: the chat's connections.
        waiting: returns how many entries wait to be committed.
        has_others: whether other servers can be the same chat.
    """
    made = CollectorRegistry()
    made.register(ChatCollector(factory, waiting, has_others=has_others))
    ProcessCollector(registry=made)
    PlatformCollector(registry=made)
    return made


def site(
    metrics: Callable[[], Deferred[bytes]], problems: Callable[[], Deferred[list[str]]]
) -> Site:
    """Both pages.

    Args:
        metrics: returns what is measured.
        problems: returns a line for each problem of the server.
    """

    def health(request: Request, wrong: list[str]) -> bytes:
        request.setResponseCode(503 if wrong else 200)
        return "".join(line + "\n" for line in wrong or ["ok"]).encode()

    root = Resource()
    root.putChild(b"metrics", _Page(CONTENT_TYPE_LATEST, lambda _: metrics()))
    root.putChild(
        b"healthz",
        _Page(
            "text/plain; charset=utf-8",
            lambda request: problems().addCallback(lambda wrong: health(request, wrong)),
        ),
    )
    return _QuietSite(root)
