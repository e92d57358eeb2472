"""Raised hands in a room: a few are shown one by one, and two hundred at once in a few lines."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from twisted_chat.chat.order import Order
from twisted_chat.chat.person import Person
from twisted_chat.chat.request import Request
from twisted_chat.events import Entry, Hands
from twisted_chat.limits import Pace
from twisted_chat.log.log import Log, append_together
from twisted_chat.rate import Bucket
from twisted_chat.refusal import Refused

ONE_BY_ONE = Pace(5, 5)
"""The pace up to which hands are shown one by one."""

FOLDED = 1.0
"""Seconds for which those over the pace are held back, to be shown in one line."""


class _Hand(NamedTuple):
    """A hand that goes up or down, though nobody has been told yet."""

    person: Person
    what: str
    request: Request


class _All:
    """Tells many requests that their common entry is stored, or refused; see `events.Waiter`."""

    def __init__(self, requests: Sequence[Request]) -> None:
        self._requests = requests

    def stored(self, entry: Entry) -> None:
        """See `events.Waiter`."""
        for request in self._requests:
            request.stored(entry)

    def refused(self, why: Refused) -> None:
        """See `events.Waiter`."""
        for request in self._requests:
            request.refused(why)


class RaisedHands:
    """Hands that go up and down in one room, in the order in which they do.

    Args:
        name: the room's name.
        log: the room's log.
        order: what its state says of hands.
        clock: timers, and the seconds by which the pace is counted.
        now: gives the time of day, in seconds since 1970.
        announce: tells the others of somebody before they hear what they do.
    """

    def __init__(
        self,
        name: str,
        log: Log,
        order: Order,
        clock: IReactorTime,
        now: Callable[[], float],
        announce: Callable[[Person], None],
    ) -> None:
        self._name = name
        self._log = log
        self._order = order
        self._clock = clock
        self._now = now
        self._announce = announce
        self._pace = Bucket()
        self._held: dict[str, _Hand] = {}  # by the person's id
        self._call: IDelayedCall | None = None

    def move(self, person: Person, request: Request, *, is_up: bool) -> None:
        """Somebody raises or lowers their hand.

        Raises:
            Refused: they have just done so, and nobody has been told yet.
        """
        if person.id in self._held:
            raise Refused("too-fast", "Your hand is just being shown: wait a moment.", FOLDED)
        request.begin(person.connection_of(request.client))
        self._add(_Hand(person, "raised" if is_up else "lowered", request))

    def done(self, person: Person, request: Request) -> None:
        """Somebody has said what they wanted the word for."""
        request.begin(person.connection_of(request.client))
        entry = Entry(self._event("done", [person]), person.id, request.ref, client=request.client)
        entry.waiter = request
        self._log.append(entry)

    def leave(self, person: Person) -> None:
        """Somebody is not in the room any more, and so does not want the word."""
        held = self._held.get(person.id)
        if held is not None and held.what == "raised":
            del self._held[person.id]
            held.request.refused(
                Refused("not-in-room", f"You left {self._name}, and your hand is not raised.")
            )
        elif held is None and (self._order.has_hand(person.id) or self._order.has_word(person.id)):
            self._add(_Hand(person, "gone", Request()))

    def _add(self, hand: _Hand) -> None:
        self._held[hand.person.id] = hand
        now = self._clock.seconds()
        if self._call is not None:
            return
        if self._pace.wait(ONE_BY_ONE, now):
            self._call = self._clock.callLater(FOLDED, self.show)
        else:
            self._pace.take(ONE_BY_ONE, now)
            self.show()

    @property
    def is_idle(self) -> bool:
        """Whether all hands are shown."""
        return not self._held

    def show(self) -> None:
        """Tell of the hands that were held back."""
        if self._call is not None and self._call.active():
            self._call.cancel()
        self._call = None
        held, self._held = self._held, {}
        entries = []
        for what in ("raised", "lowered", "gone"):
            hands = [hand for hand in held.values() if hand.what == what]
            if hands:
                entries.append((self._log, self._entry(what, hands)))
        if entries:
            append_together(entries)

    def _entry(self, what: str, hands: Sequence[_Hand]) -> Entry:
        people = [hand.person for hand in hands]
        if what != "gone":
            for person in people:
                self._announce(person)
        entry = Entry(self._event(what, people), people[0].id)
        if len(hands) == 1:
            entry.ref, entry.client = hands[0].request.ref, hands[0].request.client
        entry.waiter = _All([hand.request for hand in hands])
        return entry

    def _event(self, what: str, people: Sequence[Person]) -> Hands:
        ids = [person.id for person in people]
        ends = [] if what == "raised" else [f"hand/{each}" for each in ids]
        if what in ("done", "gone") and any(map(self._order.has_word, ids)):
            ends.append("word")
        names = [person.nickname for person in people]
        return Hands(self._now(), self._name, names[0], what, names, ids, ends)
