"""Files that people have sent to rooms: which are there, for how long, and in whose quota."""

import heapq
import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from twisted_chat.chat.uploads import LEAST, Uploads
from twisted_chat.events import Entry
from twisted_chat.events.effects import State, effects, file_key
from twisted_chat.limits import Limits
from twisted_chat.stores.contents import Contents, is_digest

FILE_KEEP: Final = 30 * 86400.0
"""Seconds for which a file is kept, if the operator does not say."""

_HOUR = 3600.0
_log = Logger(namespace="chat")

_BEGIN = "file/"


@dataclass(frozen=True, slots=True)
class Shared:
    """A file that is there.

    Args:
        room: the key of the room that it was sent to.
        id: the number of the event that brought it.
        name: what it is called.
        type: its media type.
        size: bytes.
        until: how long it is kept, in seconds since 1970; None if that has no end.
        digest: the name of its content.
        person: the id of who sent it.
        owner: in whose quota it is.
    """

    room: str
    id: int
    name: str
    type: str
    size: int
    until: float | None
    digest: str
    person: str
    owner: str


class Files:
    """All files that are there, as the states of rooms have them.

    Args:
        contents: what is in them.
        limits: how large they may be, and how many.
        clock: timers.
        now: gives the time of day, in seconds since 1970.
        where: gives the address of the server's page, without a slash at the end; empty if it has
            none.
        keep: seconds for which a file is kept; None for ever.
    """

    def __init__(
        self,
        contents: Contents,
        limits: Limits,
        clock: IReactorTime,
        now: Callable[[], float],
        where: Callable[[], str],
        keep: float | None = None,
    ) -> None:
        self.contents = contents
        self.keep = keep
        self._clock = clock
        self._now = now
        self.where = where
        self._there: dict[str, Shared] = {}  # by the part of their addresses that none can guess
        self._uses: Counter[str] = Counter()  # of contents, also by what is about to be stored
        self._sizes: dict[str, int] = {}  # bytes of the contents that are used
        self.taken = 0
        """Bytes of all of them."""
        self._owned: Counter[tuple[str, str]] = Counter()  # bytes, by quota and person
        self._ends: list[tuple[float, str]] = []  # a heap
        self._timer: IDelayedCall | None = None  # for the first of them
        self._may_delete = False  # contents that nobody is known to need
        self.uploads = Uploads(self, limits, clock)

    # What is there

    def find(self, key: str) -> Shared | None:
        """The file with this part of an address, if it is there."""
        return self._there.get(key)

    def address_of(self, path: str) -> str:
        """The whole address of a file by its path; empty if it is not there any more."""
        where = self.where() if file_key(path) in self._there else ""
        return where and where + path

    def in_room(self, room: str, name: str, person: str) -> tuple[str, Shared] | None:
        """The file that somebody means, and its name in the room's state.

        Nobody can hide another's file behind one of theirs: a number means its event, whatever
        files are called, and of several with a name it is the last of the person's own.

        Args:
            room: the room's key.
            name: what the file is called, or the number of its event behind a #.
            person: the id of who means it.
        """
        found = [
            (name == f"#{each.id}", each.person == person, each.id, key)
            for key, each in self._there.items()
            if each.room == room and name in (each.name, f"#{each.id}")
        ]
        key = max(found)[-1] if found else ""
        return (_BEGIN + key, self._there[key]) if found else None

    def load(self, room: str, state: State) -> None:
        """A room is opened: these files may be in it."""
        for name, value in state.items():
            if name.startswith(_BEGIN):
                shared = _shared(room, value)
                if shared is not None and self.contents.has(shared.digest):
                    self._add(name.removeprefix(_BEGIN), shared)

    def know_all(self, epoch: str) -> None:
        """All rooms were opened: contents that are in none of them can go.

        Args:
            epoch: the database's; what is in a folder that was another's is left there.
        """
        self._may_delete = self.contents.belong_to(epoch)
        if not self._may_delete:
            _log.warn("The folder of files belongs to another database: nothing there is deleted")
            return
        for digest in set(self.contents.there) - self._uses.keys():
            self.contents.delete(digest)

    def follow(self, room: str, entry: Entry) -> bool:
        """A room's state has changed; gives whether a file is gone by that."""
        is_any_gone = False
        for name, value in effects(entry).items():
            if not name.startswith(_BEGIN):
                continue
            key = name.removeprefix(_BEGIN)
            shared = _shared(room, value)
            if shared is not None:
                self._add(key, shared)
            else:
                is_any_gone |= self._remove(key)
        return is_any_gone

    def _add(self, key: str, shared: Shared) -> None:
        if key in self._there:
            return
        if shared.until is not None:
            if shared.until <= self._now():
                return
            heapq.heappush(self._ends, (shared.until, key))
            if self._ends[0][1] == key:
                self._wait()
        self._there[key] = shared
        self._owned[shared.owner, shared.person] += max(shared.size, LEAST)
        self.hold(shared.digest, shared.size)

    def _remove(self, key: str) -> bool:
        shared = self._there.pop(key, None)
        if shared is None:
            return False
        whose = shared.owner, shared.person
        self._owned[whose] -= max(shared.size, LEAST)
        if not self._owned[whose]:
            del self._owned[whose]
        self.release(shared.digest)
        return True

    def owned_by(self, owner: str, person: str) -> int:
        """The bytes of somebody's files, also of those that they sent as a guest; see `Kept`."""
        return sum(
            size for (whose, by), size in self._owned.items() if whose == owner or by == person
        )

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._there)

    def hold(self, digest: str, size: int) -> None:
        """Somebody needs a content, of so many bytes, until they `release` it."""
        self._uses[digest] += 1
        if self._uses[digest] == 1:
            self._sizes[digest] = max(size, LEAST)
            self.taken += self._sizes[digest]

    def release(self, digest: str) -> None:
        """Somebody needs a content no longer."""
        self._uses[digest] -= 1
        if not self._uses[digest]:
            del self._uses[digest]
            self.taken -= self._sizes.pop(digest)
            if self._may_delete:
                self.contents.delete(digest)

    def _wait(self) -> None:
        """One timer for the first of all ends; the clock may be set meanwhile."""
        self._stop_waiting()
        if self._ends:
            seconds = min(max(self._ends[0][0] - self._now(), 1.0), _HOUR)
            self._timer = self._clock.callLater(seconds, self._end)

    def _stop_waiting(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _end(self) -> None:
        self._timer = None
        now = self._now()
        while self._ends and self._ends[0][0] <= now:
            self._remove(heapq.heappop(self._ends)[1])
        self._wait()

    def close(self) -> None:
        """The server stops: nothing more is taken, and nothing more ends."""
        self._stop_waiting()
        self.uploads.close()

    def until(self) -> float | None:
        """How long a file is kept that is sent now, in seconds since 1970; None for ever."""
        return None if self.keep is None else self._now() + self.keep

    def path(self, name: str) -> str:
        """A path for a new file, which nobody can guess; its name is quoted for URLs."""
        return f"/file/{secrets.token_urlsafe(16)}/{name}"


def _shared(room: str, value: Any) -> Shared | None:
    """A file as a room's state has it; None if that makes no sense, as after a strange import."""
    if not isinstance(value, Mapping):
        return None
    number, size, until = value.get("id"), value.get("size"), value.get("until")
    name, kind, digest, person, owner = (
        str(value.get(each, "")) for each in ("name", "type", "digest", "person", "owner")
    )
    if not isinstance(number, int) or not isinstance(size, int) or not is_digest(digest):
        return None
    if not isinstance(until, int | float | None):
        return None
    return Shared(room, number, name, kind, size, until, digest, person, owner)
