"""Options of a connection's socket: low latency, keepalive and small buffers."""

import socket

from twisted.internet.interfaces import ITransport
from twisted.internet.tcp import Connection

UNREAD = 512 * 1024
"""Bytes that the system may hold for somebody who does not read, and doubles. It would take 4 MB;
with less than this, readers on a busy machine fall behind (measured at 39,000 lines a second)."""

_INTERNET = (socket.AF_INET, socket.AF_INET6)
_KEEPALIVE = (
    ("TCP_KEEPIDLE", 50),
    ("TCP_KEEPINTVL", 15),
    ("TCP_KEEPCNT", 4),
)


def connection_under(transport: object) -> Connection | None:
    """The connection with the socket, below TLS and whatever else wraps it."""
    while transport is not None and not isinstance(transport, Connection):
        transport = getattr(transport, "transport", None)
    return transport


def socket_under(transport: object) -> object:
    """The socket of a transport, or what is in its place."""
    transport = connection_under(transport) or transport
    return getattr(transport, "getHandle", lambda: None)()


def prepare(transport: ITransport) -> None:
    """Detect dead connections, and send small packets at once; see also `liveness`."""
    handle = socket_under(transport)
    if not isinstance(handle, socket.socket) or handle.family not in _INTERNET:
        return
    handle.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    handle.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    handle.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, UNREAD)
    for option, value in _KEEPALIVE:
        if hasattr(socket, option):  # not every system has them all
            handle.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
