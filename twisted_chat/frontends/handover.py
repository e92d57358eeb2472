"""A connection goes on with another protocol."""

from typing import Any

from twisted.internet.interfaces import IProtocol


def hand_over(transport: Any, protocol: IProtocol) -> None:
    """Have a protocol take over a transport; whoever had it hears no more of it.

    It must have no producer any more.
    """
    if hasattr(transport, "wrappedProtocol"):  # TLS, or a proxy's header
        transport.wrappedProtocol = protocol
    else:
        transport.protocol = protocol
    protocol.makeConnection(transport)
