"""Several processes that are one server, on a real PostgreSQL: they end, and others come."""

import json
import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.client import PLAIN, client
from tests.e2e.conftest import Start
from tests.e2e.patience import PATIENCE, eventually, run
from tests.e2e.people import Plain, Program, Typist
from tests.e2e.server import ENVIRONMENT, TWISTD, Server
from tests.e2e.test_instruments import page
from tests.e2e.test_socket_activation import Caller
from tests.postgres import Engine, why_not

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(bool(why_not()), reason=why_not())]

COUNT = 2
"""Processes of a server."""


Several = Callable[..., Server]


@pytest.fixture
def several(start: Start, shared_engine: Engine) -> Iterator[Several]:
    """Starts a server of several processes; after the test, none of them is left."""
    servers: list[Server] = []

    def start_several(*options: str, **more: object) -> Server:
        words = ("--processes", str(COUNT), "--db", shared_engine.new(), "--flood", "off")
        server = start(*words, *options, **more)
        servers.append(server)
        eventually(lambda: server.output.count(" is ready") == COUNT, "all processes are ready")
        return server

    yield start_several
    for server in servers:
        left = processes(server)
        server.kill()
        eventually(lambda: not any(map(is_there, left)), "they end without their parent")  # noqa: B023


def processes(server: Server) -> list[int]:
    """The processes of a server, the oldest first, without their parent."""
    tasks = Path(f"/proc/{server.process.pid}/task").glob("*/children")
    return sorted(int(child) for each in tasks for child in each.read_text().split())


def is_there(process: int) -> bool:
    """Whether there is such a process, and not only its exit status."""
    try:
        return ") Z " not in Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False


def kill_one(server: Server) -> int:
    """Kill the oldest process of a server."""
    (killed, *_) = processes(server)
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: not is_there(killed), "it is dead")
    return killed


def upgrade(server: Server) -> None:
    """Upgrade a server, until the new processes have taken over."""
    server.signal(signal.SIGUSR2)
    eventually(lambda: "New processes have taken over" in server.output, "they take over")


def test_a_process_that_is_killed_is_replaced_and_nobody_is_refused(several: Several) -> None:
    server = several()
    bot = Program(server.port, "bot")
    bot.says("before")
    killed = kill_one(server)
    callers = [Plain(server.port) for _ in range(50)]
    for caller in callers:
        caller.sees("What is your nickname?")
    assert killed not in processes(server)
    assert len(processes(server)) == COUNT
    assert "Process 1 is replaced: it was ended by signal 9" in server.output


def test_a_process_that_stands_still_keeps_nobody_out(several: Several) -> None:
    server = several()
    (frozen, *_) = processes(server)
    os.kill(frozen, signal.SIGSTOP)
    callers = [Plain(server.port) for _ in range(50)]
    for caller in callers:
        caller.sees("What is your nickname?")
    os.kill(frozen, signal.SIGKILL)


def process_of(server: Server, nickname: str) -> int:
    """The number of the process that somebody is at."""
    eventually(lambda: f"{nickname} connected" in server.output, f"{nickname} is in")
    (number,) = re.findall(rf"\[process (\d), chat#info\] {nickname} connected", server.output)
    return int(number)


def test_a_process_that_stood_still_for_too_long_is_replaced_and_its_people_come_back(
    several: Several,
) -> None:
    server = several("--metrics", "0")
    programs = [Program(server.port, f"bot{number}") for number in range(10)]
    people = [Plain(server.port, f"ann{number}") for number in range(10)]
    there = [each for number, each in enumerate(people) if process_of(server, f"ann{number}") == 1]
    others = [each for each in people if each not in there]
    bots = [bot for number, bot in enumerate(programs) if process_of(server, f"bot{number}") == 1]
    assert there
    assert others
    assert bots
    ann, ben, bot = there[0], others[0], bots[0]
    name = f"ann{people.index(ann)}"
    bot.gets(event="state")
    (frozen, *_) = processes(server)
    os.kill(frozen, signal.SIGSTOP)
    ann.types("from beyond the grave")
    ben.sees(f"*** {name} has left #lobby (connection lost)")
    assert page(server, "/healthz") == (503, "process 1: does not answer\n")
    os.kill(frozen, signal.SIGCONT)
    ann.sees("!!! That could not be stored")
    ann.sees("This server was cut off from the others for too long: connect again.")
    ann.sees_the_end()
    assert sum("cut off" in line for line in ann.lines) == 1
    again = Program(server.port, "bot", before=bot)
    again.gets(event="welcome", resumed=True)
    again.says("here I am again")
    ben.sees(": here I am again")
    eventually(lambda: server.output.count("Process 1 is ready") == 2, "it is replaced")
    assert "Process 1 is replaced: it ended with exit status 1" in server.output
    eventually(lambda: page(server, "/healthz") == (200, "ok\n"), "it is well again")
    for other in others:
        other.types("/time")
        other.sees("*** The server's time is")
        assert not other.has_seen("from beyond the grave")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
