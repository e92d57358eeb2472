"""A chat room that anyone can join with netcat, telnet or its own client."""

from importlib import import_module
from typing import TYPE_CHECKING

from twisted_chat.limits import Limits, Pace
from twisted_chat.refusal import Refused

if TYPE_CHECKING:
    from twisted_chat.chat.observers import Observer
    from twisted_chat.chat.portal import IChatUser
    from twisted_chat.client.chat_client import ChatClient
    from twisted_chat.client.incoming import Happened
    from twisted_chat.frontends.factory import ChatFactory
    from twisted_chat.frontends.protocol import ChatProtocol

__all__ = [
    "ChatClient",
    "ChatFactory",
    "ChatProtocol",
    "Happened",
    "IChatUser",
    "Limits",
    "Observer",
    "Pace",
    "Refused",
]

_PLACES = {
    "ChatClient": "client.chat_client",
    "ChatFactory": "frontends.factory",
    "ChatProtocol": "frontends.protocol",
    "Happened": "client.incoming",
    "IChatUser": "chat.portal",
    "Observer": "chat.observers",
}

if not TYPE_CHECKING:  # it would hide from mypy what there is not

    def __getattr__(name: str) -> object:
        """Import what is asked for: a client needs no server, and a server no client."""
        if name not in _PLACES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
        globals()[name] = found
        return found
