"""Waiting for what is sure to happen, for no longer than it takes."""

import shutil
import subprocess
import threading
import time
from collections.abc import Callable

import pytest

PATIENCE = 20.0
"""Seconds after which a test gives up, on a machine that is busy with something else."""


def eventually(is_so: Callable[[], object], what: str) -> None:
    """Wait until something is so that has no socket to wait for, such as a file's content."""
    deadline = time.monotonic() + PATIENCE
    moment = threading.Event()  # nobody sets it
    while not is_so():
        assert time.monotonic() < deadline, f"it never came to this: {what}"
        moment.wait(0.02)


def needs(program: str) -> None:
    """Skip a test on a machine that lacks a program; the checks install it."""
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    if program == "nc":
        told = subprocess.run([program, "-h"], capture_output=True, check=False)
        if b"OpenBSD" not in told.stdout + told.stderr:
            pytest.skip("this nc is not OpenBSD's, and knows neither -N nor -U")


def run(*command: str, said: str = "", **keywords: object) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, with what it reads, and give what it wrote."""
    needs(command[0])
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        command, input=said, capture_output=True, text=True, timeout=2 * PATIENCE, **keywords
    )
