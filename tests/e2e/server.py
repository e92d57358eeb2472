"""A real server: `twistd -n chat` in a process of its own."""

import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.patience import PATIENCE, eventually

ROOT = Path(__file__).parent.parent.parent
TWISTD = (sys.executable, "-c", "from twisted.scripts.twistd import run; run()")
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}

_JOINS = r"(?:Join with: |Proxies can connect to )(nc -U [^\s,]+|nc \S+ \d+|\S+ port \d+)"


@contextmanager
def with_many_files() -> Iterator[None]:
    """Whoever is started or connects here may have as many open files as the machine allows."""
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (now, most))


class Server:
    """A server that runs until it is stopped or killed.

    Args:
        folder: where it runs and keeps its database.
        options: what it is told on the command line.
        port: where it listens; 0 picks a port.
        where: what it is told on the command line of where it listens, if that is not a port.
        before: the command that runs it.
        twistd: what twistd itself is told.
        descriptors: those of ours that it gets.
    """

    def __init__(
        self,
        folder: Path,
        *options: str,
        port: int = 0,
        where: Sequence[str] | None = None,
        before: Sequence[str] = (),
        twistd: Sequence[str] = (),
        descriptors: Sequence[int] = (),
    ) -> None:
        self.folder = folder
        self._log = folder / f"output-{time.monotonic_ns()}"
        if where is None:
            where = ("--interface", "127.0.0.1", "--port", str(port))
        with self._log.open("wb") as output:
            self.process = subprocess.Popen(
                [*before, *TWISTD, "-n", "--pidfile=", *twistd, "chat", *where, *options],
                cwd=folder,
                env=ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=descriptors,
            )
        try:
            eventually(lambda: self.joins or self.process.poll() is not None, "the server listens")
            assert self.joins, f"the server did not start:\n{self.output}"
        except BaseException:
            self.kill()
            raise
        self.port = int(self.joins[0].split()[-1]) if "-U" not in self.joins[0] else 0

    @property
    def joins(self) -> list[str]:
        """The commands that it says one joins it with, as far as it got."""
        return re.findall(_JOINS, self.output)

    @property
    def output(self) -> str:
        """What it has written until now."""
        return self._log.read_text(errors="replace")

    @property
    def memory(self) -> int:
        """The bytes of memory that it takes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        match = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert match is not None
        return int(match[1]) * 1024

    @property
    def is_running(self) -> bool:
        """Whether it is still there."""
        return self.process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def stop(self) -> int:
        """Ask it to stop, and give its exit status."""
        self.signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        """Kill it, if it is still there."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE)
