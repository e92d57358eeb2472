"""The programs in the documentation, as they stand there, on a real server."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Start
from tests.e2e.patience import PATIENCE, eventually, needs
from tests.e2e.people import Plain
from tests.e2e.server import ENVIRONMENT
from tests.pages import block

pytestmark = pytest.mark.e2e


class Bots:
    """Programs that run until the test is over.

    Args:
        folder: where they stand.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []

    def starts(self, source: str, *arguments: str, command: str = sys.executable) -> None:
        """Run a program."""
        file = self._folder / f"bot-{len(self._processes)}"
        file.write_text(source)
        with self.output.open("ab") as output:
            self._processes.append(
                subprocess.Popen(
                    [command, str(file), *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    env=ENVIRONMENT | {"TMPDIR": str(self._folder)},
                    start_new_session=True,
                )
            )

    @property
    def output(self) -> Path:
        """What they write."""
        return self._folder / "bots-output"

    def stop(self) -> None:
        """End them, and what they have started."""
        for process in self._processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(PATIENCE)

    def are_interrupted(self) -> list[int]:
        """Ctrl-C; gives their exit statuses."""
        for process in self._processes:
            process.send_signal(signal.SIGINT)
        return [process.wait(PATIENCE) for process in self._processes]


@pytest.fixture
def bots(tmp_path: Path) -> Iterator[Bots]:
    """Programs that run until the test is over, and do not fail."""
    running = Bots(tmp_path)
    yield running
    running.stop()
    assert "Traceback" not in running.output.read_text()


def works(start: Start, bots: Bots, bot: tuple[str, str], asked: str, answered: str) -> None:
    """See that a bot answers, what is asked from now on, also when the server was restarted.

    Args:
        start: starts servers.
        bots: runs the bot.
        bot: its source, and what runs it.
        asked: what it answers.
        answered: a pattern of the answer, which begins with the bot's nickname.
    """
    server = start()
    ann = Plain(server.port, "ann")
    ann.types(asked, "/rooms")  # nobody is there to answer; it is history for the bot
    ann.sees("#lobby: ")
    bots.starts(bot[0], "127.0.0.1", str(server.port), command=bot[1])
    answers(ann, asked, answered, known=0)
    server.kill()
    again = start(port=server.port)
    answers(Plain(again.port, "ann"), asked, answered, known=2)


def answers(person: Plain, asked: str, answered: str, known: int) -> None:
    """Ask a bot twice, once it is there, and see two answers and no more.

    Args:
        person: who asks.
        asked: what.
        answered: a pattern of the answer.
        known: how many answers there are before.
    """
    nick = answered.partition(":")[0]

    def is_here() -> bool:
        *_, listed = [line for line in person.lines if "*** In #lobby: " in line]
        person.types("/users")
        person.reads(0.5)
        return re.search(rf" {nick}[, ](?!\(reconnecting)", listed) is not None

    person.waits(is_here, f"{nick} in the lobby")

    def found() -> int:
        return len([line for line in person.lines if re.search(answered, line)])

    assert found() == known
    for count in (1, 2):
        person.types(asked)
        person.waits(lambda more=count: found() == known + more, answered)  # type: ignore[misc]  # its default
    person.types("/time")
    person.sees("server's time")  # so all that came before has been read
    assert found() == known + 2


def test_the_bot_of_the_standard_library(start: Start, bots: Bots) -> None:
    source = block("docs/bots.md", "python", "# roll.py")
    works(start, bots, (source, sys.executable), "!roll", r"dice: ann: [1-6]$")


def test_the_bot_on_chat_client(start: Start, bots: Bots) -> None:
    source = block("docs/bots.md", "python", "# todo.py")
    answer = r"todo: ann: that is number \d$"
    works(start, bots, (source, sys.executable), "!todo sleep", answer)


def test_the_bot_in_a_shell(start: Start, bots: Bots) -> None:
    needs("nc")
    source = block("docs/bots.md", "sh", "# uptime.sh")
    works(start, bots, (source, "sh"), "!uptime", r"uptime: ann: .*load")


def test_the_bot_in_the_readme(start: Start, bots: Bots) -> None:
    source = block("README.md", "python", "ChatClient")
    assert len([line for line in source.splitlines() if line]) <= 16, "that is not short any more"
    works(start, bots, (source, sys.executable), "!ping", r"pong: ann: pong$")


def test_the_server_in_the_page_about_embedding(bots: Bots) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    source = block("docs/embedding.md", "python", "class House")
    bots.starts(source, f"tcp:{port}:interface=127.0.0.1")
    eventually(lambda: answers_at(port), "the server listens")
    bob, alice = Plain(port, "bob"), Plain(port, "alice")
    bob.types("hello", "who wants to come to my casino?", "/join staff")
    bob.sees("!!! No advertising here: talk about something else.")
    bob.sees("!!! #staff is for the staff: ask alice.")
    alice.types("/join staff")
    alice.sees("*** You are in #staff")
    bob.types("/quit")
    bob.sees_the_end()
    alice.types("good riddance", "/time")
    alice.sees("server's time")
    assert bots.output.read_text().splitlines() == [
        "2 here; #lobby 1 bob: hello",
        "1 here; #staff 1 alice: good riddance",
    ]
    assert bots.are_interrupted() == [0]
    alice.sees("*** The server is shutting down")
    alice.sees_the_end()


def answers_at(port: int) -> bool:
    """Whether anybody listens there."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False
