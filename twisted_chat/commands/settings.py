"""Commands that change what a room is like: locks, who may speak, and closing it."""

from twisted_chat.chat.order import Role
from twisted_chat.chat.rights import Right
from twisted_chat.chat.room import Room
from twisted_chat.commands.command import Caller, Family, Lines
from twisted_chat.commands.moderation import decide, reason
from twisted_chat.refusal import Refused
from twisted_chat.text.counted import counted

family = Family()

_SLOWEST = 3600
"""Seconds between two messages of one member, at the most."""

_LISTED = 50
"""People with a role who are named in an answer."""


def is_on(text: str, usage: str) -> bool:
    """Whether a setting is to be on.

    Raises:
        Refused: it is neither `on` nor `off`.
    """
    if text.lower() not in ("on", "off"):
        raise Refused("usage", f"Usage: {usage}")
    return text.lower() == "on"


def switch(caller: Caller, room: Room, setting: str, text: str) -> Lines:
    """Turn a setting of a room on or off.

    Args:
        caller: who does it.
        room: the room.
        setting: its name in the room's state.
        text: `on` or `off`, as they typed it.
    """
    value = is_on(text, f"/{setting} on, or /{setting} off")
    set_to = caller.chat.moderation.set(
        caller.person, room, setting, "on" if value else "off", value or None
    )
    decide(caller, room, set_to)
    return []


@family.command(
    "lock",
    "[KEY]",
    "let in only those who are invited, or who know the key",
    right=Right.KEEP_ORDER,
    detail=("With a key, others enter with /join ROOM KEY.",),
)
def _lock(caller: Caller, room: Room, key: str) -> Lines:
    decide(caller, room, caller.chat.moderation.lock(caller.person, room, key))
    return []


@family.command("unlock", "", "let everybody in again", right=Right.KEEP_ORDER)
def _unlock(caller: Caller, room: Room, rest: str) -> Lines:
    lock = room.order.lock
    if lock is not None and "closed" in lock:
        caller.chat.rights.check(caller.person, Right.OWN, room, "/unlock of a closed room")
    unlocked = caller.chat.moderation.set(caller.person, room, "lock", "off", None)
    decide(caller, room, unlocked)
    return []


@family.command("hide", "on|off", "hide the room from those who are not in it", right=Right.OWN)
def _hide(caller: Caller, room: Room, text: str) -> Lines:
    value = is_on(text, "/hide on, or /hide off")
    decide(caller, room, caller.chat.moderation.hide(caller.person, room, is_on=value))
    return []


@family.command("moderated", "on|off", "let only voiced people speak", right=Right.KEEP_ORDER)
def _moderated(caller: Caller, room: Room, text: str) -> Lines:
    return switch(caller, room, "moderated", text)


@family.command(
    "slow",
    "SECONDS",
    "let each member speak only every so many seconds",
    right=Right.KEEP_ORDER,
    detail=("/slow 0 ends it. It does not hold for voiced people and operators.",),
)
def _slow(caller: Caller, room: Room, text: str) -> Lines:
    if not (text.isascii() and text.isdigit()) or int(text[:6]) > _SLOWEST:
        raise Refused("usage", f"Usage: /slow SECONDS (a number from 0 to {_SLOWEST})")
    seconds = int(text)
    value = counted(seconds, "second") if seconds else "off"
    slow = caller.chat.moderation.set(caller.person, room, "slow", value, seconds or None)
    decide(caller, room, slow)
    return []


@family.command(
    "close",
    "WHY",
    "close the room: everybody but its owners has to leave",
    right=Right.OWN,
    detail=("What was said stays. An owner can enter, and /unlock opens the room again.",),
)
def _close(caller: Caller, room: Room, why: str) -> Lines:
    decide(
        caller, room, caller.chat.moderation.close(caller.person, room, reason(caller, room, why))
    )
    return []


@family.command("settings", "", "show the settings of the room, and who keeps order", right=None)
def _settings(caller: Caller, room: Room, rest: str) -> Lines:
    order = room.order
    held = caller.chat.rights.held_by_name
    lines = [
        f"{title} of {room.name}: {', '.join(found)}"
        for role, title in _TITLES
        if (found := held(role, room)[:_LISTED])
    ]
    lines += [f"{room.name} {what}." for is_so, what in _facts(room) if is_so]
    bans, mutes = len(order.sentences("ban/")), len(order.sentences("mute/"))
    if bans or mutes:
        lines.append(f"{room.name} has {counted(bans, 'ban')} and {counted(mutes, 'mute')}.")
    return lines or [f"{room.name} has no owner, and is open to everybody."]


_TITLES = (
    (Role.OWNER, "Owners"),
    (Role.OPERATOR, "Operators"),
    (Role.VOICED, "Voiced people"),
)


def _facts(room: Room) -> list[tuple[bool, str]]:
    order, lock = room.order, room.order.lock
    return [
        (lock is not None and "closed" in lock, "is closed: only its owners can enter"),
        (lock is not None and "key" in lock, "is locked with a key"),
        (lock == {}, "is locked: only those who are invited can enter"),
        (order.is_hidden, "is hidden from those who are not in it"),
        ("moderated" in room.state, "is moderated: only voiced people can speak"),
        ("frozen" in room.state, "is frozen: only operators can speak"),
        (order.slow > 0, f"is slow: one message every {counted(order.slow, 'second')} from each"),
    ]
