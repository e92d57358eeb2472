"""The client at a terminal: a line being typed, and what is said above it."""

import os
from asyncio import Future, ensure_future

from prompt_toolkit import PromptSession
from prompt_toolkit.application import run_in_terminal
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.input import Input
from prompt_toolkit.output import Output
from prompt_toolkit.renderer import print_formatted_text
from prompt_toolkit.styles import Style
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from twisted_chat.client.alerts import notification
from twisted_chat.client.colours import STYLE
from twisted_chat.client.completion import ChatCompleter
from twisted_chat.client.conversation import Conversation
from twisted_chat.client.hiding import HidePasswords
from twisted_chat.client.history import InputHistory
from twisted_chat.client.incoming import Happened
from twisted_chat.client.keys import bindings
from twisted_chat.client.leaving import GOODBYE
from twisted_chat.client.own_commands import COMMANDS
from twisted_chat.client.reading import Reading
from twisted_chat.client.secrecy import is_secret
from twisted_chat.client.state import state_file
from twisted_chat.client.toolbar import toolbar
from twisted_chat.client.typed import parse
from twisted_chat.client.wrapping import Row, wrapped


class Terminal(Reading):
    """A front end with a prompt; it needs an asyncio reactor.

    One prompt is up the whole time, so that nothing is ever drawn over what is being typed.

    Args:
        clock: the time and its timers.
        keys: where keys come from, if not from the terminal.
        output: where it is drawn, if not on the terminal.
        bell: whether to ring it.
    """

    failed = False
    completes = True

    def __init__(
        self,
        clock: IReactorTime,
        keys: Input | None = None,
        output: Output | None = None,
        *,
        bell: bool = True,
    ) -> None:
        self._notification = notification(os.environ)
        notifies = self._notification is not None
        super().__init__(self._put_above, echoes=False, bell=bell, notifies=notifies)
        self._clock = clock
        self._keys = keys
        self._output = output
        self._style = Style.from_dict(STYLE)
        self._above: list[Row] = []
        self._call: Happened | None = None  # because of which the bell is to ring
        self._prompt: PromptSession[str] | None = None
        self._typing: Future[None] | None = None
        self._later: IDelayedCall | None = None

    def open(self, conversation: Conversation) -> None:
        """Put up the prompt, for this conversation."""
        super().open(conversation)
        history = state_file("history")
        self._prompt = PromptSession(
            self._before_input,
            bottom_toolbar=self._toolbar,
            completer=ChatCompleter(conversation.model, COMMANDS),
            complete_while_typing=False,
            history=InputHistory(history, self._is_private) if history else None,
            key_bindings=bindings(conversation, self.typed, self.changed),
            style=self._style,
            input_processors=[HidePasswords(lambda: conversation.proving)],
            erase_when_done=True,
            enable_suspend=True,
            input=self._keys,
            output=self._output,
        )
        self._typing = ensure_future(self._type(self._prompt))

    async def close(self) -> None:
        """Take the prompt away, and show what is left to be shown."""
        if self._later is not None and self._later.active():
            self._later.cancel()
        if self._prompt is not None and self._typing is not None:
            if self._prompt.app.is_running:
                self._prompt.app.exit(result="")
            await Deferred.fromFuture(self._typing)
        self._print()

    async def _type(self, prompt: PromptSession[str]) -> None:
        try:
            await prompt.prompt_async(handle_sigint=False)
        except (EOFError, OSError):  # the terminal is gone
            self.conversation.leave(patience=GOODBYE)

    def ask_nick(self, text: str) -> None:
        """See `View`; the prompt asks."""
        if text:
            self.refused(text)

    def ask_password(self, nick: str) -> None:
        """See `View`; the prompt asks."""
        self.changed()

    def changed(self) -> None:
        """See `View`: draw the toolbar again, and again when a line has waited for too long."""
        super().changed()
        if self._prompt is None:
            return
        self._prompt.app.invalidate()
        if self.conversation.outbox and (self._later is None or not self._later.active()):
            self._later = self._clock.callLater(0.5, self.changed)

    def _before_input(self) -> FormattedText:
        model = self.conversation.model
        asked = "What is your nickname?" if self.conversation.naming else ""
        if self.conversation.proving:
            asked = f"Password for {model.nick}:"
        query = f"@{model.query}" if model.query else ""
        return FormattedText([("class:prompt", f"{asked or query or model.current}> ")])

    def _is_private(self, line: str) -> bool:
        """Whether nobody else should read this line in a file."""
        talk, typed = self.conversation, parse(line)
        to_one = bool(talk.model.query) and not typed.command
        return talk.naming or to_one or typed.is_private(talk.model) or is_secret(line)

    def _toolbar(self) -> FormattedText:
        width = self._prompt.app.output.get_size().columns if self._prompt else 0
        talk = self.conversation
        state = talk.files.progress or talk.state
        return FormattedText(toolbar(talk.model, state, talk.sender.late(), width))

    def ring(self, told: Happened) -> None:
        """See `Reading`; for all that is shown at once, once."""
        self._call = told

    def clear(self) -> None:
        """See `Reading`."""
        if self._prompt is not None:
            self._prompt.app.renderer.clear()

    def _put_above(self, row: Row) -> None:
        self._above += [row]
        if len(self._above) == 1:  # what comes before it is printed is printed with it
            run_in_terminal(self._print)

    def _print(self) -> None:
        rows, self._above = self._above, []
        if not rows or self._prompt is None:
            return
        output = self._prompt.app.output
        width = output.get_size().columns
        text = [piece for row in rows for piece in (*wrapped(row, width), ("", "\n"))]
        print_formatted_text(output, FormattedText(text), self._style)
        if self._call is not None:
            if self._notification is not None:
                output.write_raw(self._notification(self.words(self._call)))
            output.bell()
            output.flush()
            self._call = None
