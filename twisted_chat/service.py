"""Options into a running service: the only place that puts everything together."""

import signal
import sys
from collections.abc import Iterable
from functools import partial

import ifaddr
from twisted.application.internet import StreamServerEndpointService
from twisted.application.service import IService, MultiService
from twisted.internet import defer
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort, IReactorCore, IReactorTime
from twisted.logger import Logger
from twisted.python import usage

from twisted_chat.chat import Chat
from twisted_chat.options import Options
from twisted_chat.protocol import ChatFactory
from twisted_chat.room import Room
from twisted_chat.stores.memory import MemoryStore
from twisted_chat.transcript import Transcript
from twisted_chat.turn import Turn
from twisted_chat.wires.plain import PlainWire

__all__ = ["Options", "makeService"]

STOP = 4.0
"""Seconds in which the server is gone, also when somebody does not read its last line."""

_log = Logger(namespace="chat")


def makeService(options: Options) -> IService:
    """The chat that these options describe; called by twistd.

    Raises:
        usage.UsageError: the options ask for what cannot be had.
    """
    from twisted.internet import reactor  # chosen by twistd by now

    clock = IReactorTime(reactor)
    rooms: list[Room] = []
    watch = rooms.append
    if options["transcript"] is not None:
        try:
            watch = Transcript(options["transcript"], PlainWire(clock.seconds)).watch
        except OSError as error:
            raise usage.UsageError(
                f"cannot write --transcript {options['transcript']}: {error.strerror}"
            ) from error
    turn = Turn(partial(clock.callLater, 0))
    chat = Chat(clock, MemoryStore(), turn, options["name"], options.limits, options.motd, watch)
    return ChatService(ChatFactory(clock, chat=chat), options.endpoints)


class Listening(StreamServerEndpointService):
    """A port that says in one line why it cannot be had, and then ends the program.

    Args:
        description: the endpoint, as Twisted's endpoint strings have it.
        factory: what answers there.
    """

    _raiseSynchronously = True

    def __init__(self, description: str, factory: ChatFactory) -> None:
        from twisted.internet import reactor

        super().__init__(serverFromString(reactor, description), factory)
        self.description = description

    def privilegedStartService(self) -> None:
        """Listen, or end the program."""
        try:
            super().privilegedStartService()
        except CannotListenError as error:
            why = getattr(error.socketError, "strerror", None) or error.socketError
            hint = "is another server running? --port chooses another port"
            console = sys.__stderr__
            if console is not None:
                console.write(
                    f"twisted-chat: cannot listen on {self.description}: {why} ({hint})\n"
                )
                console.flush()
            sys.excepthook = lambda *_: None  # that line says it; a SystemExit would hang twistd
            raise
        self._waitingForPort.addCallback(self._announce)

    def _announce(self, port: IListeningPort) -> IListeningPort:
        for line in how_to_join(port.getHost()):
            _log.info("{line}", line=line)
        return port


class ChatService(MultiService):
    """The chat, and the ports where it is found.

    Args:
        factory: the chat.
        endpoints: where it listens.
    """

    def __init__(self, factory: ChatFactory, endpoints: Iterable[str]) -> None:
        super().__init__()
        self._factory = factory
        for description in endpoints:
            Listening(description, factory).setServiceParent(self)

    def startService(self) -> None:
        """Start; the end of a terminal is not the end of the chat."""
        super().startService()
        from twisted.internet import reactor

        IReactorCore(reactor).callWhenRunning(_survive_hangup)

    def stopService(self) -> "Deferred[object]":
        """Listen no more, tell everybody, and wait until they have read it."""
        gone = self._factory.say_goodbye()
        gone.addTimeout(STOP, self._factory.clock)
        gone.addErrback(lambda failure: None if failure.check(defer.TimeoutError) else failure)
        return DeferredList([gone, super().stopService()], consumeErrors=True)


def how_to_join(address: object) -> list[str]:
    """What people type to join a server that listens here, one line for each of its addresses."""
    port = getattr(address, "port", None)
    host = getattr(address, "host", None)
    if port is None or host is None:
        name = getattr(address, "name", b"")
        path = name.decode(errors="replace") if isinstance(name, bytes) else name
        return [f"Join with: nc -U {path}"] if path else []
    hosts = list(_own_addresses(ipv6=host == "::")) if host in ("::", "0.0.0.0") else [host]  # noqa: S104 - compared with, not bound to
    return [f"Join with: nc {each} {port}, or: twisted-chat {each} {port}" for each in hosts]


def _own_addresses(*, ipv6: bool) -> Iterable[str]:
    found = [ip for adapter in ifaddr.get_adapters() for ip in adapter.ips]
    yield from (str(ip.ip) for ip in found if ip.is_IPv4)
    if ipv6:
        for ip in found:
            address = ip.ip[0] if ip.is_IPv6 else ""
            if address and not address.startswith("fe80"):  # those need a zone to be reached
                yield address


def _survive_hangup() -> None:
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, lambda *_: None)
