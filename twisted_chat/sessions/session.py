"""One connection's way through the chat: take a nickname, talk, read to the end, be gone.

What all frontends have in common. `TABLE`, at the end, says what each stage does with each
happening; nothing else asks how far a session is.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

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
from twisted_chat.log.window import Wire
from twisted_chat.refusal import Refused
from twisted_chat.sessions.arriving import Arrival
from twisted_chat.sessions.conversation import Conversation
from twisted_chat.sessions.frontend import Frontend
from twisted_chat.sessions.stages import WHEN_ENDED, WHEN_LOST, Link, Row, Stage, Step
from twisted_chat.text import names
from twisted_chat.text.passwords import Password

_log = Logger(namespace="chat")

_NAMELESS = 10
"""Lines without a nickname, for each try that one has at it."""


class Session(Conversation):
    """One connection's conversation; what a frontend speaks is in its subclasses.

    Args:
        chat: what the conversation is about.
        frontend: the connection that carries it.
        wire: how events are shown on it.
    """

    def __init__(self, chat: Chat, frontend: Frontend, wire: Wire) -> None:
        super().__init__(chat, frontend, wire)
        self._stage = Stage.NAMELESS
        self._row = TABLE[Stage.NAMELESS]
        self._link = Link.OPEN
        self._wrong_answers = 0  # to the question for a nickname
        self._nameless_lines = 0
        self._why_lost = ""
        self._deadline: IDelayedCall | None = None  # to have read to the end
        self._arrival = Arrival(chat, self.refuse)

    @property
    def is_current(self) -> bool:
        """Whether somebody with a nickname is here, and not over another connection by now."""
        return self._device is not None and self._device.connection is self

    def _happens(self, step: Step, *about: object) -> None:
        if step.then is not None:
            self._stage, self._row = step.then, TABLE[step.then]
        step.do(self, *about)

    # What the frontend tells

    def line_received(self, line: bytes) -> None:
        """A line has arrived."""
        self._row.line_received(self, line)

    def line_too_long(self) -> None:
        """A line was longer than any line may be, and is skipped."""
        self._happens(self._row.line_too_long)

    def input_ended(self) -> None:
        """No more lines will come; who is there may still read."""
        self._link = WHEN_ENDED[self._link]
        self._proceed()

    def connection_lost(self, reason: str) -> None:
        """The connection is gone; what they said before is still said, up to `input_ended`.

        Args:
            reason: what the others are told; empty if it was closed in good order.
        """
        self._link = WHEN_LOST[self._link]
        self._why_lost = reason
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        self._reading.stop()
        self._arrival.stop()
        self._happens(self._row.lost)
        self._reading.let_lines_go()

    def dismiss(self) -> None:
        """Nothing more is said here: the connection is turned away."""
        self._happens(self._row.dismissed)

    # What the chat tells (`person.Connection`)

    def do_all(self) -> None:
        """There is no later: do what waits for its pace."""
        for line in self._input.do_all():
            self.too_late(line)

    def talk_in(self, room: Room) -> None:
        """See `Conversation.talk_in`; they may have gone on over another connection meanwhile."""
        later = self.device.connection
        if later is None or later is self:
            super().talk_in(room)
        elif self.device.room == self.room.key:  # they have not chosen a room since
            later.went_to(room.key)

    def went_to(self, room: str) -> None:
        """They went to a room, by its key, as they had asked for over an earlier connection."""
        self.talk_in(self.chat.rooms[room])

    def replace(self) -> None:
        """They go on over another connection; what they said over this one is still done."""
        if not self._input.is_paused:
            self._frontend.deliver_all()
        self.do_all()
        self._happens(self._row.replaced)

    def end(self) -> None:
        """They are gone: let them read what was said until now, then close."""
        self._happens(self._row.all_done if self._link.is_lost else self._row.parted)

    # What follows by itself

    def _take_answer(self, line: bytes) -> None:
        self.answer_nickname(line)

    def _take_password(self, line: bytes) -> None:
        self.answer_password(line)

    def _handle(self, line: bytes) -> None:
        self.handle(line)

    def _line_is_due(self, line: bytes) -> None:
        self.request = Request(self.client)
        try:
            self._row.line_due(self, line)
        except Exception:
            self._fail(Failure(), self.request)

    def _was_refused(self) -> None:
        self._happens(self._row.refused)

    def _proceed(self) -> None:
        """Something is done: see whether that was the last of what was said, or to be read."""
        if self._link.has_ended and self._input.is_idle:
            self._happens(self._row.all_done if self._link.is_lost else self._row.all_said)
        if self._reading.is_done and not self._input.is_doing:
            self._happens(self._row.all_read)

    # Without a nickname

    def _hear_nameless(self, line: bytes) -> None:
        self.chat.counters.lines += 1
        self._nameless_lines += 1
        if self._nameless_lines > _NAMELESS * self.chat.limits.nickname_tries:
            self._refuse_flood()
            self.hang_up()
        else:
            self._input.do(line)

    def _ask_again(self) -> None:
        self._wrong_answers += 1
        if self._wrong_answers < self.chat.limits.nickname_tries:
            self.ask()
        else:
            self.announce("That was the last try: connect again to choose a nickname.")
            self.hang_up()

    def hang_up(self) -> None:
        """Somebody without a nickname is turned away, or leaves."""
        self.dismiss()
        self._frontend.close()

    def _new_device(self, *, is_quiet: bool = False, is_remembered: bool = False) -> Device:
        """One that comes over this connection, and may come back if that is what it can."""
        device = Device(
            self.address, self.chat.now(), is_quiet=is_quiet, is_remembered=is_remembered
        )
        if self.may_resume:
            device.issue_token(self.chat.epoch)
        return device

    def _enter(self, nickname: str, device: Device, welcome: Callable[[Person], None]) -> None:
        """Ask for a nickname, and hear no lines until there is an answer."""
        self._come(maybeDeferred(self.chat.enter, nickname, device), device, welcome)

    def _log_in(
        self, name: str, password: Password, device: Device, welcome: Callable[[Person], None]
    ) -> None:
        """Prove to be the owner of a name, and hear no lines until there is an answer."""
        self.check_privacy()
        proven = self.chat.accounts.log_in(name, password, self.address)
        entered = proven.addCallback(lambda account: self.chat.enter_as(account, device))
        self._come(entered, device, welcome)

    def _come(
        self, asked: Deferred[Person], device: Device, welcome: Callable[[Person], None]
    ) -> None:
        asked.addErrback(self._not_entered)
        enter = partial(self._entered, device=device, welcome=welcome)
        self._answer_after(asked, enter, self.request)

    def _not_entered(self, failure: Failure) -> Failure:
        if isinstance(failure.value, Refused):
            _log.info("{who} was refused: {why}", who=self._name, why=failure.value.text)
        return failure

    def _entered(
        self,
        person: Person,
        device: Device,
        welcome: Callable[[Person], None],
        nickname: str | None = None,
    ) -> None:
        self.chat.attach(person, device, self, nickname)
        self._happens(self._row.named, person, device, welcome)

    def _begin_talking(
        self, person: Person, device: Device, welcome: Callable[[Person], None]
    ) -> None:
        self._frontend.named()
        self._talk_as(person, device, welcome)

    def _talk_as(self, person: Person, device: Device, welcome: Callable[[Person], None]) -> None:
        self._person, self._device = person, device
        self.client = device.id
        if person.renaming is not None:  # over the connection that they had before
            self.wait_for(person.renaming)
        welcome(person)

    def _give_back(self, person: Person, device: Device, welcome: Callable[[Person], None]) -> None:
        """The nickname comes when nobody is there any more who could be welcomed."""
        self.chat.quit(person, device, "")
        self.chat.lose(person, device, "")

    def _come_in(self, person: Person, others: Iterable[str] = ()) -> Deferred[None]:
        """Read along where they are already, over another device, or enter rooms.

        Args:
            person: who comes.
            others: rooms to enter beside the lobby and those that their account knows.

        Returns:
            Fires when they are in all of them, or were told why not.
        """
        if person.fanout is not None:
            self.follow(OWN, person.fanout)
        for key in person.rooms:
            self.follow(key, self.chat.rooms[key].fanout)
            self.entered(key)
        if person.rooms:
            self.talk_in(self.chat.rooms[next(reversed(person.rooms))])
        else:
            self.talk_in(self.chat.enter_room(person, self.chat.lobby))
            others = dict.fromkeys((*others, *self.chat.rooms_of_account(person)))
        more = [name for name in others if names.key(name) not in person.rooms]
        return self._arrival.enter(person, more)

    # Being somebody else

    def log_in(self, name: str, password: Password) -> Deferred[Sequence[str | Entry]]:
        """See `command.Caller.log_in`."""
        return Deferred.fromCoroutine(self._log_in_instead(name, password))

    async def _log_in_instead(self, name: str, password: Password) -> Sequence[str | Entry]:
        guest, old = self.person, self.device
        if guest.account:
            raise Refused("already-logged-in", "You are logged in already: /logout first.")
        self.check_privacy()
        account = await self.chat.accounts.log_in(name, password, self.address)
        device = self._new_device(is_quiet=old.is_quiet)
        await self.chat.follow(guest, account)
        self._check_here()
        person = await self.chat.enter_as(account, device, guest)
        try:
            self._check_here()
        except Refused:
            self.chat.quit(person, device, "")
            raise
        self.chat.hand_over(guest, old)
        self._reading.leave(OWN)
        self._entered(person, device, self._welcome)
        return ()

    def _check_here(self) -> None:
        if not (self.is_current and self.person.present) or self.chat.is_stopping:
            raise Refused("closing", "You left meanwhile, and are not logged in.")

    def _welcome(self, person: Person) -> None:
        """Tell somebody that they are in, and enter the rooms where they begin."""
        raise NotImplementedError

    # Leaving

    def _leave(self) -> None:
        """Everything that they wanted to say is said."""
        if self.may_resume:
            self.end()
        else:
            self.chat.quit(self.person, self.device, "")

    def _read_out(self) -> None:
        if self.chat.is_stopping:
            self._frontend.deliver_all()
        limits = self.chat.limits
        self._deadline = self.chat.clock.callLater(limits.close_seconds, self._abort)
        self._reading.leave_all()
        self._proceed()

    def _abort(self) -> None:
        self._deadline = None
        self._frontend.abort()

    def _hand_over(self) -> None:
        self._stop()
        self.refuse(Refused("replaced", "This session continues on another connection."))
        self._frontend.close()

    def _come_too_late(self, line: bytes) -> None:
        if self.chat.is_stopping and not self._link.is_lost:
            self.too_late(line)

    def _stop(self) -> None:
        self._arrival.stop()
        self._reading.stop()
        self._input.stop()
        self.request = Request()  # the last one knows us, and may never be settled

    def _close(self) -> None:
        self._frontend.close()

    def _give_up(self) -> None:
        """Nobody is there, and nothing is left to be done."""
        self._stop()
        if self.is_current:
            self.chat.lose(self.person, self.device, self._why_lost)

    def _ignore(self, *about: object) -> None:
        """Nothing follows from this."""

    def _never(self, *about: object) -> None:
        """This cannot happen: it is an error of ours, which fails a test and stops nobody."""
        why = AssertionError(
            f"this cannot happen to a session that is {self._stage.value}: {about}"
        )
        _log.failure("The session of {who} is in disorder", Failure(why), who=self._name)


_IGNORE = Step(Session._ignore)
_NEVER = Step(Session._never)

_NAMELESS_ROW = Row(
    line_received=Session._hear_nameless,
    line_due=Session._take_answer,
    line_too_long=Step(Session._refuse_long_line),
    asked_password=Step(Session._ignore, Stage.PROVING),
    refused=Step(Session._ask_again),
    named=Step(Session._begin_talking, Stage.TALKING),
    dismissed=Step(Session._stop, Stage.OVER),
    all_said=Step(Session._close, Stage.OVER),
    parted=_NEVER,
    replaced=_NEVER,
    all_read=_IGNORE,
    lost=Step(Session._proceed),
    all_done=Step(Session._give_up, Stage.OVER),
)

TABLE = {
    Stage.NAMELESS: _NAMELESS_ROW,
    Stage.PROVING: replace(
        _NAMELESS_ROW,
        line_due=Session._take_password,
        asked_password=_NEVER,
        refused=Step(Session._ask_again, Stage.NAMELESS),
    ),
    Stage.TALKING: Row(
        line_received=Session._hear,
        line_due=Session._handle,
        line_too_long=Step(Session._refuse_long_line),
        asked_password=_NEVER,
        refused=_IGNORE,
        named=Step(Session._talk_as),
        dismissed=_NEVER,
        all_said=Step(Session._leave),
        parted=Step(Session._read_out, Stage.READING_OUT),
        replaced=Step(Session._hand_over, Stage.OVER),
        all_read=_IGNORE,
        lost=Step(Session._proceed),
        all_done=Step(Session._give_up, Stage.OVER),
    ),
    Stage.READING_OUT: Row(
        line_received=Session._come_too_late,
        line_due=Session._ignore,
        line_too_long=_IGNORE,
        asked_password=_NEVER,
        refused=_IGNORE,
        named=_NEVER,
        dismissed=_NEVER,
        all_said=_IGNORE,
        parted=_IGNORE,
        replaced=Step(Session._hand_over, Stage.OVER),
        all_read=Step(Session._close, Stage.OVER),
        lost=Step(Session._give_up, Stage.OVER),
        all_done=Step(Session._give_up, Stage.OVER),
    ),
    Stage.OVER: Row(
        line_received=Session._come_too_late,
        line_due=Session._ignore,
        line_too_long=_IGNORE,
        asked_password=_NEVER,
        refused=_IGNORE,
        named=Step(Session._give_back),
        dismissed=Step(Session._stop),
        all_said=_IGNORE,
        parted=_IGNORE,
        replaced=Step(Session._hand_over),
        all_read=_IGNORE,
        lost=Step(Session._give_up),
        all_done=_IGNORE,
    ),
}
"""What each stage does with each happening, and where that leads."""
