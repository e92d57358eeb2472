"""Where the server is: a host and a port, perhaps with TLS, or a UNIX socket."""

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from twisted.internet.endpoints import HostnameEndpoint, UNIXClientEndpoint
from twisted.internet.interfaces import IStreamClientEndpoint

HOST = "127.0.0.1"
PORT = 5000
_UNIX = "unix:"
_TLS = "tls://"


@dataclass(frozen=True)
class Place:
    """Where a server is.

    Args:
        host: its name or address.
        port: its TCP port.
        path: its UNIX socket, which then stands for both.
        tls: whether it speaks TLS there.
    """

    host: str = HOST
    port: int = PORT
    path: str = ""
    tls: bool = False

    def __str__(self) -> str:
        return self.path or f"{self.host} port {self.port}"

    @property
    def address(self) -> str:
        """The host and the port, as one writes them together."""
        host = self.host.lower()
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"

    @property
    def is_here(self) -> bool:
        """Whether it is on this very machine."""
        if self.path or self.host.lower() in ("localhost", "localhost."):
            return True
        try:
            address = ip_address(self.host)
        except ValueError:
            return False
        return address.is_loopback or address.is_unspecified

    @property
    def is_private(self) -> bool:
        """Whether nobody can read along on the way there."""
        return self.tls or self.is_here

    def endpoint(self, reactor: Any) -> IStreamClientEndpoint:
        """What connects to it, without TLS."""
        if self.path:
            return UNIXClientEndpoint(reactor, self.path)
        return HostnameEndpoint(reactor, self.host, self.port)


def place(host: str, port: str | None = None, *, tls: bool = False) -> Place:
    """The place that `HOST`, `HOST:PORT`, `[::1]:5000`, `::1`, `tls://HOST` or `unix:PATH` is.

    Args:
        host: one of these.
        port: a port that was given beside it.
        tls: whether TLS is asked for, however it is written.

    Raises:
        ValueError: it is none of these, and why.
    """
    if host.startswith(_UNIX):
        path = host.removeprefix(_UNIX)
        if not path:
            raise ValueError("no socket path: use unix:PATH")
        if port is not None:
            raise ValueError(f"a UNIX socket has no port: leave out {port}")
        if tls:
            raise ValueError("a UNIX socket has no TLS: leave out --tls")
        return Place(path=path)
    tls = tls or host.startswith(_TLS)
    host = host.removeprefix(_TLS)
    address, colon, after = host.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif colon and (address.endswith("]") or ":" not in address):
        if port is not None:
            raise ValueError(f"two ports, {after} and {port}: give only one")
        host, port = address.strip("[]"), after
    if port is None:
        return Place(host or HOST, tls=tls)
    if not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
        raise ValueError(f"a port is a number from 1 to 65535, not {port!r}")
    return Place(host or HOST, int(port), tls=tls)


def places(hosts: str, port: str | None = None, *, tls: bool = False) -> tuple[Place, ...]:
    """The places that stand in a list with commas, each once; the arguments are those of `place`.

    Raises:
        ValueError: why they are none, or not those of one chat.
    """
    found = tuple(dict.fromkeys(place(each.strip(), port, tls=tls) for each in hosts.split(",")))
    if any(each.tls for each in found) and not all(each.is_private for each in found):
        raise ValueError("some of these addresses have TLS and others do not: use --tls for all")
    return found
