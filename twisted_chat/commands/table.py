"""The slash commands: one table, from which arity, `/help` and completion come."""

import difflib
import heapq
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol, TypeAlias

from twisted.internet.defer import Deferred

from twisted_chat.chat.chat import Chat
from twisted_chat.chat.person import Person
from twisted_chat.chat.request import Request
from twisted_chat.chat.room import Room
from twisted_chat.events import Entry
from twisted_chat.refusal import Refused
from twisted_chat.text import names
from twisted_chat.text.cleaning import is_blank
from twisted_chat.text.counted import counted

Lines: TypeAlias = Sequence[str | Entry]
"""An answer, one line per fact; an entry is shown as history is."""


class Caller(Protocol):
    """Whose command it is."""

    chat: Chat
    request: Request

    @property
    def person(self) -> Person:
        """Who they are."""

    @property
    def room(self) -> Room:
        """The room that they are typing into."""

    def talk_in(self, room: Room) -> None:
        """What they type goes to another room from now on."""

    def look_again(self) -> None:
        """Whom they ignore has changed."""

    def charge(self, lines: int) -> None:
        """That was as much as so many lines more."""

    def ring(self, when: str) -> str:
        """Ring the terminal's bell `off`, on `name`, `whisper` or `all`; empty only asks."""


@dataclass(frozen=True)
class Command:
    """A command.

    Args:
        name: the word behind the slash.
        usage: what follows it, in capitals; in brackets what may be left out.
        help: what it does, in a few words.
        do: does it, and gives the answer.
        aliases: other words for it.
        detail: what else is good to know.
    """

    name: str
    usage: str
    help: str
    do: Callable[[Caller, str], Lines | Deferred[Lines]]
    aliases: tuple[str, ...] = ()
    detail: tuple[str, ...] = ()

    @property
    def synopsis(self) -> str:
        """The command as one types it."""
        return f"/{self.name} {self.usage}".rstrip()

    @property
    def needs(self) -> int:
        """How many words it cannot do without."""
        return len(re.sub(r"\[[^]]*]", "", self.usage).split())


_ALONE = {"exit": "quit", "quit": "quit", ":q": "quit", "!disconnect": "quit", "help": "help"}
"""Commands that one may type without a slash, alone on a line."""


def parse(line: str) -> tuple[str, str] | None:
    """The command that a line is, and what follows it; None for a line that is to be said.

    `exit` and its like and `@NICK TEXT` are commands too, `//text` is not.
    """
    alone = _ALONE.get(line.strip().lower())
    if alone is not None:
        return alone, ""
    command = line.lstrip()
    if command.startswith("/") and not command.startswith("//"):
        word, _, rest = command[1:].partition(" ")
        return word.lower(), rest.strip()
    if re.match(r"@[^\s@]", command):
        return "whisper", command[1:]
    return None


def spoken(line: str) -> str:
    """What a line that is no command says: `//text` says `/text`."""
    return line[1:] if line.startswith("//") else line


def run(caller: Caller, word: str, rest: str) -> Lines | Deferred[Lines]:
    """Do a command.

    Raises:
        Refused: there is no such command, it lacks something, or it cannot be done.
    """
    command = _find(word)
    if is_blank(rest):  # nobody would see it, on any screen
        rest = ""
    if len(rest.split()) < command.needs:
        raise Refused("usage", f"Something is missing: {command.synopsis} ({command.help})")
    return command.do(caller, rest)


def is_join(word: str) -> bool:
    """Whether a command may make a room."""
    return BY_WORD.get(word) is BY_WORD["join"]


_INSTEAD = {
    "clear": "your terminal can clear its screen, the server cannot.",
    "query": "/whisper NICK TEXT begins a private conversation, and /reply TEXT answers.",
    **dict.fromkeys(
        ("kick", "ban", "mute", "op"),
        "nobody can send others away here, but /ignore NICK hides what they say.",
    ),
}
"""What to do where other chats have a command that this one has not."""


def _find(word: str) -> Command:
    command = BY_WORD.get(word)
    if command is not None:
        return command
    if word in _INSTEAD:
        raise Refused("no-such-command", f"There is no command /{word}: {_INSTEAD[word]}")
    close = difflib.get_close_matches(word[:20], BY_WORD, 1, 0.6)
    hint = f"did you mean /{close[0]}?" if close else "/help lists the commands;"
    say = "" if close else " to say a line that begins with a slash, type two."
    raise Refused("no-such-command", f"There is no command /{word[:20]}: {hint}{say}")


