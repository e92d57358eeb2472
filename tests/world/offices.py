"""What people with accounts do, and those who keep order; and whether rights are true."""

from typing import Any

from tests.world import doings
from tests.world.actions import act
from tests.world.citizens import PASSWORD, Device
from tests.world.court import KEY
from tests.world.doings import goes, present
from tests.world.header import COURTS
from tests.world.visit import Visit
from tests.world.world import World

DECISIONS: tuple[str, ...] = (
    *("/kick {}", "/kick {}", "/mute {}", "/mute {} 10s", "/unmute {}", "/ban {}", "/ban {} 20s"),
    *("/unban {}", "/op {}", "/voice {}", "/deop {}", "/devoice {}", "/own {}", "/invite {}"),
    *("/lock", "/lock sesame", "/unlock", "/close it", "/hide on", "/hide off", "/moderated on"),
    *("/slow 5", "/slow 0", "/ban --server {}", "/ban --server {} 20s", "/unban --server {}"),
    *("/moderated off", "/freeze on", "/freeze off", "/hand", "/hand up", "/next", "/clear hands"),
)


_OVER = "a token that is over"
FALSE = (_OVER, "a wrong password")


@act("{who} comes")
def comes_in(world: World, index: int, how: str = "") -> object:
    who = world.somebody(index)
    if how == _OVER and not who.dead_token:
        return False
    if who.visit is not None and who.visit.is_open:
        return False
    visit = who.visit = Device(world, who, world.oracle.step)
    world.visits.append(visit)
    visit.hello(how)
    return True


@act("{who} comes with {0}")
def comes_falsely(world: World, index: int, how: str) -> object:
    return comes_in(world, index, how)


@act("{who} says hello again")
def says_hello_again(world: World, index: int) -> object:
    visit = present(world, index, named=False)
    if not isinstance(visit, Device) or visit.is_named or visit.unanswered():
        return False
    visit.hello()
    return True


@act("{who} logs in as {0} without coming anew")
def logs_in(world: World, index: int, name: str) -> object:
    owner = world.oracle.law.accounts.get(name)
    if owner is None:
        return False
    visit = doings.asks(world, index, f"/login {name} {owner.passwords[0]}")
    if visit is not None:
        visit.who.is_ended = True  # who they were is over, perhaps before they hear of it
    return visit is not None


@act("{who} registers")
def registers(world: World, index: int) -> object:
    return doings.asks(world, index, f"/register {PASSWORD}") is not None


@act("{who} chooses another password, {0}")
def chooses_password(world: World, index: int, password: str) -> object:
    visit = present(world, index)
    owner = world.oracle.law.owners.get(visit.person) if visit else None
    if owner is None or len(owner.passwords) > 1:
        return False
    owner.passwords.append(password)
    return doings.asks(world, index, f"/password {owner.passwords[0]} / {password}") is not None


@act("{who} logs out")
def logs_out(world: World, index: int) -> object:
    visit = doings.asks(world, index, "/logout")
    if visit is not None:
        visit.who.is_ended = visit.who.has_quit = True
    return visit is not None


@act("{who} ends the device {0} of theirs")
def ends_device(world: World, index: int, number: int) -> object:
    visit = doings.asks(world, index, f"/devices end {number}")
    for who in world.citizens:
        who.is_ended |= visit is not None and who.wish == visit.who.wish
    return visit is not None


@act("{who} decides in {1}: {0}")
def decides(world: World, index: int, line: str, room: str) -> object:
    return doings.asks(world, index, line, room=room) is not None


@act("{who} enters {0}, {1}")
def enters(world: World, index: int, room: str, key: str) -> object:
    visit, law = present(world, index), world.oracle.law
    if visit is None or (not law.court(room).ranks and visit.person not in law.owners):
        return False  # a room that a guest opens is nobody's for ever
    return doings.asks(world, index, f"/join {room} {key}".strip()) is not None


@act("{who} asks: {0}")
def asks_about(world: World, index: int, line: str) -> object:
    return doings.asks(world, index, line) is not None


@act("after a rest {who} decides in {1}: {0}; the server is killed before it hears of that")
def decides_and_dies(world: World, index: int, line: str, room: str) -> object:
    world.rests()
    if decides(world, index, line, room) is False:
        return False
    world.turns(3, disk=False)
    world.server.writing.works()
    world.is_killed()
    return True


@act("{who} and {0} come in the same turn, while {1} goes, by {2}")
def comes_while_another_goes(world: World, index: int, other: int, gone: int, how: str) -> object:
    if how == "quits":
        doings.quits(world, gone, f"q{world.oracle.step}")
    elif how == "logs out":
        logs_out(world, gone)
    else:
        goes(world, gone, Visit.breaks)
    comes_in(world, index)
    comes_in(world, other)
    return True


def _logs_in_to_stay(world: World, index: int) -> bool:
    world.rests()
    who = world.somebody(index)
    if who.wish not in world.oracle.law.accounts or world.server.writing.trouble:
        return False
    goes(world, index, Visit.breaks)
    who.wants_to_stay, who.token, who.seen = True, "", {}
    comes_in(world, index)
    world.rests()
    return True


