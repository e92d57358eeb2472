"""A port that says where it is to be found, or in one line why it cannot be had."""

import errno
import re
import sys
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import ifaddr
from twisted.application.internet import StreamServerEndpointService
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort, IProtocolFactory
from twisted.logger import Logger

_log = Logger(namespace="chat")

_ANOTHER = " (is another server running? --port chooses another port)"


Says: TypeAlias = Callable[[object], Iterable[str]]


class Listening(StreamServerEndpointService):
    """A port that says in one line why it cannot be had, and then ends the program.

    Args:
        description: the endpoint, as Twisted's endpoint strings have it.
        factory: what answers there.
        reactor: what it listens with.
        says: gives the lines that tell where it is, once it listens there.
    """

    _raiseSynchronously = True

    is_open = False
    """Whether connections are accepted."""

    def __init__(
        self, description: str, factory: IProtocolFactory, reactor: Any, says: Says
    ) -> None:
        super().__init__(serverFromString(reactor, description), factory)
        self.description = description
        self._says = says

    def privilegedStartService(self) -> None:
        """Listen, or end the program."""
        try:
            super().privilegedStartService()
        except (CannotListenError, OSError) as error:
            cause = error.socketError if isinstance(error, CannotListenError) else error
            why = getattr(cause, "strerror", None) or cause
            say_why(
                f"cannot listen on {_named(self.description)}: {why}"
                + (_ANOTHER if getattr(cause, "errno", None) == errno.EADDRINUSE else "")
            )
            raise
        listening: Any = self._waitingForPort
        listening.addCallback(self._announce)

    def _announce(self, port: IListeningPort) -> IListeningPort:
        self.is_open = True
        for line in self._says(port.getHost()):
            _log.info("{line}", line=line)
        return port

    def stopService(self) -> Deferred[None]:
        """Listen no more."""
        self.is_open = False
        stopped: Deferred[None] = super().stopService()
        return stopped


def _named(endpoint: str) -> str:
    kind, _, rest = endpoint.partition(":")
    if kind != "tcp":
        return endpoint
    interface = re.search(r":interface=((?:\\.|[^:\\])+)", rest)
    of = f" of {interface[1]}".replace("\\", "") if interface and interface[1] != r"\:\:" else ""
    return f"TCP port {rest.partition(':')[0]}{of}"


def say_why(reason: str) -> None:
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
