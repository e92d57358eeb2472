"""A thousand hostile connections of all kinds at once, and the honest talk on."""

import itertools
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import Start
from tests.e2e.patience import eventually
from tests.e2e.people import Plain
from tests.e2e.server import ROOT, Server, with_many_files
from twisted_chat.service import tls

pytestmark = pytest.mark.e2e

SECONDS = 15
TALKERS = 10
_numbers = itertools.count()


def open_files(server: Server) -> int:
    """How many descriptors it has."""
    return len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))


def talk(people: list[Plain], watcher: Plain, seconds: float) -> list[float]:
    """Everybody says a line a second; gives how long each took to the watcher, in seconds."""
    took, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        said = next(_numbers)
        line = f"honest line {said}."
        began = time.monotonic()
        people[said % len(people)].types(line)
        watcher.sees(line)
        took.append(time.monotonic() - began)
        watcher.lines.clear()
        while (left := began + 1 / len(people) - time.monotonic()) > 0:
            watcher.reads(left)
        for person in people:
            person.reads()
            person.lines.clear()
    return took


def test_the_honest_hardly_notice_a_thousand_attackers(start: Start, tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_bytes(tls.make("chat.example"))
    with with_many_files():
        server = start("--tls-cert", "cert.pem")
    people = [Plain(server.port, f"honest{number}") for number in range(TALKERS)]
    watcher = Plain(server.port, "watcher")
    talk(people, watcher, 1)
    memory, files, largest = server.memory, open_files(server), 0
    attack = subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.attack", str(server.port), str(SECONDS)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        took: list[float] = []
        while attack.poll() is None:
            took += talk(people, watcher, 1)
            largest = max(largest, server.memory)
    finally:
        attack.kill()
        attack.wait()
        assert attack.stdout is not None
        attack.stdout.close()
    assert attack.returncode == 0
    eventually(lambda: open_files(server) <= files + 5, "their descriptors are free again")
    calm = talk(people, watcher, 2)
    rest = server.memory
    quantiles = statistics.quantiles(took, n=100)
    print(  # noqa: T201 - `pytest -s` shows it
        f"\n{len(took)} honest lines during the attack: p50 {quantiles[49] * 1e3:.1f} ms, "
        f"p99 {quantiles[98] * 1e3:.0f} ms, most {max(took) * 1e3:.0f} ms; "
        f"afterwards p50 {statistics.median(calm) * 1e3:.1f} ms; memory before, during, after: "
        f"{memory >> 20}, {largest >> 20}, {rest >> 20} MiB"
    )
    assert len(took) >= TALKERS, "every honest line arrived, however busy the machine was"
    assert largest < 200 << 20
    assert rest < memory + (48 << 20)
