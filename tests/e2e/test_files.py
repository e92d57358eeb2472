"""Files over a real network, with curl, on a real disk."""

import http.client
import os
import re
import signal
import socket
import subprocess
import time
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.e2e.conftest import Start
from tests.e2e.patience import eventually, needs
from tests.e2e.people import Plain, Program
from tests.e2e.server import ENVIRONMENT, Server
from tests.e2e.test_bad_disk import small_disk

pytestmark = pytest.mark.e2e

__all__ = ["small_disk"]

MEGABYTE = 1_000_000


def is_offered(person: Plain) -> str:
    """The address that somebody can send a file to."""
    person.lines.clear()
    person.types("/upload")
    line = person.sees("curl -T FILE ")
    return line.rpartition(" ")[2]


def curl(*arguments: str | Path) -> tuple[int, str]:
    """What curl gets: the status, and the text."""
    needs("curl")
    command = ["curl", "-sS", "--max-time", "30", "-w", "\n%{http_code}", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=40)
    body, _, status = done.stdout.rpartition("\n")
    return int(status or 0), body.strip() + done.stderr


def kept(server: Server) -> list[Path]:
    """What is in the folder of files."""
    return [path for path in (server.folder / "chat.files").iterdir() if path.name != "epoch"]


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """A file of five megabytes, with a name that needs quoting."""
    path = tmp_path / "Übersicht 1.pdf"
    path.write_bytes(os.urandom(5 * MEGABYTE))
    return path


def test_a_file_goes_from_curl_to_everybody_and_back(start: Start, report: Path) -> None:
    server = start()
    alice, bob = Plain(server.port, "alice"), Plain(server.port, "bob")
    status, address = curl("-T", report, is_offered(bob))
    assert status == 201
    assert address in alice.sees("bob sent Übersicht 1.pdf (5.0 MB): http://")
    fetched = report.with_name("fetched")
    assert curl("-o", fetched, address)[0] == 200
    assert fetched.read_bytes() == report.read_bytes()
    assert [path.name for path in kept(server)] == [sha256(report.read_bytes()).hexdigest()]

    fetched.write_bytes(report.read_bytes()[:1234])
    assert curl("-C", "-", "-o", fetched, address)[0] == 206
    assert fetched.read_bytes() == report.read_bytes()

    assert server.stop() in (0, -signal.SIGTERM)
    server = start(port=server.port)
    assert curl("-o", fetched, address)[0] == 200
    bob = Plain(server.port, "bob")
    bob.types("/delete Übersicht 1.pdf")
    assert "!!!" in bob.sees("operators")  # without an account, that is another bob
    assert curl("-o", fetched, address)[0] == 200


def test_whoever_sent_a_file_deletes_it(start: Start, report: Path) -> None:
    server = start()
    bob = Plain(server.port, "bob")
    _, address = curl("-T", report, is_offered(bob))
    bob.types("/delete Übersicht 1.pdf")
    bob.sees("*** bob deleted Übersicht 1.pdf in #lobby")
    assert curl(address)[0] == 404
    eventually(lambda: not kept(server), "its content is gone")


def test_a_file_over_tls_is_as_good(start: Start, report: Path) -> None:
    server = start("--web-endpoint", "ssl:0:interface=127.0.0.1")
    bob = Plain(server.port, "bob")
    (secure,) = re.findall(r"Open in a browser: (https://\S+)/", server.output)
    path = urlsplit(is_offered(bob)).path
    status, address = curl("-k", "-T", report, secure + path)
    assert status == 201
    fetched = report.with_name("fetched")
    assert curl("-k", "-o", fetched, secure + urlsplit(address).path)[0] == 200
    assert fetched.read_bytes() == report.read_bytes()


@pytest.mark.parametrize("expects", [True, False])
def test_eleven_megabytes_are_refused_with_a_sentence(
    start: Start, tmp_path: Path, *, expects: bool
) -> None:
    server = start()
    bob = Plain(server.port, "bob")
    large = tmp_path / "large"
    large.write_bytes(bytes(11 * MEGABYTE))
    header = () if expects else ("-H", "Expect:")
    status, why = curl(*header, "-T", large, is_offered(bob))
    assert status == 413
    assert "the limit is 10 MB" in why
    assert kept(server) == []


def test_who_sends_all_before_reading_gets_the_sentence_too(start: Start) -> None:
    server = start()
    address = urlsplit(is_offered(Plain(server.port, "bob")))
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    client.request("PUT", address.path + "large", bytes(11 * MEGABYTE))
    answer = client.getresponse()
    assert (answer.status, b"10 MB" in answer.read()) == (413, True)
    client.close()


def test_an_upload_does_not_make_the_server_grow(start: Start, tmp_path: Path) -> None:
    server = start("--file-size", "200MB", "--file-quota", "1GB")
    bob = Plain(server.port, "bob")
    large = tmp_path / "large"
    large.write_bytes(os.urandom(MEGABYTE) * 100)
    curl("-T", __file__, is_offered(bob))  # all is warm
    before = server.memory
    assert curl("-T", large, is_offered(bob))[0] == 201
    assert curl("-o", large, bob.sees("(100 MB): ").rpartition(" ")[2])[0] == 200
    assert server.memory < before + 20 * MEGABYTE


