"""However the chat is installed, twistd finds it, from any folder."""

import os
import signal
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.e2e.patience import run
from tests.e2e.people import Plain, Typist
from tests.e2e.server import ROOT

pytestmark = pytest.mark.e2e


class Environment:
    """A virtual environment that has everything but the chat.

    What the chat depends on is borrowed from the environment of the tests: a line in a `.pth`
    file lends the packages there, but not what is installed in editable form.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        venv.create(folder, symlinks=True)
        self.python = folder / "bin" / "python"
        self.site = Path(self.asks("import sysconfig; print(sysconfig.get_path('purelib'))"))
        lent = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
        (self.site / "lent.pth").write_text("\n".join(lent))

    def asks(self, program: str) -> str:
        """What a program prints."""
        return run(str(self.python), "-c", program, cwd=self.folder).stdout.strip()

    def installs(self, *arguments: str) -> None:
        """Install something without looking at the network."""
        pip = (sys.executable, "-m", "pip", "--python", str(self.python))
        install = ("install", "-q", "--no-deps", "--no-build-isolation", "--no-index")
        done = run(*pip, *install, *arguments, cwd=self.folder)
        assert done.returncode == 0, done.stderr

    def twistd(self, folder: Path, path: str = "") -> subprocess.CompletedProcess[str]:
        """`twistd chat --help`, in some folder."""
        environment = {key: os.environ[key] for key in os.environ if key != "PYTHONPATH"}
        if path:
            environment["PYTHONPATH"] = path
        program = "import sys; sys.path.remove(''); from twisted.scripts.twistd import run; run()"
        command = (str(self.python), "-c", program, "chat", "--help")
        return run(*command, cwd=folder, env=environment)


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    environment = Environment(tmp_path / "venv")
    assert "Unknown command: chat" in environment.twistd(tmp_path).stdout
    return environment


def finds_it(environment: Environment, folder: Path) -> None:
    shown = environment.twistd(folder)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "A chat room that anyone can join" in shown.stdout


def test_pip_install(environment: Environment, tmp_path: Path) -> None:
    environment.installs(str(ROOT))
    finds_it(environment, tmp_path)
    finds_it(environment, Path("/"))
    finds_it(environment, ROOT)
    assert (environment.site / "twisted_chat" / "limits.py").exists()
    assert not (environment.site / "twisted" / "__init__.py").exists()
    assert not (environment.site / "tests").exists()


def test_pip_install_editable(environment: Environment, tmp_path: Path) -> None:
    environment.installs("-e", str(ROOT))
    finds_it(environment, tmp_path)
    finds_it(environment, ROOT)
    where = environment.asks("import twisted_chat; print(twisted_chat.__file__)")
    assert Path(where).is_relative_to(ROOT)


def test_a_wheel(environment: Environment, tmp_path: Path) -> None:
    build = (sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation")
    built = run(*build, "-w", str(tmp_path), str(ROOT), cwd=tmp_path)
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("twisted_chat-*.whl")
    environment.installs(str(wheel))
    finds_it(environment, tmp_path)
    client = run(str(environment.folder / "bin" / "twisted-chat"), "--version", cwd=tmp_path)
    assert client.stdout.startswith("twisted-chat 0")


def test_the_bare_checkout(environment: Environment) -> None:
    shown = environment.twistd(ROOT, path=".")
    assert "A chat room that anyone can join" in shown.stdout


def test_its_own_command_runs_a_server_where_there_is_no_twistd(
    environment: Environment, tmp_path: Path
) -> None:
    environment.installs(str(ROOT))
    command = environment.folder / "bin" / "twisted-chat-server"
    assert not (environment.folder / "bin" / "twistd").exists()
    shown = run(str(command), "--help", cwd=tmp_path)
    assert shown.stdout.startswith("Usage: twisted-chat-server [options]\n")
    server = Typist(str(command), "-i", "127.0.0.1", "-p", "0", cwd=tmp_path)
    line = server.sees("Join with: nc 127.0.0.1 ")
    Plain(int(line.split()[-1])).comes_in("ann")
    assert not (tmp_path / "twistd.pid").exists()
    server.process.send_signal(signal.SIGTERM)
    assert server.exits() == -signal.SIGTERM


def test_twisted_is_the_real_one(environment: Environment) -> None:
    environment.installs(str(ROOT))
    where = environment.asks("import twisted; print(twisted.__file__)")
    assert where.endswith("twisted/__init__.py")
