"""What cannot be had is said in one line that a person understands, and nothing is started."""

import subprocess
from pathlib import Path

import pytest

from tests.e2e.patience import eventually, run
from tests.e2e.server import ENVIRONMENT, TWISTD, Server

pytestmark = pytest.mark.e2e


def start(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = (*TWISTD, "-n", "--pidfile=", "chat", *options)
    return run(*command, cwd=folder, env=ENVIRONMENT)


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        ("--port 70000", "70000 is not between 0 and 65535"),
        ("--port http", "'http' is no whole number"),
        ("--endpoint nope:1", "cannot use endpoint 'nope:1': Unknown endpoint type: 'nope'"),
        ("--endpoint unix:missing/socket", "cannot listen on unix:missing/socket: "),
        (
            "--interface 203.0.113.1 --port 0",
            "cannot listen on TCP port 0 of 203.0.113.1: Cannot assign requested address",
        ),
        (
            "--interface not-an-address --port 0",
            "cannot listen on TCP port 0 of not-an-address: Name or service not known",
        ),
        ("--config missing", "cannot read --config missing: No such file or directory"),
        ("--ban-file missing", "cannot read --ban-file missing: No such file or directory"),
        ("--line-bytes 9000", "--line-bytes may not be more than --input-bytes"),
        ("--motd missing", "cannot read --motd missing: No such file or directory"),
        ("--motd .", "cannot read --motd .: Is a directory"),
        ("--flood fast", "'fast' is neither off nor LINES/SECONDS, such as 10/5"),
        ("--flood 0/5", "'0/5' is neither off nor LINES/SECONDS, such as 10/5"),
        ("--max-clients 0", "0 is less than 1"),
        ("--transcript missing/file", "cannot write --transcript missing/file: No such file"),
        ("--db missing/file", "cannot use the database missing/file: No such file or directory"),
        ("--db .", "cannot use the database .: "),
        ("--unheard-of", "option --unheard-of not recognized"),
        ("word", "Wrong number of arguments."),
    ],
)
def test_an_option_that_cannot_be_had(tmp_path: Path, options: str, answer: str) -> None:
    tried = start(tmp_path, *options.split())
    written = (tried.stdout + tried.stderr).splitlines()
    assert answer in written[-1]
    assert "Traceback" not in tried.stdout + tried.stderr
    assert tried.returncode == 1


def test_a_port_that_is_taken(server: Server, tmp_path: Path) -> None:
    place = ("--interface", "127.0.0.1", "--port", str(server.port), "--no-db")
    tried = start(tmp_path, *place)
    (*_, last) = (tried.stdout + tried.stderr).splitlines()
    assert last.startswith(
        f"twisted-chat: cannot listen on TCP port {server.port} of 127.0.0.1: "
        "Address already in use"
    )
    assert "Traceback" not in tried.stdout + tried.stderr
    assert tried.returncode == 1


def test_a_taken_port_is_said_on_the_terminal_also_by_a_daemon(
    server: Server, tmp_path: Path
) -> None:
    place = ("-i", "127.0.0.1", "-p", str(server.port), "--no-db")
    tried = run(*TWISTD, "chat", *place, cwd=tmp_path, env=ENVIRONMENT)
    (line, *_) = tried.stderr.splitlines()
    assert str(server.port) in line
    assert "Address a" in line  # twistd cuts it off there
    assert "Traceback" not in tried.stderr
    assert tried.returncode == 1
    pid_file = tmp_path / "twistd.pid"
    eventually(lambda: not pid_file.exists(), "the pid file is gone with its process")
