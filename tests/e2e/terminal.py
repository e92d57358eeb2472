"""A terminal with a screen that can be looked at: tmux."""

import shlex
from collections.abc import Mapping
from pathlib import Path

from tests.e2e.patience import eventually, run


class Terminal:
    """A program at a terminal.

    Args:
        folder: where the terminal keeps its own things.
        command: the program; its exit status is shown when it has ended.
        environment: what the program finds in its environment.
        size: columns and rows.
    """

    def __init__(
        self,
        folder: Path,
        *command: str,
        environment: Mapping[str, str],
        size: tuple[int, int] = (70, 20),
    ) -> None:
        self._tmux = ("tmux", "-u", "-f", "/dev/null", "-S", str(folder / "tmux"))
        shell = f"{shlex.join(command)}; echo ended with $?; read _"
        columns, rows = map(str, size)
        self._does("new-session", "-d", "-x", columns, "-y", rows, shell, environment=environment)

    def _does(self, *words: str, environment: Mapping[str, str] | None = None) -> str:
        done = run(*self._tmux, *words, env=environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    @property
    def screen(self) -> list[str]:
        """The lines on the screen, without those that are empty."""
        shown = self._does("capture-pane", "-p").splitlines()
        return [line.rstrip() for line in shown if line.strip()]

    @property
    def picture(self) -> list[str]:
        """All lines on the screen, with the escape sequences that colour them."""
        return self._does("capture-pane", "-e", "-N", "-p").splitlines()

    @property
    def cursor(self) -> int:
        """The column that the cursor is in."""
        return int(self._does("display-message", "-p", "#{cursor_x}"))

    @property
    def cursor_row(self) -> int:
        """The row that the cursor is in."""
        return int(self._does("display-message", "-p", "#{cursor_y}"))

    def shows(self, text: str) -> None:
        """Wait until a line with this text is on the screen."""
        try:
            eventually(lambda: any(text in line for line in self.screen), text)
        except AssertionError:
            raise AssertionError(f"{text!r} is not on the screen: {self.screen}") from None

    def types(self, text: str) -> None:
        """Type a text as it is."""
        self._does("send-keys", "-l", text)

    def presses(self, *keys: str) -> None:
        """Press keys that have names, such as Enter or C-d."""
        self._does("send-keys", *keys)

    def is_resized(self, columns: int, rows: int) -> None:
        """Somebody pulls at the window's corner."""
        self._does("resize-window", "-x", str(columns), "-y", str(rows))

    def goes(self) -> None:
        """Clear the desk."""
        run(*self._tmux, "kill-server")
