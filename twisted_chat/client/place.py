"""Where the server is: a host and a port, or a UNIX socket."""

from dataclasses import dataclass
from typing import Any

from twisted.internet.endpoints import HostnameEndpoint, UNIXClientEndpoint
from twisted.internet.interfaces import IStreamClientEndpoint

HOST = "127.0.0.1"
PORT = 5000
_UNIX = "unix:"


@dataclass(frozen=True)
class Place:
    """Where a server is.

    Args:
        host: its name or address.
        port: its TCP port.
        path: its UNIX socket, which then stands for both.
    """

    host: str = HOST
    port: int = PORT
    path: str = ""

    def __str__(self) -> str:
        return self.path or f"{self.host} port {self.port}"

    @property
    def address(self) -> str:
        """The host and the port, as one writes them together."""
        host = self.host.lower()
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"

    def endpoint(self, reactor: Any) -> IStreamClientEndpoint:
        """What connects to it."""
        if self.path:
            return UNIXClientEndpoint(reactor, self.path)
        return HostnameEndpoint(reactor, self.host, self.port)


def place(host: str, port: str | None) -> Place:
    """The place that `HOST`, `HOST PORT`, `HOST:PORT`, `[::1]:5000`, `::1` or `unix:PATH` is.

    Raises:
        ValueError: it is none of these, and why.
    """
    if host.startswith(_UNIX):
        path = host.removeprefix(_UNIX)
        if not path:
            raise ValueError("no socket path: use unix:PATH")
        if port is not None:
            raise ValueError(f"a UNIX socket has no port: leave out {port}")
        return Place(path=path)
    address, colon, after = host.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif colon and (address.endswith("]") or ":" not in address):
        if port is not None:
            raise ValueError(f"two ports, {after} and {port}: give only one")
        host, port = address.strip("[]"), after
    if port is None:
        return Place(host or HOST)
    if not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
        raise ValueError(f"a port is a number from 1 to 65535, not {port!r}")
    return Place(host or HOST, int(port))
