"""Commands that talk: to a room, and to one person alone."""

from collections.abc import Sequence

from twisted_chat.chat.person import Person
from twisted_chat.chat.rights import Right
from twisted_chat.chat.room import Room
from twisted_chat.commands.command import Caller, Command, Family, Lines
from twisted_chat.commands.people import away_note
from twisted_chat.refusal import Refused
from twisted_chat.text.cleaning import is_blank

family = Family()


def _say(caller: Caller, room: Room, text: str) -> Lines:
    caller.chat.say(caller.person, room, text, caller.request)
    return []


SAY = Command("say", "TEXT", "say something in the room", _say, Right.SPEAK)
"""The command that needs no word: a line that is none of the others."""


@family.command(
    "whisper",
    "NICK TEXT",
    "say something to one person alone",
    right=Right.WHISPER,
    aliases=("msg", "w", "tell"),
    detail=(
        "@NICK TEXT does the same, and @NICK,NICK TEXT whispers to several.",
        "Nobody else reads it, and whoever takes the nickname later does not either.",
    ),
)
def _whisper(caller: Caller, room: Room, rest: str) -> Lines:
    nicknames, _, text = rest.partition(" ")
    text = text.strip()
    if is_blank(text):
        raise Refused("usage", "Say something too: /whisper NICK TEXT")
    wanted = [nickname for nickname in nicknames.split(",") if nickname]
    others = {other.id: other for other in map(caller.chat.people.find, wanted)}
    return _whisper_to(caller, list(others.values()), text)


@family.command(
    "reply",
    "TEXT",
    "whisper to who whispered to you last",
    right=Right.WHISPER,
    aliases=("r",),
    detail=("It finds them under another nickname too.",),
)
def _reply(caller: Caller, room: Room, text: str) -> Lines:
    last = caller.person.last_whisperer
    if last is None:
        raise Refused("no-such-nick", "Nobody has whispered to you yet: /whisper NICK TEXT does.")
    other = caller.chat.people.with_id(last.person_id)
    if other is None:
        raise Refused("no-such-nick", f"{last.nickname} has left: /users lists who is here.")
    return _whisper_to(caller, [other], text)


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
        if not other.is_connected:
            lines.append(f"{other.nickname} has lost the connection, and will read it when back.")
        elif other.away is not None and me.id not in other.told_away:
            other.told_away = (*other.told_away, me.id)
            lines.append(f"{other.nickname} is {away_note(other, me)}")
    return lines


@family.command("me", "TEXT", "do something: /me waves", right=Right.SPEAK, aliases=("action",))
def _me(caller: Caller, room: Room, text: str) -> Lines:
    caller.chat.act(caller.person, room, text, caller.request)
    return []


@family.command(
    "bell",
    "[off|name|whisper|all]",
    "ring your terminal's bell",
    right=None,
    detail=("Off until you ask for it.",),
)
def _bell(caller: Caller, room: Room, when: str) -> Lines:
    return [
        {
            "off": "The bell is off: /bell name, whisper or all turns it on.",
            "name": "The bell rings when your name is said, and for whispers.",
            "whisper": "The bell rings for whispers.",
            "all": "The bell rings for every line.",
        }[caller.ring(when.lower())]
    ]
