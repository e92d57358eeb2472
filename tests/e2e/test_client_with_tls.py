"""The bundled client and TLS, with the real server."""

import socket
import subprocess
from pathlib import Path
from threading import Thread

import pytest

from tests.authority import Authority
from tests.e2e.client import CLIENT, without_home
from tests.e2e.conftest import Start
from tests.e2e.patience import run
from tests.e2e.people import Plain, Typist
from tests.e2e.server import Server
from tests.e2e.test_tls import PORT, shown, tls_port
from twisted_chat.service import tls

pytestmark = pytest.mark.e2e

UNTRUSTED = 3


class User:
    """Somebody who uses the client in a pipe, with a home directory of their own.

    Args:
        home: that directory.
        authority: the certificates of the authorities that this system knows.
    """

    def __init__(self, home: Path, authority: Path | None = None) -> None:
        home.mkdir()
        self.environment = without_home(home) | {"SSL_CERT_FILE": str(authority or "/dev/null")}
        self.known = home / ".local" / "state" / "twisted-chat" / "known_servers"

    def sends(self, port: int, text: str, *options: str) -> subprocess.CompletedProcess[str]:
        """Send a line."""
        place = f"127.0.0.1:{port}"
        return run(
            *(*CLIENT, "--tls", place, "--nick", "ci", *options),
            said=f"{text}\n",
            env=self.environment,
        )


@pytest.fixture
def user(tmp_path: Path) -> User:
    """Somebody who knows no authority."""
    return User(tmp_path / "home")


def outcome(script: subprocess.CompletedProcess[str]) -> tuple[int, str, str]:
    """The exit status, and what was written."""
    return script.returncode, script.stdout, script.stderr


def test_the_first_time_the_fingerprint_is_shown_and_the_second_time_nothing(
    start: Start, user: User
) -> None:
    server = start(*PORT)
    ann = Plain(server.port, "ann")
    port = tls_port(server)
    first = user.sends(port, "one")
    assert (first.returncode, first.stdout) == (0, "")
    assert first.stderr == (
        f"*** No authority vouches for 127.0.0.1:{port}, so its certificate is trusted from now "
        f"on. The server's log should show the same fingerprint: {shown(server)}\n"
    )
    assert shown(server) in server.output
    assert outcome(user.sends(port, "two")) == (0, "", "")
    ann.sees("ci: one")
    ann.sees("ci: two")


def test_a_changed_certificate_is_refused_and_nothing_is_sent(
    start: Start, user: User, tmp_path: Path
) -> None:
    pem = tmp_path / "cert.pem"
    pem.write_bytes(tls.make("first.example"))
    server = start(*PORT, "--tls-cert", str(pem))
    port = tls_port(server)
    assert user.sends(port, "one").returncode == 0
    before = shown(server)
    server.stop()

    pem.write_bytes(tls.make("second.example"))
    server = start("--tls-port", str(port), "--tls-cert", str(pem))
    ann = Plain(server.port, "ann")
    refused = user.sends(port, "two", "--reconnect")
    assert (refused.returncode, refused.stdout) == (UNTRUSTED, "")
    assert f"THE CERTIFICATE OF 127.0.0.1:{port} HAS CHANGED." in refused.stderr
    assert before in refused.stderr
    assert shown(server) in refused.stderr
    assert f"delete the lines of 127.0.0.1:{port} in {user.known}" in refused.stderr
    assert "Traceback" not in refused.stderr

    assert "ci connected" not in server.output
    user.known.unlink()
    assert user.sends(port, "three").returncode == 0
    ann.sees("ci: three")
    assert not ann.has_seen("two")


def test_a_pinned_certificate(start: Start, user: User) -> None:
    server = start(*PORT)
    port = tls_port(server)
    assert outcome(user.sends(port, "one", "--fingerprint", shown(server))) == (0, "", "")
    wrong = shown(server)[:-2] + ("00" if not shown(server).endswith("00") else "01")
    refused = user.sends(port, "two", "--fingerprint", wrong)
    assert refused.returncode == UNTRUSTED
    assert "does not have the certificate that --fingerprint asks for" in refused.stderr
    assert not user.known.exists()


