"""What the world does to servers: turns, time, a bad disk, death, and an operator."""

from typing import Any

from tests.world.actions import act
from tests.world.quiet import is_calm, is_quiet
from tests.world.world import World
from twisted_chat import Limits


@act("the server takes a turn")
def turn(world: World, first: int = 0) -> object:
    for visit in world.visits:
        visit.socket.moves()
    world.server.reactor.turns(first)
    if "slow" not in world.header.families:
        for disk in world.server.disks:
            while disk.works() or disk.is_heard():
                pass
    return True


@act("{0} seconds pass")
def passes(world: World, seconds: float) -> object:
    world.passes(seconds)
    return True


@act("the disk does its work: {0}")
def disk_works(world: World, which: int) -> object:
    return world.server.disks[which].works()


@act("the server hears of it: {0}")
def disk_is_heard(world: World, which: int) -> object:
    return world.server.disks[which].is_heard()


@act("the disk is full: {0} fails")
def disk_is_full(world: World, where: str) -> object:
    world.server.writing.trouble = where
    world.had_trouble = True
    return True


@act("the disk has room again")
def disk_has_room(world: World) -> object:
    was, world.server.writing.trouble = world.server.writing.trouble, ""
    return bool(was)


@act("the disk cannot be read")
def disk_is_unreadable(world: World) -> object:
    world.server.reading.trouble = "read"
    return True


@act("the disk can be read again")
def disk_is_readable(world: World) -> object:
    was, world.server.reading.trouble = world.server.reading.trouble, ""
    return bool(was)


@act("the server is killed, and started again")
def kill(world: World) -> object:
    world.is_killed()
    return True


@act("the server is stopped, and started again")
def stop(world: World) -> object:
    world.stops()
    return True


@act("the clock is set by {0} seconds")
def clock(world: World, seconds: float) -> object:
    world.oracle.latest = max(world.oracle.latest, world.oracle.now())
    world.offset += seconds
    world.is_clock_set |= seconds < 0
    return True


@act("the operator changes the limits: {0}")
def hangup(world: World, limits: dict[str, Any]) -> object:
    world.limits.become(Limits(**(world.header.limits | limits)))
    if world.limits.entry_history > world.longest_entry:
        world.longest_entry = world.limits.entry_history
        for who in world.people:
            who.floors = {}  # they may be shown more than they were about to
    world.most_history = max(world.most_history, world.limits.history_lines)
    return True


@act("what is older than {0} seconds is forgotten")
def forget(world: World, seconds: float) -> object:
    before = world.now + world.offset - seconds
    world.oracle.forgets_before = max(world.oracle.forgets_before, before)
    world.server.store.forget(before)
    return True


@act("the operator bans {0} and nobody else")
def ban(world: World, host: str) -> object:
    world.banned = [] if host == "nobody" else [host]
    world.server.ban(world.banned)
    for visit in world.visits:
        if visit.who.host == host:
            visit.who.has_quit = True
            visit.is_lossy = True
            visit.finishes()
    return True


@act("everything that waits is done")
def rest(world: World) -> object:
    is_calm(world)
    return True


@act("all becomes quiet")
def quiet(world: World) -> object:
    is_quiet(world)
    return True