def test_it_stops_in_good_order_and_leaves_nothing_behind(
    several: Several, number: signal.Signals, tmp_path: Path
) -> None:
    path = tmp_path / "chat.sock"
    server = several(where=("--endpoint", f"unix:{path}:mode=600"))
    assert path.stat().st_mode & 0o777 == 0o600
    ann = Plain(path, "ann")
    all_of_them = processes(server)
    server.signal(number)
    ann.sees("*** The server is shutting down")
    ann.sees_the_end()
    assert server.process.wait(PATIENCE) == -number
    assert not any(map(is_there, all_of_them))
    assert not path.exists()


def test_all_of_them_read_the_options_again(several: Several, tmp_path: Path) -> None:
    (tmp_path / "motd").write_text("Be kind.\n")
    (tmp_path / "chat.toml").write_text("motd = 'motd'\n")
    server = several("--config", "chat.toml")
    (tmp_path / "motd").write_text("Be quick.\n")
    server.signal(signal.SIGHUP)
    eventually(lambda: server.output.count("were reloaded") == COUNT, "they read them again")
    for number in range(1, COUNT + 1):
        assert f"[process {number}, chat#info] The options were reloaded" in server.output
    Plain(server.port).comes_in("ann").sees("*** Be quick.")
    (tmp_path / "chat.toml").write_text("motd = 7 = 8\n")
    server.signal(signal.SIGHUP)
    eventually(lambda: "nothing is changed" in server.output, "it says what is wrong")
    assert server.output.count("nothing is changed") == 1


def test_a_process_that_comes_later_has_the_options_of_the_start_that_need_a_restart(
    several: Several, tmp_path: Path
) -> None:
    (tmp_path / "chat.toml").write_text("port = 0\ninterface = '127.0.0.1'\n")
    server = several("--config", "chat.toml", where=())
    (tmp_path / "chat.toml").write_text("port = 1\nno-db = true\nname = 'The lab'\n")
    before = set(processes(server))
    kill_one(server)
    eventually(lambda: server.output.count("Process 1 is ready") == 2, "it is replaced")
    assert "cannot start" not in server.output
    for other in before & set(processes(server)):
        os.kill(other, signal.SIGSTOP)
    Plain(server.port).sees("Welcome to The lab.")
    for other in before & set(processes(server)):
        os.kill(other, signal.SIGCONT)


def test_metrics_and_health_of_all_are_on_one_page(several: Several) -> None:
    server = several("--metrics", "0")
    Plain(server.port, "ann")
    status, text = page(server, "/metrics")
    assert status == 200
    for number in range(1, COUNT + 1):
        assert f'chat_people{{node="{number}"}} ' in text
    assert text.count("# TYPE chat_people gauge") == 1
    assert 'process_open_fds{node="parent"}' in text
    assert page(server, "/healthz") == (200, "ok\n")
    (frozen, *_) = processes(server)
    os.kill(frozen, signal.SIGSTOP)
    assert page(server, "/healthz") == (503, "process 1: does not answer\n")
    os.kill(frozen, signal.SIGCONT)
    eventually(lambda: page(server, "/healthz") == (200, "ok\n"), "it is well again")


