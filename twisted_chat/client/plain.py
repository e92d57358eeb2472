"""The client in plain lines, at a terminal: for screen readers, and for very simple terminals."""

from typing import TextIO

from twisted.internet.interfaces import IReactorFDSet

from twisted_chat.client.conversation import Conversation
from twisted_chat.client.incoming import Happened
from twisted_chat.client.keyboard import Keyboard
from twisted_chat.client.leaving import GOODBYE
from twisted_chat.client.reading import Reading
from twisted_chat.client.screen import Screen
from twisted_chat.client.wrapping import Row, wrapped


class Plain(Reading):
    """A front end that reads lines and writes lines, and does nothing else to the terminal.

    Args:
        reactor: reads the input.
        out: the output.
        bell: whether to ring it, where the output is a terminal.
        fd: the input's file descriptor.
    """

    failed = False
    completes = False

    def __init__(
        self, reactor: IReactorFDSet, out: TextIO, *, bell: bool = True, fd: int = 0
    ) -> None:
        super().__init__(self._write, echoes=True, bell=bell and out.isatty())
        self._reactor = reactor
        self._fd = fd
        self._out = Screen(out, self._unread)
        self._keyboard: Keyboard | None = None

    def open(self, conversation: Conversation) -> None:
        """Read the keyboard, for this conversation."""
        super().open(conversation)
        self._keyboard = Keyboard(self._reactor, self.typed, self._too_long, self._leave, self._fd)

    async def close(self) -> None:
        """Read no more."""
        self._stop()

    def ask_nick(self, text: str) -> None:
        """See `View`."""
        if text:
            self.refused(text)
        self._out.line("What is your nickname?")

    def ring(self, told: Happened) -> None:
        """See `Reading`."""
        self._out.ring()

    def clear(self) -> None:
        """See `Reading`: no cursor is moved here."""
        self.refused("/clear does nothing in plain mode.")

    def _write(self, row: Row) -> None:
        width = self._out.width
        line = wrapped(row, width) if width else row.fragments
        self._out.line("".join(text for _, text in line))

    def _too_long(self) -> None:
        self.refused("That line is far too long and was not sent")

    def _unread(self, why: str) -> None:
        self._stop()
        self._leave()

    def _stop(self) -> None:
        if self._keyboard is not None:
            self._keyboard.stop()

    def _leave(self) -> None:
        self.conversation.leave(patience=GOODBYE)
