"""Commands about people: who is here, nicknames, away notes and ignoring."""

import time
from itertools import islice

from twisted.internet.defer import Deferred

from twisted_chat.chat.order import Role
from twisted_chat.chat.person import Person
from twisted_chat.chat.rights import Right
from twisted_chat.chat.room import Room
from twisted_chat.commands.account import check_slip_behind, mark
from twisted_chat.commands.command import Caller, Family, Lines
from twisted_chat.refusal import Refused
from twisted_chat.text import names
from twisted_chat.text.cleaning import with_few_blanks

family = Family()


@family.command(
    "users",
    "[ROOM]",
    "list who is in a room",
    right=None,
    aliases=("who", "names"),
    detail=("Without ROOM, the room you are typing in.",),
)
def _users(caller: Caller, room: Room, name: str) -> Lines:
    asked = caller.chat.look_into(caller.person, name) if name else room
    return [who(asked, caller, caller.chat.limits.listed_names)]


_ROOMS = 5
"""Announcements in this many rooms count as one more line."""

_AWAY = 400
"""Characters of an away note: everybody who enters a room reads it."""

_NOTE = 120
"""Characters of it next to a name in a list."""

_PLAIN = str.maketrans("", "", "()")
"""Removes the brackets that a list is built with from notes, so that nobody can fake an entry."""


def who(room: Room, caller: Caller, most: int) -> str:
    """Who is in a room, in one line, as the caller sees it."""
    role_of, members = caller.chat.rights.role_of, islice(room.members.values(), most)
    listed = [_named(each, caller, role_of(each, room)) for each in members]
    more = len(room.members) - len(listed)
    others = f" and {more} more" if more else ""
    return f"In {room.name}: {', '.join(listed)}{others} ({len(room.members)})"


def _named(person: Person, caller: Caller, role: Role) -> str:
    name, notes = person.nickname + mark(person, caller), [role.word] if role else []
    if person.is_quiet:
        notes.append("only posts")
    elif not person.is_connected:
        notes.append("reconnecting")
    elif person.away is not None:
        note = with_few_blanks(away_note(person, caller.person).translate(_PLAIN))
        notes.append(note[:_NOTE] + ("..." if len(note) > _NOTE else ""))
    return f"{name} ({', '.join(notes)})" if notes else name


def away_note(person: Person, viewer: Person) -> str:
    """That somebody is away, with the reason unless the viewer ignores them."""
    return f"away: {person.away}" if viewer.hears(person.nickname, person.id) else "away"


@family.command("whois", "NICK", "show somebody's rooms and when they joined", right=None)
def _whois(caller: Caller, room: Room, nickname: str) -> Lines:
    person = caller.chat.people.find(nickname)
    rooms = [
        each.name
        for each in map(caller.chat.rooms.__getitem__, person.rooms)
        if caller.chat.rights.may_look_into(caller.person, each)
    ]
    now = caller.chat.now()
    lines = [
        f"{person.nickname}{mark(person, caller)} has been here since {_clock(person.since)}.",
    ]
    if rooms:
        lines.append(f"{person.nickname} is in {', '.join(rooms)}.")
    account = caller.chat.accounts.with_id(person.account)
    if account is not None:
        lines.append(f"{person.nickname} is logged in as {account.name}*.")
    if person.spoke is not None:
        lines.insert(1, f"{person.nickname} was last active {_ago(now - person.spoke)}.")
    if person.away is not None:
        lines.append(f"{person.nickname} is {away_note(person, caller.person)}")
    if not person.is_connected:
        lines.append(f"{person.nickname} is disconnected, and may be back soon.")
    return lines


def _clock(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def _ago(seconds: float) -> str:
    if seconds < 60:
        return "less than a minute ago"
    size, unit = next(
        span for span in ((86400, "day"), (3600, "hour"), (60, "minute")) if seconds >= span[0]
    )
    count = int(seconds // size)
    return f"{count} {unit}{'' if count == 1 else 's'} ago"


@family.command(
    "nick",
    "NAME",
    "change your nickname",
    right=Right.RENAME,
    detail=("Use letters, digits, _ and -, starting with a letter. Case does not matter.",),
)
def _nick(caller: Caller, room: Room, nickname: str) -> Deferred[Lines]:
    renamed = caller.chat.rename(caller.person, nickname, caller.request)
    caller.charge(len(caller.person.rooms) // _ROOMS)
    return renamed.addCallback(lambda _: ())


@family.command(
    "away",
    "[TEXT]",
    "mark yourself as away, with a note",
    right=None,
    detail=("The note is shown in /users, and once to anyone who whispers to you.",),
)
def _away(caller: Caller, room: Room, reason: str) -> Lines:
    if len(reason) > _AWAY:
        raise Refused("too-long", f"That note is too long: use at most {_AWAY} characters.")
    check_slip_behind(reason)
    caller.chat.set_away(caller.person, reason or "not here just now")
    caller.charge(len(caller.person.rooms) // _ROOMS)
    return [f"You are away: {caller.person.away}. /back ends it."]


@family.command("back", "", "mark yourself as back", right=None)
def _back(caller: Caller, room: Room, rest: str) -> Lines:
    if caller.person.away is None:
        return ["You were not away."]
    caller.chat.set_away(caller.person, None)
    caller.charge(len(caller.person.rooms) // _ROOMS)
    return ["You are back."]


@family.command(
    "ignore",
    "[NICK]",
    "hide somebody's messages, or list whom you ignore",
    right=None,
    detail=(
        "They are not told. It still applies if they change their nickname, until they leave.",
    ),
)
def _ignore(caller: Caller, room: Room, rest: str) -> Lines:
    me = caller.person
    if not rest:
        nicknames = ", ".join(ignored.nickname for ignored in me.ignored.values())
        return [f"You are ignoring: {nicknames}" if nicknames else "You are not ignoring anybody."]
    nickname = names.nickname(rest, caller.chat.limits)
    other = caller.chat.people.called(nickname)
    if other is me:
        raise Refused("bad-nick", "You cannot ignore yourself: choose somebody else.")
    if len(me.ignored) >= caller.chat.limits.ignored_people:
        raise Refused(
            "too-many-people", "You are ignoring too many people: /unignore somebody first."
        )
    me.ignore(nickname, other.id if other else "")  # they may be about to have that name
    lines = [f"You are ignoring {nickname}: /unignore {nickname} ends it."]
    if other is None:
        meant = caller.chat.people.similar(nickname)
        hint = f": did you mean {meant}?" if meant else "."
        lines.append(f"Nobody called {nickname} is here{hint}")
    return lines


@family.command("unignore", "NICK", "show somebody's messages again", right=None)
def _unignore(caller: Caller, room: Room, nickname: str) -> Lines:
    other = caller.chat.people.called(nickname)
    if not caller.person.unignore(nickname, other.id if other else ""):
        raise Refused(
            "no-such-nick", f"You are not ignoring {nickname}: /ignore lists whom you ignore."
        )
    return [f"You are no longer ignoring {nickname}."]


@family.command(
    "quit",
    "[TEXT]",
    "leave the chat",
    right=None,
    aliases=("exit", "q"),
    detail=("exit, quit or :q alone on a line does the same.",),
)
def _quit(caller: Caller, room: Room, reason: str) -> Lines:
    check_slip_behind(reason)
    if not caller.chat.may_speak_everywhere(caller.person):
        reason = ""  # it would be heard where they may not speak
    caller.chat.quit(caller.person, caller.device, reason)
    return []
