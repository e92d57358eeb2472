"""What can happen in a world, each with a sentence; what makes no sense just now is left out."""

from collections.abc import Callable
from typing import Any, TypeAlias

from tests.world.plain import PlainVisit
from tests.world.program import ProgramVisit
from tests.world.quiet import is_quiet
from tests.world.visit import Visit
from tests.world.world import World
from twisted_chat import Limits

Action: TypeAlias = tuple[Any, ...]
"""The name of what happens, and its arguments; of what people do, first which of them."""

ACTS: dict[str, tuple[Callable[..., object], str]] = {}
"""What happens, by name: what does it (`False`: it makes no sense), and its sentence."""


def act(sentence: str) -> Callable[[Callable[..., object]], Callable[..., object]]:
    """This can happen."""

    def known(does: Callable[..., object]) -> Callable[..., object]:
        ACTS[does.__name__] = does, sentence
        return does

    return known


def perform(world: World, action: Action) -> bool:
    """Do something; says whether it made sense."""
    name, *arguments = action
    return ACTS[name][0](world, *arguments) is not False


def told(world: World, action: Action) -> str:
    """An action as a sentence."""
    name, *arguments = action
    sentence = ACTS[name][1]
    if "{who}" in sentence:
        return sentence.format(*arguments[1:], who=world.people[arguments[0]])
    return sentence.format(*arguments)


def _visit(world: World, index: int, *, named: bool = True) -> Visit | None:
    visit = world.people[index].visit
    if visit is None or not visit.is_open or visit.is_finishing or (named and not visit.is_named):
        return None
    return visit


# People


@act("{who} connects as {0}")
def connects(world: World, index: int, nickname: str, resume: bool = False) -> object:
    who = world.people[index]
    if who.visit is not None and who.visit.is_open and not (resume and who.visit.is_named):
        return False
    kind = ProgramVisit if who.is_program else PlainVisit
    visit = who.visit = kind(world, who, world.oracle.step)
    world.visits.append(visit)
    _introduces(visit, nickname, resume=resume)
    return True


def _introduces(visit: Visit, nickname: str, *, resume: bool) -> None:
    if isinstance(visit, ProgramVisit):
        visit.hello(nickname, resume=resume)
    elif isinstance(visit, PlainVisit):
        visit.answers(nickname)


@act("{who} asks to be called {0}")
def answers(world: World, index: int, nickname: str) -> object:
    visit = _visit(world, index, named=False)
    if visit is None or visit.is_named:
        return False
    _introduces(visit, nickname, resume=False)
    return True


def _asks(
    world: World, index: int, line: str, token: str = "", kind: str = "", room: str = ""
) -> Visit | None:
    """Somebody types a command, or has their program ask for it."""
    visit = _visit(world, index)
    if isinstance(visit, PlainVisit):
        visit.types(line, token, kind)
    elif isinstance(visit, ProgramVisit):
        thing: dict[str, Any] = {"do": "command", "text": line}
        if not line.startswith("/"):
            thing["do"] = "say"
        if room:
            thing["room"] = room
        visit.asks(f"c{world.oracle.step}", thing)
    return visit


@act("{who} says ={0}= {1}")
def says(world: World, index: int, token: str, room: str = "") -> object:
    return _asks(world, index, f"={token}=", token, room=room) is not None


@act("{who} says {1} lines at once, ={0}.1= and so on")
def floods(world: World, index: int, token: str, lines: int) -> object:
    visit = _visit(world, index)
    if visit is None:
        return False
    for each in range(lines):
        name = f"{token}.{each}"
        if isinstance(visit, PlainVisit):
            visit.types(f"={name}=", name)
        elif isinstance(visit, ProgramVisit):
            visit.asks(f"c{name}", {"do": "say", "text": f"={name}="})
    return True


@act("{who} does ={0}= {1}")
def does(world: World, index: int, token: str, room: str = "") -> object:
    return _asks(world, index, f"/me ={token}=", token, room=room) is not None


@act("{who} changes the topic to ={0}= {1}")
def topic(world: World, index: int, token: str, room: str = "") -> object:
    return _asks(world, index, f"/topic ={token}=", token, room=room) is not None


@act("{who} whispers ={1}= to {0}")
def whispers(world: World, index: int, nicknames: str, token: str) -> object:
    return _asks(world, index, f"/whisper {nicknames} ={token}=") is not None


