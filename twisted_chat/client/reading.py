"""What the two front ends for people have in common: everything is a line that they read."""

from collections.abc import Callable
from typing import Any

from twisted_chat import events
from twisted_chat.client.conversation import Conversation
from twisted_chat.client.display import Display, Fragments
from twisted_chat.client.incoming import Happened
from twisted_chat.client.outbox import Line
from twisted_chat.wires.plain import PlainWire


class Reading:
    """A front end for a person.

    Args:
        echoes: whether the screen still shows what was typed, so that it is not shown again.
        put: shows a line.
    """

    asks = True

    def __init__(self, put: Callable[[Fragments], None], *, echoes: bool) -> None:
        self._put = put
        self._echoes = echoes
        self._display: Display | None = None

    def open(self, conversation: Conversation) -> None:
        """Show this conversation."""
        self._display = Display(conversation.model, PlainWire())

    def raw(self, thing: dict[str, Any]) -> None:
        """See `View`: people read words."""

    def happened(self, told: Happened, *, typed: bool) -> None:
        """See `View`."""
        if self._echoes and typed and isinstance(told.entry.event, events.Message):
            return
        line = self._display.line(told) if self._display else []
        if line:
            self._put(line)

    def told(self, text: str) -> None:
        """See `View`."""
        self._put([("class:news", f"*** {text}")])

    def answered(self, lines: tuple[str, ...]) -> None:
        """See `View`."""
        for line in lines:
            self._put([("", f"*** {line}")])

    def refused(self, text: str, line: Line | None = None) -> None:
        """See `View`."""
        self._put([("class:refusal", f"!!! {text}")])

    def connection(self, text: str) -> None:
        """See `View`."""
        self.told(text)
