"""`twisted-chat`: chooses the front end that fits, and the reactor that fits the front end."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from io import TextIOWrapper
from typing import Any, Protocol

from twisted.internet.defer import Deferred

from twisted_chat.client import arguments
from twisted_chat.client.arguments import UNTRUSTED, Arguments
from twisted_chat.client.chat_client import ChatClient
from twisted_chat.client.conversation import Conversation
from twisted_chat.client.doors import Doors
from twisted_chat.client.failed import Failed, Untrusted
from twisted_chat.client.looking import finder, look
from twisted_chat.client.view import View

HANG_UP = 4.0
"""Seconds for saying goodbye when the terminal is gone."""


class FrontEnd(View, Protocol):
    """A view with an input."""

    failed: bool
    """Whether something was not done that a script would want to know of."""

    def open(self, conversation: Conversation) -> None:
        """Take input, for this conversation."""

    async def close(self) -> None:
        """Take no more input."""


def main() -> None:
    """Chat, until one leaves; the exit status is 0 if all went well."""
    if sys.stdin is None:  # closed before we began: that is the end of the input
        os.open(os.devnull, os.O_RDONLY)  # gets the lowest number that is free, 0
    given = arguments.parse(sys.argv[1:], can_ask=os.isatty(0))
    for out in (sys.stdout, sys.stderr):
        if isinstance(out, TextIOWrapper):
            out.reconfigure(errors="replace", encoding="utf-8" if given.json else None)
    if given.is_anywhere and (found := look(given.places[0], finder(), _tell)):
        tls = given.places[0].tls or found.place.tls
        given = replace(given, places=(replace(found.place, tls=tls),))
    make = _choose(given)
    from twisted.internet.task import react

    react(_chat, (given, make))


def _tell(text: str) -> None:
    sys.stderr.write(f"*** {text}\n")


def _choose(given: Arguments) -> Callable[[Any], FrontEnd]:
    """What makes the front end, out of a reactor; that reactor is installed."""
    if given.json or not os.isatty(0):
        from twisted_chat.client.pipe import Pipe

        return lambda reactor: Pipe(reactor, sys.stdout, sys.stderr, json=given.json)
    simple = os.environ.get("TERM", "dumb") == "dumb"
    if given.plain or simple or not os.isatty(1):
        from twisted_chat.client.plain import Plain

        return lambda reactor: Plain(reactor, sys.stdout, bell=given.bell)
    from twisted.internet import asyncioreactor

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    asyncioreactor.install(loop)
    from twisted_chat.client.terminal import Terminal

    return lambda reactor: Terminal(reactor, bell=given.bell)


async def _chat(reactor: Any, given: Arguments, make: Callable[[Any], FrontEnd]) -> None:
    from twisted_chat.client.posting import Poster  # once the reactor is chosen

    view = make(reactor)
    doors = Doors(reactor, given.places, view.connection, given.fingerprint)
    client = ChatClient(
        reactor,
        raw=view.raw,
        quiet=view.quiet,
        patience=given.patience,
        elsewhere=doors.elsewhere,
    )
    poster = Poster(reactor, lambda: doors.place(client.address), doors.endpoint)
    conversation = Conversation(
        given.nick, view, client, doors.given, given.room, given.password, poster
    )
    gone: Deferred[None] = Deferred()

    def bow_out() -> Deferred[None] | None:
        if gone.called:
            return None
        view.failed = not view.asks  # a script was not done yet
        conversation.leave(patience=2.0)
        return gone

    reactor.addSystemEventTrigger("before", "shutdown", bow_out)

    def hang_up() -> None:
        """The terminal is closed: a prompt on it may never come to its end."""
        reactor.callLater(HANG_UP, os._exit, 1)
        reactor.stop()

    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, lambda *_: reactor.callFromThread(hang_up))
    view.open(conversation)
    conversation.start()
    failure, status = "", 0
    try:
        await conversation.finished
    except Failed as why:
        failure = f"{why}\n"
        status = UNTRUSTED if isinstance(why, Untrusted) else 1
    with contextlib.suppress(OSError):  # the terminal is gone, and so is who would read it
        await view.close()
        sys.stderr.write(failure)
    gone.callback(None)
    raise SystemExit(status or int(view.failed))
