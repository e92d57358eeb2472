"""The lines typed in earlier runs, in a file that nobody else may read."""

import contextlib
import os
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path

from prompt_toolkit.history import History

KEPT = 1_000
"""Lines kept over runs."""


class InputHistory(History):
    """The history of one's input; a file that cannot be used is done without.

    Args:
        path: the file.
        is_private: says which lines are not kept over runs.
    """

    def __init__(self, path: Path, is_private: Callable[[str], bool]) -> None:
        super().__init__()
        self._path = path
        self._is_private = is_private

    def load_history_strings(self) -> Iterable[str]:
        """The lines of earlier runs, the newest first."""
        lines: deque[str] = deque(maxlen=KEPT)
        count = 0
        with contextlib.suppress(OSError), self._path.open(errors="replace") as file:
            for line in file:
                lines.append(line.rstrip("\n"))
                count += 1
        if count > 2 * KEPT:
            self._write("".join(line + "\n" for line in lines), os.O_TRUNC)
        return reversed(lines)

    def store_string(self, string: str) -> None:
        """Keep a line that was typed, and each line of what was pasted."""
        lines = [line for line in string.splitlines() if line and not self._is_private(line)]
        if lines:
            self._write("".join(line + "\n" for line in lines), os.O_APPEND)

    def _write(self, text: str, how: int) -> None:
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | how, 0o600)
            with os.fdopen(descriptor, "w", errors="replace") as file:
                os.fchmod(descriptor, 0o600)
                file.write(text)
