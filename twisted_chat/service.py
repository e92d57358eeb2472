"""Options into a running service: the only place that puts everything together."""

import errno
import gc
import re
import resource
import signal
import sys
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeVar

import ifaddr
from twisted.application.internet import StreamServerEndpointService
from twisted.application.service import IService, MultiService
from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import Factory
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.threadpool import ThreadPool
from twisted.python.usage import UsageError

from twisted_chat.chat import Chat
from twisted_chat.options import Options
from twisted_chat.protocol import ChatFactory
from twisted_chat.room import Room
from twisted_chat.stores import Store
from twisted_chat.stores.memory import MemoryStore
from twisted_chat.stores.schema import Unusable
from twisted_chat.stores.sqlite import Elsewhere, SqliteStore
from twisted_chat.transcript import Transcript
from twisted_chat.turn import Turn
from twisted_chat.wires.plain import PlainWire

__all__ = ["Options", "makeService"]

STOP = 4.0
"""Seconds in which everybody is gone, also when somebody does not read their last line."""

FILES = 100
"""Open files that are not connections: ports, the database, the log, and what Python needs."""

AT_START = ("port", "interface", "db", "no-db", "sync", "keep", "transcript")
"""Options that hold from the start to the end."""

FORGET = 60.0
"""Seconds between two looks at what is older than it is to be kept."""

_ANOTHER = " (is another server running? --port chooses another port)"

_log = Logger(namespace="chat")
_T = TypeVar("_T")


def makeService(options: Options) -> IService:
    """The chat that these options describe; called by twistd."""
    from twisted.internet import reactor  # chosen by twistd by now

    return ChatService(options, reactor)


class ChatService(MultiService):
    """The chat, and the ports where it is found.

    Everything is opened when the service starts: twistd forks before that, which no database
    survives.

    Args:
        options: what it is to be.
        reactor: what it runs on.
    """

    def __init__(self, options: Options, reactor: Any) -> None:
        super().__init__()
        self._options = options
        self._reactor = reactor
        self._pools: list[ThreadPool] = []
        self._store: Store
        self._factory: ChatFactory

    def privilegedStartService(self) -> None:
        """Open the database and the ports."""
        clock = self._reactor
        turn = Turn(partial(clock.callLater, 0))
        try:
            watch = self._open_transcript()
            self._store = self._open_store(turn)
        except Unusable as error:
            _say_why(str(error))
            raise
        options = self._options
        chat = Chat(clock, self._store, turn, options["name"], options.limits, options.motd, watch)
        self._factory = ChatFactory(clock, chat=chat)
        self._factory.ban(options.banned, options.allowed)
        for description in options.endpoints:
            proxied = description.startswith("haproxy:")
            factory = self._factory.behind_proxy() if proxied else self._factory
            Listening(description, factory, self._reactor).setServiceParent(self)
        super().privilegedStartService()

    def _open_store(self, turn: Turn) -> Store:
        path = self._options.database
        if path is None:
            return MemoryStore()
        return SqliteStore(
            path, turn, self._thread(), self._thread(), full=self._options.is_sync_full
        )

    def _thread(self) -> Elsewhere:
        pool = ThreadPool(1, 1, "chat")
        self._pools.append(pool)

        def elsewhere(work: Callable[[], _T]) -> Deferred[_T]:
            return deferToThreadPool(self._reactor, pool, work)

        return elsewhere

    def _open_transcript(self) -> Callable[[Room], None]:
        path = self._options["transcript"]
        if path is None:
            return lambda _: None
        try:
            return Transcript(path, PlainWire(self._reactor.seconds)).watch
        except OSError as error:
            raise Unusable(f"cannot write --transcript {path}: {error.strerror}") from error

    def startService(self) -> None:
        """Start; the end of a terminal is not the end of the chat."""
        super().startService()
        for pool in self._pools:  # not before the ports are ours: a thread keeps a process alive
            pool.start()
        self._reactor.callWhenRunning(self._reload_on_hangup)
        self._reactor.callWhenRunning(_look_only_at_what_is_new)
        _open_files_for(self._options.limits.clients)
        keep = self._options["keep"]
        if keep is not None:
            self._forget(keep)

    def _reload_on_hangup(self) -> None:
        """A hangup asks for the files again; that of a terminal is not the end of the chat."""
        if hasattr(signal, "SIGHUP"):
            signal.signal(signal.SIGHUP, lambda *_: self._reactor.callFromThread(self.reload))

    def reload(self) -> None:
        """Read the files again that the options name; if they cannot be had, nothing changes."""
        try:
            options = self._options.again()
        except UsageError as error:
            _log.error("Nothing is changed: {why}", why=str(error))
            return
        chat = self._factory.chat
        chat.name, chat.motd = options["name"], options.motd
        chat.limits.become(options.limits)
        self._factory.ban(options.banned, options.allowed)
        _log.info("The options were read again")
        later = [name for name in AT_START if options[name] != self._options[name]]
        if options.endpoints != self._options.endpoints and "port" not in later:
            later.append("endpoint")
        if later:
            _log.warn("For {names} to change, restart the server", names=", ".join(later))

    def _forget(self, keep: float) -> None:
        self._store.forget(self._reactor.seconds() - keep)
        self._reactor.callLater(FORGET, self._forget, keep)

    async def _stop(self) -> None:
        closing = super().stopService()
        gone = self._factory.say_goodbye()
        try:
            await gone.addTimeout(STOP, self._reactor)
        except defer.TimeoutError:
            _log.info("Somebody did not read to the end")
        if closing is not None:
            await closing
        await self._store.stop()
        for pool in self._pools:
            pool.stop()

    def stopService(self) -> Deferred[None]:
        """Listen no more, tell everybody, wait until they have read it, and store what is left."""
        return Deferred.fromCoroutine(self._stop())


