"""SIGUSR2: one process ends and begins anew with its ports still open, so nobody is refused."""

import signal
import socket
import stat
from pathlib import Path

import pytest

from tests.e2e.conftest import Start
from tests.e2e.patience import PATIENCE, eventually
from tests.e2e.people import Plain
from tests.e2e.test_socket_activation import Caller

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("options", [(), ("--one-port", "off", "--web-port", "0")])
def test_nobody_is_refused_while_the_server_begins_anew(
    start: Start, options: tuple[str, ...]
) -> None:
    server = start(*options)
    ann = Plain(server.port, "ann")
    Plain(server.port, "cid").types("before")
    ann.sees("cid: before")
    caller = Caller(server.port)
    caller.start()
    try:
        eventually(lambda: caller.greeted, "somebody is greeted")
        server.signal(signal.SIGUSR2)
        ann.sees("*** The server has been upgraded: connect again to go on.")
        bob = Plain(server.port, "bob")
        bob.sees("cid: before")
        greeted = caller.greeted
        eventually(lambda: caller.greeted > greeted, "it goes on")
    finally:
        caller.ends()
    assert caller.failures == []
    assert server.is_running
    assert server.output.count("Open in a browser") == 2  # at the same address
    assert len(set(server.joins)) == 1
    assert server.stop() == -signal.SIGTERM


def test_a_server_begins_anew_as_often_as_it_is_asked_to(start: Start) -> None:
    server = start()
    for times in range(1, 4):
        ann = Plain(server.port, f"ann{times}")
        server.signal(signal.SIGUSR2)
        ann.sees("*** The server has been upgraded: connect again to go on.")
    Plain(server.port, "ann")
    descriptors = list(Path(f"/proc/{server.process.pid}/fd").iterdir())
    listening = [each for each in descriptors if "socket" in str(each.readlink())]
    assert len(listening) <= 4  # none is left of those before
    assert server.stop() == -signal.SIGTERM


def test_a_unix_socket_stays_where_it_is_until_the_server_stops(
    start: Start, tmp_path: Path
) -> None:
    path = tmp_path / "chat.sock"
    server = start(where=("--endpoint", f"unix:{path}:mode=600"))
    ann = Plain(path, "ann")
    number = path.stat().st_ino
    server.signal(signal.SIGUSR2)
    ann.sees("*** The server has been upgraded: connect again to go on.")
    Plain(path, "bob")
    assert len(server.joins) == 2
    assert (path.stat().st_ino, stat.S_IMODE(path.stat().st_mode)) == (number, 0o600)
    assert server.stop() == -signal.SIGTERM
    assert not path.exists()
    assert not path.with_name("chat.sock.lock").is_symlink()


def test_a_port_that_is_not_wanted_any_more_is_closed(start: Start, tmp_path: Path) -> None:
    settings = tmp_path / "chat.toml"
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as other,
    ):
        stays, goes = one.getsockname()[1], other.getsockname()[1]
    both = [f"tcp:{port}:interface=127.0.0.1" for port in (stays, goes)]
    settings.write_text(f"endpoint = {both!r}\n")
    server = start("--config", str(settings), where=())
    ann = Plain(goes, "ann")
    settings.write_text(f"endpoint = {both[:1]!r}\n")
    server.signal(signal.SIGUSR2)
    ann.sees("*** The server has been upgraded: connect again to go on.")
    Plain(stays, "ann")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", goes), PATIENCE)


def test_with_a_mistake_in_the_options_the_server_stays_as_it_is(
    start: Start, tmp_path: Path
) -> None:
    settings = tmp_path / "chat.toml"
    settings.write_text('name = "Lab"\n')
    server = start("--config", str(settings))
    ann = Plain(server.port, "ann")
    settings.write_text("naem = 'Lab'\n")
    server.signal(signal.SIGUSR2)
    eventually(lambda: "The upgrade failed, nothing is changed: " in server.output, "it says why")
    Plain(server.port, "bob").types("still here")
    ann.sees("bob: still here")
