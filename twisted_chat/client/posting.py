"""Sends a file over HTTP to the address that the server has given for it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectError, ConnectionClosed
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.task import Cooperator
from twisted.web.client import (
    URI,
    Agent,
    FileBodyProducer,
    RequestGenerationFailed,
    RequestTransmissionFailed,
    ResponseFailed,
    readBody,
)
from twisted.web.http import CREATED
from twisted.web.iweb import IAgentEndpointFactory
from zope.interface import implementer

from twisted_chat.client.failed import Failed
from twisted_chat.client.harmless import harmless
from twisted_chat.client.place import Place

_LONGEST = 10_000
"""Bytes of an answer that is read."""

SILENT_SECONDS = 180.0
"""Seconds without any progress after which a file is given up: what the machine itself has still to
send, on a slow line, takes some of that time."""

_BROKEN = (
    ConnectError,
    ConnectionClosed,
    RequestGenerationFailed,
    RequestTransmissionFailed,
    ResponseFailed,
    OSError,
)


class _Watched:
    """A file that tells how much of it has been read."""

    def __init__(self, file: BinaryIO, told: Callable[[int], None]) -> None:
        self._file = file
        self._told = told
        self.seek, self.tell, self.close = file.seek, file.tell, file.close

    def read(self, size: int) -> bytes:
        """Some more of it."""
        data = self._file.read(size)
        self._told(self._file.tell())
        return data


@implementer(IAgentEndpointFactory)
class Poster:
    """Sends files.

    Args:
        reactor: what it runs on.
        here: gives the place where the chat is, which usually takes files too.
        endpoint: gives what connects to a place.
    """

    def __init__(
        self,
        reactor: Any,
        here: Callable[[], Place],
        endpoint: Callable[[Place], IStreamClientEndpoint],
    ) -> None:
        self._reactor = reactor
        self._agent = Agent.usingEndpointFactory(reactor, self)
        self._cooperator = Cooperator(scheduler=lambda work: reactor.callLater(0, work))
        self._here = here
        self._endpoint = endpoint

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:
        """See `IAgentEndpointFactory`: one port for all is reached as the chat is.

        The server may know that port by another name than we do.
        """
        here = self._here()
        if here.path or uri.port == here.port:
            return self._endpoint(here)
        host = uri.host.decode().strip("[]")
        return self._endpoint(Place(host, uri.port, tls=uri.scheme == b"https"))

    def post(self, url: str, path: Path, told: Callable[[int], None]) -> Deferred[None]:
        """Send a file.

        Args:
            url: the address that the server gave for it.
            path: where it is.
            told: called again and again with how many bytes have been sent.

        Returns:
            Fires when everybody sees it; fails with `Failed`, which says why.
        """
        return Deferred.fromCoroutine(self._post(url, path, told))

    async def _post(self, url: str, path: Path, told: Callable[[int], None]) -> None:
        def further(sent: int) -> None:
            if watch.active():
                watch.reset(SILENT_SECONDS)
            told(sent)

        exchange = Deferred.fromCoroutine(self._exchange(url, path, further))
        watch = self._reactor.callLater(SILENT_SECONDS, exchange.cancel)
        try:
            code, text = await exchange
        except (ValueError, CancelledError, *_BROKEN) as error:
            why = getattr(error, "strerror", None) or "the connection was lost"
            if not watch.active():
                minutes = f"{SILENT_SECONDS / 60:.0f} minutes"
                why = f"the server has not answered for {minutes}. Send it again later."
            raise Failed(f"{path.name} was not sent: {why}") from error
        finally:
            if watch.active():
                watch.cancel()
        if code != CREATED:
            raise Failed(harmless(text) or f"The server has answered with {code}.")

    async def _exchange(self, url: str, path: Path, told: Callable[[int], None]) -> tuple[int, str]:
        where = (url + quote(path.name, safe="")).encode()
        with path.open("rb") as file:
            body = FileBodyProducer(_Watched(file, told), self._cooperator)
            answer = await self._agent.request(b"PUT", where, bodyProducer=body)
        text = ""
        if isinstance(answer.length, int) and answer.length <= _LONGEST:
            text = (await readBody(answer)).decode("utf-8", "replace").strip()
        return answer.code, text
