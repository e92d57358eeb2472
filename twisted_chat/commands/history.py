"""Commands about earlier messages and the time."""

import re
import time
from collections.abc import Sequence

from twisted.internet.defer import Deferred

from twisted_chat.chat.room import Room
from twisted_chat.commands.command import Caller, Family, Lines
from twisted_chat.events import Entry
from twisted_chat.refusal import Refused
from twisted_chat.text.spans import SPANS

family = Family()

_OVERHEAD = 100
"""Bytes of a line in addition to its text."""


@family.command(
    "history",
    "[COUNT|1h|DATE]",
    "show earlier messages",
    right=None,
    detail=(
        "/history 50 shows the last 50 lines.",
        "/history 1h shows the last hour; 30m and 2d work too.",
        "/history 2026-11-20 shows messages from that day on.",
        "At most 200 lines are shown at once.",
    ),
)
def _history(caller: Caller, room: Room, how_much: str) -> Deferred[Lines]:
    limits = caller.chat.limits
    newest_first = False
    spell = re.fullmatch(r"(\d{1,6})([smhdw]?)", how_much or str(limits.entry_history))
    if spell and not spell[2]:
        newest_first = True
        page = room.log.before(room.log.last + 1, min(int(spell[1]), limits.history_lines))
    elif spell:
        since = caller.chat.now() - int(spell[1]) * SPANS[spell[2]]
        page = room.log.since(since, limits.history_lines)
    else:
        try:
            since = time.mktime(time.strptime(how_much, "%Y-%m-%d"))
        except (ValueError, OverflowError):
            raise Refused(
                "usage", "Usage: /history 50, /history 1h or /history 2026-11-20"
            ) from None
        page = room.log.since(since, limits.history_lines)

    def answer(entries: Sequence[Entry]) -> Lines:
        shown = within(entries, limits.history_bytes, newest_first=newest_first)
        return shown or [f"There is nothing in the history of {room.name} to show."]

    return page.addCallback(answer)


def within(entries: Sequence[Entry], size: int, *, newest_first: bool) -> Sequence[Entry]:
    """As many entries as fit, at least one: the last of them, or the first."""
    count = 0
    for entry in reversed(entries) if newest_first else entries:
        size -= len(getattr(entry.event, "text", "").encode()) + _OVERHEAD
        if count and size < 0:
            break
        count += 1
    return entries[len(entries) - count :] if newest_first else entries[:count]


@family.command("time", "", "show the server's time", right=None)
def _time(caller: Caller, room: Room, rest: str) -> Lines:
    now = time.localtime(caller.chat.now())
    return [time.strftime("The server's time is %Y-%m-%d %H:%M:%S (UTC%z).", now)]
