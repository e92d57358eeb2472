"""A backup is made while everybody talks."""

import json
import sys
import threading
from pathlib import Path

import pytest

from tests.e2e.conftest import Start
from tests.e2e.patience import run
from tests.e2e.people import Plain, Program
from tests.e2e.server import ENVIRONMENT

pytestmark = pytest.mark.e2e

ARCHIVE = (sys.executable, "-c", "from twisted_chat.service.archive import main; main()")
LINES = 10_000


def archive(folder: Path, *arguments: str) -> str:
    """What the operator's command says."""
    done = run(*ARCHIVE, *arguments, cwd=folder, env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    return done.stderr


def history(count: int) -> str:
    """So many long lines, as they are exported."""
    event = {"event": "message", "time": "2026-11-20T12:35:02Z", "room": "#lobby", "from": "eve"}
    lines = (json.dumps(event | {"id": n, "text": "x" * 1000}) for n in range(1, count + 1))
    return "\n".join(lines)


def test_a_backup_ends_though_somebody_speaks_all_the_time(start: Start, tmp_path: Path) -> None:
    (tmp_path / "history").write_text(history(LINES))
    archive(tmp_path, "import", "history")
    server = start("--flood", "off")
    robot, witness = Program(server.port, "robot"), Plain(server.port, "witness")
    over = threading.Event()
    said = 0

    def speak_all_the_time() -> None:
        nonlocal said
        while not over.is_set():
            robot.says(f"line {said}")
            said += 1

    speaking = threading.Thread(target=speak_all_the_time)
    speaking.start()
    try:
        archive(tmp_path, "backup", "copy.sqlite")
    finally:
        over.set()
        speaking.join()
    witness.sees(f"robot: line {said - 1}")
    assert said > 10, "nobody spoke"
    assert (tmp_path / "copy.sqlite").stat().st_mode & 0o777 == 0o600
    archive(tmp_path, "--db", "copy.sqlite", "check")
    kept = run(*ARCHIVE, "--db", "copy.sqlite", "export", cwd=tmp_path, env=ENVIRONMENT)
    ids = [json.loads(line)["id"] for line in kept.stdout.splitlines()]
    assert ids == list(range(1, len(ids) + 1))
    assert LINES <= len(ids) <= LINES + said
