"""The program that goes on in this process after it: it begins anew, with the ports still open.

Connections that come meanwhile wait until it accepts them: nobody is refused during an upgrade.
"""

import atexit
import json
import os
import signal
import sys
from collections.abc import Iterable
from pathlib import Path

VARIABLE = "TWISTED_CHAT_SOCKETS"
"""In the environment of a program that goes on after another one."""


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
        os.close(descriptor)
    return taken


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
