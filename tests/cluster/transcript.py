"""Transcripts: what each person sent and got, over which server; and the final history.

A file of transcripts has one JSON object a line. Each has `who`, `at` (seconds), and one of

- `on`: a connection begins, to the server of that name,
- `sent`, `got`: an object that went over it, either way,
- `lost`: it has ended, for whatever reason;

or else `final`: a room, or `@` with `who`, and its `events` as they are kept when all is over.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

Event = dict[str, Any]

NUMBERED_OTHERWISE = ("answer", "history", "read")
"""What has an `id` that is not its own place in a room."""


class Line(NamedTuple):
    """One thing that happened to somebody.

    Args:
        at: when, in seconds of a clock that all transcripts share.
        kind: `on`, `sent`, `got` or `lost`.
        what: the server's name, or the object.
    """

    at: float
    kind: str
    what: Any


class Finding(NamedTuple):
    """Something that must not be.

    Args:
        kind: a short name for what is wrong.
        text: what is wrong and where, in a sentence.
    """

    kind: str
    text: str


@dataclass
class Story:
    """All that is known of a run: transcripts by person, and the final history by room.

    Somebody's own log has the key of `own_log`.
    """

    people: dict[str, list[Line]] = field(default_factory=dict)
    final: dict[str, list[Event]] = field(default_factory=dict)

    def log_of(self, who: str, room: str) -> str:
        """Under which key the history of a room is, as somebody calls it."""
        return own_log(who) if room == "@" else room

    def save(self, path: Path) -> None:
        """Write everything to a file."""
        with path.open("w") as file:
            for thing in self._objects():
                file.write(json.dumps(thing, ensure_ascii=False) + "\n")

    def _objects(self) -> Iterator[Event]:
        for who, lines in self.people.items():
            for line in lines:
                yield {"who": who, "at": round(line.at, 4), line.kind: line.what}
        for key, events in self.final.items():
            room, _, who = key.partition(" of ")
            yield {"who": who, "final": room, "events": events}

    def read(self, paths: Iterable[Path]) -> "Story":
        """Add what files hold."""
        for path in paths:
            for text in path.read_text().splitlines():
                thing = json.loads(text)
                if "final" in thing:
                    self.final[self.log_of(thing["who"], thing["final"])] = thing["events"]
                    continue
                kind = next(name for name in ("on", "sent", "got", "lost") if name in thing)
                lines = self.people.setdefault(thing["who"], [])
                lines.append(Line(thing["at"], kind, thing[kind]))
        return self


def own_log(who: str) -> str:
    """The key of somebody's own log."""
    return f"@ of {who}"


def is_stored(event: Event) -> bool:
    """Whether an event has a place of its own in the history of its room."""
    return "id" in event and "room" in event and event["event"] not in NUMBERED_OTHERWISE


def bare(event: Event) -> Event:
    """An event without what differs between those who see it."""
    return {key: event[key] for key in event if key not in ("ref", "replayed", "url", "until")}


def brief(event: Event) -> str:
    """An event in a few words."""
    more = event.get("text") or event.get("to") or event.get("what") or event.get("reason") or ""
    return f"{event['event']} {event.get('from', '')} {more}".strip()[:60]