def unheard() -> Refused:
    """What is said of a line that comes when the server stops."""
    return Refused(
        "closing", "The server is shutting down, and that was not done: try again later."
    )


# People and rooms


def _named(person: Person, viewer: Person) -> str:
    if person.connection is None:
        return f"{person.nickname} (reconnecting)"
    if person.away is None:
        return person.nickname
    return f"{person.nickname} ({_away_note(person, viewer)})"


def _away_note(person: Person, viewer: Person) -> str:
    return f"away: {person.away}" if viewer.hears(person.nickname, person.id) else "away"


def who(room: Room, most: int, viewer: Person) -> str:
    """Who is in a room, in one line, as somebody sees it."""
    listed = [_named(member, viewer) for member in islice(room.members.values(), most)]
    more = len(room.members) - len(listed)
    others = f" and {more} more" if more else ""
    return f"In {room.name}: {', '.join(listed)}{others} ({len(room.members)})"


def _users(caller: Caller, rest: str) -> Lines:
    room = caller.chat.room(rest) if rest else caller.room
    return [who(room, caller.chat.limits.listed_names, caller.person)]


def _rooms(caller: Caller, rest: str) -> Lines:
    shown = [room for room in caller.chat.rooms.values() if room.members or room.topic]
    most = caller.chat.limits.listed_rooms
    lines = []
    for room in heapq.nsmallest(most, shown, lambda room: (-len(room.members), room.key)):
        people = "1 person" if len(room.members) == 1 else f"{len(room.members)} people"
        lines.append(f"{room.name}: {people}" + (f", topic: {room.topic}" if room.topic else ""))
    if len(shown) > most:
        lines.append(f"and {counted(len(shown) - most, 'more room')}")
    return lines


def _join(caller: Caller, rest: str) -> Lines:
    room = caller.chat.join(caller.person, rest)
    caller.talk_in(room)
    return [f"You are in {room.name}: what you type goes there. /leave leaves it."]


def _leave(caller: Caller, rest: str) -> Lines:
    room = caller.chat.room_of(caller.person, rest) if rest else caller.room
    here = room is caller.room
    caller.chat.leave(caller.person, room)
    if here:
        other = caller.chat.rooms[next(reversed(caller.person.rooms))]
        caller.talk_in(other)
        return [f"You left {room.name}; you are in {other.name}, and what you type goes there."]
    return [f"You left {room.name}."]


def _topic(caller: Caller, rest: str) -> Lines:
    room = caller.room
    if not rest:
        if room.topic:
            return [f"The topic of {room.name} is: {room.topic}"]
        return [f"{room.name} has no topic: /topic TEXT gives it one."]
    caller.chat.set_topic(caller.person, room, "" if rest == "-" else rest, caller.request)
    return []


def _whois(caller: Caller, rest: str) -> Lines:
    person = caller.chat.people.find(rest)
    rooms = [caller.chat.rooms[key].name for key in person.rooms]
    now = caller.chat.now()
    lines = [
        f"{person.nickname} has been here since {_clock(person.since)}.",
        f"{person.nickname} is in {', '.join(rooms)}.",
    ]
    if person.spoke is not None:
        lines.insert(1, f"{person.nickname} was last active {_ago(now - person.spoke)}.")
    if person.away is not None:
        lines.append(f"{person.nickname} is {_away_note(person, caller.person)}")
    if person.connection is None:
        lines.append(f"{person.nickname} has lost the connection, and may be back soon.")
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


# Talking


def _whisper(caller: Caller, rest: str) -> Lines:
    nicknames, _, text = rest.partition(" ")
    text = text.strip()
    if is_blank(text):
        raise Refused("usage", "Say something too: /whisper NICK TEXT")
    wanted = [nickname for nickname in nicknames.split(",") if nickname]
    others = {other.id: other for other in map(caller.chat.people.find, wanted)}
    return _whisper_to(caller, list(others.values()), text)


