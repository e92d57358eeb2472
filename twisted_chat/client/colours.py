"""Colours: one for each nickname, the same in every run and on every machine."""

import zlib

from twisted_chat.text.names import key

_READABLE = """
    #c8443c #b5651d #8f7a00 #5f8a1f #2e8b57 #1f8a8a #2f7fb8 #5a6fd0 #8a5fd0 #b04fb0 #c8487f #a0703c
""".split()  # on white as well as on black

STYLE = {
    "time": "#808080",
    "news": "#808080",
    "room": "#808080",
    "refusal": "#c8443c",
    "whisper": "italic",
    "called": "bold reverse",
    "prompt": "bold",
    "bottom-toolbar": "noreverse bg:#303030 #d0d0d0",
    "toolbar.room": "bold #ffffff",
    "toolbar.away": "#909090",
    "toolbar.unread": "#ffd75f",
    "toolbar.called": "bold reverse #ffd75f",
    "toolbar.trouble": "bold #ff8787",
}
"""What each kind of text looks like, as prompt_toolkit wants it."""


def colour(nick: str) -> str:
    """The colour of a nickname, whatever its case."""
    return _READABLE[zlib.crc32(key(nick).encode()) % len(_READABLE)]
