"""What keys do, beside typing."""

from collections.abc import Callable
from functools import partial

from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import has_focus
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

from twisted_chat.client.conversation import Conversation
from twisted_chat.client.leaving import GOODBYE
from twisted_chat.client.model import Model
from twisted_chat.client.secrecy import is_secret


def bindings(
    conversation: Conversation, typed: Callable[[str], None], changed: Callable[[], None]
) -> KeyBindings:
    """The keys of a conversation.

    Args:
        conversation: what is left with Ctrl-D, and whose rooms one changes.
        typed: is given what was typed.
        changed: is told that one is in another room.
    """
    keys = KeyBindings()
    typing = has_focus(DEFAULT_BUFFER)
    model = conversation.model

    @keys.add("enter", filter=typing)
    def _(event: KeyPressEvent) -> None:
        text = event.current_buffer.text
        asked = conversation.naming or conversation.proving
        event.current_buffer.reset(append_to_history=not asked and not is_secret(text))
        typed(text)

    @keys.add("c-c", filter=typing)
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.reset()

    @keys.add("c-d", filter=typing)
    def _(event: KeyPressEvent) -> None:
        if event.current_buffer.text:
            event.current_buffer.delete()
        else:
            conversation.leave(patience=GOODBYE)

    @keys.add("pageup", filter=typing)
    @keys.add("pagedown", filter=typing)
    def _(event: KeyPressEvent) -> None:
        """Nothing: what was said is the terminal's to scroll, and these are no arrow keys."""

    def goes(find: Callable[[Model], str], *pressed: str) -> None:
        @keys.add(*pressed, filter=typing)
        def _(event: KeyPressEvent) -> None:
            model.go(find(model))
            changed()

    for number in range(1, 10):
        goes(partial(_numbered, number), "escape", str(number))
    goes(_unread, "escape", "a")
    goes(partial(_beside, 1), "c-n")
    goes(partial(_beside, -1), "c-p")
    return keys


def _numbered(number: int, model: Model) -> str:
    rooms = list(model.rooms.values())
    return rooms[number - 1].name if number <= len(rooms) else model.current


def _beside(step: int, model: Model) -> str:
    rooms = list(model.rooms.values())
    if model.here not in rooms:
        return model.current
    return rooms[(rooms.index(model.here) + step) % len(rooms)].name


def _unread(model: Model) -> str:
    """The next room in which something is unread, those first where one is called."""
    unread = [room for room in model.rooms.values() if room.unread]
    called = [room for room in unread if room.called]
    return next((room.name for room in called + unread), model.current)
