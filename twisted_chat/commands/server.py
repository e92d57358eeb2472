"""Commands for administrators of the server."""

from twisted.internet.defer import Deferred

from twisted_chat.chat.operations import Operations
from twisted_chat.chat.person import Person
from twisted_chat.chat.rights import Right
from twisted_chat.chat.room import Room
from twisted_chat.commands.account import check_slip_behind
from twisted_chat.commands.command import Caller, Family, Lines, when_stored
from twisted_chat.refusal import Refused
from twisted_chat.text.counted import counted
from twisted_chat.text.spans import span

family = Family()

_LAG = 0.1
"""Seconds after which it is measured how late the event loop is."""

_SHUTDOWN = 10
"""Seconds to a shutdown if nothing else is said."""

_LONGEST = 7 * 86400
"""Seconds: nobody plans a shutdown for longer, but many mistype."""


def _other(caller: Caller, nickname: str) -> Person:
    """Somebody whom an administrator may do something to.

    Raises:
        Refused: it is they themselves, or their equal, or nobody.
    """
    chat = caller.chat
    person = chat.people.find(nickname)
    if person is caller.person:
        raise Refused("bad-nick", "You cannot do that to yourself: choose somebody else.")
    if chat.is_administrator(person):
        raise Refused(
            "not-allowed",
            f"{person.nickname} is an administrator too: ask whoever runs this server.",
        )
    return person


def _operations(caller: Caller) -> Operations:
    if caller.chat.operations is None:
        raise Refused(
            "not-here",
            "This chat is a part of another program: ask whoever runs that program.",
        )
    return caller.chat.operations


@family.command(
    "announce", "TEXT", "tell everybody on the server something", right=Right.ADMINISTER
)
def _announce(caller: Caller, room: Room, text: str) -> Deferred[Lines]:
    check_slip_behind(text)
    caller.chat.announce(caller.person, text, caller.request)
    return when_stored(caller)


@family.command("stats", "", "show how the server is doing", right=Right.ADMINISTER)
def _stats(caller: Caller, room: Room, rest: str) -> Deferred[Lines]:
    chat = caller.chat
    due = chat.clock.seconds() + _LAG
    measured: Deferred[Lines] = Deferred()

    def measure() -> None:
        late = max(0.0, chat.clock.seconds() - due) * 1000
        here = sum(person.is_connected for person in chat.people)
        away = len(chat.people) - here
        said = sum(each.log.last for each in chat.rooms.values())
        up = int(chat.now() - chat.since)
        measured.callback(
            [
                f"People: {here}" + (f", and {away} who may reconnect" if away else ""),
                f"Connections: {chat.counters.connections}",
                f"Registered accounts: {len(chat.accounts)}",
                f"Rooms: {len(chat.rooms)}, with {counted(said, 'event')} until now",
                f"Received since the start: {counted(chat.counters.lines, 'line')}",
                f"Delivered since the start: {counted(chat.counters.deliveries, 'line')}",
                f"Refused since the start: {counted(chat.counters.refusals.total(), 'request')}",
                f"Up for {up // 86400}d {up // 3600 % 24}h {up // 60 % 60}m {up % 60}s",
                f"The event loop was {late:.1f} ms late just now.",
            ]
        )

    chat.clock.callLater(_LAG, measure)
    return measured


@family.command("reload", "", "read the server's configuration again", right=Right.ADMINISTER)
def _reload(caller: Caller, room: Room, rest: str) -> Deferred[Lines]:
    lines = _operations(caller).reload()
    caller.chat.administer(caller.person, caller.request, "reloaded the options")
    return when_stored(caller, *lines)


_LOCKDOWNS = {
    "off": ("ended the lockdown", "Everybody can come in and speak again."),
    "new": (
        "let nobody new in",
        "Only people with an account can come in. /lockdown off ends it.",
    ),
    "all": (
        "let nobody without an account come in or speak",
        "Only people with an account can come in or speak. /lockdown off ends it.",
    ),
}


@family.command(
    "lockdown",
    "[off|new|all]",
    "keep out new people without an account, or silence all of them",
    right=Right.ADMINISTER,
    detail=("It holds after a restart too. Without off, new or all, it is shown.",),
)
def _lockdown(caller: Caller, room: Room, rest: str) -> Lines | Deferred[Lines]:
    chat, wanted = caller.chat, rest.lower()
    if not wanted:
        return [
            f"The lockdown is {chat.server_log.lockdown}. {_LOCKDOWNS[chat.server_log.lockdown][1]}"
        ]
    if wanted not in _LOCKDOWNS:
        raise Refused("usage", "Usage: /lockdown off, new or all")
    act, told = _LOCKDOWNS[wanted]
    changes = {"lockdown": None if wanted == "off" else wanted}
    chat.administer(caller.person, caller.request, act, changes=changes)
    return when_stored(caller, told)


@family.command("rename", "NICK NAME", "give somebody another nickname", right=Right.ADMINISTER)
def _rename(caller: Caller, room: Room, rest: str) -> Deferred[Lines]:
    nickname, _, name = rest.partition(" ")
    person = _other(caller, nickname)
    told = f"{person.nickname} is called {name.strip()} now."
    renamed = caller.chat.rename(person, name.strip(), caller.request, caller.person)
    return renamed.addCallback(lambda _: when_stored(caller, told))


@family.command(
    "disconnect",
    "NICK [WHY]",
    "end somebody's connections",
    right=Right.ADMINISTER,
    detail=("They can connect again; /ban --server keeps them out.",),
)
def _disconnect(caller: Caller, room: Room, rest: str) -> Deferred[Lines]:
    nickname, _, why = rest.partition(" ")
    check_slip_behind(why.strip())
    person = _other(caller, nickname)
    caller.chat.have_disconnected(caller.person, person, why.strip(), caller.request)
    return when_stored(caller, f"{person.nickname} is disconnected.")


@family.command(
    "shutdown",
    "[10s] [WHY]",
    "stop the server after a while, and tell everybody",
    right=Right.ADMINISTER,
    detail=("/shutdown 5m WHY stops it in five minutes; /shutdown cancel does not stop it.",),
)
def _shutdown(caller: Caller, room: Room, rest: str) -> Deferred[Lines]:
    chat = caller.chat
    _operations(caller)
    if rest.lower() == "cancel":
        if not chat.shutdown.is_under_way:
            raise Refused("no-shutdown", "Nobody has planned a shutdown: /shutdown 5m plans one.")
        chat.cancel_shutdown(caller.person, caller.request)
        return when_stored(caller)
    word, _, why = rest.partition(" ")
    seconds = span(word)
    if seconds is None:
        seconds, why = _SHUTDOWN, rest
    if seconds > _LONGEST:
        raise Refused("usage", "A shutdown can be at most 7 days ahead: /shutdown 5m WHY")
    chat.plan_shutdown(caller.person, seconds, why.strip(), caller.request)
    return when_stored(caller)


@family.command(
    "audit",
    "[COUNT]",
    "show what administrators and operators did",
    right=Right.ADMINISTER,
    detail=("Nobody can erase it. Without COUNT, the last 20.",),
)
def _audit(caller: Caller, room: Room, rest: str) -> Deferred[Lines]:
    limits = caller.chat.limits
    if rest and not (rest.isdecimal() and rest.isascii() and len(rest) < 7):
        raise Refused("usage", "Usage: /audit 50")
    count = min(int(rest or limits.entry_history), limits.history_lines)
    page = caller.chat.server_log.latest(count)
    return page.addCallback(lambda entries: entries or ["Nobody has done anything yet."])
