"""A listening port that logs how to join it, or explains why it cannot be opened."""

import errno
import re
from collections.abc import Callable, Iterable, Sequence
from ipaddress import ip_address
from operator import itemgetter
from typing import Any, TypeAlias

import ifaddr
from twisted.application.internet import StreamServerEndpointService
from twisted.internet.defer import Deferred, succeed
from twisted.internet.endpoints import quoteStringArgument, serverFromString, wrapServerTLS
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort, IProtocolFactory
from twisted.logger import Logger

_log = Logger(namespace="chat")

_ANOTHER = " (is another server running? --port chooses another port)"


Says: TypeAlias = Callable[[str, object], Iterable[str]]

_INSIDE = ("docker", "br-", "veth", "virbr", "podman", "cni", "lxc", "lxd", "vbox", "vmnet")
"""Prefixes of network adapters that only reach containers and virtual machines on this host."""


_OUR_TLS = re.compile(r"ssl:(\d+(:(interface|backlog)=(\\.|[^:\\])*)*)")


class CannotListen(Exception):
    """A port that cannot be opened; the text says why, and what to do."""


class Listening(StreamServerEndpointService):
    """A port that logs how to join it, or says in one line why it cannot be opened.

    Args:
        description: the endpoint, as Twisted's endpoint strings have it.
        factory: what answers there.
        reactor: what it listens with.
        says: returns the lines to log once it listens.
        certificate: the server's certificate, for an endpoint that uses it.
        is_chat: whether people can chat there, and not only open a page.
        has_page: whether browsers are served there.
        is_quiet: whether it logs nothing by itself.
    """

    _raiseSynchronously = True

    is_open = False
    """Whether connections are accepted."""

    address: object = None
    """Where it listens, once it does."""

    def __init__(
        self,
        description: str,
        factory: IProtocolFactory,
        reactor: Any,
        says: Says,
        certificate: Any = None,
        *,
        is_chat: bool = True,
        has_page: bool = False,
        is_quiet: bool = False,
    ) -> None:
        endpoint = serverFromString(reactor, below_tls(description) or description)
        if below_tls(description) is not None:
            endpoint = wrapServerTLS(certificate, endpoint, reactor)
        super().__init__(endpoint, factory)
        self.description = description
        self.is_chat = is_chat
        self.has_page = has_page
        self._says = says
        self._is_quiet = is_quiet
        self._is_left_open = False

    @property
    def is_for_proxies(self) -> bool:
        """Whether only proxies can connect."""
        return self.description.startswith("haproxy:")

    @property
    def is_tls(self) -> bool:
        """Whether nothing but TLS is spoken here."""
        return is_tls(self.description)

    def privilegedStartService(self) -> None:
        """Listen.

        Raises:
            CannotListen: why not.
        """
        try:
            super().privilegedStartService()
        except (CannotListenError, OSError) as error:
            raise CannotListen(cannot_listen(self.description, error)) from error
        listening: Any = self._waitingForPort
        listening.addCallback(self._announce)

    def _announce(self, port: IListeningPort) -> IListeningPort:
        self.is_open = True
        self.address = port.getHost()
        if not self._is_quiet:
            self.tell()
        return port

    def tell(self) -> None:
        """Log how to join."""
        for line in self.lines:
            _log.info("{line}", line=line)

    def accept_no_more(self) -> None:
        """Leave new connections to other processes that listen here too."""
        listening: Any = self._waitingForPort
        listening.addCallback(_stop_reading)

    def leave_open(self) -> int:
        """Accept no more, and stay open when this service stops, for the program after this one.

        Returns:
            The socket's descriptor.
        """
        self.accept_no_more()
        self._is_left_open = True
        listening: Any = self._waitingForPort
        descriptor: int = listening.result.fileno()
        return descriptor

    @property
    def lines(self) -> list[str]:
        """What it says to those who ask where it is; a machine's addresses may change."""
        return list(self._says(self.description, self.address)) if self.is_open else []

    def stopService(self) -> Deferred[None]:
        """Stop listening."""
        self.is_open = False
        if self._is_left_open:
            return succeed(None)
        stopped: Deferred[None] = super().stopService()
        return stopped


def _stop_reading(port: Any) -> Any:
    port.stopReading()
    return port


def cannot_listen(description: str, error: object) -> str:
    """Why an endpoint cannot be opened, and what to do."""
    cause = getattr(error, "socketError", error)
    why = getattr(cause, "strerror", None) or cause
    another = _ANOTHER if getattr(cause, "errno", None) == errno.EADDRINUSE else ""
    return f"cannot listen on {_named(description)}: {why}{another}"


def below_tls(description: str) -> str | None:
    """The TCP endpoint below TLS with the server's certificate; None for other endpoints."""
    ours = _OUR_TLS.fullmatch(description)
    return f"tcp:{ours[1]}" if ours else None


