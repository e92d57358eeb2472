"""Draw `docs/screencast.svg`: people who chat, in real terminals on a real server.

    python -m tools.screencast docs/screencast.svg

It needs tmux and netcat, and the program has to be installed in the Python that runs this.
"""

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.e2e.server import Server
from tests.e2e.terminal import Terminal
from tools.animation import Frame, Screen, svg
from tools.cells import picture

PORT = 5000
SIZE = (84, 12)
TITLES = ("alice: the bundled client", "bob: netcat")

_SETTLE = 0.3
"""Seconds after which a terminal has drawn what was typed."""

_KEY, _LOOK = 0.09, 1.4
"""Seconds of the picture for a key, and for something to read."""


class Stage:
    """The terminals, and what has been recorded of them.

    Args:
        terminals: those that are seen.
    """

    def __init__(self, terminals: Sequence[Terminal]) -> None:
        self.frames: list[Frame] = []
        self._terminals = terminals

    def look(self, seconds: float = _LOOK) -> None:
        """Record what is seen; a frame like the last one makes that one longer."""
        screens = tuple(map(_screen, self._terminals))
        if self.frames and self.frames[-1].screens == screens:
            seconds += self.frames.pop().seconds
        self.frames.append(Frame(screens, seconds))

    def types(self, who: Terminal, text: str) -> None:
        """Somebody types, three keys to a frame."""
        for start in range(0, len(text), 3):
            keys = text[start : start + 3]
            who.types(keys)
            time.sleep(_SETTLE)
            self.look(_KEY * len(keys))

    def enters(self, who: Terminal, text: str = "") -> None:
        """Somebody types a line, and others read it."""
        self.types(who, text)
        who.presses("Enter")
        time.sleep(2 * _SETTLE)
        self.look()


def _screen(terminal: Terminal) -> Screen:
    return Screen(picture(terminal.picture), (terminal.cursor, terminal.cursor_row))


def _shell(folder: Path) -> Terminal:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {
        "PATH": path,
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "PROMPT_TOOLKIT_COLOR_DEPTH": "DEPTH_24_BIT",
    }
    folder.mkdir()
    return Terminal(folder, "env", "PS1=$ ", "bash", "--norc", environment=environment, size=SIZE)


def play(alice: Terminal, bob: Terminal, script: Terminal) -> Sequence[Frame]:
    """What the picture shows."""
    stage = Stage((alice, bob))
    stage.look()
    stage.types(alice, f"twisted-chat 127.0.0.1 {PORT} --nick alice")
    alice.presses("Enter")
    alice.shows("connected")
    stage.look()
    stage.enters(bob, f"nc 127.0.0.1 {PORT}")
    stage.enters(bob, "bob")
    stage.enters(bob, "hello from plain netcat")
    stage.enters(alice, "hi bob, no client needed?")
    stage.types(alice, "what I am typing is ne")
    stage.enters(bob, "none at all: nc or telnet")
    script.types(f"echo 'build 42 passed' | twisted-chat 127.0.0.1 {PORT} --nick ci")
    script.presses("Enter")
    alice.shows("build 42 passed")
    stage.look()
    stage.enters(alice, "ver disturbed")
    stage.enters(bob, "/whisper alice join #dev?")
    stage.enters(bob, "/join dev")
    stage.enters(bob, "over here")
    stage.enters(alice, "/join dev")
    stage.look(2 * _LOOK)
    return stage.frames


def main() -> None:
    """Write the picture to the file that the command line names."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        server = Server(folder, "--name", "the lab", "--no-db", port=PORT)
        terminals = [_shell(folder / who) for who in ("alice", "bob", "ci")]
        try:
            frames = play(*terminals)
        finally:
            for terminal in terminals:
                terminal.goes()
            server.stop()
    Path(sys.argv[1]).write_text(svg(TITLES, SIZE, frames), encoding="utf-8")


if __name__ == "__main__":
    main()
