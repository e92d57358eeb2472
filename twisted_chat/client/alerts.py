"""Alerts: the terminal's bell and notifications."""

from collections.abc import Callable, Mapping

from twisted_chat import events
from twisted_chat.client.incoming import Happened
from twisted_chat.client.model import Model

OFF, WHISPER, NAME, ALL = LEVELS = ("off", "whisper", "name", "all")
"""When one is called; each includes those before it."""

_WHEN = {
    OFF: "The bell is off. /bell name, /bell whisper or /bell all turns it on.",
    WHISPER: "The bell rings for whispers",
    NAME: "The bell rings for whispers, and when somebody says your name",
    ALL: "The bell rings for everything that others say",
}
_LONGEST = 200  # characters of a notification


class Alerts:
    """Calls a person to their terminal.

    Args:
        model: who that person is.
        ring: rings the bell; is given the event.
        level: when to do so.
        notifies: whether the terminal also shows a notification.
    """

    def __init__(
        self, model: Model, ring: Callable[[Happened], None], level: str, *, notifies: bool
    ) -> None:
        self.level = level
        self._model = model
        self._ring = ring
        self._notifies = notifies

    def happened(self, told: Happened) -> None:
        """Something happened; it may be worth a call."""
        event = told.entry.event
        own = told.entry.ref is not None or self._model.is_me(event.sender)
        if not own and self._model.is_news(told) and self._wanted(event):
            self._ring(told)

    def _wanted(self, event: events.Event) -> bool:
        level = LEVELS.index(self.level)
        match event:
            case events.Whisper():
                return level >= LEVELS.index(WHISPER)
            case events.Message() | events.Action():
                called = bool(self._model.calls_me(event.text))
                return level >= LEVELS.index(NAME if called else ALL)
            case _:
                return False

    @property
    def sentence(self) -> str:
        """When one is called, in words."""
        if self.level == OFF:
            return _WHEN[OFF]
        return _WHEN[self.level] + (", with a notification." if self._notifies else ".")


def notification(environment: Mapping[str, str]) -> Callable[[str], str] | None:
    """What makes this terminal show a notification (OSC 9 or 777); None if nothing is known to."""
    program, term = environment.get("TERM_PROGRAM", ""), environment.get("TERM", "")
    if environment.get("TMUX") or term.startswith(("screen", "tmux")):
        return None  # they would not pass it on; they have alerts of their own for the bell
    if program in ("iTerm.app", "WezTerm", "ghostty") or term in ("xterm-kitty", "xterm-ghostty"):
        return lambda text: f"\x1b]9;{text[:_LONGEST]}\x1b\\"
    if term.startswith(("foot", "rxvt-unicode")) or environment.get("VTE_VERSION"):
        return lambda text: f"\x1b]777;notify;Twisted Chat;{text[:_LONGEST]}\x1b\\"
    return None
