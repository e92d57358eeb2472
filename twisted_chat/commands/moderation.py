"""Commands that keep order in a room: roles, removing, muting, banning and inviting."""

from collections.abc import Sequence
from functools import partial

from twisted.internet.defer import Deferred

from twisted_chat.chat.order import Ordered, Role, Sentence
from twisted_chat.chat.rights import Right
from twisted_chat.chat.room import Room
from twisted_chat.commands.account import check_slip_behind
from twisted_chat.commands.command import Caller, Family, Lines, when_stored
from twisted_chat.events import Ban, Event, Mute
from twisted_chat.refusal import Refused
from twisted_chat.text.spans import in_words, moment, span

family = Family()

WHY = 200
"""Characters of a reason: everybody reads it, and it is kept with the ban."""

_SERVER = "With --server before the rest, it holds for the whole server: for administrators."

_LISTED = 200
"""Bans in one answer."""


def decide(caller: Caller, room: Room, event: Event, about: str = "") -> None:
    """Have a decision stored and carried out; the arguments are those of `Chat.decide`."""
    caller.chat.decide(caller.person, room, event, caller.request, about)


def _where(caller: Caller, room: Room, rest: str) -> tuple[Ordered, str]:
    """Where something is to hold, the room or the whole server, and what else was typed.

    Raises:
        Refused: they do not administer the server.
    """
    word, _, more = rest.partition(" ")
    if word != "--server":
        return room, rest
    caller.chat.rights.check(caller.person, Right.ADMINISTER, room, "--server")
    return caller.chat.server_log, more.strip()


def reason(caller: Caller, room: Ordered, text: str) -> str:
    """Why something is decided, which everybody in a room hears.

    Raises:
        Refused: it is too long, looks like a password, or they may not speak there.
    """
    if len(text) > WHY:
        raise Refused("too-long", f"That reason is too long: use at most {WHY} characters.")
    if text:
        check_slip_behind(text)
        _check_words(caller, room, "without a reason")
    return text


def _check_words(caller: Caller, where: Ordered, without: str) -> None:
    """Make sure that somebody whose own words a room would hear may speak there.

    Raises:
        Refused: they may not, but can decide the same without these words.
    """
    if not isinstance(where, Room):
        return
    try:
        caller.chat.rights.check(caller.person, Right.SPEAK, where)
    except Refused as why:
        why.text += f" You can do that {without}, which the room would hear."
        raise


def _how_long(caller: Caller, room: Ordered, rest: str) -> tuple[str, int | None, str]:
    """Whom something is for, for how many seconds if that is said, and why."""
    whom, _, rest = rest.partition(" ")
    word, _, why = rest.strip().partition(" ")
    seconds = span(word)
    why = rest.strip() if seconds is None else why.strip()
    return whom, seconds, reason(caller, room, why)


@family.command("op", "NICK", "make somebody an operator of the room", right=Right.OWN)
def _op(caller: Caller, room: Room, nickname: str) -> Lines:
    return _give(caller, room, nickname, Role.OPERATOR)


@family.command("voice", "NICK", "let somebody speak in a moderated room", right=Right.KEEP_ORDER)
def _voice(caller: Caller, room: Room, nickname: str) -> Lines:
    return _give(caller, room, nickname, Role.VOICED)


@family.command(
    "own",
    "[NICK]",
    "make somebody an owner of the room",
    right=Right.OWN,
    detail=("Without NICK, an administrator of the server takes the room.",),
)
def _own(caller: Caller, room: Room, nickname: str) -> Lines:
    return _give(caller, room, nickname or caller.person.nickname, Role.OWNER)


def _give(caller: Caller, room: Room, nickname: str, role: Role) -> Lines:
    decide(caller, room, caller.chat.moderation.give(caller.person, room, nickname, role))
    return []


@family.command(
    "deop",
    "NICK",
    "take the role of an operator or owner from somebody",
    right=Right.KEEP_ORDER,
    detail=("With your own nickname, you give up your role.",),
)
def _deop(caller: Caller, room: Room, nickname: str) -> Lines:
    return _take(caller, room, nickname, Role.OPERATOR)


@family.command("devoice", "NICK", "take voice from somebody", right=Right.KEEP_ORDER)
def _devoice(caller: Caller, room: Room, nickname: str) -> Lines:
    return _take(caller, room, nickname, Role.VOICED)


def _take(caller: Caller, room: Room, nickname: str, least: Role) -> Lines:
    decide(caller, room, caller.chat.moderation.take(caller.person, room, nickname, least))
    return []


@family.command("kick", "NICK [WHY]", "remove somebody from the room", right=Right.KEEP_ORDER)
def _kick(caller: Caller, room: Room, rest: str) -> Lines:
    nickname, _, why = rest.partition(" ")
    kick = caller.chat.moderation.kick(
        caller.person, room, nickname, reason(caller, room, why.strip())
    )
    decide(caller, room, kick, kick.person)
    return []


