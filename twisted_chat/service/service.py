"""Turns options into a running service: the one place that puts everything together."""

import atexit
import os
import signal
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from twisted.application.service import IService, MultiService
from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory
from twisted.internet.threads import deferToThreadPool
from twisted.logger import ILogObserver, Logger
from twisted.python.components import Componentized
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
from twisted_chat.frontends.factory import ChatFactory
from twisted_chat.frontends.networks import Networks
from twisted_chat.frontends.one_port import OnePort
from twisted_chat.frontends.web import Web
from twisted_chat.frontends.web_files import read_page
from twisted_chat.limits import Limits
from twisted_chat.refusal import Refused
from twisted_chat.service import operator_log
from twisted_chat.service.auth import make_portal
from twisted_chat.service.clock import go_steadily
from twisted_chat.service.console import Console
from twisted_chat.service.endpoints import (
    CannotListen,
    Listening,
    Says,
    how_to_join,
    how_to_join_and_browse,
    is_tls,
    tcp_endpoint,
    where_to_browse,
)
from twisted_chat.service.joining import how_to_join_at, pages_at
from twisted_chat.service.options import Options
from twisted_chat.service.process import let_others_go_first, look_only_at_what_is_new, room_for
from twisted_chat.service.publicity import Publicity
from twisted_chat.service.transcript import Transcript
from twisted_chat.stores import Store, WorkerThread
from twisted_chat.stores.contents import Contents
from twisted_chat.stores.memory import MemoryStore
from twisted_chat.stores.sqlite.store import SqliteStore
from twisted_chat.stores.unusable import Unusable
from twisted_chat.text import names
from twisted_chat.turn import Turn
from twisted_chat.wire.plain import PlainWire

if TYPE_CHECKING:
    from twisted_chat.service.tls import Certificate  # an extra

__all__ = ["Options", "makeService"]

PAGE = Path(__file__).parent.parent / "page"
"""The folder of the page's files."""

STOP = 4.0
"""Seconds after which the server has stopped, even if somebody does not read their last line."""

AT_START = (
    *("port", "tls-port", "web-port", "one-port", "interface", "endpoint"),
    "web-endpoint",
    *("db", "no-db", "sync", "keep", "transcript", "files", "no-files"),
    *("metrics", "log-format", "auth", "qr", "announce"),
)
"""Options that only a restart can change."""

FORGET = 60.0
"""Seconds between two deletions of messages older than `--keep`."""

TRY_AGAIN = 5.0
"""Seconds between attempts to store what could not be stored."""

LATE = 1.0
"""Seconds of an event-loop turn that count as a problem."""

_log = Logger(namespace="chat")
_T = TypeVar("_T")


def _not_answered(failure: Failure) -> None:
    raise Unusable(f"the database does not answer: {failure.getErrorMessage()}") from failure.value


def makeService(options: Options) -> IService:
    """The chat that these options describe; called by twistd."""
    from twisted.internet import reactor  # chosen by twistd by now

    return ChatService(options, reactor)


