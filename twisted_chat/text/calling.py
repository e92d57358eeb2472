"""Whether a text mentions somebody by name, found quickly for many readers of the same text."""

import re
from functools import lru_cache

from twisted_chat.text import names

_WORD = re.compile(r"\w+")
_TEXTS = 256
"""Texts whose words are remembered: as many as a room has at hand for who is a little behind."""


class Call:
    """Searches texts for a name, as a whole word and in any equivalent spelling.

    Args:
        name: the name, as `names.key` has it.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._words = frozenset(_WORD.findall(name))
        literal = re.escape(name)
        # The name comes first, since a search for something literal is the quickest there is.
        self._whole = re.compile(rf"{literal}(?<!\w{literal})(?!\w)")
        self._is_word = _WORD.fullmatch(name) is not None

    def is_in(self, text: str) -> bool:
        """Whether a text contains this name."""
        folded, words = _folded(text)
        if not self._words <= words:
            return False
        return self._is_word or self._whole.search(folded) is not None


@lru_cache(maxsize=_TEXTS)
def _folded(text: str) -> tuple[str, frozenset[str]]:
    """A text as names are compared, and its words: this is slow, and the same for everybody."""
    folded = names.key(text)
    return folded, frozenset(_WORD.findall(folded))
