"""The one order: everybody saw a gapless piece of the final history, in its order, once."""

from collections.abc import Iterator

from tests.cluster.transcript import Event, Finding, Line, Story, bare, brief, is_stored


def check_order(story: Story) -> Iterator[Finding]:
    """Compare the stored events that each person saw with the final history."""
    final = {
        log: {event["id"]: bare(event) for event in events} for log, events in story.final.items()
    }
    for log, events in story.final.items():
        numbers = [event["id"] for event in events]
        if numbers and numbers != list(range(numbers[0], numbers[0] + len(numbers))):
            yield Finding("holes", f"The final history of {log} does not count 1, 2, 3: {numbers}.")
    for who, lines in story.people.items():
        yield from _Reader(story, who, final).reads(lines)


class _Reader:
    """Somebody who reads: how far they are in each room.

    Args:
        story: the whole story.
        who: whose transcript it is.
        final: the final history: by log, and by number.
    """

    def __init__(self, story: Story, who: str, final: dict[str, dict[int, Event]]) -> None:
        self._story = story
        self._who = who
        self._final = final
        self._nickname = who
        self._node = ""
        self._epoch = ""
        self._last: dict[str, int] = {}
        self._may_jump: dict[str, int] = {}  # how far; 0 for anywhere
        self._seen: dict[str, set[int]] = {}

    def reads(self, lines: list[Line]) -> Iterator[Finding]:
        """Go through the transcript."""
        for line in lines:
            if line.kind == "on":
                self._node = line.what
            elif line.kind == "sent":
                self._sent(line.what)
            elif line.kind == "got":
                yield from self._got(line.what)

    def _sent(self, thing: Event) -> None:
        words = str(thing.get("text", "")).split()
        if thing["do"] == "hello" and "seen" not in thing:
            self._begin_anew()
        elif thing["do"] == "command" and words[:1] in (["/leave"], ["/join"]):
            room = words[1] if len(words) > 1 else thing.get("room", "#lobby")
            self._may_jump[room] = 0

    def _begin_anew(self) -> None:
        self._last, self._may_jump, self._seen = {}, {}, {}

    def _got(self, event: Event) -> Iterator[Finding]:
        kind, room = event["event"], event.get("room", "")
        if kind == "welcome":
            if self._epoch and event.get("epoch", self._epoch) != self._epoch:
                self._begin_anew()
            self._nickname, self._epoch = event["nick"], event.get("epoch", "")
        elif kind == "missed":
            self._may_jump[room] = event["count"]
        elif is_stored(event):
            yield from self._place(event, room)
            yield from self._content(event, room)
            if kind == "rename" and event["from"] == self._nickname and "replayed" not in event:
                self._nickname = event["to"]
            if kind == "kick" and event.get("to") == self._nickname:
                self._may_jump[room] = 0
        elif kind == "leave" and event.get("from") == self._nickname:
            self._may_jump[room] = 0

    def _place(self, event: Event, room: str) -> Iterator[Finding]:
        number, last = event["id"], self._last.get(room)
        seen = self._seen.setdefault(room, set())
        self._last[room] = number
        if last is not None and number != last + 1:
            far = self._may_jump.pop(room, None)
            where = f"{self._who} (on {self._node}) saw {number} ({brief(event)}) in {room}"
            if far == 0:
                seen.clear()
            elif number in seen:
                yield Finding("repeat", f"{where} after {last}, and had seen it before.")
            elif number < last:
                yield Finding("back", f"{where} after {last}: the numbers go back.")
            elif far != number - last - 1:
                yield Finding("gap", f"{where} right after {last}.")
        seen.add(number)

    def _content(self, event: Event, room: str) -> Iterator[Finding]:
        log = self._final.get(self._story.log_of(self._who, room))
        if log is None:
            return
        kept = log.get(event["id"])
        where = f"{self._who} (on {self._node}) saw {brief(event)} as {event['id']} in {room}"
        if kept is None:
            if event["id"] >= min(log, default=1):  # older ones may be deleted by now
                yield Finding("unknown", f"{where}, but the history has no such number.")
        elif event["event"] != "hidden" and kept != bare(event):
            mine = {**bare(event), "id": 0}
            elsewhere = [number for number in log if {**log[number], "id": 0} == mine]
            if elsewhere:
                yield Finding("order", f"{where}, but the history has it as {elsewhere[0]}.")
            else:
                yield Finding("unknown", f"{where}, but the history has {brief(kept)} there.")
