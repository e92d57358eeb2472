"""Recipes that put two things close together: a commit, and what comes before it is heard of."""

from tests.world import doings
from tests.world.actions import act
from tests.world.doings import connects, goes, present, says
from tests.world.plain import PlainVisit
from tests.world.program import ProgramVisit
from tests.world.quiet import is_calm
from tests.world.visit import Visit
from tests.world.world import World


def _commits(world: World, *, heard: bool) -> None:
    """Take the turns after which something is committed."""
    world.turns(3, disk=False)
    world.server.writing.works()
    if heard:
        world.server.writing.is_heard()


@act("after a rest {who} takes the nickname {0}, and the server is killed before it hears of that")
def renames_and_dies(world: World, index: int, nickname: str) -> object:
    world.rests()
    if doings.renames(world, index, nickname) is False:
        return False
    _commits(world, heard=False)
    world.is_killed()
    return True


@act("after a rest {who} speaks (={1}=), and the person {0} asks for history before that is shown")
def asks_too_early(world: World, index: int, other: int, token: str) -> object:
    world.rests()
    if says(world, index, token) is False:
        return False
    _commits(world, heard=False)
    doings.asks_history(world, other, {"limit": 5})
    world.turns(2, disk=False)
    world.server.reading.works()
    world.server.reading.is_heard()
    world.rests()
    return True


@act("after a rest {who} speaks (={1}=) on a full disk, and the person {0} goes away meanwhile")
def waits_beside_a_failure(world: World, index: int, other: int, token: str) -> object:
    world.rests()
    if world.server.writing.trouble or says(world, index, token) is False:
        return False
    world.turns(3, disk=False)
    doings.goes_away(world, other, f"a{token[1:]}")
    world.turns(3, disk=False)
    world.server.writing.trouble, world.had_trouble = "commit", True
    world.server.writing.works()
    world.server.writing.trouble = ""
    is_calm(world)
    return True


@act("after a rest {who} leaves the lobby, between two lines of the person {0}: ={1}.1=, ={1}.2=")
def leaves_between(world: World, index: int, other: int, token: str) -> object:
    if present(world, index) is present(world, other):
        return False
    doings.joins(world, index, "#dev")
    world.rests()
    for number in (0, 1):
        says(world, other, f"{token}.{number}")
        world.turns(2, disk=False)
    doings.leaves(world, index, "#lobby")
    world.turns(1, disk=False)
    says(world, other, f"{token}.2")
    world.turns(1, disk=False)
    world.rests()
    return True


@act("after a rest {who}'s line breaks, the person {0} says much, {who} comes back and rejoins")
def comes_back_and_rejoins(world: World, index: int, other: int, token: str) -> object:
    who = world.people[index]
    if not isinstance(present(world, index), ProgramVisit) or index == other:
        return False
    doings.joins(world, index, "#dev")
    world.rests()
    goes(world, index, Visit.breaks)
    for number in range(world.longest_entry + 5):
        says(world, other, f"{token}.{number}", "#lobby")
        world.turns(1, 2.0)
    connects(world, index, who.nickname, resume=True)
    for what in (doings.leaves, doings.joins):
        world.rests()
        world.turns(2, 2.0)
        what(world, index, "#lobby")
    world.rests()
    return True


@act("after a rest {who} sleeps, while the person {0} says much and goes: ={1}.0= and so on")
def sleeps(world: World, index: int, other: int, token: str) -> object:
    visit = present(world, index)
    if not isinstance(visit, ProgramVisit) or index == other or present(world, other) is None:
        return False
    world.rests()
    doings.stops_reading(world, index, 1)
    for number in range(12):
        says(world, other, f"{token}.{number}")
        world.turns(1, 2.0)
    goes(world, other, Visit.closes)
    world.rests()
    return True


@act("after a rest {who} quits without reading, and reads {0} seconds later: ={1}=")
def quits_unread(world: World, index: int, seconds: float, token: str) -> object:
    world.rests()
    visit = present(world, index)
    if visit is None or not visit.socket.is_swift:
        return False
    doings.stops_reading(world, index, 1)
    says(world, index, f"{token}.0")
    doings.quits(world, index, f"q{token[1:]}")
    world.rests()
    has_quit = visit.person in world.oracle.gone  # else that waits for its rate limit
    world.turns(3, seconds / 3)
    if seconds < 2:
        visit.reads_again()
    world.rests()
    if has_quit and not visit.socket.closed:
        world.oracle.find("unclosed", f"{visit} has quit, and is here still")
    visit.reads_again()
    return True


@act("somebody connects, and neither reads nor says anything")
def says_nothing(world: World) -> object:
    silent = PlainVisit(world, world.people[0], 0)
    silent.socket.capacity = 1
    world.turns(4, 15.0)
    world.rests()
    if not silent.socket.closed:
        world.oracle.find("unclosed", "who never says a nickname, and does not read, stays")
    return True


@act("{who} says ={0}= without a line's end, and closes the sending half")
def says_last(world: World, index: int, token: str) -> object:
    visit = present(world, index)
    if not isinstance(visit, PlainVisit):
        return False
    visit.means(f"={token}=")
    visit.sends(f"={token}=".encode())
    visit.typed.append((visit.socket.sent, token))
    return doings.half_closes(world, index)
