"""What a conversation asks of its front end: a terminal, plain lines, or a pipe."""

from typing import Any, Protocol

from twisted_chat.client.incoming import Happened
from twisted_chat.client.outbox import Line


class View(Protocol):
    """Where a conversation is seen."""

    asks: bool
    """Whether a person is there, who can be asked and who does not wait for ever."""

    quiet: bool
    """Whether it is only there to post something, so that nobody need know of its coming."""

    completes: bool
    """Whether it would like to know which rooms there are."""

    def raw(self, thing: dict[str, Any]) -> None:
        """The server sent this object."""

    def happened(self, told: Happened, *, typed: bool) -> None:
        """Something happened in the chat; `typed` if it is what was typed here a moment ago."""

    def told(self, text: str) -> None:
        """The server says something about the chat."""

    def answered(self, texts: tuple[str, ...], line: Line) -> None:
        """A command that was typed is answered."""

    def refused(self, text: str, line: Line | None = None) -> None:
        """Something was not done, and why; `line` if it is one that was typed."""

    def connection(self, text: str) -> None:
        """How the connection does."""

    def ask_nick(self, text: str) -> None:
        """The next line that is typed will be taken for the nickname; `text` says why."""

    def ask_password(self, nick: str) -> None:
        """The next line that is typed will be taken for the password of this nickname."""

    def changed(self) -> None:
        """Something about the conversation is not as it was."""
