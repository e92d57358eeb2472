"""A proxy in front of servers, in a process of its own; and people behind it."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.browsers import HANDSHAKE, request
from tests.e2e.patience import PATIENCE, eventually, needs


def free_port() -> int:
    """A port of this machine where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def proxy(folder: Path, port: int, *command: str) -> Iterator[None]:
    """A program runs in a folder, and listens at a port."""
    needs(command[0])
    with (folder / "proxy.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        eventually(lambda: _answers(port) or process.poll() is not None, f"{command[0]} listens")
        assert process.poll() is None, (folder / "proxy.log").read_text()
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE)


def opens_websocket(port: int, address: str) -> bytes:
    """Open a WebSocket from an address, and give everything that comes until it is closed."""
    read = b""
    with socket.create_connection(("127.0.0.1", port), PATIENCE, (address, 0)) as link:
        link.sendall(request("/ws", HANDSHAKE))
        while more := link.recv(65_536):
            read += more
    return read
