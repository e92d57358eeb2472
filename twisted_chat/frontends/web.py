"""The web frontend: the page's files, and the handshake of its WebSocket."""

import base64
import binascii
from collections.abc import Collection, Mapping
from hashlib import sha1
from typing import Any

from twisted.internet.interfaces import IAddress, IHalfCloseableProtocol
from twisted.internet.protocol import Factory, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web import http
from twisted.web.http import HTTPChannel
from zope.interface import implementer

from twisted_chat.frontends.connection import host_of
from twisted_chat.frontends.crowd import Crowd
from twisted_chat.frontends.handover import hand_over
from twisted_chat.frontends.line_connection import Wires
from twisted_chat.frontends.networks import Networks
from twisted_chat.frontends.request_time import RequestTime
from twisted_chat.frontends.server import Server
from twisted_chat.frontends.web_files import File
from twisted_chat.frontends.web_origin import may_connect, real_address
from twisted_chat.frontends.web_refusal import NotAnswered
from twisted_chat.frontends.web_request import headers_for
from twisted_chat.frontends.web_sharing import SHARED, UPLOAD, SharingRequest
from twisted_chat.frontends.websocket import Pings, WebSocket
from twisted_chat.wire.plain import PlainWire
from twisted_chat.wire.websocket import FramedWire

_DIGITS = 15
"""Of the length of a file: what has thousands of them, Python does not read as a number."""

SOCKET = b"/ws"
"""The path of the WebSocket."""

_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

_log = Logger(namespace="chat")


class Request(SharingRequest):
    """One request."""

    def process(self) -> None:
        """Answer it."""
        self._set_headers(self.channel.web.headers)
        try:
            self._answer()
        except NotAnswered as why:
            self._refuse(why)

    def _answer(self) -> None:
        if not self._one("host"):
            raise NotAnswered(400, "A request must have exactly one Host header.")
        if self.path == SOCKET:
            self.channel.become_socket(self, self._accept_socket())
            return
        if self.method not in (b"GET", b"HEAD"):
            raise NotAnswered(405, "Only GET and HEAD are allowed here.", {"Allow": "GET, HEAD"})
        if self.path.startswith(SHARED):
            self._send_shared()
        else:
            self._send_file()

    def _send_file(self) -> None:
        file = self.channel.web.files.get(self.path)
        if file is None:
            raise NotAnswered(404, "Not found: the page is at /")
        self.setHeader("Content-Type", file.kind)
        self.setHeader("Vary", "Accept-Encoding")
        if self.setETag(file.tag) is http.CACHED:
            self.finish()
            return
        content = file.content
        if file.zipped and "gzip" in ",".join(self.headers("accept-encoding")):
            content = file.zipped
            self.setHeader("Content-Encoding", "gzip")
        self.setHeader("Content-Length", str(len(content)))
        self.write(content)
        self.finish()

    def _accept_socket(self) -> bytes:
        """The answer to a WebSocket's handshake (RFC 6455, section 4.2).

        Raises:
            NotAnswered: it is not a valid handshake.
        """
        tokens = {
            token.strip().lower() for token in ",".join(self.headers("connection")).split(",")
        }
        if (
            self.method != b"GET"
            or "upgrade" not in tokens
            or self._one("upgrade").lower() != "websocket"
        ):
            raise NotAnswered(426, "This address is for WebSockets.", {"Upgrade": "websocket"})
        if self._one("sec-websocket-version") != "13":
            raise NotAnswered(
                426, "Only version 13 of WebSockets is supported.", {"Sec-WebSocket-Version": "13"}
            )
        key = self._one("sec-websocket-key").encode()
        try:
            nonce = base64.b64decode(key, validate=True)
        except binascii.Error:
            nonce = b""
        if len(nonce) != 16:
            raise NotAnswered(400, "Sec-WebSocket-Key must be 16 bytes in base64.")
        web = self.channel.web
        if not may_connect(self.headers("origin"), self._one("host"), {*web.origins, *web.pages}):
            raise NotAnswered(403, "That page may not connect here: --web-origin can allow it.")
        accept = base64.b64encode(sha1(key + _MAGIC, usedforsecurity=False).digest())
        return (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )


