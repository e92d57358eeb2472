"""The servers that are measured: how each is started, unthrottled, on a core of its own."""

import functools
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from unittest import SkipTest

from benchmarks.generator import Unavailable, cores
from tests import postgres

HERE = Path(__file__).parent
PROJECT = HERE.parent

_NGIRCD = """
[Global]
Name = irc.bench.example
Info = bench
AdminInfo1 = bench
AdminEMail = bench@bench.example
Listen = 127.0.0.1
Ports = {port}
MotdPhrase = bench
{user}
[Limits]
ConnectRetry = 3600
IdleTimeout = 0
MaxConnections = 0
MaxConnectionsIP = 0
MaxJoins = 0
MaxNickLength = 20
MaxPenaltyTime = 0
PingTimeout = 3600
PongTimeout = 3600
[Options]
DNS = no
Ident = no
PAM = no
NoticeBeforeRegistration = no
"""

_INSPIRCD = """
<server name="irc.bench.example" description="bench" network="bench">
<admin name="bench" nick="bench" email="bench@bench.example">
<bind address="127.0.0.1" port="{port}" type="clients">
<connect name="main" allow="*" maxchans="100" timeout="600" pingfreq="1h"
 hardsendq="16M" softsendq="16M" recvq="1M"
 threshold="4000000" commandrate="1000000000" fakelag="no"
 localmax="1000000" globalmax="1000000" maxconnwarn="no" limit="1000000"
 resolvehostnames="no" useident="no">
<dns server="127.0.0.1" timeout="1">
<pid file="{folder}/inspircd.pid">
<options defaultmodes="n" welcomenotice="no" splitwhois="no">
<performance netbuffersize="65534" somaxconn="4096" softlimit="1000000"
 clonesonconnect="no" quietbursts="yes">
<security hidekills="" hidesplits="no" maxtargets="20">
<limits maxnick="30" maxchan="64">
<whowas groupsize="0" maxgroups="0" maxkeep="3d">
<log method="file" type="*" level="default" target="{folder}/inspircd.log">
"""

_PLAIN = ("--await", "name?", "--say", "%n\n", "--await", "Welcome, ")
_ROOM = ("--say", "/join #r%r\n/leave #lobby\n", "--await", "You left #lobby")
_IRC = (
    *("--say", "NICK %n\r\nUSER b 0 * :b\r\n", "--await", " 001 "),
    *("--say", "JOIN #r%r\r\n", "--await", " 366 "),
    *("--prefix", "PRIVMSG #r%r :", "--crlf", "--pong"),
)


@dataclass(frozen=True)
class Server:
    """A server that can be measured.

    Args:
        name: what the tables call it.
        command: makes its command line, for a port and a folder of its own.
        way_in: the generator's arguments that tell how a client comes in and talks.
        way_into_rooms: the same with a room to each client; empty if it has none.
        at_once: connections that it can set up at a time without losing any.
        announces: whether it tells who has joined.
        tree: the project's folder, if it is this project.
        processes: how many of them are one chat.
    """

    name: str
    command: Callable[[int, Path], list[str]]
    way_in: tuple[str, ...]
    way_into_rooms: tuple[str, ...] = ()
    at_once: int = 64
    announces: bool = True
    tree: Path | None = None
    processes: int = 1


def _in_file(folder: Path) -> list[str]:
    return ["--db", str(folder / "chat.sqlite")]


def _synced(folder: Path) -> list[str]:
    return [*_in_file(folder), "--sync", "full"]


def _in_postgres(folder: Path) -> list[str]:
    """A PostgreSQL of our own, as it is installed: it waits for the disk.

    Servers that run in one folder are on one database.
    """
    where = folder / "database"
    try:
        if not where.exists():
            where.write_text(postgres.engine(is_safe=True).new())
    except SkipTest as reason:
        raise Unavailable(str(reason)) from reason
    return ["--db", where.read_text()]


def ours(
    name: str,
    *,
    memory: bool = False,
    database: Callable[[Path], list[str]] = _in_file,
    tree: Path = PROJECT,
    processes: int = 1,
) -> Server:
    """This project's server, from any folder that has it."""

    def command(port: int, folder: Path) -> list[str]:
        known = _options(tree)
        words = _twistd("-n", "--pidfile=", "chat", "--interface", "127.0.0.1")
        words += ["--port", str(port), "--flood", "off", "--max-clients", "1000000"]
        if "--per-address" in known:  # the load comes from a few addresses
            words += ["--per-address", "1000000", "--nameless-per-address", "1000000"]
            words += ["--connections", "1000000/1"]
        if "--no-db" not in known:
            return words  # an early revision: memory is all it has
        return words + (["--no-db"] if memory else database(folder))

    return Server(name, command, _PLAIN, _PLAIN + _ROOM, tree=tree, processes=processes)


