"""The server's own log: what administrators and operators did, and what holds for the server."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from twisted.internet.defer import Deferred

from twisted_chat.chat.order import Order
from twisted_chat.chat.person import Person
from twisted_chat.chat.request import Request
from twisted_chat.counters import Counters
from twisted_chat.events import SERVER, Act, Ban, Close, Entry, Event, Kick, Mute
from twisted_chat.events.effects import Changes, State, Value, apply, effects
from twisted_chat.log.log import Log
from twisted_chat.stores import SERVER_LOG, Store
from twisted_chat.stores.nameless import Replacements, replace_in
from twisted_chat.wire.plain import PlainWire


class ServerLog:
    """A log that nobody reads but administrators, on request; nothing in it is ever erased.

    What its events change is the state of the server: bans and the lockdown, which hold after a
    restart too.

    Args:
        store: keeps it.
        now: gives the time of day, in seconds since 1970.
        counters: where refusals are counted.
        seen: called with each act, before anybody knows of it.
    """

    name = "this server"

    def __init__(
        self,
        store: Store,
        now: Callable[[], float],
        counters: Counters,
        seen: Callable[[Act], None],
    ) -> None:
        self._state: dict[str, Value] = {}
        self.order = Order(self._state, now)
        self._now = now
        self._tell = seen
        self.lockdown = "off"
        """Whom the server keeps out: `off`, `new` (guests), `all` (who may not speak either)."""
        self.silences_guests = False
        """Whether nobody without an account may speak."""
        self._words = PlainWire(lambda: 0.0)  # for which no day is today, so that all have a date
        self._log = Log(SERVER_LOG, SERVER, store, self._seen, counters)

    def open(self) -> Deferred[None]:
        """Find out what held when the server stopped."""
        return self._log.open().addCallback(self._opened)

    def _opened(self, state: State) -> None:
        self._state.update(state)
        self._changed()

    def _seen(self, entry: Entry) -> None:
        apply(entry, self._state)
        self._changed()
        if isinstance(entry.event, Act):
            self._tell(entry.event)

    def replace(self, replaced: Replacements) -> None:
        """Somebody's name is taken from what holds for the server."""
        replace_in(self._state, replaced)
        self._changed()

    def _changed(self) -> None:
        self.order.changed()
        self.lockdown = str(self._state.get("lockdown", "off"))
        self.silences_guests = self.lockdown == "all"

    def record(
        self,
        person: Person,
        act: str,
        text: str = "",
        changes: Changes | None = None,
        request: Request | None = None,
    ) -> tuple[Log, Entry]:
        """An act for this log, to be appended together with what else it brings.

        Args:
            person: whose act it is.
            act: what they did, to go on after their nickname: `kicked dan from #dev`.
            text: what they wrote with it, such as the reason.
            changes: what it changes in the server's state.
            request: what asked for it, if nothing else that it brings tells the request's outcome.
        """
        event = Act(self._now(), SERVER, person.nickname, act, text, dict(changes or {}))
        if request is None:
            return self._log, Entry(event, person.id)
        return self._log, Entry(
            event, person.id, request.ref, client=request.client, waiter=request
        )

    def copy(
        self, person: Person, event: Event, request: Request | None = None
    ) -> tuple[Log, Entry]:
        """What somebody decided, as an act for this log.

        Args:
            person: whose decision it is.
            event: what it is. If it is about the server, it changes the server's state.
            request: as in `record`.
        """
        why, bare = "", event
        if isinstance(event, Kick | Ban | Mute | Close):
            why, bare = event.reason, replace(event, reason="")
        act = self._words.text(bare).removeprefix(f"*** {event.sender} ")
        changes = effects(Entry(bare)) if event.room == self.name else None
        return self.record(person, act, why, changes, request)

    def latest(self, count: int) -> Deferred[Sequence[Entry]]:
        """The last acts, oldest first."""
        return self._log.before(self._log.last + 1, count)