@implementer(IHalfCloseableProtocol)
class Channel(HTTPChannel):
    """An HTTP connection, until it becomes a WebSocket.

    Args:
        web: what all HTTP connections share.
        address: where the other end is.
    """

    transport: Any
    totalHeadersSize = 8_192
    maxHeaders = 64
    timeOut = None  # each byte would reset it
    requestFactory = Request

    def __init__(self, web: "Web", address: str) -> None:
        super().__init__()
        self.web = web
        self.address = address
        self.time = RequestTime(web.server.clock, self.abort)
        self._socket: WebSocket | None = None
        self.is_unread = False  # so that the transport takes no more
        self._answered: http.Request | None = None  # but its response is not read yet
        self._is_deaf = False
        self.is_chunked = False  # which nothing here may be

    def connectionMade(self) -> None:
        """Wait for a request."""
        super().connectionMade()
        self.web.channels.add(self)
        if self.web.crowd.enter(self):
            self.time.begin()
        else:
            self.abort()

    def abort(self) -> None:
        """Close at once."""
        self.transport.abortConnection()

    def take_upload(self, size: int) -> None:
        """A file of so many bytes is on its way; other limits hold for who sends one."""
        self.web.crowd.leave(self)
        self.time.begin(size)
        self.time.wait_for_more()

    def pause_upload(self) -> None:
        """The disk is slower than who sends the file."""
        self.time.wait()
        self.transport.pauseProducing()

    def resume_upload(self) -> None:
        """The disk is there again."""
        self.time.wait_for_more()
        self.transport.resumeProducing()

    @property
    def is_upload(self) -> bool:
        """Whether the request that is coming sends a file."""
        return bool(self._path.startswith(UPLOAD))

    def dataReceived(self, data: bytes) -> None:
        """Some bytes have come."""
        if not self._is_deaf:
            super().dataReceived(data)

    def ignore_the_rest(self) -> None:
        """All is said: throw away what is still under way, until the other end has read that."""
        self._is_deaf = True
        self.time.begin()

    def headerReceived(self, line: bytes) -> bool:
        """Refuse requests with a body, so that nothing can be smuggled in one, but for files."""
        name, _, value = line.partition(b":")
        name = name.strip().lower()
        if self.is_upload and name == b"transfer-encoding":
            self.is_chunked = True
            return True
        if self.is_upload and name == b"content-length" and len(value.strip()) <= _DIGITS:
            return bool(super().headerReceived(line))
        if name == b"transfer-encoding" or (name == b"content-length" and value.strip() != b"0"):
            self._respondToBadRequestAndDisconnect()
            return False
        return bool(super().headerReceived(line))

    def requestDone(self, request: http.Request) -> None:
        """A response is sent: wait for the next request, but not for long.

        Requests that have arrived already wait until there is room for their responses: Twisted
        would answer a chunk of 2,000 small requests at once, for a client that reads nothing.
        """
        self.time.begin()
        if self.is_unread:
            self._answered = request
        else:
            super().requestDone(request)

    def pauseProducing(self) -> None:
        """The transport's buffer is full."""
        self.is_unread = True
        super().pauseProducing()

    def resumeProducing(self) -> None:
        """The transport's buffer is empty."""
        self.is_unread = False
        super().resumeProducing()
        answered, self._answered = self._answered, None
        if answered is not None:
            self.requestDone(answered)

    def readConnectionLost(self) -> None:
        """No more will come, but whoever has asked for something waits for the answer."""
        if self._handlingRequest:
            self.persistent = False
        else:
            self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        """We never say that we will send no more."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The other end is gone."""
        self._leave()
        super().connectionLost(reason)

    def _leave(self) -> None:
        self.time.stop()
        self.web.crowd.leave(self)
        self.web.channels.discard(self)

    def become_socket(self, request: Request, accepted: bytes) -> None:
        """Hand the connection over to a WebSocket."""
        self._leave()
        web, transport = self.web, self.transport
        transport.unregisterProducer()
        transport.write(accepted)  # with this in the buffer, `Outlet.cut` will not drop it
        address = real_address(
            host_of(transport.getPeer()), request.headers("x-forwarded-for"), web.proxies
        )
        self._socket = WebSocket(web.server, web.wires, address, web.pings)
        self.requests.clear()
        hand_over(transport, self._socket)

    def rawDataReceived(self, data: bytes) -> None:
        """Whatever follows the handshake is for the WebSocket."""
        if self._socket is not None:
            self._socket.dataReceived(data)
        else:
            super().rawDataReceived(data)


class Web(Factory):
    """Answers browsers.

    Args:
        server: what all connections share.
        plain: how lines from history are shown in the answers to commands.
        files: the files that are served, by path.
        origins: other origins whose pages may open a WebSocket, such as `https://chat.example`.
        proxies: the addresses whose `X-Forwarded-For` is trusted.
    """

    noisy = False

    def __init__(
        self,
        server: Server,
        plain: PlainWire,
        files: Mapping[bytes, File],
        origins: Collection[str] = (),
        proxies: Networks | None = None,
    ) -> None:
        self.server = server
        self.wires = Wires(plain, FramedWire(server.chat.accounts.name_of, server.chat.address_of))
        self.files = files
        self.origins = origins
        self.proxies = proxies or Networks()
        self.spread(())
        self.pings = Pings(server.clock)
        self.crowd = Crowd(server, self.proxies)
        self.channels: set[Channel] = set()
        """Every HTTP connection that there is, but for those that became WebSockets."""

    def trust(self, origins: Collection[str], proxies: Networks) -> None:
        """Use other lists from now on; the arguments are those of `Web`."""
        self.origins = origins
        self.proxies = self.crowd.proxies = proxies

    def spread(self, pages: Collection[str]) -> None:
        """The chat has pages at these origins too: each may connect to the others' servers."""
        self.pages = pages
        self.headers = headers_for(pages)

    def buildProtocol(self, addr: IAddress | None) -> Channel:
        """A connection."""
        return Channel(self, host_of(addr))
