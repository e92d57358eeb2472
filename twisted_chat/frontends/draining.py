"""Emptying a server that is being upgraded: everybody goes on at another process, or is told."""

from collections.abc import Callable
from weakref import WeakKeyDictionary

from twisted.internet.interfaces import IReactorTime

from twisted_chat.frontends.server import Connection, Server
from twisted_chat.text.spans import in_words

LOOK = 0.5
"""Seconds between two looks at who is here."""

AT_ONCE = 200
"""Programs that go on elsewhere in one of them, so that they do not all come there at once."""

FIRST = 1.0
"""Seconds in which those who came last get so far that they can be told."""

LAST = 60.0
"""Seconds before the end at which those are told again who are still here."""

_TOLD = "The server is being upgraded. You can stay for {span}; to go on after that, connect again."
_TOLD_AGAIN = (
    "The server is being upgraded: this connection ends in {span}. Connect again to go on."
)


class Draining:
    """Lets programs that resume by themselves go, and tells the others how long they can stay.

    Args:
        server: what is emptied; nobody more is accepted there.
        clock: the time and timers.
        seconds: how long those may stay who have to connect again by hand.
        is_busy: whether browsers still get or send something.
        end: called when nobody is here any more, or their time is over.
    """

    def __init__(
        self,
        server: Server,
        clock: IReactorTime,
        seconds: float,
        is_busy: Callable[[], bool],
        end: Callable[[], None],
    ) -> None:
        self._server = server
        server.is_draining = True
        self._clock = clock
        self._is_busy = is_busy
        self._end = end
        self._began = clock.seconds()
        self._due = self._began + seconds
        self._told: WeakKeyDictionary[Connection, int] = WeakKeyDictionary()  # how often
        self._look()

    def _look(self) -> None:
        now = self._clock.seconds()
        left = self._due - now
        is_empty = not (self._server.connections or self._is_busy())
        if left <= 0 or (is_empty and now - self._began >= FIRST):
            self._end()
            return
        moving = 0
        for connection in list(self._server.connections):
            if moving < AT_ONCE and connection.moves_on():
                moving += 1
            else:
                self._tell(connection, left)
        self._clock.callLater(min(LOOK, left), self._look)

    def _tell(self, connection: Connection, left: float) -> None:
        times = self._told.get(connection, 0)
        if times == 0 and connection.tells(_TOLD.format(span=in_words(round(left)))):
            self._told[connection] = 2 if left <= LAST else 1
        elif (
            times == 1
            and left <= LAST
            and connection.tells(_TOLD_AGAIN.format(span=in_words(round(left))))
        ):
            self._told[connection] = 2
