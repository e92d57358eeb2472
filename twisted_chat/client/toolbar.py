"""The line below the prompt: where one is, with whom, and what there is to know."""

from prompt_toolkit.utils import get_cwidth

from twisted_chat.client.display import Fragments
from twisted_chat.client.model import Model
from twisted_chat.client.room import Room


def toolbar(model: Model, state: str, waiting: int, width: int) -> Fragments:
    """The toolbar, no wider than `width` cells; what matters most stays when there is no room.

    Args:
        model: what the client knows.
        state: how the connection does, in a word.
        waiting: how many lines wait to be acknowledged.
        width: of the terminal.
    """
    here = model.here
    left: Fragments = [("", " "), ("class:toolbar.room", here.name)]
    if here.count:
        left.append(("", f" | {here.count} here"))
    right: Fragments = []
    if state != "connected":
        right += [("", " | "), ("class:toolbar.trouble", state)]
    if waiting:
        lines = "1 line waiting" if waiting == 1 else f"{waiting} lines waiting"
        right += [("", " | "), ("class:toolbar.trouble", lines)]
    for room in model.rooms.values():
        if room.unread and room is not here:
            right += [("", " | "), _unread(room)]
    if state == "connected":
        right.append(("", f" | {state}"))
    names = _names(here, width - _width(left) - _width(right) - 1)
    return _cut([*left, *names, *right], width)


def _unread(room: Room) -> tuple[str, str]:
    style = "class:toolbar.called" if room.called else "class:toolbar.unread"
    return style, f"{room.name} {room.unread}"


def _names(room: Room, width: int) -> Fragments:
    """As many names as fit, the last speakers first."""
    names: Fragments = []
    people = room.people()
    for number, member in enumerate(people):
        before = ", " if number else ": "
        more = room.count - number - 1
        style = "" if member.connected and not member.away else "class:toolbar.away"
        after = f", +{more}" if more else ""
        if _width(names) + get_cwidth(before + member.nick + after) > width:
            if number and _width(names) + len(f", +{more + 1}") <= width:
                names.append(("", f", +{more + 1}"))
            break
        names += [("", before), (style, member.nick)]
    return names


def _width(line: Fragments) -> int:
    return sum(get_cwidth(text) for _, text in line)


def _cut(line: Fragments, width: int) -> Fragments:
    cut: Fragments = []
    for style, text in line:
        kept = ""
        for character in text:
            if width < get_cwidth(character):
                return [*cut, (style, kept)]
            width -= get_cwidth(character)
            kept += character
        cut.append((style, kept))
    return cut
