"""Waiting for what is sure to happen, for no longer than it takes."""

import subprocess
import threading
import time
from collections.abc import Callable

PATIENCE = 20.0
"""Seconds after which a test gives up, on a machine that is busy with something else."""


def eventually(is_so: Callable[[], object], what: str) -> None:
    """Wait until something is so that has no socket to wait for, such as a file's content."""
    deadline = time.monotonic() + PATIENCE
    moment = threading.Event()  # nobody sets it
    while not is_so():
        assert time.monotonic() < deadline, f"it never came to this: {what}"
        moment.wait(0.02)


def run(*command: str, said: str = "", **keywords: object) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, with what it reads, and give what it wrote."""
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        command, input=said, capture_output=True, text=True, timeout=2 * PATIENCE, **keywords
    )
