"""The factory that makes connections to one chat, for use in your own Twisted service."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial

from twisted.cred.portal import Portal
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Factory

from twisted_chat.chat.accounts import Accounts
from twisted_chat.chat.chat import Chat
from twisted_chat.chat.observers import Observer
from twisted_chat.chat.passwords import OwnPasswords
from twisted_chat.chat.portal import PortalPasswords
from twisted_chat.frontends.admission import UNKNOWN
from twisted_chat.frontends.connection import host_of
from twisted_chat.frontends.line_connection import Wires
from twisted_chat.frontends.networks import Networks
from twisted_chat.frontends.protocol import ChatProtocol
from twisted_chat.frontends.server import GOODBYE, Connection, Server
from twisted_chat.frontends.threads import thread_beside
from twisted_chat.frontends.web import Web
from twisted_chat.frontends.web_files import File
from twisted_chat.limits import Limits
from twisted_chat.stores.memory import MemoryStore
from twisted_chat.turn import Turn
from twisted_chat.wire.plain import PlainWire
from twisted_chat.wire.structured import StructuredWire


class ChatFactory(Factory):
    """Makes connections to one chat.

    `ChatFactory(reactor)` on any endpoint is a working chat that keeps its history in memory.

    Args:
        clock: the time and timers, usually the reactor. Without it, the global reactor is used and
            everything is delivered at once, not at the end of the event-loop turn.
        chat: the chat; listen only once it is `ready`. Without it a new one is made of the other
            arguments, in memory, and is ready at once.
        name: what the server is called.
        limits: what one connection may take.
        motd: lines for everybody who comes.
        observers: told what happens in the chat, and asked before it does.
        portal: decides who may log in, and gives an `IChatUser` for them; without it, people
            register with passwords of their own.
        administrators: names of accounts that administer the server.
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
        observers: Iterable[Observer] = (),
        portal: Portal | None = None,
        administrators: Iterable[str] = (),
    ) -> None:
        turn = Turn(None if clock is None else partial(clock.callLater, 0))
        if clock is None:
            from twisted.internet import reactor  # the caller has chosen one, or wants this

            clock = IReactorTime(reactor)
        self.clock = clock
        if chat is None:
            store, limits = MemoryStore(), limits or Limits()
            hashing = thread_beside(clock)
            passwords = PortalPasswords(portal) if portal else OwnPasswords(None, hashing)
            accounts = Accounts(clock, store, limits, passwords, clock.seconds)
            chat = Chat(
                clock,
                store,
                turn,
                name,
                limits,
                motd,
                observers=observers,
                accounts=accounts,
                administrators=administrators,
            )
        self.chat = chat
        self.server = Server(clock, self.chat)
        self._wires = Wires(
            PlainWire(chat.now, chat.address_of),
            StructuredWire(chat.accounts.name_of, chat.address_of),
        )

    def buildProtocol(self, addr: IAddress | None) -> ChatProtocol:
        """A connection."""
        return ChatProtocol(self.server, self._wires, host_of(addr))

    def behind_proxy(self) -> "BehindProxy":
        """The same chat for an endpoint behind a proxy that sends client addresses (`haproxy:`)."""
        return BehindProxy(self.server, self._wires)

    def web(
        self,
        files: Mapping[bytes, File],
        origins: Collection[str] = (),
        proxies: Networks | None = None,
    ) -> Web:
        """The same chat for browsers; the arguments are those of `Web`."""
        return Web(self.server, self._wires.plain, files, origins, proxies)

    @property
    def connections(self) -> Collection[Connection]:
        """Every connection that there is."""
        return self.server.connections

    def ban(self, banned: Networks, allowed: Networks) -> None:
        """See `Server.ban`."""
        self.server.ban(banned, allowed)

    def say_goodbye(self, text: str = GOODBYE) -> Deferred[None]:
        """See `Server.say_goodbye`."""
        return self.server.say_goodbye(text)

    def stopFactory(self) -> None:
        """The last port is closed: disconnect everybody."""
        self.say_goodbye()


class BehindProxy(Factory):
    """Makes connections whose address is known only when the proxy's header has come.

    Args:
        server: what all connections share.
        wires: how events are shown.
    """

    noisy = False

    def __init__(self, server: Server, wires: Wires) -> None:
        self._server = server
        self._wires = wires

    def buildProtocol(self, addr: IAddress | None) -> ChatProtocol:
        """A connection."""
        return ChatProtocol(self._server, self._wires, UNKNOWN)