def _whisper_to(caller: Caller, others: Sequence[Person], text: str) -> Lines:
    me = caller.person
    if not others:
        raise Refused("usage", "Say to whom: /whisper NICK TEXT")
    if me in others:
        raise Refused("whisper-to-self", "You cannot whisper to yourself: nobody else would know.")
    if len(others) > caller.chat.limits.whispered_people:
        raise Refused(
            "too-many-people",
            f"You can whisper to {caller.chat.limits.whispered_people} people at once at the "
            "most: /join a room for more.",
        )
    caller.chat.whisper(me, others, text, caller.request)
    caller.charge(len(others) - 1)
    lines = []
    for other in others:
        if other.connection is None:
            lines.append(f"{other.nickname} has lost the connection, and will read it when back.")
        elif other.away is not None and me.id not in other.told_away:
            other.told_away = (*other.told_away, me.id)
            lines.append(f"{other.nickname} is {_away_note(other, me)}")
    return lines


def _reply(caller: Caller, rest: str) -> Lines:
    last = caller.person.last_whisperer
    if last is None:
        raise Refused("no-such-nick", "Nobody has whispered to you yet: /whisper NICK TEXT does.")
    other = caller.chat.people.with_id(last.person_id)
    if other is None:
        raise Refused("no-such-nick", f"{last.nickname} has left: /users lists who is here.")
    return _whisper_to(caller, [other], rest)


def _me(caller: Caller, rest: str) -> Lines:
    caller.chat.act(caller.person, caller.room, rest, caller.request)
    return []


def _nick(caller: Caller, rest: str) -> Lines:
    caller.chat.rename(caller.person, rest, caller.request)
    return []


def _away(caller: Caller, rest: str) -> Lines:
    caller.chat.set_away(caller.person, rest or "not here just now")
    return [f"You are away: {caller.person.away}. /back ends it."]


def _back(caller: Caller, rest: str) -> Lines:
    if caller.person.away is None:
        return ["You were not away."]
    caller.chat.set_away(caller.person, None)
    return ["You are back."]


def _ignore(caller: Caller, rest: str) -> Lines:
    me = caller.person
    if not rest:
        nicknames = ", ".join(ignored.nickname for ignored in me.ignored.values())
        return [f"You ignore: {nicknames}" if nicknames else "You ignore nobody."]
    nickname = names.nickname(rest, caller.chat.limits)
    other = caller.chat.people.called(nickname)
    if other is me:
        raise Refused("bad-nick", "You cannot ignore yourself: choose somebody else.")
    if len(me.ignored) >= caller.chat.limits.ignored_people:
        raise Refused("too-many-people", "You ignore too many people: /unignore some first.")
    me.ignore(other.nickname if other else nickname, other.id if other else "")
    caller.look_again()
    lines = [f"You ignore {nickname}: /unignore {nickname} ends it."]
    if other is None:
        meant = caller.chat.people.similar(nickname)
        hint = f": did you mean {meant}?" if meant else "."
        lines.append(f"Nobody called {nickname} is here{hint}")
    return lines


def _unignore(caller: Caller, rest: str) -> Lines:
    other = caller.chat.people.called(rest)
    if not caller.person.unignore(rest, other.id if other else ""):
        raise Refused("no-such-nick", f"You did not ignore {rest}: /ignore lists whom you do.")
    return [f"You hear {rest} again."]


# The rest


_SPANS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def _history(caller: Caller, rest: str) -> Lines | Deferred[Lines]:
    room, limits = caller.room, caller.chat.limits
    spell = re.fullmatch(r"(\d{1,6})([smhdw]?)", rest or str(limits.entry_history))
    if spell and not spell[2]:
        page = room.log.before(room.log.last + 1, min(int(spell[1]), limits.history_lines))
    elif spell:
        since = caller.chat.now() - int(spell[1]) * _SPANS[spell[2]]
        page = room.log.since(since, limits.history_lines)
    else:
        try:
            since = time.mktime(time.strptime(rest, "%Y-%m-%d"))
        except (ValueError, OverflowError):
            raise Refused(
                "usage", "Say how much: /history 50, /history 1h or /history 2026-11-20"
            ) from None
        page = room.log.since(since, limits.history_lines)

    def answer(entries: Sequence[Entry]) -> Lines:
        return entries or [f"There is nothing in the history of {room.name} to show."]

    return page.addCallback(answer)


