"""Somebody who knows several servers, resumes at the next one, and keeps a transcript."""

import asyncio
import time
from collections.abc import Sequence
from itertools import count
from typing import Any

from tests.cluster.link import Link
from tests.cluster.transcript import Event, Line, brief, is_stored
from tests.e2e.patience import eventually

Address = tuple[str, int]
"""A server's name, as transcripts have it, and its port."""

SILENCE = 3.0
"""Seconds without an answer after which somebody tries the next server."""

_LOOK = 0.5
_RETRY = 0.1
_WINDOW = 20
_NOT_KEPT = ("pong", "history")
_MOST_TRIES = 40
"""Refused comings in one row, after which somebody gives up."""


class Witness:
    """Somebody who stays in the chat, whatever happens to servers.

    Args:
        loop: where they live.
        who: the nickname.
        addresses: the servers that they know, the one to begin with first.
        hello: more for the first `hello`.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        who: str,
        addresses: Sequence[Address],
        hello: dict[str, object],
    ) -> None:
        self.who = who
        self.lines: list[Line] = []
        self.outcomes: dict[str, Event] = {}
        """What became of what they asked for, by `ref`."""
        self.unanswered: dict[str, dict[str, Any]] = {}
        self.rooms: set[str] = set()
        self.node = ""
        self.is_in = False
        self.why_over = ""
        """Why they do not come back, if they do not."""
        self.longest_away = 0.0
        """Seconds that it took at the most until they were in again."""
        self._loop = loop
        self._addresses = list(addresses)
        self._hello = hello
        self._turn = 0
        self._refs = count(1)
        self._seen: dict[str, int] = {}
        self._session = self._epoch = ""
        self._link: Link | None = None
        self._tries = 0
        self._patience = SILENCE
        self._was_in = 0.0
        self._dial: asyncio.Task[None] | None = None
        self._look: asyncio.TimerHandle | None = None
        self._talk: dict[str, asyncio.TimerHandle] = {}  # by room

    # ---- what a test asks for, from its own thread

    def sends(self, **thing: object) -> str:
        """Send a request; gives its `ref`."""
        ref = f"{self.who}-{next(self._refs)}"
        self._loop.call_soon_threadsafe(self._request, {**thing, "ref": ref})
        return ref

    def says(self, text: str, room: str = "#lobby") -> str:
        """Say something; gives its `ref`."""
        return self.sends(do="say", room=room, text=text)

    def asks(self, **thing: object) -> Event:
        """Send a request, and wait for its outcome."""
        return self.hears(self.sends(**thing))

    def does(self, command: str, room: str = "#lobby") -> Event:
        """Do a command, and wait for its outcome."""
        return self.asks(do="command", room=room, text=command)

    def hears(self, ref: str) -> Event:
        """Wait for what becomes of a request."""
        eventually(lambda: ref in self.outcomes, f"{self.who} hears what became of {ref}")
        return self.outcomes[ref]

    def says_until_stored(self, text: str, room: str = "#lobby") -> str:
        """Say something, and again with a number where it is refused; gives what is stored."""
        said: list[str] = []

        def is_stored() -> bool:
            said.append(f"{text} ({len(said)})" if said else text)
            return bool(self.asks(do="say", room=room, text=said[-1])["event"] != "error")

        eventually(is_stored, f"what {self.who} says is stored")
        return said[-1]

    def says_until_refused(self, room: str = "#lobby") -> Event:
        """Say one thing after another until one is refused; gives the error.

        The first ones may be in doubt, and have no outcome yet.
        """
        refs: list[str] = []

        def errors() -> list[Event]:
            refs.append(self.says(f"{self.who} tries {len(self.lines)}.{len(refs)}", room))
            known = [self.outcomes[ref] for ref in refs if ref in self.outcomes]
            return [event for event in known if event["event"] == "error"]

        eventually(errors, f"{self.who} is told that it is not stored")
        return errors()[0]

    def is_seen(self, **wanted: object) -> Event | None:
        """The first event with these values, if it has come."""
        for line in self.lines:
            if line.kind == "got" and wanted.items() <= line.what.items():
                return dict(line.what)
        return None

    def sees(self, **wanted: object) -> Event:
        """Wait for an event with these values."""
        try:
            eventually(lambda: self.is_seen(**wanted), "")
        except AssertionError:
            last = [brief(line.what) for line in self.lines if line.kind == "got"][-8:]
            raise AssertionError(
                f"{self.who} (on {self.node}) never saw {wanted}; the last were {last}"
            ) from None
        event = self.is_seen(**wanted)
        assert event is not None
        return event

    def is_let_in(self) -> "Witness":
        """Wait until they are in."""
        eventually(lambda: self.is_in and self.rooms, f"{self.who} is in; {self.lines[-3:]}")
        return self

    def whole_history(self, room: str) -> list[Event]:
        """Everything that is kept of a room, page by page from its end."""
        events: list[Event] = []
        before = 2**40
        while before > 1:
            page = self.asks(do="history", room=room, before=before, limit=200)
            assert page["event"] == "history", page
            events[:0] = page["events"]
            if not page["more"]:
                break
            before = page["events"][0]["id"]
        return events

    def talks(self, room: str = "#lobby", every: float = 0.03) -> None:
        """Say one line after another, as far as they are answered, until `is_quiet`."""
        self._loop.call_soon_threadsafe(self._talks_on, room, every)

    def is_quiet(self) -> None:
        """Say nothing more, and wait until everything is answered."""
        self._loop.call_soon_threadsafe(self._stops_talking)
        eventually(
            lambda: not self._talk and not self.unanswered,
            f"{self.who} (on {self.node}) has all answers",
        )

    def moves(self, to: int = 1) -> None:
        """Break the connection, and resume at one of the other servers that they know.

        Args:
            to: how many places behind this one in their list it is.
        """

        def move() -> None:
            self._turn += to - 1
            self.breaks()

        self._loop.call_soon_threadsafe(move)

    def leaves(self) -> None:
        """Go for good."""
        self.sends(do="command", text="/quit")
        eventually(lambda: self.why_over, f"{self.who} has left")

    # ---- on the loop

    def connect(self) -> None:
        """Try the next server."""
        if not self.why_over:
            self.node, port = self._addresses[self._turn % len(self._addresses)]
            self._turn += 1
            self._dial = self._loop.create_task(self._dials(port))

    def _talks_on(self, room: str, every: float) -> None:
        if len(self.unanswered) < _WINDOW:
            number = next(self._refs)
            thing = {"do": "say", "room": room, "text": f"{self.who} says {number}"}
            self._request(thing | {"ref": f"{self.who}-{number}"})
        self._talk[room] = self._loop.call_later(every, self._talks_on, room, every)

    def _stops_talking(self) -> None:
        while self._talk:
            self._talk.popitem()[1].cancel()

    async def _dials(self, port: int) -> None:
        def link() -> Link:
            return Link(self)

        try:
            await asyncio.wait_for(self._loop.create_connection(link, "127.0.0.1", port), 2)
        except (OSError, TimeoutError):
            self._loop.call_later(_RETRY, self.connect)

    def end(self) -> None:
        """Go, and do not come back."""
        self.why_over = self.why_over or "the test is over"
        for timer in (self._look, self._dial, *self._talk.values()):
            if timer is not None:
                timer.cancel()
        if self.is_in:
            self._send({"do": "command", "text": "/quit"})
        if self._link is not None:
            self._link.closes()

    def breaks(self) -> None:
        """Break the connection, if there is one."""
        if self._link is not None:
            self._link.breaks()

    def _writes(self, kind: str, what: object) -> None:
        self.lines.append(Line(time.monotonic(), kind, what))

    def _send(self, thing: dict[str, Any]) -> None:
        if self._link is not None:
            if thing["do"] != "ping":
                self._writes("sent", thing)
            self._link.sends(thing)

    def _request(self, thing: dict[str, Any]) -> None:
        if thing.get("text") == "/quit":
            self.why_over = "left"
        self.unanswered[thing["ref"]] = thing
        if self.is_in:
            self._send(thing)

    def is_connected(self, link: Link) -> None:
        """A connection is there."""
        self._link = link
        self._writes("on", self.node)
        hello: dict[str, Any] = {"do": "hello", "nick": self.who, **self._hello}
        if self._session:
            again = {"session": self._session, "seen": dict(self._seen), "epoch": self._epoch}
            hello |= again
        self._send(hello)
        self._look = self._loop.call_later(_LOOK, self._looks, link, time.monotonic())

    def _looks(self, link: Link, since: float) -> None:
        """Whether the server is still there."""
        now = time.monotonic()
        if now - link.heard > SILENCE or (not self.is_in and now - since > self._patience):
            self._patience += not self.is_in
            link.breaks()
        else:
            self._send({"do": "ping"})
            self._look = self._loop.call_later(_LOOK, self._looks, link, since)

    def is_lost(self, link: Link) -> None:
        """It is not there any more."""
        if self._link is link:
            if self.is_in:
                self._was_in = time.monotonic()
            self._link, self.is_in = None, False
            if self._look is not None:
                self._look.cancel()
            self._writes("lost", True)
            self._loop.call_later(_RETRY, self.connect)

    def gets(self, event: Event) -> None:
        """An object has come."""
        kind, ref = event["event"], event.get("ref", "")
        if kind not in _NOT_KEPT:
            self._writes("got", event)
        if kind == "welcome":
            self._is_welcome(event)
        elif kind == "state":
            self.rooms.add(event["room"])
        elif is_stored(event):
            self._seen[event["room"]] = event["id"]
        elif kind == "error":
            self._is_refused(event)
        asked = self.unanswered.get(ref)
        if asked is not None and (asked["do"] == "say" or kind in ("answer", "error", "history")):
            del self.unanswered[ref]
            self.outcomes[ref] = event

    def _is_welcome(self, event: Event) -> None:
        self.is_in, self._tries, self._patience = True, 0, SILENCE
        self._session, self._epoch = event["session"], event["epoch"]
        if self._was_in:
            self.longest_away = max(self.longest_away, time.monotonic() - self._was_in)
        for thing in list(self.unanswered.values()):
            self._send(thing)

    def _is_refused(self, event: Event) -> None:
        if event["code"] in ("replaced", "disconnected", "logged-out", "banned"):
            self.why_over = event["code"]
        elif not self.is_in and self._link is not None:
            self._tries += 1
            if self._tries > _MOST_TRIES:
                self.why_over = event["code"]
            self._link.breaks()
