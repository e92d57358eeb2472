"""The frontend for WebSockets: a connection in structured lines, each of them a text message."""

from math import ceil
from typing import Final

from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from wsproto.frame_protocol import CloseReason, Frame, FrameProtocol, Opcode, ParseFailed

from twisted_chat.frontends.protocol import ChatProtocol, Wires
from twisted_chat.frontends.server import Server
from twisted_chat.limits import Pace
from twisted_chat.rate import Bucket
from twisted_chat.refusal import Refused
from twisted_chat.wire.lines import Lines
from twisted_chat.wire.websocket import CLOSE, PING, PONG, frame

PING_SECONDS: Final = 25
"""Proxies close what has been silent for a minute."""

UNANSWERED: Final = 3
"""Pings in a row without any answer after which somebody has vanished."""

LONGEST: Final = 8
"""How many times longer than any line a message may be, to be refused and not to end it all."""

FRAME: Final = 64
"""Bytes that each frame of a message counts as at least: it has its cost even if it is empty."""

CONTROL_FRAMES: Final = Pace(20, 10)
"""Pings that are answered; browsers send none, and libraries one in some seconds."""

_ONE_LINE = str.maketrans("\r\n", "  ")


class WebSocket(ChatProtocol):
    """One WebSocket to the chat; after its handshake, which is the web frontend's.

    Args:
        server: what all connections share.
        wires: how events are shown; the structured one gives frames.
        address: where the other end is.
        accepted: the answer to the handshake, which is sent first.
        pings: who sends a ping now and then.
    """

    def __init__(
        self, server: Server, wires: Wires, address: str, accepted: bytes, pings: "Pings"
    ) -> None:
        super().__init__(server, wires, address)
        self._accepted = accepted
        self._pings = pings
        self._frames = FrameProtocol(client=False, extensions=[])
        self._size = 0  # of the message that is arriving
        self._unanswered = 0  # pings
        self._control = Bucket()
        self._code: int | None = None  # why it is closed

    def _begin(self) -> None:
        self.outlet.write(self._accepted)
        self._accepted = b""
        self._pings.add(self)

    def _greet(self) -> None:
        """Programs speak first."""

    def _is_structured(self, first_line: bytes) -> bool:
        return True

    def _refuse(self, why: Refused) -> None:
        self.write(self._wires.structured.refusal(why))

    def _end(self) -> None:
        code = self._code
        if code is None:
            stopping = self._server.chat.is_stopping
            code = CloseReason.GOING_AWAY if stopping else CloseReason.NORMAL_CLOSURE
        none = code == CloseReason.NO_STATUS_RCVD
        self.outlet.write(frame(CLOSE, b"" if none else code.to_bytes(2, "big")))

    @property
    def state(self) -> tuple[str, str]:
        """See `server.Connection`."""
        return "websocket", super().state[1]

    def dataReceived(self, data: bytes) -> None:
        """Take frames apart."""
        self._unanswered = 0
        self._frames.receive_bytes(data)
        try:
            for each in self._frames.received_frames():
                if self._closing:
                    return
                self._take(each)
        except ParseFailed as error:
            self._break(error.code)

    def _take(self, each: Frame) -> None:
        match each:
            case Frame(Opcode.TEXT, str(text)):
                self._take_text(text, ends=each.message_finished)
            case Frame(Opcode.PING, bytes(data)):
                self._take_control()
                self.write(frame(PONG, data))
            case Frame(Opcode.PONG):
                self._take_control()
            case Frame(Opcode.CLOSE, (int(code), _)):
                self._code = code
                self.readConnectionLost()
            case _:
                self._break(CloseReason.UNSUPPORTED_DATA)

    def _take_text(self, text: str, *, ends: bool) -> None:
        """A message is a line in pieces."""
        self._size += len(text) + FRAME
        if self._size > LONGEST * self.MAX_LENGTH:
            self._break(CloseReason.MESSAGE_TOO_BIG)
            return
        line = text.translate(_ONE_LINE)
        if ends:
            self._size = 0
            line += "\n"
        Lines.dataReceived(self, line.encode())

    def _take_control(self) -> None:
        now = self._server.clock.seconds()
        if self._control.wait(CONTROL_FRAMES, now):
            raise ParseFailed("too many control frames", CloseReason.POLICY_VIOLATION)
        self._control.take(CONTROL_FRAMES, now)

    def _break(self, code: int) -> None:
        """The other end does not keep to the protocol, or to our limits."""
        self._code = code
        self._server.chat.counters.refusals["bad-websocket"] += 1
        self.close()

    def readConnectionLost(self) -> None:
        """No more will come: a message without its end is none."""
        self._rest = b""
        super().readConnectionLost()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """See `ChatProtocol.connectionLost`."""
        self._pings.discard(self)
        super().connectionLost(reason)

    def ping(self) -> None:
        """Ask whether anybody is there; who stands still, or is not read just now, is not asked."""
        if self.paused or not self.outlet.ready:
            return
        if self._unanswered >= UNANSWERED:
            self.vanish()
        else:
            self._unanswered += 1
            self.outlet.write(frame(PING))


class Pings:
    """Pings each WebSocket now and then, some of them each second.

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
        """Ping one more."""
        self._all.add(socket)
        self._wake()

    def discard(self, socket: WebSocket) -> None:
        """Ping one no more."""
        self._all.discard(socket)

    def _wake(self) -> None:
        if not self._runs and self._all:
            self._runs = True
            self._clock.callLater(1, self._ping_some)

    def _ping_some(self) -> None:
        """A round takes so many seconds, however few or many there are."""
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
