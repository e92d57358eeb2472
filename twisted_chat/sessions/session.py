"""One connection's conversation: take a nickname, then chat. What all frontends have in common."""

from collections.abc import Callable
from functools import partial
from typing import Protocol, TypeVar

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_chat.chat.chat import Chat
from twisted_chat.chat.device import Device
from twisted_chat.chat.person import Person
from twisted_chat.chat.request import Request
from twisted_chat.chat.room import Room
from twisted_chat.events import OWN, Entry
from twisted_chat.log.fanout import Fanout
from twisted_chat.log.reader import Outlet, Reader
from twisted_chat.log.window import Wire
from twisted_chat.refusal import Refused
from twisted_chat.sessions.throttle import Throttle
from twisted_chat.text.cleaning import too_long

_log = Logger(namespace="chat")

_T = TypeVar("_T")

_NAMELESS = 10
"""Lines without a nickname, for each try that one has at it."""


class Frontend(Protocol):
    """What a session asks of the connection that carries it."""

    address: str
    """Where the other end is, without its port."""

    @property
    def outlet(self) -> Outlet:
        """Where what is read goes."""

    def write(self, data: bytes) -> None:
        """Answer."""

    def pause(self) -> None:
        """Deliver no lines until told to `resume`."""

    def resume(self) -> None:
        """Deliver lines again."""

    def hurry(self) -> None:
        """There is no later: deliver all lines that have come."""

    def close(self) -> None:
        """Send what has been written, then close."""

    def abort(self) -> None:
        """Close at once."""

    def named(self) -> None:
        """Whoever is at the other end has a nickname now."""


