"""Plain lines, for netcat, telnet and every terminal."""

import time
from collections.abc import Callable, Sequence
from typing import assert_never

from twisted_chat import events
from twisted_chat.events import By, Entry, Event
from twisted_chat.text.cleaning import with_few_blanks
from twisted_chat.text.counted import counted, in_bytes
from twisted_chat.text.names import LOBBY
from twisted_chat.text.spans import moment

END = "\r\n"
_NAMED = 10
_QUARTER = 15 * 60


def line(text: str) -> bytes:
    """A line as it goes over the wire."""
    return (with_few_blanks(text) + END).encode()


def names(first: str, also: Sequence[str]) -> str:
    """Several nicknames as a sentence has them, and how many more there are."""
    listed = (first, *also[: _NAMED - 1])
    more = 1 + len(also) - len(listed)
    if more:
        return f"{', '.join(listed)} and {more} more"
    return " and ".join(filter(None, (", ".join(listed[:-1]), listed[-1])))


_ROLES = {
    "owner": "made {to} an owner of {room}",
    "operator": "made {to} an operator of {room}",
    "voiced": "gave {to} voice in {room}",
    "member": "made {to} an ordinary member of {room}",
}
_SETTINGS = {
    ("lock", "invited"): "locked {room}: only those who are invited can join",
    ("lock", "key"): "locked {room} with a key",
    ("lock", "off"): "unlocked {room}",
    ("hidden", "on"): "hid {room} from /rooms",
    ("hidden", "off"): "lists {room} in /rooms again",
    ("moderated", "on"): "made {room} moderated: only voiced people can speak",
    ("moderated", "off"): "lets everybody in {room} speak",
    ("frozen", "on"): "froze {room}: only operators can speak",
    ("frozen", "off"): "lets everybody in {room} speak",
    ("slow", "off"): "took the pace limit from {room}",
    ("slow", ""): "slowed {room} down to one message every {value} from each person",
}


def _order(event: events.RoleChange | events.Setting) -> str:
    """What somebody did, in words; what another program may have written is told as it is."""
    if isinstance(event, events.Setting):
        of_all = (event.setting, "")
        words = _SETTINGS.get((event.setting, event.value), _SETTINGS.get(of_all, ""))
        words = words or "changed {setting} of {room} to {value}"
        return f"{event.sender} " + words.format(
            room=event.room, setting=event.setting, value=event.value
        )
    if event.sender == event.to and event.role == "owner":
        return f"{event.sender} is the owner of {event.room}"
    words = _ROLES.get(event.role, "changed the role of {to} in {room}")
    return f"{event.sender} " + words.format(to=event.to, room=event.room)


def _hands(event: events.Hands) -> str:
    """What happens to raised hands, in words; empty where only programs need to know."""
    first, *also = event.people or (event.sender,)
    one = names(first, tuple(also))
    words = {
        "raised": f"{one} raised {'their hands' if also else 'a hand'} in {event.room}",
        "lowered": f"{one} lowered {'their hands' if also else 'a hand'} in {event.room}",
        "next": f"{event.sender} gives the word to {first} in {event.room}",
        "done": f"{first} has given back the word in {event.room}",
        "cleared": f"{event.sender} lowered all hands in {event.room}",
        "gone": "",
    }
    if event.what == "done" and event.sender != first:
        return f"{event.sender} ended {first}'s turn in {event.room}"
    return words.get(event.what, f"{event.sender} changed whose hands are raised in {event.room}")


def _why(event: events.Kick | events.Ban | events.Mute | events.Close) -> str:
    return f": {event.reason}" if event.reason else ""


_UNNAMED = (LOBBY, events.OWN)
"""What happens there is told without the room."""

_KNOWN = (events.Join, events.Leave)
"""What those whose act it is need not be told."""

_SEEN_HERE = (events.Message, *_KNOWN)
"""The same where they did it: what they have typed is on the screen already."""


