"""A server that cannot start says why in one clear line, and starts nothing."""

import os
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
        ("--port 70000", "--port must be a number from 0 to 65535, not '70000'"),
        ("--port http", "--port must be a number from 0 to 65535, not 'http'"),
        ("--endpoint nope:1", "cannot use --endpoint nope:1: Unknown endpoint type: 'nope'"),
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
        ("--line-bytes 9000", "--line-bytes must not be more than --input-bytes"),
        ("--motd missing", "cannot read --motd missing: No such file or directory"),
        ("--motd .", "cannot read --motd .: Is a directory"),
        (
            "--no-db --files there",
            "--files needs a database: with --no-db, files last as long as the server runs",
        ),
        ("--files missing/there", "cannot use the folder missing/there: No such file or directory"),
        ("--files /dev/null", "cannot use the folder /dev/null: it is a file"),
        ("--file-size 10MiB", "--file-size must be a size such as 500kB, 10MB or 2GB, not '10MiB'"),
        ("--file-quota 0", "--file-quota must be a size such as 500kB, 10MB or 2GB, not '0'"),
        (
            "--file-keep 0d",
            "--file-keep must be forever, or a time such as 12h, 90d or 52w, not '0d'",
        ),
        ("--auth nope:secret", "cannot use --auth nope: there are only file, memory, unix"),
        ("--auth file:missing", "cannot use --auth file: there is no file 'missing'"),
        (
            "--auth memory:secret",
            "cannot use --auth memory: what follows must be: A colon-separated list",
        ),
        (
            "--auth anonymous",
            "cannot use --auth anonymous: it checks no passwords, as file, memory, unix do",
        ),
        (
            "--name-expiry forever",
            "--name-expiry must be off, or a time such as 12h, 90d or 52w, not 'forever'",
        ),
        ("--flood fast", "--flood must be COUNT/SECONDS, such as 10/5, not 'fast'"),
        ("--flood 0/5", "--flood must be COUNT/SECONDS, such as 10/5, not '0/5'"),
        ("--max-clients 0", "--max-clients must be a whole number of 1 or more, not '0'"),
        ("--transcript missing/file", "cannot write --transcript missing/file: No such file"),
        ("--db missing/file", "cannot use the database missing/file: No such file or directory"),
        ("--db .", "cannot use the database .: "),
        ("--unheard-of", "option --unheard-of not recognized"),
        ("word", "'word' is not an option: options begin with --"),
    ],
)
def test_an_option_that_cannot_be_had(tmp_path: Path, options: str, answer: str) -> None:
    tried = start(tmp_path, *options.split())
    (line,) = tried.stderr.splitlines()
    assert line.startswith("twisted-chat: ")
    assert answer in line
    assert "Traceback" not in tried.stdout
    assert tried.returncode == 1


@pytest.mark.parametrize(
    ("twistd", "file"), [("--pidfile=missing/pid", "pid"), ("--logfile=missing/log", "log")]
)
def test_a_file_of_twistd_that_cannot_be_written(tmp_path: Path, twistd: str, file: str) -> None:
    tried = run(*TWISTD, "-n", twistd, "chat", "--no-db", cwd=tmp_path, env=ENVIRONMENT)
    assert tried.stderr == (
        f"twisted-chat: cannot write missing/{file}: No such file or directory\n"
    )
    assert tried.returncode == 1


def test_a_folder_where_one_may_not_write(tmp_path: Path) -> None:
    as_anybody = ("setpriv", "--bounding-set=-dac_override") if os.geteuid() == 0 else ()
    tmp_path.chmod(0o500)
    tried = run(*as_anybody, *TWISTD, "chat", "--no-db", cwd=tmp_path, env=ENVIRONMENT)
    assert tried.stderr == (
        f"twisted-chat: cannot write twistd.pid: no permission to write to {tmp_path}\n"
    )
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


def test_a_daemon_says_why_it_could_not_start_on_the_terminal_and_in_its_log(
    server: Server, tmp_path: Path
) -> None:
    why = f"cannot listen on TCP port {server.port} of 127.0.0.1: Address already in use (is "
    place = ("-i", "127.0.0.1", "-p", str(server.port), "--no-db")
    tried = run(*TWISTD, "chat", *place, cwd=tmp_path, env=ENVIRONMENT)
    (line, *_) = tried.stderr.splitlines()
    assert line.startswith(f"twisted-chat: {why}")
    assert "Traceback" not in tried.stderr
    assert tried.returncode == 1
    log = tmp_path / "twistd.log"
    assert f"Cannot start: {why}" in log.read_text()
    pid_file = tmp_path / "twistd.pid"
    eventually(lambda: not pid_file.exists(), "the pid file is gone with its process")


def test_a_check_finds_what_keeps_a_server_from_starting_and_makes_nothing(
    server: Server, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for options, why in (
        (("-i", "127.0.0.1", "-p", str(server.port)), "Address already in use"),
        (("-i", "203.0.113.1", "-p", "0"), "Cannot assign requested address"),
        (("-e", "unix:missing/socket"), "cannot listen on unix:missing/socket: No such file"),
        (("-p", "0", "--metrics", str(server.port)), f"TCP port {server.port} of 127.0.0.1"),
        (
            ("-p", "0", "--db", str(tmp_path / "chat.sqlite")),
            "another server is using the database",
        ),
        (("-p", "0", "--transcript", "missing/file"), "cannot write --transcript missing/file"),
    ):
        tried = start(empty, "--check", *options)
        (line,) = tried.stderr.splitlines()
        assert why in line
        assert tried.returncode == 1
    assert list(empty.iterdir()) == []
    assert server.is_running
