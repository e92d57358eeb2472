"""Turns options into a running service: the one place that puts everything together."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from twisted.application.service import IService, MultiService
from twisted.internet import defer
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ReactorNotRunning
from twisted.internet.protocol import Factory
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool
from twisted.python.usage import UsageError

from twisted_chat.chat.accounts import Accounts
from twisted_chat.chat.chat import Chat
from twisted_chat.chat.files import Files
from twisted_chat.chat.passwords import Authenticator, OwnPasswords
from twisted_chat.chat.portal import PortalPasswords
from twisted_chat.chat.room import Room
from twisted_chat.counters import Counters
from twisted_chat.frontends.draining import Draining
from twisted_chat.frontends.factory import ChatFactory
from twisted_chat.frontends.networks import Networks
from twisted_chat.frontends.one_port import OnePort
from twisted_chat.frontends.server import GOODBYE
from twisted_chat.frontends.web import Web
from twisted_chat.frontends.web_files import read_page
from twisted_chat.limits import Limits
from twisted_chat.refusal import Refused
from twisted_chat.service import operator_log
from twisted_chat.service.auth import make_portal
from twisted_chat.service.certificate import open_certificate
from twisted_chat.service.child import Parent, told
from twisted_chat.service.clock import go_steadily
from twisted_chat.service.console import Console
from twisted_chat.service.endpoints import CannotListen, Listening, is_tls, tcp_endpoint
from twisted_chat.service.inherited import Adopting, TakingOver
from twisted_chat.service.joining import pages_at
from twisted_chat.service.known_options import AT_START
from twisted_chat.service.options import Options
from twisted_chat.service.ports import Port, Serves, ports
from twisted_chat.service.process import let_others_go_first, look_only_at_what_is_new, room_for
from twisted_chat.service.processes import Processes
from twisted_chat.service.publicity import Publicity
from twisted_chat.service.signals import when
from twisted_chat.service.storage import open_contents, open_store
from twisted_chat.service.successor import begin_anew_at_exit, take_over, why_not
from twisted_chat.service.transcript import Transcript
from twisted_chat.stores import Store, WorkerThread
from twisted_chat.stores.unusable import Unusable
from twisted_chat.text import names
from twisted_chat.turn import Turn
from twisted_chat.wire.plain import PlainWire

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry  # an extra

    from twisted_chat.service.tls import Certificate  # an extra

__all__ = ["Options", "makeService"]

PAGE = Path(__file__).parent.parent / "page"
"""The folder of the page's files."""

STOP = 4.0
"""Seconds after which the server has stopped, even if somebody does not read their last line."""

FORGET = 60.0
"""Seconds between two deletions of messages older than `--keep`."""

CLEAR_AWAY = 10.0
"""Seconds between two looks for halves of files that other servers have left."""

TRY_AGAIN = 5.0
"""Seconds between attempts to store what could not be stored."""

LATE = 1.0
"""Seconds of an event-loop turn that count as a problem."""

_UPGRADED = "The server has been upgraded: connect again to go on."

_log = Logger(namespace="chat")
_T = TypeVar("_T")


def _not_answered(failure: Failure) -> None:
    raise Unusable(f"the database does not answer: {failure.getErrorMessage()}") from failure.value


def makeService(options: Options) -> IService:
    """The chat that these options describe; called by twistd."""
    from twisted.internet import reactor  # chosen by twistd by now

    if options["processes"] is None:
        return ChatService(options, reactor)
    start = told()
    if start is None:
        return Processes(options, reactor)
    return ChatService(options, reactor, Parent(start, reactor))