def is_tls(description: str) -> bool:
    """Whether nothing but TLS is spoken at an endpoint."""
    return description.startswith(("ssl:", "tls:"))


def tcp_endpoint(port: int, interface: str) -> str:
    """The endpoint of a port, as Twisted's endpoint strings have it."""
    return f"tcp:{port}:interface={quoteStringArgument(interface)}"


def _named(endpoint: str) -> str:
    kind, _, rest = (below_tls(endpoint) or endpoint).partition(":")
    if kind != "tcp":
        return endpoint
    interface = re.search(r":interface=((?:\\.|[^:\\])+)", rest)
    of = f" of {interface[1]}".replace("\\", "") if interface and interface[1] != r"\:\:" else ""
    return f"TCP port {rest.partition(':')[0]}{of}"


def how_to_join(description: str, address: object) -> list[str]:
    """What people type to join a server that listens here, one line for each of its addresses.

    Args:
        description: the endpoint, as Twisted's endpoint strings have it.
        address: where it listens.
    """
    kind = description.partition(":")[0]
    host, port = getattr(address, "host", None), getattr(address, "port", None)
    if host is None or port is None:
        name = getattr(address, "name", b"")
        path = name.decode(errors="replace") if isinstance(name, bytes) else name
        if kind == "haproxy":
            return [f"Proxies can connect to unix:{path}"]
        return [f"Join with: nc -U {path}, or: twisted-chat unix:{path}"] if path else []
    if kind == "haproxy":
        return [f"Proxies can connect to {host} port {port}"]
    addresses = hosts(host)
    if is_tls(description):
        ncat, openssl = "ncat --ssl", "openssl s_client -quiet -connect"
        return [
            f"Join with: twisted-chat --tls {each} {port}, or: {ncat} {each} {port}, "
            f"or: {openssl} {_address(each, port)}"
            for each in addresses
        ]
    return [f"Join with: nc {each} {port}, or: twisted-chat {each} {port}" for each in addresses]


def where_to_browse(description: str, address: object) -> list[str]:
    """The addresses of the page, one line for each; the arguments are those of `how_to_join`."""
    pages = page_addresses(description, address)
    if not pages:
        return [f"Proxies can connect to {description.removeprefix('haproxy:')} for the page"]
    return [f"Open in a browser: {page}" for page in pages]


def page_addresses(description: str, address: object) -> list[str]:
    """The addresses of the page, none behind a proxy; the arguments are those of `how_to_join`."""
    host, port = getattr(address, "host", None), getattr(address, "port", None)
    if host is None or port is None or description.startswith("haproxy:"):
        return []
    scheme = "https" if is_tls(description) else "http"
    return [f"{scheme}://{_address(each, port)}/" for each in hosts(host)]


def how_to_join_and_browse(description: str, address: Any, *, has_tls: bool = False) -> list[str]:
    """Both, for a port that serves all clients; the other arguments are those of `how_to_join`.

    Args:
        description: the endpoint.
        address: where it listens.
        has_tls: whether a port without TLS of its own speaks it to those who begin with it.
    """
    if not hasattr(address, "port"):
        return how_to_join(description, address)
    secure = []
    if has_tls and not is_tls(description):
        where = (f"{each} {address.port}" for each in hosts(address.host))
        secure = [f"Join with: twisted-chat --tls {each}" for each in where]
    pages = where_to_browse(description, address)
    return [*how_to_join(description, address), *secure, *pages]


def hosts(host: str) -> list[str]:
    """The addresses that reach a port that listens here, perhaps on all addresses."""
    everywhere = host in ("::", "0.0.0.0")  # noqa: S104 - compared with, not bound to
    return own_addresses(ifaddr.get_adapters(), ipv6=host == "::") if everywhere else [host]


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def beyond_this_machine(addresses: Sequence[str]) -> list[str]:
    """The addresses that other machines can use; all of them if that is none."""
    others = [each for each in addresses if not ip_address(each).is_loopback]
    return others or list(addresses)


def own_addresses(adapters: Iterable[ifaddr.Adapter], *, ipv6: bool) -> list[str]:
    """A machine's addresses, those first that other machines can most likely reach."""
    found = []
    for adapter in adapters:
        for ip in adapter.ips:
            address = ip_address(ip.ip if isinstance(ip.ip, str) else ip.ip[0])
            if address.version == 6 and (address.is_link_local or not ipv6):
                continue  # one that is link-local needs a zone to be reached
            inside = address.is_link_local or adapter.name.startswith(_INSIDE)
            found.append(((address.is_loopback, inside, address.version), str(address)))
    return [address for _, address in sorted(found, key=itemgetter(0))]
