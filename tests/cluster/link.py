"""A connection to a server over which somebody sends and gets objects."""

import asyncio
import json
import time
from contextlib import suppress
from typing import Any, Protocol

from tests.cluster.transcript import Event


class Owner(Protocol):
    """Whose connection it is."""

    def is_connected(self, link: "Link") -> None:
        """It is there."""

    def gets(self, event: Event) -> None:
        """An object has come."""

    def is_lost(self, link: "Link") -> None:
        """It is not there any more."""


class Link(asyncio.Protocol):
    """One connection of somebody's.

    Args:
        owner: whose it is.
    """

    def __init__(self, owner: Owner) -> None:
        self.heard = time.monotonic()
        self._owner = owner
        self._rest = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._owner.is_connected(self)

    def data_received(self, data: bytes) -> None:
        self.heard = time.monotonic()
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if line.startswith(b"{"):
                with suppress(json.JSONDecodeError):
                    self._owner.gets(json.loads(line))

    def connection_lost(self, exc: Exception | None) -> None:
        self._owner.is_lost(self)

    def sends(self, thing: dict[str, Any]) -> None:
        """Send an object."""
        assert self._transport is not None
        self._transport.write(json.dumps(thing).encode() + b"\n")

    def closes(self) -> None:
        """End it when all is sent."""
        if self._transport is not None:
            self._transport.close()

    def breaks(self) -> None:
        """End it at once."""
        if self._transport is not None:
            self._transport.abort()