class PlainWire:
    """Events as lines that a person reads.

    Args:
        now: gives the time in seconds since 1970, to tell today's lines from older ones.
        address_of: gives the address of a file by its `url`; empty if the file is gone.
    """

    def __init__(
        self, now: Callable[[], float] = time.time, address_of: Callable[[str], str] = str
    ) -> None:
        self._now = now
        self._address_of = address_of
        self._second = self._quarter = -1.0
        self._stamp = ""

    def show(self, entry: Entry, by: By = By.OTHERS, *, replayed: bool = False) -> bytes:
        """The line that a reader sees of an entry; empty if they see none.

        Args:
            entry: what stands in the log.
            by: whose act it is, as the reader sees it.
            replayed: whether it comes from history.
        """
        event = entry.event
        is_mine = by.is_mine
        if is_mine and not replayed and isinstance(event, _SEEN_HERE if by.is_here else _KNOWN):
            return b""
        text = self.text(event, own=is_mine)
        return line(f"[{self._time(event.time)}] {text}") if text else b""

    def missed(self, room: str, count: int, *, kept: bool = False) -> bytes:
        """What a reader sees in the place of events; see `reader.Wire.missed`."""
        lines = counted(count, "line")
        where = "" if room == events.OWN else f" of {room}"
        why = "they cannot be read right now" if kept else "older lines are no longer kept"
        return line(f"*** You missed {lines}{where}: {why}")

    def _time(self, seconds: float) -> str:
        second, now = seconds // 1, self._now()
        quarter = now // _QUARTER  # days change at a quarter, anywhere
        if second != self._second or quarter != self._quarter:  # most lines of a turn share both
            local = time.localtime(seconds)
            today = local[:3] == time.localtime(now)[:3]
            self._second, self._quarter = second, quarter
            self._stamp = time.strftime("%H:%M:%S" if today else "%Y-%m-%d %H:%M:%S", local)
        return self._stamp

    def _until(self, event: events.Ban | events.Mute) -> str:
        return "" if event.until is None else f" until {moment(event.until, self._now())}"

    def text(self, event: Event, *, own: bool = False) -> str:
        """An event in words, without its time; empty for what plain lines do not tell.

        Args:
            event: what happened.
            own: whether it was the reader's own act.
        """
        room = "" if event.room in _UNNAMED else event.room + " "
        match event:
            case events.Message():
                return f"{room}{event.sender}: {event.text}"
            case events.Action():
                return f"{room}* {event.sender} {event.text}"
            case events.Whisper():
                other = f"to {event.to}" if own else f"from {event.sender}"
                return f"[whisper {other}] {event.text}"
            case events.Rename():
                return f"*** {event.sender} is now known as {event.to}"
            case events.Topic():
                if not event.text:
                    return f"*** {event.sender} removed the topic of {event.room}"
                return f"*** {event.sender} changed the topic of {event.room} to: {event.text}"
            case events.File():
                what = f"{event.sender} sent {event.name} ({in_bytes(event.size)})"
                return f"{room}{what}: {self._address_of(event.url) or 'no longer available'}"
            case events.Delete():
                return f"*** {event.sender} deleted {event.name} in {event.room}"
            case events.Hands():
                said = _hands(event)
                return f"*** {said}" if said else ""
            case events.Act():
                return f"*** {event.sender} {event.act}" + (f": {event.text}" if event.text else "")
            case events.RoleChange() | events.Setting():
                return f"*** {_order(event)}"
            case events.Kick():
                return f"*** {event.sender} removed {event.to} from {event.room}{_why(event)}"
            case events.Ban():
                return (
                    f"*** {event.sender} banned {event.target} from {event.room}"
                    f"{self._until(event)}{_why(event)}"
                )
            case events.Unban():
                return f"*** {event.sender} ended the ban of {event.target} from {event.room}"
            case events.Mute():
                return (
                    f"*** {event.sender} muted {event.to} in {event.room}"
                    f"{self._until(event)}{_why(event)}"
                )
            case events.Unmute():
                return f"*** {event.sender} let {event.to} speak in {event.room} again"
            case events.Invite():
                return f"*** {event.sender} invited {event.to} to {event.room}"
            case events.Close():
                return f"*** {event.sender} closed {event.room}{_why(event)}"
            case events.Join():
                verb = "have" if event.also else "has"
                return f"*** {names(event.sender, event.also)} {verb} joined {event.room}"
            case events.Leave():
                reason = f" ({event.reason})" if event.reason else ""
                verb = "have" if event.also else "has"
                return f"*** {names(event.sender, event.also)} {verb} left {event.room}{reason}"
            case events.Away() | events.Hidden():
                return ""
            case events.Notice():
                return f"*** {event.text}"
            case _:
                assert_never(event)
