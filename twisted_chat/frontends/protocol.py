"""The frontend for plain and structured lines: bytes to a session, and a session's bytes out."""

from twisted.internet.interfaces import ITransport

from twisted_chat.frontends.line_connection import LineConnection, Wires
from twisted_chat.frontends.server import Server
from twisted_chat.refusal import Refused
from twisted_chat.sessions.plain import PlainSession, greeting
from twisted_chat.sessions.session import Session
from twisted_chat.sessions.structured import StructuredSession
from twisted_chat.wire import foreign, keys
from twisted_chat.wire.plain import line
from twisted_chat.wire.telnet import IAC, EndlessSubnegotiation, TelnetFilter


class ChatProtocol(LineConnection):
    """One connection to the chat, in plain lines or in structured ones.

    The first line decides: one that begins with `{` makes it structured.

    Args:
        server: what all connections share.
        wires: how events are shown, in each of these ways.
        address: where the other end is; `UNKNOWN` until a proxy says so.
    """

    def __init__(self, server: Server, wires: Wires, address: str) -> None:
        super().__init__(server, wires, address)
        self._telnet: TelnetFilter | None = None  # from the first of telnet's own bytes on

    def connectionMade(self) -> None:
        """Speak first."""
        if self._is_let_in(ITransport(self.transport)):
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

    def _new_session(self, first_line: bytes) -> Session:
        chat, wires = self._server.chat, self._wires
        if first_line.startswith(b"{"):
            self._telnet = None  # programs do not negotiate
            return StructuredSession(chat, self, wires.structured, wires.plain)
        return PlainSession(chat, self, wires.plain)

    def refuse(self, why: Refused) -> None:
        """See `BaseConnection.refuse`: until the first line, everybody reads plain lines."""
        self.write(line(f"!!! {why.text}"))

    @property
    def language(self) -> str:
        """See `BaseConnection.language`: plain, until the first line says something else."""
        return "structured" if isinstance(self._session, StructuredSession) else "plain"
