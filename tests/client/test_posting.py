"""Files over HTTP to a server that takes them, refuses them, or stands still."""

from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.error import ConnectionLost
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.trial.util import suppress

from twisted_chat.client.failed import Failed
from twisted_chat.client.place import Place
from twisted_chat.client.posting import SILENT_SECONDS, Poster

SIZE = 200_000


class _Transport(StringTransport):
    """A connection that ends as soon as this side ends it."""

    protocol: Any

    def abortConnection(self) -> None:
        """See `ITCPTransport`."""
        if self.connected:
            self.connected = False
            self.protocol.connectionLost(Failure(ConnectionLost()))

    def loseConnection(self) -> None:
        """See `ITransport`."""
        self.abortConnection()


class PostingTests(SynchronousTestCase):
    # Twisted says this of every answer that it reads itself
    suppress = [suppress(message="Using readBody", category=DeprecationWarning)]  # noqa: RUF012

    def setUp(self) -> None:
        """A file is being sent, and the server has not read anything of it yet."""
        self.reactor = MemoryReactorClock()
        self.sent: list[int] = []
        self.path = Path(self.mktemp())
        self.path.write_bytes(b"x" * SIZE)

        def endpoint(place: Place) -> TCP4ClientEndpoint:
            return TCP4ClientEndpoint(self.reactor, place.host, place.port)

        poster = Poster(self.reactor, lambda: Place("127.0.0.1", 5000), endpoint)
        self.posted: Deferred[None] = poster.post(
            "http://127.0.0.1:5000/upload/x/", self.path, self.sent.append
        )
        *_, factory, _timeout, _bind = self.reactor.tcpClients[0]
        self.transport = _Transport()
        self.transport.protocol = factory.buildProtocol(None)
        self.transport.protocol.makeConnection(self.transport)

    def goes_on_until(self, sent: int) -> None:
        """The server reads, until so much of the file was taken."""
        while not self.sent or self.sent[-1] < sent:
            self.reactor.advance(0)

    def answers(self, status: str, text: str) -> None:
        """The server answers."""
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(text)}\r\n\r\n"
        self.transport.protocol.dataReceived(head.encode())
        self.transport.protocol.dataReceived(text.encode())

    def test_a_file_is_sent(self) -> None:
        self.goes_on_until(SIZE)
        self.reactor.advance(SILENT_SECONDS - 1)
        self.answers("201 Created", "http://127.0.0.1:5000/file/x")
        self.successResultOf(self.posted)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_why_it_is_refused_is_told(self) -> None:
        self.goes_on_until(SIZE)
        self.answers("403 Forbidden", "You are muted in #dev.")
        why = self.failureResultOf(self.posted, Failed)
        self.assertEqual(why.getErrorMessage(), "You are muted in #dev.")

    def it_is_given_up(self) -> None:
        self.reactor.advance(SILENT_SECONDS - 1)
        self.assertNoResult(self.posted)
        self.reactor.advance(1)
        self.assertEqual(
            self.failureResultOf(self.posted, Failed).getErrorMessage(),
            f"{self.path.name} was not sent: the server has not answered for 3 minutes. "
            "Send it again later.",
        )
        self.assertFalse(self.transport.connected)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_a_server_that_takes_no_more_is_given_up(self) -> None:
        producer = self.transport.producer
        assert producer is not None
        producer.pauseProducing()
        self.it_is_given_up()

    def test_a_server_that_never_answers_is_given_up(self) -> None:
        self.goes_on_until(SIZE)
        self.it_is_given_up()

    def test_a_lost_connection_is_told(self) -> None:
        self.goes_on_until(1)
        self.transport.abortConnection()
        why = self.failureResultOf(self.posted, Failed)
        self.assertIn("was not sent: the connection was lost", why.getErrorMessage())
