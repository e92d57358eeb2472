"""How people learn where the server is: `/doors`, a QR code, an announcement to the network."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from twisted.application.service import IService
from twisted.logger import Logger

from twisted_chat.service.console import Console
from twisted_chat.service.endpoints import Listening, beyond_this_machine, hosts, page_addresses
from twisted_chat.service.joining import how_to_join_at, pages_at

_log = Logger(namespace="chat")


class Publicity:
    """What people are told of where the server is.

    Args:
        ports: where it listens.
        addresses: where people reach it, if the operator names that.
    """

    def __init__(self, ports: Iterable[Listening], addresses: Sequence[str] = ()) -> None:
        self._ports = ports
        self.addresses = addresses

    def how_to_join(self) -> list[str]:
        """What people are told who ask how others can join."""
        own = [line for port in self._open() for line in port.lines]
        return how_to_join_at(self.addresses) or own

    def qr_code(self) -> str:
        """The address of the page for a phone's camera, or else how to join."""
        from twisted_chat.service import qr  # an extra

        shown = [*self._named_pages(), *self.how_to_join()]
        return qr.code(shown[0]) if shown else ""

    def web_address(self) -> str:
        """The address of the page, without a slash at the end; empty if it has none."""
        return next((page.rstrip("/") for page in self._named_pages()), "")

    def publish(self, options: Mapping[str, Any], console: Console, service: Any) -> None:
        """Tell people and networks where the server is, in the ways that the operator wants.

        Args:
            options: those of the server.
            console: where the operator sees something.
            service: what the announcement is a part of.
        """
        for line in how_to_join_at(self.addresses):
            _log.info("{line}", line=line)
        if options["qr"]:
            console.show(self.qr_code())
        if options["announce"]:
            announcement = self.announcement(service.reactor, options["name"])
            if announcement is not None:
                announcement.setServiceParent(service)

    def announcement(self, reactor: Any, name: str) -> IService | None:
        """What announces the server on the networks where it listens; None if there is nothing.

        Args:
            reactor: what it runs on.
            name: what people are shown.
        """
        from twisted_chat.service import announce  # an extra

        chat = [port for port in self._open() if port.is_chat and hasattr(port.address, "port")]
        if not chat:
            return None
        where: Any = chat[0].address
        addresses = beyond_this_machine(hosts(where.host))
        facts = {"tls": "1"} if chat[0].is_tls else {}
        services = [announce.announced(announce.CHAT, name, addresses, where.port, facts)]
        pages = [urlsplit(page) for page in self._pages()]
        services += [
            announce.announced(announce.PAGE, name, addresses, page.port or 80, {"path": "/"})
            for page in pages
            if page.scheme == "http"
        ][:1]
        return announce.Announcement(reactor, addresses, services)

    def _open(self) -> list[Listening]:
        """The ports where people can come, and not only proxies."""
        return [port for port in self._ports if port.is_open and not port.is_for_proxies]

    def _named_pages(self) -> list[str]:
        return [f"{page}/" for page in pages_at(self.addresses)] or self._pages()

    def _pages(self) -> list[str]:
        ports = [port for port in self._open() if port.has_page]
        return [page for port in ports for page in page_addresses(port.description, port.address)]
