"""What comes in and asks for no decision: it is shown."""

from twisted_chat.client import wording
from twisted_chat.client.chat_client import Heard
from twisted_chat.client.incoming import Missed, State, Welcome
from twisted_chat.client.view import View


class Hearing:
    """Says in words what the server tells.

    Args:
        view: where it is shown.
    """

    def __init__(self, view: View) -> None:
        self._view = view

    def hear(self, told: Heard) -> None:
        """The server says this."""
        match told:
            case Welcome(again=True):
                self._view.connection("Connected again")
                if told.anew:
                    self._tell(wording.ANEW)
            case Welcome():
                self._tell(f"Welcome to {told.server}, {told.nick}! /help lists the commands.")
                self._tell(*told.motd)
            case State(entered=True):
                self._tell(*wording.in_room(told))
            case Missed():
                self._tell(wording.missed(told))

    def _tell(self, *texts: str) -> None:
        for text in texts:
            self._view.told(text)
