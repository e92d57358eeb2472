"""Process settings: enough open files, and no long garbage collection pauses."""

import gc
import os
import resource
import sys
import threading
from contextlib import suppress

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

_log = Logger(namespace="chat")

FILES = 300
"""Open files that are not people: ports, the database, the log, and newcomers who are told that
there is no room (a hundred are accepted at once, before the first of them is closed)."""

NEW_OBJECTS = 10_000
"""Objects after which the garbage collector looks at the new ones: a busy turn's, not a line's."""

LOOK_AT_ALL = 3600.0
"""Seconds after which it looks at the old ones too: 70 ms with 20,000 connections."""


def look_only_at_what_is_new(clock: IReactorTime) -> None:
    """Keep the garbage collector from checking old objects again.

    With 10,000 connections it blocked the server for 36 ms whenever their number had grown by a
    quarter. The memory of people who leave is freed without it (`tests/test_factory.py`), so
    objects that it has found in use are checked again only once an hour.
    """
    gc.set_threshold(NEW_OBJECTS, 10, 10)
    if _spare not in gc.callbacks:
        gc.callbacks.append(_spare)
    _look_at_all(clock)


def _spare(phase: str, info: dict[str, int]) -> None:
    if phase == "stop" and info["generation"] == 2:
        gc.freeze()


def _look_at_all(clock: IReactorTime) -> None:
    gc.unfreeze()
    gc.collect()
    clock.callLater(LOOK_AT_ALL, _look_at_all, clock)


def room_for(clients: int) -> int:
    """Raise the limit of open files for these clients; returns how many of them there is room for.

    Shells give a process 1,024 at first, and let it ask for more.
    """
    needed = clients + FILES
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = needed if most == resource.RLIM_INFINITY else min(needed, most)
    if now < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))
    room = min(clients, allowed - min(FILES, allowed // 4))
    if room < clients:
        _log.warn(
            "Only {allowed} files can be open, so there is room for {room} people, not {clients}: "
            "raise the limit (ulimit -Hn) or lower --max-clients",
            allowed=allowed,
            room=room,
            clients=clients,
        )
    return room


def let_others_go_first() -> None:
    """Give this thread the processor only when no other thread wants it, as far as one may."""
    if sys.platform == "linux":  # elsewhere a thread has no priority of its own
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
