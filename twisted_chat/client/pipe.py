"""The client in a pipe: every line of the input is sent, and little is said about it."""

import contextlib
from typing import Any, TextIO

from twisted.internet.interfaces import IReactorFDSet

from twisted_chat.client.conversation import Conversation
from twisted_chat.client.harmless import as_json
from twisted_chat.client.incoming import Happened
from twisted_chat.client.keyboard import Keyboard
from twisted_chat.client.outbox import Line
from twisted_chat.client.screen import Screen
from twisted_chat.client.secrecy import without_secret
from twisted_chat.client.typed import parse

SHOWN = 2_000
"""Characters of a refused line that are shown: enough to know it by."""

BACKLOG = 100
"""Lines read ahead of their acknowledgement; the rest of the input waits where it is."""


class Pipe:
    """A front end for scripts.

    Answers to commands go to the output, refusals to the error output. With `json` the output
    is what the server sends, one object a line, but for what is the client's own business.

    Args:
        reactor: reads the input.
        out: the output.
        errors: the error output.
        json: whether objects are wanted.
        fd: the input's file descriptor.
    """

    asks = False
    completes = False

    def __init__(
        self, reactor: IReactorFDSet, out: TextIO, errors: TextIO, *, json: bool, fd: int = 0
    ) -> None:
        self.failed = False
        self.quiet = not json
        self._reactor = reactor
        self._fd = fd
        self._out = Screen(out, self._unread)
        self._errors = Screen(errors, self._unread)
        self._json = json
        self._conversation: Conversation | None = None
        self._keyboard: Keyboard | None = None

    def open(self, conversation: Conversation) -> None:
        """Read the input, for this conversation."""
        self._conversation = conversation
        self._keyboard = Keyboard(
            self._reactor, self._typed, self._too_long, conversation.leave, self._fd
        )

    async def close(self) -> None:
        """Read no more."""
        if self._keyboard is not None:
            self._keyboard.stop()

    def _typed(self, text: str) -> None:
        if self._conversation is None:
            return
        typed = parse(text)
        if typed.word == "/send":
            self._conversation.send_file(typed.argument)
        else:
            self._conversation.typed(text)

    def _too_long(self) -> None:
        self.refused("A line was far too long and was not sent")

    def _unread(self, why: str) -> None:
        if why:
            self.refused(why)
        if self._keyboard is not None:
            self._keyboard.stop()
        if self._conversation is not None:
            self._conversation.leave()

    def raw(self, thing: dict[str, Any]) -> None:
        """See `View`; the session's token is the client's own, and belongs into no log."""
        if self._json and thing.get("event") != "pong":
            shown = {name: value for name, value in thing.items() if name != "session"}
            with contextlib.suppress(RecursionError):  # what is nested deeper was no object at all
                self._out.line(as_json(shown))

    def happened(self, told: Happened, *, typed: bool) -> None:
        """See `View`: a script that wants to know asks for objects."""

    def told(self, text: str) -> None:
        """See `View`: as `happened`."""

    def answered(self, texts: tuple[str, ...], line: Line) -> None:
        """See `View`."""
        if not self._json:
            for text in texts:
                self._out.line(text)

    def refused(self, text: str, line: Line | None = None) -> None:
        """See `View`."""
        self.failed = True
        self._errors.line(
            f"!!! {text}" + (f" [{_beginning(without_secret(line.text))}]" if line else "")
        )

    def connection(self, text: str) -> None:
        """See `View`."""
        self._errors.line(f"*** {text}")

    def ask_nick(self, text: str) -> None:
        """See `View`: nobody is there to be asked."""
        raise NotImplementedError(text)

    def ask_password(self, nick: str) -> None:
        """See `View`: nobody is there to be asked."""
        raise NotImplementedError(nick)

    def changed(self) -> None:
        """See `View`; the input is read no faster than it is sent."""
        if self._conversation is None or self._keyboard is None:
            return
        full = len(self._conversation.outbox) >= BACKLOG
        if full and not self._keyboard.paused:
            self._keyboard.pauseProducing()
        elif self._keyboard.paused and not full:
            self._keyboard.resumeProducing()


def _beginning(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
