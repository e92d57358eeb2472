"""Who is here: nobody twice, nobody left twice, no nickname held by two, the same for everybody."""

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from tests.cluster.told import CATCHING_UP
from tests.cluster.transcript import Event, Finding, Line, Story, is_stored

Members = frozenset[str]
"""Nicknames of those who are in a room, as they are compared."""


class View(NamedTuple):
    """Whom somebody believes to be in a room when an event of it comes.

    Args:
        at: when it came.
        room: which room.
        number: the event's.
        name: who they are, and where.
        nickname: their own.
        members: who is there.
    """

    at: float
    room: str
    number: int
    name: str
    nickname: str
    members: Members


def check_presence(story: Story) -> Iterator[Finding]:
    """Follow who is in each room, as each person is told, and compare."""
    views: dict[tuple[str, int], list[View]] = defaultdict(list)
    for who, lines in story.people.items():
        follower = _Follower(who)
        for line in lines:
            follower.follows(line)
        yield from (finding for _, _, finding in follower.findings)
        for view in follower.views:
            views[view.room, view.number].append(view)
    yield from _compared(views)
    yield from _held_by_two(story)


def _compared(places: dict[tuple[str, int], list[View]]) -> Iterator[Finding]:
    told: set[tuple[str, Members]] = set()
    for (room, number), views in sorted(places.items(), key=lambda place: place[0]):
        if len({view.members for view in views}) == 1:
            continue
        common = max(views, key=lambda one: sum(other.members == one.members for other in views))
        for view in views:
            ours = {view.nickname, common.nickname}  # who enters knows it before the others
            more = ", ".join(sorted(view.members - common.members - ours)) or "nobody"
            less = ", ".join(sorted(common.members - view.members - ours)) or "nobody"
            odd = (view.members ^ common.members) - ours
            if odd and (view.name, odd) not in told:
                told.add((view.name, odd))
                yield Finding(
                    "members",
                    f"At {number} in {room}, {view.name} believes that {more} is here, of whom"
                    f" {common.name} knows nothing, and that {less} is not, who is for the other.",
                )


class _Follower:
    """Follows who is in each room, as one person is told.

    What a server left out while it caught up, the next `state` makes up for.

    Args:
        who: whose transcript it is.
    """

    def __init__(self, who: str) -> None:
        self.views: list[View] = []
        self.findings: list[tuple[float, str, Finding]] = []
        self._who = who
        self._nickname = who
        self._node = ""
        self._rooms: dict[str, Members] = {}
        self._at = 0.0

    @property
    def _name(self) -> str:
        return f"{self._who} (on {self._node})"

    def _finds(self, kind: str, room: str, text: str) -> None:
        self.findings.append((self._at, room, Finding(kind, f"{self._name}: {text}")))

    def follows(self, line: Line) -> None:
        """One more line of the transcript."""
        self._at = line.at
        if line.kind in ("on", "lost"):
            for room in self._rooms:
                self._forgives(room)  # the `state` was still to come
            self._node, self._rooms = str(line.what), {}
        if line.kind != "got":
            return
        event = line.what
        kind, room = event["event"], event.get("room", "")
        if kind == "welcome":
            self._nickname = event["nick"]
        elif kind == "state":
            self._forgives(room)
            self._listed(event, room)
        elif kind == "missed":
            self._rooms.pop(room, None)
        elif "replayed" not in event and room in self._rooms:
            if is_stored(event):
                mine, members = self._nickname.casefold(), self._rooms[room]
                view = View(self._at, room, event["id"], self._name, mine, members)
                self.views.append(view)
            self._moves(event, room)

    def _forgives(self, room: str) -> None:
        since = self._at - CATCHING_UP
        self.views = [view for view in self.views if view.room != room or view.at < since]
        self.findings = [
            finding for finding in self.findings if finding[1] != room or finding[0] < since
        ]

    def _listed(self, event: Event, room: str) -> None:
        names = [member["nick"].casefold() for member in event["members"]]
        for name in sorted({name for name in names if names.count(name) > 1}):
            self._finds("here twice", "", f"a list of {room} has {name} twice.")
        self._rooms.pop(room, None)
        if len(names) == event["count"]:  # all are listed
            self._rooms[room] = frozenset(names)

    def _moves(self, event: Event, room: str) -> None:
        kind, name = event["event"], event.get("from", "").casefold()
        members = self._rooms[room]
        if kind == "join":
            if name in members and name != self._nickname.casefold():
                self._finds("here twice", room, f"{name} joins {room}, and is in it.")
            self._rooms[room] = members | {name}
        elif kind == "leave":
            if name not in members:
                self._finds("left twice", room, f"{name} leaves {room}, but is not there.")
            self._rooms[room] = members - {name}
        elif kind == "rename":
            to = event["to"].casefold()
            if to in members - {name}:
                text = f"{name} becomes {to} in {room}, which has one."
                self._finds("held by two", room, text)
            if name in members:
                self._rooms[room] = members - {name} | {to}
            if name == self._nickname.casefold():
                self._nickname = event["to"]


def _held_by_two(story: Story) -> Iterator[Finding]:
    """Two who were told at the same time that they have the same nickname."""
    held: dict[str, list[tuple[float, float, str, str]]] = defaultdict(list)
    for who, lines in story.people.items():
        for begin, end, nickname, account in _nicknames(lines):
            held[nickname.casefold()].append((begin, end, who, account))
    for nickname, times in held.items():
        times.sort()
        for index, (begin, end, who, account) in enumerate(times):
            for begins, _, other, others in times[index + 1 :]:
                if begins < end and other != who and not (account and account == others):
                    yield Finding(
                        "held by two",
                        f"{who} has the nickname {nickname} from {begin:.3f} to {end:.3f} s,"
                        f" and {other} gets it at {begins:.3f} s.",
                    )


def _nicknames(lines: list[Line]) -> Iterator[tuple[float, float, str, str]]:
    """From when to when somebody knew to be connected under which nickname, and account."""
    nickname, account, since = "", "", 0.0
    for at, kind, what in [*lines, Line(lines[-1].at if lines else 0.0, "lost", True)]:
        if kind == "got" and what["event"] == "welcome":
            became = what["nick"]
            account = what.get("account", "")
        elif kind == "got" and what["event"] == "rename" and "replayed" not in what:
            became = what["to"] if nickname and what["from"] == nickname else nickname
        elif kind == "lost":
            became = ""
        else:
            continue
        if became != nickname:
            if nickname:
                yield since, at, nickname, account
            nickname, since = became, at
