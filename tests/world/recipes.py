"""What chance alone would not put together in a lifetime: several steps as one."""

import json

from tests.world import doings
from tests.world.actions import act
from tests.world.doings import connects, goes, introduces, present, says
from tests.world.program import ProgramVisit
from tests.world.visit import Visit
from tests.world.world import World


@act("{who} guesses nicknames on one connection")
def guesses(world: World, index: int) -> object:
    visit = present(world, index, named=False)
    if visit is None or visit.is_named or visit.socket.capacity is not None or visit.socket.drip:
        return False
    for _ in range(world.limits.nickname_tries + 2):
        introduces(visit, "1", resume=False)
    world.rests()
    if visit.is_open and not visit.is_named:
        world.oracle.find("tries", f"{visit} may guess for ever")
    return True


@act("after a rest {0}, programs come back, and all say something: ={1}.0= and so on")
def all_return(world: World, why: str, token: str) -> object:
    world.rests()
    if why == "the server is killed":
        world.is_killed()
    elif why == "the server is stopped":
        world.stops()
    for who in world.people:
        if who.visit is not None and who.visit.is_open and who.is_program:
            goes(world, who.index, Visit.breaks)
        connects(world, who.index, who.nickname or who.wish, resume=True)
    world.rests()
    for who in world.people:
        says(world, who.index, f"{token}.{who.index}")
    world.rests()
    return True


@act("after a rest {who} ignores the person {0}, who speaks and whispers as {1}: ={2}.0=, ={3}=")
def ignored_in_disguise(
    world: World, index: int, other: int, nickname: str, token: str, whisper: str
) -> object:
    visit, ignored = present(world, index), present(world, other)
    if visit is None or ignored is None or visit is ignored:
        return False
    world.rests()
    doings.ignores(world, index, ignored.who.nickname)
    world.rests()
    doings.renames(world, other, nickname)
    world.rests()
    says(world, other, f"{token}.0")
    doings.whispers(world, other, visit.who.nickname, whisper)
    world.rests()
    return True


@act("after a rest {who} quits, and everybody reads why: ={0}=")
def says_goodbye(world: World, index: int, token: str) -> object:
    world.rests()
    world.turns(3, 20.0)  # so that nothing is told together with others
    visit = present(world, index)
    if visit is None or visit.who.visit is not visit or not visit.socket.is_swift:
        return False
    nickname, person = world.server.nickname_of(visit.person), visit.person
    rooms = set(visit.who.rooms)
    witnesses = [
        each
        for each in world.visits
        if isinstance(each, ProgramVisit) and each.is_clean and each.who.visit is each
        if each.is_open and each.is_named and each is not visit and "#lobby" in each.who.rooms
    ]
    doings.quits(world, index, token)
    world.rests()
    for each in witnesses if "#lobby" in rooms and person in world.oracle.gone else ():
        view = each.view("#lobby")
        is_ignored = {nickname.lower(), person} & each.who.ever_ignored
        if each.is_open and not is_ignored and view.farewells.get(nickname) != f"={token}=":
            world.oracle.find("goodbye", f"{each} never reads that {nickname} quits: ={token}=")
    return True


@act("after a rest {who} leaves a room; {0}, they come back, and send that again")
def leaves_twice(world: World, index: int, why: str) -> object:
    who = world.people[index]
    world.rests()
    if not isinstance(present(world, index), ProgramVisit):
        return False
    for room in ("#dev", "#tea", "#old"):
        doings.joins(world, index, room)
        world.rests()
        world.turns(1, 2.0)
    doings.leaves(world, index, "")
    ref = next(reversed(who.requests), "")
    world.turns(1, 5.0)
    world.rests()
    if why == "the server is killed":
        world.is_killed()
    goes(world, index, Visit.breaks)
    connects(world, index, who.nickname, resume=True)
    world.rests()
    visit = present(world, index)
    if isinstance(visit, ProgramVisit) and ref in who.requests:
        visit.asks(ref, {})
        world.rests()
    return True


@act("{who} whispers 3000 times to {0}, whose line is reset meanwhile; then the server is killed")
def whispers_into_a_reset(world: World, index: int, other: int, token: str) -> object:
    whispering, whispered = present(world, index), present(world, other)
    if whispering is None or whispered is None or whispering is whispered:
        return False
    world.rests()
    nickname = whispered.who.nickname
    for each in range(300 if world.header.small else 3_000):
        whispering.sends(_whisper(whispering, nickname, f"{token}.{each}"))
    for count in range(20):
        world.turns(1, disk=count % 2 == 0)
        if count == 5:
            goes(world, other, Visit.breaks)
    world.rests()
    world.is_killed()
    for who in world.people[:3]:
        connects(world, who.index, who.wish, resume=False)
        world.rests()
        for room in ("#new", "#fresh", "#young"):
            doings.joins(world, who.index, room)
            world.rests()
    return True


def _whisper(visit: Visit, nickname: str, token: str) -> bytes:
    line = f"/whisper {nickname} ={token}="
    visit.means(line)
    if isinstance(visit, ProgramVisit):
        line = json.dumps({"do": "command", "text": line})
    return line.encode() + b"\n"
