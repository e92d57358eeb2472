"""Events as a person reads them: the plain lines of the server, with styles on their parts."""

from twisted_chat import events
from twisted_chat.client.colours import colour
from twisted_chat.client.incoming import Happened
from twisted_chat.client.model import Model
from twisted_chat.client.wrapping import Fragments, Row
from twisted_chat.wire.plain import END, PlainWire

_NEWS = "*** "


class Display:
    """Shows events as one person reads them.

    Args:
        model: who that person is.
        wire: gives the words.
    """

    def __init__(self, model: Model, wire: PlainWire) -> None:
        self._model = model
        self._wire = wire

    def row(self, told: Happened) -> Row | None:
        """The line that an event is; None if it is none."""
        entry, event = told.entry, told.entry.event
        own = entry.ref is not None or self._model.is_me(event.sender)
        if own and not told.replayed and isinstance(event, events.Join | events.Leave):
            return None  # the server's answer has said so
        text = self._wire.text(event, own=own)
        if not text:
            return None
        shown = self._wire.show(entry, replayed=True).decode().removesuffix(END)
        time = ("class:time", shown[: shown.index("] ") + 2])
        match event:
            case events.Message() | events.Action() | events.Whisper():
                other = event.to if own and isinstance(event, events.Whisper) else event.sender
                before = text[: len(text) - len(event.text)]
                says = [] if own else self._model.calls_me(event.text)
                style = "class:whisper" if isinstance(event, events.Whisper) else ""
                return Row([time, *_prefix(before, other)], _marked(event.text, says, style))
            case events.File():
                before = text.partition(" sent ")[0]
                return Row([time, *_prefix(before, event.sender)], [("", text[len(before) :])])
            case _:
                news = text.removeprefix(_NEWS)
                return Row([time, ("class:news", _NEWS)], [("class:news", news)])


def _prefix(before: str, nick: str) -> Fragments:
    at = before.rfind(nick)
    return [
        ("class:room", before[:at]),
        (colour(nick), nick),
        ("class:room", before[at + len(nick) :]),
    ]


def _marked(text: str, spans: list[tuple[int, int]], style: str) -> Fragments:
    marked: Fragments = []
    end = 0
    for start, stop in spans:
        marked += [(style, text[end:start]), (f"{style} class:called", text[start:stop])]
        end = stop
    return [*marked, (style, text[end:])]
