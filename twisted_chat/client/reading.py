"""What the two front ends for people have in common: lines that are read, and lines typed."""

from collections.abc import Callable
from typing import Any

from twisted_chat import events
from twisted_chat.client import own_commands
from twisted_chat.client.alerts import NAME, OFF, Alerts
from twisted_chat.client.conversation import Conversation
from twisted_chat.client.display import Display
from twisted_chat.client.focus import Focus
from twisted_chat.client.incoming import Happened
from twisted_chat.client.outbox import Line
from twisted_chat.client.typed import lines, parse
from twisted_chat.client.wrapping import Row
from twisted_chat.wire.plain import PlainWire


class Reading:
    """A front end for a person.

    Args:
        put: shows a line.
        echoes: whether the screen still shows what was typed, so that it is not shown again.
        bell: whether to ring it, until `/bell` says otherwise.
        notifies: whether a notification is shown when the bell rings.
    """

    asks = True
    quiet = False

    conversation: Conversation
    focus: Focus
    alerts: Alerts
    _display: Display

    def __init__(
        self, put: Callable[[Row], None], *, echoes: bool, bell: bool, notifies: bool = False
    ) -> None:
        self._put = put
        self._wire = PlainWire()
        self._echoes = echoes
        self._bell = bell
        self._notifies = notifies

    def open(self, conversation: Conversation) -> None:
        """Show this conversation."""
        self.conversation = conversation
        level = NAME if self._bell else OFF
        self.alerts = Alerts(conversation.model, self.ring, level, notifies=self._notifies)
        self.focus = Focus(conversation.model, self._show, self._enter)
        self._display = Display(conversation.model, self._wire)

    def typed(self, text: str) -> None:
        """Somebody typed this, or pasted these lines."""
        for line in lines(text):
            if self.conversation.naming or self.conversation.proving:
                self.conversation.typed(line)
            elif not line.strip():
                self._entered()
            elif not own_commands.run(parse(line), self):
                self.conversation.typed(line)
        self.changed()

    def _entered(self) -> None:
        """Enter, and nothing else: somebody cannot wait."""
        if self.conversation.state == "offline":
            self.conversation.reconnect()

    def words(self, told: Happened) -> str:
        """An event in words."""
        return self._wire.text(told.entry.event)

    def ring(self, told: Happened) -> None:
        """Call the person to their terminal, because of this event."""
        raise NotImplementedError

    def clear(self) -> None:
        """Clear the screen."""
        raise NotImplementedError

    def raw(self, thing: dict[str, Any]) -> None:
        """See `View`: people read words."""

    def happened(self, told: Happened, *, typed: bool) -> None:
        """See `View`."""
        if self._echoes and typed and isinstance(told.entry.event, events.Message):
            return
        self.focus.happened(told)
        self.alerts.happened(told)

    def _show(self, told: Happened) -> None:
        row = self._display.row(told)
        if row is not None:
            self._put(row)

    def _enter(self, room: str, dropped: int) -> None:
        older = f", {dropped} older lines are not shown: /history" if dropped else ""
        self._put(Row([("class:news", "--- ")], [("class:news", f"{room}{older} ---")]))

    def told(self, text: str) -> None:
        """See `View`."""
        self._put(Row([("class:news", "*** ")], [("class:news", text)]))

    def answered(self, texts: tuple[str, ...], line: Line) -> None:
        """See `View`; a list of commands is not complete without the client's own."""
        typed = parse(line.text)
        if typed.word == "/help" and not typed.argument:
            texts += own_commands.help_lines(self.conversation.model.commands)
        for text in texts:
            self._put(Row([("", "*** ")], [("", text)]))

    def refused(self, text: str, line: Line | None = None) -> None:
        """See `View`."""
        self._put(Row([("class:refusal", "!!! ")], [("class:refusal", text)]))

    def connection(self, text: str) -> None:
        """See `View`."""
        self.told(text)

    def changed(self) -> None:
        """See `View`: one may be in another room now."""
        self.focus.moved()
