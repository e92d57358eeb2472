"""What comes in and asks for no decision: it is known from then on, and shown."""

from twisted_chat.client import wording
from twisted_chat.client.incoming import (
    Answer,
    Happened,
    Hidden,
    Incoming,
    Missed,
    State,
    Welcome,
)
from twisted_chat.client.model import Model
from twisted_chat.client.outbox import Line, Outbox
from twisted_chat.client.typed import parse
from twisted_chat.client.view import View


class Hearing:
    """Lets the model know, acknowledges lines, and shows the rest.

    Args:
        model: what the client knows.
        outbox: the lines that wait to be acknowledged.
        view: where it is shown.
    """

    def __init__(self, model: Model, outbox: Outbox, view: View) -> None:
        self._model = model
        self._outbox = outbox
        self._view = view

    def hear(self, told: Incoming | None) -> None:
        """The server says this."""
        match told:
            case Welcome():
                self._welcomed(told)
            case State():
                if self._model.state(told):
                    self._tell(*wording.in_room(told))
            case Happened():
                line = self._acknowledged(told.entry.ref, by_event=True)
                self._model.happened(told)
                self._view.happened(told, typed=line is not None)
            case Answer():
                line = self._acknowledged(told.ref)
                if line is not None:
                    self._answered(line, told)
            case Missed():
                self._tell(wording.missed(told))
            case Hidden():
                self._model.hidden(told)

    def _welcomed(self, told: Welcome) -> None:
        if self._model.session is not None:
            self._view.connection("Connected again")
        else:
            self._tell(f"Welcome to {told.server}, {told.nick}! /help lists the commands.")
            self._tell(*told.motd)
        if self._model.began_anew(told):
            self._tell(wording.ANEW)
        self._model.welcome(told)
        if told.resumed:
            self._outbox.resumed()
        else:
            self.report_unconfirmed()

    def _answered(self, line: Line, told: Answer) -> None:
        typed = parse(line.text)
        if room := typed.joins(self._model):
            self._model.joined(room)
        if room := typed.leaves(self._model, line.room):  # the event may never come, in a rush
            self._model.leave(room)
        if typed.word in self._model.spellings("/rooms"):
            self._model.list_rooms(told.lines)
        self._view.answered(told.lines, line)

    def _acknowledged(self, ref: str | None, *, by_event: bool = False) -> Line | None:
        line = self._outbox.find(ref)
        if line is not None and not (by_event and line.command):  # its answer is still to come
            self._outbox.settle(line)
        return line

    def report_unconfirmed(self) -> None:
        """Say of which lines nobody knows whether the others got them; they are given up."""
        for line in self._outbox.unconfirmed():
            self._model.give_up(parse(line.text).joins(self._model))
            self._view.refused(f"Could not be confirmed: {line.text}")

    def _tell(self, *texts: str) -> None:
        for text in texts:
            self._view.told(text)
