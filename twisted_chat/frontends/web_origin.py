"""Who asks a web frontend: from which page, and from which address behind which proxies."""

from collections.abc import Collection, Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from twisted_chat.frontends.networks import Networks


def may_connect(origins: Iterable[str], host: str, others: Collection[str]) -> bool:
    """Whether a page may open a WebSocket: one from the same host, or one that was named.

    Args:
        origins: the `Origin` headers; programs that are no browsers send none.
        host: the `Host` header.
        others: origins that may too, such as `https://chat.example`.
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
    """The address of who asks, as far as it can be believed.

    Args:
        peer: the other end of the connection.
        forwarded: the `X-Forwarded-For` headers, to which each proxy adds the address before it.
        proxies: who is believed.
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
