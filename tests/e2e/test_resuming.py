"""A client whose connection breaks comes back, and neither it nor anybody else notices much."""

from pathlib import Path

import pytest

from tests.e2e.people import Plain, Program, said
from tests.e2e.server import Server

pytestmark = pytest.mark.e2e


def messages(program: Program, room: str) -> list[tuple[int, str]]:
    return [
        (event["id"], event["text"])
        for event in program.events
        if event["event"] in ("message", "whisper") and event["room"] == room
    ]


def test_after_a_reset_it_gets_what_it_missed_once_and_nobody_saw_it_go(server: Server) -> None:
    ann = Plain(server.port, "ann")
    bot = Program(server.port, "bot")
    bot.gets(event="state")
    ann.sees("*** bot has joined #lobby")
    bot.says("before")
    bot.vanishes()
    ann.types("while you were away", "/whisper bot and a secret", "/me waits")
    ann.sees("[whisper to bot] and a secret")
    ann.sees("* ann waits")

    again = Program(server.port, "another name that is ignored", before=bot)
    welcome = again.gets(event="welcome", resumed=True)
    assert welcome["nick"] == "bot"
    again.gets(event="action", text="waits", replayed=True)
    again.says("here I am again")
    assert messages(again, "#lobby") == [
        (1, "before"),
        (2, "while you were away"),
        (4, "here I am again"),
    ]
    assert messages(again, "@") == [(1, "and a secret")]
    ann.sees("bot: here I am again")
    joins_and_leaves = [line for line in ann.lines if "#lobby" in line and "bot has" in line]
    assert [said(line) for line in joins_and_leaves] == ["*** bot has joined #lobby"]


def test_what_was_sent_twice_is_said_once(server: Server) -> None:
    ann = Plain(server.port, "ann")
    bot = Program(server.port, "bot")
    bot.gets(event="state")
    bot.does(do="say", text="did you get this?", ref="c-1")
    bot.vanishes()  # without having read whether it was taken
    ann.sees("bot: did you get this?")
    again = Program(server.port, "bot", before=bot)
    again.does(do="say", text="did you get this?", ref="c-1")
    again.says("yes")
    ann.sees("bot: yes")
    assert sum("did you get" in line for line in ann.lines) == 1


def test_the_old_connection_ends_when_the_new_one_is_quicker(server: Server) -> None:
    bot = Program(server.port, "bot")
    bot.gets(event="state")
    again = Program(server.port, "bot", before=bot)
    again.gets(event="welcome", resumed=True)
    bot.sees_the_end()
    again.says("only one of me")


def test_a_wrong_token_opens_nobodys_session(server: Server) -> None:
    bot = Program(server.port, "bot")
    bot.gets(event="state")
    bot.session = "guessed"
    thief = Program(server.port, "bot", before=bot)
    thief.gets(event="error", code="nick-taken")


def test_after_a_restart_of_the_server_it_goes_on_where_it_was(
    server: Server, tmp_path: Path
) -> None:
    bot = Program(server.port, "bot")
    bot.gets(event="state")
    bot.says("before")
    server.stop()
    bot.sees_the_end()
    back = Server(tmp_path, port=server.port)
    try:
        ann = Plain(back.port, "ann")
        ann.types("after")
        again = Program(back.port, "bot", before=bot)
        again.gets(event="welcome", resumed=True)
        again.gets(event="message", text="after")
        assert messages(again, "#lobby") == [(1, "before"), (2, "after")]
        assert not ann.has_seen("bot has")
    finally:
        back.kill()
