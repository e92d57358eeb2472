"""What chance alone would not put together in a lifetime: several steps as one."""

from tests.world.actions import act
from tests.world.doings import connects, goes, introduces, present, says
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
