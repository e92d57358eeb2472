"""TLS with the tools that people have, and certificates that are renewed."""

import re
import signal
import socket
import stat
import statistics
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import Start
from tests.e2e.patience import PATIENCE, eventually, run
from tests.e2e.people import Plain, Typist
from tests.e2e.server import Server, with_many_files
from twisted_chat.service import tls

pytestmark = pytest.mark.e2e

PORT = ("--tls-port", "0")


def tls_port(server: Server) -> int:
    """Where it listens with TLS."""
    logged = re.compile(r"ncat --ssl \S+ (\d+)")
    eventually(lambda: logged.search(server.output), "the log has the port with TLS")
    return int(logged.findall(server.output)[0])


def shown(server: Server) -> str:
    """The fingerprint of the certificate that somebody is shown now."""
    where = ("-connect", f"127.0.0.1:{tls_port(server)}")
    certificate = run("openssl", "s_client", *where).stdout
    told = run("openssl", "x509", "-noout", "-fingerprint", "-sha256", said=certificate).stdout
    return "SHA256:" + told.strip().partition("=")[2]


def secure(server: Server, *command: str) -> Typist:
    """Somebody with a tool that speaks TLS."""
    return Typist(*(word.replace("PORT", str(tls_port(server))) for word in command))


@pytest.mark.parametrize(
    "command",
    [
        ("openssl", "s_client", "-quiet", "-connect", "127.0.0.1:PORT"),
        ("ncat", "--ssl", "127.0.0.1", "PORT"),
        ("socat", "-", "openssl:127.0.0.1:PORT,verify=0"),
    ],
    ids=lambda command: command[0],
)
def test_somebody_with_a_tool_talks_to_somebody_with_netcat(
    start: Start, command: tuple[str, ...]
) -> None:
    server = start(*PORT)
    ann = Plain(server.port, "ann")
    ben = secure(server, *command)
    ben.comes_in("ben")
    ben.types("hello from ben")
    ann.sees("ben: hello from ben")
    ann.types("hello from ann")
    ben.sees("ann: hello from ann")
    ben.types("/quit")
    ben.sees_the_end()


def test_a_certificate_is_created_once_and_its_fingerprint_is_logged(
    start: Start, tmp_path: Path
) -> None:
    server = start(*PORT)
    fingerprint = shown(server)
    assert f"The certificate's fingerprint is {fingerprint}" in server.output
    made = tmp_path / "chat.tls.pem"
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    server.stop()
    assert shown(start(*PORT)) == fingerprint


def test_a_renewed_certificate_is_used_and_everybody_stays(start: Start, tmp_path: Path) -> None:
    pem = tmp_path / "cert.pem"
    pem.write_bytes(tls.make("before.example"))
    server = start(*PORT, "--tls-cert", str(pem))
    ann = secure(server, "openssl", "s_client", "-quiet", "-connect", "127.0.0.1:PORT")
    ann.comes_in("ann")
    before = shown(server)

    pem.write_bytes(tls.make("after.example"))
    server.signal(signal.SIGHUP)
    eventually(lambda: "were reloaded" in server.output, "the options are reloaded")
    after = shown(server)
    assert after != before

    pem.write_bytes(pem.read_bytes()[:300])
    server.signal(signal.SIGHUP)
    eventually(lambda: "nothing is changed" in server.output, "the log says that the reload failed")
    assert f"--tls-cert: cannot use {pem}: it contains no PEM certificate" in server.output
    assert shown(server) == after

    ann.types("/time")
    ann.sees("*** The server's time is")


def test_five_hundred_unfinished_handshakes_disturb_nobody(start: Start) -> None:
    with with_many_files():
        server = start(*PORT)
        ann, ben = Plain(server.port, "ann"), Plain(server.port, "ben")
        crowd = []
        for number in range(500):
            link = socket.create_connection(
                ("127.0.0.1", tls_port(server)),
                source_address=(f"127.9.{number // 4 // 250}.{1 + number // 4 % 250}", 0),
            )
            link.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[: number % 12])
            crowd.append(link)
        took = []
        for number in range(20):
            began = time.monotonic()
            ann.types(f"line {number}.")
            ben.sees(f"ann: line {number}.")
            took.append(time.monotonic() - began)
            time.sleep(0.5 if number > 8 else 0)
        assert statistics.median(took) < PATIENCE / 20
        carl = secure(server, "openssl", "s_client", "-quiet", "-connect", "127.0.0.1:PORT")
        carl.comes_in("carl")
        for link in crowd:
            link.close()