class Listening(StreamServerEndpointService):
    """A port that says in one line why it cannot be had, and then ends the program.

    Args:
        description: the endpoint, as Twisted's endpoint strings have it.
        factory: what answers there.
        reactor: what it listens with.
    """

    _raiseSynchronously = True

    def __init__(self, description: str, factory: Factory, reactor: Any) -> None:
        super().__init__(serverFromString(reactor, description), factory)
        self.description = description

    def privilegedStartService(self) -> None:
        """Listen, or end the program."""
        try:
            super().privilegedStartService()
        except (CannotListenError, OSError) as error:
            cause = error.socketError if isinstance(error, CannotListenError) else error
            why = getattr(cause, "strerror", None) or cause
            _say_why(
                f"cannot listen on {_named(self.description)}: {why}"
                + (_ANOTHER if getattr(cause, "errno", None) == errno.EADDRINUSE else "")
            )
            raise
        listening: Any = self._waitingForPort
        listening.addCallback(self._announce)

    def _announce(self, port: IListeningPort) -> IListeningPort:
        for line in how_to_join(port.getHost()):
            _log.info("{line}", line=line)
        return port


def _named(endpoint: str) -> str:
    kind, _, rest = endpoint.partition(":")
    if kind != "tcp":
        return endpoint
    interface = re.search(r":interface=((?:\\.|[^:\\])+)", rest)
    of = f" of {interface[1]}".replace("\\", "") if interface and interface[1] != r"\:\:" else ""
    return f"TCP port {rest.partition(':')[0]}{of}"


def _say_why(reason: str) -> None:
    """Say in one line why the program ends; a SystemExit would leave twistd's parent waiting."""
    console = sys.__stderr__
    if console is not None:
        console.write(f"twisted-chat: {reason}\n")
        console.flush()
    sys.excepthook = lambda *_: None


def how_to_join(address: object) -> list[str]:
    """What people type to join a server that listens here, one line for each of its addresses."""
    port = getattr(address, "port", None)
    host = getattr(address, "host", None)
    if port is None or host is None:
        name = getattr(address, "name", b"")
        path = name.decode(errors="replace") if isinstance(name, bytes) else name
        return [f"Join with: nc -U {path}"] if path else []
    everywhere = host in ("::", "0.0.0.0")  # noqa: S104 - compared with, not bound to
    hosts = _own_addresses(ipv6=host == "::") if everywhere else [host]
    return [f"Join with: nc {each} {port}, or: twisted-chat {each} {port}" for each in hosts]


def _own_addresses(*, ipv6: bool) -> Iterable[str]:
    found = [ip for adapter in ifaddr.get_adapters() for ip in adapter.ips]
    yield from (str(ip.ip) for ip in found if ip.is_IPv4)
    if ipv6:
        for ip in found:
            address = ip.ip[0] if ip.is_IPv6 else ""
            if address and not address.startswith("fe80"):  # those need a zone to be reached
                yield address


def _look_only_at_what_is_new() -> None:
    """Spare the garbage collector what stays for ever: a full look is 12 ms shorter."""
    gc.collect()
    gc.freeze()


def _open_files_for(clients: int) -> None:
    """Let the process have a file for each connection; shells give 1,024, and allow more."""
    needed = clients + FILES
    least, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = needed if most == resource.RLIM_INFINITY else min(needed, most)
    if least < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))
    if allowed < needed:
        _log.warn(
            "Only {allowed} files may be open here, so {room} people find room, not {clients}: "
            "raise the limit (ulimit -Hn) or lower --max-clients",
            allowed=allowed,
            room=max(0, allowed - FILES),
            clients=clients,
        )
