"""One of several processes, as its parent sees it."""

import json
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone, ProcessExitedAlready, ProcessTerminated
from twisted.internet.interfaces import IProcessTransport
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_chat.service import child_log
from twisted_chat.service.child import ANSWERS, ASKS, FIRST_SOCKET, VARIABLE, Start
from twisted_chat.service.inherited import without_socket_activation

_log = Logger(namespace="chat")

LOG, ERRORS = 1, 2
_SAYS_WHY = "twisted-chat: "


class CannotStart(Exception):
    """A process has ended before it could serve anybody; the text says why."""


def command(arguments: Sequence[str]) -> list[str]:
    """What starts another process of the program that is on the disk now.

    Args:
        arguments: the options of the chat.
    """
    imports_from_here = not {"", str(Path.cwd())}.isdisjoint(sys.path)
    safely = [] if imports_from_here else ["-P"]
    return [sys.executable, *safely, "-m", "twisted_chat.service.main", *arguments]


class ChildProcess(ProcessProtocol):
    """One of several processes, as its parent sees it.

    Args:
        number: of the process; it tells those apart that there are.
        asked: called with what it wants of its parent: to `stop`, or that all others `reload`.
    """

    transport: IProcessTransport | None

    is_ready = False
    """Whether it serves people."""

    def __init__(self, number: int, asked: Callable[["ChildProcess", str], None]) -> None:
        self.number = number
        self.ready: Deferred[None] = Deferred()
        """Fires when it serves people; fails with `CannotStart` if it never does."""
        self.gone: Deferred[str] = Deferred()
        """Fires when it has ended, with how."""
        self._asked = asked
        self._rest = {LOG: b"", ERRORS: b"", ANSWERS: b""}  # of lines
        self._why = ""  # it cannot start, in its own words
        self._errors: list[bytes] = []  # what it wrote before it was ready
        self._answers: dict[int, Deferred[Any]] = {}
        self._questions = 0
        self._is_deaf = False  # it hears us no more
        self._is_late = False  # the options were to be read again before it was ready

    def begin(
        self,
        reactor: Any,
        arguments: Sequence[str],
        start: Start,
        sockets: Sequence[int],
    ) -> None:
        """Start it.

        Args:
            reactor: starts it.
            arguments: the options of the chat.
            start: what it is told at first.
            sockets: the descriptors of the sockets that it inherits.
        """
        descriptors = dict(enumerate(sockets, FIRST_SOCKET))
        whole = command(arguments)
        try:
            reactor.spawnProcess(
                self,
                whole[0],
                whole,
                without_socket_activation() | {VARIABLE: str(self.number)},
                childFDs={0: 0, LOG: "r", ERRORS: "r", ASKS: "w", ANSWERS: "r", **descriptors},
            )
        except OSError as error:  # the machine has no room for it
            self._why = str(error.strerror)
            reactor.callLater(0, self.processEnded, Failure())
        else:
            self._write(start.to_line())

    # What the parent wants

    def reload(self) -> None:
        """Let it read its options again; perhaps it has just read them, or is about to."""
        if self.is_ready:
            self._tell(do="reload")
        else:
            self._is_late = True

    def drain(self, seconds: float) -> None:
        """Let it accept nobody more, and stop when everybody has gone elsewhere.

        Args:
            seconds: for how long those may stay who have to connect again by hand.
        """
        self._tell(do="drain", seconds=float(seconds))

    def stop(self) -> None:
        """Let it stop in good order."""
        if self.is_ready:
            self._tell(do="stop")
        else:
            self._signal("TERM")

    def kill(self) -> None:
        """End it at once."""
        self._signal("KILL")

    def ask(self, what: str) -> Deferred[Any]:
        """Ask for its `metrics`, or its `problems`; fails if it ends before it answers."""
        self._questions += 1
        answer = self._answers[self._questions] = Deferred()
        self._tell(do=what, ref=self._questions)
        return answer

    def _tell(self, **what: object) -> None:
        self._write(json.dumps(what).encode() + b"\n")

    def _write(self, line: bytes) -> None:
        if self.transport is not None and not self._is_deaf:
            self.transport.writeToChild(ASKS, line)

    def _signal(self, name: str) -> None:
        if self.transport is not None:
            with suppress(ProcessExitedAlready):
                self.transport.signalProcess(name)

    # What it does

    def childDataReceived(self, descriptor: int, data: bytes) -> None:
        """It writes something."""
        *lines, self._rest[descriptor] = (self._rest[descriptor] + data).split(b"\n")
        for line in filter(None, lines):
            self._take(descriptor, line)

    def _take(self, descriptor: int, line: bytes) -> None:
        if descriptor == ANSWERS:
            self._hear(json.loads(line))
        elif descriptor == LOG or self.is_ready:
            child_log.pass_on(self.number, line)
        elif (text := line.decode(errors="replace")).startswith(_SAYS_WHY):
            self._why = text.removeprefix(_SAYS_WHY)
        else:
            self._errors.append(line)

    def _hear(self, told: dict[str, Any]) -> None:
        match told:
            case {"do": "ready"}:
                self.is_ready = True
                if self._is_late:
                    self.reload()
                self.ready.callback(None)
            case {"do": str(what)}:
                self._asked(self, what)
            case {"ref": int(number), "answer": answer} if number in self._answers:
                self._answers.pop(number).callback(answer)

    def childConnectionLost(self, descriptor: int) -> None:
        """It has closed one of its ends, and is about to be gone."""
        if descriptor == ASKS:
            self._is_deaf = True

    def processEnded(self, reason: Failure) -> None:
        """It has ended, and everything is read that it wrote."""
        for descriptor, rest in self._rest.items():
            if rest and descriptor != ANSWERS:
                self._take(descriptor, rest)
        how = _how_ended(reason)
        if not self.is_ready:
            if not self._why:
                for line in self._errors:
                    child_log.pass_on(self.number, line)
            self.ready.errback(CannotStart(self._why or how))
        self.is_ready = False
        for answer in self._answers.values():
            answer.errback(reason)
        self.gone.callback(how)


def _how_ended(reason: Failure) -> str:
    if reason.check(ProcessDone):
        return "it stopped"
    status: Any = reason.value
    if not isinstance(status, ProcessTerminated):
        return "it was never there"
    if status.signal is not None:
        return f"it was ended by signal {status.signal}"
    return f"it ended with exit status {status.exitCode}"
