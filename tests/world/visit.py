"""One connection of somebody's: what they sent, and what they read of what they were given."""

import re
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from tests.world.frames import Frames, framed
from tests.world.network import Socket
from tests.world.oracle import TOKEN, Said, Typed
from tests.world.people import Somebody
from tests.world.view import RoomView

if TYPE_CHECKING:
    from tests.world.world import World

_NAMES = re.compile(r", | and ")
_TELNET = re.compile(rb"\xff[\xfb-\xfe].", re.DOTALL)


class Visit:
    """One connection; what a kind of wire shows is in the subclasses.

    Args:
        world: where this is.
        who: whose it is.
        number: which connection of the world.
    """

    def __init__(self, world: "World", who: Somebody, number: int) -> None:
        self.world = world
        self.oracle = world.oracle
        self.who = who
        self.number = number
        self.person = ""
        self.guest = ""  # who they were before they logged in over this connection
        self.socket = Socket(self.given)
        self.is_open = True
        self.is_named = False
        self.wishes = 0  # nicknames that they asked for, and that were not refused
        self.is_clean = True  # has read everything at once
        self.is_finishing = False  # has said that they go, in good order
        self.finishes_at = 0.0
        self.closed_at = 0.0
        self.is_lossy = False  # was told that lines are lost
        self.refusals = 0
        self.renaming: set[str] = set()  # nicknames that were asked for
        self.rooms: dict[str, RoomView] = {}
        self.typed: list[tuple[int, str]] = []  # tokens of rooms, and the byte behind their lines
        self.lines = 0  # that they typed
        self.began_at = world.now
        self.has_bell = False  # or may have
        self.began_after = dict(self.oracle.heard)  # what could be seen before they came, by log
        self._spent = self._spent_at = 0.0
        self._rest = b""
        self._unread: list[tuple[int, str]] = []
        self._frames = Frames() if who.is_web else None
        self.world.server.accept(self.socket, who.host, is_web=who.is_web)

    def __str__(self) -> str:
        return f"{self.who} on connection {self.number}"

    # What they are given

    def given(self, data: bytes) -> None:
        """The server hands bytes to the kernel."""
        if self.socket.closed:
            self.is_open = False
            self.closed_at = self.world.now
            self._is_lost()
            self.who.has_quit |= not self.is_finishing  # sent away
        self.world.notes(data)
        if self._frames is not None:
            data, answers = self._frames.feed(data)
            if self.is_open:
                self.socket.arrives(answers)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for each in lines:
            line = _TELNET.sub(b"", each).decode().removesuffix("\r")
            self.learns_who(line)
            self.wishes -= line.startswith(("!!! ", '{"event":"error"'))
            if "=w" in line or "=c" in line:
                self.oracle.check_secrets(line, (self.person, self.guest), str(self))
            if self.socket.capacity is None:
                self.reads(line, self.oracle.step)
            else:
                self._unread.append((self.oracle.step, line))

    def stops_reading(self, capacity: int) -> None:
        """Leave what comes in the kernel, which holds so much."""
        self.socket.capacity, self.socket.unread = capacity, 0
        self.is_clean = False

    def reads_again(self) -> None:
        """Read what came, and what comes."""
        unread, self._unread = self._unread, []
        for step, line in unread:
            self.reads(line, step)
        self.socket.capacity = None

    @property
    def is_over(self) -> bool:
        """Whether they should not be here any more, whether they read or not."""
        now = self.who.visit
        is_left = self.who.is_program and now is not None and now is not self and now.person != ""
        is_nameless = not self.person and self.wishes <= 0
        is_gone = self.person in self.oracle.gone and not self.is_logging_in
        return is_nameless or is_gone or is_left

    @property
    def is_logging_in(self) -> bool:
        """Whether they may be somebody else already, without having heard of it."""
        return False

    @property
    def was_cut_off(self) -> bool:
        """Whether they had said that they go, and the server had waited long enough for the end."""
        waited = self.closed_at - self.finishes_at
        return self.is_finishing and waited > self.world.limits.close_seconds - 1

    def check_reads_on(self) -> None:
        """They have read everything that there is for them."""

    def learns_who(self, line: str) -> None:
        """A line may say who they are."""
        raise NotImplementedError

    def reads(self, line: str, step: int) -> None:
        """They read a line, which was given in a step."""
        raise NotImplementedError

    # What they do

    def sends(self, data: bytes) -> None:
        """Send bytes."""
        self.socket.arrives(data if self._frames is None else framed(data))

    def means(self, line: str, room: str = "") -> None:
        """They are about to type this, and nobody else is."""
        word, _, rest = line.partition(" ")
        kind = {"/me": "action", "/topic": "topic", "/away": "away", "/quit": "leave"}.get(word)
        whom: tuple[str, ...] = ()
        if word in ("/whisper", "/reply"):
            kind = "whisper"
            whom = tuple(rest.split(" ")[0].split(",")) if word == "/whisper" else ()
        self.lines += 1
        for token in TOKEN.findall(line):
            self.oracle.typed.setdefault(token, Typed(self, self.lines, kind or "message", whom))

    def spends(self, lines: int = 1) -> None:
        """So many lines of theirs were done, which may not be faster than the rate limit."""
        pace, now = self.world.header.limits["pace"], self.world.now
        if pace is None or self.world.is_hurried or self.who.visit is not self:
            return
        self._spent -= min(self._spent, (now - self._spent_at) * pace.lines / pace.seconds)
        self._spent_at = now
        if self._spent > pace.lines + 1:  # what waited to be stored may come together
            self.oracle.find("pace", f"{self} had {self._spent:.1f} lines at once, of {pace}")
        self._spent += lines

    def finishes(self) -> None:
        """They have said that they go."""
        if not self.is_finishing:
            self.is_finishing = True
            self.finishes_at = self.world.now

    def closes(self) -> None:
        """Both halves are closed, in good order."""
        self.socket.goes()

    def breaks(self) -> None:
        """The line breaks."""
        self.socket.breaks()

    def ends(self) -> None:
        """The connection is over for them."""
        self.is_open = False
        self.is_clean = False
        self._is_lost()

    def _is_lost(self) -> None:
        if self.person:
            self.who.lost_at = self.world.now

    # What they know

    def view(self, room: str) -> RoomView:
        """What they know of a room."""
        return self.rooms.setdefault(room.lower(), RoomView())

    def members(self, room: str) -> AbstractSet[str] | None:
        """Whom they know to be in a room, by key; None if they do not know all."""
        view = self.rooms.get(room)
        return None if view is None or view.members is None else view.members.keys()

    def is_me(self, said: Said) -> bool:
        """Whether it was their own act."""
        return bool(self.person) and said.person == self.person

    def said(self, text: str) -> Said | None:
        """Who said it, and where."""
        for token in TOKEN.findall(text):
            if token not in self.oracle.said:
                self.oracle.find("forged", f"{self} reads what nobody did: {text}")
            return self.oracle.said.get(token)
        return None

    def check_ignored(self, said: Said, line: str) -> None:
        """Nobody reads whom they ignore."""
        if not self.is_me(said) and self.who.ignores(said.nickname, said.person):
            name = "ignored" if said.kind in ("message", "action", "whisper") else "ignored-kinds"
            self.oracle.find(name, f"{self} ignores who did this: {line}")

    def check_left(self, said: Said, line: str) -> None:
        """Nobody reads what is done in a room after they left it."""
        left = self.oracle.left.get((self.person, said.room))
        if left is not None and said.order > left:
            self.oracle.find("left", f"{self} reads what was done after they left: {line}")

    def refused(self, why: str) -> None:
        """They were told why something was not done."""
        self.refusals += 1
        if found := re.match(r"You are not ignoring (\S+):", why):
            self.who.unignoring.discard(found[1].lower())

    def answered(self, line: str, step: int) -> None:
        """A line of an answer may change what they know of themselves."""
        who = self.who
        if found := re.match(r"You left (#\S+?)(?:;|\.$)", line):
            who.rooms.pop(found[1], None)
            self.left(found[1])
        elif found := re.match(r"You are ignoring (\S+): /unignore", line):
            people = self.world.server.ignored_by(self.person)
            who.ever_ignored |= {found[1].lower()} | people
            who.starts_ignoring(found[1], people if self.socket.capacity is None else set())
        elif found := re.match(r"You are no longer ignoring (\S+)\.", line):
            who.unignoring.discard(found[1].lower())
            who.hears_again()
        elif found := re.match(r"You are away: (.*)\. /back ends it", line):
            who.away = found[1]
            who.away_asked -= 1
        elif line in ("You are back.", "You were not away."):
            who.away = None
            who.away_asked -= 1
        elif found := re.match(r"You are in (#\S+): what you type", line):
            who.rooms[found[1]] = None

    def left(self, room: str) -> None:
        """They were told that they left a room."""

    def split_names(self, names: str) -> list[str] | None:
        """The nicknames in a sentence; None if it does not name them all."""
        names = re.sub(r"\*?(?: \([^)]*\))?(?=, | and |$)", "", names)
        split = _NAMES.split(names)
        return None if split and split[-1].endswith(" more") else split
