"""The chat that Twisted tutorials build, one `sendLine` per client and message: the baseline."""
# Twisted calls us in camelCase, and does not say what sendLine takes
# ruff: noqa: N802 - of Twisted
# mypy: disallow-untyped-calls=False

import sys

from twisted.internet import reactor
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory, connectionDone
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure


class TutorialChat(LineReceiver):
    """Asks for a name, then tells everybody else what this one says."""

    delimiter = b"\n"
    name: bytes | None = None

    def __init__(self, everyone: "set[TutorialChat]") -> None:
        self.everyone = everyone

    def connectionMade(self) -> None:
        """Greet."""
        self.sendLine(b"What is your name?")

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Forget."""
        self.everyone.discard(self)

    def lineReceived(self, line: bytes) -> None:
        """Take the name, then chat."""
        if self.name is None:
            self.name = line
            self.everyone.add(self)
            self.sendLine(b"Welcome, " + line)
            return
        message = self.name + b": " + line
        for other in self.everyone:
            if other is not self:
                other.sendLine(message)


class TutorialFactory(Factory):
    """Knows who is there."""

    def __init__(self) -> None:
        self.everyone: set[TutorialChat] = set()

    def buildProtocol(self, addr: IAddress | None) -> TutorialChat:
        """One more."""
        return TutorialChat(self.everyone)


def main(port: int) -> None:
    """Serve until stopped, with a backlog that holds a storm, so that this is not what is slow."""
    factory = TutorialFactory()
    # that it takes no other factory than Twisted's newest kind is a slip in its annotations
    reactor.listenTCP(port, factory, 4096, "127.0.0.1")  # type: ignore[arg-type]
    reactor.run()


if __name__ == "__main__":
    main(int(sys.argv[1]))
