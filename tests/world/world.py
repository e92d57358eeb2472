"""Servers one after the other, people, a disk and a clock; what is done to them, and the end."""

import gc
import hashlib
import io
import os
import re
import shutil
import tempfile
from collections import Counter
from contextlib import ExitStack, redirect_stderr
from pathlib import Path
from random import Random
from typing import Any, Self

from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from zope.interface import implementer

from tests.world.disk import Trouble
from tests.world.header import Header
from tests.world.oracle import Oracle
from tests.world.people import Somebody
from tests.world.plain import PlainVisit
from tests.world.program import ProgramVisit, check_typing
from tests.world.server import Server, fixed
from tests.world.visit import Visit
from twisted_chat import Limits
from twisted_chat.service import archive

SHARED_MEMORY = Path("/dev/shm")
KEPT = ("Person", "PlainSession", "StructuredSession", "Reader", "Outlet", "ChatProtocol")
"""What must be gone from memory when everybody is."""


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
        self.visits: list[Visit] = []
        self.limits = Limits(**header.limits)
        self.longest_entry = self.limits.entry_history
        self.banned: list[str] = []
        self.is_clock_set = self.had_trouble = False
        self.server: Server
        self._failures: list[str] = []
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        umask = os.umask(0o022)
        self._stack.callback(os.umask, umask)
        self._stack.enter_context(
            fixed(Random(f"secrets {self.header.seed}"), small=self.header.small)
        )
        self.path: Path | None = None
        if not self.header.memory:
            where = SHARED_MEMORY if SHARED_MEMORY.is_dir() else None
            folder = tempfile.mkdtemp(prefix="world-", dir=where)
            self._stack.callback(shutil.rmtree, folder)
            self.path = self.oracle.path = Path(folder, "chat.sqlite")
            self.header.prepare(self.path, self.oracle)
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
        self.oracle.came_as.clear()
        if self.path is None:
            self.oracle.shown, self.oracle.newest = {}, {}

    def is_killed(self) -> None:
        """The server dies in the middle of everything, and another one starts."""
        self.server.is_killed()
        self.oracle.looks(closely=True)
        self._everybody_is_cut_off()
        self.starts()
        self.settles_start()

    def settles_start(self) -> None:
        """What a start cleans up is cleaned up."""
        self.turns(20)
        self.oracle.looks(closely=True)

    def stops(self) -> None:
        """The server is stopped in good order, and another one starts."""
        self._says_goodbye()
        self._everybody_is_cut_off()
        self.starts()
        self.settles_start()

    def _says_goodbye(self) -> None:
        typed = [
            (visit, [token for end, token in visit.typed if end <= visit.socket.taken])
            for visit in self.visits
            if visit.is_open and visit.is_clean and isinstance(visit, PlainVisit)
        ]
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
            if visit.is_clean and not visit.is_lossy and not self._is_stored(visit, tokens):
                self.oracle.find("lost-at-stop", f"{visit} typed {tokens}, and was told nothing")

    def _is_stored(self, visit: Visit, tokens: list[str]) -> bool:
        if self.path is None:
            return True
        missing = [token for token in tokens if token not in self.oracle.places]
        return len(missing) <= visit.refusals

    def _check_archive(self) -> None:
        if self.path is None:
            return
        told = io.StringIO()
        with redirect_stderr(told):
            status = archive.run(["--db", str(self.path), "check"])
        if status:
            self.oracle.find("check", told.getvalue())

    def _everybody_is_cut_off(self) -> None:
        for who in self.people:
            who.away_asked += 1  # this is not kept
        for visit in self.visits:
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

    # What must be true in the end

    def settles(self) -> None:
        """Everything heals, everybody reads, and whatever waits is done."""
        for disk in self.server.disks:
            disk.trouble = ""
        for visit in self.visits:
            visit.socket.drip = 0
            visit.reads_again()
        quiet = 0
        for count in range(90):  # two hundred lines may wait for a pace of four a second
            before = self.happened
            self.rests()
            self.passes(2.0)
            quiet = 0 if self.happened != before else quiet + 1
            if count >= 15 and quiet >= 3:
                break
        self.rests()
        self.visits = [visit for visit in self.visits if visit.is_open]
        self._check_failures()

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

    def _check_failures(self) -> None:
        if self._failures:
            self.oracle.find("traceback", self._failures[0])
            self._failures.clear()

    def is_quiet(self) -> None:
        """Once all has settled: everybody is heard, and everything is as it seems."""
        ended = list(self.visits)
        self.settles()
        self.oracle.looks(closely=True)
        self._check_all_are_heard()
        for visit in ended:
            self._check_lines(visit)
        for visit in self.visits:
            if visit.who.visit is not visit:
                continue
            if isinstance(visit, ProgramVisit) and visit.is_named and visit.unanswered():
                ref = visit.unanswered()[0]
                request = self.oracle and visit.who.requests.get(ref)
                self.oracle.find("pending-answer", f"{visit} never hears of {ref}: {request}")
        for who in self.people:
            self._check_requests(who)
            check_typing(who, self.oracle)
        self._check_modes()
        Auditor(self).audits()

    def _check_all_are_heard(self) -> None:
        named = [
            visit
            for visit in self.visits
            if visit.is_named and not visit.is_finishing and visit.who.visit is visit
        ]
        heard: dict[Visit, int] = {}
        for visit in named:
            if isinstance(visit, ProgramVisit):
                visit.asks(f"p{self.oracle.step}.{visit.number}", {"do": "ping"})
            elif isinstance(visit, PlainVisit):
                heard[visit] = visit.answers_heard
                visit.types("/time", kind="time")
        for _ in range(10):
            self.rests()
            self.passes(2.0)
        for visit in named:
            if not visit.is_open:
                continue
            if isinstance(visit, ProgramVisit):
                deaf = f"p{self.oracle.step}.{visit.number}" in visit.unanswered()
            else:
                assert isinstance(visit, PlainVisit)
                deaf = visit.answers_heard == heard[visit]
            if deaf:
                self.oracle.find("clock" if self.is_clock_set else "deaf", f"{visit} is not heard")

    def _check_lines(self, visit: Visit) -> None:
        """Everything that somebody typed is stored, or was refused."""
        if visit.is_lossy or not isinstance(visit, PlainVisit) or not visit.is_named:
            return
        if not visit.is_clean or not (visit.is_open or visit.is_finishing):
            return
        if (
            not visit.is_open
            and visit.closed_at - visit.finishes_at > self.limits.close_seconds - 1
        ):
            return
        tokens = [token for _, token in visit.typed]
        if not self._is_stored(visit, tokens):
            missing = [token for token in tokens if token not in self.oracle.places]
            name = "lost-refusal" if visit.is_finishing else "lost-line"
            self.oracle.find(name, f"{visit} typed {missing}, and was told {visit.refusals} errors")

    def _check_modes(self) -> None:
        """Nobody else on the machine reads the database."""
        for path in self.path.parent.iterdir() if self.path else ():
            mode = path.stat().st_mode & 0o777
            if mode & 0o077 and not path.name.endswith(".lock"):
                self.oracle.find("modes", f"{path.name} has mode {mode:o}")

    def _check_requests(self, who: Somebody) -> None:
        for ref, request in who.requests.items():
            text = str(request.thing.get("text", ""))
            if request.sends == 1 and request.outcomes == ["error"]:
                for token, place in self.oracle.places.items():
                    if f"={token}=" in text:
                        self.oracle.find(
                            "refused-but-stored", f"{who} was refused {ref}: {text}, is {place}"
                        )

    def ends(self) -> None:
        """Everybody leaves, and nothing is left of them."""
        self.is_quiet()
        for index, visit in enumerate(self.visits):
            if index % 3 == 0 and isinstance(visit, PlainVisit):
                visit.types("/quit")
            elif index % 3 == 1:
                visit.socket.goes()
            else:
                visit.socket.breaks()
        self.settles()
        self.turns(4, self.limits.resume_seconds / 2 + 20)
        self.settles()
        self._check_nothing_is_left()
        self._says_goodbye()
        self._check_archive()
        self.starts()
        self.settles_start()
        Auditor(self).audits()
        self.turns(4, self.limits.resume_seconds / 2 + 20)
        self._says_goodbye()
        self._check_failures()

    def _check_nothing_is_left(self) -> None:
        find = self.oracle.find
        chat, factory = self.server.chat, self.server.factory
        if len(chat.people):
            find("ghost", f"{[each.nickname for each in chat.people]} are still here")
        if len(factory.connections):
            find("connections", f"{len(factory.connections)} connections are still open")
        self.turns(3, 700)
        calls = self.server.reactor.getDelayedCalls()
        if calls:
            find("timers", f"these still run: {[str(call) for call in calls]}")
        self.oracle.looks(closely=True)
        self.oracle.check_the_gone()
        self.visits = []
        for who in self.people:
            who.visit = None
        for name, check in (("cycles", lambda: None), ("leak", gc.collect)):
            check()
            left = Counter(type(each).__name__ for each in gc.get_objects())
            kept = {kind: left[kind] for kind in KEPT if left[kind]}
            if kept:
                find(name, f"still in memory: {kept}")


