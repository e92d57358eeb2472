"""Somebody who looks everywhere when all has settled: states, lists, and every page of history."""

import re
from typing import Any

from tests.world.header import COURTS
from tests.world.people import Somebody
from tests.world.program import ProgramVisit
from tests.world.world import World


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
        world.server.lets_everybody_in()
        world.rests()
        visit = self.who.visit = AuditVisit(world, self.who, 0)
        world.visits.append(visit)
        visit.hello("auditor", resume=False)
        world.turns(3, 0.1)
        for nickname in [each.nickname for each in world.people if each.nickname][:3]:
            visit.write({"do": "command", "text": f"/whois {nickname}"})
            world.turns(3, 1.0)
        rooms = sorted({room.lower() for room in world.server.chat.rooms} - set(COURTS))
        for room in rooms:
            if room != "#lobby":
                visit.write({"do": "command", "text": f"/join {room}"})
            world.turns(6, 1.0)
            visit.write({"do": "command", "text": f"/users {room}"})
            visit.write({"do": "command", "text": "/rooms"})
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
            for _ in range(30):  # long answers count as lines, and the next one waits
                if not visit.pages:
                    self.world.turns(1, 1.0)
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
            if visit.person in world.oracle.quiet:
                continue
            who, nickname = visit.who, world.server.nickname_of(visit.person).lower()
            if who.visit is not visit or who in world.citizens:
                maybe.add(nickname)  # a connection that they do not use any more
            elif room in who.rooms:
                here[nickname] = "?" if who.away_asked else who.away or ""
        listed = {member["nick"].lower(): member for member in state["members"]}
        for who in world.people:
            theirs = who.visit
            if not isinstance(theirs, ProgramVisit) or not theirs.is_open or room not in who.rooms:
                continue
            told = None if who.is_quiet else theirs.members(room)
            lost = {name for name, each in listed.items() if not each.get("connected", True)}
            if told is not None and ((told | {"auditor"}) ^ listed.keys()) - lost:
                find("members", f"{who} was told of {sorted(told)} in {room}, not {sorted(listed)}")
        if audit.sizes.get(room) != audit.counts.get(room):
            find("rooms", f"/rooms has {audit.counts} people, and {room} has {audit.sizes[room]}")
        for nickname, away in here.items():
            if room not in audit.whereabouts.get(nickname, {room}):
                find("whois", f"{nickname} is in {room}, and /whois says {audit.whereabouts}")
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


class AuditVisit(ProgramVisit):
    """What the auditor is told."""

    def __init__(self, *args: Any) -> None:
        self.states: dict[str, dict[str, Any]] = {}
        self.pages: list[list[dict[str, Any]]] = []
        self.named: dict[str, set[str]] = {}
        self.sizes: dict[str, int] = {}  # of rooms, as /users has them
        self.counts: dict[str, int] = {}  # the same, as /rooms had them then
        self.whereabouts: dict[str, set[str]] = {}
        super().__init__(*args)

    def _state(self, thing: dict[str, Any], step: int) -> None:
        self.states[thing["room"].lower()] = thing
        super()._state(thing, step)

    def _history(self, thing: dict[str, Any], step: int) -> None:
        self.pages.append(thing["events"])

    def answered(self, line: str, step: int) -> None:
        """See `Visit.answered`."""
        if found := re.match(r"(\S+) is in (#.*)\.", line):
            self.whereabouts[found[1].lower()] = set(found[2].lower().split(", "))
        found = re.match(r"(#\S+): (\d+) p", line)
        if found and list(self.sizes)[-1:] == [found[1].lower()]:  # the one last asked about
            self.counts[found[1].lower()] = int(found[2])
        room, colon, names = line.removeprefix("In ").partition(": ")
        if line.startswith("In #") and colon:
            self.sizes[room.lower()] = int(names.rpartition("(")[2].removesuffix(")"))
            here = re.sub(
                r"(?:, )?[^ ]+ \((?:\w+, )?(?:reconnecting|only posts)\)(?:, )?",
                ", ",
                names.rpartition(" (")[0],
            )
            split = self.split_names(here.strip(", "))
            if split is not None:
                self.named[room.lower()] = {name.lower() for name in split if name}
