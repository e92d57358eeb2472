"""A browser's tab on a real socket."""

from wsproto import ConnectionType, WSConnection
from wsproto.events import CloseConnection, Ping, Request, TextMessage

from tests.e2e.patience import PATIENCE
from tests.e2e.people import Program


class Tab(Program):
    """A page with a WebSocket.

    Args:
        port: where the page came from.
        nickname: what it calls itself.
        before: the tab that it goes on for.
    """

    def __init__(self, port: int, nickname: str, before: "Tab | None" = None) -> None:
        self._ws = WSConnection(ConnectionType.CLIENT)
        self._text = ""
        self.closed: object = None
        host = f"127.0.0.1:{port}"
        origin = [(b"Origin", f"http://{host}".encode())]
        self._first = self._ws.send(Request(host=host, target="/ws", extra_headers=origin))
        super().__init__(port, nickname, before)

    def _send(self, data: bytes) -> None:
        first, self._first = self._first, b""
        if first:
            self.socket.sendall(first)
            self.reads(PATIENCE)
        for line in data.decode().splitlines():
            self.socket.sendall(self._ws.send(TextMessage(line)))

    def _receive(self) -> bytes:
        data = self.socket.recv(65_536)
        if not data or self.closed is not None:
            return b""
        self._ws.receive_data(data)
        lines = ""
        for event in self._ws.events():
            match event:
                case TextMessage():
                    lines += event.data + ("\n" if event.message_finished else "")
                case Ping():
                    self.socket.sendall(self._ws.send(event.response()))
                case CloseConnection():
                    self.closed = event.code
        return lines.encode() or b"\n"

    def closes(self) -> None:
        """Close in good order."""
        self.socket.sendall(self._ws.send(CloseConnection(1001)))
        self.sees_the_end()
