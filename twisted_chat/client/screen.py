"""Lines of output, for a reader that may stop reading them at any moment."""

import os
import sys
from collections.abc import Callable
from typing import TextIO


class Screen:
    """Writes lines, and waits while nobody reads them: the server then waits as well.

    Args:
        out: where they go.
        closed: is told once, when nobody will ever read any more.
    """

    def __init__(self, out: TextIO, closed: Callable[[str], None]) -> None:
        self._out = out
        self._closed = closed
        self._is_closed = False

    @property
    def width(self) -> int:
        """Columns of the terminal; 0 if it is none, or does not say."""
        try:
            return os.get_terminal_size(self._out.fileno()).columns
        except (OSError, ValueError):
            return 0

    def line(self, text: str) -> None:
        """Write a line."""
        self._write(text + "\n")

    def ring(self) -> None:
        """Ring the bell."""
        self._write("\a")

    def _write(self, text: str) -> None:
        if self._is_closed:
            return
        try:
            self._out.write(text)
            self._out.flush()
        except OSError as why:
            self._is_closed = True
            _leave_no_rest(self._out)
            self._closed("" if isinstance(why, BrokenPipeError) else str(why.strerror))


def _leave_no_rest(out: TextIO) -> None:
    """Let what could not be written go nowhere, so that Python's exit does not try it again."""
    if out in (sys.stdout, sys.stderr):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, out.fileno())
        os.close(nowhere)
