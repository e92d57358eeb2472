"""Where somebody connects from: which addresses count as one place."""

from ipaddress import IPv6Address


def neighbourhood(address: str) -> str:
    """What counts as one place: an IPv4 address, or an IPv6 network of 64 bits.

    A subscriber has a whole /64 (RFC 6177), so single IPv6 addresses cost nothing.
    """
    if ":" not in address:
        return address
    try:
        number = int(IPv6Address(address.partition("%")[0])) >> 64 << 64
    except ValueError:
        return address
    return f"{IPv6Address(number)}/64"
