"""The network: Twisted's own connections, on sockets that are only pretended."""

import errno
from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet import main, tcp
from twisted.internet.base import DelayedCall
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IReactorFDSet, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

_log = Logger(namespace="world")


class Socket:
    """Both ends of a connection, and what the kernel holds between them.

    Args:
        given: hears every byte that the server hands over, read or not.
    """

    def __init__(self, given: Callable[[bytes], None]) -> None:
        self._given = given
        self._inbox = bytearray()  # what has arrived, and was not read by the server
        self._outbox = bytearray()  # what was sent, and has not arrived
        self.drip = 0  # bytes that arrive in one turn; 0: all at once
        self._ended = self._reset = self._gone = False
        self.unread = 0  # bytes that the other end has not read
        self.capacity: int | None = None  # what the kernel holds for who does not read
        self.taken = 0  # bytes that the server has read
        self.sent = 0
        self.closed = False  # by the server

    # The other end

    def arrives(self, data: bytes) -> None:
        """Bytes are sent to the server."""
        self.sent += len(data)
        self._outbox += data
        if not self.drip:
            self.moves()

    def moves(self) -> None:
        """What was sent arrives, or a part of it."""
        count = self.drip or len(self._outbox)
        self._inbox += self._outbox[:count]
        del self._outbox[:count]

    def says_no_more(self) -> None:
        """The sending half is closed."""
        self.drip = 0
        self.moves()
        self._ended = True

    def goes(self) -> None:
        """Both halves are closed, in good order."""
        self.says_no_more()
        self._gone = True

    def breaks(self) -> None:
        """The line breaks, and what was under way is lost."""
        self._reset = self._gone = True
        self._inbox.clear()
        self._outbox.clear()

    @property
    def is_gone(self) -> bool:
        """Whether the other end has gone by itself."""
        return self._gone or self._ended

    @property
    def is_swift(self) -> bool:
        """Whether both ends are read as soon as can be."""
        return self.capacity is None and not self.drip

    @property
    def is_readable(self) -> bool:
        """Whether the server would find anything."""
        return bool(self._inbox) or self._ended or self._reset

    @property
    def is_writable(self) -> bool:
        """Whether the server could hand anything over."""
        return self._gone or self.capacity is None or self.unread < self.capacity

    # The server's end, as Twisted uses a socket

    def setblocking(self, _: bool) -> None:
        """See `socket.socket`."""

    def fileno(self) -> int:
        """See `socket.socket`."""
        return 99

    def setsockopt(self, *_: object) -> None:
        """See `socket.socket`."""

    def shutdown(self, _: int) -> None:
        """See `socket.socket`."""

    def recv(self, size: int) -> bytes:
        """See `socket.socket`."""
        if self._reset:
            raise ConnectionResetError(errno.ECONNRESET, "reset")
        if not self._inbox and not self._ended:
            raise BlockingIOError(errno.EWOULDBLOCK, "nothing has arrived")
        data = bytes(self._inbox[:size])
        del self._inbox[:size]
        self.taken += len(data)
        return data

    def send(self, data: bytes | memoryview) -> int:
        """See `socket.socket`."""
        if self._gone:
            raise BrokenPipeError(errno.EPIPE, "nobody is there")
        size = len(data)
        if size and self.capacity is not None:  # no bytes fit into a full socket too, as on Linux
            size = min(size, self.capacity - self.unread)
            if size <= 0:
                raise BlockingIOError(errno.EWOULDBLOCK, "full")
            self.unread += size
        self._given(bytes(data[:size]))
        return size

    def close(self) -> None:
        """See `socket.socket`."""
        self.closed = True
        self._given(b"")


@implementer(IReactorTime, IReactorFDSet)
class Reactor:
    """A reactor that takes a turn when it is told to.

    Args:
        now: the steady time, in seconds.
    """

    def __init__(self, now: float) -> None:
        self.now = now
        self._calls: list[DelayedCall] = []
        self._readers: dict[Any, None] = {}
        self._writers: dict[Any, None] = {}

    def seconds(self) -> float:
        """See `IReactorTime`."""
        return self.now

    def callLater(
        self,
        delay: float,
        callable: Callable[..., object],  # noqa: A002 - Twisted's name for it
        *args: object,
        **kwargs: object,
    ) -> DelayedCall:
        """See `IReactorTime`."""
        assert delay >= 0, delay
        due = self.now + delay
        forget = self._calls.remove
        call = DelayedCall(due, callable, args, kwargs, forget, lambda _: None, self.seconds)
        self._calls.append(call)
        return call

    def getDelayedCalls(self) -> Sequence[DelayedCall]:
        """See `IReactorTime`."""
        return list(self._calls)

    @property
    def is_busy(self) -> bool:
        """Whether anything is to be done at once."""
        return any(call.getTime() <= self.now + 0.01 for call in self._calls)

    def addReader(self, reader: Any) -> None:
        """See `IReactorFDSet`."""
        self._readers[reader] = None

    def addWriter(self, writer: Any) -> None:
        """See `IReactorFDSet`."""
        self._writers[writer] = None

    def removeReader(self, reader: Any) -> None:
        """See `IReactorFDSet`."""
        self._readers.pop(reader, None)

    def removeWriter(self, writer: Any) -> None:
        """See `IReactorFDSet`."""
        self._writers.pop(writer, None)

    def removeAll(self) -> list[Any]:
        """See `IReactorFDSet`."""
        raise NotImplementedError

    def getReaders(self) -> list[Any]:
        """See `IReactorFDSet`."""
        return list(self._readers)

    def getWriters(self) -> list[Any]:
        """See `IReactorFDSet`."""
        return list(self._writers)

    def turns(self, first: int = 0) -> None:
        """Do what is due, then look at every connection, beginning with one of them."""
        due = [call for call in self._calls if call.getTime() <= self.now]
        for call in sorted(due, key=DelayedCall.getTime):
            if call.active():
                self._calls.remove(call)
                call.called = 1
                self._safely(call.func, *call.args, **call.kw)
        some = list(self._readers | self._writers)
        first %= len(some) or 1
        for each in some[first:] + some[:first]:
            self._look_at(each)

    def _look_at(self, each: Any) -> None:
        handle = getattr(each, "socket", None)
        if each in self._readers and handle is not None and handle.is_readable:
            self._judge(each, self._safely(each.doRead), is_read=True)
            handle = getattr(each, "socket", None)
        if each in self._writers and handle is not None and handle.is_writable:
            self._judge(each, self._safely(each.doWrite), is_read=False)

    def _safely(self, call: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return call(*args, **kwargs)
        except Exception as error:
            _log.failure("Something failed in the reactor's turn")
            return error

    def _judge(self, each: Any, why: Any, *, is_read: bool) -> None:
        """What Twisted's reactors do with a connection that has ended."""
        if not why:
            return
        self.removeReader(each)
        if isinstance(why, ConnectionDone) and is_read:
            self._safely(each.readConnectionLost, Failure(main.CONNECTION_DONE))
        else:
            self.removeWriter(each)
            self._safely(each.connectionLost, Failure(why))


class Transport(tcp.Server):
    """Twisted's connection on a pretended socket."""

    def __init__(self, pretended: Socket, protocol: Any, host: str, reactor: Reactor) -> None:
        handle: Any = pretended
        nobody: Any = None
        super().__init__(handle, protocol, (host, 4000), nobody, 0, reactor)
        self.repstr = f"<{host}>"
