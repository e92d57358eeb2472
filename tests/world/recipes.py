"""What chance alone would not put together in a lifetime: several steps as one."""

import json

from tests.world import doings
from tests.world.actions import act
from tests.world.doings import connects, goes, introduces, present, says
from tests.world.oracle import TOKEN
from tests.world.people import Somebody
from tests.world.plain import PlainVisit
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


@act("after a rest {who} {1}, and everybody reads why: ={0}=")
def says_goodbye(world: World, index: int, token: str, how: str) -> object:
    world.rests()
    world.turns(3, 20.0)  # so that nothing is told together with others
    world.rests()
    visit = present(world, index)
    if visit is None or visit.who.visit is not visit or not visit.socket.is_swift:
        return False
    if visit.who.is_quiet or (how in ("breaks", "closes") and visit.who.is_program):
        return False  # nobody is told, or not yet
    nickname, person = world.server.nickname_of(visit.person), visit.person
    rooms = set(visit.who.rooms)
    witnesses = [
        each
        for each in world.visits
        if isinstance(each, ProgramVisit) and each.is_clean and each.who.visit is each
        if each.is_open and each.is_named and each is not visit and "#lobby" in each.who.rooms
    ]
    if how == "quits":
        doings.quits(world, index, token)
    elif how == "leaves":
        doings.leaves(world, index, "#lobby")
    else:
        goes(world, index, Visit.breaks if how == "breaks" else Visit.closes)
    world.rests()
    if how == "quits" and person in world.oracle.gone and not visit.socket.closed:
        world.oracle.find("unclosed", f"{visit} has quit, has read all, and is here still")
    has_left = person in world.oracle.gone or (person, "#lobby") in world.oracle.left
    reason = {"quits": f"={token}=", "breaks": "connection lost"}.get(how, "")
    heard = [each.view("#lobby").farewells.get(nickname) for each in witnesses]
    if None in heard:
        world.turns(4, 1.0)  # others have left in the same moment
    for each in witnesses if "#lobby" in rooms and has_left else ():
        told = each.view("#lobby").farewells.get(nickname)
        is_ignored = {nickname.lower(), person} & each.who.ever_ignored
        is_there = each.is_open and (each.person, "#lobby") not in world.oracle.left
        is_wrong = told is None or (told != reason and None not in heard)
        if is_there and not is_ignored and is_wrong:
            world.oracle.find("goodbye", f"{each} is told {told!r} when {nickname} {how}: {token}")
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


@act("after a rest {who} gives #hill a topic and leaves; it is closed, and opened again: ={0}=")
def reopens(world: World, index: int, token: str) -> object:
    world.rests()
    if not isinstance(present(world, index), ProgramVisit):
        return False
    doings.joins(world, index, "#hill")
    world.rests()
    doings.topic(world, index, token, "#hill")
    world.rests()
    doings.leaves(world, index, "#hill")
    world.rests()
    before, world.limits.rooms = world.limits.rooms, 1
    doings.joins(world, index, "#dale")
    world.rests()
    world.limits.rooms = before
    doings.joins(world, index, "#hill")
    world.rests()
    return True


@act("after a rest {who} and the person {0} say 40 lines each, all at once: ={1}.0= and so on")
def say_much_together(world: World, index: int, other: int, token: str) -> object:
    world.rests()
    one, two = present(world, index), present(world, other)
    is_fit = one and two and one is not two and one.socket.is_swift and two.socket.is_swift
    if not is_fit or not world.header.small or world.limits.pace:
        return False
    for number in range(80):
        says(world, (index, other)[number // 40], f"{token}.{number}")
    world.rests()
    said = [world.oracle.said.get(f"{token}.{number}") for number in range(80)]
    orders = [each.order for each in said if each is not None]
    early, late = orders[:40], orders[40:]
    if (
        len(orders) == 80
        and min(sum(each < early[-1] for each in late), 10)
        + min(sum(each < late[-1] for each in early), 10)
        < 20
    ):
        world.oracle.find("unfair", f"{one} and {two} are heard at {early} and {late}")
    return True


@act("a class comes from one address, one more than may, and goes; and again, without nicknames")
def class_comes(world: World) -> object:
    limits = world.limits
    before = limits.clients, limits.nameless_per_address
    limits.clients = len(world.server.factory.connections) + limits.per_address
    for most in (limits.per_address, limits.per_address, 3, 3):
        limits.nameless_per_address = most
        pupils = [
            PlainVisit(world, Somebody(97, f"pupil{number}", "10.0.0.7", False), 0)
            for number in range(most + 1)
        ]
        for pupil in pupils if most > 3 else ():
            pupil.sends(pupil.who.wish.encode() + b"\n")
        world.rests()
        let_in = [pupil for pupil in pupils if not pupil.socket.closed]
        if len(let_in) != most:
            world.oracle.find("class", f"{len(let_in)} of {most} come in from one address")
        for pupil in pupils:
            pupil.breaks()
        world.rests()
    limits.clients, limits.nameless_per_address = before
    return True


@act("after a rest {who} asks for the history of the last {0} seconds")
def asks_since(world: World, index: int, seconds: int) -> object:
    world.rests()
    visit, oracle = present(world, index), world.oracle
    if not isinstance(visit, ProgramVisit) or world.is_clock_set or visit.who.ever_ignored:
        return False
    earliest = oracle.now() - seconds
    if oracle.path is None or earliest < oracle.forgets_before:
        return False  # the oldest may be forgotten
    doings.asks(world, index, f"/history {seconds}s", room="#lobby")
    request = next(reversed(visit.who.requests.values()))
    world.rests()
    rows = oracle.logs.get("#lobby", {}).values()
    first, other = (
        next((row for row in rows if row.time >= time), None)
        for time in (earliest, oracle.now() - seconds)
    )
    if (
        first is not None
        and first is other
        and first.time >= oracle.forgets_before  # else it may be gone
        and request.outcomes == ["answer"]
    ):
        text = first.text or ""
        is_shown = TOKEN.fullmatch(text) and text[1] != "x"
        if is_shown and text not in (request.lines or [""])[0]:
            oracle.find("since", f"{visit} reads {request.lines[:2]}, and not from {first} on")
    return True


@act("{who} asks for all history, again and again")
def asks_much(world: World, index: int) -> object:
    for _ in range(8):
        if doings.asks_history(world, index, {"limit": 300, "room": "#lobby"}) is False:
            return False
    return True
