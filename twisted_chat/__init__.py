"""A chat room that anyone can join with netcat, telnet or its own client."""

from twisted_chat.limits import Limits, Pace
from twisted_chat.protocol import ChatFactory, ChatProtocol

__all__ = ["ChatFactory", "ChatProtocol", "Limits", "Pace"]
