"""Tells twistd that there is a `chat` to run."""

from twisted.application.service import ServiceMaker

chat = ServiceMaker(
    "Twisted Chat",
    "twisted_chat.service.service",
    "A chat room that anyone can join with netcat, telnet or its own client.",
    "chat",
)
