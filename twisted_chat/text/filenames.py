"""Names of files as people may see them: no folders, nothing invisible, not too long."""

from pathlib import PurePosixPath
from urllib.parse import quote

from twisted_chat.refusal import Refused
from twisted_chat.text.cleaning import clean, is_blank

LONGEST = 80
"""Characters: what fits on a line, with somebody's nickname before it."""

_NAMELESS = "file"
_BYTES = 4 * LONGEST * 8


def filename(name: str) -> str:
    """A file's name, safe to display.

    Args:
        name: what a program says that it is called, perhaps with folders.

    Raises:
        Refused: it cannot be displayed.
    """
    name = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    try:
        name = clean(name, _BYTES).strip()
    except Refused as why:
        raise Refused(
            "bad-name", "That file's name cannot be displayed: give it another one."
        ) from why
    if is_blank(name) or not name.strip("."):
        return _NAMELESS
    if len(name) > LONGEST:
        end = PurePosixPath(name).suffix[:12]
        name = name[: LONGEST - len(end)] + end
    return name


def quoted(name: str) -> str:
    """A file's name as it stands in an address."""
    return quote(name, safe="")
