"""What must be true when all has settled, and in the end: nobody is forgotten, nothing is left."""

import gc
from collections import Counter

from tests.world.audit import Auditor
from tests.world.citizens import Device
from tests.world.fitting import check_typing
from tests.world.growth import check_growth
from tests.world.offices import check_rights
from tests.world.people import Somebody
from tests.world.plain import PlainVisit
from tests.world.program import ProgramVisit
from tests.world.visit import Visit
from tests.world.world import World

KEPT = (
    *("Person", "PlainSession", "StructuredSession", "Reader", "Outlet"),
    *("ChatProtocol", "WebSocket"),
)
"""What must be gone from memory when everybody is."""


LARGE = 200_000
"""Bytes of a write-ahead log that is emptied every few pages; without that, most have more."""


def is_quiet(world: World) -> None:
    """Once all has settled: everybody is heard, and everything is as it seems."""
    ended = list(world.visits)
    _check_waiting(world)
    world.settles()
    world.oracle.looks(closely=True)
    _check_all_are_heard(world)
    for visit in ended:
        _check_lines(world, visit)
    _check_answers(world)
    for visit in world.visits:
        is_here = visit.is_named and not visit.is_over and not visit.is_finishing
        if is_here and visit.who.visit is visit:
            visit.check_reads_on()
    _check_whispers(world)
    world.oracle.law.check_stays(world.server.members())
    check_rights(world)
    for who in world.people:
        _check_requests(world, who)
        check_typing(who, world.oracle)
    _check_files(world)
    Auditor(world).audits()


def is_calm(world: World) -> None:
    """Once nothing happens any more, but by the clock: nobody is left waiting."""
    _check_waiting(world)
    world.rests()
    is_well = not any(disk.trouble for disk in world.server.disks)
    if is_well and world.header.limits["pace"] is None and "hangup" not in world.header.families:
        _check_answers(world)


def _check_waiting(world: World) -> None:
    """There is an end to what waits for a rate limit."""
    most = world.header.limits["waiting_lines"]
    if world.server.most_waiting > most and "hangup" not in world.header.families:
        world.oracle.find("waiting", f"{world.server.most_waiting} lines wait for a rate limit")


def _check_answers(world: World) -> None:
    for visit in world.visits:
        if visit.who.visit is not visit or not isinstance(visit, ProgramVisit | Device):
            continue
        if visit.is_open and visit.is_named and visit.socket.is_swift:
            for ref in visit.unanswered()[:1]:
                request = (visit if isinstance(visit, Device) else visit.who).requests.get(ref)
                world.oracle.find("pending-answer", f"{visit} never hears of {ref}: {request}")


def _check_whispers(world: World) -> None:
    """A whisper stands in the logs of everybody whom it is for, or in none."""
    oracle = world.oracle
    here = world.server.names_of_all().keys() | oracle.law.owners.keys()
    own = {name: rows for name, rows in oracle.logs.items() if name.startswith("@")}
    stored: dict[str, set[str]] = {}
    for name, rows in own.items():
        for row in rows.values():
            stored.setdefault((row.text or "").strip("="), set()).add(name[1:])
    for token, people in stored.items():
        said = oracle.said.get(token)
        if said is not None and said.kind == "whisper" and said.time >= oracle.forgets_before:
            lost = ({said.person, *said.others} & here) - people
            if lost:
                oracle.find("half", f"{said} is stored for {people}, and not for {lost}")


def _check_all_are_heard(world: World) -> None:
    named = [
        visit
        for visit in world.visits
        if visit.is_named and not visit.is_finishing and visit.who.visit is visit
    ]
    heard: dict[Visit, int] = {}
    for visit in named:
        if isinstance(visit, ProgramVisit):
            visit.asks(f"p{world.oracle.step}.{visit.number}", {"do": "ping"})
        elif isinstance(visit, PlainVisit):
            heard[visit] = visit.answers_heard
            visit.types("/time", kind="time")
        elif isinstance(visit, Device):
            visit.ask({"do": "ping"})
    for _ in range(10):
        world.rests()
        world.passes(2.0)
    for visit in named:
        if not visit.is_open:
            continue
        if isinstance(visit, ProgramVisit):
            deaf = f"p{world.oracle.step}.{visit.number}" in visit.unanswered()
        elif isinstance(visit, Device):
            deaf = bool(visit.unanswered())
        else:
            assert isinstance(visit, PlainVisit)
            deaf = visit.answers_heard == heard[visit]
        if deaf:
            world.oracle.find("clock" if world.is_clock_set else "deaf", f"{visit} is not heard")


