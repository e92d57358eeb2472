"""A thread for what would keep everybody waiting, where the chat is a part of another program."""

from collections.abc import Callable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorCore, IReactorThreads
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from twisted_chat.stores import WorkerThread

_T = TypeVar("_T")


def thread_beside(clock: Any) -> WorkerThread | None:
    """A thread beside a reactor, started when there is something to do, and ended with it.

    Args:
        clock: usually the reactor; a `Clock` has no threads, so that there is None for it.
    """
    if not IReactorThreads.providedBy(clock):
        return None
    pool = ThreadPool(1, 1, "chat")

    def elsewhere(work: Callable[[], _T]) -> Deferred[_T]:
        if not pool.started:
            pool.start()
            IReactorCore(clock).addSystemEventTrigger("during", "shutdown", pool.stop)
        return deferToThreadPool(clock, pool, work)

    return elsewhere
