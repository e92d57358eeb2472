"""Combining marks piled up on one character, so that they reach into other lines."""

import re

from twisted_chat.text import unicode_tables
from twisted_chat.text.ranges import characters, in_brackets, ranges

MOST = 6
"""Marks on one character. Real texts have five, in the Hebrew Bible with its accents."""

_MARKS = ranges(unicode_tables.MARKS)
_UNSEEN = ranges(unicode_tables.IGNORABLE)
_IS_MARK, _IS_UNSEEN = characters(_MARKS), characters(_UNSEEN)

_NEAR = in_brackets(each for each in _MARKS + _UNSEEN if each[0] < "\U00010000")
_FAR = "\U00010000-\U0001d3ff\U0001d800-\U0001efff\U000e0000-\U000e0fff"
"""Whole blocks of rare scripts: their many ranges would make each search ten times as slow."""

_RUN = re.compile(f"[{_NEAR}{_FAR}]{{{MOST + 1},}}")
"""Where a pile may be. Letters that many people write are in no run."""

_STACK = re.compile("(?<=[\u0f40-\u0f6c])[\u0f8d-\u0fbc]{2}")
"""Two letters under a Tibetan one, marks to Unicode: a mantra's tallest stack has six more."""


def are_piled(text: str) -> bool:
    """Whether a character has more than six marks, whatever unseen characters are among them."""
    return _has_pile(text) and _has_pile(_STACK.sub("", text))


def _has_pile(text: str) -> bool:
    for run in _RUN.findall(text):
        marks = 0
        for character in run:
            if character in _IS_MARK:
                marks += 1
                if marks > MOST:
                    return True
            elif character not in _IS_UNSEEN:
                marks = 0
    return False
