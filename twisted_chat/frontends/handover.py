"""Continues a connection with another protocol."""

from typing import Any

from twisted.internet.interfaces import IProtocol


def hand_over(transport: Any, protocol: IProtocol) -> None:
    """Let a protocol take over a transport from the one that has it now.

    The transport must have no producer.
    """
    if hasattr(transport, "wrappedProtocol"):  # TLS, or a proxy's header
        transport.wrappedProtocol = protocol
    else:
        transport.protocol = protocol
    protocol.makeConnection(transport)
