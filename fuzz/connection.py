"""A whole connection, in plain or in structured lines: nothing fails, and nobody else suffers."""

import sys

import atheris

with atheris.instrument_imports(include=["twisted_chat"]):
    from twisted.internet.task import Clock
    from twisted.internet.testing import StringTransport
    from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
    from zope.interface import implementer

    from twisted_chat import ChatFactory, ChatProtocol, Limits

FAILURES: list[LogEvent] = []


def join(factory: ChatFactory, first: bytes) -> tuple[ChatProtocol, StringTransport]:
    """Somebody who has said something first."""
    transport = StringTransport()
    protocol = factory.buildProtocol(None)
    protocol.makeConnection(transport)
    protocol.dataReceived(first)
    return protocol, transport


@implementer(ILogObserver)
def watch(event: LogEvent) -> None:
    """Keep what should never be logged."""
    if "log_failure" in event:
        FAILURES.append(event)


def try_one(data: bytes) -> None:
    """One input: the first byte says how it begins and where it is cut."""
    clock = Clock()
    factory = ChatFactory(clock, limits=Limits(pace=None))
    _, witness = join(factory, b"witness\n")
    kind, cut = data[:1] or b"\0", len(data) // 2
    first = b'{"do":"hello","nick":"eve"}\n' if kind[0] % 2 else b"eve\n"
    eve, _ = join(factory, first if kind[0] % 3 else b"")
    eve.dataReceived(data[1:cut])
    clock.advance(0)
    eve.dataReceived(data[cut:])
    clock.advance(1)
    witness.clear()
    bob, _ = join(factory, b"honest\nan honest line\n")
    clock.advance(1)
    assert witness.value().count(b"honest: an honest line\r\n") == 1
    assert not FAILURES, FAILURES
    for protocol in (eve, bob):
        protocol.readConnectionLost()
        protocol.connectionLost()
    clock.advance(400)


if __name__ == "__main__":
    globalLogPublisher.addObserver(watch)
    atheris.Setup(sys.argv, try_one)
    atheris.Fuzz()
