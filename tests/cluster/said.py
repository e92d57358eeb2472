"""What was said: acknowledged, it is in the history once; refused, it is not there."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.cluster.transcript import Finding, Story


@dataclass
class Saying:
    """A line that somebody said under one `ref`, perhaps several times."""

    room: str
    text: str
    sent: int = 0
    stored_as: list[int] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    @property
    def outcome(self) -> str:
        """What its speaker knows: it is `acknowledged`, `refused`, or that is `unknown`.

        If there was no answer to one of several tries, that one may have been stored.
        """
        if self.stored_as:
            return "acknowledged"
        return "refused" if self.sent == len(self.refused) else "unknown"


def sayings(story: Story, who: str) -> dict[str, Saying]:
    """All that somebody said, by `ref`."""
    found: dict[str, Saying] = {}
    for line in story.people[who]:
        if line.kind == "sent" and line.what.get("do") == "say" and "ref" in line.what:
            thing = line.what
            room = thing.get("room", "#lobby")
            found.setdefault(thing["ref"], Saying(room, thing["text"])).sent += 1
        elif line.kind == "got" and (one := found.get(line.what.get("ref", ""))):
            if line.what["event"] == "error":
                one.refused.append(line.what["code"])
            elif "id" in line.what:
                one.stored_as.append(line.what["id"])
    return found


def check_said(story: Story) -> Iterator[Finding]:
    """Compare what speakers were told with the final history."""
    places: dict[tuple[str, str], list[int]] = {}
    for log, events in story.final.items():
        for event in events:
            if event["event"] == "message":
                places.setdefault((log, event["text"]), []).append(event["id"])
    for who in story.people:
        for ref, one in sayings(story, who).items():
            if one.room not in story.final:
                continue
            there = places.get((one.room, one.text), [])
            name = f"{who}'s line {one.text!r} ({ref}) in {one.room}"
            if len(there) > 1:
                yield Finding("twice", f"{name} is in the final history more than once: {there}.")
            elif one.outcome == "refused" and there:
                why = one.refused[-1]
                yield Finding(
                    "refused", f"{name} was refused ({why}), but stands there as {there}."
                )
            elif one.outcome == "acknowledged" and not there:
                was = sorted(set(one.stored_as))
                yield Finding("missing", f"{name} was acknowledged as {was}, but is not there.")
            elif one.stored_as and set(one.stored_as) != set(there):
                was = sorted(set(one.stored_as))
                yield Finding("moved", f"{name} was acknowledged as {was}, but stands at {there}.")
