"""The program that goes on in this process after it: it begins anew, with the ports still open.

Connections that come meanwhile wait until it accepts them: nobody is refused during an upgrade.
"""

import atexit
import json
import os
import signal
import socket
import sys
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from twisted.internet.utils import getProcessOutputAndValue

VARIABLE = "TWISTED_CHAT_SOCKETS"
"""In the environment of a program that goes on after another one."""

HELD = "TWISTED_CHAT_HELD"
"""In the environment of a program that finds out whether it could go on after another one."""


def take_over(endpoints: Iterable[str]) -> list[int | None]:
    """The listening sockets that the program before has left, if there was one.

    All others that it has left are closed.

    Args:
        endpoints: where this program listens.

    Returns:
        For each of them, the descriptor of its socket; None if it is to be opened.
    """
    left: list[tuple[str, int]] = json.loads(os.environ.pop(VARIABLE, "[]"))
    taken: list[int | None] = []
    for endpoint in endpoints:
        found = next((each for each in left if each[0] == endpoint), None)
        if found is not None:
            left.remove(found)
            os.set_inheritable(found[1], False)
        taken.append(None if found is None else found[1])
    for _, descriptor in left:
        _close(descriptor)
    return taken


def _close(descriptor: int) -> None:
    """Close a listening socket; the files of a UNIX socket are ours."""
    with socket.socket(fileno=descriptor) as unwanted:
        if unwanted.family == socket.AF_UNIX:
            path = Path(unwanted.getsockname())
            path.unlink(missing_ok=True)
            path.with_name(f"{path.name}.lock").unlink(missing_ok=True)


def held() -> Collection[str]:
    """The endpoints and the database of the server that asks whether this program could go on."""
    names: list[str] = json.loads(os.environ.get(HELD, "[]"))
    return names


async def why_not(holds: Collection[str], folder: Path, reactor: Any) -> str:
    """Why the program on the disk could not go on with the same command; empty if it could.

    Args:
        holds: the endpoints and the database that it would get from this program.
        folder: where the command was started.
        reactor: runs the program, only to check its options.
    """
    checking = getProcessOutputAndValue(
        sys.executable,
        [*sys.orig_argv[1:], "--check"],
        os.environ | {HELD: json.dumps(list(holds))},
        str(folder),
        reactor,
    )
    checking.addErrback(lambda killed: killed.value)
    _, errors, status = await checking
    told = errors.decode(errors="replace").strip().rpartition("\n")[2]
    return "" if status == 0 else told.removeprefix("twisted-chat: ") or f"it ended with {status}"


def begin_anew_at_exit(sockets: Iterable[tuple[str, int]], folder: Path) -> None:
    """Run the same command again in this process, as soon as it would end.

    Args:
        sockets: the endpoint and the descriptor of each listening socket, which stays open.
        folder: where the command was started.
    """
    kept = [(endpoint, os.dup(descriptor)) for endpoint, descriptor in sockets]

    def begin() -> None:
        for _, descriptor in kept:
            os.set_inheritable(descriptor, True)
        os.environ[VARIABLE] = json.dumps(kept)
        os.chdir(folder)
        for asks in (signal.SIGHUP, signal.SIGUSR2):  # they would kill it before it expects them
            signal.signal(asks, signal.SIG_IGN)
        sys.stdout.flush()
        sys.stderr.flush()
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - our own

    atexit.register(begin)
