"""The client at a terminal: a line being typed, and what is said above it."""

from asyncio import Future, ensure_future

from prompt_toolkit import PromptSession
from prompt_toolkit.application import run_in_terminal
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import has_focus
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.output import Output
from prompt_toolkit.renderer import print_formatted_text
from prompt_toolkit.styles import Style
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from twisted_chat.client.colours import STYLE
from twisted_chat.client.completion import ChatCompleter
from twisted_chat.client.conversation import Conversation
from twisted_chat.client.display import Fragments
from twisted_chat.client.history import InputHistory, history_file
from twisted_chat.client.leaving import GOODBYE
from twisted_chat.client.reading import Reading
from twisted_chat.client.toolbar import toolbar
from twisted_chat.client.typed import parse


class Terminal(Reading):
    """A front end with a prompt; it needs an asyncio reactor.

    One prompt is up the whole time, so that nothing is ever drawn over what is being typed.

    Args:
        clock: the time and its timers.
        keys: where keys come from, if not from the terminal.
        output: where it is drawn, if not on the terminal.
    """

    failed = False

    def __init__(
        self, clock: IReactorTime, keys: Input | None = None, output: Output | None = None
    ) -> None:
        super().__init__(self._put_above, echoes=False)
        self._clock = clock
        self._keys = keys
        self._output = output
        self._style = Style.from_dict(STYLE)
        self._above: list[Fragments] = []
        self._prompt: PromptSession[str] | None = None
        self._typing: Future[None] | None = None
        self._later: IDelayedCall | None = None

    def open(self, conversation: Conversation) -> None:
        """Put up the prompt, for this conversation."""
        super().open(conversation)
        self._conversation = conversation
        self._prompt = PromptSession(
            self._before_input,
            bottom_toolbar=self._toolbar,
            completer=ChatCompleter(conversation.model),
            complete_while_typing=False,
            history=InputHistory(history_file(), lambda line: _is_private(conversation, line)),
            key_bindings=_keys(conversation),
            style=self._style,
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
            self._conversation.leave(patience=GOODBYE)

    def ask_nick(self, text: str) -> None:
        """See `View`; the prompt asks."""
        if text:
            self.refused(text)

    def changed(self) -> None:
        """See `View`: draw the toolbar again, and again when a line has waited for too long."""
        if self._prompt is None:
            return
        self._prompt.app.invalidate()
        if self._conversation.outbox and (self._later is None or not self._later.active()):
            self._later = self._clock.callLater(0.5, self.changed)

    def _before_input(self) -> FormattedText:
        asked = "What is your nickname?" if self._conversation.naming else ""
        return FormattedText([("class:prompt", f"{asked or self._conversation.model.current}> ")])

    def _toolbar(self) -> FormattedText:
        width = self._prompt.app.output.get_size().columns if self._prompt else 0
        talk = self._conversation
        return FormattedText(toolbar(talk.model, talk.state, talk.sender.late(), width))

    def _put_above(self, line: Fragments) -> None:
        self._above += [line]
        if len(self._above) == 1:  # what comes before it is printed is printed with it
            run_in_terminal(self._print)

    def _print(self) -> None:
        lines, self._above = self._above, []
        if lines and self._prompt is not None:
            text = FormattedText([piece for line in lines for piece in (*line, ("", "\n"))])
            print_formatted_text(self._prompt.app.output, text, self._style)


def _is_private(conversation: Conversation, line: str) -> bool:
    return conversation.naming or parse(line).is_private(conversation.model)


def _keys(conversation: Conversation) -> KeyBindings:
    keys = KeyBindings()
    typing = has_focus(DEFAULT_BUFFER)

    @keys.add("enter", filter=typing)
    def _(event: KeyPressEvent) -> None:
        text = event.current_buffer.text
        event.current_buffer.reset(append_to_history=True)
        conversation.typed(text)

    @keys.add("c-c", filter=typing)
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.reset()

    @keys.add("c-d", filter=typing)
    def _(event: KeyPressEvent) -> None:
        if event.current_buffer.text:
            event.current_buffer.delete()
        else:
            conversation.leave(patience=GOODBYE)

    return keys
