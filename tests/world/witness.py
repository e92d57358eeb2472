"""What a server does, told where it does it: the truth that the oracle goes by."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, Self
from unittest.mock import patch

from twisted.internet.defer import Deferred

from tests.world.disk import Trouble
from twisted_chat.chat.chat import Chat
from twisted_chat.events import By, Entry
from twisted_chat.events.effects import State
from twisted_chat.log.log import Log
from twisted_chat.wire.plain import PlainWire
from twisted_chat.wire.structured import StructuredWire

UNSHOWABLE = "=x"
"""What no wire can show has this in it."""


class Witness(Protocol):
    """Who hears what a server does, as it does it."""

    is_showing: bool
    """Whether something becomes visible in this very call, of what was stored together."""

    def came(self, person: Any, token: str) -> None:
        """Somebody has a session, new or again."""

    def enters(self, person: str, logs: Iterable[str]) -> None:
        """Somebody begins to read these: what they hold until now is history to them."""

    def enters_not(self, person: str, log: str) -> None:
        """They are not let in after all."""

    def is_in(self, person: Any, room: str, key: str) -> None:
        """Somebody was let into a room, perhaps for this key."""

    def decides(self, person: Any, room: str, event: Any) -> None:
        """Somebody decides something about a room."""

    def does(self, kind: str, person: Any, room: str, text: str, others: Iterable[Any]) -> None:
        """Somebody says or does something."""

    def speaks(self, person: Any, room: str) -> None:
        """Somebody said something in a room, and nothing kept them from it."""

    def opens(self, log: str, last: int) -> None:
        """A log is open, and its last event has this number."""

    def shows(self, log: str, entries: Sequence[Entry]) -> None:
        """These may be seen now."""


class WatchedLog(Log):
    """A log that says what may be seen of it."""

    witness: Witness

    @classmethod
    def new(cls, name: str, *args: Any, **more: Any) -> Self:
        """See `Log.new`."""
        cls.witness.opens(name, 0)
        return super().new(name, *args, **more)

    def open(self) -> Deferred[State]:
        """See `Log.open`."""
        return super().open().addCallback(self._is_open)

    def _is_open(self, state: State) -> State:
        self.witness.opens(self.name, self.last)
        return state

    def show(self, entries: Sequence[Entry]) -> None:
        """See `Log.show`."""
        self.witness.shows(self.name, entries)
        self.witness.is_showing = True
        super().show(entries)
        self.witness.is_showing = False


class WatchedChat(Chat):
    """A chat that says what it does, where it does it."""

    def __init__(self, witness: Witness, *args: Any, **more: Any) -> None:
        self._witness = witness
        super().__init__(*args, **more)

    def attach(self, person: Any, device: Any, *rest: Any, **more: Any) -> Any:
        """See `Chat.attach`."""
        result = super().attach(person, device, *rest, **more)
        self._witness.came(person, device.token)
        self._witness.enters(person.id, ("@" + person.id, *person.rooms))
        return result

    def enter_room(self, person: Any, room: Any, key: str = "") -> Any:
        """See `Chat.enter_room`."""
        if room.key in person.rooms:
            return super().enter_room(person, room, key)
        self._witness.enters(person.id, (room.key,))
        try:
            result = super().enter_room(person, room, key)
        except Exception:
            self._witness.enters_not(person.id, room.key)
            raise
        self._witness.is_in(person, room.key, key)
        return result

    def decide(self, person: Any, room: Any, event: Any, *rest: Any) -> Any:
        """See `Chat.decide`."""
        self._witness.decides(person, room.key, event)
        return super().decide(person, room, event, *rest)

    def say(self, person: Any, room: Any, text: str, *rest: Any, **more: Any) -> Any:
        """See `Chat.say`."""
        self._witness.does("message", person, room.name, text, ())
        result = super().say(person, room, text, *rest, **more)
        self._witness.speaks(person, room.key)
        return result

    def act(self, person: Any, room: Any, text: str, *rest: Any, **more: Any) -> Any:
        """See `Chat.act`."""
        self._witness.does("action", person, room.name, text, ())
        result = super().act(person, room, text, *rest, **more)
        self._witness.speaks(person, room.key)
        return result

    def set_topic(self, person: Any, room: Any, text: str, *rest: Any, **more: Any) -> Any:
        """See `Chat.set_topic`."""
        self._witness.does("topic", person, room.name, text, ())
        return super().set_topic(person, room, text, *rest, **more)

    def whisper(self, person: Any, others: Any, text: str, *rest: Any, **more: Any) -> Any:
        """See `Chat.whisper`."""
        others = list(others)
        self._witness.does("whisper", person, "@", text, others)
        return super().whisper(person, others, text, *rest, **more)

    def set_away(self, person: Any, reason: Any, *rest: Any, **more: Any) -> Any:
        """See `Chat.set_away`."""
        self._witness.does("away", person, "", reason or "", ())
        return super().set_away(person, reason, *rest, **more)

    def _leave(self, person: Any, key: str, reason: str) -> Any:
        super()._leave(person, key, reason)
        self._witness.does("exit", person, key, "", ())

    def _let_go(self, person: Any, room: Any, entry: Any) -> Any:
        self._witness.does("exit", person, room.name, "", ())
        return super()._let_go(person, room, entry)

    def part(self, person: Any, reason: str, *rest: Any, **more: Any) -> Any:
        """See `Chat.part`."""
        self._witness.does("leave", person, "", reason, ())
        return super().part(person, reason, *rest, **more)


@contextmanager
def unshowable() -> Iterator[None]:
    """Some lines cannot be shown, as if a wire had a fault."""

    def failing(show: Any) -> Any:
        def fails(self: Any, entry: Entry, by: By = By.OTHERS, *, replayed: bool = False) -> bytes:
            if UNSHOWABLE in getattr(entry.event, "text", ""):
                raise Trouble("this cannot be shown")
            return bytes(show(self, entry, by, replayed=replayed))

        return fails

    with (
        patch.object(PlainWire, "show", failing(PlainWire.show)),
        patch.object(StructuredWire, "show", failing(StructuredWire.show)),
    ):
        yield
