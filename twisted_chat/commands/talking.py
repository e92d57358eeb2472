"""Commands that send messages: to a room, or privately."""

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
"""The command without a name: any line that is not another command."""


@family.command(
    "whisper",
    "NICK TEXT",
    "send a private message",
    right=Right.WHISPER,
    aliases=("msg", "w", "tell"),
    detail=(
        "@NICK TEXT does the same, and @NICK,NICK TEXT whispers to several people.",
        "Nobody else can read it, not even somebody who takes the nickname later.",
    ),
)
def _whisper(caller: Caller, room: Room, rest: str) -> Lines:
    nicknames, _, text = rest.partition(" ")
    text = text.strip()
    if is_blank(text):
        raise Refused("usage", "Usage: /whisper NICK TEXT (the text is missing)")
    wanted = [nickname for nickname in nicknames.split(",") if nickname]
    others = {other.id: other for other in map(caller.chat.people.find, wanted)}
    return _whisper_to(caller, list(others.values()), text)


@family.command(
    "reply",
    "TEXT",
    "answer the last person who whispered to you",
    right=Right.WHISPER,
    aliases=("r",),
    detail=("It works even if they have changed their nickname.",),
)
def _reply(caller: Caller, room: Room, text: str) -> Lines:
    last = caller.person.last_whisperer
    if last is None:
        raise Refused("no-such-nick", "Nobody has whispered to you yet: use /whisper NICK TEXT.")
    other = caller.chat.people.with_id(last.person_id)
    if other is None:
        raise Refused("no-such-nick", f"{last.nickname} has left: /users lists who is here.")
    return _whisper_to(caller, [other], text)


def _whisper_to(caller: Caller, others: Sequence[Person], text: str) -> Lines:
    me = caller.person
    if not others:
        raise Refused("usage", "Usage: /whisper NICK TEXT (the nickname is missing)")
    if me in others:
        raise Refused("whisper-to-self", "You cannot whisper to yourself: choose somebody else.")
    if len(others) > caller.chat.limits.whispered_people:
        raise Refused(
            "too-many-people",
            f"You can whisper to at most {caller.chat.limits.whispered_people} people at once: "
            "/join a room to talk to more.",
        )
    caller.chat.whisper(me, others, text, caller.request)
    caller.charge(len(others) - 1)
    lines = []
    for other in others:
        if not other.is_connected:
            lines.append(f"{other.nickname} is disconnected, and will see it when they reconnect.")
        elif other.away is not None and me.id not in other.told_away:
            other.told_away = (*other.told_away, me.id)
            lines.append(f"{other.nickname} is {away_note(other, me)}")
    return lines


@family.command(
    "me", "TEXT", "describe what you do: /me waves", right=Right.SPEAK, aliases=("action",)
)
def _me(caller: Caller, room: Room, text: str) -> Lines:
    caller.chat.act(caller.person, room, text, caller.request)
    return []


@family.command(
    "bell",
    "[off|name|whisper|all]",
    "ring your terminal's bell",
    right=None,
    detail=("It is off until you turn it on.",),
)
def _bell(caller: Caller, room: Room, when: str) -> Lines:
    return [
        {
            "off": "The bell is off: /bell name, whisper or all turns it on.",
            "name": "The bell rings for whispers, and when somebody says your name.",
            "whisper": "The bell rings for whispers.",
            "all": "The bell rings for every line.",
        }[caller.ring(when.lower())]
    ]
