"""What may be seen: kept from what the server executed, and from what the disk really holds."""

import re
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.world.law import Law, more_of
from twisted_chat.events import Entry
from twisted_chat.events.codec import OF

if TYPE_CHECKING:
    from tests.world.visit import Visit

TOKEN = re.compile(r"=([a-z]\d+(?:\.\d+)?)=")
"""What every text has in it, once in the world; the letter says what it is (`w`: a whisper)."""


class Finding(Exception):
    """Something that must never be.

    Args:
        name: a short name for its kind.
        text: what was seen.
    """

    def __init__(self, name: str, text: str) -> None:
        super().__init__(f"{name}: {text}")
        self.name = name


@dataclass
class Said:
    """Something that the server has executed.

    Args:
        kind: what it is, as events are called.
        person: whose act it was, by id.
        nickname: what they were called then.
        room: where it was said, by key.
        step: when.
        text: what.
        others: who else may read it, if it is a whisper, with what they were called.
        time: the time of day.
        order: its place among all that was ever done.
    """

    kind: str
    person: str
    nickname: str
    room: str
    step: int
    text: str
    others: dict[str, str] = field(default_factory=dict)
    time: float = 0.0
    order: int = 0

    @property
    def stamp(self) -> str:
        """The time as structured lines have it."""
        return datetime.fromtimestamp(self.time, UTC).isoformat("T", "milliseconds")[:-6] + "Z"


class Typed(NamedTuple):
    """A line as somebody typed it, before any server has seen it.

    Args:
        visit: over which connection.
        number: which line of that connection.
        kind: what it is, as events are called.
        whom: nicknames that it is for, if it is a whisper; none if it is a reply.
    """

    visit: "Visit"
    number: int
    kind: str
    whom: tuple[str, ...]


class Row(NamedTuple):
    """An event as the database holds it."""

    kind: str
    sender: str
    to: str | None
    text: str | None
    origin: str
    time: float
    more: str | None = None


