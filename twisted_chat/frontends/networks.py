"""Lists of addresses and networks, such as the ban list."""

from collections.abc import Iterable
from ipaddress import ip_address, ip_network


class Networks:
    """A set of networks with fast lookup, however many there are.

    Args:
        lines: an address (`192.0.2.7`) or network (`2001:db8::/32`) each; what follows `#` is a
            comment.

    Raises:
        ValueError: a line is neither; the text begins with its number.
    """

    def __init__(self, lines: Iterable[str] = ()) -> None:
        self._by_length: dict[tuple[int, int], set[int]] = {}
        for number, line in enumerate(lines, 1):
            text = line.partition("#")[0].strip()
            if not text:
                continue
            try:
                network = ip_network(text, strict=False)
            except ValueError:
                raise ValueError(
                    f"line {number}: {text[:60]!r} is not an address or network "
                    "such as 192.0.2.7 or 2001:db8::/32"
                ) from None
            free = network.max_prefixlen - network.prefixlen
            known = self._by_length.setdefault((network.version, free), set())
            known.add(int(network.network_address) >> free)

    def __contains__(self, address: str) -> bool:
        """Whether an address is in one of them; text that is not an address is in none."""
        if not self._by_length:
            return False
        try:
            ip = ip_address(address.partition("%")[0])
        except ValueError:
            return False
        number = int(ip)
        return any(
            version == ip.version and number >> free in known
            for (version, free), known in self._by_length.items()
        )
