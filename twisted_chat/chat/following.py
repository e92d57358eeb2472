"""What was decided about a guest follows them to the account that they log in to."""

from collections.abc import Iterator

from twisted_chat.chat.order import Sentence
from twisted_chat.chat.room import Room
from twisted_chat.events import Ban, Mute


def following(guest: str, account: str, name: str, room: Room, now: float) -> Iterator[Ban | Mute]:
    """A guest's mute and ban, as they are the account's from now on.

    Args:
        guest: the id of the guest.
        account: the id of the account.
        name: what its owner is called.
        room: where it was decided.
        now: the time of day, in seconds since 1970.
    """
    order = room.order
    mute, ban = order.in_force("mute/" + guest), order.in_force("ban/person:" + guest)
    theirs = order.in_force("mute/" + account)
    if mute is not None and not (theirs and theirs.lasts_as_long_as(mute)):
        marks = _marks(room, "mute/", mute, "mute/" + guest, "mute/" + account)
        over = ("mute/" + guest,)
        yield Mute(now, room.name, mute.by, name, mute.why, mute.until, marks, over)
    theirs = order.in_force("ban/person:" + account)
    if ban is not None and not (theirs and theirs.lasts_as_long_as(ban)):
        marks = _marks(room, "ban/", ban, "ban/person:" + guest, "ban/person:" + account)
        ends = ("ban/person:" + guest, f"role/{account}", f"invite/{account}")
        yield Ban(now, room.name, ban.by, name, ban.why, ban.until, marks, ends)


def _marks(room: Room, kind: str, decided: Sentence, old: str, new: str) -> tuple[str, ...]:
    """All that a decision has made in a room's state, with the account in the guest's place.

    What was decided another time about somebody of the same name stays as it is.
    """
    marks = room.order.sentences(kind)[decided.target]
    made = [mark for mark in marks if room.order.sentence(mark) == decided]
    return tuple(new if mark == old else mark for mark in made)
