"""A connection that is read line by line: the first line starts a session, which gets them all."""

from typing import NamedTuple

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import ITransport
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure

from twisted_chat.frontends import socket_options
from twisted_chat.frontends.connection import BaseConnection
from twisted_chat.frontends.server import Server
from twisted_chat.sessions.session import Session
from twisted_chat.wire.lines import Lines
from twisted_chat.wire.plain import PlainWire
from twisted_chat.wire.structured import StructuredWire


class Wires(NamedTuple):
    """How events are shown, in each of the formats that a session may use."""

    plain: PlainWire
    structured: StructuredWire


class LineConnection(Lines, BaseConnection):
    """One connection to the chat whose input is split into lines.

    Args:
        server: what all connections share.
        wires: how events are shown.
        address: where the other end is; `UNKNOWN` until a proxy says so.
    """

    def __init__(self, server: Server, wires: Wires, address: str) -> None:
        Lines.__init__(self)
        BaseConnection.__init__(self, server, address)
        self._wires = wires
        self.MAX_LENGTH = server.chat.limits.input_bytes

    def _new_session(self, first_line: bytes) -> Session:
        """The session that suits the first line."""
        raise NotImplementedError

    def _is_let_in(self, transport: ITransport) -> bool:
        connection = socket_options.connection_under(transport)
        if connection is not None:
            connection.bufferSize = self.MAX_LENGTH  # what is read of one in one turn
        return super()._is_let_in(transport)

    def lineReceived(self, line: bytes) -> None:
        """Hand a line to the session."""
        session = self._session
        if session is None or self._is_closing:
            session = self._session_for(line)
        if session is not None:
            session.line_received(line)
            if not self._server.chat.is_stopping:  # then there is no next turn
                self._server.turnstile.pass_through(self, line)

    def lineLengthExceeded(self, line: bytes) -> None:
        """Answer a line that is too long; it is skipped."""
        session = self._session_for(line)
        if session is not None:
            session.line_too_long()
            if not self._server.chat.is_stopping:
                self._server.turnstile.pass_through(self, line)

    def _session_for(self, line: bytes) -> Session | None:
        """The session that gets a line, if there is one; the first line starts it."""
        if self._is_closing:
            return None
        if self._session is None:
            self._session = self._new_session(line)
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

    def readConnectionLost(self) -> None:
        """No more lines will come; half a line counts, unless the connection is broken.

        Then `connectionLost` is to come, for the transport has something to send.
        """
        if self._gone or not self.outlet.is_reset:
            super().readConnectionLost()

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
