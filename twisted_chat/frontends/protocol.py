"""The frontend for plain and structured lines: bytes to a session, and a session's bytes out."""

from typing import NamedTuple

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IDelayedCall, ITransport
from twisted.internet.protocol import connectionDone
from twisted.internet.tcp import Connection
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_chat.frontends import socket_options
from twisted_chat.frontends.admission import UNKNOWN
from twisted_chat.frontends.gate import InputGate
from twisted_chat.frontends.outlet import Outlet
from twisted_chat.frontends.server import Server
from twisted_chat.refusal import Refused
from twisted_chat.sessions.plain import PlainSession, greeting
from twisted_chat.sessions.session import Session
from twisted_chat.sessions.structured import StructuredSession
from twisted_chat.text.counted import counted
from twisted_chat.wire import foreign, keys
from twisted_chat.wire.lines import Lines
from twisted_chat.wire.plain import PlainWire, line
from twisted_chat.wire.structured import StructuredWire
from twisted_chat.wire.telnet import IAC, EndlessSubnegotiation, TelnetFilter

_log = Logger(namespace="chat")


class Wires(NamedTuple):
    """How events are shown, in each of the ways that this frontend speaks."""

    plain: PlainWire
    structured: StructuredWire


class ChatProtocol(Lines):
    """One connection to the chat, in plain lines or in structured ones.

    The first line decides: one that begins with `{` makes it structured.

    Args:
        server: what all connections share.
        wires: how events are shown, in each of these ways.
        address: where the other end is; `UNKNOWN` until a proxy says so.
    """

    outlet: Outlet

    def __init__(self, server: Server, wires: Wires, address: str) -> None:
        super().__init__()
        self._server = server
        self._wires = wires
        self.address = address
        self.MAX_LENGTH = server.chat.limits.input_bytes
        self._gate = InputGate(self.pauseProducing, self._open)
        self._telnet: TelnetFilter | None = None  # from the first of telnet's own bytes on
        self._session: Session | None = None  # from the first line on, which chooses it
        self._deadline: IDelayedCall | None = None  # for a nickname
        self._abortion: IDelayedCall | None = None
        self._closing = False
        self.is_admitted = False  # and counted by the admission
        self._is_proxied = address == UNKNOWN
        self._is_new = False  # it is being made in this very call

    # What the transport tells

    def connectionMade(self) -> None:
        """Send the greeting."""
        self._transport = ITransport(self.transport)
        socket_options.prepare(self._transport)
        if isinstance(self._transport, Connection):
            self._transport.bufferSize = self.MAX_LENGTH  # what is read of one in one turn
        self.outlet = Outlet(self._transport, self._drained)
        self._server.add(self)
        self._is_new = True
        admitted = self._admit()
        self._is_new = False
        if admitted:
            chat = self._server.chat
            self._deadline = self._server.clock.callLater(
                chat.limits.nickname_seconds, self._too_late
            )
            self.write(greeting(chat))

    def _admit(self) -> bool:
        """Check the admission limits; if they refuse the connection, say why."""
        try:
            self._server.admission.admit(self.address)
        except Refused as why:
            self._server.chat.counters.refusals[why.code] += 1
            _log.info("{who} was refused: {why}", who=self.address, why=why.text)
            self._turn_away(why)
            return False
        self.is_admitted = True
        return True

    def _turn_away(self, why: Refused) -> None:
        if self._session is not None:
            self._session.dismiss()
            self._session = None
        self.write(line(f"!!! {why.text}"))
        if self._is_new and self.outlet.cut():
            return
        self.close()
        self._gate.release_all()  # whoever had a reason is gone, or does not matter any more

    def _learn_address(self) -> None:
        """The proxy's header has arrived, with the client's address."""
        self._is_proxied = False
        self._dismiss()
        self.address = host_of(self._transport.getPeer())
        self._admit()

    def _dismiss(self) -> None:
        if self.is_admitted:
            self.is_admitted = False
            self._server.admission.dismiss(self.address, nameless=self.is_nameless)

    def dataReceived(self, data: bytes) -> None:
        """Remove telnet commands, then split lines."""
        if self._is_proxied:
            self._learn_address()
        if self._closing:
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
        if self._session is None and self.beginning and not self._closing:
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
        """The session for a line, if there is one; the first line decides on the format."""
        if self._closing:
            return None
        if self._session is None:
            chat, wires = self._server.chat, self._wires
            if line.startswith(b"{"):
                self._telnet = None  # programs do not negotiate
                self._session = StructuredSession(chat, self, wires.structured, wires.plain)
            else:
                self._session = PlainSession(chat, self, wires.plain)
        return self._session

    def inputEnded(self) -> None:
        """No more lines will come."""
        if self._session is None:
            self.close()
        else:
            self._session.input_ended()
            self._free()

    def _free(self) -> None:
        """At the end, drop references, so that reference counting frees the memory."""
        if self._gone and self._told_end:
            self._session = None
            self._gate.forget()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is gone; what was said before that is still said."""
        self._gone = True
        self.outlet.stopProducing()
        if self._abortion is not None:
            self._abortion.cancel()
            self._abortion = None
        self._stop_deadline()
        self._dismiss()
        self._server.remove(self)
        if self._session is not None:
            in_order = self._ended or reason.check(ConnectionDone)
            self._session.connection_lost("" if in_order else "connection lost")
        super().connectionLost(reason)
        self._gate.release("output")
        if not self._gate.reasons:
            self.resumeProducing()  # also if we were closing: so the end is told
        self._free()

    def _drained(self) -> None:
        self._gate.release("output")
        if self._session is not None:
            self._session.go_on()

    # What the session asks (`session.Frontend`)

    def write(self, data: bytes) -> None:
        """Send an answer; a client that does not read its answers is paused."""
        self.outlet.write(data)
        if not self.outlet.ready and not self._closing and not self._gone:
            self._gate.hold("output")

    def pause(self, reason: str = "session") -> None:
        """Deliver no lines until told to `resume` for the same reason."""
        self._gate.hold(reason)

    def resume(self, reason: str = "session") -> None:
        """This is no reason any more to deliver no lines."""
        self._gate.release(reason)

    def _open(self) -> None:
        if self._gone or not self._closing:
            self.resumeProducing()

    @property
    def is_nameless(self) -> bool:
        """Whether there is no nickname yet."""
        return self._session is None or not self._session.is_in

    @property
    def state(self) -> tuple[str, str]:
        """The format (plain or structured), and whether there is a nickname."""
        return (
            "structured" if isinstance(self._session, StructuredSession) else "plain",
            "nameless" if self.is_nameless else "named",
        )

    @property
    def handle(self) -> object:
        """See `liveness.Connected`."""
        return getattr(self.transport, "getHandle", lambda: None)()

    def vanish(self) -> None:
        """See `liveness.Connected`."""
        _log.info("{who} timed out", who=self.address)
        self._abort()

    def named(self) -> None:
        """See `session.Frontend`."""
        self._stop_deadline()
        if self.is_admitted:
            self._server.admission.named(self.address)

    def ban(self) -> None:
        """The address is banned now: disconnect."""
        why = Refused("banned", "You are banned from this server.")
        if self._session is None or not self._session.is_current:
            self._turn_away(why)
        else:
            self._session.refuse(why)
            self._server.chat.quit(self._session.person, self._session.device, "banned")

    def end(self) -> None:
        """The server is stopping; a connection without a nickname is closed at once."""
        if self.is_nameless:
            self.close()

    def hurry(self) -> None:
        """See `session.Frontend`."""
        self._gate.release_all()

    def close(self) -> None:
        """Send what has been written, then close; at once if that is not read in time."""
        closing, self._closing = self._closing, True
        if closing or self._gone:
            return
        self._stop_deadline()
        self.outlet.close()
        self._transport.loseConnection()
        self._abortion = self._server.clock.callLater(
            self._server.chat.limits.close_seconds, self._abort
        )

    def abort(self) -> None:
        """Close at once."""
        self.close()
        if self._abortion is not None:
            self._abortion.cancel()
        self._abort()

    def _abort(self) -> None:
        self._abortion = None
        abort = getattr(self.transport, "abortConnection", None)
        if abort is not None:
            abort()

    def _too_late(self) -> None:
        self._deadline = None
        time = counted(round(self._server.chat.limits.nickname_seconds), "second")
        text = f"You chose no nickname within {time}: connect again."
        if self._session is None:
            self.write(line(f"!!! {text}"))
        else:
            self._session.dismiss()
            self._session.announce(text)
        self.close()

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def host_of(address: object) -> str:
    """Where somebody is, without their port: an IPv4 address mapped to IPv6 is itself."""
    host = str(getattr(address, "host", "local"))
    return host.removeprefix("::ffff:")
