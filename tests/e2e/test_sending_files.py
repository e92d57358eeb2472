"""Files that people send with the bundled client."""

import os
import re
from pathlib import Path

import pytest

from tests.e2e.client import PLAIN, client, without_home
from tests.e2e.conftest import Start
from tests.e2e.patience import run
from tests.e2e.people import Plain
from tests.e2e.server import Server
from twisted_chat.service import tls

pytestmark = pytest.mark.e2e

WEB = "ssl:0:interface=127.0.0.1"


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """A file of three megabytes, in whose name there is a blank."""
    path = tmp_path / "the report.pdf"
    path.write_bytes(os.urandom(3_000_000))
    return path


def test_a_script_sends_a_file_and_waits_for_that(server: Server, report: Path) -> None:
    ann = Plain(server.port, "ann")
    script = run(*client(server, "ci"), said=f"/send {report}\n", env=PLAIN)
    assert (script.returncode, script.stdout, script.stderr) == (0, "", "")
    ann.sees("ci sent the report.pdf (3.0 MB): http://")
    (content,) = (server.folder / "chat.files").glob("?" * 64)
    assert content.read_bytes() == report.read_bytes()


def test_it_goes_to_the_room_that_the_script_is_in(server: Server, report: Path) -> None:
    ann = Plain(server.port, "ann")
    ann.types("/join dev")
    ann.sees("#dev")
    script = run(*client(server, "ci", "--room", "dev"), said=f"/send {report}\n", env=PLAIN)
    assert (script.returncode, script.stderr) == (0, "")
    ann.sees("#dev ci sent the report.pdf")


def test_what_cannot_be_sent_is_said_and_the_status_tells(start: Start, report: Path) -> None:
    server = start("--file-size", "1MB")
    for path, why in (
        (report, "That file has 3.0 MB, and the limit is 1.0 MB"),
        (report.with_name("none"), "No such file or directory"),
        (report.parent, "Is a directory"),
    ):
        script = run(*client(server, "ci"), said=f"/send {path}\n", env=PLAIN)
        assert (script.returncode, why in script.stderr) == (1, True), script.stderr


def test_a_server_that_takes_no_files_says_so(start: Start, report: Path) -> None:
    server = start("--no-files")
    script = run(*client(server, "ci"), said=f"/send {report}\n", env=PLAIN)
    assert script.returncode == 1
    assert "This server takes no files" in script.stderr


def test_a_file_goes_over_tls_to_the_certificate_that_is_trusted(
    start: Start, report: Path, tmp_path: Path
) -> None:
    server = start("--tls-port", "0", "--one-port", "off", "--web-endpoint", WEB)
    (port,) = re.findall(r"twisted-chat --tls 127\.0\.0\.1 (\d+)", server.output)
    command = [port if each == str(server.port) else each for each in client(server, "ci", "--tls")]
    script = run(*command, said=f"/send {report}\n", env=without_home(tmp_path))
    assert script.returncode == 0, script.stderr
    assert len(list((server.folder / "chat.files").glob("?" * 64))) == 1


def test_a_file_goes_over_tls_to_the_one_port(start: Start, report: Path, tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_bytes(tls.make("127.0.0.1"))
    server = start("--tls-cert", "cert.pem")
    command, said = client(server, "ci", "--tls"), f"/send {report}\n"
    script = run(*command, said=said, env=without_home(tmp_path))
    assert script.returncode == 0, script.stderr
    assert script.stderr.count("SHA256:") == 1  # it is said once that it is trusted
    assert len(list((server.folder / "chat.files").glob("?" * 64))) == 1


def test_a_file_goes_over_a_unix_socket(start: Start, report: Path) -> None:
    server = start(
        where=["--endpoint", "unix:chat.sock", "--web-endpoint", "tcp:0:interface=127.0.0.1"]
    )
    command = list(client(server, "ci"))
    place = command.index("127.0.0.1")
    command[place : place + 2] = [f"unix:{server.folder / 'chat.sock'}"]
    script = run(*command, said=f"/send {report}\n", env=PLAIN)
    assert (script.returncode, script.stderr) == (0, "")


def test_a_page_on_a_port_of_its_own_takes_the_file(start: Start, report: Path) -> None:
    server = start("--one-port", "off", "--web-endpoint", "tcp:0:interface=127.0.0.1")
    script = run(*client(server, "ci"), said=f"/send {report}\n", env=PLAIN)
    assert (script.returncode, script.stderr) == (0, "")
    assert len(list((server.folder / "chat.files").glob("?" * 64))) == 1
