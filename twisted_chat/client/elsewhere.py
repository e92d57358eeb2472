"""Other addresses of the chat, as the server tells them: those where a session may go on."""

from collections.abc import Sequence
from importlib.util import find_spec

from twisted_chat.client.place import Place, place

MOST = 16
"""So many addresses of a chat are used, whatever a server tells."""

_LONGEST = 300
_OTHER = ("http://", "https://", "unix:")  # for browsers, or for nobody


def elsewhere(told: Sequence[str], given: Sequence[Place]) -> list[Place]:
    """Those of the addresses that the server tells where a session may go on.

    Its token is not sent to places that are less private than those that were given: who has
    come with TLS, or from this machine, does not go on without TLS. And a server elsewhere
    sends nobody to ports of their own machine.

    Args:
        told: what the server tells.
        given: where a person has said that the chat is.
    """
    found = dict.fromkeys(each for text in told[:MOST] if (each := _place(text)) is not None)
    is_here = all(each.is_here for each in given)
    is_private = all(each.is_private for each in given)
    has_tls = find_spec("OpenSSL") is not None
    return [
        each
        for each in found
        if each not in given
        and (is_here or not each.is_here)
        and (each.is_private or not is_private)
        and (has_tls or not each.tls)
    ]


def _place(text: str) -> Place | None:
    if len(text) > _LONGEST or text.startswith(_OTHER) or not text.isprintable():
        return None
    try:
        return place(text) if text else None
    except ValueError:
        return None
