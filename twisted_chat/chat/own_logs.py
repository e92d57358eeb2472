"""People's own logs: whispers, and everything else that is meant for one person alone."""

from collections.abc import Callable, Collection
from functools import partial

from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from twisted_chat.counters import Counters
from twisted_chat.events import OWN, Entry
from twisted_chat.log.fanout import Fanout
from twisted_chat.log.log import Log
from twisted_chat.stores import Store
from twisted_chat.turn import Turn


class OwnLogs:
    """Opens people's own logs.

    Those of accounts stay open from when they are first needed, whether or not their owner is
    here: what is whispered to them then is kept.

    Args:
        store: where they are kept.
        turn: says when a turn is over.
        counters: where it is counted what happens.
        seen: called with the person's id and each entry as it may be seen.
    """

    def __init__(
        self, store: Store, turn: Turn, counters: Counters, seen: Callable[[str, Entry], None]
    ) -> None:
        self._store = store
        self._turn = turn
        self._counters = counters
        self._seen = seen
        self._open: dict[str, Fanout] = {}  # of accounts, by id
        self._opening: dict[str, list[Deferred[Fanout]]] = {}  # who waits for one, by id

    def new(self, person_id: str) -> Fanout:
        """The log of somebody who has had none."""
        seen = partial(self._seen, person_id)
        log = Log.new("@" + person_id, OWN, self._store, seen, self._counters)
        return Fanout(log, self._turn)

    def restore(self, person_id: str) -> Deferred[Fanout]:
        """The log of somebody who was here in an earlier run."""
        seen = partial(self._seen, person_id)
        log = Log("@" + person_id, OWN, self._store, seen, self._counters)
        return log.open().addCallback(lambda _: Fanout(log, self._turn))

    def keep(self, account_id: str, fanout: Fanout) -> None:
        """This is an account's from now on."""
        self._open[account_id] = fanout

    def kept(self) -> Collection[Fanout]:
        """The logs of accounts that are open."""
        return self._open.values()

    def opened(self, account_id: str) -> Log:
        """An account's log that was opened before."""
        return self._open[account_id].log

    def of_account(self, account_id: str) -> Deferred[Fanout]:
        """An account's log, whether or not its owner is here."""
        known = self._open.get(account_id)
        if known is not None:
            return succeed(known)
        asked: Deferred[Fanout] = Deferred()
        waiting = self._opening.setdefault(account_id, [])
        waiting.append(asked)
        if len(waiting) == 1:
            opened = self.restore(account_id)
            opened.addCallbacks(
                partial(self._opened, account_id), partial(self._failed, account_id)
            )
        return asked

    def _opened(self, account_id: str, fanout: Fanout) -> None:
        self._open[account_id] = fanout
        for asked in self._opening.pop(account_id):
            asked.callback(fanout)

    def _failed(self, account_id: str, failure: Failure) -> None:
        for asked in self._opening.pop(account_id):
            asked.errback(failure)

    def erase(self, person_id: str, fanout: Fanout) -> None:
        """Delete what was for somebody who will not come back."""
        self._open.pop(person_id, None)
        fanout.log.erase()
