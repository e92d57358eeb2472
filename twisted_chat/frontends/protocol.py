"""The door for plain and structured lines: bytes to a session, and a session's bytes out."""

from collections.abc import Collection, Sequence
from functools import partial

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IReactorTime,
    ITransport,
)
from twisted.internet.protocol import Factory, connectionDone
from twisted.internet.tcp import Connection
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_chat.chat.chat import Chat
from twisted_chat.frontends import socket_options
from twisted_chat.frontends.admission import UNKNOWN, Admission
from twisted_chat.frontends.fairness import Turnstile
from twisted_chat.frontends.liveness import Lookout
from twisted_chat.frontends.networks import Networks
from twisted_chat.frontends.outlet import Outlet
from twisted_chat.limits import Limits
from twisted_chat.refusal import Refused
from twisted_chat.sessions.plain import PlainSession, greeting
from twisted_chat.sessions.session import Session
from twisted_chat.sessions.structured import StructuredSession
from twisted_chat.stores.memory import MemoryStore
from twisted_chat.turn import Turn
from twisted_chat.wire import foreign, keys
from twisted_chat.wire.lines import Lines
from twisted_chat.wire.plain import PlainWire, line
from twisted_chat.wire.structured import StructuredWire
from twisted_chat.wire.telnet import IAC, EndlessSubnegotiation, TelnetFilter

_log = Logger(namespace="chat")


