"""What people do; what makes no sense just now is left out."""

from collections.abc import Callable
from typing import Any

from tests.world.actions import act
from tests.world.citizens import Device
from tests.world.plain import PlainVisit
from tests.world.program import ProgramVisit
from tests.world.visit import Visit
from tests.world.world import World


def present(world: World, index: int, *, named: bool = True) -> Visit | None:
    visit = world.somebody(index).visit
    if visit is None or not visit.is_open or visit.is_finishing or (named and not visit.is_named):
        return None
    return visit


@act("{who} connects as {0}")
def connects(world: World, index: int, nickname: str, resume: bool = False) -> object:
    who = world.people[index]
    if who.visit is not None and who.visit.is_open and not (resume and who.visit.is_named):
        return False
    kind = ProgramVisit if who.is_program else PlainVisit
    visit = who.visit = kind(world, who, world.oracle.step)
    world.visits.append(visit)
    introduces(visit, nickname, resume=resume)
    return True


def introduces(visit: Visit, nickname: str, *, resume: bool) -> None:
    visit.wishes += 1
    if isinstance(visit, ProgramVisit):
        visit.hello(nickname, resume=resume)
    elif isinstance(visit, PlainVisit):
        visit.answers(nickname)


@act("{who} asks to be called {0}")
def answers(world: World, index: int, nickname: str) -> object:
    visit = present(world, index, named=False)
    if visit is None or visit.is_named:
        return False
    introduces(visit, nickname, resume=False)
    return True


def asks(
    world: World, index: int, line: str, token: str = "", kind: str = "", room: str = ""
) -> Visit | None:
    """Somebody types a command, or has their program ask for it."""
    visit = present(world, index)
    if isinstance(visit, PlainVisit):
        visit.types(line, token, kind)
    elif isinstance(visit, ProgramVisit):
        thing: dict[str, Any] = {"do": "command", "text": line}
        if not line.startswith("/"):
            thing["do"] = "say"
        if room:
            thing["room"] = room
        visit.asks(visit.new_ref, thing)
    elif isinstance(visit, Device):
        visit.says(line, room)
    return visit


@act("{who} says ={0}= in {1}")
def says(world: World, index: int, token: str, room: str = "") -> object:
    return asks(world, index, f"={token}=", token, room=room) is not None


@act("{who} says {1} lines at once, ={0}.1= and so on")
def floods(world: World, index: int, token: str, lines: int) -> object:
    visit = present(world, index)
    if visit is None:
        return False
    for each in range(lines):
        name = f"{token}.{each}"
        if isinstance(visit, PlainVisit):
            visit.types(f"={name}=", name)
        elif isinstance(visit, ProgramVisit):
            visit.asks(visit.new_ref, {"do": "say", "text": f"={name}="})
    return True


@act("{who} says ={0}=, which no wire can show")
def says_unshowable(world: World, index: int, token: str) -> object:
    return asks(world, index, f"={token}=", token) is not None


@act("{who} does ={0}= in {1}")
def does(world: World, index: int, token: str, room: str = "") -> object:
    return asks(world, index, f"/me ={token}=", token, room=room) is not None


@act("{who} changes the topic to ={0}= in {1}")
def topic(world: World, index: int, token: str, room: str = "") -> object:
    return asks(world, index, f"/topic ={token}=", token, room=room) is not None


@act("{who} whispers ={1}= to {0}")
def whispers(world: World, index: int, nicknames: str, token: str) -> object:
    return asks(world, index, f"/whisper {nicknames} ={token}=") is not None


@act("{who} answers the last whisper: ={0}=")
def replies(world: World, index: int, token: str) -> object:
    return asks(world, index, f"/reply ={token}=") is not None


@act("{who} whispers {2} times to {0}: ={1}.0= and so on")
def whispers_much(world: World, index: int, nickname: str, token: str, count: int) -> object:
    visit = present(world, index)
    if visit is None:
        return False
    for each in range(count):
        line = f"/whisper {nickname} ={token}.{each}="
        if isinstance(visit, PlainVisit):
            visit.types(line)
        elif isinstance(visit, ProgramVisit):
            visit.asks(visit.new_ref, {"do": "command", "text": line})
    return True


@act("{who} goes away: ={0}=")
def goes_away(world: World, index: int, token: str) -> object:
    visit = asks(world, index, f"/away ={token}=")
    if visit is not None:
        visit.who.away_asked += 1
    return visit is not None


@act("{who} is back")
def comes_back(world: World, index: int) -> object:
    visit = asks(world, index, "/back")
    if visit is not None:
        visit.who.away_asked += 1
    return visit is not None


@act("{who} takes the nickname {0}")
def renames(world: World, index: int, nickname: str) -> object:
    visit = asks(world, index, f"/nick {nickname}")
    if visit is not None:
        visit.renaming.add(nickname)
    return visit is not None


