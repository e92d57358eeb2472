"""`ChatClient`: somebody in a chat, over as many connections as it takes."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint
from twisted.logger import Logger

from twisted_chat.client.connection import Connection
from twisted_chat.client.failed import Failed
from twisted_chat.client.incoming import (
    Answer,
    Happened,
    Hidden,
    Incoming,
    Refusal,
    State,
    Welcome,
    read,
)
from twisted_chat.client.model import Model
from twisted_chat.client.outbox import Line, Outbox
from twisted_chat.client.patience import FOR_EVER, Patience
from twisted_chat.client.protocol import Talker
from twisted_chat.client.route import Address
from twisted_chat.client.secrecy import without_secret
from twisted_chat.client.sending import Sender
from twisted_chat.client.typed import parse, room_name
from twisted_chat.refusal import Refused
from twisted_chat.text.names import LOBBY, key

_log = Logger(namespace="chat")

_ROOM = "room"  # our name for the request to enter the first room


class Unconfirmed(Exception):
    """The session ended before the server answered: nobody can say whether this was done."""


class NicknameRefused(Refused):
    """The server does not let us in under this nickname."""


@dataclass(frozen=True, slots=True)
class Lost:
    """There is no connection; a new one is tried after `pause` seconds, unless it is None.

    If another address of the chat is tried at once, `elsewhere` is what that is called.
    """

    why: str
    pause: float | None
    elsewhere: str = ""


Heard: TypeAlias = Incoming | Lost


class ChatClient:
    """Somebody in a chat, who comes back when the connection breaks.

    The first pause before a new try is two seconds at most, the longest fifteen. A session that
    the server still knows goes on: what was said meanwhile is heard, marked as `replayed`, and
    what could not be sent is sent once.

    Args:
        clock: the time and its timers, usually the reactor.
        hear: called with everything that the server tells and with `Lost`; but what becomes of
            a request of ours is told by its Deferred. What it raises is logged.
        raw: called with every object as the server sent it.
        quiet: whether we are only here to post, so that nobody need know of our coming.
        patience: for how long to try to reach the server.
        elsewhere: gives those of the addresses that the server tells where we may go on if the
            connection is lost; without it, they are not used.
        jitter: a number from 0 to 1, so that not all clients come back at the same moment.
    """

    def __init__(
        self,
        clock: IReactorTime,
        hear: Callable[[Heard], None] = lambda _: None,
        *,
        raw: Callable[[dict[str, Any]], None] = lambda _: None,
        quiet: bool = False,
        patience: Patience = FOR_EVER,
        elsewhere: Callable[[Sequence[str]], Sequence[Address]] = lambda _: (),
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.clock = clock
        self.hear = hear
        self.model = Model("")
        self.outbox = Outbox()
        self.sender = Sender(self.outbox, self.send, clock, self._too_long)
        self.is_in = False
        """Whether the server has let us in, over the connection that there is now."""
        self.finished: Deferred[None] = Deferred()
        """Fires after `close`; fails if we were in and cannot come back (`Failed`, `Refused`)."""
        self._raw = raw
        self._quiet = quiet
        self._patience = patience
        self._elsewhere = elsewhere
        self._jitter = jitter
        self._connection: Connection | None = None
        self._connecting: Deferred[Welcome] | None = None
        self._welcome: Welcome | None = None  # while we enter the first room
        self._password = ""  # of our nickname, if it is registered
        self._first_room = ""  # to be entered before anything is said

    @property
    def address(self) -> Address | None:
        """Where we are connected, or were at last; None before `connect`."""
        return self._connection.address if self._connection is not None else None

    @property
    def nick(self) -> str:
        """Our nickname, as the server has it."""
        return self.model.nick

    def is_me(self, nick: str) -> bool:
        """Whether this is our own nickname."""
        return self.model.is_me(nick)

    def connect(
        self,
        at: IStreamClientEndpoint | Sequence[Address],
        nick: str,
        room: str = "",
        password: str = "",
    ) -> Deferred[Welcome]:
        """Join the chat.

        Args:
            at: where the server is; or all the addresses of the chat, in the order in which they
                are tried, when one connects and whenever the connection is lost.
            nick: the nickname to take.
            room: a room to enter beside the lobby.
            password: that of the nickname, if it is registered.

        Returns:
            Fires when we are in, and in the room; fails with `NicknameRefused` (this may be
            called again, with another one), with `Refused` (by the room) or with `Failed`, such
            as `Untrusted` (the certificate of a `SecureEndpoint`).
        """
        self._drop_connection()
        if self._connecting is not None:
            self._end(Failed("Another call of connect took its place."))
        self.model.nick = nick
        self._password = password
        if room and key(room_name(room)) != LOBBY:
            self._first_room = room_name(room)
            self.model.go(self._first_room)
        self._connecting = connecting = Deferred[Welcome]()
        if self.finished.called:
            self.finished = Deferred()
        addresses = at if isinstance(at, Sequence) else [Address(at)]
        self._connection = Connection(addresses, self.clock, self._patience, jitter=self._jitter)
        self._connection.open(Talker(self._hello, self._heard, self._lost, self._gave_up))
        return connecting

    def say(self, text: str, room: str = LOBBY) -> Deferred[int]:
        """Say something in a room that we are in.

        Returns:
            Fires with the event's id when it is stored; fails with `Refused` (it was not said),
            `Unconfirmed` or `Failed`.
        """
        return self._request(room, text, command=False).addCallback(lambda told: told.id)

    def command(self, text: str, room: str = "") -> Deferred[tuple[str, ...]]:
        """Do a slash command, such as `/join #dev` or `/whisper bob psst`.

        Args:
            text: the command.
            room: where; empty for the room of the last one.

        Returns:
            Fires with the lines of its answer when all that it brings is stored; fails as `say`.
        """
        done = self._request(room, text, command=True)
        return done.addCallback(lambda told: told.lines if isinstance(told, Answer) else ())

    def close(self, farewell: str = "/quit") -> None:
        """Leave. What the server has not acknowledged until now is not waited for.

        Args:
            farewell: the command that says so; `/quit see you` gives the others a reason.
        """
        if self._connection is None:
            return
        if self.is_in:  # else the server would keep our place for when we come back
            self.send({"do": "command", "text": farewell})
        why = Failed("The client was closed before it was let in.")
        self._give_up(why if self._connecting is not None else None)

    def reconnect(self) -> None:
        """Try at once to connect, also where there seems to be a connection."""
        self._is_out()
        if self._connection is not None:
            self._connection.reconnect()

    def send(self, thing: dict[str, Any]) -> None:
        """Send an object as it is, if there is a connection; `hear` is told what comes of it."""
        if self._connection is not None:
            self._connection.send(thing)

    def _request(self, room: str, text: str, *, command: bool) -> Deferred[Happened | Answer]:
        if self._connection is None:
            return fail(Failed("There is no connection: call connect first."))
        try:
            text.encode()
        except UnicodeEncodeError:
            return fail(Refused("not-utf-8", "That text cannot be written in UTF-8."))
        line = self.outbox.add(room, text, command, self.clock.seconds())
        self.sender.send()
        return line.done

    def _tell(self, told: Heard) -> None:
        try:
            self.hear(told)
        except Exception:  # what one event has broken is not for the connection to pay
            _log.failure("What was heard could not be dealt with: {told!r}", told=told)

    # What the connection tells

    def _hello(self) -> dict[str, Any]:
        hello: dict[str, Any] = {"do": "hello", "nick": self.model.nick}
        if self._quiet:
            hello["quiet"] = True
        if self._password:
            hello["password"] = self._password
        if self.model.session is not None:
            hello |= {"session": self.model.session, "seen": self.model.seen}
            if self.model.epoch:
                hello["epoch"] = self.model.epoch
        return hello

    def _lost(self, why: str, pause: float, elsewhere: str) -> None:
        self._is_out()
        self._tell(Lost(why, pause, elsewhere))

    def _gave_up(self, why: Failed) -> None:
        self._is_out()
        connection = self._connection
        self._tell(Lost(str(why), None))
        if self._connection is connection is not None:
            self._give_up(why)

    def _heard(self, thing: dict[str, Any]) -> None:
        self._raw(thing)
        told = read(thing)
        match told:
            case Welcome():
                self._welcomed(told)
            case State():
                self._tell(replace(told, entered=self.model.state(told)))
            case Happened():
                self.model.happened(told)
                self._tell(told)
                line = self.outbox.find(told.entry.ref)
                if line is not None and not line.command:  # else its answer is still to come
                    self._done(line, told)
            case Hidden():
                self.model.hidden(told)
                self._tell(told)
            case Answer():
                self._answered(told)
            case Refusal():
                self._refused(told)
            case None:
                pass
            case _:
                self._tell(told)
        self.sender.send()

    def _welcomed(self, told: Welcome) -> None:
        if self._connection is None:
            return
        again, anew = self.model.session is not None, self.model.began_anew(told)
        if self.is_in:  # we have logged in as somebody else, over this very connection
            self.model.rooms.clear()
            self.model.welcome(told)
            self._tell(replace(told, again=False))
            return
        self.model.welcome(told)
        self._connection.welcomed()
        self._connection.learn(self._elsewhere(told.addresses))
        self.sender.limit(told.input_bytes)
        self.is_in = True
        self._welcome = told = replace(told, again=again, anew=anew)
        self._tell(told)
        if told.resumed:
            self.outbox.resumed()
        else:
            self._give_up_unconfirmed()
        if self._first_room:
            self.send({"do": "command", "text": f"/join {self._first_room}", "ref": _ROOM})
        else:
            self._start(told)

    def _start(self, told: Welcome) -> None:
        self._first_room = ""
        self.sender.start()
        connecting, self._connecting = self._connecting, None
        if connecting is not None:
            connecting.callback(told)

    def _answered(self, told: Answer) -> None:
        line = self.outbox.find(told.ref)
        if line is None:
            if self._first_room and told.ref == _ROOM and self._welcome is not None:
                self._start(self._welcome)
            self._tell(told)
            return
        if line.command:
            typed = parse(line.text)
            if room := typed.joins(self.model):
                self.model.joined(room)
            if room := typed.leaves(self.model, line.room):  # in a rush the event may never come
                self.model.leave(room)
            if typed.word in self.model.spellings("/rooms"):
                self.model.list_rooms(told.lines)
        self._done(line, told)

    def _refused(self, told: Refusal) -> None:
        line = self.outbox.find(told.ref)
        if not self.is_in:
            self._not_let_in(told)
        elif self._first_room and told.ref == _ROOM:
            self.send({"do": "command", "text": "/quit"})
            self._give_up(Refused(told.code, told.text, told.wait))
        elif told.code == "replaced":  # whoever has our token would be replaced in turn, for ever
            self._give_up(Refused(told.code, told.text))
        elif line is None:
            self._tell(told)
        elif told.code == "too-fast" and line.may_wait:
            self.sender.again(line, told.wait)
        else:
            self._not_done(line, Refused(told.code, told.text, told.wait))

    def _not_let_in(self, told: Refusal) -> None:
        if self._connection is not None and told.wait is not None:
            self._connection.drop(told.text)
        else:
            self._drop_connection()
            self._end(NicknameRefused(told.code, told.text))

    def _too_long(self, line: Line) -> None:
        """The server could not even read whose request it refuses, so it is not asked."""
        why = "That line is too long for the server and was not sent: split it."
        self._not_done(line, Refused("too-long", why))

    # What becomes of lines

    def _done(self, line: Line, told: Happened | Answer) -> None:
        self.outbox.settle(line)
        line.done.callback(told)

    def _not_done(self, line: Line, why: Exception) -> None:
        self.outbox.settle(line)
        if line.command:
            self.model.give_up(parse(line.text).joins(self.model))
        line.done.errback(why)

    def _give_up_unconfirmed(self) -> None:
        for line in [line for line in self.outbox if line.sent]:
            self._not_done(
                line, Unconfirmed(f"Could not be confirmed: {without_secret(line.text)}")
            )

    def _give_up_lines(self) -> None:
        self._give_up_unconfirmed()
        for line in list(self.outbox):
            self._not_done(line, Failed(f"Not sent: {without_secret(line.text)}"))

    # The end

    def _is_out(self) -> None:
        self.is_in = False
        self.sender.stop()

    def _drop_connection(self) -> None:
        self._is_out()
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _give_up(self, why: Exception | None) -> None:
        self._drop_connection()
        self._give_up_lines()
        if self._connection is None:  # else whoever was told of a line has connected anew
            self._end(why)

    def _end(self, why: Exception | None) -> None:
        connecting, self._connecting = self._connecting, None
        if connecting is not None:
            connecting.errback(why)
        elif why is not None:
            self.finished.errback(why)
        else:
            self.finished.callback(None)
