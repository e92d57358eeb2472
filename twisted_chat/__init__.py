"""A chat room that anyone can join with netcat, telnet or its own client."""

from twisted_chat.chat.portal import IChatUser
from twisted_chat.frontends.factory import ChatFactory
from twisted_chat.frontends.protocol import ChatProtocol
from twisted_chat.limits import Limits, Pace

__all__ = ["ChatFactory", "ChatProtocol", "IChatUser", "Limits", "Pace"]
