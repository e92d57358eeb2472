"""Three servers behind HAProxy, with the configuration that the page on several servers shows."""

import re
import signal
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.e2e.conftest import Start
from tests.e2e.patience import PATIENCE, eventually, needs
from tests.e2e.people import Plain
from tests.e2e.proxy import free_port, opens_websocket, proxy
from tests.e2e.server import Server
from tests.e2e.tab import Tab
from tests.pages import block
from tests.postgres import Engine, why_not

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(bool(why_not()), reason=why_not())]

GUIDE = "docs/cluster.md"
HERE = "127.0.0.1"

AROUND = "global\n    stats socket unix@operator level admin\n\n"
"""What Debian's configuration has before that of the page."""


class Balanced:
    """Three servers behind HAProxy.

    Args:
        servers: the servers.
        port: where HAProxy listens.
        page: where it has the page.
    """

    def __init__(self, servers: list[Server], port: int, page: int) -> None:
        self.servers = servers
        self.port = port
        self.page = page

    def crowd(self, name: str) -> dict[str, Plain]:
        """A dozen people come in, each from another address; they are told apart by a letter."""
        names = {f"{name}-{letter}": number for number, letter in enumerate("abcdefghijkl", 2)}
        return {who: Plain(self.port, who, f"127.0.0.{20 + names[who]}") for who in names}

    def at(self, server: int, crowd: dict[str, Plain]) -> list[Plain]:
        """Those of a crowd who were taken to a server."""
        output = self.servers[server].output
        return [crowd[who] for who in crowd if f"{who} connected from" in output]


@pytest.fixture
def balanced(start: Start, shared_engine: Engine, tmp_path: Path) -> Iterator[Balanced]:
    """Three servers with the configuration of the page, and HAProxy in front of them."""
    needs("haproxy")
    options = block(GUIDE, "toml", "haproxy:tcp").replace("192.0.2.10", HERE)
    options = re.sub(r'tcp:\d+(:interface=[^\'"]*)?', f"tcp:0:interface={HERE}", options)
    (tmp_path / "chat.toml").write_text(options)
    (tmp_path / "bans").write_text("127.0.0.9\n")
    database = shared_engine.new()
    words = ("--config", "chat.toml", "--ban-file", "bans", "--db", database)
    servers = [start(*words, where=()) for _ in range(3)]
    port, page = free_port(), free_port()
    lines = block(GUIDE, "haproxy", "listen chat")
    for bound, free in ((5000, port), (8080, page)):
        lines = lines.replace(f"bind :{bound}", f"bind {HERE}:{free}")
    for number, server in enumerate(servers, 1):
        ports = {
            "5001": r"Proxies can connect to \S+ port (\d+)",
            "8080": rf"Open in a browser: http://\S+:(?!{server.port}/)(\d+)",
        }
        for named, logged in ports.items():
            eventually(lambda: re.search(logged, server.output), "it listens there")  # noqa: B023
            (real,) = re.findall(logged, server.output)
            lines = lines.replace(f"chat{number}.example:{named}", f"{HERE}:{real}")
    (tmp_path / "haproxy.cfg").write_text(
        f"global\nstats socket unix@operator level admin\n{lines}"
    )
    with proxy(tmp_path, port, "haproxy", "-db", "-f", "haproxy.cfg"):
        yield Balanced(servers, port, page)


def tell_haproxy(command: str) -> str:
    """What its operator types, and what it answers."""
    with socket.socket(socket.AF_UNIX) as link:
        link.connect("operator")
        link.sendall(command.encode() + b"\n")
        return b"".join(iter(lambda: link.recv(65_536), b"")).decode()


def test_people_and_pages_come_in_with_their_own_addresses(balanced: Balanced) -> None:
    people = balanced.crowd("ann")
    ann = people["ann-a"]
    log = "".join(server.output for server in balanced.servers)
    assert "ann-a connected from 127.0.0.22\n" in log
    assert all(balanced.at(server, people) for server in range(3)), log
    banned = Plain(balanced.port, source="127.0.0.9")
    banned.types("mallory")
    banned.sees("!!! You are banned from this server.")
    banned.sees_the_end()
    assert b'"code":"banned"' in opens_websocket(balanced.page, "127.0.0.9")
    ben = Tab(balanced.page, "ben")
    ben.gets(event="state")
    ben.says("hello from the page")
    ann.sees("ben: hello from the page")
    ben.does(do="command", text="/upload", ref="u")
    path = urlsplit(ben.gets(event="answer", ref="u")["url"]).path
    where = f"http://{HERE}:{balanced.page}"
    put = urllib.request.Request(f"{where}{path}report.pdf", bytes(9_000_000), method="PUT")
    with urllib.request.urlopen(put, timeout=PATIENCE) as answer:
        sent = answer.read().decode().strip()
    ann.sees(f"ben sent report.pdf (9.0 MB): {sent}")
    assert sent.startswith("http://chat.example:8080/file/")
    with urllib.request.urlopen(where + urlsplit(sent).path, timeout=PATIENCE) as answer:
        assert answer.read() == bytes(9_000_000)


def test_nobody_is_kept_out_when_servers_are_taken_out_die_and_stand_still(
    balanced: Balanced,
) -> None:
    first = balanced.crowd("ann")
    assert not tell_haproxy("set server chat/chat1 state drain").strip()
    second = balanced.crowd("ben")
    assert balanced.at(0, second) == []
    stays, *_ = balanced.at(0, first)
    stays.types("I am still here")
    for person in second.values():
        person.sees(": I am still here")
    balanced.servers[1].kill()
    for person in balanced.at(1, first):
        person.sees_the_end()
    third = balanced.crowd("carl")
    stays.types("welcome")
    for person in third.values():
        person.sees(": welcome")
    assert len(balanced.at(2, third)) == len(third)
    tell_haproxy("set server chat/chat1 state ready")
    balanced.servers[2].signal(signal.SIGSTOP)
    for person in third.values():  # those who are there can join again
        person.sees_the_end()
    fourth = balanced.crowd("dan")
    balanced.servers[2].signal(signal.SIGCONT)
    stays.types("hello")
    for person in fourth.values():
        person.sees(": hello")
