"""Whether what came of a program's requests is what it asked for."""

import re
from typing import Any

from tests.world.oracle import TOKEN, Oracle
from tests.world.people import Request, Somebody


def is_page(
    asked: dict[str, Any], ids: list[int], first: int | None, known: int, last: int, *, more: bool
) -> bool:
    """Whether a page of history is what was asked for.

    Args:
        asked: the request.
        ids: the numbers on the page, which follow each other.
        first: the first number that there is; None if some may be forgotten.
        known: the last number when it was asked.
        last: the last number now.
        more: whether the page says that there is more.
    """
    least = first or 1
    if "after" in asked:
        begin = max(asked["after"] + 1, least)
        if not ids:
            return (begin > known or first is None) and not more
        is_begun = ids[0] == begin or (first is None and ids[0] > begin)
        return is_begun and (ids[-1] < last if more else ids[-1] >= known)
    end = asked.get("before", last + 1) - 1
    if not ids:
        return (min(end, known) < least or first is None) and not more
    return min(end, known) <= ids[-1] <= end and (first is None or more == (ids[0] > first))


def check_typing(who: Somebody, oracle: Oracle) -> None:
    """What names no room goes where one was typing into, also after coming back."""
    room: str | None = "#lobby"
    for request in who.sent:
        thing, named = request.thing, request.thing.get("room")
        if thing["do"] == "say" and not named and request.sends == 1:
            tokens = TOKEN.findall(thing["text"])
            said = oracle.said.get(tokens[0]) if tokens else None
            if said is not None:
                if room and said.room != room:
                    oracle.find("typing", f"{who} was typing into {room}, and says {said}")
                room = said.room
        elif thing["do"] == "join":
            room = None
        elif thing["do"] == "command" and (named or request.word in ("/join", "/leave")):
            room = _typing_after(request, str(named or ""), room)


def _typing_after(request: Request, named: str, room: str | None) -> str | None:
    if request.sends > 1 or request.outcomes != ["answer"]:
        is_undone = request.outcomes == ["error"] * request.sends
        return room if is_undone and not named else None
    for line in request.lines:
        found = re.match(r"You (?:left #\S+; you )?are in (#\S+?)[:,] ", line)
        if found:
            return found[1].lower()
    return named or room
