"""Joining rooms: the one given at the start, and none by a typing mistake."""

from twisted_chat.client.incoming import Answer, Refusal
from twisted_chat.client.model import Model
from twisted_chat.client.outbox import Line
from twisted_chat.client.typed import Typed, parse, room_name
from twisted_chat.text.names import LOBBY, key

_REF = "room"  # our name for the request to enter the room that was asked for at the start


class Joining:
    """What is to be known about rooms that are to be entered.

    Args:
        model: which rooms we are in.
        room: the room that was asked for at the start; empty for the lobby.
        careful: whether a room that does not exist yet is made only if one insists.
    """

    def __init__(self, model: Model, room: str, *, careful: bool) -> None:
        self._model = model
        self._careful = careful
        self._doubted = ""  # the room that did not exist when it was last asked for
        self._first = ""
        if room:
            model.go(room_name(room))
            if key(model.current) != LOBBY:
                self._first = model.current

    @property
    def request(self) -> dict[str, str] | None:
        """What is to be sent before anything is said; None if that is done."""
        if not self._first:
            return None
        return {"do": "command", "text": f"/join {self._first}", "ref": _REF}

    def answers(self, told: Answer | Refusal) -> bool:
        """Whether this is about that request."""
        return bool(self._first) and told.ref == _REF

    def done(self) -> None:
        """We are in the first room."""
        self._first = ""

    def only_existing(self, typed: Typed) -> bool:
        """Whether what was typed is to enter a room only if that exists."""
        room = typed.joins(self._model)
        return bool(room) and self._careful and key(room) != self._doubted

    def refused(self, line: Line, told: Refusal) -> str:
        """A line was refused; gives what else there is to say about that."""
        room = parse(line.text).joins(self._model)
        self._model.give_up(room)
        if not line.only_existing or told.code != "no-such-room":
            return ""
        self._doubted = key(room)
        return f"To create {room}, type /join {room} again."