def test_an_authority_that_the_system_knows_is_enough(start: Start, tmp_path: Path) -> None:
    authority = Authority()
    (tmp_path / "authority.pem").write_bytes(authority.pem)
    pem = tmp_path / "cert.pem"
    user = User(tmp_path / "home", tmp_path / "authority.pem")
    pem.write_bytes(authority.signs("127.0.0.1"))
    server = start(*PORT, "--tls-cert", str(pem))
    port = tls_port(server)
    assert outcome(user.sends(port, "one")) == (0, "", "")
    server.stop()

    pem.write_bytes(authority.signs("127.0.0.1"))  # renewed
    server = start("--tls-port", str(port), "--tls-cert", str(pem))
    assert outcome(user.sends(port, "two")) == (0, "", "")
    server.stop()

    pem.write_bytes(tls.make("chat.example"))
    start("--tls-port", str(port), "--tls-cert", str(pem))
    refused = user.sends(port, "three")
    assert refused.returncode == UNTRUSTED
    assert "NO AUTHORITY VOUCHES FOR" in refused.stderr


@pytest.mark.parametrize(
    ("address", "days"), [("192.0.2.1", 30), ("127.0.0.1", -1)], ids=["of another", "expired"]
)
def test_what_an_authority_does_not_vouch_for_now_and_here_is_like_any_other(
    start: Start, tmp_path: Path, address: str, days: int
) -> None:
    authority = Authority()
    (tmp_path / "authority.pem").write_bytes(authority.pem)
    pem = tmp_path / "cert.pem"
    pem.write_bytes(authority.signs(address, days=days))
    server = start(*PORT, "--tls-cert", str(pem))
    user = User(tmp_path / "home", tmp_path / "authority.pem")
    assert "No authority vouches for" in user.sends(tls_port(server), "one").stderr


def test_a_port_for_everybody_takes_tls_too(start: Start, user: User) -> None:
    server = start(*PORT)
    ann = Plain(server.port, "ann")
    ann.types("/doors")
    ann.sees(f"*** Join with: twisted-chat --tls 127.0.0.1 {server.port}")
    pinned = ("--fingerprint", shown(server))
    assert outcome(user.sends(server.port, "one", *pinned)) == (0, "", "")
    ann.sees("ci: one")


def test_a_server_without_tls_is_named(server: Server, user: User) -> None:
    script = user.sends(server.port, "one", "--reconnect")
    place = f"127.0.0.1:{server.port}"
    assert outcome(script) == (1, "", f"{place} is not a TLS server: leave out --tls\n")


def test_a_client_without_tls_is_told_what_to_add(start: Start, user: User) -> None:
    server = start(*PORT)
    port = tls_port(server)
    place = ("127.0.0.1", str(port))
    script = run(*CLIENT, *place, "--nick", "ci", said="one\n", env=user.environment)
    why = "The server hung up without a word: if it speaks TLS, add --tls\n"
    assert outcome(script) == (1, "", why)


def test_before_the_certificate_is_accepted_no_byte_of_ours_is_sent(user: User) -> None:
    received = b""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def take() -> None:
            nonlocal received
            link, _ = listening.accept()
            with link:
                received = link.recv(65536)
                link.sendall(b"Welcome to the trap. What is your nickname?\r\n")
                while more := link.recv(65536):
                    received += more

        taking = Thread(target=take)
        taking.start()
        script = user.sends(listening.getsockname()[1], "a secret", "--nick", "sesame")
        taking.join()
    assert script.returncode == 1
    assert received.startswith(b"\x16\x03")
    assert b"secret" not in received
    assert b"sesame" not in received


def test_a_lost_connection_is_made_again_with_tls(start: Start, user: User) -> None:
    server = start(*PORT)
    port = tls_port(server)
    place = ("--tls", f"127.0.0.1:{port}")
    bot = Typist(*CLIENT, *place, "--nick", "bot", "--json", env=user.environment)
    bot.types("here")
    bot.sees('"text":"here"')  # which is stored by now, and so is the session
    server.kill()
    server = start("--tls-port", str(port))
    ann = Plain(server.port, "ann")
    bot.sees('"resumed":true')
    bot.types("still here")
    ann.sees("bot: still here")
    bot.types("/quit")
    assert bot.exits() == 0


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--tls", "unix:/run/chat.sock"), "a UNIX socket has no TLS: leave out --tls"),
        (("--fingerprint", "SHA256:1A"), "a fingerprint is SHA256: and 64 hexadecimal digits"),
    ],
)
def test_what_cannot_be_meant_is_one_line(user: User, options: tuple[str, ...], why: str) -> None:
    script = run(*CLIENT, *options, "--nick", "ci", env=user.environment)
    assert script.returncode == 2
    assert why in script.stderr.splitlines()[-1]
