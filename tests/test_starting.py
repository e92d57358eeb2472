"""A server listens once its store has told what there is, and says why it cannot start."""

import atexit
import os
from collections.abc import Callable
from typing import Any

from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from tests.slow import SlowStore
from twisted_chat.service.console import Console
from twisted_chat.service.options import Options
from twisted_chat.service.service import ChatService
from twisted_chat.stores import Store
from twisted_chat.turn import Turn


class QuietConsole(Console):
    """A console on which nothing is seen."""

    def __init__(self) -> None:
        super().__init__({})
        self.told: list[str] = []

    def tell_why(self, reason: str) -> None:
        """See `Console.tell_why`."""
        self.told.append(reason)


class SlowService(ChatService):
    """A service whose store is elsewhere."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.store = SlowStore()
        self._console = QuietConsole()
        self.told = self._console.told

    def _open_store(self, turn: Turn) -> Store:
        return self.store


class StartingTests(SynchronousTestCase):
    def setUp(self) -> None:
        """A server that is started, and whose store has not answered yet."""
        options = Options()
        options.parseOptions(["--no-db", "--port", "5000"])
        self.reactor = MemoryReactorClock()
        self.at_exit: list[tuple[Callable[..., object], int]] = []
        self.patch(atexit, "register", lambda *call: self.at_exit.append(call))
        self.service = SlowService(options, self.reactor)
        self.service.privilegedStartService()
        self.service.startService()
        self.addCleanup(self.end_threads)

    def end_threads(self) -> None:
        """End the threads of the server, which would keep the tests from ending."""
        for pool in self.service._pools:
            pool.stop()

    def test_it_listens_when_the_store_has_answered(self) -> None:
        self.assertEqual(self.reactor.tcpServers, [])
        self.assertEqual(self.service.problems(), ["no connections are accepted"])
        self.service.store.answers()
        self.assertEqual([server[0] for server in self.reactor.tcpServers], [5000])
        self.assertEqual((self.service.problems(), self.service.told), ([], []))

    def test_it_says_in_a_sentence_that_the_store_does_not_answer_and_ends(self) -> None:
        self.service.store.fails()
        self.assertEqual(self.reactor.tcpServers, [])
        self.flushLoggedErrors()
        (told,) = self.service.told
        self.assertIn("the database does not answer", told)
        self.assertTrue(self.reactor.hasStopped)
        self.assertEqual(self.at_exit, [(os._exit, 1)])
