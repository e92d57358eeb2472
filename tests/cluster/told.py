"""What is told but not stored has its place too: the same for everybody, on every server."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from tests.cluster.transcript import Event, Finding, Line, Story, bare, brief, is_stored

TOLD = ("join", "leave", "away")

CATCHING_UP = 2.0
"""Seconds in which a server may have caught up: what is told is left out, or stands elsewhere.

They end with a `state`, or with the connection, before it could come.
"""


@dataclass
class Span:
    """What somebody was told between a stored event of a room and the next one.

    Args:
        room: where.
        number: the first event's.
        name: who they are, and where.
        told: what they were told.
        ended: when the second event came.
        is_certain: whether the server may not have been catching up meanwhile.
    """

    room: str
    number: int
    name: str
    told: list[Event]
    ended: float = 0.0
    is_certain: bool = True


def check_told(story: Story) -> Iterator[Finding]:
    """Compare what was told between each two stored events, among those who were there."""
    places: dict[tuple[str, int], list[Span]] = defaultdict(list)
    for who, lines in story.people.items():
        for span in spans(who, lines):
            places[span.room, span.number].append(span)
    for (room, number), versions in sorted(places.items(), key=lambda place: place[0]):
        certain = [span for span in versions if span.is_certain]
        if not certain:
            continue
        common = max(certain, key=lambda one: sum(other.told == one.told for other in certain))
        for span in certain:
            if span.told != common.told:
                yield Finding(
                    "told",
                    f"Between {number} and {number + 1} in {room}, {span.name} was told"
                    f" {_listed(span.told)}, but {common.name} {_listed(common.told)}.",
                )


def _listed(told: list[Event]) -> str:
    return "; ".join(brief(event) for event in told) or "nothing"


def spans(who: str, lines: list[Line]) -> list[Span]:
    """What somebody was told between two stored events that came live over one connection.

    Where a `state` or `missed` came between them, there is no saying what is left out.

    Args:
        who: somebody.
        lines: their transcript.
    """
    node = ""
    found: list[Span] = []
    open_: dict[str, Span] = {}  # by room
    for at, what_kind, event in lines:
        if what_kind in ("on", "lost"):
            _forgive(found, at, *open_)  # the `state` was still to come
            node, open_ = str(event), {}
            continue
        if what_kind != "got":
            continue
        room = event.get("room", "")
        if is_stored(event):
            span = open_.pop(room, None)
            if "replayed" not in event:
                if span is not None and span.number == event["id"] - 1:
                    span.ended = at
                    found.append(span)
                open_[room] = Span(room, event["id"], f"{who} (on {node})", [])
        elif event["event"] in ("state", "missed"):
            open_.pop(room, None)
            _forgive(found, at, room)
        elif event["event"] in TOLD and room in open_:
            open_[room].told.append(bare(event))
    return found


def _forgive(spans: list[Span], at: float, *rooms: str) -> None:
    for span in spans:
        if span.room in rooms and span.ended > at - CATCHING_UP:
            span.is_certain = False
