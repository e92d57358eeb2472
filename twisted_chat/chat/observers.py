"""Observers: programs beside the chat that are told what happens, and may prevent it."""

from collections.abc import Iterable
from typing import Protocol

from twisted.logger import Logger

from twisted_chat.events import Entry, Event
from twisted_chat.refusal import Refused

_log = Logger(namespace="chat")


class Observer(Protocol):
    """A program beside the chat; derive from this, and override what you need.

    Both methods are called on the reactor's thread, and neither may wait or change the chat. One
    that fails is logged, and the chat goes on as if it were not there.
    """

    def check(self, event: Event) -> None:
        """Somebody is about to do this.

        It is a `Message`, `Action`, `Topic`, `File`, `Delete`, `Whisper`, `Rename` (once, whatever
        rooms they are in) or `Away`; something that keeps order, such as a `Kick`; or a `Join`,
        which for the lobby means that they come into the chat.

        Args:
            event: as the others would see it; of a whisper and of a new nickname, the room is `@`.

        Raises:
            Refused: it is not to happen; the person reads the sentence.
        """
        return  # an empty body would be abstract

    def happened(self, event: Event, number: int) -> None:
        """Something has happened in a room, is stored, and is about to be seen.

        Whispers are not told. In a rush one `Join` or `Leave` tells of many (`also`), and nothing
        is told of the coming and going of programs that only post.

        Args:
            event: what has happened.
            number: the event's number in its room; 0 for one that history does not keep.
        """
        return


class Observers:
    """All who observe one chat.

    Args:
        observers: in the order in which they are asked and told.
    """

    def __init__(self, observers: Iterable[Observer] = ()) -> None:
        self._observers = tuple(observers)

    def check(self, event: Event) -> None:
        """Ask all of them about what is about to happen.

        Raises:
            Refused: one of them is against it.
        """
        for observer in self._observers:
            try:
                observer.check(event)
            except Refused:
                raise
            except Exception:
                _log.failure("{observer!r} failed, and prevents nothing", observer=observer)

    def tell(self, entry: Entry) -> None:
        """Tell all of them what has happened."""
        for observer in self._observers:
            try:
                observer.happened(entry.event, entry.id if entry.stored else 0)
            except Exception:
                _log.failure("{observer!r} failed, and the chat goes on", observer=observer)
