"""`ChatFactory` in somebody's own Twisted program, on the reactor that the tests share with it."""

import pytest
import pytest_twisted
from twisted.internet import endpoints, reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import ITransport
from twisted.internet.protocol import Factory, connectionDone
from twisted.python.failure import Failure

from twisted_chat import ChatFactory
from twisted_chat.text.passwords import Password
from twisted_chat.wire.lines import Lines

pytestmark = pytest.mark.e2e


class Visitor(Lines):
    """Somebody who waits for lines."""

    def __init__(self) -> None:
        super().__init__()
        self._wanted = ""
        self._found: Deferred[str] = Deferred()
        self.gone: Deferred[None] = Deferred()

    def sees(self, text: str) -> Deferred[str]:
        """The next line with this text."""
        self._wanted, self._found = text, Deferred()
        return self._found

    def inputEnded(self) -> None:
        """The server says no more: close this half too."""
        ITransport(self.transport).loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The server has closed."""
        super().connectionLost(reason)
        self.gone.callback(None)

    def lineReceived(self, line: bytes) -> None:
        """Look at a line."""
        if self._wanted and self._wanted in line.decode():
            self._wanted = ""
            self._found.callback(line.decode())


@pytest_twisted.ensureDeferred
async def test_it_is_a_working_chat_on_any_endpoint() -> None:
    factory = ChatFactory(reactor)
    server = endpoints.serverFromString(reactor, "tcp:0:interface=127.0.0.1")
    port = await server.listen(factory)
    client = endpoints.clientFromString(reactor, f"tcp:127.0.0.1:{port.getHost().port}")
    people = []
    for nickname in ("alice", "bob"):
        person = await client.connect(Factory.forProtocol(Visitor))
        here = person.sees("*** In #lobby: ")
        person.sendLine(nickname.encode())
        await here
        people.append(person)
    alice, bob = people
    heard = alice.sees("bob: ")
    bob.sendLine(b"hello from bob")
    assert (await heard).endswith("] bob: hello from bob")

    gone = factory.say_goodbye()
    await port.stopListening()
    await gone
    for person in people:
        await person.gone


@pytest_twisted.ensureDeferred
async def test_passwords_are_hashed_in_a_thread_beside_the_reactor() -> None:
    seen = []
    factory = ChatFactory(reactor)
    registered = factory.chat.accounts.register("alice", Password("correct horse"), "a", "::1")
    registered.addCallback(lambda account: seen.append(account.name))
    assert not seen, "the reactor waited for it"
    await registered
    assert seen == ["alice"]
