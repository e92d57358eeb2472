"""The operator changes files, and sends a SIGHUP."""

import signal
import socket
from pathlib import Path

import pytest

from tests.browsers import HANDSHAKE, request
from tests.e2e.conftest import Start
from tests.e2e.patience import PATIENCE, eventually, run
from tests.e2e.people import Plain
from tests.e2e.server import ENVIRONMENT, TWISTD, Server

pytestmark = pytest.mark.e2e


def test_new_files_hold_from_a_sighup_on_and_nobody_is_dropped(
    start: Start, tmp_path: Path
) -> None:
    config, motd = tmp_path / "chat.toml", tmp_path / "motd"
    motd.write_text("Be kind.\n")
    config.write_text("motd = 'motd'\nflood = 'off'\n")
    server = start("--config", "chat.toml")
    ann = Plain(server.port, "ann")
    assert ann.has_seen("*** Be kind.")
    ann.types(*map(str, range(100)), "/time")
    ann.sees("*** The server's time is")
    motd.write_text("Be quick.\n")
    config.write_text("motd = 'motd'\nflood = '1/60'\nwaiting-lines = 1\nsync = 'full'\n")
    server.signal(signal.SIGHUP)
    eventually(lambda: "Restart the server to change sync" in server.output, "it says so")
    assert "were reloaded" in server.output
    ben = Plain(server.port, "ben")
    assert ben.has_seen("*** Be quick.")
    ann.types("first", "second", "third")
    ann.sees("!!! You are sending too fast")
    ben.sees("ann: first")
    assert not ben.has_seen("ann: third")


CLOSE = b"\x88\x80\0\0\0\0\r\n"
"""A frame that closes a WebSocket, and no request for a server that has opened none."""


def opens_websocket(port: int, **headers: str) -> bytes:
    """Open a WebSocket and close it, and give what the server sends."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as link:
        link.sendall(request("/ws", HANDSHAKE | headers) + CLOSE)
        read = b""
        while more := link.recv(65_536):
            read += more
    return read


def reload(server: Server) -> None:
    """Send a SIGHUP, and wait until the options are reloaded."""
    before = server.output.count("were reloaded")
    server.signal(signal.SIGHUP)
    eventually(lambda: server.output.count("were reloaded") > before, "the options are reloaded")


def test_origins_and_proxies_can_be_changed(start: Start, tmp_path: Path) -> None:
    config = tmp_path / "chat.toml"
    (tmp_path / "bans").write_text("192.0.2.66\n")
    config.write_text("ban-file = 'bans'\n")
    server = start("--config", "chat.toml")
    headers = {"Origin": "https://other.example", "X-Forwarded-For": "192.0.2.66"}
    assert opens_websocket(server.port, **headers).startswith(b"HTTP/1.1 403 ")
    origin, proxy = "web-origin = ['https://other.example']\n", "web-proxy = ['127.0.0.1']\n"
    for lines, is_banned in ((origin, False), (origin + proxy, True)):
        config.write_text("ban-file = 'bans'\n" + lines)
        reload(server)
        answer = opens_websocket(server.port, **headers)
        assert answer.startswith(b"HTTP/1.1 101 ")
        assert (b'"code":"banned"' in answer) == is_banned
    assert "Restart the server" not in server.output


def test_a_broken_file_changes_nothing_and_says_why(start: Start, tmp_path: Path) -> None:
    config = tmp_path / "chat.toml"
    config.write_text("max-clients = 1\n")
    server = start("--config", "chat.toml")
    ann = Plain(server.port, "ann")
    config.write_text("\nmax-clients = 'many'\n")
    server.signal(signal.SIGHUP)
    eventually(lambda: "nothing is changed" in server.output, "it says so")
    assert (
        "chat.toml, line 2: max-clients must be a whole number of 1 or more, not 'many'"
        in server.output
    )
    Plain(server.port).sees("!!! The server is full")
    ann.types("/time")
    ann.sees("*** The server's time is")


def test_checking_starts_nothing(tmp_path: Path) -> None:
    place = ("-i", "127.0.0.1", "-p", "0")
    command = (*TWISTD, "-n", "--pidfile=", "chat", "--check", *place)
    good = run(*command, cwd=tmp_path, env=ENVIRONMENT)
    assert (good.returncode, good.stdout) == (
        0,
        "twisted-chat: the options are valid, and the server can start\n",
    )
    bad = run(*command, "--port=x", cwd=tmp_path, env=ENVIRONMENT)
    assert bad.returncode == 1
    assert bad.stderr.splitlines()[-1].startswith("twisted-chat: ")
    assert len(bad.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