class Oracle:
    """Knows what was said, what is stored, and who may read it.

    Args:
        wanted: says which kinds of findings are looked for.
    """

    def __init__(self, wanted: Callable[[str], bool] = lambda _: True) -> None:
        self._wanted = wanted
        self.found: Finding | None = None
        self.step = 0
        self.said: dict[str, Said] = {}
        self.path: Path | None = None
        self.logs: dict[str, dict[int, Row]] = {}  # what is stored, by the log's name
        self.places: dict[str, tuple[str, int]] = {}  # tokens of rooms: where they are stored
        self.shown: dict[tuple[str, int], str] = {}  # what anybody saw
        self.by_token: dict[str, str] = {}  # sessions: whose they are
        self.came_alone: dict[str, bool] = {}  # by token: whether no other device was connected
        self.came_as: list[tuple[str, str]] = []  # nicknames and ids that nobody has claimed yet
        self.quiet: set[str] = set()  # ids of those who only post
        self.gone: set[str] = set()  # ids of those whose sessions have ended
        self.forgets_before = 0.0  # time of day up to which events may go
        self.latest = 0.0  # time of day that it ever was before the clock was set
        self.newest: dict[str, int] = {}  # the last number that anybody saw, by the log's name
        self.ever: set[tuple[str, int]] = set()  # what was ever stored
        self.called: dict[str, str] = {}  # who was ever renamed: what to, the last time
        self.origins: set[str] = set()  # people of whom anything was ever stored
        self.heard: dict[str, int] = {}  # the last number that the server lets anybody see
        self.typed: dict[str, Typed] = {}
        self.entered: dict[tuple[str, str], int] = {}  # by person and log: its last number then
        self.entries: dict[tuple[str, str], int] = {}  # how often, by the same
        self.law = Law(self)
        self.own: dict[str, set[int]] = {}  # of own logs: what any device was given
        self.read_until: dict[str, int] = {}  # of the same: what no new device is given again
        self.done: dict[Visit, int] = {}  # which of its lines was done last
        self.left: dict[tuple[str, str], int] = {}  # who left which room, and when in the order
        self.is_showing = False  # see `Witness`
        self.order = 0
        self.run_began = 0  # in the order
        self.now: Callable[[], float] = lambda: 0.0
        self.steady: Callable[[], float] = lambda: 0.0
        self.holder_of: Callable[[str], str] = lambda _: ""

    def find(self, name: str, text: str) -> None:
        """This must not be."""
        if self.found is None and self._wanted(name):
            self.found = Finding(name, text)

    def tells(self) -> None:
        """Raise what was found: not at once, for the server would catch it."""
        if self.found is not None:
            raise self.found

    # What the server does (`Witness`)

    def came(self, person: Any, token: str) -> None:
        """Somebody has a session."""
        self.gone.discard(person.id)  # who had left, but for a kill
        if token:
            self.by_token[token] = person.id
            self.came_alone[token] = len(list(person.connections)) < 2
        self.came_as.append((person.nickname, person.id))
        self.law.check_newcomer(person)

    def enters(self, person: str, logs: Iterable[str]) -> None:
        """See `Witness`."""
        self.entered |= {(person, log): self.heard.get(log, 0) for log in logs}
        for log in logs:
            self.left.pop((person, log), None)
            self.entries[person, log] = self.entries.get((person, log), 0) + 1

    def enters_not(self, person: str, log: str) -> None:
        """See `Witness`."""
        self.entries[person, log] -= 1
        if self.entries[person, log]:
            self.left[person, log] = self.order

    def is_in(self, person: Any, room: str, key: str) -> None:
        """See `Witness`."""
        self.law.check_entry(person, room, key)

    def decides(self, person: Any, room: str, event: Any) -> None:
        """See `Witness`."""
        self.law.check_decision(person, room, event)

    def speaks(self, person: Any, room: str) -> None:
        """See `Witness`."""
        self.law.speaks(person, room)

    def claim(self, nickname: str) -> str:
        """Whose welcome this is, on plain lines."""
        for index in range(len(self.came_as) - 1, -1, -1):
            if self.came_as[index][0] == nickname:
                return self.came_as.pop(index)[1]
        return ""

    def does(self, kind: str, person: Any, room: str, text: str, others: Iterable[Any]) -> None:
        """The server does what somebody asked for."""
        self.order += 1
        room = room.lower()
        if kind == "leave":
            self.gone.add(person.id)
            self.read_until[person.id] = self.heard.get("@" + person.id, 0)
        elif kind == "exit":
            self.left[person.id, room] = self.order
        whom = {other.id: getattr(other, "nickname", None) or other.name for other in others}
        self.law.check_act(kind, person, room, text)
        if text.startswith("=") and not TOKEN.fullmatch(text):
            self.find("text", f"{person.nickname} says half a line, {text!r}")
        for token in TOKEN.findall(text):
            said = Said(kind, person.id, person.nickname, room, self.step, text, whom)
            said.time, said.order = self.now(), self.order
            if text != f"={token}=":
                self.find("text", f"somebody said ={token}=, which becomes {text!r}")
            if token in self.typed:
                self._check_meant(self.typed[token], token, said)
            self.said[token] = said

    def _check_meant(self, typed: Typed, token: str, said: Said) -> None:
        """The server does what they typed, as them, and in its order."""
        visit = typed.visit
        if visit.person not in ("", said.person) and not visit.is_logging_in:
            self.find("person", f"{visit} typed {token}, which is done as by {said.nickname}")
        if typed.kind != said.kind:
            self.find("kind", f"{visit} typed {token}, a {typed.kind}, which becomes {said}")
        if token not in self.said:
            if typed.number < self.done.get(visit, -1):
                self.find("overtaken", f"what {visit} typed after {token} was done before it")
            self.done[visit] = typed.number
            if not visit.who.is_program or said.kind == "message":
                visit.spends()
        if said.kind != "whisper":
            return
        wanted = {self.holder_of(nickname) for nickname in typed.whom}
        if not typed.whom:
            last = self.last_whisperer(said.person)
            is_sure = last and not visit.who.ever_ignored and not self.is_showing
            wanted = {last} if is_sure else set(said.others)
        if wanted != set(said.others):
            self.find("misdirected", f"{visit} typed {token} for {typed.whom}, and gets {said}")

    def last_whisperer(self, person: str) -> str:
        """Who has whispered to somebody last, in this run; empty if nobody has."""
        own = "@" + person
        for number, row in reversed(self.logs.get(own, {}).items()):
            said = self.said.get((row.text or "").strip("="))
            if said is None or said.order <= self.run_began:
                return ""
            if row.origin != person and number <= self.heard.get(own, 0):
                return row.origin
        return ""

    def opens(self, log: str, last: int) -> None:
        """See `Witness`."""
        self.heard[log] = last
        self.law.court(log).spoke.clear()

    def shows(self, log: str, entries: Sequence[Entry]) -> None:
        """See `Witness`; without a database, this is all that is known of what is stored."""
        self.heard[log] = entries[-1].id
        rows = self.logs.setdefault(log, {})
        for entry in entries if self.path is None else ():
            if entry.stored:
                event = entry.event
                row = Row(
                    OF[type(event)].name,
                    event.sender,
                    getattr(event, "to", None),
                    getattr(event, "text", None),
                    entry.author,
                    event.time,
                    more_of(event),
                )
                rows[entry.id] = row
                self.law.keeps(log, entry.id, row)
                self.ever.add((log, entry.id))
                self._check_row(log, entry.id, row)
        self.law.shows(log, entries[-1].id)

    def starts(self, names: Mapping[str, Sequence[str]]) -> None:
        """A server has started.

        Args:
            names: of everybody who may come back, by id: what they are called, and were before
                somebody took that.
        """
        self.run_began = self.order
        self.came_as.clear()
        self.left.clear()
        self.entered.clear()
        self.law.starts(forgets=self.path is None)
        if self.path is None:
            self.shown, self.newest, self.logs, self.places = {}, {}, {}, {}
            self.ever, self.heard = set(), {}
            return
        for person, nickname in self.called.items():
            if person in self.law.owners:
                continue  # who logs in anew has their own name again
            if nickname not in names.get(person, (nickname,)):
                self.find("renamed", f"{nickname} is {names[person]} after a restart")

    # What anybody is given

    def may_read(self, token: str, person: str) -> bool:
        """Whether a whisper, or what is said in a room that not all may enter, is for somebody."""
        said = self.said.get(token)
        if said is None or not said.room.startswith("#"):
            return said is not None and (person == said.person or person in said.others)
        left = self.left.get((person, said.room))
        return (person, said.room) in self.entries and (left is None or left > said.order)

    def check_secrets(self, data: str, people: Sequence[str], whose: str) -> None:
        """Nothing private is ever seen by anybody but its two people."""
        for token in TOKEN.findall(data):
            if token[0] in "wc" and not any(self.may_read(token, each) for each in people):
                self.find("private", f"{whose} is given {token}: {data[:200]}")

    def sees(self, log: str, number: int, what: str, whose: str) -> None:
        """Somebody sees an event: it is stored, and everybody sees the same there."""
        before = self.shown.setdefault((log, number), what)
        if before != what:
            self.find("order", f"{log} {number} was {before}, and is {what} to {whose}")
        self.newest[log] = max(number, self.newest.get(log, 0))
        if (log, number) not in self.ever:
            self.find("unstored", f"{whose} sees {log} {number}, which is not stored: {what}")
        elif number > self.heard.get(log, 0):
            self.find("too-early", f"{whose} sees {log} {number} before it is shown: {what}")

    # What the database holds

    def looks(self, *, closely: bool = False) -> None:
        """Look at the database, as after a kill at this instant.

        Args:
            closely: whether to look at what was there before, too.
        """
        if self.path is None:
            return
        with sqlite3.connect(f"file:{self.path}?mode=ro", uri=True) as database:
            if closely:
                self._render(database)
            else:
                for number, name in database.execute("SELECT log, name FROM logs"):
                    known = self.logs.setdefault(name, {})
                    self._take(database, number, name, known)
        database.close()

    def _take(self, database: sqlite3.Connection, number: int, name: str, known: Any) -> None:
        last = next(reversed(known), 0)
        for row in database.execute(
            "SELECT id, kind, sender, recipient, text, author, time, more FROM events"
            " WHERE log = ? AND id > ? ORDER BY id",
            (number, last),
        ):
            if last and row[0] != last + 1:
                self.find("holes", f"the database has {row[0]} after {last} in {name}")
            last = row[0]
            known[last] = Row(*row[1:])
            if (name, last) not in self.ever:
                self.law.keeps(name, last, known[last])
            if row[1] == "rename" and (name, last) not in self.ever:
                self.called[known[last].origin] = known[last].to or ""
            self.ever.add((name, last))
            self.origins.add(known[last].origin)
            self._check_row(name, last, known[last])

    def _check_row(self, log: str, number: int, row: Row) -> None:
        if row.kind == "whisper" and not log.startswith("@"):
            self.find("private", f"the database has a whisper in {log} {number}: {row.text}")
        for token in TOKEN.findall(row.text or ""):
            said = self.said.get(token)
            if said is None:
                self.find("forged", f"the database has {row.text} in {log}, which nobody did")
                continue
            if said.kind != row.kind or said.person != row.origin or said.nickname != row.sender:
                self.find("forged", f"the database has {row} for {said}")
            if said.time and row.time != said.time:
                self.find("time", f"the database has {row}, done at {said.time}")
            if log.startswith("@"):
                if row.kind == "whisper" and not self.may_read(token, log[1:]):
                    self.find("private", f"the database has the whisper {token} in {log}")
            elif said.room != log:
                self.find("room", f"{row.text} was said in {said.room}, and is stored in {log}")
            else:
                before = self.places.setdefault(token, (log, number))
                is_there = not self.forgets_before or before[1] in self.logs.get(log, {})
                if before != (log, number) and is_there:
                    self.find("stored-twice", f"{row.text} is {before}, and {log} {number}")

    def _render(self, database: sqlite3.Connection) -> None:
        """Nothing that was seen is missing, nothing is kept of those who are gone."""
        self.law.remembers(token for (token,) in database.execute("SELECT token FROM seats"))
        before, self.logs = self.logs, {}
        places, self.places = self.places, {}
        for number, name in database.execute("SELECT log, name FROM logs").fetchall():
            self._take(database, number, name, self.logs.setdefault(name, {}))
        nobodys = database.execute(
            "SELECT kind, text FROM events WHERE log NOT IN (SELECT log FROM logs) LIMIT 1"
        ).fetchone()
        if nobodys:
            planted = "=w0=" in (nobodys[1] or "")
            name = "planted" if planted else "orphans"
            self.find(name, f"the database has rows of no log, such as {nobodys}")
        for name, rows in before.items():
            now = self.logs.get(name, {})
            if name.startswith("@") and (not now or name[1:] in self.gone):
                continue
            first = next(iter(now), 0)
            for number, row in rows.items():
                if now.get(number) == row:
                    continue
                if number in now:
                    self.find("order", f"{name} {number} was {row}, and is {now[number]}")
                elif number > first > 0 or row.time >= self.forgets_before:
                    self.find("lost", f"{name} {number} is gone: {row}")
        for token, place in places.items():
            self.places.setdefault(token, place)

    def has_account(self, account: str) -> bool:
        """Whether the database has an account of this id."""
        with sqlite3.connect(f"file:{self.path}?mode=ro", uri=True) as database:
            query = "SELECT 1 FROM accounts WHERE id = ?"
            found = database.execute(query, (account,)).fetchone()
        database.close()
        return found is not None

    def check_the_gone(self) -> None:
        """Nothing private is kept of anybody who is gone for good; nobody is here now."""
        if self.path is None:
            return
        with sqlite3.connect(f"file:{self.path}?mode=ro", uri=True) as database:
            row = database.execute(
                "SELECT logs.name, text FROM events LEFT JOIN logs USING (log)"
                " WHERE (kind = 'whisper' OR logs.name IS NULL OR logs.name LIKE '@%')"
                " AND coalesce(substr(logs.name, 2) NOT IN (SELECT id FROM accounts), 1) LIMIT 1"
            ).fetchone()
            seat = database.execute("SELECT * FROM seats WHERE NOT asleep LIMIT 1").fetchone()
        database.close()
        if row:
            self.find("remains", f"the database still has {row} when everybody is gone")
        if seat:
            self.find("sessions", f"the database still has a session when all are gone: {seat}")