@act("{who} whispers {2} times to {0}: ={1}.0= and so on")
def whispers_much(world: World, index: int, nickname: str, token: str, count: int) -> object:
    visit = _visit(world, index)
    if visit is None:
        return False
    for each in range(count):
        line = f"/whisper {nickname} ={token}.{each}="
        if isinstance(visit, PlainVisit):
            visit.types(line)
        elif isinstance(visit, ProgramVisit):
            visit.asks(f"c{token}.{each}", {"do": "command", "text": line})
    return True


@act("{who} goes away: ={0}=")
def goes_away(world: World, index: int, token: str) -> object:
    visit = _asks(world, index, f"/away ={token}=")
    if visit is not None:
        visit.who.away_asked += 1
    return visit is not None


@act("{who} is back")
def comes_back(world: World, index: int) -> object:
    visit = _asks(world, index, "/back")
    if visit is not None:
        visit.who.away_asked += 1
    return visit is not None


@act("{who} takes the nickname {0}")
def renames(world: World, index: int, nickname: str) -> object:
    visit = _asks(world, index, f"/nick {nickname}")
    if visit is not None:
        visit.renaming.add(nickname)
    return visit is not None


@act("{who} joins {0}")
def joins(world: World, index: int, room: str) -> object:
    visit = _asks(world, index, f"/join {room}", kind="join")
    if isinstance(visit, PlainVisit):
        visit.view(room).last = None
    return visit is not None


@act("{who} leaves {0}")
def leaves(world: World, index: int, room: str) -> object:
    visit = _asks(world, index, f"/leave {room}".strip())
    if isinstance(visit, PlainVisit):
        for view in visit.rooms.values():
            view.last = None
    return visit is not None


@act("{who} ignores {0}")
def ignores(world: World, index: int, nickname: str) -> object:
    return _asks(world, index, f"/ignore {nickname}") is not None


@act("{who} hears {0} again")
def unignores(world: World, index: int, nickname: str) -> object:
    visit = _asks(world, index, f"/unignore {nickname}")
    if visit is not None:
        visit.who.ignoring.discard(nickname.lower())
        visit.who.ignored.clear()
        visit.who.unignoring.add(nickname.lower())
    return visit is not None


@act("{who} asks who is in {0}")
def asks_users(world: World, index: int, room: str = "") -> object:
    return _asks(world, index, f"/users {room}".strip(), kind="users") is not None


@act("{who} asks for the time")
def asks_time(world: World, index: int) -> object:
    visit = _visit(world, index)
    if isinstance(visit, ProgramVisit):
        visit.asks(f"c{world.oracle.step}", {"do": "ping"})
    elif isinstance(visit, PlainVisit):
        visit.types("/time", kind="time")
    return visit is not None


@act("{who} asks for history: {0}")
def asks_history(world: World, index: int, how: dict[str, Any]) -> object:
    visit = _visit(world, index)
    if isinstance(visit, ProgramVisit) and how:
        visit.asks(f"c{world.oracle.step}", {"do": "history"} | how)
        return True
    return _asks(world, index, f"/history {how.get('limit', '')}", kind="history") is not None


_AGAIN = ("/me", "/whisper", "/topic", "/leave", "/away")


@act("{who} sends the request again that was the last but {0}")
def sends_again(world: World, index: int, which: int) -> object:
    visit = _visit(world, index)
    if not isinstance(visit, ProgramVisit):
        return False
    refs = [
        ref
        for ref, request in visit.who.requests.items()
        if request.thing["do"] == "say" or request.word in _AGAIN
    ]
    if which >= len(refs):
        return False
    visit.asks(refs[-1 - which], {})
    return True


RUBBISH: tuple[bytes, ...] = (
    *(b"\xff\xfe\x00abc\r\n", b"\x1b[2Jhello\r\n", b"x" * 3000 + b"\n", b"x" * 9000 + b"\n"),
    *(b"{not json\n", b"[1,2]\n", b'{"do":5}\n', b'{"do":"say","text":7}\n', b"{}\n", b"\n\n\r\n"),
    *(b'{"do":"hello","nick":"x"}\n', b'{"do":"history","before":-1}\n', b"/nope\n", b"/help\n"),
    *(b"/whois alice\n", b"/rooms\n", b"/bell all\n", b"/nick 1\n", b"/leave\n", b"/reply hm\n"),
    *(b'{"do":"say","text":"\\ud800"}\n', b"[" * 3000 + b"\n", b"\xe2\x80\xaetxet\n"),
)


@act("{who} types rubbish, {0}")
def types_rubbish(world: World, index: int, which: int) -> object:
    visit = _visit(world, index)
    if visit is None:
        return False
    visit.sends(RUBBISH[which % len(RUBBISH)])
    visit.is_lossy = True
    return True


