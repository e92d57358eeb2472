"""Joins and leaves in a room, announced without flooding anybody."""

from collections.abc import Callable, Container, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from twisted_chat.chat.person import Person
from twisted_chat.events import Entry, Join, Leave, Rename
from twisted_chat.limits import Limits, Pace
from twisted_chat.log.log import Log
from twisted_chat.rate import Bucket
from twisted_chat.refusal import Refused
from twisted_chat.text import names

FIRST = 0.5
"""Seconds after which those who were held back are told: most rushes are over by then."""

LONGEST = 2.0
"""The same in a rush that goes on, so that people can read the line before the next one comes."""


class Shown(NamedTuple):
    """Somebody whom the others have been told of, and under which nickname."""

    nickname: str
    person: Person


class _Gone(NamedTuple):
    """Somebody who has left, though the others do not know it yet."""

    person: Person
    nickname: str
    reason: str


class Presence:
    """Tells joins and leaves one by one while they are few, and together when they are many.

    The others know people by nickname, and only from what they are told. So nobody does anything
    before their join is told, and nobody gets a nickname before the leave of the one who had it
    is told. Anyone who leaves before their join is told, and has done nothing, is never told of.
    Nothing at all is told of the coming and going of anyone quiet, who only posts.

    Args:
        log: the log of the room.
        clock: timers, and the seconds by which it is counted how many come and go.
        limits: how many are few, in a room and for one nickname.
        now: gives the time of day, in seconds since 1970.
    """

    def __init__(
        self, log: Log, clock: IReactorTime, limits: Limits, now: Callable[[], float]
    ) -> None:
        self.shown: dict[str, Shown] = {}
        """Whom the log tells to be here, as far as it has been shown: by id."""
        self._log = log
        self._clock = clock
        self._limits = limits
        self._now = now
        self._pace = Bucket()
        self._visits = _Visits(clock, limits)
        self._known: dict[str, str] = {}  # here, and told: by the person's id, the nickname
        self._coming: dict[str, Person] = {}  # here, but not told yet: by id
        self._going: dict[str, _Gone] = {}  # told, but not here any more: by id
        self._leaving: set[str] = set()  # not here any more, and about to be told: by id
        self._unmissed: set[str] = set()  # of these, since whom nobody has entered: by id
        self._still_called: dict[str, str] = {}  # of these, by the nickname's key: the id
        self._delay = FIRST
        self._call: IDelayedCall | None = None

    def join(self, person: Person) -> None:
        """Somebody has joined."""
        gone = self._going.get(person.id)
        came_back = (
            gone is not None
            and (gone.person, gone.nickname) == (person, person.nickname)
            and person.id in self._unmissed
        )
        if came_back and not person.is_quiet:  # nobody knows that they left
            del self._going[person.id], self._still_called[person.key]
            self._known[person.id] = person.nickname
            return
        self._unmissed.clear()  # who enters now is told who is here, without them
        if gone is not None:
            self.tell_left()
        self._make_way(person.nickname)
        if person.is_quiet:
            return
        self._coming[person.id] = person
        now = self._clock.seconds()
        if self._pace.wait(self._limits.presence, now) or not self._visits.allow(person.nickname):
            self._settle_later()
        else:
            self._pace.take(self._limits.presence, now)
            self._tell_joined([person])

    def keep(self, person: Person) -> None:
        """Somebody is here, as everybody knows."""
        if person.is_quiet:
            return
        self._known[person.id] = person.nickname
        self.shown[person.id] = Shown(person.nickname, person)

    def announce(self, person: Person, to: str = "") -> None:
        """Somebody is about to do something: tell the others first what they need to know.

        Args:
            person: who it is.
            to: the nickname that they are about to take, if that is what they do.
        """
        if person.id in self._coming:
            self._tell_joined([person])
        if to:
            self._make_way(to)

    def rename(self, person: Person) -> None:
        """Somebody who was announced has another nickname, as the others are told."""
        if person.is_quiet:
            return
        self._known[person.id] = person.nickname
        self.shown[person.id] = Shown(person.nickname, person)

    def tell_renamed(self, person: Person) -> None:
        """Somebody may be called otherwise than the others were told: if so, tell them."""
        known = self._known.get(person.id)
        if known is None or known == person.nickname:
            return
        self._known[person.id] = person.nickname
        rename = Rename(self._now(), self._log.room, known, person.nickname)
        told = partial(self.heard_renamed, person.id, person.nickname)
        self._log.append(Entry(rename, person.id, waiter=_Told(told)))

    def leave(self, person: Person, reason: str) -> None:
        """Somebody has left."""
        if person.is_quiet:
            return
        if self._coming.pop(person.id, None) is None and person.id in self._known:
            self._has_gone(person, reason)
        if not self._known and not self._coming:
            self._visits.forget_all()  # there is nobody left to be drowned

    def _has_gone(self, person: Person, reason: str) -> None:
        nickname = self._known.pop(person.id)
        self._going[person.id] = _Gone(person, nickname, reason)
        self._still_called[names.key(nickname)] = person.id
        self._unmissed.add(person.id)
        now = self._clock.seconds()
        if self._pace.wait(self._limits.presence, now):
            self._settle_later()
        else:
            self._pace.take(self._limits.presence, now)
            self.tell_left()

    # What other servers tell

    def forget(self, person: Person) -> None:
        """Somebody is not here any more, as another server tells the others."""
        self._coming.pop(person.id, None)

    def heard_joined(self, person: Person, nickname: str) -> None:
        """The log tells that somebody is here."""
        self._coming.pop(person.id, None)
        self._known[person.id] = nickname
        self.shown[person.id] = Shown(nickname, person)

    def heard_renamed(self, person_id: str, nickname: str) -> None:
        """The log tells that somebody has another nickname."""
        shown = self.shown.get(person_id)
        if shown is not None:
            self._known[person_id] = nickname
            self.shown[person_id] = Shown(nickname, shown.person)

    def heard_left(self, person_id: str) -> None:
        """The log tells that somebody is not here any more."""
        self.shown.pop(person_id, None)
        self._known.pop(person_id, None)
        gone = self._going.pop(person_id, None)
        if gone is not None:
            self._still_called.pop(names.key(gone.nickname), None)

    def ghosts(self, members: Container[str]) -> list[str]:
        """Ids of those whom the log tells to be here, though they are not, and nobody tells it."""
        return [
            each
            for each in self.shown
            if each not in members and each not in self._going and each not in self._leaving
        ]

    def tell_gone(self, person_id: str) -> None:
        """Somebody has left without anybody having told it."""
        shown = self.shown[person_id]
        self._known.pop(person_id, None)
        self._going[person_id] = _Gone(shown.person, shown.nickname, "connection lost")
        self.tell_left()

    def missed(self, members: Mapping[str, Person]) -> None:
        """The log may have told of some who came and went: these are here."""
        for each in [each for each in self.shown if each not in members]:
            del self.shown[each]
            self._known.pop(each, None)
        for person in members.values():
            if person.id not in self._coming:
                self.keep(person)

    def close(self) -> None:
        """The room is gone: tell nothing any more."""
        self._visits.forget_all()
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def _make_way(self, nickname: str) -> None:
        if names.key(nickname) in self._still_called:
            self.tell_left()

    def _settle_later(self) -> None:
        if self._call is None:
            self._call = self._clock.callLater(self._delay, self._settle)

    def _settle(self) -> None:
        """Tell what was held back; while there is any, look again, later each time."""
        self._call = None
        is_rush = bool(self._going)
        self.tell_left()
        joined = [each for each in self._coming.values() if self._visits.allow(each.nickname)]
        if joined:
            is_rush = True
            self._tell_joined(joined)
        self._delay = min(2 * self._delay, LONGEST) if is_rush else FIRST
        if is_rush or self._coming:  # who comes too often is still to be told
            self._settle_later()

    def _tell_joined(self, people: Sequence[Person]) -> None:
        for person in people:
            del self._coming[person.id]
            self._known[person.id] = person.nickname
        first, *also = [person.nickname for person in people]
        ids = tuple(person.id for person in people)
        join = Join(self._now(), self._log.room, first, tuple(also), ids)
        self._tell(join, [Shown(person.nickname, person) for person in people], self._show_joined)

    def tell_left(self) -> None:
        """Tell of those who have left without being told of, in one line."""
        gone, self._going, self._still_called = list(self._going.values()), {}, {}
        self._unmissed.clear()
        if not gone:
            return
        first, *also = gone
        leave = Leave(
            self._now(),
            self._log.room,
            first.nickname,
            "" if also else first.reason,
            tuple(other.nickname for other in also),
            tuple(each.person.id for each in gone),
        )
        self._leaving.update(each.person.id for each in gone)
        self._tell(leave, [Shown(each.nickname, each.person) for each in gone], self._show_left)

    def _tell(
        self,
        event: Join | Leave,
        people: Sequence[Shown],
        show: Callable[[Sequence[Shown]], None],
    ) -> None:
        author = people[0].person.id if len(people) == 1 else ""
        self._log.append(Entry(event, author, waiter=_Told(partial(show, people))))

    def _show_joined(self, people: Sequence[Shown]) -> None:
        for each in people:
            self.shown.setdefault(each.person.id, each)
            self.tell_renamed(each.person)  # that may have been stored meanwhile

    def _show_left(self, people: Sequence[Shown]) -> None:
        for each in people:
            self.shown.pop(each.person.id, None)
            self._leaving.discard(each.person.id)


