"""What the client itself says to a person."""

import errno

from twisted.internet import error
from twisted.python.failure import Failure

from twisted_chat.client.incoming import Missed, State
from twisted_chat.text.counted import counted

_NAMES = 500  # on entering a room, whatever the server tells


def in_room(told: State) -> list[str]:
    """What one reads on entering a room."""
    nicks = ", ".join(member.shown for member in told.members[:_NAMES])
    more = told.count - len(told.members[:_NAMES])
    others = f" and {more} more" if more else ""
    lines = [f"In {told.room}: {nicks}{others} ({told.count})"]
    if told.topic:
        lines.append(f"The topic of {told.room} is: {told.topic}")
    return lines


ANEW = "The server restarted with an empty history: lines may be missing"


def missed(told: Missed) -> str:
    """What one reads in the place of lines that will not come."""
    lines = counted(told.count, "line") if told.count else "some lines"
    is_room = told.room.startswith("#")
    where = f" of {told.room}" if is_room else ""
    if not told.kept:
        return f"You missed {lines}{where}: older lines are no longer kept"
    later = f": type /history in {told.room} to see them" if is_room else ""
    return f"You missed {lines}{where}, which could not be read right now{later}"


def no_connection(why: Failure, where: str) -> str:
    """Why there is no connection to a server, and what to look at."""
    if why.check(error.ConnectionRefusedError):
        return f"Connection refused by {where}: is the server running?"
    if why.check(error.DNSLookupError):
        return f"No address found for {where}: is the name right?"
    if why.check(error.TimeoutError):
        return f"No answer from {where}: is the network working?"
    if getattr(why.value, "osError", None) == errno.ENOENT:
        return f"There is no socket {where}: is the server running?"
    return f"No connection to {where}: {why.getErrorMessage()}"


def trying_elsewhere(why: str, where: str) -> str:
    """What one reads when another address of the chat is tried at once."""
    return f"{why} Trying {where}" if why.endswith((".", "?")) else f"{why}; trying {where}"


def trying_again(why: str, pause: float, *, last: bool) -> str:
    """What one reads when there is no connection.

    Args:
        why: there is none.
        pause: seconds until the next try.
        last: whether this is said for the last time.
    """
    seconds = max(1, round(pause))
    when = f"in {seconds} seconds" if seconds > 1 else "in a second"
    if last:
        when += ", and then every 15 seconds"
    if why.endswith((".", "?")):
        return f"{why} Trying again {when}"
    return f"{why}; trying again {when}"


def not_sent(texts: list[str]) -> str:
    """What one reads about lines that never went out."""
    more = len(texts) - 1
    others = f" (and {counted(more, 'more line')})" if more else ""
    return f"Not sent: {texts[0]}{others}"