def test_what_is_interrupted_leaves_nothing(start: Start) -> None:
    server = start()
    address = urlsplit(is_offered(Plain(server.port, "bob")))
    head = f"PUT {address.path}a HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(head + bytes(2 * MEGABYTE))
        eventually(lambda: any(path.suffix == ".part" for path in kept(server)), "it has begun")
    eventually(lambda: not kept(server), "nothing is left")

    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(head + bytes(2 * MEGABYTE))
        eventually(lambda: any(path.suffix == ".part" for path in kept(server)), "it has begun")
        server.kill()
    eventually(lambda: len(kept(server)) == 1, "nothing is left of the half")
    server = start(port=server.port)
    assert kept(server) == []


def test_without_a_database_files_last_as_long_as_the_server(
    start: Start, report: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setitem(ENVIRONMENT, "TMPDIR", str(temporary))
    server = start("--no-db")
    status, address = curl("-T", report, is_offered(Plain(server.port, "bob")))
    assert (status, curl("-o", report, address)[0]) == (201, 200)
    (content,) = temporary.glob("*/*")
    assert content.read_bytes() == report.read_bytes()
    server.stop()
    assert list(temporary.iterdir()) == []
    assert not (server.folder / "chat.files").exists()


def test_a_server_without_an_address_for_them_says_so(start: Start) -> None:
    bob = Plain(start("--one-port", "off").port, "bob")
    bob.types("/upload")
    assert "--web-port" in bob.sees("!!! ")
    bob = Plain(start("--no-files", "--no-db").port, "bob")
    bob.types("/upload")
    assert "takes no files" in bob.sees("!!! ")


def test_a_disk_that_fills_in_the_middle_is_said_and_the_chat_goes_on(
    small_disk: Path, tmp_path: Path
) -> None:
    folder = small_disk / "files"
    server = Server(tmp_path, "--files", str(folder))
    try:
        bob, alice = Plain(server.port, "bob"), Program(server.port, "alice")
        large = tmp_path / "large"
        large.write_bytes(os.urandom(3 * MEGABYTE))
        address = is_offered(bob)
        status, why = curl("-T", large, address)
        assert status == 507
        assert "No space left on device" in why
        eventually(lambda: not list(folder.glob("*.part")), "nothing is left")
        alice.says("we talk on")
        large.write_bytes(os.urandom(MEGABYTE))
        assert curl("-T", large, address)[0] == 201
        alice.gets(event="file", name="large")
        assert "Traceback" not in server.output
    finally:
        server.kill()


def test_a_file_that_is_over_goes_by_itself(start: Start, tmp_path: Path) -> None:
    server = start("--file-keep", "1h")
    eve = Program(server.port, "eve")
    curl("-T", __file__, is_offered(Plain(server.port, "bob")))
    until = eve.gets(event="file")["until"]
    left = time.mktime(time.strptime(until[:19], "%Y-%m-%dT%H:%M:%S")) - time.mktime(time.gmtime())
    assert 3500 < left <= 3600


@pytest.mark.parametrize("more", [(), ("--web-endpoint", "tcp:0:interface=127.0.0.1")])
def test_who_says_that_no_more_will_come_gets_the_answer(
    start: Start, more: tuple[str, ...]
) -> None:
    server = start(*more)
    ann, bob = Plain(server.port, "ann"), Plain(server.port, "bob")
    offered = urlsplit(is_offered(bob))
    content = os.urandom(3 * MEGABYTE)
    head = f"PUT {offered.path}a HTTP/1.1\r\nHost: x\r\nContent-Length: {len(content)}\r\n\r\n"
    status, address = netcat(offered.port, head.encode() + content)
    assert status == b"201"
    ann.sees("bob sent a (3.0 MB): http://")
    asked = f"GET {urlsplit(address).path.decode()} HTTP/1.1\r\nHost: x\r\n\r\n"
    status, body = netcat(offered.port, asked.encode())
    assert (status, body) == (b"200", content)
    again = head.replace(offered.path, urlsplit(is_offered(bob)).path).encode()
    assert netcat(offered.port, again + content[:-1]) == (b"", b"")
    eventually(lambda: len(kept(server)) == 1, "nothing is left of the half")


def netcat(port: int | None, said: bytes) -> tuple[bytes, bytes]:
    """What `nc -N` gets, which says that it is done: the status, and the body."""
    with socket.create_connection(("127.0.0.1", port or 0), 10) as connection:
        connection.sendall(said)
        connection.shutdown(socket.SHUT_WR)
        heard = b"".join(iter(lambda: connection.recv(65_536), b""))
    head, _, body = heard.partition(b"\r\n\r\n")
    return head[9:12], body.removesuffix(b"\n") if head[9:12] == b"201" else body
