"""A conversation with the server, from the first hello to the farewell."""

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from twisted_chat.client import wording
from twisted_chat.client.connection import Connection
from twisted_chat.client.hearing import Hearing
from twisted_chat.client.incoming import Answer, Refusal, Welcome, read
from twisted_chat.client.joining import Joining
from twisted_chat.client.leaving import GOODBYE, Leaving
from twisted_chat.client.model import Model
from twisted_chat.client.outbox import Line, Outbox
from twisted_chat.client.sending import Sender
from twisted_chat.client.typed import Typed, parse
from twisted_chat.client.view import View

_TOLD_FAILURES = 4  # by then the pauses are as long as they get: more lines would say nothing new
_ROOMS = "rooms"  # our name for the question which rooms there are


class Failed(Exception):
    """The conversation cannot go on; its text is what the person reads."""


class Conversation:
    """A conversation with the server, over as many connections as it takes.

    Args:
        nick: the nickname to ask for; empty if the person is to be asked first.
        view: where it is seen.
        connection: what carries it.
        clock: the time and its timers.
        room: the room to type into; empty for the lobby.
    """

    def __init__(
        self, nick: str, view: View, connection: Connection, clock: IReactorTime, room: str = ""
    ) -> None:
        self.model = Model(nick)
        self.outbox = Outbox()
        self.sender = Sender(self.outbox, connection, clock, self._settle, self._too_long)
        self.finished: Deferred[None] = Deferred()
        self.state = "connecting"
        self.naming = False
        self._view = view
        self._connection = connection
        self._clock = clock
        self._hearing = Hearing(self.model, self.outbox, view)
        self._leaving = Leaving(clock, self._finish)
        self._joining = Joining(self.model, room, careful=view.asks)
        self._here = False
        self._failures = 0

    def start(self) -> None:
        """Connect, or ask for a nickname first."""
        if self.model.nick:
            self._connection.open(self)
        else:
            self._ask_nick("")

    # What is typed

    def typed(self, line: str) -> None:
        """Somebody typed a line."""
        if line.strip() and not self._leaving.farewell:
            self._take(line)
        self._settle()

    def leave(self, farewell: str = "/quit", patience: float | None = None) -> None:
        """Nothing more will be typed: end when all is acknowledged.

        Args:
            farewell: the command that says so to the server.
            patience: so many seconds may pass; None for as long as it takes.
        """
        again = bool(self._leaving.farewell) and self._view.asks
        self._leaving.begin(farewell, patience)
        if patience is not None and (again or not self._here):
            self._finish()
        else:
            self._settle()

    def reconnect(self) -> None:
        """Try at once to connect, also where there seems to be a connection."""
        if not self.naming and not self.finished.called:
            self._view.connection("Connecting again")
            self._failures = 0
            self._is_offline("connecting")
            self._connection.reconnect()
            self._view.changed()

    def _take(self, line: str) -> None:
        try:
            line.encode()
        except UnicodeEncodeError:
            self._view.refused("That line is not UTF-8 and was not sent: use UTF-8.")
            return
        typed = parse(line)
        if self.model.query:
            typed = typed.to(self.model.query)
        if typed.word in self.model.spellings("/quit"):
            self.leave(typed.text, GOODBYE if self._view.asks else None)
        elif self.naming:
            self._name(line.strip())
        else:
            self._add(typed)
            if room := typed.joins(self.model):
                self.model.join(room)

    def _add(self, typed: Typed) -> Line:
        known = self.model.here.entered
        room = self.model.current if known or not typed.command else ""
        existing = self._joining.only_existing(typed)
        now = self._clock.seconds()
        return self.outbox.add(room, typed.text, typed.command, now, only_existing=existing)

    def _settle(self) -> None:
        """Do what has become possible: send, and say farewell when there is nothing else."""
        self.sender.send()
        while self._here and self._leaving.is_unsaid and not self.outbox:
            self._leaving.said(self._add(parse(self._leaving.farewell)))
            self.sender.send()
        if not self.finished.called:
            self._view.changed()

    def _name(self, nick: str) -> None:
        self.naming = False
        self.state = "connecting"
        self.model.nick = nick
        self._connection.open(self)

    def _ask_nick(self, why: str) -> None:
        self.naming = True
        self.state = "which nickname?"
        self._connection.close()
        self._view.ask_nick(why)

    # What the connection tells

    def hello(self) -> dict[str, Any]:
        """Who we are, and what we have seen."""
        hello: dict[str, Any] = {"do": "hello", "nick": self.model.nick}
        if self._view.quiet:
            hello["quiet"] = True
        if self.model.session is not None:
            hello |= {"session": self.model.session, "seen": self.model.seen}
            if self.model.epoch:
                hello["epoch"] = self.model.epoch
        return hello

    def lost(self, why: str, pause: float | None) -> None:
        """There is no connection; a new one is tried after `pause` seconds, unless it is None."""
        self._is_offline("offline")
        if self._leaving.ends_without_connection:
            self._finish()
        elif pause is None:
            self._fail(why)
        else:
            self._failures += 1
            last = self._failures == _TOLD_FAILURES
            if self._failures <= _TOLD_FAILURES:
                self._view.connection(wording.trying_again(why, pause, last=last))
            self._view.changed()

    def _is_offline(self, state: str) -> None:
        self._here = False
        self.state = state
        self.sender.stop()

    def heard(self, thing: dict[str, Any]) -> None:
        """The server sent this object."""
        self._view.raw(thing)
        told = read(thing)
        self._hearing.hear(told)
        match told:
            case Welcome():
                self.sender.limit(told.input_bytes)
                self._welcomed()
            case Answer() if self._joining.answers(told):
                self._joining.done()
                self.sender.start()
            case Answer(ref=ref) if ref == _ROOMS:
                self.model.list_rooms(told.lines)
            case Refusal():
                self._refused(told)
        self._settle()

    def _welcomed(self) -> None:
        self._here = True
        self._connection.welcomed()
        self._failures = 0
        self.state = "connected"
        if self._view.completes:
            self._connection.send({"do": "command", "text": "/rooms", "ref": _ROOMS})
        if request := self._joining.request:
            self._connection.send(request)
        else:
            self.sender.start()

    def _refused(self, told: Refusal) -> None:
        line = self.outbox.find(told.ref)
        if not self._here:
            self._not_let_in(told)
        elif self._joining.answers(told):
            self._fail(told.text)
        elif line is None:
            self._view.refused(told.text)
        elif told.code == "too-fast" and self._may_wait(line):
            self.sender.again(line, told.wait)
        else:
            self.outbox.settle(line)
            more = self._joining.refused(line, told)
            self._view.refused(f"{told.text} {more}".rstrip(), line)

    def _too_long(self, line: Line) -> None:
        """The server could not even read whose request it refuses, so it is not asked."""
        why = "That line is too long for the server and was not sent: split it."
        self._refused(Refusal(line.ref, "too-long", why, None))
        if self._leaving.is_farewell(line):
            self._leaving.go_without_a_word()

    def _may_wait(self, line: Line) -> bool:
        """Whether a line may come later; a person would rather know that a command was not done."""
        return not (line.command and self._view.asks) or self._leaving.is_farewell(line)

    def _not_let_in(self, told: Refusal) -> None:
        if told.wait is not None:
            self._connection.drop(told.text)
        elif self._view.asks:
            self._ask_nick(told.text)
        else:
            self._fail(told.text)

    # The end

    def _finish(self) -> None:
        self._end(lambda: self.finished.callback(None))

    def _fail(self, why: str) -> None:
        self._end(lambda: self.finished.errback(Failed(why)))

    def _end(self, how: Callable[[], None]) -> None:
        if self.finished.called:
            return
        if self._here:  # else the server would keep our place for when we come back
            farewell = self._leaving.farewell or "/quit"
            self._connection.send({"do": "command", "text": farewell})
        self._here = False
        self.sender.stop()
        self._leaving.stop()
        self._connection.close()
        for line in filter(self._leaving.is_farewell, list(self.outbox)):
            self.outbox.settle(line)
        if self.model.session is not None or self._view.asks:  # else nothing was begun
            self._hearing.report_unconfirmed()
            if unsent := [line.text for line in self.outbox]:
                self._view.refused(wording.not_sent(unsent))
        how()