class _Told:
    """Waits until what was told is about to be seen.

    It is refused only where too much waits for the disk: then those who read missed it, and
    whoever asks who is there is told what is true.

    Args:
        then: called when it is.
    """

    __slots__ = ("_then",)

    def __init__(self, then: Callable[[], None]) -> None:
        self._then = then

    def stored(self, entry: Entry) -> None:
        """See `events.Waiter`."""
        self._then()

    def refused(self, why: Refused) -> None:
        """See `events.Waiter`."""
        self._then()


class _Visits:
    """How often each nickname has come lately; what does not count any more is forgotten.

    Args:
        clock: the time.
        limits: how often is too often.
    """

    def __init__(self, clock: IReactorTime, limits: Limits) -> None:
        self._clock = clock
        self._limits = limits
        self._lately: dict[str, Bucket] = {}  # by the nickname's key: people are new each time
        self._before: dict[str, Bucket] = {}
        self._call: IDelayedCall | None = None

    def allow(self, nickname: str) -> bool:
        """Whether somebody of this nickname may come once more; if so, it counts."""
        told = self._limits.presence_per_person
        pace = Pace(max(1, told.lines // 2), told.seconds)  # a visit is told twice
        key, now = names.key(nickname), self._clock.seconds()
        visits = self._lately.get(key) or self._before.get(key) or Bucket()
        if visits.wait(pace, now):
            return False
        visits.take(pace, now)
        self._lately[key] = visits
        if self._call is None:
            self._call = self._clock.callLater(told.seconds, self._forget_old)
        return True

    def forget_all(self) -> None:
        """Begin anew."""
        self._lately, self._before = {}, {}
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def _forget_old(self) -> None:
        """Forget what was old the last time already: so long ago, it does not count any more."""
        self._before, self._lately = self._lately, {}
        self._call = None
        if self._before:
            seconds = self._limits.presence_per_person.seconds
            self._call = self._clock.callLater(seconds, self._forget_old)