class ChatService(MultiService):
    """The chat and its ports.

    Everything is opened when the service starts: twistd forks before that, which no database
    survives. It listens once the store has told what there is.

    Args:
        options: what it is to be.
        reactor: what it runs on.
        parent: what it is one of several processes of, if it is.
    """

    def __init__(self, options: Options, reactor: Any, parent: Parent | None = None) -> None:
        super().__init__()
        self._options = self._current = options
        self.reactor = self._reactor = reactor
        self._parent = parent
        self._folder = Path.cwd()  # twistd may leave it later
        self._console = Console(options.parent or {})
        self._pools: list[ThreadPool] = []
        self._counters = Counters()
        self._listening: list[Listening] = []
        self._publicity = Publicity(self._listening, options.addresses)
        self._store: Store
        self._factory: ChatFactory
        self._web: Web
        self._certificate: Certificate | None = None
        self._files: Files | None = None
        self._goodbye = GOODBYE
        self._is_upgrading = False
        self._registry: CollectorRegistry

    def setServiceParent(self, parent: Any) -> None:
        """Become a part of a program; in twistd's, the log is ours."""
        form = self._options["log-format"] if self._parent is None else "json"  # for the parent
        operator_log.begin(parent, form, self._options.parent or {}, time.monotonic)
        super().setServiceParent(parent)

    def privilegedStartService(self) -> None:
        """Open the database and the ports."""
        try:
            self._open()
            ready = self._factory.chat.ready
            is_waiting = not ready.called
            failures: list[Failure] = []
            ready.addCallbacks(lambda _: self._listen(), _not_answered)
            ready.addErrback(self._cannot_start if is_waiting else failures.append)
            for failure in failures:
                failure.raiseException()
            super().privilegedStartService()
        except (Unusable, CannotListen) as error:
            self._console.tell_why(str(error))
            raise

    def _cannot_start(self, failure: Failure) -> None:
        """The database, which is elsewhere, did not answer, or then no port could be had."""
        self._console.give_up(failure.getErrorMessage(), self._reactor)

    def _open(self) -> None:
        go_steadily(self._reactor)
        options = self._options
        turn = Turn(partial(self._reactor.callLater, 0))
        self._store = self._open_store(turn)
        limits = self._limits(options)
        self._files = self._open_files(limits)
        watch = self._open_transcript()
        accounts = Accounts(
            self._reactor,
            self._store,
            limits,
            self._authenticator(options["auth"]),
            time.time,
            options["name-expiry"],
        )
        accounts.needs_privacy = bool(options["require-secure-login"])
        chat = Chat(
            self._reactor,
            self._store,
            turn,
            options["name"],
            limits,
            options.motd,
            watch,
            self._counters,
            time.time,
            accounts=accounts,
            how_to_join=self._publicity.how_to_join,
            administrators=options.admins,
            operations=self,
            files=self._files,
        )
        chat.addresses = options.addresses
        chat.erases_on_forget = bool(options["erase-on-forget"])
        self._factory = ChatFactory(self._reactor, chat=chat)
        self._factory.ban(options.banned, options.allowed)
        proxies = Networks(options.web_proxies)
        self._web = self._factory.web(read_page(PAGE), options.web_origins, proxies)
        self._web.spread(pages_at(options.addresses))
        if options.has_tls:
            self._certificate = open_certificate(options)

    def _listen(self) -> None:
        options, parent = self._options, self._parent
        known = options if parent is None else parent.start
        sockets = iter(take_over([*known.endpoints, *known.web_endpoints]))
        for port in ports(
            known.endpoints,
            known.web_endpoints,
            is_one_port=options["one-port"] == "on",
            has_tls=self._certificate is not None,
        ):
            listening = Listening(
                port.description,
                self._serving(port),
                self._opener(next(sockets)) if parent is None else parent.next_socket(),
                port.says,
                self._certificate,
                is_chat=port.is_chat,
                has_page=port.has_page,
                is_quiet=parent is not None,
            )
            listening.setServiceParent(self)
            self._listening.append(listening)
        if options["metrics"] is not None:
            self._show_metrics(*options["metrics"])

    def _opener(self, socket: int | None) -> Any:
        """What opens a port, or has one that is open."""
        return Adopting(self._reactor) if socket is None else TakingOver(self._reactor, socket)

    def _serving(self, port: Port) -> Factory:
        """What answers at a port."""
        match port.serves:
            case Serves.PROXIES:
                return self._factory.behind_proxy()
            case Serves.EVERYBODY:
                return self._one_port(port.description)
            case Serves.LINES:
                return self._factory
            case Serves.BROWSERS:
                return self._web

    def _one_port(self, description: str) -> OnePort:
        has_tls = is_tls(description)
        return OnePort(
            self._factory.server,
            self._factory,
            self._web,
            None if has_tls else self._certificate,
            is_inside=has_tls,
        )

    def _open_store(self, turn: Turn) -> Store:
        return open_store(self._options, turn, self._thread, self._reactor, self._counters)

    def _open_files(self, limits: Limits) -> Files | None:
        options = self._options
        if options["no-files"]:
            return None
        contents = open_contents(options, self._store, self._thread, self._reactor)
        return Files(
            contents, limits, self._reactor, time.time, self._web_address, options["file-keep"]
        )

    def _web_address(self) -> str:
        """Where browsers find the server; a proxy before it has an origin of its own."""
        origins = self._current.web_origins
        return origins[0] if origins else self._publicity.web_address()

    def _authenticator(self, site: str | None) -> Authenticator:
        if site is not None:
            return PortalPasswords(make_portal(site))
        return OwnPasswords(elsewhere=self._thread(let_others_go_first))

    def _show_metrics(self, address: str, port: int) -> None:
        from twisted_chat.service import metrics  # an extra

        self._registry = metrics.registry(
            self._factory, lambda: self._store.waiting, has_others=self._store.nodes is not None
        )
        metrics.Heartbeat(self._reactor, self._counters.turns)
        if self._parent is None:  # which has a page for all
            site = metrics.site(
                lambda: succeed(self.metrics().encode()), lambda: succeed(self.problems())
            )
            description = tcp_endpoint(port, address)
            Listening(description, site, self._reactor, metrics.where).setServiceParent(self)

    def metrics(self) -> str:
        """See `child.Served`."""
        from prometheus_client.exposition import generate_latest  # an extra

        return generate_latest(self._registry).decode()

    def _limits(self, options: Options) -> Limits:
        limits = options.limits
        limits.clients = room_for(limits.clients)
        return limits

    def problems(self) -> list[str]:
        """The problems of the server, one line each."""
        wrong = []
        if not self._listening or not all(listening.is_open for listening in self._listening):
            wrong.append("no connections are accepted")
        if self._store.problem:
            wrong.append(self._store.problem)
        if self._counters.turns.last > LATE:
            wrong.append("the event loop was blocked for over a second")
        return wrong

    def _thread(self, first: Callable[[], None] | None = None) -> WorkerThread:
        pool = ThreadPool(1, 1, "chat")
        self._pools.append(pool)
        if first is not None:
            pool.callInThread(first)

        def elsewhere(work: Callable[[], _T]) -> Deferred[_T]:
            return deferToThreadPool(self._reactor, pool, work)

        return elsewhere

    def _open_transcript(self) -> Callable[[Room], None]:
        path = self._options["transcript"]
        if path is None:
            return lambda _: None
        try:
            address_of = str if self._files is None else self._files.address_of
            return Transcript(path, PlainWire(address_of=address_of)).watch
        except OSError as error:
            raise Unusable(f"cannot write --transcript {path}: {error.strerror}") from error

    def startService(self) -> None:
        """Start; closing the terminal does not stop the server."""
        super().startService()
        self._factory.chat.ready.addCallback(lambda _: self._has_started())
        names.nickname("somebody", Limits())  # reads Unicode's tables: 5 ms, once
        for pool in self._pools:  # not before the ports are ours: a thread keeps a process alive
            pool.start()
        self._reactor.callWhenRunning(when, "SIGHUP", self.hang_up, self._reactor)
        self._reactor.callWhenRunning(when, "SIGUSR2", self._upgrade, self._reactor)
        self._reactor.callWhenRunning(look_only_at_what_is_new, self._reactor)
        self._try_again()
        self._clear_away()
        keep = self._options["keep"]
        if keep is not None:
            self._forget(keep)

    def _has_started(self) -> None:
        if self._parent is not None:
            self._parent.serve(self)
            self._parent.tell(do="ready")
        else:
            if self._certificate is not None:
                fingerprint = self._certificate.pair.fingerprint
                _log.info("The certificate's fingerprint is {which}", which=fingerprint)
            self._publicity.publish(self._options, self._console, self)
        self._console.close()

    def hang_up(self) -> None:
        """Closing the terminal, or SIGHUP, reloads the files; it does not stop the server."""
        with suppress(Refused):  # which is in the log
            self._reload()

    def _upgrade(self) -> None:
        """SIGUSR2: end, and let the version go on that is installed by now, with the same ports."""
        if self._parent is not None:
            _log.warn("SIGUSR2 is for the parent of the processes: nothing is upgraded")
            return
        if any("systemd:" in listening.description for listening in self._listening):
            _log.warn("The ports are systemd's, which keeps them open: restart the service instead")
            return
        twistd: Mapping[str, Any] = self._options.parent or {}
        if any(twistd.get(name) is not None for name in ("uid", "gid", "chroot")):
            _log.warn("Started with --uid, --gid or --chroot, it cannot begin anew: restart it")
            return
        if self._listening and self.running and not self._is_upgrading:
            self._is_upgrading = True
            Deferred.fromCoroutine(self._begin_anew())

    async def _begin_anew(self) -> None:
        holds = [each.description for each in self._listening]
        if self._options["metrics"] is not None:
            address, port = self._options["metrics"]
            holds.append(tcp_endpoint(port, address))
        if self._options.database is not None:
            holds.append(str(self._options.database))
        why = await why_not(holds, self._folder, self._reactor)
        if why:
            _log.error("The upgrade failed, nothing is changed: {why}", why=why)
        elif self.running:
            left = [(each.description, each.leave_open()) for each in self._listening]
            begin_anew_at_exit(left, self._folder)
            self._goodbye = _UPGRADED
            self.end()
        self._is_upgrading = False

    def stop(self) -> None:
        """See `operations.Operations`."""
        if self._parent is None:
            self.end()
        else:
            self._parent.stop_all()

    def end(self) -> None:
        """See `child.Served`; a signal may have asked for it already."""
        with suppress(ReactorNotRunning):
            self._reactor.stop()

    def drain(self, seconds: float) -> None:
        """See `child.Served`."""
        for listening in self._listening:
            listening.accept_no_more()
        self._goodbye = _UPGRADED
        is_busy = partial(bool, self._web.channels)
        Draining(self._factory.server, self._reactor, seconds, is_busy, self.end)

    def fail(self) -> None:
        """See `operations.Operations`."""
        self._console.fail(self._reactor)

    def reload(self) -> Sequence[str]:
        """See `operations.Operations`."""
        told = self._reload()
        if self._parent is not None:
            self._parent.reload_others()
        return told

    def _reload(self) -> Sequence[str]:
        """What is wrong is logged too."""
        try:
            options = self._options.again()
        except UsageError as error:
            _log.error("Reload failed, nothing is changed: {why}", why=str(error))
            raise Refused("bad-options", f"Nothing has changed, since {error}.") from error
        chat = self._factory.chat
        chat.name, chat.motd = options["name"], options.motd
        chat.limits.become(self._limits(options))
        chat.accounts.name_expiry = options["name-expiry"]
        if self._files is not None:
            self._files.keep = options["file-keep"]
        chat.erases_on_forget = bool(options["erase-on-forget"])
        chat.accounts.needs_privacy = bool(options["require-secure-login"])
        chat.administrators.use(options.admins)
        self._factory.ban(options.banned, options.allowed)
        self._web.trust(options.web_origins, Networks(options.web_proxies))
        self._web.spread(pages_at(options.addresses))
        chat.addresses = self._publicity.addresses = options.addresses
        if self._certificate is not None and options.pair is not None:
            self._certificate.pair = options.pair
        changed = ", ".join(sorted(options.differences(self._current) - set(AT_START)))
        told = [f"Changed: {changed}." if changed else "Nothing in the options has changed."]
        self._current = options
        _log.info("The options were reloaded")
        later = ", ".join(sorted(options.differences(self._options) & set(AT_START)))
        if later:
            told.append(f"Restart the server to change {later}.")
            _log.warn("Restart the server to change {names}", names=later)
        return told

    def _try_again(self) -> None:
        self._store.try_again()
        self._reactor.callLater(TRY_AGAIN, self._try_again)

    def _clear_away(self) -> None:
        if self._files is not None:
            self._files.contents.clear_away()
        self._reactor.callLater(CLEAR_AWAY, self._clear_away)

    def _forget(self, keep: float) -> None:
        self._store.forget(time.time() - keep)
        self._reactor.callLater(FORGET, self._forget, keep)

    async def _stop(self) -> None:
        closing = super().stopService()
        gone = self._factory.say_goodbye(self._goodbye)
        try:
            await gone.addTimeout(STOP, self._reactor)
        except defer.TimeoutError:
            _log.info("Somebody did not receive everything before the server stopped")
        if closing is not None:
            await closing
        await self._store.stop()
        if self._files is not None:
            await self._files.contents.stop()
        for pool in self._pools:
            pool.stop()

    def stopService(self) -> Deferred[None]:
        """Stop listening, tell everybody, wait until they have read it, and store the rest."""
        return Deferred.fromCoroutine(self._stop())
