"""How people join at the addresses that the operator names."""

from collections.abc import Sequence

_TLS = "tls://"
_PAGES = ("https://", "http://")


def how_to_join_at(addresses: Sequence[str]) -> list[str]:
    """What people type or open, line by line; the addresses are as `values.addresses` has them."""
    secure = ",".join(each.removeprefix(_TLS) for each in addresses if each.startswith(_TLS))
    plain = [each for each in addresses if not each.startswith((_TLS, *_PAGES))]
    lines = []
    if plain:
        host, _, port = plain[0].rpartition(":")
        host = host.strip("[]")
        lines.append(f"Join with: nc {host} {port}, or: twisted-chat {','.join(plain)}")
    if secure:
        lines.append(f"Join with: twisted-chat --tls {secure}")
    return lines + [f"Open in a browser: {page}/" for page in pages_at(addresses)]


def pages_at(addresses: Sequence[str]) -> list[str]:
    """The origins of the pages among the addresses."""
    return [each for each in addresses if each.startswith(_PAGES)]
