"""Somebody in the world: who they are to themselves, whatever connection they have just now."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.world.visit import Visit


POSTER = "poster"
"""What programs want to be called that only post, and nobody else."""


@dataclass
class Request:
    """What a program asked for under a name of its own.

    Args:
        thing: what it sent.
        sends: how often.
        known: the newest event that anybody had seen there, when it was sent last.
        outcomes: what came of it, on any connection.
    """

    thing: dict[str, Any]
    sends: int = 0
    known: int = 0
    outcomes: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """What is to be said or done."""
        return str(self.thing.get("text", ""))

    @property
    def word(self) -> str:
        """The command, if it is one."""
        return self.text.split(" ")[0] if self.thing["do"] == "command" else ""

    @property
    def is_kept(self) -> bool:
        """Whether what it changed outlasts a restart, as far as they were told."""
        return not any("only until the server restarts" in line for line in self.lines)


@dataclass
class Somebody:
    """Somebody who comes and goes.

    Args:
        index: which of the world's people.
        wish: what they want to be called.
        host: where they come from.
        is_program: whether they speak structured lines.
        is_web: whether they do so over a WebSocket.
        wants_to_stay: whether their device asks to stay logged in.
    """

    index: int
    wish: str
    host: str
    is_program: bool
    is_web: bool = False
    wants_to_stay: bool = False
    visit: "Visit | None" = None
    person: str = ""  # the id of their session, if they have one
    nickname: str = ""
    rooms: dict[str, None] = field(default_factory=dict)
    ignoring: set[str] = field(default_factory=set)  # keys of nicknames
    ignored: set[str] = field(default_factory=set)  # ids of people
    ever_ignored: set[str] = field(default_factory=set)  # both
    unignoring: set[str] = field(default_factory=set)  # keys that they asked to hear again
    away: str | None = None
    away_asked: int = 0  # how often they asked to be away or back, without an answer
    token: str = ""
    epoch: str = ""
    seen: dict[str, int] = field(default_factory=dict)
    requests: dict[str, Request] = field(default_factory=dict)
    sent: list[Request] = field(default_factory=list)
    floors: dict[str, int] = field(default_factory=dict)  # the first numbers they may read
    lost_at: float = 0.0
    run: int = 0  # the server's, when they had their session last
    has_quit: bool = False
    is_remembered: bool = False  # whether their device stays logged in
    dead_token: str = ""  # of a device that was logged out
    is_ended: bool = False  # whether their device was logged out

    @property
    def is_quiet(self) -> bool:
        """Whether they only post."""
        return self.wish == POSTER

    def begins_anew(self, person: str, nickname: str) -> None:
        """They are a new person to the server."""
        self.person, self.nickname = person, nickname
        self.rooms = {"#lobby": None}
        self.ignoring, self.ignored, self.ever_ignored = set(), set(), set()
        self.unignoring = set()
        self.away, self.away_asked = None, 0
        self.seen, self.requests, self.sent, self.floors = {}, {}, [], {}
        self.has_quit = False

    def ignores(self, nickname: str, person: str) -> bool:
        """Whether the server has told them that they do not hear somebody."""
        is_sure = not self.unignoring  # nobody knows when that will be done
        return is_sure and (nickname.lower() in self.ignoring or person in self.ignored)

    def starts_ignoring(self, nickname: str, people: set[str]) -> None:
        """The server has told them so; who that was, only it knows."""
        if nickname.lower() in self.unignoring:
            return  # perhaps they do not any more
        self.ignoring.add(nickname.lower())
        self.ignored = people

    def hears_again(self) -> None:
        """They hear somebody again, perhaps under several names: which ones, only it knows."""
        self.ignoring, self.ignored = set(), set()

    def __str__(self) -> str:
        kind = "page" if self.is_web else "program" if self.is_program else "netcat"
        return f"{self.nickname or self.wish} ({kind} {self.index})"