@act("{who} joins {0}")
def joins(world: World, index: int, room: str) -> object:
    visit = asks(world, index, f"/join {room}", kind="join")
    if isinstance(visit, PlainVisit):
        visit.view(room).last = None
    return visit is not None


@act("{who} leaves {0}")
def leaves(world: World, index: int, room: str) -> object:
    visit = asks(world, index, f"/leave {room}".strip())
    if isinstance(visit, PlainVisit):
        for view in visit.rooms.values():
            view.last = None
    return visit is not None


@act("{who} ignores {0}")
def ignores(world: World, index: int, nickname: str) -> object:
    visit = asks(world, index, f"/ignore {nickname}")
    if visit is not None:
        visit.who.ever_ignored.add(nickname.lower())
    return visit is not None


@act("{who} hears {0} again")
def unignores(world: World, index: int, nickname: str) -> object:
    visit = asks(world, index, f"/unignore {nickname}")
    if visit is not None:
        visit.who.unignoring.add(nickname.lower())
        visit.who.hears_again()
    return visit is not None


@act("{who} asks who is in {0}")
def asks_users(world: World, index: int, room: str = "") -> object:
    return asks(world, index, f"/users {room}".strip(), kind="users") is not None


@act("{who} asks for the time")
def asks_time(world: World, index: int) -> object:
    visit = present(world, index)
    if isinstance(visit, ProgramVisit):
        visit.asks(visit.new_ref, {"do": "ping"})
    elif isinstance(visit, PlainVisit):
        visit.types("/time", kind="time")
    return visit is not None


@act("{who} asks for history: {0}")
def asks_history(world: World, index: int, how: dict[str, Any]) -> object:
    visit = present(world, index)
    if isinstance(visit, ProgramVisit) and how:
        visit.asks(visit.new_ref, {"do": "history"} | how)
        return True
    return asks(world, index, f"/history {how.get('limit', '')}", kind="history") is not None


_AGAIN = ("/me", "/whisper", "/topic", "/leave", "/away")


@act("{who} sends the request again that was the last but {0}")
def sends_again(world: World, index: int, which: int) -> object:
    visit = present(world, index)
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
    visit = present(world, index)
    if visit is None:
        return False
    visit.sends(RUBBISH[which % len(RUBBISH)])
    visit.is_lossy = visit.has_bell = True
    return True


@act("{who} negotiates as telnet does")
def negotiates(world: World, index: int) -> object:
    visit = present(world, index)
    if not isinstance(visit, PlainVisit):
        return False
    visit.sends(b"\xff\xfd\x01\xff\xfb\x18\xff\xfa\x18\x00\xff\xf0\xff\xfe\x03")
    return True


@act("{who} negotiates without an end")
def negotiates_endlessly(world: World, index: int) -> object:
    visit = present(world, index)
    if not isinstance(visit, PlainVisit):
        return False
    visit.sends(b"\xff\xfa" + b"x" * 6000)
    visit.is_lossy = True
    return True


@act("{who} stops reading, and the kernel holds {0} bytes for them")
def stops_reading(world: World, index: int, capacity: int) -> object:
    visit = present(world, index, named=False)
    if visit is None or visit.socket.capacity is not None:
        return False
    visit.stops_reading(capacity)
    return True


@act("{who} reads again")
def reads_again(world: World, index: int) -> object:
    visit = world.somebody(index).visit
    if visit is None or visit.socket.capacity is None:
        return False
    visit.reads_again()
    return True


@act("{who}'s bytes arrive {0} at a time from now on")
def drips(world: World, index: int, size: int) -> object:
    visit = present(world, index, named=False)
    if visit is None:
        return False
    visit.socket.drip = size
    return True


@act("{who} closes the sending half")
def half_closes(world: World, index: int) -> object:
    visit = present(world, index, named=False)
    if visit is None:
        return False
    visit.socket.says_no_more()
    visit.finishes()
    return True


@act("{who} quits: ={0}=")
def quits(world: World, index: int, token: str) -> object:
    visit = asks(world, index, f"/quit ={token}=")
    if visit is not None:
        visit.who.has_quit = True
        visit.finishes()
    return visit is not None


@act("{who} closes the connection")
def closes(world: World, index: int) -> object:
    return goes(world, index, Visit.closes)


@act("{who}'s line breaks")
def breaks(world: World, index: int) -> object:
    return goes(world, index, Visit.breaks)


@act("{who}'s line breaks in the middle of ={0}=")
def breaks_off(world: World, index: int, token: str) -> object:
    visit = present(world, index)
    if visit is None:
        return False
    visit.sends(f"={token}".encode())
    world.turns(1)
    return goes(world, index, Visit.breaks)


def goes(world: World, index: int, how: Callable[[Visit], None]) -> object:
    visit = world.somebody(index).visit
    if visit is None or not visit.is_open:
        return False
    how(visit)
    visit.ends()
    return True
