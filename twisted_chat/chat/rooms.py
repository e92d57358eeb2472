"""All rooms: found by name, made when somebody enters them, closed when there are too many."""

import difflib
from collections.abc import Callable, Container, Iterator, Mapping
from functools import partial

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_chat.chat.room import Room
from twisted_chat.limits import Limits
from twisted_chat.refusal import Refused
from twisted_chat.text import names
from twisted_chat.text.confusables import looks

_log = Logger(namespace="chat")

_FEW = 200
"""Rooms among which a misspelled name is looked for, so that a typo costs the others no time."""


class Rooms(Mapping[str, Room]):
    """All rooms by their key, no two of which can be taken for each other.

    Args:
        make: makes a room of a name, which may have to wait for the store.
        limits: how many rooms there may be.
    """

    def __init__(
        self,
        make: Callable[[str], Deferred[Room]],
        limits: Limits,
    ) -> None:
        self._make = make
        self._limits = limits
        self._by_key: dict[str, Room] = {}
        self._opening: dict[str, list[Deferred[Room]]] = {}  # by key: whoever waits for it
        self._by_look: dict[str, str] = {}  # names, also of those that are being opened

    def __getitem__(self, key: str) -> Room:
        return self._by_key[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_key)

    def __len__(self) -> int:
        return len(self._by_key)

    @property
    def opening(self) -> Container[str]:
        """The keys of those that are being opened."""
        return self._opening

    def called(self, name: str) -> Room | None:
        """The room of this name, if there is one."""
        return self._by_key.get(names.key(name))

    def find(self, name: str, is_known: Callable[[Room], bool] = lambda _: True) -> Room:
        """The room of this name, as somebody typed it.

        Args:
            name: its name.
            is_known: whether they are told that there is such a room.

        Raises:
            Refused: there is none.
        """
        name = names.room(name, self._limits)
        room = self.called(name)
        if room is not None and is_known(room):
            return room
        few = self._by_key if len(self) <= _FEW else {}
        close = difflib.get_close_matches(names.key(name), few, 1, 0.75)
        meant = self[close[0]] if close and is_known(self[close[0]]) else None
        hint = f"did you mean {meant.name}?" if meant else "/rooms lists them."
        raise Refused("no-such-room", f"There is no room {name}: {hint}")

    def open(self, name: str) -> Deferred[Room]:
        """The room of this name; it is opened if it is not open yet, whatever the limits say.

        Fails with `Refused` if it cannot be opened; then there is no such room.
        """
        room, key = self.called(name), names.key(name)
        if room is not None:
            return succeed(room)
        asked: Deferred[Room] = Deferred()
        if key in self._opening:
            self._opening[key].append(asked)
        else:
            self._opening[key] = [asked]
            for look in looks(name[1:]):
                self._by_look[look] = name
            opened = self._make(name)
            opened.addCallbacks(self._opened, partial(self._not_opened, name))
        return asked

    def _opened(self, room: Room) -> None:
        self._by_key[room.key] = room
        for asked in self._opening.pop(room.key):
            asked.callback(room)

    def _not_opened(self, name: str, failure: Failure) -> None:
        _log.failure("{room} cannot be opened", failure, room=name)
        self._forget_look(name)
        for asked in self._opening.pop(names.key(name)):
            asked.errback(
                Refused("not-opened", f"{name} cannot be opened just now: try again in a while.")
            )

    def add(self, name: str, needed: Container[str]) -> Deferred[Room]:
        """Make a room for somebody who wants to enter it.

        Args:
            name: what it is called; it is not open.
            needed: keys of rooms that are not closed to make place.

        Returns:
            The room; fails as `open` does.

        Raises:
            Refused: it looks like another room, or there are too many.
        """
        if names.key(name) not in self._opening:
            self._check_look(name)
            self._make_place(needed)
        return self.open(name)

    def _check_look(self, name: str) -> None:
        for look in looks(name[1:]):
            other = self._by_look.get(look)
            if other is None:
                continue
            room = self.called(other)
            if room is not None and room.order.is_hidden:
                raise Refused("bad-room", f"{name} looks like another room: choose another name.")
            raise Refused(
                "bad-room", f"{name} looks like {other}: join that, or choose another name."
            )

    @property
    def is_full(self) -> bool:
        """Whether there are as many as there may be, with those that are being opened."""
        return len(self) + len(self._opening) >= self._limits.rooms

    def _make_place(self, needed: Container[str]) -> None:
        if self.is_full:
            self._close_idle(needed)
        if self.is_full:
            raise Refused(
                "too-many-rooms", "There are too many rooms already: join one that /rooms lists."
            )

    def _close_idle(self, needed: Container[str]) -> None:
        """Close rooms that nobody would miss: their logs are kept, and opened again on demand."""
        idle = [room for room in self.values() if room.is_idle and room.key not in needed]
        for room in idle:
            if not room.topic:
                self._close(room)
        for room in idle:  # /rooms lists those with a topic: no more of them go than have to
            if room.topic and self.is_full:
                self._close(room)

    def _close(self, room: Room) -> None:
        room.close()
        del self._by_key[room.key]
        self._forget_look(room.name)

    def _forget_look(self, name: str) -> None:
        for look in looks(name[1:]):
            self._by_look.pop(look, None)
