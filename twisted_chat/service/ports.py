"""Which ports a server has, and what each of them is for."""

from collections.abc import Iterator, Sequence
from enum import Enum
from functools import partial
from typing import NamedTuple

from twisted_chat.service.endpoints import (
    Says,
    how_to_join,
    how_to_join_and_browse,
    where_to_browse,
)


class Serves(Enum):
    """Whom a port is for."""

    PROXIES = "proxies that tell where somebody comes from"
    EVERYBODY = "everybody: whoever sends something first is recognised"
    LINES = "people and programs"
    BROWSERS = "browsers"


class Port(NamedTuple):
    """A port that a server is to have.

    Args:
        description: the endpoint, as Twisted's endpoint strings have it.
        serves: whom it is for.
        says: returns the lines to log once it listens.
    """

    description: str
    serves: Serves
    says: Says

    @property
    def is_chat(self) -> bool:
        """Whether people can chat there, and not only open a page."""
        return self.serves is not Serves.BROWSERS

    @property
    def has_page(self) -> bool:
        """Whether browsers are served there."""
        return self.serves in (Serves.EVERYBODY, Serves.BROWSERS)


def ports(
    endpoints: Sequence[str], web_endpoints: Sequence[str], *, is_one_port: bool, has_tls: bool
) -> Iterator[Port]:
    """The ports that a server is to have, in order.

    Args:
        endpoints: where people join.
        web_endpoints: where the page is.
        is_one_port: whether the first ones are for browsers too.
        has_tls: whether a port without TLS of its own speaks it to those who begin with it.
    """
    for description in endpoints:
        if description.startswith("haproxy:"):
            yield Port(description, Serves.PROXIES, how_to_join)
        elif is_one_port:
            says = partial(how_to_join_and_browse, has_tls=has_tls)
            yield Port(description, Serves.EVERYBODY, says)
        else:
            yield Port(description, Serves.LINES, how_to_join)
    for description in web_endpoints:
        yield Port(description, Serves.BROWSERS, where_to_browse)
