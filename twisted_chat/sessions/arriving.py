"""Entering rooms on coming: no faster than they could be entered one by one."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from twisted.internet.defer import Deferred, DeferredList, succeed
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from twisted_chat.chat.chat import Chat
from twisted_chat.chat.person import Person
from twisted_chat.rate import Bucket
from twisted_chat.refusal import Refused

_T = TypeVar("_T")


class Arrival:
    """Somebody comes, and enters the rooms where they were before, or say that they were.

    Rooms that are open cost nothing. The others have to be opened, or made, and stay open for a
    while: so they are entered at the pace at which one may type.

    Args:
        chat: where the rooms are.
        refuse: tells them why they do not enter a room.
    """

    __slots__ = ("_chat", "_refuse", "_waits")

    def __init__(self, chat: Chat, refuse: Callable[[Refused], None]) -> None:
        self._chat = chat
        self._refuse = refuse
        self._waits: tuple[Deferred[None], ...] = ()

    def enter(self, person: Person, rooms: Iterable[str]) -> Deferred[None]:
        """Enter rooms of these names; fires when they are in all of them, or were told why not."""
        pace, bucket, now = self._chat.limits.pace, Bucket(), self._chat.clock.seconds()
        entered, rooms = [], dict.fromkeys(rooms)
        person.entering = tuple(dict.fromkeys((*person.entering, *rooms)))
        for name in rooms:
            due: Deferred[None] = succeed(None)
            if pace is not None and self._chat.rooms.called(name) is None:
                if wait := bucket.wait(pace, now):
                    due = deferLater(self._chat.clock, wait)
                    self._waits = (*self._waits, due)
                bucket.take(pace, now)
            entered.append(self._enter_when(due, person, name))
        return DeferredList(entered).addCallback(lambda _: None)

    def _enter_when(self, due: Deferred[None], person: Person, name: str) -> Deferred[None]:
        """No coroutine: an error that one awaits knows its frames, and they know the connection."""
        answered: Deferred[None] = Deferred()

        def enter(_: None) -> None:
            joined = self._chat.join(person, name).addBoth(entered)
            joined.addCallbacks(_nothing, self._not_entered).chainDeferred(answered)

        def entered(result: _T) -> _T:
            person.entering = tuple(other for other in person.entering if other != name)
            return result

        # if it is stopped, they are still to enter: when they come back
        due.addCallbacks(enter, lambda _: answered.callback(None))
        return answered

    def _not_entered(self, failure: Failure) -> Failure | None:
        if not isinstance(failure.value, Refused):
            return failure
        self._refuse(failure.value)
        return None

    def stop(self) -> None:
        """Nobody is there any more: enter none that still waits, and know nobody any more."""
        waits, self._waits = self._waits, ()
        for due in waits:
            due.cancel()
        self._refuse = _nothing


def _nothing(_: object) -> None:
    """Nobody is there to be told, or nothing is to be told."""
