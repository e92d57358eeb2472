"""Commands that decide who speaks when: raised hands, giving the word, and freezing a room."""

from collections.abc import Sequence

from twisted.internet.defer import Deferred

from twisted_chat.chat.person import Person
from twisted_chat.chat.rights import Right
from twisted_chat.chat.room import Room
from twisted_chat.commands.command import Caller, Family, Lines, when_stored
from twisted_chat.commands.moderation import decide
from twisted_chat.commands.settings import is_on
from twisted_chat.events import Hands
from twisted_chat.refusal import Refused

family = Family()


@family.command(
    "hand",
    "[up|down]",
    "raise your hand to get the word, or lower it",
    right=Right.RAISE_HAND,
    detail=("Without up or down, a raised hand is lowered. Who has the word gives it back so.",),
)
def _hand(caller: Caller, room: Room, rest: str) -> Lines | Deferred[Lines]:
    me, order, wanted = caller.person, room.order, rest.lower()
    if wanted not in ("", "up", "down"):
        raise Refused("usage", "Usage: /hand, /hand up or /hand down")
    if order.has_word(me.id) and wanted != "up":
        room.hands.done(me, caller.request)
        return when_stored(caller)
    is_up = wanted == "up" if wanted else not order.has_hand(me.id)
    if order.has_hand(me.id) is is_up:
        return ["Your hand is raised already." if is_up else "Your hand is not raised."]
    room.hands.move(me, caller.request, is_up=is_up)
    told = "Your hand is raised: /hand lowers it." if is_up else "Your hand is lowered."
    return when_stored(caller, told)


@family.command("hands", "", "list who has raised their hand, in order", right=None)
def _hands(caller: Caller, room: Room, rest: str) -> Lines:
    most = caller.chat.limits.listed_names
    names = [person.nickname for person in room.raised_hands()]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    lines = [f"Raised hands in {room.name}: {', '.join(names[:most])}{more} ({len(names)})"]
    speaker = room.speaker()
    word = [f"{speaker.nickname} has the word."] if speaker is not None else []
    return word + (lines if names else [f"Nobody has raised a hand in {room.name}."])


@family.command(
    "next",
    "",
    "give the word to whoever raised their hand first",
    right=Right.KEEP_ORDER,
    detail=("They can speak, also in a moderated or frozen room, until /hand or the next /next.",),
)
def _next(caller: Caller, room: Room, rest: str) -> Lines | Deferred[Lines]:
    raised, speaker = room.raised_hands(), room.speaker()
    here = {person.id for person in raised}
    gone = [f"hand/{each}" for each, _ in room.order.hands() if each not in here]
    if raised:
        first = raised[0]
        what, people, ends = "next", [first], [f"hand/{first.id}", *gone]
    elif speaker is not None:
        what, people, ends = "done", [speaker], ["word", *gone]
    else:
        raise Refused("no-change", f"Nobody has raised a hand in {room.name}.")
    return _decide(caller, room, what, people, ends)


@family.command("clear", "hands", "lower all hands", right=Right.KEEP_ORDER)
def _clear(caller: Caller, room: Room, rest: str) -> Lines | Deferred[Lines]:
    if rest.lower() != "hands":
        raise Refused("usage", "Usage: /clear hands (your terminal can clear its screen itself)")
    raised = room.order.hands()
    if not raised:
        raise Refused("no-change", f"Nobody has raised a hand in {room.name}.")
    return _decide(caller, room, "cleared", [], [f"hand/{each}" for each, _ in raised])


def _decide(
    caller: Caller, room: Room, what: str, people: Sequence[Person], ends: Sequence[str]
) -> Deferred[Lines]:
    """Have an operator's decision about hands stored; the arguments are those of `Hands`."""
    names, ids = [each.nickname for each in people], [each.id for each in people]
    now, me = caller.chat.now(), caller.person.nickname
    decide(caller, room, Hands(now, room.name, me, what, names, ids, ends))
    return when_stored(caller)


@family.command(
    "freeze",
    "on|off",
    "let only operators speak, and whoever has the word",
    right=Right.KEEP_ORDER,
)
def _freeze(caller: Caller, room: Room, text: str) -> Lines:
    value = is_on(text, "/freeze on, or /freeze off")
    frozen = caller.chat.moderation.set(
        caller.person, room, "frozen", "on" if value else "off", value or None
    )
    decide(caller, room, frozen)
    return []
