"""`--announce`: tells the local network where the chat is (DNS-SD over multicast DNS)."""

import socket
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure
from zeroconf import ServiceInfo, Zeroconf

_log = Logger(namespace="chat")

CHAT, PAGE = "_twisted-chat._tcp.local.", "_http._tcp.local."
_LONGEST_NAME = 63  # bytes (RFC 6763)


def announced(
    kind: str, name: str, addresses: Sequence[str], port: int, facts: dict[str, str]
) -> ServiceInfo:
    """One service, as it is announced.

    Args:
        kind: `CHAT` or `PAGE`.
        name: what people are shown.
        addresses: where it is.
        port: its TCP port.
        facts: what else there is to know before one connects.
    """
    label = name.encode()[:_LONGEST_NAME].decode(errors="ignore").strip()
    host = socket.gethostname().partition(".")[0]
    return ServiceInfo(
        kind,
        f"{label}.{kind}",
        port,
        properties=facts,
        server=f"{host}.local.",
        parsed_addresses=list(addresses),
    )


class Announcement(Service):
    """Announces services while the server runs.

    Only the networks are told where the server listens: one that listens on 127.0.0.1 alone
    sends nothing to any other machine.

    Args:
        reactor: has the threads in which it waits for the network.
        addresses: where the server listens.
        services: what is announced.
    """

    def __init__(
        self, reactor: Any, addresses: Sequence[str], services: Sequence[ServiceInfo]
    ) -> None:
        self._reactor = reactor
        self._interfaces = [each for each in addresses if ip_address(each).version == 4]
        self._services = services
        self._network: Zeroconf | None = None
        self._started: Deferred[None] | None = None

    def startService(self) -> None:
        """Begin to announce, which takes a second or two."""
        super().startService()
        self._started = self._in_thread(self._announce).addErrback(self._failed)

    def stopService(self) -> Deferred[None]:
        """Tell the network that the server is gone."""
        super().stopService()
        started = self._started or self._in_thread(lambda: None)
        return started.addCallback(lambda _: self._in_thread(self._end)).addErrback(self._failed)

    def _in_thread(self, work: Any) -> Deferred[None]:
        return deferToThreadPool(self._reactor, self._reactor.getThreadPool(), work)

    def _announce(self) -> None:
        self._network = Zeroconf(interfaces=self._interfaces)
        for service in self._services:
            self._network.register_service(service, allow_name_change=True)
            what = service.name.removesuffix(".local.")
            _log.info("Announced on the local network: {what}", what=what)

    def _end(self) -> None:
        if self._network is not None:
            self._network.unregister_all_services()
            self._network.close()

    def _failed(self, failure: Failure) -> None:
        why = failure.getErrorMessage()
        _log.error("Cannot --announce the server on the local network: {why}", why=why)
