"""Somebody else holds the listening socket, as systemd does: nobody is refused in a restart."""

import socket
import sys
import threading
from pathlib import Path

import pytest

from tests.browsers import request
from tests.e2e.conftest import Start
from tests.e2e.patience import PATIENCE, eventually
from tests.e2e.people import Plain
from tests.e2e.server import Server

pytestmark = pytest.mark.e2e

_AS_SYSTEMD = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1", "LISTEN_FDNAMES": "chat"}
os.execvp(sys.argv[2], sys.argv[2:])
"""


def activate(start: Start, held: socket.socket, endpoint: str, *options: str) -> Server:
    """Start a server that gets a socket that we hold."""
    descriptor = held.fileno()
    server: Server = start(
        *options,
        where=("--endpoint", endpoint),
        before=(sys.executable, "-c", _AS_SYSTEMD, str(descriptor)),
        descriptors=(descriptor,),
    )
    return server


class Caller(threading.Thread):
    """Connects again and again, and notes how it went.

    Args:
        port: where to.
    """

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port
        self._is_over = False
        self.greeted = 0
        self.hung_up = 0  # by a server that stopped just then
        self.failures: list[str] = []

    def run(self) -> None:
        """See `threading.Thread`."""
        while not self._is_over:
            try:
                with socket.create_connection(("127.0.0.1", self._port), PATIENCE) as link:
                    if b"Welcome" in link.recv(1000):
                        self.greeted += 1
                    else:
                        self.hung_up += 1
            except OSError as error:
                self.failures.append(str(error))

    def ends(self) -> None:
        """Connect no more."""
        self._is_over = True
        self.join()


@pytest.mark.parametrize(
    "endpoint", ["systemd:domain=INET:index=0", "systemd:domain=INET:name=chat"]
)
@pytest.mark.parametrize("one_port", ["on", "off"])
def test_nobody_is_refused_while_it_is_restarted(
    start: Start, endpoint: str, one_port: str
) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as held:
        port = held.getsockname()[1]
        options = ("--one-port", one_port)
        first = activate(start, held, endpoint, *options)
        assert first.joins == [f"nc 127.0.0.1 {port}"]
        ann = Plain(port, "ann")
        caller = Caller(port)
        caller.start()
        try:
            eventually(lambda: caller.greeted, "somebody is greeted")
            first.stop()
            ann.sees("*** The server is shutting down")
            early = Plain(port)  # while there is no server
            second = activate(start, held, endpoint, *options)
            early.sees("What is your nickname?")
            greeted = caller.greeted
            eventually(lambda: caller.greeted > greeted, "it goes on")
        finally:
            caller.ends()
        assert caller.failures == []
        assert caller.hung_up <= 1
        second.stop()


def test_one_port_is_for_browsers_too_if_systemd_has_opened_it(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        activate(start, held, "systemd:domain=INET:name=chat")
        with socket.create_connection(held.getsockname(), PATIENCE) as browser:
            browser.sendall(request("/"))
            assert browser.recv(1000).startswith(b"HTTP/1.1 200 ")


def test_a_unix_socket_of_systemd_keeps_its_file_and_its_mode(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "chat.sock"
    with socket.socket(socket.AF_UNIX) as held:
        held.bind(str(path))
        held.listen()
        path.chmod(0o600)
        first = activate(start, held, "systemd:domain=UNIX:index=0")
        Plain(path, "ann")
        assert path.stat().st_mode & 0o777 == 0o600
        first.stop()
        early = Plain(path)
        activate(start, held, "systemd:domain=UNIX:index=0")
        early.comes_in("ben")
