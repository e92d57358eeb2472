"""What a server keeps of people who have come and gone, under names that are new each time."""

import gc
import types
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from tests.world.people import Somebody
from tests.world.plain import PlainVisit
from tests.world.program import ProgramVisit
from tests.world.world import World

ROUNDS = 5
PEOPLE = 6
REFS = 20
"""Requests that may be remembered of one person."""

_SHARED = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.CodeType)


def check_growth(world: World) -> None:
    """Let people come, do something, and leave again and again: nothing of them stays."""
    world.limits.refs = REFS
    sizes = []
    keeper = _comes(world, "keeper", is_program=False)  # for whom a room remembers who came
    for round_number in range(ROUNDS):
        host = _comes(world, f"host{round_number}", is_program=True)
        for number in range(PEOPLE):
            visit = _comes(world, f"n{round_number}x{number}", is_program=number % 2 == 0)
            world.turns(4, 0.1)
            _writes(visit, "/join #dev", "hello", f"/whisper {host.who.wish} hello", "/topic tea")
            _writes(host, *["hello"] * (REFS // PEOPLE + 2))
            world.turns(4, 1.0)
            _writes(visit, "/away gone", "/ignore alice", f"/nick m{round_number}x{number}")
            world.turns(4, 1.0)
            if number % 3:
                _writes(visit, "/quit")
                world.turns(3, 1.0)
            visit.socket.breaks()
        if world.server.most_refs > REFS:
            world.oracle.find("growth", f"{world.server.most_refs} requests are remembered")
        host.socket.breaks()
        world.turns(6, 500.0)
        world.visits = []
        sizes.append(sum(1 for _ in _held(world)))
    keeper.socket.breaks()
    world.turns(4, 1.0)
    if all(after - before >= 2 * PEOPLE for before, after in pairwise(sizes[1:])):
        world.oracle.find("growth", f"the server holds ever more: {sizes} things after each round")


def _comes(world: World, nickname: str, *, is_program: bool) -> PlainVisit | ProgramVisit:
    who = Somebody(98, nickname, "127.0.0.1", is_program)
    visit = (ProgramVisit if is_program else PlainVisit)(world, who, 0)
    world.visits.append(visit)
    if isinstance(visit, ProgramVisit):
        visit.hello(nickname, resume=False)
    else:
        visit.answers(nickname)
    return visit


def _writes(visit: PlainVisit | ProgramVisit, *lines: str) -> None:
    for line in lines:
        if isinstance(visit, PlainVisit):
            visit.sends(line.encode() + b"\n")
        else:
            do = "command" if line.startswith("/") else "say"
            visit.lines += 1
            visit.write({"do": do, "text": line, "ref": f"g{visit.lines}"})


def _held(world: World) -> Iterator[Any]:
    """Everything that a server holds on to, however deep."""
    server = world.server
    roots = [server.chat, server.factory, server.store, server.reactor]
    known = set(map(id, (*roots, world, world.oracle)))
    while roots:
        thing = roots.pop()
        yield thing
        for other in gc.get_referents(thing):
            is_ours = type(other).__module__.startswith("tests.") or isinstance(other, _SHARED)
            if id(other) not in known and not is_ours:
                known.add(id(other))
                roots.append(other)
