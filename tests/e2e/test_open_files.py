"""More people than a shell lets a process open files."""

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.people import Plain
from tests.e2e.server import Server

pytestmark = pytest.mark.e2e


@pytest.fixture(autouse=True)
def _few_open_files() -> Iterator[None]:
    """What a server that is started now may open at first."""
    least, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, most))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (least, most))


def test_as_many_find_room_as_the_operator_allows(tmp_path: Path) -> None:
    server = Server(tmp_path, "--no-db", "--max-clients", "300")
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (1_000, most))
    try:
        people = [Plain(server.port) for _ in range(300)]
        for person in people:
            person.sees("What is your nickname?")
        late = Plain(server.port)
        late.sees("!!! The server is full")
    finally:
        server.kill()


def test_the_operator_is_told_when_the_machine_allows_fewer(tmp_path: Path) -> None:
    server = Server(tmp_path, "--no-db", "--max-clients", "3000000")
    server.kill()
    assert "raise the limit (ulimit -Hn) or lower --max-clients" in server.output


def test_without_files_newcomers_are_told_and_those_inside_talk_on(tmp_path: Path) -> None:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (1_000, most))
    server = Server(tmp_path, before=("prlimit", "--nofile=128:128"))
    try:
        inside = [Plain(server.port) for _ in range(90)]  # at once: each waits for the greeting
        for number, person in enumerate(inside, 1):
            person.waits(lambda p=person: bool(p.lines), "a line")  # type: ignore[misc]  # its default
            person.types(f"guest{number}")
        while not inside[-1].has_seen("!!! "):
            inside.append(Plain(server.port))
            inside[-1].waits(lambda: bool(inside[-1].lines), "a line")
            inside[-1].types(f"guest{len(inside)}")
        inside.pop().sees("!!! The server is full: try again in a minute.")
        assert len(inside) == 96

        for person in [Plain(server.port) for _ in range(150)]:
            person.sees("!!! The server is full")
            person.sees_the_end()
        inside[0].types("still here")
        inside[-1].sees("guest1: still here")
        inside[0].types("/topic the database still works")
        inside[-1].sees("guest1 changed the topic")

        for person in inside[10:20]:
            person.closes()
        inside[0].sees("have left")
        newcomer = Plain(server.port, "newcomer")
        newcomer.types("hello")
        inside[0].sees("newcomer: hello")
        assert "EMFILE" not in server.output
    finally:
        server.kill()