def _check_lines(world: World, visit: Visit) -> None:
    """Everything that somebody typed is stored, or was refused."""
    if visit.is_lossy or not isinstance(visit, PlainVisit) or not visit.is_named:
        return
    if visit.who.visit is not visit:
        return  # they read another connection now
    if not visit.is_clean or not (visit.is_open or visit.is_finishing):
        return
    if visit.was_cut_off:
        return
    tokens = [token for _, token in visit.typed]
    if not world.is_stored(visit, tokens):
        missing = [token for token in tokens if token not in world.oracle.places]
        name = "lost-refusal" if visit.is_finishing else "lost-line"
        world.oracle.find(name, f"{visit} typed {missing}, and was told {visit.refusals} errors")


def _check_files(world: World) -> None:
    """Nobody else on the machine reads the database, and its write-ahead log stays small."""
    for path in world.path.parent.iterdir() if world.path else ():
        mode = path.stat().st_mode & 0o777
        if mode & 0o077 and not path.name.endswith(".lock"):
            world.oracle.find("modes", f"{path.name} has mode {mode:o}")
        size = path.stat().st_size
        if path.name.endswith("-wal") and world.header.small and size > LARGE:
            world.oracle.find("large", f"{path.name} has {size} bytes")


def _check_requests(world: World, who: Somebody) -> None:
    for ref, request in who.requests.items():
        text = str(request.thing.get("text", ""))
        if request.sends == 1 and request.outcomes == ["error"]:
            for token, place in world.oracle.places.items():
                if f"={token}=" in text:
                    world.oracle.find(
                        "refused-but-stored", f"{who} was refused {ref}: {text}, is {place}"
                    )


def ends(world: World) -> None:
    """Everybody leaves, and nothing is left of them."""
    is_quiet(world)
    for index, visit in enumerate(world.visits):
        if index % 3 == 0 and isinstance(visit, PlainVisit):
            visit.types("/quit")
        elif index % 3 == 1:
            visit.socket.goes()
        else:
            visit.socket.breaks()
    world.settles()
    world.turns(4, world.limits.resume_seconds / 2 + 20)
    world.settles()
    if world.header.small and world.header.seed % 4 == 0:
        check_growth(world)
    _check_nothing_is_left(world)
    world.says_goodbye()
    world.check_archive()
    world.starts()
    world.settles_start()
    Auditor(world).audits()
    world.turns(4, world.limits.resume_seconds / 2 + 20)
    world.says_goodbye()
    world.check_failures()


def _check_nothing_is_left(world: World) -> None:
    find = world.oracle.find
    chat, factory = world.server.chat, world.server.factory
    if len(chat.people):
        find("ghost", f"{[each.nickname for each in chat.people]} are still here")
    if len(factory.connections):
        find("connections", f"{len(factory.connections)} connections are still open")
    world.turns(3, 700)
    calls = world.server.reactor.getDelayedCalls()
    if calls:
        find("timers", f"these still run: {[str(call) for call in calls]}")
    world.oracle.looks(closely=True)
    world.oracle.check_the_gone()
    world.visits = []
    for who in [*world.people, *world.citizens]:
        who.visit = None
    for name, check in (("cycles", lambda: None), ("leak", gc.collect)):
        check()
        left = Counter(type(each).__name__ for each in gc.get_objects())
        kept = {kind: left[kind] for kind in KEPT if left[kind]}
        is_due = (
            name == "leak" or not world.had_trouble
        )  # errors are circles: they know their frames
        if kept and is_due:
            find(name, f"still in memory: {kept}")
