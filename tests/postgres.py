"""A PostgreSQL for the tests, on a UNIX socket in a folder of its own; and its databases."""

import atexit
import os
import pwd
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from unittest import SkipTest

if HAS_PSYCOPG := find_spec("psycopg") is not None:  # an extra
    import psycopg

_NUMBERS = count(1)

_EMPTY = (
    "SET search_path TO {}; UPDATE server SET epoch = gen_random_uuid();"
    " DELETE FROM nodes; DELETE FROM shared; DELETE FROM claims; DELETE FROM clients;"
    " DELETE FROM logs; DELETE FROM events; DELETE FROM state;"
    " DELETE FROM sessions; DELETE FROM accounts;"
    " DELETE FROM chunks; DELETE FROM uploads"
)


def _programs() -> Path | None:
    """Where PostgreSQL's own programs are, the newest version's."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: path.parts)
    known = shutil.which("postgres")
    return found[-1].parent if found else Path(known).parent if known else None


def why_not() -> str:
    """Why there is no PostgreSQL for the tests; empty if there is."""
    if not HAS_PSYCOPG:
        return "psycopg is not installed: nothing is tested over PostgreSQL"
    if _programs() is None:
        return "PostgreSQL is not installed (Debian: postgresql): nothing is tested over it"
    return ""


class Engine:
    """A PostgreSQL that runs until the tests are over.

    Args:
        primary: the one that it follows, if it is a standby.
        is_safe: whether what it writes survives the machine, which takes time.

    Raises:
        SkipTest: there is none.
    """

    def __init__(self, primary: "Engine | None" = None, *, is_safe: bool = False) -> None:
        self._fsync = "on" if is_safe else "off"
        self._free: list[str] = []  # places for chats
        self._emptying: psycopg.Connection | None = None
        programs = _programs()
        if why_not() or programs is None:
            raise SkipTest(why_not())
        self._programs = programs
        self.folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))  # a socket's path is short
        atexit.register(self.remove)
        self._guard: subprocess.Popen[bytes] | None = None
        self.is_root = os.geteuid() == 0  # as whom it refuses to run
        if self.is_root:
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        if primary is None:
            access = ("-A", "trust", "-U", "chat")
            self._run("initdb", *access, "-E", "UTF8", "--no-locale", "--no-sync")
            rules = self.folder / "data" / "pg_hba.conf"
            rules.write_text("local all guarded scram-sha-256\n" + rules.read_text())
        else:
            self._run("pg_basebackup", "-R", "-N", "-U", "chat", "-h", str(primary.folder))
        self._guard = self._guarded()
        self.start()

    def _guarded(self) -> "subprocess.Popen[bytes]":
        """What ends it, and leaves nothing behind, when we are done or have been killed."""
        stop = shlex.join(self._command("pg_ctl", "stop", "-m", "immediate", "-s"))
        return subprocess.Popen(
            ["sh", "-c", f"read line; {stop}; rm -rf {self.folder}"],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip

    def _command(self, program: str, *arguments: str) -> list[str]:
        command = [str(self._programs / program), "-D", str(self.folder / "data"), *arguments]
        return ["runuser", "-u", "postgres", "--", *command] if self.is_root else command

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            self._command(program, *arguments), check=True, capture_output=True, cwd=self.folder
        )

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = f"-k {self.folder} -c listen_addresses= -c max_connections=60"
        settings += f" -c fsync={self._fsync}"
        log = str(self.folder / "log")
        self._run("pg_ctl", "start", "-w", "-s", "-l", log, "-o", settings)

    def make_standby(self) -> "Engine":
        """Another one that has what this one has before anybody is told that it is stored."""
        standby = Engine(self)
        with self.connect(self.url()) as connection:
            connection.execute(b"ALTER SYSTEM SET synchronous_standby_names = '*'")
            connection.execute(b"SELECT pg_reload_conf()")
        return standby

    def promote(self) -> None:
        """A standby takes the place of the one that it follows."""
        self._run("pg_ctl", "promote", "-w", "-s")

    def stop(self) -> None:
        """Stop it in good order: connections are ended."""
        self._run("pg_ctl", "stop", "-w", "-s", "-m", "fast")

    def kill(self) -> None:
        """Kill all of its processes at once."""
        first = self._first
        os.kill(first, signal.SIGKILL)
        while Path(f"/proc/{first}").exists():  # its others end with it
            time.sleep(0.01)

    def freezes(self) -> None:
        """All of its processes stand still."""
        self._signal(signal.SIGSTOP)

    def thaws(self) -> None:
        """They go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        first = self._first
        told = subprocess.run(["pgrep", "-P", str(first)], capture_output=True, check=True)
        for process in (first, *map(int, told.stdout.split())):
            os.kill(process, number)

    @property
    def _first(self) -> int:
        """The process that starts the others."""
        return int((self.folder / "data" / "postmaster.pid").read_text().split()[0])

    def remove(self) -> None:
        """End it, and leave nothing behind."""
        atexit.unregister(self.remove)
        if self._guard is not None:
            self._guard.communicate()

    def url(self, database: str = "postgres", **more: str) -> str:
        """Where a database is."""
        options = "".join(f"&{name}={value}" for name, value in more.items())
        return f"postgresql://chat@/{database}?host={self.folder}{options}"

    def connect(self, url: str) -> "psycopg.Connection":
        """Look into a database."""
        return psycopg.connect(url, autocommit=True)

    def new(self) -> str:
        """Where a new and empty place for a chat is: a schema of its own."""
        schema = f"test_{next(_NUMBERS)}"
        with self.connect(self.url()) as connection:
            connection.execute(f"CREATE SCHEMA {schema}".encode())
        return self.url(options=f"-csearch_path%3D{schema}")

    @contextmanager
    def lend(self) -> Iterator[str]:
        """Where an empty place for a chat is, which may have its tables already: that is quick."""
        if self._emptying is None:
            self._emptying = self.connect(self.url())
        url = self._free.pop() if self._free else self.new()
        try:
            yield url
        finally:
            self._emptying.execute(_EMPTY.format(url.rpartition("%3D")[2]).encode())
            self._free.append(url)


@cache
def engine(*, is_safe: bool = False) -> Engine:
    """The PostgreSQL that all tests of a process share.

    Args:
        is_safe: whether what it writes survives the machine, which takes time.

    Raises:
        SkipTest: there is none.
    """
    return Engine(is_safe=is_safe)
