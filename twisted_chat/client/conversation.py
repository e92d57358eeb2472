"""A conversation at a front end: what is typed goes to the chat, what comes is shown."""

from collections.abc import Callable, Sequence

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from twisted_chat.client import wording
from twisted_chat.client.chat_client import (
    ChatClient,
    Heard,
    Lost,
    NicknameRefused,
    Unconfirmed,
)
from twisted_chat.client.failed import Failed
from twisted_chat.client.files import Files, Posts
from twisted_chat.client.hearing import Hearing
from twisted_chat.client.incoming import Answer, Happened, Refusal, Welcome
from twisted_chat.client.joining import Joining
from twisted_chat.client.leaving import GOODBYE, Leaving
from twisted_chat.client.marks import Marks
from twisted_chat.client.outbox import Line
from twisted_chat.client.route import Address
from twisted_chat.client.secrecy import without_secret
from twisted_chat.client.typed import Typed, parse
from twisted_chat.client.view import View
from twisted_chat.refusal import Refused

_TOLD_FAILURES = 4  # by then the pauses are as long as they get: more lines would say nothing new
_ROOMS = "rooms"  # our name for the question which rooms there are


class Conversation:
    """A conversation at a front end.

    Args:
        nick: the nickname to ask for; empty if the person is to be asked first.
        view: where it is seen.
        client: what talks to the server.
        addresses: where that is.
        room: the room to type into; empty for the lobby.
        password: that of the nickname; empty if it has none, or the person is to be asked.
        poster: sends files; None where nothing can.
    """

    def __init__(
        self,
        nick: str,
        view: View,
        client: ChatClient,
        addresses: Sequence[Address],
        room: str = "",
        password: str = "",
        poster: Posts | None = None,
    ) -> None:
        self.model = client.model
        self.outbox = client.outbox
        self.sender = client.sender
        self.finished: Deferred[None] = Deferred()
        self.state = "connecting"
        self.naming = False
        self.proving = False  # the next line is a password
        self._password = password
        self._nick = nick
        self._view = view
        self._client = client
        client.hear = self._hear
        self._addresses = addresses
        self._room = room
        self._hearing = Hearing(view)
        self._leaving = Leaving(client.clock, self._finish)
        self._marks = Marks(client)
        self._joining = Joining(self.model, careful=view.asks)
        self.files = Files(poster, self._ask_for_address, view.refused, self._settle)
        self._failures = 0
        self._unsent: list[str] = []  # what is known never to have gone out
        self._over = False

    def start(self) -> None:
        """Connect, or ask for a nickname first."""
        if self._nick:
            self._connect(self._nick, self._password)
        else:
            self._ask_nick("")

    # What is typed

    def typed(self, line: str) -> None:
        """Somebody typed a line."""
        if line.strip() and not self._leaving.farewell:
            self._take(line)
            self._mark()
        self._settle()

    def leave(self, farewell: str = "/quit", patience: float | None = None) -> None:
        """Nothing more will be typed: end when all is acknowledged.

        Args:
            farewell: the command that says so to the server.
            patience: so many seconds may pass; None for as long as it takes.
        """
        again = bool(self._leaving.farewell) and self._view.asks
        self._leaving.begin(farewell, patience)
        if patience is not None and (again or not self._client.is_in):
            self._finish()
        else:
            self._settle()

    def reconnect(self) -> None:
        """Try at once to connect, also where there seems to be a connection."""
        if not self.naming and not self.finished.called:
            self._view.connection("Connecting again")
            self._failures = 0
            self.state = "connecting"
            self._client.reconnect()
            self._view.changed()

    def send_file(self, path: str) -> None:
        """Send a file to the room that is typed into."""
        if self.model.query:
            self._view.refused("Files can be sent only to rooms: end /query first.")
        else:
            self.files.send(path)
        self._settle()

    def _ask_for_address(self) -> Deferred[Happened | Answer]:
        room = self.model.current
        line = self.outbox.add(
            room, "/upload", True, self._client.clock.seconds(), may_wait=not self._view.asks
        )
        self.sender.send()
        return line.done

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
        elif self.proving:
            self.proving = False
            self.state = "connecting"
            self._connect(self.model.nick, line.strip())
        elif self.naming:
            self._name(line.strip())
        else:
            self._add(typed)
            if room := typed.joins(self.model):
                self.model.join(room)

    def _add(self, typed: Typed, *, may_wait: bool = False) -> Line:
        """Put it into the outbox; a person would rather know than wait for a command."""
        known = self.model.here.entered
        room = self.model.current if known or not typed.command else ""
        existing = self._joining.only_existing(typed)
        line = self.outbox.add(
            room,
            typed.text,
            typed.command,
            self._client.clock.seconds(),
            only_existing=existing,
            may_wait=may_wait or not (typed.command and self._view.asks),
        )
        line.done.addCallbacks(
            lambda told: self._done(line, told), lambda why: self._not_done(line, why)
        )
        return line

    def _settle(self) -> None:
        """Do what has become possible: send, and say farewell when there is nothing else."""
        self.sender.send()
        is_all_sent = not self.outbox and not self.files
        while self._client.is_in and self._leaving.is_unsaid and is_all_sent:
            self._mark(leaves=True)
            self._leaving.said(self._add(parse(self._leaving.farewell), may_wait=True))
            self.sender.send()
            is_all_sent = not self.outbox
        if not self.finished.called:
            self._view.changed()

    def _mark(self, *, leaves: bool = False) -> None:
        """A person has read what is shown; nobody reads what a pipe writes."""
        if self._view.asks:
            self._marks.typed(leaves=leaves)

    def _name(self, nick: str) -> None:
        self.naming = False
        self.state = "connecting"
        self._connect(nick)

    def _connect(self, nick: str, password: str = "") -> None:
        room, self._room = self._room, ""
        connecting = self._client.connect(self._addresses, nick, room, password)
        connecting.addCallbacks(lambda _: self._settle(), self._ended)
        self._client.finished.addErrback(self._ended)

    def _ask_nick(self, why: str) -> None:
        self.naming = True
        self.state = "which nickname?"
        self._view.ask_nick(why)

    def _ask_password(self) -> None:
        self.proving = True
        self.state = "which password?"
        self._view.ask_password(self.model.nick)

    # What the client tells

    def _hear(self, told: Heard) -> None:
        match told:
            case Lost():
                self._lost(told)
            case Welcome():
                self._welcomed(told)
            case Happened():
                typed = self.outbox.find(told.entry.ref) is not None
                self._view.happened(told, typed=typed)
            case Answer(ref=ref) if ref == _ROOMS:
                self.model.list_rooms(told.lines)
            case Refusal():
                self._view.refused(told.text)
            case _:
                self._hearing.hear(told)
        self._settle()

    def _welcomed(self, told: Welcome) -> None:
        self._hearing.hear(told)
        self._failures = 0
        self.state = "connected"
        if self._view.completes:
            self._client.send({"do": "command", "text": "/rooms", "ref": _ROOMS})

    def _lost(self, told: Lost) -> None:
        self.state = "offline"
        if self._leaving.ends_without_connection:
            self._finish()
        elif told.elsewhere:
            self.state = "connecting"
            if not self._failures:
                self._view.connection(wording.trying_elsewhere(told.why, told.elsewhere))
        elif told.pause is not None:
            self._failures += 1
            last = self._failures == _TOLD_FAILURES
            if self._failures <= _TOLD_FAILURES:
                self._view.connection(wording.trying_again(told.why, told.pause, last=last))

    def _ended(self, failure: Failure) -> None:
        why = failure.value
        if isinstance(why, NicknameRefused) and self._view.asks:
            if why.code == "registered-nick":
                self._ask_password()
                return
            self._ask_nick(failure.getErrorMessage())
        else:
            why = failure.value
            failed = why if isinstance(why, Failed) else Failed(failure.getErrorMessage())
            self._end(lambda: self.finished.errback(failed))

    def _done(self, line: Line, told: Happened | Answer) -> None:
        if isinstance(told, Answer):
            self._view.answered(told.lines, line)
        self._settle()

    def _not_done(self, line: Line, failure: Failure) -> None:
        why = failure.value
        is_farewell = self._leaving.is_farewell(line)
        is_told = not is_farewell and (self.model.session is not None or self._view.asks)
        match why:
            case Refused():
                more = self._joining.refused(line, why)
                self._view.refused(f"{why.text} {more}".rstrip(), line)
                if is_farewell and why.code == "too-long":
                    self._leaving.go_without_a_word()
            case Unconfirmed():
                if is_told:
                    self._view.refused(str(why))
            case _:
                failure.trap(Failed)
                if is_told:
                    self._unsent.append(without_secret(line.text))
        self._settle()

    # The end

    def _finish(self) -> None:
        self._end(lambda: self.finished.callback(None))

    def _end(self, how: Callable[[], None]) -> None:
        if self._over:
            return
        self._over = True
        self._leaving.stop()
        self._client.close(self._leaving.farewell or "/quit")
        if self._unsent:
            self._view.refused(wording.not_sent(self._unsent))
        how()
