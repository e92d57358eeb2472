"""A store whose answers take their time, as those of another machine do."""

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from twisted.internet.defer import Deferred

from tests.people import ChatTestCase
from twisted_chat import ChatFactory
from twisted_chat.chat.chat import Chat
from twisted_chat.stores import Opened, SavedSession, Subscriber
from twisted_chat.stores.memory import MemoryStore
from twisted_chat.turn import Turn

_T = TypeVar("_T")


class SlowStore(MemoryStore):
    """A store in memory that answers when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.is_slow = True
        self.opened: list[str] = []
        self._waiting: list[partial[None]] = []

    def open(self, log: str, room: str, subscriber: Subscriber) -> Deferred[Opened]:
        """See `Store.open`."""
        self.opened.append(log)
        return self._later(super().open(log, room, subscriber))

    def rooms(self) -> Deferred[Sequence[str]]:
        """See `Store.rooms`."""
        return self._later(super().rooms())

    def saved_sessions(self) -> Deferred[Sequence[SavedSession]]:
        """See `Store.saved_sessions`."""
        return self._later(super().saved_sessions())

    def refs(self, client: str, limit: int) -> Deferred[Sequence[tuple[str, int]]]:
        """See `Store.refs`."""
        return self._later(super().refs(client, limit))

    def _later(self, answer: Deferred[_T]) -> Deferred[_T]:
        if not self.is_slow:
            return answer
        later: Deferred[_T] = Deferred()
        self._waiting.append(partial(_settle, answer, later))
        return later

    def answers(self) -> None:
        """Everything that was asked until now is answered, and what is asked then."""
        while self._waiting:
            self._waiting.pop(0)()

    def fails(self) -> None:
        """The connection to the other machine breaks before the next answer."""
        later = self._waiting.pop(0).args[1]
        later.errback(sqlite3.OperationalError("the connection is lost"))


def _settle(answer: Deferred[_T], later: Deferred[_T]) -> None:
    answer.addCallback(later.callback)


class SlowTestCase(ChatTestCase):
    """A chat whose store takes its time from now on, and people in it."""

    def setUp(self) -> None:
        """Only the lobby is open."""
        super().setUp()
        self.store = SlowStore()
        turn = Turn(partial(self.clock.callLater, 0))
        self.chat = Chat(self.clock, self.store, turn, limits=replace(self.limits))
        self.store.answers()
        self.successResultOf(self.chat.ready)
        self.factory = ChatFactory(self.clock, chat=self.chat)

    def the_store_answers(self) -> None:
        """It has answered everything, and the turn is over."""
        self.store.answers()
        self.clock.advance(0)

    def the_store_fails(self) -> None:
        """It could not answer, and the turn is over."""
        self.store.fails()
        self.clock.advance(0)
