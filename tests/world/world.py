"""Servers one after the other, people, a disk and a clock; what is done to them, and the end."""

import gc
import hashlib
import io
import os
import shutil
import tempfile
from contextlib import ExitStack, redirect_stderr
from pathlib import Path
from random import Random
from typing import Self

from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from zope.interface import implementer

from tests.world.disk import Trouble
from tests.world.header import Header
from tests.world.oracle import Oracle
from tests.world.people import Somebody
from tests.world.plain import PlainVisit
from tests.world.server import Server, fixed
from tests.world.visit import Visit
from twisted_chat import Limits
from twisted_chat.service import archive

SHARED_MEMORY = Path("/dev/shm")
PATIENCE = 3_000
"""Turns after which everything that waits must be done."""


@implementer(ILogObserver)
class World:
    """Everything under one seed.

    Args:
        header: what kind of world.
        oracle: what must never be.
    """

    def __init__(self, header: Header, oracle: Oracle) -> None:
        self.header = header
        self.oracle = oracle
        self.now = 1_000.0
        self.offset = 1_790_000_000.0
        self.trace = hashlib.sha256()
        self.run = 0
        self.happened = 0
        self.people = [Somebody(i, *each) for i, each in enumerate(header.people)]
        self.citizens = [Somebody(100 + i, *each) for i, each in enumerate(header.citizens)]
        self.visits: list[Visit] = []
        self.limits = Limits(**header.limits)
        self.longest_entry = self.limits.entry_history
        self.most_history = self.limits.history_lines
        self.banned: list[str] = []
        self.is_clock_set = self.had_trouble = False
        self.is_hurried = "hangup" in header.families  # whether rate limits do not hold just now
        self.server: Server
        self._failures: list[str] = []
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        umask = os.umask(0o022)
        self._stack.callback(os.umask, umask)
        self._stack.enter_context(
            fixed(Random(f"secrets {self.header.seed}"), self.oracle, small=self.header.small)
        )
        self.path: Path | None = None
        if not self.header.memory:
            where = SHARED_MEMORY if SHARED_MEMORY.is_dir() else None
            folder = tempfile.mkdtemp(prefix="world-", dir=where)
            self._stack.callback(shutil.rmtree, folder)
            self.path = self.oracle.path = Path(folder, "chat.sqlite")
            self.header.prepare(self.path, self.oracle, self.people, self.now)
        self.oracle.now = lambda: self.now + self.offset
        self.oracle.steady = lambda: self.now
        self.oracle.holder_of = lambda nickname: self.server.holder_of(nickname)
        globalLogPublisher.addObserver(self)
        self._stack.callback(globalLogPublisher.removeObserver, self)
        gc.collect()
        gc.freeze()
        gc.disable()
        self._stack.callback(gc.enable)
        self.starts()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.is_killed()
        self._stack.close()

    def __call__(self, event: LogEvent) -> None:
        """The server's log says something."""
        failure = event.get("log_failure")
        if failure is not None and not isinstance(failure.value, Trouble):
            self._failures.append(failure.getTraceback())

    def notes(self, data: bytes) -> None:
        """These bytes were given to somebody."""
        self.trace.update(data)
        self.happened += 1

    def somebody(self, index: int) -> Somebody:
        """Who is meant by a number."""
        return self.people[index] if index < 100 else self.citizens[index - 100]

    # Servers

    def starts(self) -> None:
        """A server starts on the same database."""
        self.run += 1
        self.server = Server(
            self.path,
            self.now,
            lambda: self.offset,
            self.limits,
            self.oracle,
            self.oracle.looks,
        )
        gc.collect()  # one that was killed leaves circles
        self.server.ban(self.banned)
        self.oracle.looks()
        self.oracle.starts(self.server.names_of_all())
        for owner in self.oracle.law.accounts.values():
            owner.is_admin = self.server.is_admin(owner.id)
        self.oracle.law.check_stays(self.server.members())
        self.is_hurried = "hangup" in self.header.families

    def is_killed(self) -> None:
        """The server dies in the middle of everything, and another one starts."""
        self.server.is_killed()
        self.oracle.looks(closely=True)
        self.oracle.law.homes.clear()
        self.oracle.read_until.clear()  # what was read is stored when somebody goes
        self._everybody_is_cut_off()
        self.starts()
        self.settles_start()

    def settles_start(self) -> None:
        """What a start cleans up is cleaned up."""
        self.turns(20)
        self.oracle.looks(closely=True)

    def stops(self) -> None:
        """The server is stopped in good order, and another one starts."""
        self.says_goodbye()
        self.check_archive()
        self._everybody_is_cut_off()
        self.starts()
        self.settles_start()

    def says_goodbye(self) -> None:
        typed = [
            (visit, [token for end, token in visit.typed if end <= visit.socket.taken])
            for visit in self.visits
            if visit.is_open and visit.is_clean and isinstance(visit, PlainVisit)
            if visit.who.visit is visit
        ]
        self.is_hurried = True  # what waits for its rate limit is done at once
        gone: list[object] = []
        self.server.factory.say_goodbye().addCallback(gone.append)
        for _ in range(100):
            if gone:
                break
            self.turns(1, 0.05)
        stopped: list[object] = []
        self.server.store.stop().addCallback(stopped.append)
        for _ in range(500):
            if stopped:
                break
            self.turns(1, 0.01)
        if not stopped:
            self.oracle.find("stop", "the store does not stop")
            self.server.is_killed()
        self.oracle.looks(closely=True)
        for visit, tokens in typed:
            is_due = visit.is_clean and not visit.is_lossy and not visit.was_cut_off
            if is_due and not self.is_stored(visit, tokens):
                self.oracle.find("lost-at-stop", f"{visit} typed {tokens}, and was told nothing")

    def is_stored(self, visit: Visit, tokens: list[str]) -> bool:
        if self.path is None:
            return True
        missing = [token for token in tokens if token not in self.oracle.places]
        return len(missing) <= visit.refusals

    def check_archive(self) -> None:
        if self.path is None:
            return
        told = io.StringIO()
        with redirect_stderr(told):
            status = archive.run(["--db", str(self.path), "check"])
        if status:
            self.oracle.find("check", told.getvalue())

    def _everybody_is_cut_off(self) -> None:
        for who in self.people:
            who.away_asked += self.had_trouble or not who.is_program  # this is not kept
        for visit in self.visits:
            visit.reads_again()  # what has come, as long as it is this run's
            if visit.is_open:
                visit.socket.breaks()
                visit.ends()
        self.visits = []

    # Time

    def turns(self, count: int = 1, seconds: float = 0.0, *, disk: bool = True) -> None:
        """The server takes turns, and its disk is quick."""
        for _ in range(count):
            self.passes(seconds)
            for visit in self.visits:
                visit.socket.moves()
            self.server.reactor.turns()
            while disk and self._disks_work():
                pass

        self.oracle.tells()

    def _disks_work(self) -> bool:
        """Let every disk do something, and be heard; says whether one did."""
        works = max(max(each.works(), each.is_heard()) for each in self.server.disks)
        self.happened += works
        return works

    def passes(self, seconds: float) -> None:
        """Time passes, and the server has done nothing in it."""
        self.now += seconds
        self.server.reactor.now = self.now

    def settles(self) -> None:
        """Everything heals, everybody reads, and whatever waits is done."""
        for disk in self.server.disks:
            disk.trouble = ""
        for visit in self.visits:
            visit.socket.drip = 0
            if not visit.is_over:
                visit.reads_again()
        quiet = 0
        for count in range(90):  # two hundred lines may wait for a pace of four a second
            before = self.happened
            self.rests()
            self.passes(2.0)
            quiet = 0 if self.happened != before else quiet + 1
            if count >= 18 and quiet >= 3:  # half a minute without a nickname, and three to read
                break
        self.rests()
        for visit in self.visits:
            if visit.is_over and not visit.socket.closed:
                self.oracle.find("unclosed", f"{visit} should be gone, and is here")
            visit.reads_again()
        self.visits = [visit for visit in self.visits if visit.is_open]
        self.check_failures()

    def rests(self) -> None:
        """The server takes turns until nothing happens any more."""
        idle = 0
        for _ in range(PATIENCE):
            before = self.happened
            self.turns(1, 0.01)
            is_busy = self.happened != before or self.server.reactor.is_busy
            idle = 0 if is_busy else idle + 1
            if idle == 3:
                return

    def check_failures(self) -> None:
        if self._failures:
            self.oracle.find("traceback", self._failures[0])
            self._failures.clear()