@act("after a rest {who} logs in to stay, logs out, and comes with the token of before")
def logs_out_for_good(world: World, index: int) -> object:
    if not _logs_in_to_stay(world, index):
        return False
    logs_out(world, index)
    world.rests()
    comes_in(world, index, _OVER)
    world.rests()
    return True


@act("after a rest {who} logs in to stay, quits (={0}=), and comes back after a kill")
def stays(world: World, index: int, token: str) -> object:
    if not _logs_in_to_stay(world, index):
        return False
    doings.quits(world, index, token)
    world.rests()
    world.is_killed()
    comes_in(world, index)
    world.rests()
    return True


@act("after a rest {who} decides about the person {0}, in {2}: {1}, {3}; then they say ={4}.1=")
def is_judged(
    world: World, index: int, other: int, line: str, room: str, how: str, token: str
) -> object:
    for who in world.citizens:
        comes_in(world, who.index)
    world.rests()
    judge, judged = present(world, index), present(world, other)
    if judge is None or judged is None or judge.person == judged.person:
        return False
    _has_account(world, index)
    for each in (index, other):
        is_locked = world.oracle.law.court(room).settings.get("lock") == "key"
        enters(world, each, room, KEY if is_locked else "")
        world.rests()
    doings.says(world, other, f"{token}.0", room)
    world.rests()
    decides(world, index, line.format(world.server.nickname_of(judged.person)), room)
    if how != "at once":
        world.turns(3, disk=False)
        world.server.writing.works()
    if how == "and the server is killed":
        world.is_killed()
        for who in world.citizens:
            comes_in(world, who.index)
    if how != "at once":
        world.rests()
    doings.says(world, other, f"{token}.1", room)
    enters(world, other, room, "")
    doings.says(world, other, f"{token}.2", room)
    world.rests()
    return True


def _has_account(world: World, index: int) -> None:
    """Somebody registers, who has not."""
    visit = present(world, index)
    if visit is not None and visit.person not in world.oracle.law.owners:
        registers(world, index)
        world.rests()


@act("the operator lets {who} administer the server")
def administers(world: World, index: int) -> object:
    visit = present(world, index)
    owner = world.oracle.law.owners.get(visit.person) if visit else None
    if owner is None or world.server.writing.trouble:
        return False
    world.server.makes_admin(owner)
    return True


@act("after a rest {who} administers: {0}, and {1}; people come, and say ={2}=")
def keeps_out(world: World, index: int, line: str, how: str, token: str) -> object:
    for who in world.citizens:
        comes_in(world, who.index)
    world.rests()
    _has_account(world, index)
    if administers(world, index) is False:
        return False
    world.rests()
    doings.asks(world, index, line)
    if how == "waits":
        world.rests()
    else:
        world.turns(3, disk=False)
        world.server.writing.works()
        world.is_killed()
    world.oracle.law.check_stays(world.server.members())
    for who in world.people[:3]:
        doings.connects(world, who.index, who.wish, resume=True)
        world.rests()
        doings.says(world, who.index, f"{token}.{who.index}")
    for who in world.citizens:
        comes_in(world, who.index)
    world.rests()
    world.server.lets_everybody_in()
    world.rests()
    return True


_DENIED = {"muted", "not-allowed", "banned", "lockdown"}


def check_rights(world: World) -> None:
    """Who may speak or enter can, and nobody else."""
    for visit in [each for each in world.visits if isinstance(each, Device)]:
        for room in COURTS:
            person = world.server.person(visit.person)
            is_here = visit.is_open and visit.is_named and not visit.is_finishing
            if person is None or not is_here or visit.who.visit is not visit:
                continue
            if not world.oracle.law.court(room).ranks:
                continue  # whoever opens it owns it
            before = _may(world, person, room)
            if room in person.rooms:
                visit.says(f"=c{world.oracle.step}.{visit.who.index}{COURTS.index(room)}=", room)
            else:
                visit.says(f"/join {room}")
            request = list(visit.requests.values())[-1]
            world.rests()
            world.turns(2, 2.0)
            world.rests()
            if before is not _may(world, person, room):
                continue  # it has just ended
            if room in person.rooms and not world.oracle.law.is_admin(visit.person):
                visit.says("/ban --server pete", room)  # whom everybody is above: see `Law.keeps`
                world.rests()
            if request.lines == ["too-many-rooms"]:
                continue  # nobody is in it, and it cannot be opened now
            is_denied = bool(_DENIED & set(request.lines))
            if before is is_denied or (not before and request.outcomes not in ([], ["error"])):
                world.oracle.find("rights", f"{visit} may{'' if before else ' not'} do {request}")


def _may(world: World, person: Any, room: str) -> bool:
    """Whether somebody may speak in a room that they are in, or enter it."""
    law = world.oracle.law
    is_in = room in person.rooms
    return law.may_speak(person, room) if is_in else law.may_enter(person, room)