class ChatService(MultiService):
    """The chat and its ports.

    Everything is opened when the service starts: twistd forks before that, which no database
    survives. It listens once the store has told what there is.

    Args:
        options: what it is to be.
        reactor: what it runs on.
    """

    def __init__(self, options: Options, reactor: Any) -> None:
        super().__init__()
        self._options = self._current = options
        self._reactor = reactor
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

    def setServiceParent(self, parent: Any) -> None:
        """Become a part of a program; in twistd's, the log is ours."""
        twistd: dict[str, Any] = self._options.parent or {}
        ours = isinstance(parent, Componentized) and not (
            twistd.get("syslog") or twistd.get("logger")
        )
        if ours:
            form = self._options["log-format"]
            parent.setComponent(ILogObserver, operator_log.observer(form, twistd, time.monotonic))
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
        self._console.tell_why(failure.getErrorMessage())
        atexit.register(os._exit, 1)  # twistd would end as if all were well
        self._reactor.stop()

    def _open(self) -> None:
        go_steadily(self._reactor)
        turn = Turn(partial(self._reactor.callLater, 0))
        self._store = self._open_store(turn)
        options = self._options
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
            self._certificate = self._open_certificate()

    def _listen(self) -> None:
        options = self._options
        for description in options.endpoints:
            if description.startswith("haproxy:"):
                self._add_port(description, self._factory.behind_proxy(), how_to_join)
            elif options["one-port"] == "on":
                says = partial(how_to_join_and_browse, has_tls=self._certificate is not None)
                self._add_port(description, self._one_port(description), says, has_page=True)
            else:
                self._add_port(description, self._factory, how_to_join)
        for description in options.web_endpoints:
            self._add_port(description, self._web, where_to_browse, is_chat=False, has_page=True)
        if options["metrics"] is not None:
            self._show_metrics(*options["metrics"])

    def _add_port(
        self,
        description: str,
        factory: Factory,
        says: Says,
        *,
        is_chat: bool = True,
        has_page: bool = False,
    ) -> None:
        listening = Listening(
            description,
            factory,
            self._reactor,
            says,
            self._certificate,
            is_chat=is_chat,
            has_page=has_page,
        )
        listening.setServiceParent(self)
        self._listening.append(listening)

    def _publish(self) -> None:
        """Tell people and networks where the server is, in the ways that the operator wants."""
        for line in how_to_join_at(self._options.addresses):
            _log.info("{line}", line=line)
        if self._options["qr"]:
            self._console.show(self._publicity.qr_code())
        if self._options["announce"]:
            announcement = self._publicity.announcement(self._reactor, self._options["name"])
            if announcement is not None:
                announcement.setServiceParent(self)

    def _open_certificate(self) -> "Certificate":
        from twisted_chat.service import tls  # an extra

        options = self._options
        pair = options.pair
        if pair is None:  # the first start, or there is no database
            pem = tls.make(socket.gethostname())
            path = options.made_certificate
            try:
                if path is not None:
                    tls.keep(pem, path)
                pair = tls.Pair(pem, pem)
            except tls.BadCertificate as why:
                raise Unusable(str(why)) from why
        return tls.Certificate(pair)

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
        if self._options.postgres is not None:
            from twisted_chat.stores.postgres.store import PostgresStore  # an extra

            return PostgresStore(
                self._options.postgres,
                turn,
                self._thread(),
                self._thread(),
                self._thread(),
                self._reactor,
                self._counters,
                self._reactor,
            )
        path = self._options.database
        if path is None:
            return MemoryStore()
        return SqliteStore(
            path,
            turn,
            self._thread(),
            self._thread(),
            self._thread(),
            full=self._options.is_sync_full,
            counters=self._counters,
        )

    def _open_files(self, limits: Limits) -> Files | None:
        options = self._options
        if options["no-files"]:
            return None
        try:
            contents = Contents(options.files, self._thread())
        except OSError as error:
            raise Unusable(f"cannot use the folder {options.files}: {error.strerror}") from error
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

        site = metrics.site(
            self._factory,
            lambda: self._store.waiting,
            self.problems,
        )
        description = tcp_endpoint(port, address)
        Listening(description, site, self._reactor, metrics.where).setServiceParent(self)
        metrics.Heartbeat(self._reactor, self._counters.turns)

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
        if self._certificate is not None:
            fingerprint = self._certificate.pair.fingerprint
            _log.info("The certificate's fingerprint is {which}", which=fingerprint)
        self._factory.chat.ready.addCallback(lambda _: self._publish())
        self._factory.chat.ready.addCallback(lambda _: self._console.close())
        names.nickname("somebody", Limits())  # reads Unicode's tables: 5 ms, once
        for pool in self._pools:  # not before the ports are ours: a thread keeps a process alive
            pool.start()
        self._reactor.callWhenRunning(self._reload_on_hangup)
        self._reactor.callWhenRunning(look_only_at_what_is_new, self._reactor)
        self._try_again()
        keep = self._options["keep"]
        if keep is not None:
            self._forget(keep)

    def _reload_on_hangup(self) -> None:
        """SIGHUP reloads the files; closing the terminal does not stop the server."""
        if hasattr(signal, "SIGHUP"):
            signal.signal(signal.SIGHUP, lambda *_: self._reactor.callFromThread(self._hang_up))

    def _hang_up(self) -> None:
        with suppress(Refused):  # which is in the log
            self.reload()

    def stop(self) -> None:
        """See `operations.Operations`."""
        self._reactor.stop()

    def reload(self) -> Sequence[str]:
        """See `operations.Operations`; what is wrong is logged too."""
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

    def _forget(self, keep: float) -> None:
        self._store.forget(time.time() - keep)
        self._reactor.callLater(FORGET, self._forget, keep)

    async def _stop(self) -> None:
        closing = super().stopService()
        gone = self._factory.say_goodbye()
        try:
            await gone.addTimeout(STOP, self._reactor)
        except defer.TimeoutError:
            _log.info("Somebody did not receive everything before the server stopped")
        if closing is not None:
            await closing
        await self._store.stop()
        for pool in self._pools:
            pool.stop()
        if self._files is not None:
            self._files.contents.stop()

    def stopService(self) -> Deferred[None]:
        """Stop listening, tell everybody, wait until they have read it, and store the rest."""
        return Deferred.fromCoroutine(self._stop())
