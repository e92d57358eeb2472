"""A cable to a server, or to its database, which can be stalled or cut."""

import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_RESET = struct.pack("ii", 1, 0)


class Cable:
    """Listens on a TCP port, and passes on what comes to another one or a UNIX socket, and back.

    Args:
        target: that port of this machine, or that socket.
    """

    def __init__(self, target: Path | int) -> None:
        self._target = target
        self._flows = threading.Event()
        self._flows.set()
        self._is_cut = False
        self._wires: list[socket.socket] = []
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._runs(self._accepts)

    def _runs(self, what: Callable[..., None], *arguments: socket.socket) -> threading.Thread:
        thread = threading.Thread(target=what, args=arguments, daemon=True)
        thread.start()
        return thread

    def _accepts(self) -> None:
        with suppress(OSError):  # it is closed
            while True:
                near, _ = self._listener.accept()
                try:
                    far = self._reaches()
                except OSError:
                    self._breaks(near)
                    continue
                with self._lock:
                    self._wires += near, far
                self._runs(self._serves, near, far)

    def _reaches(self) -> socket.socket:
        if self._is_cut:
            raise ConnectionRefusedError
        if isinstance(self._target, int):
            return socket.create_connection(("127.0.0.1", self._target))
        far = socket.socket(socket.AF_UNIX)
        try:
            far.connect(str(self._target))
        except OSError:
            far.close()
            raise
        return far

    def _serves(self, near: socket.socket, far: socket.socket) -> None:
        back = self._runs(self._passes_on, far, near)
        self._passes_on(near, far)
        back.join()
        with self._lock:
            self._wires = [wire for wire in self._wires if wire not in (near, far)]
        near.close()
        far.close()

    def _passes_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self._flows.wait()
                target.sendall(data)
        for wire in (source, target):
            with suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)

    def _breaks(self, wire: socket.socket) -> None:
        with suppress(OSError):
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        wire.close()

    def stalls(self) -> None:
        """Nothing arrives any more, and nobody is told."""
        self._flows.clear()

    def cuts(self) -> None:
        """All connections break, with what is on its way, and no new one comes about."""
        self._is_cut = True
        with self._lock:
            for wire in self._wires:
                with suppress(OSError):
                    wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                    wire.shutdown(socket.SHUT_RDWR)
        self._flows.set()

    def mends(self) -> None:
        """It is whole again; what was held up arrives."""
        self._is_cut = False
        self._flows.set()

    def closes(self) -> None:
        """End it."""
        self._listener.shutdown(socket.SHUT_RDWR)  # which wakes up who waits for it
        self._listener.close()
        self.cuts()
