"""Where somebody connects from: which addresses count as one place."""

from ipaddress import IPv6Address, ip_address


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


def is_here(address: str) -> bool:
    """Whether an address is on this machine: `local` stands for a UNIX socket."""
    try:
        return address == "local" or ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False
