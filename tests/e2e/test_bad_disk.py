"""A disk that fills, and a database that somebody else has locked."""

import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.people import Plain, Program
from tests.e2e.server import Server

pytestmark = pytest.mark.e2e


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small file system")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_nothing_is_shown_that_a_full_disk_did_not_take(small_disk: Path, tmp_path: Path) -> None:
    database = small_disk / "chat.sqlite"
    server = Server(tmp_path, "--flood", "off", "--db", str(database))
    try:
        witness = Plain(server.port, "witness")
        talker = Program(server.port, "talker")
        talker.gets(event="state")
        ballast = small_disk / "ballast"
        with ballast.open("wb") as file:
            try:
                file.write(b"x" * (2 << 20))
                file.flush()
            except OSError:
                pass  # that it is full is what we want
        refused = 0
        for number in range(1, 2000):
            talker.does(do="say", room="#lobby", text=f"{number} {'x' * 1000}", ref=str(number))
            talker.waits(
                lambda ref=str(number): any(event.get("ref") == ref for event in talker.events),  # type: ignore[misc]  # its default
                "an answer",
            )
            if talker.events[-1]["event"] == "error":
                refused = number
                break
        assert refused, "the disk never filled"
        error = talker.gets(event="error", ref=str(refused))
        assert error["code"] == "not-stored"
        witness.types("me too")
        assert "the disk is full" in witness.sees("!!! ")

        ballast.unlink()
        talker.does(do="say", room="#lobby", text="after the rain", ref="after")
        after = talker.gets(event="message", ref="after")
        assert after["id"] == refused, "a refused line has taken a number"
        witness.sees("talker: after the rain")
        assert not [line for line in witness.lines if f"talker: {refused} x" in line]
        witness.sees(f"talker: {refused - 1} x") if refused > 1 else None
    finally:
        server.kill()


def test_a_locked_database_refuses_lines_and_loses_nobody(tmp_path: Path) -> None:
    server = Server(tmp_path, "--flood", "off")
    try:
        talker = Program(server.port, "talker")
        talker.gets(event="state")
        witness = Plain(server.port, "witness")
        other = sqlite3.connect(tmp_path / "chat.sqlite", isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        talker.does(do="say", room="#lobby", text="into the void", ref="1")
        assert talker.gets(event="error", ref="1")["code"] == "not-stored"
        other.execute("ROLLBACK")
        other.close()
        talker.does(do="say", room="#lobby", text="into the void", ref="1")
        assert talker.gets(event="message", ref="1")["id"] == 1
        witness.sees("talker: into the void")
        assert len([line for line in witness.lines if "void" in line]) == 1
    finally:
        server.kill()