@act("{who} guesses nicknames on one connection")
def guesses(world: World, index: int) -> object:
    visit = _visit(world, index, named=False)
    if visit is None or visit.is_named or visit.socket.capacity is not None or visit.socket.drip:
        return False
    for _ in range(world.limits.nickname_tries + 2):
        _introduces(visit, "1", resume=False)
    world.rests()
    if visit.is_open and not visit.is_named:
        world.oracle.find("tries", f"{visit} may guess for ever")
    return True


@act("{who} negotiates as telnet does")
def negotiates(world: World, index: int) -> object:
    visit = _visit(world, index)
    if not isinstance(visit, PlainVisit):
        return False
    visit.sends(b"\xff\xfd\x01\xff\xfb\x18\xff\xfa\x18\x00\xff\xf0\xff\xfe\x03")
    return True


@act("{who} negotiates without an end")
def negotiates_endlessly(world: World, index: int) -> object:
    visit = _visit(world, index)
    if not isinstance(visit, PlainVisit):
        return False
    visit.sends(b"\xff\xfa" + b"x" * 6000)
    visit.is_lossy = True
    return True


@act("{who} stops reading, and the kernel holds {0} bytes for them")
def stops_reading(world: World, index: int, capacity: int) -> object:
    visit = _visit(world, index, named=False)
    if visit is None or visit.socket.capacity is not None:
        return False
    visit.stops_reading(capacity)
    return True


@act("{who} reads again")
def reads_again(world: World, index: int) -> object:
    visit = world.people[index].visit
    if visit is None or visit.socket.capacity is None:
        return False
    visit.reads_again()
    return True


@act("{who}'s bytes arrive {0} at a time from now on")
def drips(world: World, index: int, size: int) -> object:
    visit = _visit(world, index, named=False)
    if visit is None:
        return False
    visit.socket.drip = size
    return True


@act("{who} closes the sending half")
def half_closes(world: World, index: int) -> object:
    visit = _visit(world, index, named=False)
    if visit is None:
        return False
    visit.socket.says_no_more()
    visit.finishes()
    return True


@act("{who} quits: ={0}=")
def quits(world: World, index: int, token: str) -> object:
    visit = _asks(world, index, f"/quit ={token}=")
    if visit is not None:
        visit.who.has_quit = True
        visit.finishes()
    return visit is not None


@act("{who} closes the connection")
def closes(world: World, index: int) -> object:
    return _goes(world, index, Visit.closes)


@act("{who}'s line breaks")
def breaks(world: World, index: int) -> object:
    return _goes(world, index, Visit.breaks)


@act("{who}'s line breaks in the middle of ={0}=")
def breaks_off(world: World, index: int, token: str) -> object:
    visit = _visit(world, index)
    if visit is None:
        return False
    visit.sends(f"={token}".encode())
    return _goes(world, index, Visit.breaks)


def _goes(world: World, index: int, how: Callable[[Visit], None]) -> object:
    visit = world.people[index].visit
    if visit is None or not visit.is_open:
        return False
    how(visit)
    visit.ends()
    return True


# The world


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
    world.offset += seconds
    world.is_clock_set |= seconds < 0
    return True


@act("the operator changes the limits: {0}")
def hangup(world: World, limits: dict[str, Any]) -> object:
    world.limits.become(Limits(**(world.header.limits | limits)))
    world.longest_entry = max(world.longest_entry, world.limits.entry_history)
    return True


@act("what is older than {0} seconds is forgotten")
def forget(world: World, seconds: float) -> object:
    before = world.now + world.offset - seconds
    world.oracle.forgets_before = max(world.oracle.forgets_before, before)
    world.server.store.forget(before)
    return True


@act("the operator bans {0}")
def ban(world: World, host: str) -> object:
    world.banned = [host] if host else []
    world.server.ban(world.banned)
    for visit in world.visits:
        if visit.who.host == host:
            visit.who.has_quit = True
            visit.is_lossy = True
            visit.finishes()
    return True


@act("everything that waits is done")
def rest(world: World) -> object:
    world.rests()
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
            _goes(world, who.index, Visit.breaks)
        connects(world, who.index, who.nickname or who.wish, resume=True)
    world.rests()
    for who in world.people:
        says(world, who.index, f"{token}.{who.index}")
    world.rests()
    return True


@act("all becomes quiet")
def quiet(world: World) -> object:
    is_quiet(world)
    return True
