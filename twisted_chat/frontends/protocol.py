"""The frontend for plain and structured lines: bytes to a session, and a session's bytes out."""

from typing import NamedTuple

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import ITransport
from twisted.internet.protocol import connectionDone
from twisted.internet.tcp import Connection
from twisted.python.failure import Failure

from twisted_chat.frontends.connection import BaseConnection
from twisted_chat.frontends.server import Server
from twisted_chat.refusal import Refused
from twisted_chat.sessions.plain import PlainSession, greeting
from twisted_chat.sessions.session import Session
from twisted_chat.sessions.structured import StructuredSession
from twisted_chat.wire import foreign, keys
from twisted_chat.wire.lines import Lines
from twisted_chat.wire.plain import PlainWire, line
from twisted_chat.wire.structured import StructuredWire
from twisted_chat.wire.telnet import IAC, EndlessSubnegotiation, TelnetFilter


class Wires(NamedTuple):
    """How events are shown, in each of the ways that this frontend speaks."""

    plain: PlainWire
    structured: StructuredWire


class ChatProtocol(Lines, BaseConnection):
    """One connection to the chat, in plain lines or in structured ones.

    The first line decides: one that begins with `{` makes it structured.

    Args:
        server: what all connections share.
        wires: how events are shown, in each of these ways.
        address: where the other end is; `UNKNOWN` until a proxy says so.
    """

    def __init__(self, server: Server, wires: Wires, address: str) -> None:
        Lines.__init__(self)
        BaseConnection.__init__(self, server, address)
        self._wires = wires
        self.MAX_LENGTH = server.chat.limits.input_bytes
        self._telnet: TelnetFilter | None = None  # from the first of telnet's own bytes on

    # What the transport tells

    def connectionMade(self) -> None:
        """Speak first."""
        transport = ITransport(self.transport)
        if isinstance(transport, Connection):
            transport.bufferSize = self.MAX_LENGTH  # what is read of one in one turn
        if self._is_let_in(transport):
            self.write(greeting(self._server.chat))

    def dataReceived(self, data: bytes) -> None:
        """Remove telnet commands, then split lines."""
        if self._is_proxied:
            self._learn_address()
        if self._is_closing:
            return
        if self._telnet is None:
            if IAC not in data or isinstance(self._session, StructuredSession):
                self._cut(data)
                return
            self._telnet = TelnetFilter()
        try:
            typed, answers = self._telnet.feed(data)
        except EndlessSubnegotiation:
            self.write(line("!!! That telnet negotiation is too long: goodbye."))
            self.close()
            return
        if answers:
            self.write(answers)
        if typed:
            self._cut(typed)

    def _cut(self, data: bytes) -> None:
        """Split lines; other protocols are recognised first, as they may never end one."""
        if data.endswith(keys.KEYS) and self._has_pressed_key(data):
            data += b"\n"
        super().dataReceived(data)
        if self._session is None and self.beginning and not self._is_closing:
            stranger = foreign.recognize_beginning(self.beginning)
            if stranger is not None:
                self._server.chat.counters.refusals["stranger"] += 1
                self._turn_away(Refused("stranger", stranger))

    def _has_pressed_key(self, data: bytes) -> bool:
        if self._session is None:
            return keys.is_typed(self.beginning + data)
        return isinstance(self._session, PlainSession)

    def lineReceived(self, line: bytes) -> None:
        """Hand a line to the session."""
        session = self._session_for(line)
        if session is not None:
            session.line_received(line)
            self._pass_through(line)

    def lineLengthExceeded(self, line: bytes) -> None:
        """Answer a line that is too long; it is skipped."""
        session = self._session_for(line)
        if session is not None:
            session.line_too_long()
            self._pass_through(line)

    def _pass_through(self, line: bytes) -> None:
        if not self._server.chat.is_stopping:  # then there is no next turn
            self._server.turnstile.pass_through(self, line)

    def _session_for(self, line: bytes) -> Session | None:
        """Who is to hear a line, if anybody; the first one says which language they speak."""
        if self._is_closing:
            return None
        if self._session is None:
            chat, wires = self._server.chat, self._wires
            if line.startswith(b"{"):
                self._telnet = None  # programs do not negotiate
                self._session = StructuredSession(chat, self, wires.structured, wires.plain)
            else:
                self._session = PlainSession(chat, self, wires.plain)
            if self._is_lost:  # before the first line was delivered: it waited for the output
                self._session.connection_lost(self._why_lost)
        return self._session

    def inputEnded(self) -> None:
        """No more lines will come."""
        if self._session is None:
            self.close()
        else:
            self._session.input_ended()
            self._free_if_over()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is gone; what was said before that is still said."""
        self._gone = True
        self._lose(in_order=bool(self._ended or reason.check(ConnectionDone)))
        super().connectionLost(reason)
        self._gate.release("output")
        if not self._gate.reasons:
            self.resumeProducing()  # also if we were closing: so the end is told
        self._free_if_over()

    def _free_if_over(self) -> None:
        if self._gone and self._told_end:
            self._free()

    def say(self, text: str) -> None:
        """See `BaseConnection.say`: until the first line, everybody reads plain lines."""
        self.write(line(f"!!! {text}"))

    @property
    def language(self) -> str:
        """See `BaseConnection.language`: plain, until the first line says something else."""
        return "structured" if isinstance(self._session, StructuredSession) else "plain"
