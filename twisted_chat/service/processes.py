"""The parent of several processes that are one chat: it has the ports, and they have the people."""

import time
from functools import partial
from typing import TYPE_CHECKING, Any

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred
from twisted.internet.error import ReactorNotRunning
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.usage import UsageError

from twisted_chat.service import operator_log
from twisted_chat.service.certificate import open_certificate
from twisted_chat.service.child import Start
from twisted_chat.service.child_process import CannotStart, ChildProcess
from twisted_chat.service.children import Children
from twisted_chat.service.clock import go_steadily
from twisted_chat.service.console import Console
from twisted_chat.service.endpoints import CannotListen, Listening, tcp_endpoint
from twisted_chat.service.inherited import Holding, without_systemd
from twisted_chat.service.known_options import AT_START
from twisted_chat.service.options import Options
from twisted_chat.service.ports import ports
from twisted_chat.service.publicity import Publicity
from twisted_chat.service.signals import when
from twisted_chat.stores.unusable import Unusable

if TYPE_CHECKING:
    from twisted_chat.service.tls import Certificate  # an extra

_log = Logger(namespace="chat")


class Processes(MultiService):
    """The parent of several processes that are one chat.

    It opens the ports, and lets the processes accept the connections.

    Args:
        options: what the chat is to be.
        reactor: what it runs on.
    """

    def __init__(self, options: Options, reactor: Any) -> None:
        super().__init__()
        self.reactor = reactor
        self._options = options
        self._console = Console(options.parent or {})
        self._listening: list[Listening] = []
        self._publicity = Publicity(self._listening, options.addresses)
        self._sockets: list[int] = []
        self._certificate: Certificate | None = None
        self._children = Children(reactor, self._make, options["processes"], options["drain"])

    def setServiceParent(self, parent: Any) -> None:
        """Become a part of a program; in twistd's, the log is ours."""
        options = self._options
        operator_log.begin(parent, options["log-format"], options.parent or {}, time.monotonic)
        super().setServiceParent(parent)

    def privilegedStartService(self) -> None:
        """Open the ports."""
        try:
            go_steadily(self.reactor)
            self._open()
            super().privilegedStartService()
        except (Unusable, CannotListen) as error:
            self._console.tell_why(str(error))
            raise

    def _open(self) -> None:
        options = self._options
        if options.has_tls:
            self._certificate = open_certificate(options)
        for port in ports(
            options.endpoints,
            options.web_endpoints,
            is_one_port=options["one-port"] == "on",
            has_tls=self._certificate is not None,
        ):
            listening = Listening(
                port.description,
                Factory(),
                Holding(self.reactor, self._sockets),
                port.says,
                self._certificate,
                is_chat=port.is_chat,
                has_page=port.has_page,
                is_quiet=True,
            )
            listening.setServiceParent(self)
            self._listening.append(listening)
        if options["metrics"] is not None:
            self._show_metrics(*options["metrics"])

    def _show_metrics(self, address: str, port: int) -> None:
        from twisted_chat.service import metrics, metrics_of_all  # an extra

        site = metrics.site(
            partial(metrics_of_all.metrics, self._children, self.reactor),
            partial(metrics_of_all.problems, self._children, self.reactor),
        )
        description = tcp_endpoint(port, address)
        Listening(description, site, self.reactor, metrics.where).setServiceParent(self)

    def startService(self) -> None:
        """Start the processes, as soon as it is known when they end."""
        super().startService()
        self.reactor.callWhenRunning(self._begin)

    def _begin(self) -> None:
        when("SIGHUP", self._reload, self.reactor)
        when("SIGUSR2", self._upgrade, self.reactor)
        started = Deferred.fromCoroutine(self._children.start())
        started.addCallbacks(lambda _: self._has_started(), self._cannot_start)

    def _has_started(self) -> None:
        for listening in self._listening:
            listening.tell()
        if self._certificate is not None:
            fingerprint = self._certificate.pair.fingerprint
            _log.info("The certificate's fingerprint is {which}", which=fingerprint)
        self._publicity.publish(self._options, self._console, self)
        self._console.close()

    def _cannot_start(self, failure: Failure) -> None:
        failure.trap(CannotStart)
        if self.running:  # and was not stopped meanwhile
            self._console.give_up(failure.getErrorMessage(), self.reactor)

    def _make(self, number: int) -> ChildProcess:
        options = self._options
        process = ChildProcess(number, self._asked)
        start = Start(
            number,
            [without_systemd(description) for description in options.endpoints],
            [without_systemd(description) for description in options.web_endpoints],
            options.fixed,
        )
        process.begin(self.reactor, options.arguments, start, self._sockets)
        return process

    def _asked(self, process: ChildProcess, what: str) -> None:
        """An administrator asked a process for what concerns all of them."""
        if what == "stop":
            try:
                self.reactor.stop()
            except ReactorNotRunning:  # another one told us so already
                return
        elif what == "reload":
            self._children.reload(but=process)

    def _reload(self) -> None:
        try:
            options = self._options.again()
        except UsageError as error:
            _log.error("Reload failed, nothing is changed: {why}", why=str(error))
            return
        self._children.drain = options["drain"]
        self._children.reload()
        later = ", ".join(sorted(options.differences(self._options) & set(AT_START)))
        if later:
            _log.warn("Restart the server to change {names}", names=later)

    def _upgrade(self) -> None:
        Deferred.fromCoroutine(self._children.upgrade())

    async def _stop(self) -> None:
        closing = super().stopService()
        await self._children.stop()
        if closing is not None:
            await closing

    def stopService(self) -> Deferred[None]:
        """Stop listening, and wait until all processes have stopped in good order."""
        return Deferred.fromCoroutine(self._stop())
