"""Who comes and goes in a room, told so that it drowns nobody."""

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from twisted_chat import names
from twisted_chat.events import Entry, Join, Leave
from twisted_chat.limits import Limits
from twisted_chat.log import Log
from twisted_chat.pace import Bucket
from twisted_chat.person import Person

SETTLE = 2.0
"""Seconds after which what was held back is told, if it is still true."""


class Presence:
    """Tells joins and leaves at once while they are few, and what became of them when many.

    Args:
        log: the log of the room.
        clock: the time.
        limits: how many are few, in a room and for one nickname.
    """

    def __init__(self, log: Log, clock: IReactorTime, limits: Limits) -> None:
        self._log = log
        self._clock = clock
        self._limits = limits
        self._pace = Bucket()
        self._flapping: dict[str, Bucket] = {}
        self._believed: dict[str, str] = {}  # whom the others believe to be here: key, nickname
        self._here: dict[str, str] = {}
        self._unsettled: dict[str, None] = {}
        self._call: IDelayedCall | None = None

    def join(self, person: Person) -> None:
        """Somebody has joined."""
        self._here[person.key] = person.nickname
        if person.key not in self._believed and self._may_tell(person.key):
            self._believed[person.key] = person.nickname
            self._tell_joined([person.nickname], person.id)

    def keep(self, person: Person) -> None:
        """Somebody is here, as everybody knows."""
        self._here[person.key] = self._believed[person.key] = person.nickname

    def leave(self, person: Person, reason: str) -> None:
        """Somebody has left."""
        del self._here[person.key]
        if person.key in self._believed and self._may_tell(person.key):
            del self._believed[person.key]
            self._tell_left([person.nickname], person.id, reason)

    def rename(self, old: str, new: str) -> None:
        """Somebody has another nickname, which the others are about to be told."""
        old_key, new_key = names.key(old), names.key(new)
        if self._believed.pop(old_key, None) is None:  # nobody can follow a stranger's new name
            self._tell_joined([old])
        del self._here[old_key]
        self._here[new_key] = self._believed[new_key] = new
        if old_key in self._unsettled:
            self._unsettled[new_key] = None

    def close(self) -> None:
        """The room is gone: tell nothing any more."""
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def _may_tell(self, key: str) -> bool:
        now = self._clock.seconds()
        own = self._own_pace(key, now)
        if (
            self._unsettled
            or self._pace.wait(self._limits.presence, now)
            or self._must_wait(own, now)
        ):
            self._unsettled[key] = None
            self._settle_later()
            return False
        self._pace.take(self._limits.presence, now)
        own.take(self._limits.presence_per_person, now)
        return True

    def _must_wait(self, own: Bucket, now: float) -> bool:
        return own.wait(self._limits.presence_per_person, now) > 0

    def _own_pace(self, key: str, now: float) -> Bucket:
        if len(self._flapping) > 2 * len(self._here) + 100:
            self._flapping = {
                k: own for k, own in self._flapping.items() if self._must_wait(own, now)
            }
        return self._flapping.setdefault(key, Bucket())

    def _settle_later(self) -> None:
        if self._call is None:
            self._call = self._clock.callLater(SETTLE, self._settle)

    def _settle(self) -> None:
        self._call = None
        now = self._clock.seconds()
        joined, left = [], []
        unsettled, self._unsettled = self._unsettled, {}
        for key in unsettled:
            here, believed = self._here.get(key), self._believed.get(key)
            if (here is None) == (believed is None):
                continue  # back to what the others believe: there is nothing to tell
            own = self._own_pace(key, now)
            if self._must_wait(own, now):
                self._unsettled[key] = None  # somebody who comes and goes all the time
                continue
            own.take(self._limits.presence_per_person, now)
            if here is not None:
                self._believed[key] = here
                joined.append(here)
            else:
                left.append(self._believed.pop(key))
        if joined:
            self._tell_joined(joined)
        if left:
            self._tell_left(left)
        if self._unsettled:
            self._settle_later()

    def _tell_joined(self, nicknames: list[str], origin: str = "") -> None:
        first, *also = nicknames
        join = Join(self._clock.seconds(), self._log.room, first, tuple(also))
        self._log.append(Entry(join, origin))

    def _tell_left(self, nicknames: list[str], origin: str = "", reason: str = "") -> None:
        first, *also = nicknames
        leave = Leave(self._clock.seconds(), self._log.room, first, reason, tuple(also))
        self._log.append(Entry(leave, origin))
