"""One request: it has one outcome, once everything it causes is stored."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from twisted.internet.defer import Deferred, DeferredList, succeed
from twisted.python.failure import Failure

from twisted_chat.events import Entry
from twisted_chat.log.log import Log, append_together
from twisted_chat.refusal import Refused

_T = TypeVar("_T")


class Asker(Protocol):
    """The connection that somebody asks over."""

    def refuse(self, why: Refused, ref: str | None = None) -> None:
        """Say why something is not done."""


class Request:
    """Something that somebody asks for.

    It is pending while events that it brings wait to be stored, all together or not at all.
    Whoever sends it again, perhaps over a new connection, waits for the same outcome.

    Args:
        client: the id of the connection or session that asks.
        ref: the client's own name for this request, if it gave one.
    """

    __slots__ = (
        "_askers",
        "_effect",
        "_is_waiting",
        "_then",
        "_undo",
        "client",
        "id",
        "is_pending",
        "is_refused",
        "ref",
    )

    def __init__(self, client: str = "", ref: str | None = None) -> None:
        self.client = client
        self.ref = ref
        self.id = 0  # the number of its event, once that is stored
        self.is_pending = self.is_refused = self._is_waiting = False
        self._askers: tuple[Asker, ...] = ()
        self._effect: Callable[[], None] | None = None
        self._undo: Callable[[], None] | None = None
        self._then: tuple[Callable[[], None], ...] = ()

    def begin(
        self,
        asker: Asker | None,
        effect: Callable[[], None] | None = None,
        undo: Callable[[], None] | None = None,
    ) -> None:
        """Events are about to be appended.

        Args:
            asker: the connection that it came over, which is told if they cannot be stored.
            effect: called when they are stored, before anybody sees them.
            undo: called when they are refused.
        """
        self.is_pending, self._is_waiting = True, False
        if asker is not None and asker not in self._askers:
            self._askers = (*self._askers, asker)
        self._effect, self._undo = effect, undo

    def wait_for(self, work: Deferred[_T]) -> None:
        """It is pending until some work is done, and until the events that this has brought are."""
        self.is_pending = self._is_waiting = True
        work.addCallbacks(self._waited, self._waited_in_vain)

    def _waited(self, result: _T) -> _T:
        if self._is_waiting:
            self._is_waiting = self.is_pending = False
            self._askers = ()
            self._settle(None)
        return result

    def _waited_in_vain(self, failure: Failure) -> Failure:
        why = failure.value
        self.refused(why if isinstance(why, Refused) else Refused("broken", "That was not done."))
        return failure

    def ask_again(self, asker: Asker) -> None:
        """The same is asked for over another connection, which hears of a refusal too."""
        if self.is_pending and asker not in self._askers:
            self._askers = (*self._askers, asker)

    def when_settled(self, call: Callable[[], None]) -> None:
        """Call this once nothing is pending any more; at once if nothing is."""
        if self.is_pending:
            self._then = (*self._then, call)
        else:
            call()

    def stored(self, entry: Entry) -> None:
        """See `events.Waiter`: all are stored, for they are stored together."""
        if self.is_pending:
            self.is_pending = False
            self.id = entry.id
            self._askers = ()
            if self._effect is not None or self._then:
                self._settle(self._effect)

    def refused(self, why: Refused) -> None:
        """See `events.Waiter`: none is stored, and whoever asked is told so once."""
        if self.is_pending:
            self.is_pending = False
            self.is_refused = True
            askers, self._askers = self._askers, ()
            for asker in askers:
                asker.refuse(why, self.ref)
            self._settle(self._undo)

    def _settle(self, first: Callable[[], None] | None) -> None:
        then, self._then = self._then, ()
        self._effect = self._undo = None
        if first is not None:
            first()
        for call in then:
            call()


class _Stored:
    """Waits for one entry; see `events.Waiter`."""

    def __init__(self) -> None:
        self.answered: Deferred[None] = Deferred()

    def stored(self, entry: Entry) -> None:
        """See `events.Waiter`."""
        self.answered.callback(None)

    def refused(self, why: Refused) -> None:
        """See `events.Waiter`."""
        self.answered.errback(why)


def store_together(entries: Sequence[tuple[Log, Entry]]) -> Deferred[None]:
    """Append entries to their logs; fires when all of them may be seen, fails with `Refused`."""
    if not entries:
        return succeed(None)
    waiters = [_Stored() for _ in entries]
    for (_, entry), waiter in zip(entries, waiters, strict=True):
        entry.waiter = waiter
    append_together(entries)
    answers = DeferredList([waiter.answered for waiter in waiters], consumeErrors=True)
    return answers.addCallback(lambda found: None if found[0][0] else found[0][1])
