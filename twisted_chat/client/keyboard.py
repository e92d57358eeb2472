"""Lines from standard input, whatever it is: a terminal, a pipe, a file, /dev/null.

It is read when there is something to read, and its flags are left alone: what Twisted's
`StandardIO` sets on it (O_NONBLOCK) would hold for the shell and everybody else who shares it.
"""

import os
from collections.abc import Callable

from twisted.internet.interfaces import IReactorFDSet, IReadDescriptor
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_chat.wire.lines import Lines


@implementer(IReadDescriptor)
class Keyboard(Lines):
    """Lines from a file descriptor.

    Args:
        reactor: waits until there is something to read.
        typed: is given each line.
        too_long: is told that a line was too long to be anything.
        ended: is told that no more lines will come.
        fd: the file descriptor.
    """

    MAX_LENGTH = 1 << 20

    def __init__(
        self,
        reactor: IReactorFDSet,
        typed: Callable[[str], None],
        too_long: Callable[[], None],
        ended: Callable[[], None],
        fd: int = 0,
    ) -> None:
        super().__init__()
        self._reactor = reactor
        self._typed = typed
        self._too_long = too_long
        self._at_end = ended
        self._fd = fd
        self._reading = True
        reactor.addReader(self)

    def fileno(self) -> int:
        """See `IReadDescriptor`."""
        return self._fd

    def logPrefix(self) -> str:
        """See `IReadDescriptor`."""
        return "keyboard"

    def doRead(self) -> None:
        """There is something to read, or the end."""
        try:
            data = os.read(self._fd, 1 << 16)
        except BlockingIOError:
            return
        except OSError:  # the terminal is gone
            data = b""
        if data:
            self.dataReceived(data)
        else:
            self.stop()
            self.readConnectionLost()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The other end is gone, and nothing is left to read."""
        self.stop()
        self.readConnectionLost()

    def stop(self) -> None:
        """Read no more."""
        self._reading = False
        self._reactor.removeReader(self)

    def pauseProducing(self) -> None:
        """Read no more until `resumeProducing`: what was read has to be sent first."""
        self.paused = True
        self._reactor.removeReader(self)

    def resumeProducing(self) -> None:
        """Read on."""
        super().resumeProducing()
        if self._reading and not self.paused:
            self._reactor.addReader(self)

    def lineReceived(self, line: bytes) -> None:
        """A line; bytes that are not UTF-8 are kept as such, to be refused with the line."""
        self._typed(line.decode("utf-8", "surrogateescape"))

    def lineLengthExceeded(self, line: bytes) -> None:
        """A line that nobody could read."""
        self._too_long()

    def inputEnded(self) -> None:
        """No more lines will come."""
        self._at_end()
