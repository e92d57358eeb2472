"""The frontend for plain and structured lines: bytes to a session, and a session's bytes out."""

from typing import NamedTuple

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IDelayedCall, ITransport
from twisted.internet.protocol import connectionDone
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
        """Speak first."""
        self._transport = ITransport(self.transport)
        socket_options.prepare(self._transport)
        connection = socket_options.connection_under(self._transport)
        if connection is not None:
            connection.bufferSize = self.MAX_LENGTH  # what is read of one in one turn
        self.outlet = Outlet(self._transport, self._drained)
        self._begin()
        self._server.add(self)
        admitted = self._admit()
        self._is_new = False
        if admitted:
            chat = self._server.chat
            self._deadline = self._server.clock.callLater(
                chat.limits.nickname_seconds, self._too_late
            )
            self._greet()

    def _begin(self) -> None:
        """Nothing has been said yet: whoever is turned away now can be cut off at once."""
        self._is_new = True

    def _greet(self) -> None:
        """Ask for a nickname."""
        self.write(greeting(self._server.chat))

    def _refuse(self, why: Refused) -> None:
        """Say why something is not done to somebody who has not said anything yet."""
        self.write(line(f"!!! {why.text}"))

    def _admit(self) -> bool:
        """Ask the admission; whoever may not come in is told why."""
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
        self._refuse(why)
        if self._is_new and self.outlet.cut():
            return
        self.close()
        self._gate.release_all()  # whoever had a reason is gone, or does not matter any more

    def _learn_address(self) -> None:
        """A proxy has said, before anything else, whom it speaks for."""
        self._is_proxied = False
        self._dismiss()
        self.address = host_of(self._transport.getPeer())
        self._admit()

    def _dismiss(self) -> None:
        if self.is_admitted:
            self.is_admitted = False
            self._server.admission.dismiss(self.address, nameless=self.is_nameless)

    def dataReceived(self, data: bytes) -> None:
        """Take telnet's own bytes out, then cut lines."""
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
            self.write(line("!!! That telnet negotiation does not end: goodbye."))
            self.close()
            return
        if answers:
            self.write(answers)
        if typed:
            self._cut(typed)

    def _cut(self, data: bytes) -> None:
        """Cut lines; what is none of a chat's languages may never end one."""
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
        """Who is to hear a line, if anybody; the first one says which language they speak."""
        if self._closing:
            return None
        if self._session is None:
            if self._is_structured(line):
                self._telnet = None  # programs do not negotiate
                self._session = StructuredSession(
                    self._server.chat, self, self._wires.structured, self._wires.plain
                )
            else:
                self._session = PlainSession(self._server.chat, self, self._wires.plain)
        return self._session

    def _is_structured(self, first_line: bytes) -> bool:
        return first_line.startswith(b"{")

    def inputEnded(self) -> None:
        """No more lines will come."""
        if self._session is None:
            self.close()
        else:
            self._session.input_ended()
            self._free()

    def _free(self) -> None:
        """Once all is over, know no more who knows us: memory is freed by that."""
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
        """Answer; whoever does not read the answers is not asked for more."""
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
        """Whether nobody with a nickname is here."""
        return self._session is None or not self._session.is_in

    @property
    def state(self) -> tuple[str, str]:
        """What is spoken here, and whether by somebody with a nickname."""
        return (
            "structured" if isinstance(self._session, StructuredSession) else "plain",
            "nameless" if self.is_nameless else "named",
        )

    @property
    def handle(self) -> object:
        """See `vanished.Connected`."""
        return socket_options.socket_under(self.transport)

    def vanish(self) -> None:
        """See `vanished.Connected`."""
        _log.info("{who} has not answered for long", who=self.address)
        self._abort()

    def named(self) -> None:
        """See `session.Frontend`."""
        self._stop_deadline()
        if self.is_admitted:
            self._server.admission.named(self.address)

    def ban(self) -> None:
        """Whoever this is may not be here any more."""
        why = Refused("banned", "You are banned from this server.")
        if self._session is None or not self._session.is_current:
            self._turn_away(why)
        else:
            self._session.refuse(why)
            self._server.chat.part(self._session.person, "banned")

    def end(self) -> None:
        """The server stops; who has no nickname yet has nothing to read to its end."""
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
        self._end()
        self.outlet.close()
        self._transport.loseConnection()
        self._abortion = self._server.clock.callLater(
            self._server.chat.limits.close_seconds, self._abort
        )

    def _end(self) -> None:
        """Write what comes after everything else."""

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
        text = f"No nickname in {time}: connect again when you have one."
        if self._session is None:
            self._refuse(Refused("closing", text))
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
