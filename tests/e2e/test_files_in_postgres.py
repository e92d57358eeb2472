"""Files over a real network, which a real PostgreSQL keeps."""

import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.e2e.conftest import Start
from tests.e2e.patience import eventually
from tests.e2e.people import Plain
from tests.e2e.server import Server
from tests.e2e.test_files import MEGABYTE, curl, is_offered, report
from tests.postgres import Engine, why_not

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(bool(why_not()), reason=why_not())]

__all__ = ["report"]


def rows(engine: Engine, url: str, table: str) -> int:
    """How many rows a table has."""
    with engine.connect(url) as look:
        ((count,),) = look.execute(f"SELECT count(*) FROM {table}".encode()).fetchall()
    return int(count)


def begins(server: Server, address: str) -> socket.socket:
    """Somebody has sent the half of a file."""
    offered = urlsplit(address)
    head = f"PUT {offered.path}a HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\n"
    client = socket.create_connection(("127.0.0.1", server.port), 30)
    client.sendall(head.encode() + bytes(2 * MEGABYTE))
    return client


def test_a_file_goes_into_the_database_and_back_also_after_a_restart(
    engine: Engine, start: Start, report: Path
) -> None:
    url = engine.new()
    server = start("--db", url)
    alice, bob = Plain(server.port, "alice"), Plain(server.port, "bob")
    status, address = curl("-T", report, is_offered(bob))
    assert status == 201
    assert address in alice.sees("bob sent Übersicht 1.pdf (5.0 MB): http://")
    assert not (server.folder / "chat.files").exists()
    server.kill()
    start("--db", url, port=server.port)
    fetched = report.with_name("fetched")
    fetched.write_bytes(report.read_bytes()[:1_234_567])
    assert curl("-C", "-", "-o", fetched, address)[0] == 206
    assert fetched.read_bytes() == report.read_bytes()


def test_a_server_with_another_folder_keeps_them_there(
    engine: Engine, start: Start, report: Path
) -> None:
    url = engine.new()
    server = start("--db", url, "--files", "shared")
    status, address = curl("-T", report, is_offered(Plain(server.port, "bob")))
    assert (status, curl("-o", report.with_name("fetched"), address)[0]) == (201, 200)
    assert len(list((server.folder / "shared").glob("?" * 64))) == 1
    assert (rows(engine, url, "chunks"), rows(engine, url, "uploads")) == (0, 0)
    assert server.stop() is not None


def test_an_upload_does_not_make_the_server_grow(
    engine: Engine, start: Start, tmp_path: Path
) -> None:
    server = start("--db", engine.new(), "--file-size", "200MB", "--file-quota", "1GB")
    bob = Plain(server.port, "bob")
    large = tmp_path / "large"
    large.write_bytes(os.urandom(MEGABYTE) * 100)
    curl("-T", __file__, is_offered(bob))  # all is warm
    before = server.memory
    assert curl("-T", large, is_offered(bob))[0] == 201
    fetched = tmp_path / "fetched"
    assert curl("-o", fetched, bob.sees("(100 MB): ").rpartition(" ")[2])[0] == 200
    assert fetched.read_bytes() == large.read_bytes()
    assert server.memory < before + 20 * MEGABYTE


def test_half_a_file_leaves_nothing_also_if_the_server_is_killed(
    engine: Engine, start: Start
) -> None:
    url = engine.new()
    server = start("--db", url)
    address = is_offered(Plain(server.port, "bob"))
    with begins(server, address):
        eventually(lambda: rows(engine, url, "chunks") > 3, "it has begun")
    eventually(lambda: not rows(engine, url, "chunks"), "nothing is left")
    with begins(server, address):
        eventually(lambda: rows(engine, url, "chunks") > 3, "it has begun")
        server.kill()
    start("--db", url, port=server.port)
    left = ("chunks", "uploads")
    eventually(lambda: not any(rows(engine, url, each) for each in left), "nothing is left")


def test_what_is_sent_to_one_server_can_be_had_from_another_and_deleted_there(
    engine: Engine, start: Start, report: Path, tmp_path: Path
) -> None:
    url = engine.new()
    first, second = start("--db", url), start("--db", url)
    alice, bob = Plain(first.port, "alice"), Plain(second.port, "bob")
    bob.types("/register correct horse")
    bob.sees("alice")
    assert curl("-T", report, is_offered(bob))[0] == 201
    address = alice.sees("bob sent Übersicht 1.pdf (5.0 MB): http://").rpartition(" ")[2]
    assert urlsplit(address).port == first.port
    fetched = tmp_path / "fetched"
    assert curl("-o", fetched, address)[0] == 200
    assert fetched.read_bytes() == report.read_bytes()
    third = start("--db", url)
    carol = Plain(third.port, "carol")
    there = urlsplit(carol.sees("bob sent Übersicht 1.pdf (5.0 MB): http://").rpartition(" ")[2])
    assert curl("-o", fetched, f"http://127.0.0.1:{third.port}{there.path}")[0] == 200
    bob.types("/delete Übersicht 1.pdf")
    for each in (alice, carol):
        each.sees("bob deleted Übersicht 1.pdf")
    assert curl(address)[0] == 404
    eventually(lambda: not rows(engine, url, "chunks"), "its content is gone")


def test_while_the_database_is_away_that_is_said_and_later_all_is_well(
    engine: Engine, start: Start, report: Path
) -> None:
    url = engine.new()
    server = start("--db", url)
    bob, alice = Plain(server.port, "bob"), Plain(server.port, "alice")
    first, second = is_offered(bob), is_offered(alice)
    assert curl("-T", report, first)[0] == 201
    engine.kill()
    with begins(server, second) as client:
        heard = client.recv(65_536)
    assert heard.startswith(b"HTTP/1.1 507 ")
    assert b"That file could not be stored (the database is away), so nobody saw it" in heard
    engine.start()
    eventually(lambda: "can be stored again" in server.output, "lines are stored")
    eventually(lambda: curl("-T", report, second)[0] == 201, "it is taken")
    assert "Traceback" not in server.output


def test_a_database_that_does_not_answer_is_said_too_and_stops_no_server(
    engine: Engine, start: Start
) -> None:
    server = start("--db", engine.new() + "&connect_timeout=2")
    address = is_offered(Plain(server.port, "bob"))
    engine.freezes()
    try:
        with begins(server, address) as client:
            heard = client.recv(65_536)
        assert b"That file could not be stored (the database is away)" in heard
        server.stop()
        assert not server.is_running
    finally:
        engine.thaws()
