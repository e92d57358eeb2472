"""What all frontends' connections do: be let in or not, take a nickname in time, and close."""

from twisted.internet.interfaces import IDelayedCall, ISSLTransport, ITransport
from twisted.logger import Logger

from twisted_chat.addresses import is_here
from twisted_chat.frontends import socket_options
from twisted_chat.frontends.admission import UNKNOWN
from twisted_chat.frontends.gate import InputGate
from twisted_chat.frontends.outlet import Outlet
from twisted_chat.frontends.server import Server
from twisted_chat.refusal import Refused
from twisted_chat.sessions.session import Session
from twisted_chat.text.counted import counted

_log = Logger(namespace="chat")


class BaseConnection:
    """One connection to the chat; what is spoken over it is in the subclasses.

    Args:
        server: what all connections share.
        address: where the other end is; `UNKNOWN` until a proxy says so.
    """

    outlet: Outlet

    def __init__(self, server: Server, address: str) -> None:
        self.address = address
        self.is_admitted = False  # and counted by the admission
        self._server = server
        self._gate = InputGate(self.pauseProducing, self._open)
        self._session: Session | None = None  # from when it is known what they speak
        self._deadline: IDelayedCall | None = None  # for a nickname
        self._abortion: IDelayedCall | None = None
        self._is_proxied = address == UNKNOWN
        self._is_new = False  # it is being made in this very call
        self._is_closing = self._is_lost = False
        self._why_lost = ""  # see `Session.connection_lost`

    # What a frontend does in its own way

    def pauseProducing(self) -> None:
        """Deliver no lines, and read none."""
        raise NotImplementedError

    def resumeProducing(self) -> None:
        """Deliver what waited, then read on."""
        raise NotImplementedError

    def refuse(self, why: Refused) -> None:
        """Say why nothing comes of it, before there is a session."""
        raise NotImplementedError

    @property
    def language(self) -> str:
        """What is spoken here."""
        raise NotImplementedError

    # Coming and going

    def _is_let_in(self, transport: ITransport) -> bool:
        """A connection is made: ask the admission; then they have some time for a nickname."""
        self._transport = transport
        socket_options.prepare(transport)
        self.outlet = Outlet(transport, self._drained)
        self._server.add(self)
        self._is_new = True
        admitted = self._admit()
        self._is_new = False
        if admitted:
            seconds = self._server.chat.limits.nickname_seconds
            self._deadline = self._server.clock.callLater(seconds, self._too_late)
        return admitted

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
        self.refuse(why)
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

    def _too_late(self) -> None:
        self._deadline = None
        time = counted(round(self._server.chat.limits.nickname_seconds), "second")
        text = f"You chose no nickname within {time}: connect again."
        if self._session is None:
            self.refuse(Refused("closing", text))
        else:
            self._session.dismiss()
            self._session.announce(text)
        self.close()

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _lose(self, *, in_order: bool) -> None:
        """The connection is gone; what was said before that is still said."""
        self._is_lost = True
        self._why_lost = "" if in_order else "connection lost"
        self.outlet.stopProducing()
        if self._abortion is not None:
            self._abortion.cancel()
            self._abortion = None
        self._stop_deadline()
        self._dismiss()
        self._server.remove(self)
        if self._session is not None:
            self._session.connection_lost(self._why_lost)

    def _free(self) -> None:
        """All is over: know no more who knows us, for memory is freed by that."""
        self._session = None
        self._gate.forget()

    def _drained(self) -> None:
        self._gate.release("output")
        if self._session is not None:
            self._session.go_on()

    def _open(self) -> None:
        if self._is_lost or not self._is_closing:
            self.resumeProducing()

    # What the session asks (`frontend.Frontend`)

    def write(self, data: bytes) -> None:
        """Answer; whoever does not read the answers is not asked for more."""
        self.outlet.write(data)
        if not self.outlet.ready and not self._is_closing and not self._is_lost:
            self._gate.hold("output")

    def pause(self, reason: str = "session") -> None:
        """Deliver no lines until told to `resume` for the same reason."""
        self._gate.hold(reason)

    def resume(self, reason: str = "session") -> None:
        """This is no reason any more to deliver no lines."""
        self._gate.release(reason)

    def deliver_all(self) -> None:
        """See `frontend.Frontend`."""
        self._gate.release_all()

    def named(self) -> None:
        """See `frontend.Frontend`."""
        self._stop_deadline()
        if self.is_admitted:
            self._server.admission.named(self.address)

    def close(self) -> None:
        """Send what has been written, then close; at once if that is not read in time."""
        was_closing, self._is_closing = self._is_closing, True
        if was_closing or self._is_lost:
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
        abort = getattr(self._transport, "abortConnection", None)
        if abort is not None:
            abort()

    @property
    def is_private(self) -> bool:
        """See `frontend.Frontend`: encrypted, or within this machine."""
        return ISSLTransport.providedBy(self._transport) or is_here(self.address)

    def hide_typing(self, *, is_hidden: bool) -> None:
        """See `frontend.Frontend`: programs show what they like."""

    # What the server asks (`server.Connection`)

    @property
    def is_nameless(self) -> bool:
        """Whether nobody with a nickname is here."""
        return self._session is None or not self._session.is_in

    @property
    def state(self) -> tuple[str, str]:
        """What is spoken here, and whether by somebody with a nickname."""
        return self.language, "nameless" if self.is_nameless else "named"

    @property
    def handle(self) -> object:
        """See `liveness.Connected`."""
        return socket_options.socket_under(self._transport)

    def vanish(self) -> None:
        """See `liveness.Connected`."""
        _log.info("{who} timed out", who=self.address)
        self._abort()

    def ban(self, why: Refused) -> None:
        """Whoever this is may not be here any more."""
        if self._session is None or not self._session.is_current:
            self._turn_away(why)
        else:
            self._session.refuse(why)
            self._server.chat.quit(self._session.person, self._session.device, "banned")

    def end(self) -> None:
        """The server stops; who has no nickname yet has nothing to read to its end."""
        if self.is_nameless:
            self.close()

    def moves_on(self) -> bool:
        """See `server.Connection`: what they have said is still done, and they read to the end."""
        session = self._session
        if session is None or not session.may_resume or not session.is_current:
            return False
        session.do_all()
        session.end()
        return True

    def tells(self, text: str) -> bool:
        """See `server.Connection`."""
        session = self._session
        if session is None or session.may_resume or not session.is_current:
            return False
        session.note(text)
        return True


def host_of(address: object) -> str:
    """Where somebody is, without their port: an IPv4 address mapped to IPv6 is itself."""
    host = str(getattr(address, "host", "local"))
    return host.removeprefix("::ffff:")
