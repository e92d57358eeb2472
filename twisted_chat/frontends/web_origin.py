"""Where HTTP requests come from: which origin, and which address behind trusted proxies."""

from collections.abc import Collection, Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from twisted_chat.frontends.networks import Networks


def may_connect(origins: Iterable[str], host: str, others: Collection[str]) -> bool:
    """Whether a page may open a WebSocket: it is from the same host, or allowed by name.

    Args:
        origins: the `Origin` headers; only browsers send one.
        host: the `Host` header.
        others: other allowed origins, such as `https://chat.example`.
    """
    for origin in map(str.lower, origins):
        if origin in others:
            continue
        try:
            page = urlsplit(origin)
        except ValueError:
            return False
        if page.scheme not in ("http", "https") or page.netloc != host.lower():
            return False
    return True


def real_address(peer: str, forwarded: Iterable[str], proxies: Networks) -> str:
    """The address of the client, as far as it can be trusted.

    Args:
        peer: the other end of the connection.
        forwarded: the `X-Forwarded-For` headers, to which each proxy adds the address before it.
        proxies: the addresses whose headers are trusted.
    """
    address = peer
    hops = [hop.strip() for header in forwarded for hop in header.split(",")]
    while address in proxies and hops:
        try:
            hop = ip_address(hops.pop().removeprefix("::ffff:"))
        except ValueError:
            break
        address = str(hop)
    return address
