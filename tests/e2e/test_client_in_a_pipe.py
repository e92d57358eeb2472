"""The bundled client in scripts."""

import http.server
import json
import signal
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest

from tests.e2e.client import CLIENT, PLAIN, client
from tests.e2e.conftest import Start
from tests.e2e.patience import run
from tests.e2e.people import Plain, Typist, said
from tests.e2e.server import Server

pytestmark = pytest.mark.e2e


def test_a_line_is_sent_and_nothing_is_printed(server: Server) -> None:
    ann = Plain(server.port, "ann")
    script = run(*client(server, "ci"), said="deploy done\n", env=PLAIN)
    assert (script.returncode, script.stdout, script.stderr) == (0, "", "")
    assert said(ann.sees("deploy done")) == "ci: deploy done"
    ben = Plain(server.port, "ben")
    ann.sees("*** ben has joined")
    assert not any("ci has" in line for line in ann.lines), "nobody is told that it came and went"
    assert ben.has_seen("*** In #lobby: ann, ben (2)")


def test_many_lines_arrive_in_order_though_the_server_slows_them_down(start: Start) -> None:
    server = start("--flood", "20/1")
    ann = Plain(server.port, "ann")
    lines = [f"line {number}" for number in range(80)]
    script = run(*client(server, "ci"), said="\n".join(lines), env=PLAIN)
    assert (script.returncode, script.stderr) == (0, "")
    ann.sees("ci: line 79")
    assert [said(line) for line in ann.lines if ": line" in line] == [
        f"ci: {line}" for line in lines
    ]


def test_no_input_is_silence(server: Server) -> None:
    script = run(*client(server, "ci"), said="", env=PLAIN)
    assert (script.returncode, script.stdout, script.stderr) == (0, "", "")


def test_what_was_not_done_is_said_and_the_status_tells(server: Server) -> None:
    script = run(*client(server, "ci"), said="fine\n/nonsense\n", env=PLAIN)
    assert script.returncode == 1
    assert script.stderr.startswith("!!! There is no command /nonsense")


def test_events_as_they_come(server: Server) -> None:
    ann = Plain(server.port, "ann")
    script = run(*client(server, "ci", "--json"), said="hello\n", env=PLAIN)
    events = [json.loads(line) for line in script.stdout.splitlines()]
    kinds = [event["event"] for event in events]
    assert kinds[0] == "welcome"
    assert "state" in kinds
    (message,) = (event for event in events if event["event"] == "message")
    assert (message["from"], message["text"]) == ("ci", "hello")
    assert "session" not in events[0]  # whoever reads the output could take it over
    ann.sees("ci: hello")


def test_events_are_printed_while_they_come(server: Server) -> None:
    ann = Plain(server.port, "ann")
    bot = Typist(*client(server, "bot", "--json"), env=PLAIN)
    bot.sees('"event":"state"')
    ann.types("is anybody there?")
    event = json.loads(bot.sees("is anybody there?"))
    assert (event["event"], event["from"]) == ("message", "ann")
    bot.types("/quit")
    assert bot.exits() == 0


@pytest.mark.parametrize("options", [(), ("--json",), ("--no-reconnect",), ("--wait", "1s")])
def test_a_server_that_is_not_there(server: Server, options: tuple[str, ...]) -> None:
    server.stop()
    script = run(*client(server, "ci", *options), said="hello\n", env=PLAIN)
    assert script.returncode == 1
    assert script.stdout == ""
    *_, last = script.stderr.splitlines()
    assert last == f"Connection refused by 127.0.0.1 port {server.port}: is the server running?"


def test_a_web_server_is_named() -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler) as web:
        Thread(target=web.serve_forever, daemon=True).start()
        place = f"127.0.0.1:{web.server_port}"
        script = run(*CLIENT, place, "--nick", "ci", "--reconnect", said="hello\n", env=PLAIN)
        web.shutdown()
    assert script.returncode == 1
    assert script.stderr.splitlines()[-1].endswith(
        "is a web server, not a chat server: check the host and the port"
    )


def test_a_unix_socket(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "chat.sock"
    start(where=("--endpoint", f"unix:{path}"))
    bot = Typist(*CLIENT, f"unix:{path}", "--nick", "bot", "--json", env=PLAIN)
    bot.sees('"event":"state"')
    script = run(*CLIENT, f"unix:{path}", "--nick", "ci", said="hello\n", env=PLAIN)
    assert (script.returncode, script.stderr) == (0, "")
    bot.sees('"text":"hello"')


def test_a_script_that_is_interrupted_has_failed(server: Server) -> None:
    bot = Typist(*client(server, "bot", "--json"), env=PLAIN)
    bot.sees('"event":"state"')
    bot.process.send_signal(signal.SIGINT)
    assert bot.exits() != 0


def test_what_cannot_be_meant_is_one_line() -> None:
    script = run(*CLIENT, "127.0.0.1:99999", "--nick", "ci", env=PLAIN)
    assert script.returncode == 2
    *_, last = script.stderr.splitlines()
    assert "a port is a number from 1 to 65535, not '99999'" in last
    assert "Traceback" not in script.stderr


@pytest.mark.parametrize("ends", [Server.stop, Server.kill], ids=["stopped", "killed"])
def test_what_was_typed_while_the_server_was_away_is_said_once(
    start: Start, ends: Callable[[Server], object]
) -> None:
    server = start()
    bot = Typist(*client(server, "bot", "--json"), env=PLAIN)
    bot.sees('"event":"state"')
    bot.types("before")
    bot.sees('"text":"before"')
    ends(server)
    bot.types("in between")
    server = start(port=server.port)
    ann = Plain(server.port, "ann")
    ann.sees("bot: in between")
    bot.types("after")
    ann.sees("bot: after")
    heard = [said(line) for line in ann.lines if "bot: " in line]
    assert heard == ["bot: before", "bot: in between", "bot: after"]
    assert not ann.has_seen("bot has left")
