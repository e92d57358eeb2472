"""Accounts on a real server: several devices, the client's ways in, and a killed server."""

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.e2e.client import PLAIN, client, without_home
from tests.e2e.patience import run
from tests.e2e.people import Plain, said
from tests.e2e.server import Server
from tests.e2e.terminal import Terminal

pytestmark = pytest.mark.e2e

SECRET = "correct horse"

Sit = Callable[..., Terminal]


@pytest.fixture
def home() -> Iterator[Path]:
    """Where the client keeps what it keeps; a path that is short enough for a socket's name."""
    with TemporaryDirectory() as folder:
        yield Path(folder)


def alice_at(server: Server) -> Plain:
    """Alice, who answers both questions."""
    alice = Plain(server.port)
    alice.sees("What is your nickname?")
    alice.types("alice")
    alice.sees("Password for alice:")
    alice.types(SECRET)
    alice.sees("*** Welcome, alice!")
    return alice


def test_an_account_its_devices_and_its_whispers_outlive_a_killed_server(tmp_path: Path) -> None:
    server = Server(tmp_path)
    try:
        alice = Plain(server.port, "alice")
        alice.types(f"/register {SECRET}")
        alice.sees("The nickname alice is yours.")
        another, bob = alice_at(server), Plain(server.port, "bob")
        alice.types("hello")
        assert said(another.sees(": hello")) == said(bob.sees(": hello")) == "alice: hello"
        alice.types("/quit")
        another.types("/quit")
        bob.sees("*** alice has left")
        bob.types("@alice psst")
        bob.sees("alice is not here, and will read it when back.")
        server.kill()
        server = Server(tmp_path)
        assert said(alice_at(server).sees("psst")) == "[whisper from bob] psst"
        assert SECRET not in server.output
    finally:
        server.kill()


def test_the_client_shows_and_keeps_no_password(server: Server, home: Path) -> None:
    alice = Terminal(home, *client(server, "alice"), environment=without_home(home))
    another = None
    try:
        alice.shows("connected")
        alice.types(f"/register {SECRET}")
        alice.shows("/register *************")
        alice.presses("Enter")
        alice.shows("The nickname alice is yours.")
        with TemporaryDirectory() as elsewhere:
            place = Path(elsewhere)
            another = Terminal(place, *client(server, "alice"), environment=without_home(place))
            another.shows("Password for alice:")
            another.types(SECRET)
            another.shows("*************")
            another.presses("Enter")
            another.shows("Welcome to Twisted Chat, alice!")
            another.types("hello from here")
            another.presses("Enter")
            alice.shows("alice: hello from here")
            another.goes()
            another = None
        for path in home.rglob("history"):
            assert SECRET not in path.read_text()
    finally:
        alice.goes()
        if another is not None:
            another.goes()


def test_a_script_reads_its_password_from_a_file(server: Server, home: Path) -> None:
    ci = Plain(server.port, "ci")
    ci.types(f"/register {SECRET}")
    ci.sees("is yours")
    path = home / "password"
    path.write_text(f"{SECRET}\n")
    script = run(*client(server, "ci", "--password-file", str(path)), said="built\n", env=PLAIN)
    assert (script.returncode, script.stdout, script.stderr) == (0, "", "")
    assert said(ci.sees("built")) == "ci: built"
    path.write_text("wrong wrong\n")
    script = run(*client(server, "ci", "--password-file", str(path)), said="built\n", env=PLAIN)
    assert script.returncode == 1
    assert "The nickname or the password is wrong" in script.stderr