class ChatProtocol(Lines):
    """One connection to the chat, in plain lines or in structured ones.

    The first line decides: one that begins with `{` makes it structured.

    Args:
        factory: what all connections share.
        address: where the other end is; `UNKNOWN` until a proxy says so.
    """

    outlet: Outlet

    def __init__(self, factory: "ChatFactory", address: str) -> None:
        super().__init__()
        self.factory = self._shared = factory
        self.address = address
        self.MAX_LENGTH = factory.chat.limits.input_bytes
        self._telnet: TelnetFilter | None = None  # from the first of telnet's own bytes on
        self._session: Session | None = None
        self._is_first = True
        self._is_structured = False
        self._holds: tuple[str, ...] = ()  # why no lines are delivered just now
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
        if isinstance(self._transport, Connection):
            self._transport.bufferSize = self.MAX_LENGTH  # what is read of one in one turn
        self.outlet = Outlet(self._transport, self._drained)
        self._shared.take_in(self)
        self._is_new = True
        admitted = self._admit()
        self._is_new = False
        if admitted:
            chat = self._shared.chat
            self.write(greeting(chat))
            self._session = PlainSession(chat, self, self._shared.plain)

    def _admit(self) -> bool:
        """Ask the admission; whoever may not come in is told why."""
        try:
            self._shared.admission.admit(self.address)
        except Refused as why:
            self._shared.chat.counters.refusals[why.code] += 1
            _log.info("{who} was refused: {why}", who=self.address, why=why.text)
            self._turn_away(why)
            return False
        self.is_admitted = True
        return True

    def _turn_away(self, why: Refused) -> None:
        if self._session is not None:
            self._session.hand_over()
            self._session = None
        self.write(line(f"!!! {why.text}"))
        if self._is_new and self.outlet.cut():
            return
        self.close()

    def _learn_address(self) -> None:
        """A proxy has said, before anything else, whom it speaks for."""
        self._is_proxied = False
        self._dismiss()
        self.address = _host(self._transport.getPeer())
        self._admit()

    def _dismiss(self) -> None:
        if self.is_admitted:
            self.is_admitted = False
            self._shared.admission.dismiss(self.address, nameless=self.is_nameless)

    def dataReceived(self, data: bytes) -> None:
        """Take telnet's own bytes out, then cut lines."""
        if self._is_proxied:
            self._learn_address()
        if self._closing:
            return
        if self._telnet is None:
            if self._is_structured or IAC not in data:
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
        if data.endswith(keys.KEYS) and not self._is_structured:
            data += b"\n" if not self._is_first or keys.is_typed(self.beginning + data) else b""
        super().dataReceived(data)
        if self._is_first and self.beginning:
            stranger = foreign.recognize_beginning(self.beginning)
            if stranger is not None:
                self._shared.chat.counters.refusals["stranger"] += 1
                self._turn_away(Refused("stranger", stranger))

    def lineReceived(self, line: bytes) -> None:
        """Hand a line to the session."""
        session = self._session_for(line)
        if session is not None:
            session.line_received(line)
            self._shared.turnstile.pass_through(self, line)

    def lineLengthExceeded(self, line: bytes) -> None:
        """Answer a line that is too long; it is skipped."""
        session = self._session_for(line)
        if session is not None:
            session.line_too_long()
            self._shared.turnstile.pass_through(self, line)

    def _session_for(self, line: bytes) -> Session | None:
        """Who is to hear a line, if anybody; the first one says which language they speak."""
        if self._session is None or self._closing:
            return None
        if self._is_first:
            self._is_first = False
            if line.startswith(b"{"):
                self._telnet = None
                self._is_structured = True  # programs do not negotiate
                self._session = self._shared.structured_session(self, self._session.hand_over())
        return self._session

    def inputEnded(self) -> None:
        """No more lines will come."""
        if self._session is None:
            self.close()
        else:
            self._session.input_ended()
            self._let_go()

    def _let_go(self) -> None:
        """Once all is over, know the session no more: it knows us, and memory is freed by that."""
        if self._gone and self._told_end:
            self._session = None

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is gone; what was said before that is still said."""
        self._gone = True
        self.outlet.stopProducing()
        if self._abortion is not None:
            self._abortion.cancel()
            self._abortion = None
        self._dismiss()
        self._shared.let_go(self)
        if self._session is not None:
            in_order = self._ended or reason.check(ConnectionDone)
            self._session.connection_lost("" if in_order else "connection lost")
        super().connectionLost(reason)
        self._release("output")
        self._let_go()

    def _drained(self) -> None:
        self._release("output")
        if self._session is not None:
            self._session.go_on()

    # What the session asks (`session.Frontend`)

    def write(self, data: bytes) -> None:
        """Answer; whoever does not read the answers is not asked for more."""
        self.outlet.write(data)
        if not self.outlet.ready and not self._closing and not self._gone:
            self._hold("output")

    def pause(self) -> None:
        """Deliver no lines until told to `resume`."""
        self._hold("session")

    def resume(self) -> None:
        """Deliver lines again."""
        self._release("session")

    def stand(self) -> None:
        """See `turnstile.Entrant`."""
        self._hold("turn")

    def walk(self) -> None:
        """See `turnstile.Entrant`."""
        self._release("turn")

    def _hold(self, why: str) -> None:
        if not self._holds:
            self.pauseProducing()
        if why not in self._holds:
            self._holds = (*self._holds, why)

    def _release(self, why: str) -> None:
        if why in self._holds:
            self._holds = tuple(other for other in self._holds if other != why)
            if not self._holds and (self._gone or not self._closing):
                self.resumeProducing()

    @property
    def is_nameless(self) -> bool:
        """Whether nobody with a nickname is here."""
        return self._session is None or not self._session.is_in

    @property
    def state(self) -> tuple[str, str]:
        """What is spoken here, and whether by somebody with a nickname."""
        return (
            "structured" if self._is_structured else "plain",
            "nameless" if self.is_nameless else "named",
        )

    @property
    def handle(self) -> object:
        """See `vanished.Connected`."""
        return getattr(self.transport, "getHandle", lambda: None)()

    def vanish(self) -> None:
        """See `vanished.Connected`."""
        _log.info("{who} has not answered for long", who=self.address)
        self._abort()

    def named(self) -> None:
        """See `session.Frontend`."""
        self._shared.admission.named(self.address)

    def ban(self) -> None:
        """Whoever this is may not be here any more."""
        why = Refused("banned", "You are banned from this server.")
        if self._session is None or not self._session.is_in:
            self._turn_away(why)
        else:
            self._session.refuse(why)
            self._shared.chat.part(self._session.person, "banned")

    def end(self) -> None:
        """The server stops; who has no nickname yet has nothing to read to its end."""
        if self.is_nameless:
            self.close()

    def hurry(self) -> None:
        """See `session.Frontend`."""
        self._holds = ()
        self.resumeProducing()

    def close(self) -> None:
        """Send what has been written, then close; at once if that is not read in time."""
        closing, self._closing = self._closing, True
        if closing or self._gone:
            return
        self.outlet.close()
        self._transport.loseConnection()
        self._abortion = self._shared.clock.callLater(
            self._shared.chat.limits.close_seconds, self._abort
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


class ChatFactory(Factory):
    """What all connections share: the chat.

    `ChatFactory(reactor)` on any endpoint is a working chat that keeps its history in memory.

    Args:
        clock: the time and timers, usually the reactor. Without it the global reactor is used,
            and everything is delivered at once, not at the end of the reactor's turn.
        chat: the chat; without it a new one is made of the other arguments.
        name: what the server is called.
        limits: what one connection may take.
        motd: lines for everybody who comes.
    """

    noisy = False

    def __init__(
        self,
        clock: IReactorTime | None = None,
        *,
        chat: Chat | None = None,
        name: str = "Twisted Chat",
        limits: Limits | None = None,
        motd: Sequence[str] = (),
    ) -> None:
        turn = Turn(None if clock is None else partial(clock.callLater, 0))
        if clock is None:
            from twisted.internet import reactor  # the caller has chosen one, or wants this

            clock = IReactorTime(reactor)
        self.clock = clock
        self.chat = chat or Chat(clock, MemoryStore(), turn, name, limits, motd)
        self.admission = Admission(clock, self.chat.limits)
        self.turnstile = Turnstile(clock, lambda: self.chat.is_behind)
        self.plain = PlainWire(self.chat.now)
        self._structured = StructuredWire()
        self._connections: set[ChatProtocol] = set()
        self._lookout = Lookout(clock, self._connections)
        self._empty: list[Deferred[None]] = []

    def buildProtocol(self, addr: IAddress | None) -> ChatProtocol:
        """A connection."""
        return ChatProtocol(self, _host(addr))

    def behind_proxy(self) -> "BehindProxy":
        """The same chat for an endpoint where a proxy says whom it speaks for (`haproxy:`)."""
        return BehindProxy(self)

    def structured_session(self, frontend: ChatProtocol, since: float) -> StructuredSession:
        """A structured conversation on a connection that has been there since then."""
        return StructuredSession(self.chat, frontend, self._structured, self.plain, since)

    @property
    def connections(self) -> Collection[ChatProtocol]:
        """Every connection that there is."""
        return self._connections

    def take_in(self, connection: ChatProtocol) -> None:
        """A connection is made."""
        self._connections.add(connection)
        self._lookout.wake()

    def ban(self, banned: Networks, allowed: Networks) -> None:
        """Let these in no more, unless they are allowed, and send away those who are here."""
        admitted = (other for other in self._connections if other.is_admitted)
        self.admission.use_lists(
            banned, allowed, ((other.address, other.is_nameless) for other in admitted)
        )
        for connection in list(self._connections):
            if self.admission.is_banned(connection.address):
                connection.ban()

    def let_go(self, connection: ChatProtocol) -> None:
        """A connection is gone."""
        self._connections.discard(connection)
        if not self._connections:
            waiting, self._empty = self._empty, []
            for deferred in waiting:
                deferred.callback(None)

    def say_goodbye(self) -> Deferred[None]:
        """Tell everybody that the server stops; fires when the last of them is gone."""
        self.chat.close("The server is shutting down")
        for connection in list(self._connections):
            connection.end()
        deferred: Deferred[None] = Deferred()
        if self._connections:
            self._empty.append(deferred)
        else:
            deferred.callback(None)
        return deferred

    def stopFactory(self) -> None:
        """Nobody listens any more."""
        self.say_goodbye()


class BehindProxy(Factory):
    """Makes connections whose address is known only when the proxy's header has come."""

    noisy = False

    def __init__(self, factory: ChatFactory) -> None:
        self._factory = factory

    def buildProtocol(self, addr: IAddress | None) -> ChatProtocol:
        """A connection."""
        return ChatProtocol(self._factory, UNKNOWN)


def _host(address: object) -> str:
    host = str(getattr(address, "host", "local"))
    return host.removeprefix("::ffff:")
