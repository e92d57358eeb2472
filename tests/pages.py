"""The programs and examples that stand in the documentation."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent


def page(name: str) -> str:
    """A page, by its path in the repository."""
    return (ROOT / name).read_text()


def blocks(name: str, language: str) -> list[str]:
    """What stands in a page in one language, block by block."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page(name), re.DOTALL | re.MULTILINE)


def block(name: str, language: str, holds: str) -> str:
    """The one block of a page that holds a text."""
    (found,) = (each for each in blocks(name, language) if holds in each)
    return found
