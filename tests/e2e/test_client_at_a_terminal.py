"""The bundled client at a terminal, as its screen shows it."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.e2e.client import client, without_home
from tests.e2e.conftest import Start
from tests.e2e.patience import eventually
from tests.e2e.people import Plain, Typist, said
from tests.e2e.server import Server
from tests.e2e.terminal import Terminal

pytestmark = pytest.mark.e2e

Sit = Callable[..., Terminal]


@pytest.fixture
def sit() -> Iterator[Sit]:
    """Seats somebody at a terminal, in front of the client."""
    terminals = []
    with TemporaryDirectory() as folder:  # a path that is short enough for a socket's name

        def sit_down(server: Server, nick: str, *options: str) -> Terminal:
            command = client(server, nick, *options)
            environment = without_home(Path(folder))
            terminals.append(Terminal(Path(folder), *command, environment=environment))
            return terminals[-1]

        yield sit_down
        for terminal in terminals:
            terminal.goes()


def test_one_talks_and_listens(server: Server, sit: Sit) -> None:
    ann = Plain(server.port, "ann")
    bob = sit(server, "bob")
    bob.shows("*** In #lobby: ann, bob (2)")
    bob.types("grüße 漢字 😀")
    bob.presses("Enter")
    assert said(ann.sees("grüße")) == "bob: grüße 漢字 😀"
    bob.shows("bob: grüße 漢字 😀")
    ann.types("hello bob")
    bob.shows("ann: hello bob")
    bob.presses("C-d")
    bob.shows("ended with 0")
    ann.sees("*** bob has left #lobby")


def test_what_is_half_typed_is_not_disturbed(server: Server, sit: Sit) -> None:
    ann = Plain(server.port, "ann")
    bob = sit(server, "bob")
    bob.shows("connected")
    bob.types("half 漢")
    bob.shows("#lobby> half 漢")
    column = bob.cursor
    ann.types("one", "two", "three")
    bob.shows("ann: three")
    bob.shows("#lobby> half 漢")
    assert bob.cursor == column
    bob.types(" a line")
    bob.presses("Enter")
    assert said(ann.sees("half")) == "bob: half 漢 a line"


def test_a_file_is_sent_to_the_room(server: Server, sit: Sit, tmp_path: Path) -> None:
    report = tmp_path / "report.pdf"
    report.write_bytes(bytes(1_234_567))
    ann = Plain(server.port, "ann")
    bob = sit(server, "bob")
    bob.shows("connected")
    bob.types("/sen")
    bob.presses("Tab")
    bob.shows("#lobby> /send")
    bob.types(str(report))
    bob.presses("Enter")
    ann.sees("bob sent report.pdf (1.2 MB): http://")
    bob.shows("bob sent report.pdf (1.2 MB):")
    bob.types("/send nothing")
    bob.presses("Enter")
    bob.shows("!!! nothing cannot be sent: No such file or directory.")


def test_the_keys_of_every_terminal(server: Server, sit: Sit) -> None:
    ann = Plain(server.port, "ann")
    bob = sit(server, "bob")
    bob.shows("connected")
    bob.types("never mind")
    bob.shows("#lobby> never mind")
    bob.presses("C-c")
    eventually(lambda: "#lobby>" in bob.screen, "Ctrl-C clears the line")
    bob.types("/whoi")
    bob.presses("Tab")
    bob.shows("#lobby> /whois")
    bob.types("an")
    bob.presses("Tab")
    bob.shows("#lobby> /whois ann")
    bob.presses("C-c")
    eventually(lambda: "#lobby>" in bob.screen, "Ctrl-C clears the line")
    bob.types("again")
    bob.presses("Enter")
    ann.sees("bob: again")
    eventually(lambda: "#lobby> again" not in bob.screen, "a new line is asked for")

    def recalls_it() -> bool:
        bob.presses("Up")  # there is only one line to recall, so once too often does no harm
        return "#lobby> again" in bob.screen

    eventually(recalls_it, "the line before is back")
    bob.presses("Enter")
    ann.waits(lambda: sum("bob: again" in line for line in ann.lines) == 2, "the same line twice")
    assert not ann.has_seen("never mind")


@pytest.mark.parametrize("options", [(), ("--plain",)], ids=["prompt", "plain"])
def test_a_long_line_is_broken_between_words(
    server: Server, sit: Sit, options: tuple[str, ...]
) -> None:
    ann = Plain(server.port, "ann")
    bob = sit(server, "bob", *options)
    bob.shows("*** In #lobby: ann, bob (2)")
    ann.types("butterfly " * 10 + "end")
    bob.shows(" end")
    below = [line.strip() for line in bob.screen if line.startswith(len("[12:35:02] ann: ") * " ")]
    assert below == ["butterfly " * 5 + "end"]


def test_rooms_are_changed_by_keys_and_seen_one_at_a_time(server: Server, sit: Sit) -> None:
    ann = Plain(server.port, "ann")
    bob = sit(server, "bob")
    bob.shows("connected")
    for line, shown in (
        ("/join dev", "There is no room #dev"),  # it asks before it makes a room
        ("/join dev", "#dev>"),
        ("/view room", "1:#lobby"),
    ):
        bob.types(line)
        bob.presses("Enter")
        bob.shows(shown)
    ann.types("hello bob")
    bob.shows("1:#lobby +1")
    assert not any("hello bob" in line for line in bob.screen)
    bob.presses("M-a")
    bob.shows("ann: hello bob")
    bob.presses("C-n")
    bob.shows("#dev>")


def test_another_size(server: Server, sit: Sit) -> None:
    ann = Plain(server.port, "ann")
    bob = sit(server, "bob")
    bob.shows("connected")
    bob.types("a line that is long enough to be broken")
    for size in ((30, 10), (100, 30), (50, 12)):
        bob.is_resized(*size)
    ann.types("still there?")
    bob.shows("ann: still there?")
    bob.presses("Enter")
    ann.sees("bob: a line that is long enough to be broken")


def test_a_restart_of_the_server_is_said_and_survived(start: Start, sit: Sit) -> None:
    server = start()
    bob = sit(server, "bob")
    bob.shows("connected")
    server.stop()
    bob.shows("The server is shutting down")
    bob.types("said while it was down")
    bob.presses("Enter")
    server = start(port=server.port)
    ann = Plain(server.port, "ann")
    ann.sees("bob: said while it was down")
    bob.shows("bob: said while it was down")
    assert sum("said while" in line for line in ann.lines) == 1
    assert not ann.has_seen("bob has left")


def test_the_terminal_is_closed(server: Server, sit: Sit) -> None:
    ann = Plain(server.port, "ann")
    bob = sit(server, "bob")
    bob.shows("connected")
    ann.sees("*** bob has joined")
    bob.goes()
    ann.sees("*** bob has left #lobby")


def test_without_colours_and_cursor_movements(server: Server, tmp_path: Path) -> None:
    ann = Plain(server.port, "ann")
    command = client(server, "bob", "--plain")
    bob = Typist(*command, terminal=True, env=without_home(tmp_path))
    bob.sees("*** In #lobby: ann, bob (2)")
    bob.types("hello")
    ann.sees("bob: hello")
    ann.types("good bye")
    bob.sees("ann: good bye")
    bob.types("/quit")
    assert bob.exits() == 0
    assert not any("\x1b" in line for line in bob.lines)


def still_running(server: Server) -> list[str]:
    """The clients of a server that have not ended."""
    commands = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            commands.append(path.read_text(errors="replace").replace("\0", " "))
    ours = f"-m twisted_chat.client 127.0.0.1 {server.port} "
    return [command for command in commands if ours in command]


def test_who_loses_the_server_and_the_terminal_at_once_leaves_nothing_behind(
    server: Server, sit: Sit
) -> None:
    people = [sit(server, f"bob{number}") for number in range(4)]
    for person in people:
        person.shows("connected")
    server.kill()
    people[0].goes()
    eventually(lambda: not still_running(server), "the clients end")
