"""Where the server is to be found."""

import socket
from pathlib import Path

import pytest

from tests.e2e.conftest import Start
from tests.e2e.patience import eventually, run
from tests.e2e.people import Plain, Typist, said

pytestmark = pytest.mark.e2e


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def test_a_unix_socket(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "chat.sock"
    server = start(where=("--endpoint", f"unix:{path}"))
    assert f"Join with: nc -U {path}, or: twisted-chat unix:{path}\n" in server.output
    ann = Plain(path, "ann")
    ben = Typist("nc", "-U", str(path)).comes_in("ben")
    ben.types("hello")
    assert said(ann.sees("hello")) == "ben: hello"
    server.stop()
    assert not path.exists()


def test_two_endpoints_lead_into_the_same_room(start: Start) -> None:
    endpoint = ("--endpoint", "tcp:0:interface=127.0.0.1")
    server = start(where=endpoint * 2)
    eventually(lambda: len(server.joins) == 2, "it names both")
    first, second = (int(join.split()[-1]) for join in server.joins)
    assert first != second
    ann = Plain(first, "ann")
    ben = Plain(second, "ben")
    ben.types("hello")
    ann.sees("ben: hello")


def test_one_interface_only(start: Start) -> None:
    server = start(where=("--port", "0", "--interface", "127.0.0.1"))
    assert server.joins == [f"nc 127.0.0.1 {server.port}"]
    Plain(server.port, "ann")
    with pytest.raises(ConnectionRefusedError):
        Plain(("127.0.0.2", server.port))


def test_every_address_unless_told_otherwise(start: Start) -> None:
    server = start(where=("--port", "0"))
    here = f"nc 127.0.0.1 {server.port}"  # this machine's own address is named last
    eventually(lambda: here in server.joins, "it names its own address")
    ann = Plain(server.port, "ann")
    ben = Plain(("127.0.0.2", server.port), "ben")
    ben.types("hello")
    ann.sees("ben: hello")


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_ipv6(start: Start) -> None:
    server = start(where=("--port", "0"))
    here = f"nc ::1 {server.port}"  # this machine's own address is named last
    eventually(lambda: here in server.joins, "it names its own address")
    ann = Plain(server.port, "ann")
    script = run("nc", "-N", "::1", str(server.port), said="six\nhello from ::1\n")
    assert "*** Welcome, six!" in script.stdout
    ann.sees("six: hello from ::1")


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_ipv6_only(start: Start) -> None:
    server = start(where=("--port", "0", "--interface", "::1"))
    assert server.joins == [f"nc ::1 {server.port}"]
    Plain(("::1", server.port), "ann")
    with pytest.raises(ConnectionRefusedError):
        Plain(server.port)
