"""Who is here: nobody twice, nobody left twice, no nickname held by two, the same for everybody."""

from collections import defaultdict
from collections.abc import Iterator

from tests.cluster.transcript import Event, Finding, Line, Story, is_stored

Members = frozenset[str]
"""Nicknames of those who are in a room, as they are compared."""


def check_presence(story: Story) -> Iterator[Finding]:
    """Follow who is in each room, as each person is told, and compare."""
    seen: dict[tuple[str, int], list[tuple[str, str, Members]]] = defaultdict(list)
    for who, lines in story.people.items():
        follower = _Follower(who, seen)
        for line in lines:
            yield from follower.follows(line)
    yield from _compared(seen)
    yield from _held_by_two(story)


def _compared(seen: dict[tuple[str, int], list[tuple[str, str, Members]]]) -> Iterator[Finding]:
    different: dict[tuple[str, Members], int] = {}
    for (room, number), views in sorted(seen.items()):
        if len({members for _, _, members in views}) == 1:
            continue
        common = max(views, key=lambda one: sum(other[2] == one[2] for other in views))
        for name, nickname, members in views:
            odd = (members ^ common[2]) - {nickname, common[1]}  # who enters knows it first
            if odd and (name, odd) not in different:
                different[name, odd] = number
                more, less = (", ".join(sorted(odd & part)) or "nobody" for part in (
                    members, common[2]))  # fmt: skip
                yield Finding(
                    "members",
                    f"At {number} in {room}, {name} believes that {more} is here of whom"
                    f" {common[0]} knows nothing, and that {less} is not.",
                )


class _Follower:
    """Follows who is in each room, as one person is told.

    Args:
        who: whose transcript it is.
        seen: where it is noted what they believed, by room and event.
    """

    def __init__(
        self, who: str, seen: dict[tuple[str, int], list[tuple[str, str, Members]]]
    ) -> None:
        self._who = who
        self._nickname = who
        self._node = ""
        self._rooms: dict[str, Members] = {}
        self._seen = seen

    @property
    def _name(self) -> str:
        return f"{self._who} (on {self._node})"

    def follows(self, line: Line) -> Iterator[Finding]:
        """One more line of the transcript."""
        if line.kind in ("on", "lost"):
            self._node, self._rooms = str(line.what), {}
        if line.kind != "got":
            return
        event = line.what
        kind, room = event["event"], event.get("room", "")
        if kind == "welcome":
            self._nickname = event["nick"]
        elif kind == "state":
            yield from self._listed(event, room)
        elif kind == "missed":
            self._rooms.pop(room, None)
        elif is_stored(event) and "replayed" not in event and room in self._rooms:
            place = self._seen[room, event["id"]]
            place.append((self._name, self._nickname.casefold(), self._rooms[room]))
        yield from self._moves(event, room)

    def _listed(self, event: Event, room: str) -> Iterator[Finding]:
        names = [member["nick"].casefold() for member in event["members"]]
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield Finding("here twice", f"{self._name} got a list of {room} with {name} twice.")
        self._rooms.pop(room, None)
        if len(names) == event["count"]:  # all are listed
            self._rooms[room] = frozenset(names)

    def _moves(self, event: Event, room: str) -> Iterator[Finding]:
        kind, name = event["event"], event.get("from", "").casefold()
        members = self._rooms.get(room)
        if members is None or "replayed" in event:
            return
        if kind == "join":
            if name in members and name != self._nickname.casefold():
                yield Finding("here twice", f"{self._name}: {name} joins {room}, and is in it.")
            self._rooms[room] = members | {name}
        elif kind == "leave":
            if name not in members:
                yield Finding(
                    "left twice", f"{self._name}: {name} leaves {room}, but is not there."
                )
            self._rooms[room] = members - {name}
        elif kind == "rename":
            to = event["to"].casefold()
            if to in members - {name}:
                yield Finding(
                    "held by two", f"{self._name}: {name} becomes {to} in {room}, which has one."
                )
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
