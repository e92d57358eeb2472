"""`twistd chat` without `-n`: a process in the background, with a pid file and a log."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.patience import eventually, run
from tests.e2e.people import Plain, Program
from tests.e2e.server import ENVIRONMENT, TWISTD

pytestmark = pytest.mark.e2e


class Daemon:
    """A server in the background of a folder, as `twistd chat` starts it there."""

    def __init__(self, folder: Path) -> None:
        self.pid_file = folder / "twistd.pid"
        self._log = folder / "twistd.log"
        self.started = run(
            *TWISTD, "chat", "-i", "127.0.0.1", "-p", "0", cwd=folder, env=ENVIRONMENT
        )
        eventually(lambda: "Join with" in self.log, "the daemon listens")
        self.port = int(self.log.partition("Join with: nc 127.0.0.1 ")[2].split(",")[0])
        self.pid = int(self.pid_file.read_text())

    @property
    def log(self) -> str:
        return self._log.read_text() if self._log.exists() else ""

    @property
    def is_running(self) -> bool:
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        stat = Path(f"/proc/{self.pid}/stat")  # nobody may care for a dead orphan
        return " Z " not in stat.read_text()

    def stop(self) -> None:
        os.kill(self.pid, signal.SIGTERM)
        eventually(lambda: not self.is_running, "the daemon is gone")


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    daemon = Daemon(tmp_path)
    yield daemon
    with suppress(ProcessLookupError):
        os.kill(daemon.pid, signal.SIGKILL)


def test_it_starts_in_the_background_and_stops_when_asked(daemon: Daemon) -> None:
    assert (daemon.started.returncode, daemon.started.stdout) == (0, "")
    ann = Plain(daemon.port, "ann")
    ann.types("hello")
    daemon.stop()
    ann.sees("*** The server is shutting down")
    ann.sees_the_end()
    assert not daemon.pid_file.exists()


def test_its_log_tells_who_came_and_went_but_not_what_was_said(daemon: Daemon) -> None:
    ann = Plain(daemon.port, "ann")
    bob = Plain(daemon.port, "bob")
    bot = Program(daemon.port, "bot")
    ann.sees("*** bot has joined")
    ann.types("sesame in the lobby", "/me sesame", "/whisper bob sesame", "/topic sesame")
    ann.types("/quit sesame")
    bot.does(do="say", text="sesame")
    bot.does(do="say", text=["sesame"])
    bob.types("\x1b[31msesame", "x" * 20_000, "/nick sesame\x07", "/away sesame", "/sesame")
    stranger = Plain(daemon.port)
    stranger.types("ann!!", "\xff sesame \x1b", "GET / HTTP/1.1")
    stranger.sees_the_end()
    bob.sees("There is no command /sesame")
    bob.vanishes()
    eventually(lambda: "bob has left" in daemon.log, "the log says who left")
    daemon.stop()
    assert "ann connected from 127.0.0.1" in daemon.log
    assert "ann has left" in daemon.log
    assert "sesame" not in daemon.log
    assert "Traceback" not in daemon.log
    assert all(line.startswith("20") for line in daemon.log.splitlines())
