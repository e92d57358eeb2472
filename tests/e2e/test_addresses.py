"""Where people come from, as the server counts them."""

from pathlib import Path

import pytest

from tests.e2e.conftest import Start
from tests.e2e.people import Plain
from tests.e2e.server import Server

pytestmark = pytest.mark.e2e


def test_one_address_has_so_many_connections_and_others_still_get_in(server: Server) -> None:
    crowd = [Plain(server.port, source="127.0.0.2") for _ in range(40)]
    for person in crowd:
        person.waits(lambda p=person: bool(p.lines), "a line")  # type: ignore[misc]  # its default
    refused = [person for person in crowd if person.has_seen("!!! ")]
    for person in refused:
        assert person.has_seen("from your address")
        person.sees_the_end()
    assert len(crowd) - len(refused) == 4, "four may be without a nickname"
    Plain(server.port, "alice", source="127.0.0.3")


def test_behind_a_proxy_everybody_has_the_address_that_it_tells(
    start: Start, tmp_path: Path
) -> None:
    (tmp_path / "bans").write_text("198.51.100.0/24\n")
    where = ("--endpoint", "haproxy:tcp:0:interface=127.0.0.1")
    server = start("--ban-file", "bans", where=where)
    assert "Join with" not in server.output  # nobody can: it would lack the proxy's first line
    alice = Plain(server.port)
    alice.types("PROXY TCP4 203.0.113.9 203.0.113.1 5 6", end="\r\n")
    alice.comes_in("alice")
    mallory = Plain(server.port)
    mallory.types("PROXY TCP4 198.51.100.7 203.0.113.1 5 6", "mallory", "hello", end="\r\n")
    mallory.sees("!!! You are banned from this server.")
    mallory.sees_the_end()
    assert "alice connected from 203.0.113.9" in server.output
    assert "mallory is here" not in server.output
