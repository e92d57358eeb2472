"""Browsers in a chat without a network: what they send, and what comes back."""

from typing import Any, Self

from twisted.internet.testing import StringTransport
from wsproto.frame_protocol import FrameProtocol, Opcode

from tests.people import Program
from twisted_chat import ChatFactory
from twisted_chat.frontends.web import Web
from twisted_chat.wire.structured import decode, encode

HANDSHAKE = {
    "Host": "chat.example",
    "Upgrade": "websocket",
    "Connection": "keep-alive, Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
"""What a browser sends that opens a WebSocket; the key is that of RFC 6455."""


def request(path: str, headers: dict[str, str] | None = None, method: str = "GET") -> bytes:
    """A request as it goes over the wire."""
    headers = {"Host": "chat.example"} if headers is None else headers
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {headers[name]}" for name in headers)]
    return "".join(line + "\r\n" for line in (*lines, "")).encode()


_PING = b"\x89\x00"
_PONG = bytes(FrameProtocol(client=True, extensions=[]).pong())


class Network(StringTransport):
    """A connection at whose other end a browser answers pings by itself, while it reads."""

    protocol: Any = None
    answers_pings = True

    def write(self, data: bytes) -> None:
        """See `StringTransport`."""
        if data == _PING and self.answers_pings:
            self.protocol.dataReceived(_PONG)
        else:
            super().write(data)


class Asker:
    """Somebody with a connection to the web frontend.

    Args:
        web: the web frontend.
        host: where they come from.
    """

    def __init__(self, web: Web, host: str = "127.0.0.1") -> None:
        self.transport = Network()
        self.channel = web.buildProtocol(None)
        self.channel.address = host
        self.transport.peerAddr = type("Peer", (), {"host": host})()
        self.channel.makeConnection(self.transport)

    def sends(self, data: bytes) -> Self:
        """Send bytes, as they are."""
        (self.transport.protocol or self.channel).dataReceived(data)
        return self

    def asks(self, path: str, headers: dict[str, str] | None = None, method: str = "GET") -> Self:
        """Send a request."""
        return self.sends(request(path, headers, method))

    def gets(self) -> tuple[int, dict[str, str], bytes]:
        """The answer: its status, headers and body."""
        head, _, body = self.transport.value().partition(b"\r\n\r\n")
        self.transport.clear()
        status, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (li.partition(": ") for li in lines)}
        return int(status.split()[1]), headers, body

    @property
    def is_gone(self) -> bool:
        """Whether the server has closed the connection."""
        return self.transport.disconnecting or self.transport.disconnected


class Tab(Program):
    """A page with a WebSocket.

    Args:
        factory: the chat.
        host: where it is.
        web: the web frontend, if it is shared with others.
        headers: what its handshake has beside `HANDSHAKE`.
    """

    def __init__(
        self,
        factory: ChatFactory,
        host: str | None = "127.0.0.1",
        web: Web | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        self._factory = factory
        self.transport: Network
        asker = Asker(web or factory.web({}), host or "127.0.0.1")
        asker.asks("/ws", HANDSHAKE | (headers or {}))
        self.transport = asker.transport
        head, _, first = self.transport.value().partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 "), head
        self.transport.clear()
        self.transport.write(first)
        self.protocol = asker.transport.protocol
        self._frames = FrameProtocol(client=True, extensions=[])
        self._read = FrameProtocol(client=True, extensions=[])
        self.closed: object = None
        """Why the server has said that it closes: its code."""

    def asks(self, **thing: Any) -> Self:
        """Send an object."""
        return self.sends_text(encode(thing).decode().rstrip("\n"))

    def sends_text(self, *texts: str) -> Self:
        """Send text messages, all at once."""
        self.sends(b"".join(bytes(self._frames.send_data(text)) for text in texts))
        return self

    def gets_frames(self) -> list[tuple[Opcode, Any]]:
        """The messages since the last look, each of which is one whole frame."""
        self._read.receive_bytes(self.transport.value())
        self.transport.clear()
        frames = list(self._read.received_frames())
        assert all(each.frame_finished and each.message_finished for each in frames), frames
        for each in frames:
            if each.opcode is Opcode.CLOSE:
                self.closed = each.payload[0]
        return [(each.opcode, each.payload) for each in frames]

    def gets(self, *kinds: str) -> list[dict[str, Any]]:
        """The objects since the last look, or those of some kinds."""
        texts = [text for opcode, text in self.gets_frames() if opcode is Opcode.TEXT]
        assert not any("\n" in text for text in texts), texts
        things = [decode(text.encode()) for text in texts]
        return [thing for thing in things if not kinds or thing["event"] in kinds]