def _bell(caller: Caller, rest: str) -> Lines:
    when = caller.ring(rest.lower())
    return [
        {
            "off": "The bell is off: /bell name, whisper or all turns it on.",
            "name": "The bell rings when your name is said, and for whispers.",
            "whisper": "The bell rings for whispers.",
            "all": "The bell rings for every line.",
        }[when]
    ]


def _time(caller: Caller, rest: str) -> Lines:
    now = time.localtime(caller.chat.now())
    return [time.strftime("It is %Y-%m-%d %H:%M:%S (UTC%z) here.", now)]


def _quit(caller: Caller, rest: str) -> Lines:
    caller.chat.part(caller.person, rest)
    return []


def _help(caller: Caller, rest: str) -> Lines:
    if not rest:
        return [
            *(f"{command.synopsis}: {command.help}" for command in COMMANDS),
            "/help COMMAND says more. Everything else that you type is said in the room.",
        ]
    command = _find(rest.lstrip("/").lower())
    lines = [f"{command.synopsis}: {command.help}", *command.detail]
    if command.aliases:
        lines.append("Also: " + ", ".join(f"/{alias}" for alias in command.aliases))
    return lines


COMMANDS = (
    Command(
        "users",
        "[ROOM]",
        "who is in a room",
        _users,
        ("who", "names"),
        ("Without ROOM, the room that you are typing into.",),
    ),
    Command(
        "whisper",
        "NICK TEXT",
        "say something to one person alone",
        _whisper,
        ("msg", "w", "tell"),
        (
            "@NICK TEXT does the same, and @NICK,NICK TEXT whispers to several.",
            "Nobody else reads it, and whoever takes the nickname later does not either.",
        ),
    ),
    Command(
        "reply",
        "TEXT",
        "whisper to who whispered to you last",
        _reply,
        ("r",),
        ("It finds them under another nickname too.",),
    ),
    Command("me", "TEXT", "do something: /me waves", _me, ("action",)),
    Command(
        "nick",
        "NAME",
        "take another nickname",
        _nick,
        (),
        ("Letters, digits, _ and -, a letter first; upper and lower case are the same.",),
    ),
    Command(
        "join",
        "ROOM",
        "enter a room, or go back to typing into it",
        _join,
        ("j",),
        ("A room is made by entering it. You stay in the others, and go on reading them.",),
    ),
    Command(
        "leave",
        "[ROOM]",
        "leave a room",
        _leave,
        ("part",),
        ("Without ROOM, the room that you are typing into.",),
    ),
    Command("rooms", "", "the rooms, how many are in them, and their topics", _rooms, ("list",)),
    Command(
        "topic",
        "[TEXT]",
        "what the room is about, or will be",
        _topic,
        (),
        ("/topic - takes it away.",),
    ),
    Command(
        "away",
        "[TEXT]",
        "say that you are away, and why",
        _away,
        (),
        ("It stands beside your name in /users, and is told once to who whispers to you.",),
    ),
    Command("back", "", "say that you are back", _back),
    Command(
        "ignore",
        "[NICK]",
        "hear no more of somebody, or list whom you ignore",
        _ignore,
        (),
        ("They are not told. Another nickname does not help them while they stay.",),
    ),
    Command("unignore", "NICK", "hear somebody again", _unignore),
    Command(
        "history",
        "[COUNT|1h|DATE]",
        "what was said before",
        _history,
        (),
        (
            "/history 50 shows the last 50 lines.",
            "/history 1h (or 30m, 2d) shows what was said in that time.",
            "/history 2026-11-20 shows what was said from that day on.",
            "It shows 200 lines at once at the most.",
        ),
    ),
    Command("whois", "NICK", "since when somebody is here, and where", _whois),
    Command(
        "bell",
        "[off|name|whisper|all]",
        "ring your terminal's bell",
        _bell,
        (),
        ("Off until you ask for it.",),
    ),
    Command("time", "", "the server's time", _time),
    Command("help", "[COMMAND]", "this list, or more about one command", _help, ("h", "?")),
    Command(
        "quit",
        "[TEXT]",
        "leave the chat",
        _quit,
        ("exit", "q"),
        ("exit, quit or :q alone does it too.",),
    ),
)

BY_WORD = {word: each for each in COMMANDS for word in (each.name, *each.aliases)}
