"""Guessing passwords takes ever longer, and locks nobody out of an account of theirs."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Generic, NamedTuple, TypeVar

from twisted.internet.interfaces import IReactorTime

from twisted_chat.limits import Limits
from twisted_chat.refusal import Refused
from twisted_chat.text.counted import seconds_to_wait

MOST = 10_000
"""Addresses, or names, of which it is known that they have failed: 2 MB."""

FORGET = 3600.0
"""Seconds after which a wrong password does not count any more."""

_FIRST = 5.0
"""Seconds that one waits first; each further wait is twice as long."""

_LONGEST_NAME = 64
"""Characters of a name that was tried: a longer one is nobody's."""

_T = TypeVar("_T")


class Recent(Generic[_T]):
    """What is known of those who were looked up most recently; the others are forgotten.

    Args:
        make: makes what is known of somebody at first.
        most: how many are known.
    """

    def __init__(self, make: Callable[[], _T], most: int = MOST) -> None:
        self._make = make
        self._most = most
        self._known: OrderedDict[Hashable, _T] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def __getitem__(self, key: Hashable) -> _T:
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._make()
            if len(self._known) > self._most:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(key)
        return known


class _Failures:
    """How often something has failed lately."""

    __slots__ = ("count", "last")

    def __init__(self) -> None:
        self.count = 0
        self.last = 0.0

    def wait(self, free: int, longest: float, now: float) -> float:
        """Seconds until it may be tried again.

        Args:
            free: how often it may fail before one has to wait.
            longest: the longest wait in seconds.
            now: the time in seconds.
        """
        since = now - self.last
        if since > FORGET:
            self.count = 0
        if self.count < free:
            return 0.0
        exponent = min(self.count - free, 32)
        return max(0.0, min(longest, _FIRST * 2.0**exponent) - since)

    def add(self, now: float) -> None:
        """It is tried, which counts as a failure until it is known better."""
        if now - self.last > FORGET:
            self.count = 0
        self.count += 1
        self.last = now

    def take_back(self) -> None:
        """It has not failed."""
        self.count = max(0, self.count - 1)


class Attempt(NamedTuple):
    """One try to log in, counted as a failure until it is known better.

    Args:
        key: that of the account's name, whether or not there is one.
        place: where somebody is, see `addresses.neighbourhood`.
        is_known: whether somebody has logged in to this account from there.
    """

    key: str
    place: str
    is_known: bool


class Attempts:
    """Counts wrong passwords, by account and by address.

    Who guesses at an account makes everybody wait who has never logged in to it from where they
    are. From places where its owner has been, only what failed from there counts.

    Args:
        clock: the time, which is never set back.
        limits: how many may fail.
    """

    def __init__(self, clock: IReactorTime, limits: Limits) -> None:
        self._clock = clock
        self._limits = limits
        self._by_account = Recent(_Failures)
        self._by_place = Recent(_Failures)
        self._by_both = Recent(_Failures)

    def begin(self, key: str, place: str, *, is_known: bool) -> Attempt:
        """Somebody is about to try a password; the arguments are those of `Attempt`.

        Raises:
            Refused: they have to wait.
        """
        attempt, limits = Attempt(key[:_LONGEST_NAME], place, is_known), self._limits
        now, longest = self._clock.seconds(), limits.login_wait_seconds
        most = limits.login_tries, limits.login_tries_per_address
        counted = zip(self._failures(attempt), most, strict=False)
        wait = max(failures.wait(free, longest, now) for failures, free in counted)
        if wait:
            raise Refused(
                "too-fast",
                f"Too many wrong passwords: try again in {seconds_to_wait(wait)}.",
                wait,
            )
        self.count(attempt)
        return attempt

    def count(self, attempt: Attempt) -> None:
        """A password is tried, here or at another server."""
        for failures in self._failures(attempt):
            failures.add(self._clock.seconds())

    def take_back(self, attempt: Attempt) -> None:
        """The password was right, or could not be checked."""
        for failures in self._failures(attempt):
            failures.take_back()

    def _failures(self, attempt: Attempt) -> Sequence[_Failures]:
        """What it counts with: what failed at the account, and from the place; or only both."""
        if attempt.is_known:
            return (self._by_both[attempt.key, attempt.place],)
        return self._by_account[attempt.key], self._by_place[attempt.place]
