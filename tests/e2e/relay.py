"""A way to a server that can be cut and mended: it passes on what both ends say."""

import socket
import struct
from contextlib import suppress
from threading import Lock, Thread

RESET = struct.pack("ii", 1, 0)


class Relay:
    """A port that leads to another one of this machine.

    Args:
        to: that port.
    """

    def __init__(self, to: int) -> None:
        self._to = to
        self._lock = Lock()
        self._ends: list[socket.socket] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._begin()

    def _begin(self) -> None:
        Thread(target=self._accept, args=(self._listening,), daemon=True).start()

    def _accept(self, listening: socket.socket) -> None:
        with suppress(OSError):  # it is cut
            while True:
                one, _ = listening.accept()
                other = socket.create_connection(("127.0.0.1", self._to))
                with self._lock:
                    self._ends += [one, other]
                for ends in ((one, other), (other, one)):
                    Thread(target=self._pass_on, args=ends, daemon=True).start()

    @staticmethod
    def _pass_on(end: socket.socket, beyond: socket.socket) -> None:
        with suppress(OSError):
            while data := end.recv(65_536):
                beyond.sendall(data)
        with suppress(OSError):
            beyond.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        """Break every connection, with what is on its way, and take no more."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        with self._lock:
            ends, self._ends = self._ends, []
        for end in ends:
            with suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def mend(self) -> None:
        """Take connections again."""
        self._listening = socket.create_server(("127.0.0.1", self.port))
        self._begin()