def test_a_log_in_json_says_which_process_it_was(several: Several) -> None:
    server = several("--log-format", "json")
    Plain(server.port, "ann").types("/quit")
    eventually(lambda: "ann has left" in server.output, "it says so")
    things = [json.loads(line) for line in server.output.splitlines()]
    (left,) = [thing for thing in things if thing["text"] == "ann has left"]
    assert {"nick": "ann", "level": "info", "namespace": "chat"}.items() <= left.items()
    assert left["process"] in range(1, COUNT + 1)


def test_tls_has_the_same_certificate_everywhere_and_after_an_upgrade(several: Several) -> None:
    server = several("--tls-port", "0")
    eventually(lambda: "fingerprint" in server.output, "it tells the fingerprint")
    (told,) = re.findall(r"fingerprint is (\S+)", server.output)

    def fingerprint() -> str:
        shown = run("openssl", "s_client", "-connect", f"127.0.0.1:{server.port}").stdout
        shown = run("openssl", "x509", "-noout", "-fingerprint", "-sha256", said=shown).stdout
        return "SHA256:" + shown.strip().rpartition("=")[2]

    assert [fingerprint() for _ in range(2 * COUNT)] == [told] * 2 * COUNT
    kill_one(server)
    assert fingerprint() == told


def test_an_administrator_reloads_and_stops_all_of_them(several: Several, tmp_path: Path) -> None:
    (tmp_path / "passwords").write_text("alice:correct horse\n")
    server = several("--auth", "file:passwords", "--admin", "alice")
    alice = Plain(server.port, "somebody")
    alice.types("/login alice correct horse")
    alice.sees("*** Welcome, alice!")
    alice.types("/reload")
    alice.sees("Nothing in the options has changed.")
    eventually(lambda: server.output.count("were reloaded") == COUNT, "all of them read them")
    alice.types("/shutdown 1s")
    alice.sees_the_end()
    assert server.process.wait(PATIENCE) == 0


def test_they_end_in_good_order_when_their_parent_is_killed(several: Several) -> None:
    server = several()
    ann = Plain(server.port, "ann")
    server.kill()
    ann.sees("*** The server is shutting down")
    ann.sees_the_end()


def test_in_an_upgrade_a_person_stays_until_told(several: Several) -> None:
    server = several("--drain", "3s")
    old = processes(server)
    ann = Plain(server.port, "ann")
    upgrade(server)
    ann.sees("*** The server is being upgraded. You can stay for 3 seconds; to go on after that, ")
    ann.types("/time")
    ann.sees("*** The server's time is")
    ann.sees("*** The server has been upgraded: connect again to go on.")
    ann.sees_the_end()
    Plain(server.port, "anna")
    eventually(lambda: not any(map(is_there, old)), "the old processes are gone")
    assert len(processes(server)) == COUNT
    assert "cannot start" not in server.output


def test_in_an_upgrade_a_program_is_let_go_at_once_and_others_take_it_in(several: Several) -> None:
    server = several()
    bot = Program(server.port, "bot")
    bot.gets(event="state")
    upgrade(server)
    bot.sees_the_end()
    assert not [event for event in bot.events if event["event"] == "error"]
    Program(server.port, "bot", before=bot).gets(event="welcome")


def test_in_an_upgrade_a_program_misses_nothing(several: Several) -> None:
    server = several("--drain", "10s")
    ann, bot = Plain(server.port, "ann"), Program(server.port, "bot")
    ann.types("before")
    bot.gets(event="message", text="before")
    upgrade(server)
    bot.sees_the_end()
    ann.sees("*** The server is being upgraded.")
    ann.types("meanwhile")
    again = Program(server.port, "bot", before=bot)
    again.gets(event="welcome", resumed=True)
    again.gets(event="message", text="meanwhile")
    again.says("I am here")
    ann.sees("bot: I am here")
    ann.sees("*** The server has been upgraded: connect again to go on.")
    ann = Plain(server.port, "ann")
    again.says("and you?")
    ann.sees("bot: and you?")
    said = [event["text"] for event in again.events if event["event"] == "message"]
    assert said == ["before", "meanwhile", "I am here", "and you?"]
    assert not ann.has_seen("bot has left")


