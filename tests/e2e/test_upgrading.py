"""SIGUSR2: one process ends and begins anew with its ports still open, so nobody is refused."""

import os
import shutil
import signal
import socket
import stat
from pathlib import Path

import pytest

from tests.e2e.conftest import Start
from tests.e2e.patience import PATIENCE, eventually
from tests.e2e.people import Plain
from tests.e2e.server import ENVIRONMENT, ROOT, Server
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


def test_a_unix_socket_that_is_not_wanted_leaves_no_file_and_can_come_back(
    start: Start, tmp_path: Path
) -> None:
    settings, path = tmp_path / "chat.toml", tmp_path / "chat.sock"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    tcp = f"tcp:{port}:interface=127.0.0.1"
    settings.write_text(f"endpoint = {[tcp, f'unix:{path}']!r}\n")
    server = start("--config", str(settings), where=())
    for endpoints in ([tcp], [tcp, f"unix:{path}"]):
        ann = Plain(port, "ann")
        settings.write_text(f"endpoint = {endpoints!r}\n")
        server.signal(signal.SIGUSR2)
        ann.sees("*** The server has been upgraded: connect again to go on.")
        Plain(port, "bob")
        assert path.exists() == (len(endpoints) == 2)
    Plain(path, "cid")


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


def settings_of(port: int, *more: str) -> str:
    """The options of a server at a port, as its file has them."""
    return "\n".join((f"port = {port}", 'interface = "127.0.0.1"', *more, ""))


def fails(server: Server, why: str) -> None:
    """An upgrade fails, and the server and those who are there notice nothing of it."""
    ann = Plain(server.port, "ann")
    server.signal(signal.SIGUSR2)
    eventually(
        lambda: f"The upgrade failed, nothing is changed: {why}" in server.output,
        f"it says why: {server.output}",
    )
    Plain(server.port, "bob").types("still here")
    ann.sees("bob: still here")


@pytest.mark.parametrize(
    ("mistake", "why"),
    [
        ("naem = 'Lab'", "chat.toml, line 3: "),
        ("db = 'nowhere/chat.sqlite'", "cannot use the database nowhere/chat.sqlite: No such file"),
    ],
)
def test_with_a_mistake_in_the_options_the_server_stays_as_it_is(
    start: Start, tmp_path: Path, mistake: str, why: str
) -> None:
    settings = tmp_path / "chat.toml"
    settings.write_text(settings_of(0))
    server = start("--config", "chat.toml", where=())
    settings.write_text(settings_of(0, mistake))
    fails(server, why)


def test_with_a_port_that_another_has_the_server_stays_as_it_is(
    start: Start, tmp_path: Path
) -> None:
    settings = tmp_path / "chat.toml"
    settings.write_text(settings_of(0))
    server = start("--config", "chat.toml", "--metrics", "0", where=())
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        settings.write_text(settings_of(port))
        fails(server, f"the options are valid, but cannot listen on TCP port {port} of 127.0.0.1: ")


def test_with_a_broken_program_on_the_disk_the_server_stays_as_it_is(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("twisted_chat", "twisted"):
        shutil.copytree(ROOT / package, tmp_path / "code" / package)
    monkeypatch.setitem(ENVIRONMENT, "PYTHONPATH", str(tmp_path / "code"))
    server = start()
    (tmp_path / "code" / "twisted_chat" / "limits.py").write_text("import nothing_like_it\n")
    fails(server, "ModuleNotFoundError: No module named 'nothing_like_it'")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_server_that_has_given_up_its_rights_cannot_begin_anew_and_says_so(
    start: Start, tmp_path: Path
) -> None:
    nobody = ("--uid", "65534", "--gid", "65534")
    server = start("--no-db", twistd=nobody)
    ann = Plain(server.port, "ann")
    server.signal(signal.SIGUSR2)
    eventually(lambda: "it cannot begin anew: restart it" in server.output, "it says why")
    Plain(server.port, "bob").types("still here")
    ann.sees("bob: still here")
