"""What is said and read on a connection: requests, answers and rooms, in each language's words."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_chat.chat.chat import Chat
from twisted_chat.chat.device import Device
from twisted_chat.chat.person import Person
from twisted_chat.chat.request import Request
from twisted_chat.chat.room import Room
from twisted_chat.log.fanout import Fanout
from twisted_chat.log.window import Wire
from twisted_chat.refusal import Refused
from twisted_chat.sessions.frontend import Frontend
from twisted_chat.sessions.input import Input
from twisted_chat.sessions.reading import Decorate, Reading
from twisted_chat.text.cleaning import too_long

_log = Logger(namespace="chat")

_T = TypeVar("_T")


class Conversation:
    """Somebody asks, and is answered; what a frontend speaks is in the subclasses.

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
        self._input = Input(frontend, chat.clock, chat.limits, self._line_is_due, self._proceed)
        self._wire = wire
        self._reading = Reading(frontend, wire, self._input, self._fell_behind, self._proceed)
        self._person: Person | None = None
        self._device: Device | None = None  # theirs, of which this is the connection
        self._room: Room | None = None
        self._is_warned = False  # that others on the way can read along
        self._removed_from = ""  # the room that they were typing into, if they had to leave it

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
    def _name(self) -> str:
        return self._person.nickname if self._person else f"somebody at {self.address}"

    @property
    def room(self) -> Room:
        """The room that they are typing into."""
        return self._room or self.chat.lobby

    def talk_in(self, room: Room) -> None:
        """What they type goes to another room from now on."""
        self._room = room
        self._removed_from = ""
        self.device.room = room.key

    def removed(self, room: str, other: str) -> None:
        """They have to leave a room, and what they type would go to another; both by their keys.

        Lines may be under way that are meant for the first: none is said in the other before they
        say that they want to talk there.
        """
        if self.room.key == room:
            self._removed_from = self.room.name
            self._room = self.chat.rooms[other]

    @property
    def aim(self) -> Room:
        """See `command.Caller.aim`."""
        if self._removed_from:
            raise Refused(
                "not-in-room",
                f"You are not in {self._removed_from} any more, so that was not done: "
                f"/join {self.room.name} to talk there.",
            )
        return self._room or self.chat.lobby

    # What a frontend speaks

    def answer_nickname(self, line: bytes) -> None:
        """Take a line for the answer to the question for a nickname.

        Raises:
            Refused: why not.
        """
        raise NotImplementedError

    def answer_password(self, line: bytes) -> None:
        """Take a line for the password of the registered name that they want.

        Raises:
            Refused: why not.
        """
        raise NotImplementedError

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

    def note(self, text: str) -> None:
        """Say something that they should know, beside the answer to what they asked for."""
        raise NotImplementedError

    def ask(self) -> None:
        """Ask for a nickname once more."""

    def has_read(self, room: str, number: int) -> None:
        """They have read a room up to a number on another device; terminals show all the same."""

    def too_fast(self, line: bytes, wait: float) -> None:
        """A line is refused for the pace, and the same would be for so many seconds."""
        raise NotImplementedError

    def too_late(self, line: bytes) -> None:
        """A line has come too late to be done: the server stops."""
        raise NotImplementedError

    def begin(self, room: str, fanout: Fanout) -> int:
        """They enter a room; gives the number after which they read it."""
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
    def decorate(self) -> Decorate | None:
        """Gives a line its last touch for this one person, if anything does."""
        return None

    may_resume = False
    """Whether they can come back to this conversation over another connection."""

    tells_members = False
    """Whether they keep account of who is in a room."""

    # What they read

    @property
    def own_read(self) -> int:
        """See `device.Connection.own_read`."""
        return self._reading.own_seen

    def go_on(self) -> None:
        """The frontend takes more: go on reading."""
        self._reading.go_on()

    def follow(self, room: str, fanout: Fanout) -> None:
        """They are about to enter a room: read along."""
        if self._reading.is_open:
            after = self.begin(room, fanout)
            self._reading.follow(room, fanout, self.person, self.client, after, self.decorate)

    def entered(self, room: str) -> None:
        """They are in a room now: once its history is read, say who is there."""
        self._reading.when_read(room, partial(self._describe, room))

    def unfollow(self, room: str) -> None:
        """They left a room: read to the end of what was said until now, then hear them again."""
        self._reading.leave(room)

    def redecorate(self) -> None:
        """What gives lines their last touch has changed."""
        self._reading.decorate(self.decorate)

    def _describe(self, room: str) -> None:
        self.describe(self.chat.rooms[room])

    def _fell_behind(self, room: str) -> None:
        if self.tells_members:
            self._describe(room)

    def missed_told(self, room: str) -> None:
        """It may not have been told who has come to a room, by its key, and who has left."""
        if self.tells_members:
            self._reading.when_read(room, partial(self._describe, room))

    # Passwords

    def check_privacy(self) -> None:
        """See `command.Caller.check_privacy`."""
        if self._frontend.is_private:
            return
        if self.chat.accounts.needs_privacy:
            raise Refused(
                "not-private",
                "Others on the way can read this connection, so that no passwords are taken "
                "over it: connect with TLS.",
            )
        if not self._is_warned:
            self._is_warned = True
            self.note("Others on the way can read this connection, and so your password.")

    # Requests and answers

    def charge(self, lines: int) -> None:
        """See `command.Caller.charge`."""
        self._input.charge(lines)

    def answer(self, data: bytes) -> None:
        """Write an answer; a long one counts as lines, so that nobody asks faster than they read.

        (A page of history is twenty times as long as the question for it.)
        """
        self._frontend.write(data)
        self.charge(len(data) // self.chat.limits.answer_bytes)

    def _line_is_due(self, line: bytes) -> None:
        """A line may be done now."""
        raise NotImplementedError

    def _proceed(self) -> None:
        """Something is done: what waited for it may follow."""
        raise NotImplementedError

    def _was_refused(self) -> None:
        """They were told that something is not done."""
        raise NotImplementedError

    def _hear(self, line: bytes) -> None:
        """Over the pace a line waits its turn, and too many are refused."""
        self.chat.counters.lines += 1
        wait = self._input.take(line)
        if wait and self._input.never_ends():
            self._refuse_flood()
            self.chat.quit(self.person, self.device, "flooding")
        elif wait:
            self.chat.counters.refusals["too-fast"] += 1
            self.too_fast(line, wait)

    def _refuse_flood(self) -> None:
        self.chat.counters.refusals["flooding"] += 1
        self.refuse(
            Refused(
                "flooding", "You kept sending too fast: connect again later, and send more slowly."
            )
        )

    def _refuse_long_line(self) -> None:
        self._refuse(too_long(self.chat.limits.line_bytes))

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
        self._was_refused()

    def _answer_after(
        self, work: Deferred[_T], answer: Callable[[_T], None], request: Request
    ) -> None:
        """Answer when some work is done, and hear no lines until then: answers keep their order."""
        work.addCallback(answer)
        work.addErrback(self._fail, request)
        if not work.called or work.paused:
            self._input.pause()
            work.addCallback(lambda _: self._input.resume())

    def wait_for(self, request: Request) -> None:
        """Hear no lines until what was asked for is stored or refused."""
        if request.is_pending:
            self._input.pause()
            request.when_settled(self._input.resume)