@family.command(
    "mute",
    "NICK [10m] [WHY]",
    "keep somebody from speaking in the room",
    right=Right.KEEP_ORDER,
    detail=(
        "The time is a number with s, m, h, d or w; without it, the mute lasts until /unmute.",
        "It follows them to another nickname, and holds for others from the same address.",
        "Of those others, anybody with an account, or with /voice, can speak.",
    ),
)
def _mute(caller: Caller, room: Room, rest: str) -> Lines:
    nickname, seconds, why = _how_long(caller, room, rest)
    mute = caller.chat.moderation.mute(caller.person, room, nickname, seconds, why)
    decide(caller, room, mute, caller.chat.people.find(nickname).id)
    return _neighbours(caller, room, mute, "also muted by this: /voice NICK lets them speak.")


@family.command("unmute", "NICK", "let somebody speak again", right=Right.KEEP_ORDER)
def _unmute(caller: Caller, room: Room, nickname: str) -> Lines:
    decide(caller, room, caller.chat.moderation.unmute(caller.person, room, nickname))
    return []


@family.command(
    "ban",
    "NICK|ACCOUNT|ADDRESS|MASK [1d] [WHY]",
    "keep somebody out of the room",
    right=Right.KEEP_ORDER,
    detail=(
        "The time is a number with s, m, h, d or w; without it, the ban lasts until /unban.",
        "Somebody without an account cannot come back from the same address either.",
        "A mask such as spam* means nicknames, and 192.0.2.0/24 means addresses.",
        "The room never sees an address.",
        "Nobody with a role in the room is banned by an address or a mask.",
        _SERVER,
    ),
)
def _ban(caller: Caller, room: Room, rest: str) -> Lines | Deferred[Lines]:
    where, rest = _where(caller, room, rest)
    whom, seconds, why = _how_long(caller, where, rest)
    ban = caller.chat.moderation.ban(caller.person, where, whom, seconds, why)
    kind, _, named = ban.marks[0].partition(":")
    if kind in ("ban/nick", "ban/mask") and "/" not in named:  # which nobody need be called
        _check_words(caller, where, "to people who are here")
    if where is not room:
        caller.chat.decide_for_all(caller.person, ban, caller.request)
        return when_stored(caller, f"{whom} is banned from {where.name}: /unban --server ends it.")
    other = caller.chat.people.called(whom)
    decide(caller, room, ban, other.id if other else "")
    if ban.target.startswith(("address-", "network-")):
        return [f"{whom} is called {ban.target} here: /unban {ban.target} ends the ban."]
    return _neighbours(caller, room, ban, "still here: /kick or /ban removes them.")


def _neighbours(caller: Caller, room: Room, event: Ban | Mute, what: str) -> Lines:
    """Who else in the room is from the same address, as far as the event means that."""
    near = [each.partition(":")[2] for each in event.marks if each.startswith(_BY_PLACE)]
    others = caller.chat.rights.without_account(room, near)
    names = [each.nickname for each in others if f"ban/person:{each.id}" not in event.marks]
    names = [name for name in names if name != getattr(event, "to", "")]
    if not names:
        return []
    verb = "has" if len(names) == 1 else "have"
    is_are = "is" if len(names) == 1 else "are"
    return [f"{', '.join(names)} {verb} the same address and no account, and {is_are} {what}"]


_BY_PLACE = ("ban/near:", "mute/address:")


@family.command(
    "unban",
    "NICK|ACCOUNT|ADDRESS|MASK",
    "end a ban",
    right=Right.KEEP_ORDER,
    detail=(_SERVER,),
)
def _unban(caller: Caller, room: Room, whom: str) -> Lines | Deferred[Lines]:
    where, whom = _where(caller, room, whom)
    unban = caller.chat.moderation.unban(caller.person, where, whom)
    if where is not room:
        caller.chat.decide_for_all(caller.person, unban, caller.request)
        return when_stored(caller, f"{unban.target} is not banned from {where.name} any more.")
    decide(caller, room, unban)
    return []


@family.command(
    "bans", "", "list who is banned from the room, or muted in it", right=Right.KEEP_ORDER
)
def _bans(caller: Caller, room: Room, rest: str) -> Lines:
    line = partial(_line, caller.chat.now())
    where = _where(caller, room, rest)[0]
    order = where.order
    bans = [line(order.sentence(marks[0]), "banned") for marks in order.sentences("ban/").values()]
    mutes = [line(order.sentence(marks[0]), "muted") for marks in order.sentences("mute/").values()]
    return _shortened([*bans, *mutes]) or [f"Nobody is banned from {where.name}, or muted in it."]


def _line(now: float, each: Sentence, what: str) -> str:
    until = "" if each.until is None else f" until {moment(each.until, now)}"
    why = f": {each.why}" if each.why else ""
    ago = in_words(max(1.0, now - each.at))
    return f"{each.target} was {what} {ago} ago{until} by {each.by}{why}"


def _shortened(lines: Sequence[str]) -> list[str]:
    more = len(lines) - _LISTED
    return [*lines[:_LISTED], f"and {more} more"] if more > 0 else list(lines)


@family.command(
    "invite", "NICK", "let somebody into the room while it is locked", right=Right.KEEP_ORDER
)
def _invite(caller: Caller, room: Room, nickname: str) -> Lines:
    decide(caller, room, caller.chat.moderation.invite(caller.person, room, nickname))
    other = caller.chat.people.find(nickname)
    if other.hears(caller.person.nickname, caller.person.id):
        caller.chat.tell(
            other, f"{caller.person.nickname} invites you to {room.name}: /join {room.name}"
        )
    return []
