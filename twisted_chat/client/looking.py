"""Where to go if no host was given: to a server on this machine, or on the local network."""

import socket
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import NamedTuple

from twisted_chat.client.place import Place

_HERE = 0.5
"""Seconds in which a server on this machine accepts a connection."""

_WAIT = 1.5
"""Seconds in which a server on the local network answers."""

_GIVE = "give the address of one: twisted-chat HOST"


class Found(NamedTuple):
    """A server that announces itself.

    Args:
        name: what it says it is called.
        place: where it is.
    """

    name: str
    place: Place

    def __str__(self) -> str:
        return f"{self.name} at {self.place}" + (" (with TLS)" if self.place.tls else "")


Find = Callable[[], Sequence[Found]]


def finder() -> Find | None:
    """What finds servers on the local network; None if the library for it is not there."""
    if find_spec("zeroconf") is None:
        return None
    from twisted_chat.client.finding import find  # an extra

    return lambda: find(_WAIT)


def look(here: Place, find: Find | None, tell: Callable[[str], None]) -> Found | None:
    """A server on the local network, unless there is one on this machine.

    Args:
        here: where a server on this machine would be.
        find: finds those on the local network; None if that is not possible.
        tell: called with a sentence that says which one it is, or what to do.
    """
    if _is_open(here):
        return None
    if find is None:
        tell(
            f"There is no server on this machine: {_GIVE} (or pip install zeroconf, "
            "to find servers that announce themselves on the local network)"
        )
        return None
    try:
        found = find()
    except OSError as error:
        tell(f"The local network could not be searched for servers ({error}): {_GIVE}")
        return None
    if not found:
        tell(f"There is no server on this machine, and none announces itself nearby: {_GIVE}")
        return None
    first, *others = found
    more = f". There is also {', '.join(map(str, others))}" if others else ""
    tell(f"Found {first} on the local network{more}")
    return first


def _is_open(here: Place) -> bool:
    try:
        socket.create_connection((here.host, here.port), _HERE).close()
    except OSError:
        return False
    return True
