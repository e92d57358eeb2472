"""A server or a database for a test; and after it, everybody goes home."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.people import Somebody
from tests.e2e.server import Server
from tests.postgres import Engine
from tests.postgres import engine as engine_of_all

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # under nohup, or behind &
    signal.signal(signal.SIGINT, signal.default_int_handler)  # what they start would inherit it

Start = Callable[..., Server]


@pytest.fixture(autouse=True)
def _everybody_goes_home() -> Iterator[None]:
    yield
    while Somebody.everybody:
        Somebody.everybody.pop().goes_home()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts servers, whose arguments are those of `Server` after the folder."""
    servers: list[Server] = []

    def start_one(*options: str, **keywords: Any) -> Server:
        servers.append(Server(tmp_path, *options, **keywords))
        return servers[-1]

    yield start_one
    for server in servers:
        server.kill()
        assert "Traceback" not in server.output


@pytest.fixture
def server(start: Start) -> Server:
    """A server as it is without any options."""
    return start()


@pytest.fixture(scope="session")
def shared_engine() -> Engine:
    """The PostgreSQL of all tests, for those that do it no harm."""
    return engine_of_all()


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """A PostgreSQL that the tests of a module may stop and kill."""
    own = Engine()
    yield own
    own.remove()
