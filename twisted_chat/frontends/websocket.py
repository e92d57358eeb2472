"""The frontend for WebSockets: a connection in structured lines, each of them a text message."""

from math import ceil
from typing import Final

from twisted.internet.interfaces import IReactorTime, ITransport
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from wsproto.frame_protocol import CloseReason, Frame, FrameProtocol, Opcode, ParseFailed

from twisted_chat.frontends.line_connection import LineConnection, Wires
from twisted_chat.frontends.server import Server
from twisted_chat.limits import Pace
from twisted_chat.rate import Bucket
from twisted_chat.refusal import Refused
from twisted_chat.sessions.session import Session
from twisted_chat.sessions.structured import StructuredSession
from twisted_chat.wire.websocket import CLOSE, PING, PONG, frame

PING_SECONDS: Final = 25
"""Seconds between pings: proxies close connections that are silent for a minute."""

UNANSWERED: Final = 3
"""Pings in a row without any answer after which the connection counts as dead."""

LONGEST: Final = 8
"""A message of so many lines' maximum size closes the connection; a shorter one is refused."""

FRAME: Final = 64
"""Least bytes that each frame of a message counts as: even an empty one takes time."""

CONTROL_FRAMES: Final = Pace(20, 10)
"""The rate of pings that are answered; browsers send none, and libraries few."""

_ONE_LINE = str.maketrans("\r\n", "  ")


class WebSocket(LineConnection):
    """One WebSocket to the chat, from its handshake on, which the web frontend has answered.

    Args:
        server: what all connections share.
        wires: how events are shown; the structured one makes frames.
        address: where the other end is.
        pings: sends pings at intervals.
    """

    def __init__(self, server: Server, wires: Wires, address: str, pings: "Pings") -> None:
        super().__init__(server, wires, address)
        self._pings = pings
        self._frames = FrameProtocol(client=False, extensions=[])
        self._size = 0  # of the message that is arriving
        self._unanswered = 0  # pings
        self._control = Bucket()
        self._code: int | None = None  # why it is closed

    def connectionMade(self) -> None:
        """Programs speak first."""
        self._pings.add(self)
        self._is_let_in(ITransport(self.transport))

    def _new_session(self, first_line: bytes) -> Session:
        return StructuredSession(self._server.chat, self, self._wires.structured, self._wires.plain)

    def refuse(self, why: Refused) -> None:
        """See `BaseConnection.refuse`."""
        self.write(self._wires.structured.refusal(why))

    @property
    def language(self) -> str:
        """See `BaseConnection.language`."""
        return "websocket"

    def close(self) -> None:
        """See `BaseConnection.close`: a close frame comes last."""
        if not self._is_closing and not self._is_lost:
            self.outlet.write(frame(CLOSE, self._why_closed()))
        super().close()

    def _why_closed(self) -> bytes:
        code = self._code
        if code is None:
            stopping = self._server.chat.is_stopping or self._server.is_draining
            code = CloseReason.GOING_AWAY if stopping else CloseReason.NORMAL_CLOSURE
        return b"" if code == CloseReason.NO_STATUS_RCVD else code.to_bytes(2, "big")

    def dataReceived(self, data: bytes) -> None:
        """Take frames apart; their messages are passed on together, like a chunk of lines."""
        self._unanswered = 0
        if self._is_closing:
            return
        self._frames.receive_bytes(data)
        lines: list[str] = []
        broken: int | None = None
        try:
            for each in self._frames.received_frames():
                lines.append(self._take(each))
                if self._code is not None:
                    break
        except ParseFailed as error:
            broken = error.code
        super().dataReceived("".join(lines).encode())
        if broken is not None:
            self._break(broken)
        elif self._code is not None:
            self.readConnectionLost()

    def _take(self, each: Frame) -> str:
        """Take a frame; returns what it adds to the current line."""
        match each:
            case Frame(Opcode.TEXT, str(text)):
                return self._take_text(text, ends=each.message_finished)
            case Frame(Opcode.PING, bytes(data)):
                self._take_control()
                self.write(frame(PONG, data))
            case Frame(Opcode.PONG):
                self._take_control()
            case Frame(Opcode.CLOSE, (int(code), _)):
                self._code = code
            case _:
                raise ParseFailed("not text", CloseReason.UNSUPPORTED_DATA)
        return ""

    def _take_text(self, text: str, *, ends: bool) -> str:
        """A message is a line, perhaps in several frames."""
        self._size += len(text) + FRAME
        if self._size > LONGEST * self.MAX_LENGTH:
            raise ParseFailed("too long", CloseReason.MESSAGE_TOO_BIG)
        line = text.translate(_ONE_LINE)
        if ends:
            self._size = 0
            line += "\n"
        return line

    def _take_control(self) -> None:
        now = self._server.clock.seconds()
        if self._control.wait(CONTROL_FRAMES, now):
            raise ParseFailed("too many control frames", CloseReason.POLICY_VIOLATION)
        self._control.take(CONTROL_FRAMES, now)

    def _break(self, code: int) -> None:
        """The client breaks the protocol or our limits: close."""
        self._code = code
        self._server.chat.counters.refusals["bad-websocket"] += 1
        self.close()

    def readConnectionLost(self) -> None:
        """No more will come: an unfinished message is dropped."""
        self._rest = b""
        super().readConnectionLost()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """See `LineConnection.connectionLost`."""
        self._pings.discard(self)
        super().connectionLost(reason)

    def ping(self) -> None:
        """Check that the client is alive, unless it is just not being read, or not reading."""
        if self.paused or not self.outlet.ready:
            return
        if self._unanswered >= UNANSWERED:
            self.vanish()
        else:
            self._unanswered += 1
            self.outlet.write(frame(PING))


class Pings:
    """Pings each WebSocket at regular intervals, a few of them each second.

    Args:
        clock: the time.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._all: set[WebSocket] = set()
        self._rest: list[WebSocket] = []
        self._some = 0
        self._second = 0  # of the round
        self._runs = False

    def add(self, socket: WebSocket) -> None:
        """Ping this one too."""
        self._all.add(socket)
        self._wake()

    def discard(self, socket: WebSocket) -> None:
        """Stop pinging this one."""
        self._all.discard(socket)
        if not self._all:  # nobody will come to the end of this round
            self._rest = []

    def _wake(self) -> None:
        if not self._runs and self._all:
            self._runs = True
            self._clock.callLater(1, self._ping_some)

    def _ping_some(self) -> None:
        """A round over all of them takes `PING_SECONDS`, however many there are."""
        if self._second == 0:
            self._rest = list(self._all)
            self._some = ceil(len(self._rest) / PING_SECONDS)
        self._second = (self._second + 1) % PING_SECONDS
        some, self._rest = self._rest[: self._some], self._rest[self._some :]
        for socket in some:
            if socket in self._all:
                socket.ping()
        self._runs = False
        self._wake()
