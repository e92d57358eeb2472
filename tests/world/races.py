"""Recipes that put two things close together: a commit, and what comes before it is heard of."""

from tests.world import doings
from tests.world.actions import act
from tests.world.doings import connects, goes, present, says
from tests.world.plain import PlainVisit
from tests.world.program import ProgramVisit
from tests.world.quiet import is_calm
from tests.world.recipes import all_return
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


@act("after a rest {who} speaks (={1}=) on a full disk, and the person {0} ignores one meanwhile")
def waits_beside_a_failure(world: World, index: int, other: int, token: str) -> object:
    world.rests()
    if world.server.writing.trouble or says(world, index, token) is False:
        return False
    world.turns(3, disk=False)
    doings.ignores(world, other, "stranger")
    world.turns(3, disk=False)
    world.server.writing.trouble, world.had_trouble = "commit", True
    world.server.writing.works()
    world.server.writing.trouble = ""
    is_calm(world)
    return True


@act("after a rest {who} speaks (={0}=) on a full disk, and quits before they hear of it")
def quits_beside_a_failure(world: World, index: int, token: str) -> object:
    world.rests()
    visit = present(world, index)
    if world.server.writing.trouble or not isinstance(visit, PlainVisit):
        return False
    if visit.who.visit is not visit or not visit.socket.is_swift or visit.is_lossy:
        return False
    before = visit.refusals
    says(world, index, token)
    doings.quits(world, index, f"q{token[1:]}")
    world.turns(3, disk=False)
    world.server.writing.trouble, world.had_trouble = "commit", True
    world.server.writing.works()
    world.server.writing.trouble = ""
    world.rests()
    was_done = world.path is not None and token in world.oracle.said
    if was_done and token not in world.oracle.places and visit.refusals == before:
        world.oracle.find("lost-refusal", f"{visit} is not told that ={token}= is lost")
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


@act("after a rest {who} leaves the lobby, where the person {0} says much, comes back and rejoins")
def comes_back_and_rejoins(world: World, index: int, other: int, token: str) -> object:
    who = world.people[index]
    if not isinstance(present(world, index), ProgramVisit) or index == other:
        return False
    doings.joins(world, index, "#dev")
    world.rests()
    doings.leaves(world, index, "#lobby")
    world.rests()
    goes(world, index, Visit.breaks)
    for number in range(world.longest_entry + 5):
        says(world, other, f"{token}.{number}", "#lobby")
        world.turns(1, 2.0)
    connects(world, index, who.nickname, resume=True)
    world.rests()
    doings.joins(world, index, "#lobby")
    world.rests()
    return True


@act("after a rest {who} comes on a full disk, speaks later (={0}=), and the server is killed")
def comes_on_a_full_disk(world: World, index: int, token: str) -> object:
    world.rests()
    if world.server.writing.trouble:
        return False
    goes(world, index, Visit.breaks)
    world.server.writing.trouble, world.had_trouble = "commit", True
    connects(world, index, world.people[index].wish)
    world.rests()
    world.server.writing.trouble = ""
    says(world, index, f"{token}.99")
    return all_return(world, "the server is killed", token)


@act("{who}'s line breaks, the person {0} whispers to them (={1}=) and takes their nickname")
def is_displaced(world: World, index: int, other: int, token: str) -> object:
    who, taker = world.people[index], world.people[other]
    if who.is_quiet:
        return False  # nobody else is called that
    if (
        index == other
        or who.host != taker.host
        or not isinstance(present(world, index), ProgramVisit)
    ):
        return False
    world.rests()
    nickname = who.nickname
    goes(world, index, Visit.breaks)
    doings.whispers(world, other, nickname, token)
    world.rests()
    goes(world, other, Visit.breaks)
    connects(world, other, nickname)
    world.rests()
    connects(world, index, nickname, resume=True)
    world.rests()
    return True


@act("after a rest {who} sleeps; the person {0} quits, comes as late, and says much: ={1}.0= ...")
def sleeps(world: World, index: int, other: int, token: str) -> object:
    visit = present(world, index)
    if not isinstance(visit, ProgramVisit) or index == other or present(world, other) is None:
        return False
    world.rests()
    doings.stops_reading(world, index, 1)
    doings.quits(world, other, f"q{token[1:]}")
    world.rests()
    connects(world, other, "late")
    world.rests()
    for number in range(12):
        says(world, other, f"{token}.{number}")
        world.turns(1, 2.0)
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
    if has_quit and seconds < 2 and isinstance(visit, ProgramVisit) and visit.unanswered():
        world.oracle.find("cut-off", f"{visit} has quit, and never hears of {visit.unanswered()}")
    return True


@act("after a rest {who} whispers to {0} (={1}=), asks for history and quits; their line breaks")
def quits_and_breaks(world: World, index: int, nickname: str, token: str) -> object:
    world.rests()
    doings.whispers(world, index, nickname, token)
    world.rests()
    doings.asks_history(world, index, {"limit": 5})
    doings.quits(world, index, f"q{token[1:]}")
    world.turns(1, disk=False)
    goes(world, index, Visit.breaks)
    world.turns(1, disk=False)
    world.rests()
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