class Auditor:
    """Somebody who looks everywhere, when all has settled."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.who = Somebody(99, "auditor", "127.0.0.1", True)
        self.rooms: dict[str, dict[str, Any]] = {}

    def audits(self) -> None:
        """Come, look at every room, and leave."""
        world = self.world
        if world.banned:
            world.banned.clear()
            world.server.ban(())
        visit = self.who.visit = AuditVisit(world, self.who, 0)
        world.visits.append(visit)
        visit.hello("auditor", resume=False)
        world.turns(3, 0.1)
        rooms = sorted({room.lower() for room in world.server.chat.rooms})
        for room in rooms:
            if room != "#lobby":
                visit.write({"do": "command", "text": f"/join {room}"})
            world.turns(6, 1.0)
            visit.write({"do": "command", "text": f"/users {room}"})
            world.turns(2, 0.5)
            self._reads_all(visit, room)
        for room in rooms:
            self._check_room(visit, room)
        visit.write({"do": "command", "text": "/quit"})
        world.turns(6, 1.0)
        self.world.visits.remove(visit)
        if visit.is_open:
            world.oracle.find("unclosed", "the auditor has quit, and the connection stays")

    def _reads_all(self, visit: "AuditVisit", room: str) -> None:
        oracle = self.world.oracle
        oracle.looks(closely=True)
        stored = oracle.logs.get(room, {})
        if oracle.path is None or not stored:
            return
        before = max(stored) + 1
        first = min(stored)
        for _ in range(400):
            visit.pages.clear()
            visit.write({"do": "history", "room": room, "before": before, "limit": 200})
            self.world.turns(3, 0.6)
            events = visit.pages[0] if visit.pages else []
            if not events:
                oracle.find("history", f"the auditor reads nothing of {room} before {before}")
                return
            for event in events:
                row = stored[event["id"]]
                if (event["event"], event["from"], event.get("text")) != (
                    row.kind,
                    row.sender,
                    row.text,
                ):
                    oracle.find("order", f"{room} has {event} in history, and {row} on the disk")
            before = events[0]["id"]
            if before == first:
                return
        oracle.find("history", f"the history of {room} does not end")

    def _check_room(self, audit: "AuditVisit", room: str) -> None:
        world, find = self.world, self.world.oracle.find
        state = audit.states.get(room)
        if state is None:
            find("state", f"the auditor is told of no state of {room}")
            return
        here, maybe = {"auditor": ""}, set[str]()
        for visit in world.visits:
            if not visit.is_open or not visit.is_named or isinstance(visit, AuditVisit):
                continue
            who, nickname = visit.who, world.server.nickname_of(visit.person).lower()
            if who.visit is not visit:
                maybe.add(nickname)  # a connection that they do not use any more
            elif room in who.rooms:
                here[nickname] = "?" if who.away_asked else who.away or ""
        listed = {member["nick"].lower(): member for member in state["members"]}
        for who in world.people:
            theirs = who.visit
            if not isinstance(theirs, ProgramVisit) or not theirs.is_open or room not in who.rooms:
                continue
            told = theirs.members(room)
            lost = {name for name, each in listed.items() if not each.get("connected", True)}
            if told is not None and ((told | {"auditor"}) ^ listed.keys()) - lost:
                find("members", f"{who} was told of {sorted(told)} in {room}, not {sorted(listed)}")
        for nickname, away in here.items():
            if nickname not in listed:
                find("users", f"{nickname} is in {room}, and not in {sorted(listed)}")
            elif away not in ("?", listed[nickname]["away"] or ""):
                find("away", f"{nickname} is away for {away!r}, and listed as {listed[nickname]}")
        for nickname, member in listed.items():
            if nickname not in here and nickname not in maybe and member.get("connected", True):
                find("ghost", f"{nickname} is nobody, and listed in {room}")
        named = audit.named.get(room)
        connected = {name for name, each in listed.items() if each.get("connected", True)}
        if named is not None and named != connected:
            find("users", f"/users of {room} names {sorted(named)}, its state {sorted(connected)}")
        rows = world.oracle.logs.get(room, {})
        topics = [row.text for row in rows.values() if row.kind == "topic"]
        if world.path is not None and topics and state["topic"] != topics[-1]:
            find("topic", f"the topic of {room} is {topics[-1]}, and told as {state['topic']}")


class AuditVisit(ProgramVisit):
    """What the auditor is told."""

    def __init__(self, *args: Any) -> None:
        self.states: dict[str, dict[str, Any]] = {}
        self.pages: list[list[dict[str, Any]]] = []
        self.named: dict[str, set[str]] = {}
        super().__init__(*args)

    def _state(self, thing: dict[str, Any], step: int) -> None:
        self.states[thing["room"].lower()] = thing
        super()._state(thing, step)

    def _history(self, thing: dict[str, Any], step: int) -> None:
        self.pages.append(thing["events"])

    def answered(self, line: str, step: int) -> None:
        """See `Visit.answered`."""
        room, colon, names = line.removeprefix("In ").partition(": ")
        if line.startswith("In #") and colon:
            here = re.sub(r"(?:, )?[^ ]+ \(reconnecting\)(?:, )?", ", ", names.rpartition(" (")[0])
            split = self.split_names(here.strip(", "))
            if split is not None:
                self.named[room.lower()] = {name.lower() for name in split if name}