class Session:
    """One connection's conversation; what a frontend speaks is in its subclasses.

    Args:
        chat: what the conversation is about.
        frontend: the connection that carries it.
        wire: how events are shown on it.
    """

    def __init__(self, chat: Chat, frontend: Frontend, wire: Wire) -> None:
        self.chat = chat
        self.client = ""  # the id under which this connection asks for things
        self.request = Request()
        self._frontend = frontend
        self._wire = wire
        self._person: Person | None = None
        self._device: Device | None = None  # theirs, of which this is the connection
        self._readers: dict[str, Reader] = {}  # by the room's key; one's own log under its name
        self._closing: tuple[Reader, ...] = ()  # readers who go on to the end of what was said
        self._room: Room | None = None
        self._throttle: Throttle | None = None  # from the first line on
        self._pauses = 0
        self._awaited = 0  # rooms that are read up to a place before more lines are heard
        self._wrong = 0  # answers to the question for a nickname
        self._nameless_lines = 0
        self._handling = False  # a line, just now
        self._input_ended = self._ending = self._lost = False
        self._is_leaving = False  # reading to the end, and then the connection closes
        self._why_lost = ""
        self._patience: IDelayedCall | None = None  # until whoever leaves has read the end

    @property
    def address(self) -> str:
        """Where the other end is, as far as it is known."""
        return self._frontend.address

    @property
    def person(self) -> Person:
        """Who is at the other end, once they have a nickname."""
        if self._person is None:
            raise Refused("no-nick", "You have no nickname yet: choose one first.")
        return self._person

    @property
    def device(self) -> Device:
        """Theirs, of which this is the connection, or was.

        Raises:
            Refused: they have no nickname.
        """
        if self._device is None:
            raise Refused("no-nick", "You have no nickname yet: choose one first.")
        return self._device

    @property
    def is_in(self) -> bool:
        """Whether they have a nickname."""
        return self._person is not None

    @property
    def is_current(self) -> bool:
        """Whether somebody with a nickname is here, and not over another connection by now."""
        return self._device is not None and self._device.connection is self

    def dismiss(self) -> None:
        """Nothing more is said here: the connection is turned away."""
        self._ending = True

    @property
    def room(self) -> Room:
        """The current room, which typed lines go to."""
        return self._room or self.chat.lobby

    def talk_in(self, room: Room) -> None:
        """Make this the current room, which typed lines go to."""
        self._room = room
        self.device.room = room.key

    # What a frontend speaks

    def handle(self, line: bytes) -> None:
        """Do what a line says.

        Raises:
            Refused: why not.
        """
        raise NotImplementedError

    def refuse(self, why: Refused, ref: str | None = None) -> None:
        """Say why something is not done."""
        raise NotImplementedError

    def announce(self, text: str) -> None:
        """Say something that is nobody's answer, before there is a person to tell it."""
        raise NotImplementedError

    def ask(self) -> None:
        """Ask for a nickname once more."""

    def unheard(self, line: bytes) -> None:
        """A line has come too late to be done: the server stops."""
        raise NotImplementedError

    def follow(self, room: str, fanout: Fanout) -> None:
        """They are about to enter a room: read along."""
        raise NotImplementedError

    def describe(self, room: Room) -> None:
        """Say who is in a room, and what it is about."""
        raise NotImplementedError

    def ring(self, when: str) -> str:
        """See `command.Caller.ring`; programs ring their own bells."""
        raise Refused(
            "no-bell", "/bell is for plain connections: your client has a bell of its own."
        )

    @property
    def decorate(self) -> Callable[[Entry, bytes], bytes] | None:
        """Gives a line its last touch for this one person, if anything does."""
        return None

    may_resume = False
    """Whether they can come back to this conversation over another connection."""

    tells_members = False
    """Whether they keep account of who is in a room."""

    # What the frontend tells

    def line_received(self, line: bytes) -> None:
        """A line has arrived; over the pace it waits its turn, and too many are refused."""
        if self._ending:
            if self.chat.is_stopping and not self._lost:
                self.unheard(line)
            return
        self.chat.counters.lines += 1
        limits = self.chat.limits
        if self._person is None:
            self._nameless_lines += 1
            if self._nameless_lines > _NAMELESS * limits.nickname_tries:
                self._send_away()
            else:
                self._try(line)
            return
        if limits.pace is None and self._throttle is None:
            self._try(line)
            return
        if self._throttle is None:
            self._throttle = Throttle(self.chat.clock, limits, self._try, self._all_is_said)
        wait = self._throttle.take(line)
        if wait and self._throttle.never_ends():
            self._send_away()
        elif wait:
            self.chat.counters.refusals["too-fast"] += 1
            self.too_fast(line, wait)

    def _send_away(self) -> None:
        self.chat.counters.refusals["flooding"] += 1
        self.refuse(
            Refused(
                "flooding", "You kept sending too fast: connect again later, and send more slowly."
            )
        )
        if self._person is not None:
            self.chat.quit(self._person, self.device, "flooding")
        else:
            self._ending = True
            self._frontend.close()

    def answer(self, data: bytes) -> None:
        """Write an answer; a long one counts as lines, so that nobody asks faster than they read.

        (A page of history is twenty times as long as the question for it.)
        """
        self._frontend.write(data)
        self.charge(len(data) // self.chat.limits.answer_bytes)

    def charge(self, lines: int) -> None:
        """See `command.Caller.charge`."""
        if self._throttle is not None:
            self._throttle.charge(lines)

    def too_fast(self, line: bytes, wait: float) -> None:
        """A line is refused for the pace, and the same would be for so many seconds."""
        raise NotImplementedError

    def _try(self, line: bytes) -> None:
        if self._ending:
            return
        self.request = Request(self.client)
        self._handling = True
        try:
            self.handle(line)
        except Exception:
            self._fail(Failure(), self.request)
        self._handling = False
        self._all_is_said()  # what that line has ended may close the connection now
        self._close_when_read()

    def _fail(self, failure: Failure, request: Request) -> None:
        """A request is not done; if that never should be, the operator reads why."""
        if self._device is not None:
            self._device.forget(request)
        why = failure.value
        if not isinstance(why, Refused):
            _log.failure("A request from {nick} failed", failure, nick=self._name)
            why = Refused(
                "broken",
                "Something went wrong on the server, and that was not done: try again later.",
            )
        self._refuse(why, request.ref)

    def _refuse(self, why: Refused, ref: str | None = None) -> None:
        self.chat.counters.refusals[why.code] += 1
        self.refuse(why, ref)
        if self._person is None and not self._ending:
            self._ask_again()

    def _ask_again(self) -> None:
        self._wrong += 1
        if self._wrong < self.chat.limits.nickname_tries:
            self.ask()
        else:
            self._ending = True
            self.announce("That was the last try: connect again to choose a nickname.")
            self._frontend.close()

    def _answer_after(
        self, work: Deferred[_T], answer: Callable[[_T], None], request: Request
    ) -> None:
        """Answer when some work is done, and hear no lines until then: answers keep their order."""
        work.addCallback(answer)
        work.addErrback(self._fail, request)
        if not work.called or work.paused:
            self._pause()
            work.addCallback(lambda _: self._resume())

    def _pause_while(self, request: Request) -> None:
        """Hear no lines until what was asked for is stored or refused."""
        if request.is_pending:
            self._pause()
            request.when_settled(self._resume)

    @property
    def _name(self) -> str:
        return self._person.nickname if self._person else f"somebody at {self.address}"

    def line_too_long(self) -> None:
        """A line was longer than any line may be, and is skipped."""
        if not self._ending:
            self._refuse(too_long(self.chat.limits.line_bytes))

    def input_ended(self) -> None:
        """No more lines will come; who is there may still read."""
        self._input_ended = True
        self._all_is_said()

    def hurry(self) -> None:
        """There is no later: do what waits for its pace."""
        if self._throttle is not None:
            for line in self._throttle.hurry():
                self.unheard(line)

    def _stop_throttle(self) -> None:
        if self._throttle is not None:
            self._throttle.stop()
            self._throttle = None

    def _all_is_said(self) -> None:
        is_idle = self._throttle is None or self._throttle.is_idle
        if self._input_ended and is_idle and not self._pauses and not self._handling:
            self._finish()

    def _finish(self) -> None:
        """Everything that they wanted to say is said."""
        if self._ending:
            return
        if self._lost:
            self._give_up()
        elif self._person is None:
            self._frontend.close()
        elif self.may_resume:
            self.end()
        else:
            self.chat.quit(self._person, self.device, "")

    def connection_lost(self, reason: str) -> None:
        """The connection is gone; what they said before is still said, up to `input_ended`.

        Args:
            reason: what the others are told; empty if it was closed in good order.
        """
        self._lost = True
        self._why_lost = reason
        self._stop_waiting()
        self._stop_reading()
        awaited, self._awaited = self._awaited, 0
        for _ in range(awaited):
            self._resume()
        if self._ending:
            self._give_up()
        else:
            self._all_is_said()

    def _stop_reading(self) -> None:
        for reader in (*self._readers.values(), *self._closing):
            reader.close()
        self._readers.clear()
        self._closing = ()

    def _give_up(self) -> None:
        self._ending = True
        self._stop_reading()
        self._stop_throttle()
        self.request = Request()  # the last one knows us, and may never be settled
        if self._person and self._device and self._device.connection is self:
            self.chat.lose(self._person, self._device, self._why_lost)

    def go_on(self) -> None:
        """The frontend takes more: go on reading."""
        for reader in (*self._readers.values(), *self._closing):
            reader.catch_up()

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    # Taking a nickname

    def _enter(self, nickname: str, then: Callable[[Person], None]) -> None:
        """Ask for a nickname, and hear no lines until there is an answer."""
        asked = maybeDeferred(self.chat.enter, nickname, self.address)
        asked.addErrback(self._not_entered)
        self._answer_after(asked, partial(self._entered, then=then), self.request)

    def _pause(self) -> None:
        """Hear no lines until what is under way is done, so that answers keep their order."""
        self._pauses += 1
        if self._pauses == 1:
            self._frontend.pause()
            if self._throttle is not None:
                self._throttle.pause()

    def _resume(self) -> None:
        self._pauses -= 1
        if self._pauses == 0:
            if self._throttle is not None:
                self._throttle.resume()
            self._frontend.resume()
            self._all_is_said()

    def _entered(self, person: Person, then: Callable[[Person], None]) -> None:
        device = person.devices[person.id]
        self.chat.attach(person, device, self)
        if self._ending:
            self.chat.quit(person, device, "")
            self.chat.lose(person, device, "")
        else:
            self._be(person, device)
            then(person)

    def _not_entered(self, failure: Failure) -> Failure:
        if isinstance(failure.value, Refused):
            _log.info("{who} was refused: {why}", who=self._name, why=failure.value.text)
        return failure

    def _be(self, person: Person, device: Device) -> None:
        self._frontend.named()
        self._person, self._device = person, device
        self.client = device.id
        if person.renaming is not None:  # over the connection that they had before
            self._pause_while(person.renaming)

    # Reading

    def _read(self, room: str, fanout: Fanout, after: int) -> None:
        if self._lost:  # what they said before is still done, and nobody is there to read
            return
        reader = Reader(
            fanout, self._wire, self._frontend.outlet, self.person, self.client, after, self
        )
        reader.decorate(self.decorate)
        self._readers[room] = reader
        reader.catch_up()

    def entered(self, room: str) -> None:
        """They are in a room now: once its history is read, say who is there."""
        if self._lost:
            return
        reader = self._readers[room]
        self._wait_to_hear()
        reader.when_here(lambda: self._arrived(room, reader))
        reader.catch_up()

    def _arrived(self, room: str, reader: Reader) -> None:
        if self._readers.get(room) is reader:  # else they have left meanwhile
            self.describe(self.chat.rooms[room])
        self._hear_again()

    def _wait_to_hear(self) -> None:
        self._awaited += 1
        self._pause()

    def _hear_again(self) -> None:
        self._awaited -= 1
        self._resume()

    def failed(self, reader: Reader) -> None:
        """See `reader.Owner`: whoever would read no more is not left waiting."""
        self._frontend.abort()

    def caught_up(self, reader: Reader) -> None:
        """See `reader.Owner`."""
        for key, other in self._readers.items() if self.tells_members else ():
            if other is reader and key != OWN:
                self.describe(self.chat.rooms[key])

    def redecorate(self) -> None:
        """What gives lines their last touch has changed."""
        for reader in self._readers.values():
            reader.decorate(self.decorate)

    def unfollow(self, room: str) -> None:
        """They left a room: read to the end of what was said until now, then hear them again."""
        reader = self._readers.pop(room, None)
        if reader is not None and self._lost:
            reader.close()
        elif reader is not None:
            self._closing = (*self._closing, reader)
            if not self._ending:
                self._wait_to_hear()
                reader.stop_here(lambda: self._left(reader))
            else:
                reader.stop_here(lambda: self._read_to_the_end(reader))
            reader.catch_up()

    def _left(self, reader: Reader) -> None:
        self._read_to_the_end(reader)
        self._hear_again()

    def _read_to_the_end(self, reader: Reader) -> None:
        self._closing = tuple(other for other in self._closing if other is not reader)
        self._close_when_read()

    def end(self) -> None:
        """They are gone: let them read what was said until now, then close."""
        if self._ending:
            return
        self._ending = self._is_leaving = True
        if self._lost:
            self._give_up()
            return
        if self.chat.is_stopping:
            self._frontend.hurry()
        self._patience = self.chat.clock.callLater(self.chat.limits.close_seconds, self._abort)
        own_last = sorted(self._readers, key=lambda room: room == OWN)  # it holds the goodbye
        for room in own_last:
            self.unfollow(room)
        self._close_when_read()

    def _abort(self) -> None:
        self._patience = None
        self._frontend.abort()

    def replace(self) -> None:
        """They go on over another connection; what they said over this one is still done."""
        if not self._pauses:
            self._frontend.hurry()
        self.hurry()
        self._ending = True
        self._stop_throttle()
        self._stop_reading()
        self.refuse(Refused("replaced", "This session continues on another connection."))
        self._frontend.close()

    def _close_when_read(self) -> None:
        if self._is_leaving and not self._handling and not self._closing and not self._readers:
            self._frontend.close()
