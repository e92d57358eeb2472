"""Joining rooms: none is created by a typing mistake."""

from twisted_chat.client.model import Model
from twisted_chat.client.outbox import Line
from twisted_chat.client.typed import Typed, parse
from twisted_chat.refusal import Refused
from twisted_chat.text.names import key


class Joining:
    """What is to be known about rooms that are to be entered.

    Args:
        model: which rooms we are in.
        careful: whether a room that does not exist yet is made only if one insists.
    """

    def __init__(self, model: Model, *, careful: bool) -> None:
        self._model = model
        self._careful = careful
        self._doubted = ""  # the room that did not exist when it was last asked for

    def only_existing(self, typed: Typed) -> bool:
        """Whether what was typed is to enter a room only if that exists."""
        room = typed.joins(self._model)
        return bool(room) and self._careful and key(room) != self._doubted

    def refused(self, line: Line, why: Refused) -> str:
        """A line was refused; gives what else there is to say about that."""
        room = parse(line.text).joins(self._model)
        if not line.only_existing or why.code != "no-such-room":
            return ""
        self._doubted = key(room)
        return f"To create {room}, type /join {room} again."
