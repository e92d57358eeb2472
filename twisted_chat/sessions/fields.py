"""What stands in the fields of a program's request, or why it is refused."""

from typing import Any

from twisted_chat.refusal import Refused
from twisted_chat.text import names
from twisted_chat.wire.structured import decode

REF = 100
"""Characters of a client's own name for a request."""


def ref_of(thing: dict[str, Any]) -> str | None:
    """The client's own name for a request, if it has one."""
    ref = thing.get("ref")
    if ref is None:
        return None
    if isinstance(ref, str) and len(ref) <= REF and ref.isprintable():
        return ref
    raise Refused("bad-ref", f'"ref" must be a string of at most {REF} printable characters.')


def ref_and_kind(line: bytes) -> tuple[str | None, str]:
    """The client's own name for a request that is not to be done, and what it asks for."""
    try:
        thing = decode(line)
        return ref_of(thing), str(thing.get("do"))
    except Refused:
        return None, ""


def text_of(thing: dict[str, Any]) -> str:
    """What is to be said or done."""
    text = thing.get("text")
    if not isinstance(text, str):
        raise Refused("bad-request", '"text" is missing or not a string.')
    return text


def number(thing: dict[str, Any], name: str, default: int) -> int:
    """A number of an event, or of events."""
    given = thing.get(name, default)
    if isinstance(given, int) and not isinstance(given, bool) and 0 <= given < 2**53:
        return given
    raise Refused("bad-request", f'"{name}" must be a whole number, 0 or more.')


def seen_of(thing: dict[str, Any], most: int) -> dict[str, int]:
    """The last number that a client has seen, by the room's key, of so many rooms at the most."""
    seen = thing.get("seen")
    if seen is None:
        return {}
    if not isinstance(seen, dict):
        raise Refused("bad-request", '"seen" must be an object of rooms and ids.')
    if len(seen) > most:
        raise Refused("bad-request", f'"seen" has too many rooms: send at most {most}.')
    # what is refused is not called by its room's name, which may be anything
    return {names.key(room): number({"seen": last}, "seen", 0) for room, last in seen.items()}
