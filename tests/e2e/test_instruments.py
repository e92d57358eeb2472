"""What an operator's tools see of a real server."""

import contextlib
import json
import re
import sqlite3
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.e2e.conftest import Start
from tests.e2e.patience import eventually, run
from tests.e2e.people import Plain
from tests.e2e.server import ENVIRONMENT, TWISTD, Server

pytestmark = pytest.mark.e2e


def test_a_database_that_is_locked_makes_the_server_unwell(start: Start, tmp_path: Path) -> None:
    server = start("--metrics", "0")
    ann, ben = Plain(server.port, "ann"), Plain(server.port, "ben")
    with contextlib.closing(sqlite3.connect(tmp_path / "chat.sqlite")) as other:
        other.execute("BEGIN IMMEDIATE")
        ann.types("hello")
        ann.sees("!!! That could not be stored")
        assert page(server, "/healthz") == (503, "messages cannot be stored\n")
        other.rollback()
    ann.types("hello again")
    ben.sees("ann: hello again")
    assert page(server, "/healthz") == (200, "ok\n")
    assert 'chat_refusals_total{reason="not-stored"} 1.0' in page(server, "/metrics")[1]


def page(server: Server, path: str) -> tuple[int, str]:
    """What stands on a page."""
    match = re.search(r"Metrics are at (http://[0-9.]+:\d+)/metrics", server.output)
    assert match is not None
    try:
        with urllib.request.urlopen(match[1] + path, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_metrics_and_health(start: Start) -> None:
    server = start("--metrics", "0")
    ann, ben = Plain(server.port, "ann"), Plain(server.port, "ben")
    ann.types("hello")
    ben.sees("ann: hello")
    status, text = page(server, "/metrics")
    assert status == 200
    for line in (
        'chat_connections{protocol="plain",state="named"} 2.0',
        "chat_people 2.0",
        "chat_lines_total 3.0",
        "chat_uncommitted_events 0.0",
    ):
        assert line in text
    assert re.search(r"^chat_commit_seconds_count [1-9]", text, re.MULTILINE)
    assert "process_resident_memory_bytes" in text
    assert "process_open_fds" in text
    assert page(server, "/healthz") == (200, "ok\n")
    assert page(server, "/")[0] == 404
    assert page(server, "/metrics/../etc")[0] == 404


def test_a_log_in_json(start: Start) -> None:
    server = start("--log-format", "json")
    Plain(server.port, "ann").types("a secret", "/quit")
    eventually(lambda: "ann has left" in server.output, "it says so")
    things = [json.loads(line) for line in server.output.splitlines()]
    assert {"nick": "ann", "level": "info", "namespace": "chat"}.items() <= things[-1].items()
    assert "secret" not in server.output


def test_a_daemon_logs_likewise(tmp_path: Path) -> None:
    options = ("--no-db", "--port", "0", "--interface", "127.0.0.1", "--log-format", "json")
    started = run(*TWISTD, "chat", *options, cwd=tmp_path, env=ENVIRONMENT)
    assert started.returncode == 0
    log, pid = tmp_path / "twistd.log", tmp_path / "twistd.pid"
    eventually(lambda: log.exists() and "Join with" in log.read_text(), "it listens")
    run("kill", pid.read_text())
    eventually(lambda: not pid.exists(), "it stops")
    for line in log.read_text().splitlines():
        assert "text" in json.loads(line)
