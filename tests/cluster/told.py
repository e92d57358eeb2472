"""What is told but not stored has its place too: the same for everybody, on every server."""

from collections import defaultdict
from collections.abc import Iterator

from tests.cluster.transcript import Event, Finding, Line, Story, bare, brief, is_stored

TOLD = ("join", "leave", "away")

Place = tuple[str, int]
"""A room, and the number of the stored event after which something was told."""


def check_told(story: Story) -> Iterator[Finding]:
    """Compare what was told between each two stored events, among those who were there."""
    heard: dict[Place, list[tuple[str, list[Event]]]] = defaultdict(list)
    for who, lines in story.people.items():
        for place, name, told in spans(who, lines):
            heard[place].append((name, told))
    for (room, number), versions in sorted(heard.items()):
        common = max(versions, key=lambda one: sum(other[1] == one[1] for other in versions))
        for name, told in versions:
            if told != common[1]:
                yield Finding(
                    "told",
                    f"Between {number} and {number + 1} in {room}, {name} was told"
                    f" {_listed(told)}, but {common[0]} {_listed(common[1])}.",
                )


def _listed(told: list[Event]) -> str:
    return "; ".join(brief(event) for event in told) or "nothing"


def spans(who: str, lines: list[Line]) -> Iterator[tuple[Place, str, list[Event]]]:
    """What somebody was told between two stored events that came live over one connection.

    Where a `state` or `missed` came between them, something may rightly be left out.

    Args:
        who: somebody.
        lines: their transcript.
    """
    node = ""
    open_: dict[str, tuple[int, list[Event]]] = {}  # by room
    for line in lines:
        if line.kind in ("on", "lost"):
            node, open_ = str(line.what), {}
            continue
        if line.kind != "got":
            continue
        event = line.what
        room = event.get("room", "")
        if is_stored(event):
            number, told = open_.pop(room, (0, []))
            if "replayed" not in event:
                if number and number == event["id"] - 1:
                    yield (room, number), f"{who} (on {node})", told
                open_[room] = event["id"], []
        elif event["event"] in ("state", "missed"):
            open_.pop(room, None)
        elif event["event"] in TOLD and room in open_:
            open_[room][1].append(bare(event))
