"""What administrators can ask of the program that runs the chat."""

from collections.abc import Sequence
from typing import Protocol


class Operations(Protocol):
    """What a program can do with itself, which a chat that is only a part of it cannot."""

    def reload(self) -> Sequence[str]:
        """Read the options again; says what has changed, a line each.

        Raises:
            Refused: what is wrong with them; nothing has changed.
        """

    def stop(self) -> None:
        """Stop, in good order."""

    def fail(self) -> None:
        """Stop, with a status that has whatever started the program start it again."""