def test_in_an_upgrade_the_client_goes_on_by_itself(several: Several) -> None:
    server = several("--drain", "20s")
    ann = Plain(server.port, "ann")
    carl = Typist(*client(server, "carl", "--json", "--reconnect"), env=PLAIN)
    eventually(lambda: "carl connected" in server.output, "carl is in")
    upgrade(server)
    ann.types(*(f"line {number}" for number in range(20)))
    carl.sees("line 19")
    carl.types("I have seen them all")
    ann.sees("carl: I have seen them all")
    heard = [json.loads(line) for line in carl.lines if line.startswith("{")]
    said = [each["text"] for each in heard if each.get("from") == "ann"]
    assert said == [f"line {number}" for number in range(20)]
    assert not ann.has_seen("carl has left")


def test_nobody_is_refused_in_an_upgrade(several: Several) -> None:
    server = several("--drain", "1s")
    caller = Caller(server.port)
    caller.start()
    try:
        upgrade(server)
        greeted = caller.greeted
        eventually(lambda: caller.greeted > greeted, "it goes on")
    finally:
        caller.ends()
    assert caller.failures == []
    assert caller.hung_up == 0


def test_if_the_new_processes_cannot_start_the_old_ones_go_on(
    several: Several, tmp_path: Path
) -> None:
    (tmp_path / "motd").write_text("Be kind.\n")
    server = several("--motd", "motd")
    old = processes(server)
    ann = Plain(server.port, "ann")
    (tmp_path / "motd").unlink()
    server.signal(signal.SIGUSR2)
    eventually(lambda: "The upgrade ends here" in server.output, "it says so")
    assert "a new process cannot start: cannot read --motd motd: No such file" in server.output
    assert processes(server) == old
    ann.types("/time")
    ann.sees("*** The server's time is")
    assert not ann.has_seen("upgraded")


def test_a_signal_to_upgrade_does_no_harm_to_one_of_several(several: Several) -> None:
    server = several()
    before = processes(server)
    os.kill(before[0], signal.SIGUSR2)
    eventually(lambda: "nothing is upgraded" in server.output, "it says so")
    assert processes(server) == before


def refused_start(tmp_path: Path, *options: str) -> str:
    """What a server says that does not start."""
    where = ("--interface", "127.0.0.1", "--port", "0")
    told = run(*TWISTD, "-n", "--pidfile=", "chat", *where, *options, cwd=tmp_path, env=ENVIRONMENT)
    assert told.returncode == 1
    assert "Traceback" not in told.stdout + told.stderr
    (line,) = [line for line in told.stderr.splitlines() if line.startswith("twisted-chat: ")]
    return line.removeprefix("twisted-chat: ")


def test_why_it_cannot_start_is_said_once(
    shared_engine: Engine, several: Several, tmp_path: Path
) -> None:
    for options, text in (
        ((), "--processes needs --db postgresql://...: a file, or memory, is for one process"),
        (("--db", "postgresql://x@127.0.0.1:1/x"), "cannot use the database x at 127.0.0.1: "),
        (("--db", shared_engine.url(), "--transcript", "-"), "--transcript is for one process"),
    ):
        assert refused_start(tmp_path, "--processes", "4", *options).startswith(text)


def test_a_daemon_of_several_processes(shared_engine: Engine, tmp_path: Path) -> None:
    options = ("-i", "127.0.0.1", "-p", "0", "--processes", str(COUNT), "--db", shared_engine.new())
    started = run(*TWISTD, "chat", *options, cwd=tmp_path, env=ENVIRONMENT)
    assert (started.returncode, started.stdout, started.stderr) == (0, "", "")
    log, pid = tmp_path / "twistd.log", tmp_path / "twistd.pid"
    eventually(lambda: "Join with" in log.read_text(), "it listens")
    found = re.search(r"nc 127.0.0.1 (\d+)", log.read_text())
    assert found is not None
    ann = Plain(int(found[1]), "ann")
    ann.types("hello")
    os.kill(int(pid.read_text()), signal.SIGTERM)
    ann.sees("*** The server is shutting down")
    eventually(lambda: not pid.exists(), "it stops")
    assert re.search(r"\[process \d, chat#info\] ann connected", log.read_text())
    assert "Traceback" not in log.read_text()
