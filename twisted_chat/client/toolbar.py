"""The line below the prompt: where one is, with whom, and what there is to know."""

from prompt_toolkit.utils import get_cwidth

from twisted_chat.client.model import Model
from twisted_chat.client.room import Room
from twisted_chat.client.wrapping import Fragments, cells
from twisted_chat.text.counted import counted


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
        lines = f"{counted(waiting, 'line')} waiting"
        right += [("", " | "), ("class:toolbar.trouble", lines)]
    right += _others(model, width - cells([*left, *right]))
    good = [("", f" | {state}")]
    if state == "connected" and cells([*left, *right, *good]) <= width:
        right += good
    names = _names(here, width - cells(left) - cells(right) - 1)
    return _cut([*left, *names, *right], width)


def _others(model: Model, width: int) -> Fragments:
    """The other rooms, with the numbers that Alt takes; those without news where there is room.

    They leave as much room for the names of people.
    """
    shown: Fragments = []
    news = sum(cells(_room(*each)) for each in _numbered(model) if each[1].unread)
    quiet = (width - news) // 2
    for number, room in _numbered(model):
        other = _room(number, room)
        if not room.unread:
            quiet -= cells(other)
        if room.unread or quiet >= 0:
            shown += other
    return shown


def _numbered(model: Model) -> list[tuple[int, Room]]:
    return [each for each in enumerate(model.rooms.values(), 1) if each[1] is not model.here]


def _room(number: int, room: Room) -> Fragments:
    name = f"{number}:{room.name}"
    if not room.unread:
        return [("", " | "), ("class:toolbar.away", name)]
    style = "class:toolbar.called" if room.called else "class:toolbar.unread"
    return [("", " | "), (style, f"{name} +{room.unread}")]


def _names(room: Room, width: int) -> Fragments:
    """As many names as fit, the last speakers first."""
    names: Fragments = []
    people = room.people()
    for number, member in enumerate(people):
        before = ", " if number else ": "
        more = room.count - number - 1
        style = "" if member.connected and not member.away else "class:toolbar.away"
        after = f", +{more}" if more else ""
        if cells(names) + get_cwidth(before + member.nick + after) > width:
            if number and cells(names) + len(f", +{more + 1}") <= width:
                names.append(("", f", +{more + 1}"))
            break
        names += [("", before), (style, member.nick)]
    return names


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
