"""What the server can be told when it starts."""

from pathlib import Path

import pytest

from tests.e2e.conftest import Start
from tests.e2e.patience import eventually
from tests.e2e.people import Plain, Program, said

pytestmark = pytest.mark.e2e


def talk_a_little(port: int) -> None:
    """Things that a transcript has, and things that it does not have."""
    ann = Plain(port, "ann")
    ben = Plain(port, "ben")
    ann.sees("*** ben has joined")
    ann.types("grüße", "/me waves", "/whisper ben a secret")
    ben.sees("[whisper from ann] a secret")
    ben.types("/join #dev", "in another room", "/quit")
    ben.sees_the_end()
    ann.sees("*** ben has left #lobby")


TRANSCRIPT = """*** ann has joined #lobby
*** ben has joined #lobby
ann: grüße
* ann waves
*** ben has joined #dev
#dev ben: in another room
*** ben has left #lobby
*** ben has left #dev""".splitlines()


def by_room(lines: list[str]) -> tuple[list[str], list[str]]:
    """The lines of the lobby and those of the other room: each has an order of its own."""
    return [x for x in lines if "#dev" not in x], [x for x in lines if "#dev" in x]


def test_a_transcript_in_a_file(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "transcript"
    path.write_text("[12:00:00] what was there before\n")
    server = start("--transcript", "transcript")
    talk_a_little(server.port)
    written = [said(line) for line in path.read_text().splitlines()]
    assert written[0] == "what was there before"
    assert by_room(written[1:]) == by_room(TRANSCRIPT)
    server.stop()
    assert b"\r" not in path.read_bytes()


def test_a_transcript_on_the_console(start: Start) -> None:
    server = start("--transcript", "-")
    talk_a_little(server.port)
    written = [said(line) for line in server.output.splitlines()]
    assert by_room([line for line in written if line in TRANSCRIPT]) == by_room(TRANSCRIPT)
    assert "a secret" not in server.output


def test_nothing_that_is_said_is_on_the_console_otherwise(start: Start) -> None:
    server = start()
    talk_a_little(server.port)
    assert "ann connected" in server.output
    for word in ("grüße", "waves", "secret", "another room"):
        assert word not in server.output


def test_a_name_and_a_message_of_the_day(start: Start, tmp_path: Path) -> None:
    (tmp_path / "motd").write_text("Be nice.\n\nTea at four ☕\n")
    server = start("--name", "Café Twist", "--motd", "motd")
    ann = Plain(server.port, "ann")
    assert ann.lines[0] == "Welcome to Café Twist. What is your nickname?"
    assert ann.lines[2:5] == ["*** Be nice.", "*** ", "*** Tea at four ☕"]
    welcome = Program(server.port, "bot").gets(event="welcome")
    assert welcome["server"] == "Café Twist"
    assert welcome["motd"] == ["Be nice.", "", "Tea at four ☕"]


def test_nicknames_of_few_characters(start: Start) -> None:
    server = start("--nickname-characters", "3", "--nickname-bytes", "3")
    ann = Plain(server.port)
    ann.types("anna")
    ann.sees("!!! That nickname is too long: use at most 3")
    ann.types("ann")
    ann.sees("*** Welcome, ann!")


def test_no_more_than_so_many(start: Start) -> None:
    server = start("--max-clients", "2")
    ann = Plain(server.port, "ann")
    ben = Plain(server.port, "ben")
    third = Plain(server.port)
    third.sees_the_end()
    assert third.lines == ["!!! The server is full: try again in a minute."]
    ben.types("/quit")
    ben.sees_the_end()
    eventually(lambda: "ben has left" in server.output, "there is room again")
    Plain(server.port, "cleo").types("hello")
    ann.sees("cleo: hello")


def test_thirty_lines_at_once_wait_their_turn(start: Start) -> None:
    server = start()
    ann = Plain(server.port, "ann")
    ben = Plain(server.port, "ben")
    ann.sees("*** ben has joined")
    ben.types(*(f"line {number} of a poem" for number in range(45)))
    refusal = ben.sees("!!! ")
    assert refusal.startswith("!!! You are sending too fast, and lines are lost: wait ")
    ann.sees("ben: line 9 of")
    assert not ann.has_seen("ben: line 20 of")
    ben.sees("!!! ")
    ann.sees("ben: line 29 of")
    heard = [line.split()[3] for line in ann.lines if "of a poem" in line]
    assert heard == [str(number) for number in range(30)]
    ben.types("and on I go")
    ann.sees("ben: and on I go")
    assert not ann.has_seen("ben: line 30")
    assert sum(line.startswith("!!! ") for line in ben.lines) == 1


def test_as_fast_as_one_likes(start: Start) -> None:
    server = start("--flood", "off")
    ann = Plain(server.port, "ann")
    ben = Plain(server.port, "ben")
    ben.types(*(f"line {number}" for number in range(3000)))
    ann.sees("ben: line 2999")
    heard = [int(line.split()[-1]) for line in ann.lines if "ben: line" in line]
    assert heard == list(range(3000))


def test_as_fast_as_one_is_told(start: Start) -> None:
    server = start("--flood", "2/1")
    ann = Plain(server.port, "ann")
    ben = Plain(server.port, "ben")
    ben.types(*(f"line {number}" for number in range(30)))
    assert "wait" in ben.sees("!!! ")
    ann.sees("ben: line 3")
