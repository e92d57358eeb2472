"""Commands that send messages: to a room, or privately."""

from collections.abc import Sequence

from twisted.internet.defer import Deferred, succeed

from twisted_chat.chat.person import Person
from twisted_chat.chat.request import Request
from twisted_chat.chat.rights import Right
from twisted_chat.chat.room import Room
from twisted_chat.commands.account import check_slip_behind
from twisted_chat.commands.command import Caller, Command, Family, Lines
from twisted_chat.commands.people import away_note
from twisted_chat.refusal import Refused
from twisted_chat.stores.account import Account
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
def _whisper(caller: Caller, room: Room, rest: str) -> Deferred[Lines]:
    nicknames, _, text = rest.partition(" ")
    text = text.strip()
    if is_blank(text):
        raise Refused("usage", "Usage: /whisper NICK TEXT (the text is missing)")
    wanted = [nickname for nickname in nicknames.split(",") if nickname]
    others = {other.id: other for other in (_find(caller, nickname) for nickname in wanted)}
    return _whisper_to(caller, list(others.values()), text)


def _find(caller: Caller, nickname: str) -> Person | Account:
    """Who is called so, or whose name it is although they are not here, or not so called."""
    people, account = caller.chat.people, caller.chat.accounts.called(nickname)
    if account is None or people.called(nickname) is not None:
        return people.find(nickname)
    return people.with_id(account.id) or account


@family.command(
    "reply",
    "TEXT",
    "answer the last person who whispered to you",
    right=Right.WHISPER,
    aliases=("r",),
    detail=("It works even if they have changed their nickname.",),
)
def _reply(caller: Caller, room: Room, text: str) -> Deferred[Lines]:
    last = caller.person.last_whisperer
    if last is None:
        raise Refused("no-such-nick", "Nobody has whispered to you yet: use /whisper NICK TEXT.")
    people, accounts = caller.chat.people, caller.chat.accounts
    other = people.with_id(last.person_id) or accounts.with_id(last.person_id)
    if other is None:
        raise Refused("no-such-nick", f"{last.nickname} has left: /users lists who is here.")
    return _whisper_to(caller, [other], text)


def _whisper_to(caller: Caller, others: Sequence[Person | Account], text: str) -> Deferred[Lines]:
    check_slip_behind(text)
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
    caller.charge(len(others) - 1)
    request = caller.request
    whispered = caller.chat.whisper(me, others, text, request)
    return whispered.addCallback(lambda _: _when_stored(request, _who_is_not_there(me, others)))


def _when_stored(request: Request, lines: Lines) -> Deferred[Lines]:
    """Lines that promise something are an answer once that is stored, and none if it is not."""
    if not lines:
        return succeed(lines)
    stored: Deferred[Lines] = Deferred()
    request.when_settled(lambda: stored.callback([] if request.is_refused else lines))
    return stored


def _who_is_not_there(me: Person, others: Sequence[Person | Account]) -> Lines:
    lines = []
    for other in others:
        if isinstance(other, Account):
            lines.append(f"{other.name} is not here, and will read it when back.")
        elif not other.is_connected:
            lines.append(f"{other.nickname} is disconnected, and will see it when they reconnect.")
        elif other.away is not None and me.id not in other.told_away:
            other.told_away = (*other.told_away, me.id)
            lines.append(f"{other.nickname} is {away_note(other, me)}")
    return lines


@family.command(
    "me", "TEXT", "describe what you do: /me waves", right=Right.SPEAK, aliases=("action",)
)
def _me(caller: Caller, room: Room, text: str) -> Lines:
    check_slip_behind(text)
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