def _twistd(*words: str) -> list[str]:
    return [sys.executable, "-c", "from twisted.scripts.twistd import run; run()", *words]


@functools.cache
def _options(tree: Path) -> str:
    with tempfile.TemporaryDirectory() as folder:
        result = subprocess.run(
            _twistd("chat", "--help"),
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
            env=_environment(tree),
        )
    if "--port" not in result.stdout:
        raise Unavailable(f"{tree} has no chat for twistd: {result.stderr.strip()[-300:]}")
    return result.stdout


def _environment(tree: Path | None) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(tree)} if tree else dict(os.environ)


def _tutorial(port: int, _folder: Path) -> list[str]:
    return [sys.executable, str(HERE / "tutorial.py"), str(port)]


def _daemon(name: str) -> str:
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if path is None:
        raise Unavailable(f"{name} is not installed")
    return path


def _ngircd(port: int, folder: Path) -> list[str]:
    user = "ServerUID = nobody\nServerGID = nogroup" if os.getuid() == 0 else ""
    settings = folder / "ngircd.conf"
    settings.write_text(_NGIRCD.format(port=port, user=user))
    folder.chmod(0o755)  # it gives up root before it reads
    return [_daemon("ngircd"), "-n", "-f", str(settings)]


def _inspircd(port: int, folder: Path) -> list[str]:
    settings = folder / "inspircd.conf"
    settings.write_text(_INSPIRCD.format(port=port, folder=folder))
    return [_daemon("inspircd"), "--runasroot", "--nofork", f"--config={settings}"]


SERVERS = {
    server.name: server
    for server in (
        Server("tutorial", _tutorial, _PLAIN, announces=False),
        # it listens with a backlog of 10, which is compiled in
        Server("ngircd", _ngircd, _IRC, _IRC, at_once=8),
        # it completes registrations once a second
        Server("inspircd", _inspircd, _IRC, _IRC, at_once=2000),
        ours("memory", memory=True),
        ours("sqlite"),
        ours("sqlite-full", database=_synced),
        ours("postgres", database=_in_postgres),
        *(ours(f"postgres-{n}", database=_in_postgres, processes=n) for n in (2, 3, 4)),
    )
}


@contextmanager
def started(server: Server) -> Iterator[tuple[int, int]]:
    """The process and port of a server, for as long as the block runs.

    Raises:
        Unavailable: it is not installed, or does not start.
    """
    with started_together(server) as (pid, ports):
        yield pid, ports[0]


@contextmanager
def started_together(server: Server) -> Iterator[tuple[int, list[int]]]:
    """The first process of a server, and the ports of all, for as long as the block runs.

    Raises:
        Unavailable: it is not installed, or does not start.
    """
    with ExitStack() as stack:
        name = stack.enter_context(tempfile.TemporaryDirectory(prefix="twisted-chat-bench-"))
        running = [
            stack.enter_context(_process(server, Path(name))) for _ in range(server.processes)
        ]
        yield running[0][0], [port for _, port in running]


@contextmanager
def _process(server: Server, folder: Path) -> Iterator[tuple[int, int]]:
    port = free_port()
    command = server.command(port, folder)
    output = folder / f"output-{port}"
    with output.open("wb") as file:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            cwd=folder,
            env=_environment(server.tree),
            preexec_fn=_apart if server.processes == 1 else _unlimited,
        )
    try:
        if not _answers(process, port):
            said = output.read_text(errors="replace")[-300:]
            raise Unavailable(f"{server.name} does not start: {said.strip()}")
        yield process.pid, port
    finally:
        process.terminate()
        try:
            process.wait(6)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _unlimited() -> None:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _apart() -> None:
    os.sched_setaffinity(0, {cores()[0]})
    _unlimited()


def free_port() -> int:
    """A TCP port that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _answers(process: subprocess.Popen[bytes], port: int) -> bool:
    end = time.monotonic() + 15
    while process.poll() is None and time.monotonic() < end:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            time.sleep(0.3)  # it has a first client to forget before it is measured
            return True
        time.sleep(0.05)
    return False
