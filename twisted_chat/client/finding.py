"""Finds servers that announce themselves on the local network (DNS-SD over multicast DNS)."""

import queue
import time
from collections.abc import Sequence

from zeroconf import InterfaceChoice, ServiceBrowser, ServiceStateChange, Zeroconf

from twisted_chat.client.harmless import harmless
from twisted_chat.client.looking import Found
from twisted_chat.client.place import Place

_KIND = "_twisted-chat._tcp.local."
_MORE = 0.3
"""Seconds to wait for others after the first answer."""


def find(seconds: float, interfaces: Sequence[str] | None = None) -> list[Found]:
    """The servers that answer, in the order of their names.

    Args:
        seconds: how long to wait for the first one.
        interfaces: the addresses of the networks to ask; None for all.

    Raises:
        OSError: there is no network.
    """
    names: queue.Queue[str] = queue.Queue()

    def changed(
        zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange
    ) -> None:
        if state_change is ServiceStateChange.Added:
            names.put(name)

    network = Zeroconf(interfaces=InterfaceChoice.All if interfaces is None else list(interfaces))
    try:
        ServiceBrowser(network, _KIND, handlers=[changed])
        found = set()
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                found.add(names.get(timeout=left))
            except queue.Empty:
                break
            end = min(end, time.monotonic() + _MORE)
        return sorted(each for name in found if (each := _ask(network, name)) is not None)
    finally:
        network.close()


def _ask(network: Zeroconf, name: str) -> Found | None:
    info = network.get_service_info(_KIND, name, timeout=1000)
    addresses = info.parsed_addresses() if info is not None else []
    if info is None or not info.port or not addresses:
        return None
    place = Place(addresses[0], info.port, tls=info.properties.get(b"tls") == b"1")
    return Found(harmless(name.removesuffix(f".{_KIND}")), place)
