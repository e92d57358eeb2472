"""What may be seen: kept from what the server executed, and from what the disk really holds."""

import re
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

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
    """

    kind: str
    person: str
    nickname: str
    room: str
    step: int
    text: str
    others: dict[str, str] = field(default_factory=dict)


class Row(NamedTuple):
    """An event as the database holds it."""

    kind: str
    sender: str
    to: str | None
    text: str | None
    origin: str
    time: float


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
        self.came_as: list[tuple[str, str]] = []  # nicknames and ids that nobody has claimed yet
        self.gone: set[str] = set()  # ids of those whose sessions have ended
        self.forgets_before = 0.0  # time of day up to which events may go
        self.newest: dict[str, int] = {}  # the last number that anybody saw, by the log's name
        self.ever: set[tuple[str, int]] = set()  # what was ever stored
        self.origins: set[str] = set()  # people of whom anything was ever stored

    def find(self, name: str, text: str) -> None:
        """This must not be."""
        if self.found is None and self._wanted(name):
            self.found = Finding(name, text)

    def tells(self) -> None:
        """Raise what was found: not at once, for the server would catch it."""
        if self.found is not None:
            raise self.found

    # What the server does (`Witness`)

    def came(self, nickname: str, person: str, token: str) -> None:
        """Somebody has a session."""
        if token:
            self.by_token[token] = person
        self.came_as.append((nickname, person))

    def claim(self, nickname: str) -> str:
        """Whose welcome this is, on plain lines."""
        for index in range(len(self.came_as) - 1, -1, -1):
            if self.came_as[index][0] == nickname:
                return self.came_as.pop(index)[1]
        return ""

    def does(self, kind: str, person: Any, room: str, text: str, others: Iterable[Any]) -> None:
        """The server does what somebody asked for."""
        if kind == "leave":
            self.gone.add(person.id)
        for token in TOKEN.findall(text):
            whom = {other.id: other.nickname for other in others}
            self.said[token] = Said(
                kind, person.id, person.nickname, room.lower(), self.step, text, whom
            )

    # What anybody is given

    def may_read(self, token: str, person: str) -> bool:
        """Whether a whisper is somebody's business."""
        said = self.said.get(token)
        return said is not None and (person == said.person or person in said.others)

    def check_secrets(self, data: str, person: str, whose: str) -> None:
        """Nothing private is ever seen by anybody but its two people."""
        for token in TOKEN.findall(data):
            if token[0] == "w" and not self.may_read(token, person):
                self.find("private", f"{whose} is given the whisper {token}: {data[:200]}")

    def sees(self, log: str, number: int, what: str, whose: str) -> None:
        """Somebody sees an event: it is stored, and everybody sees the same there."""
        before = self.shown.setdefault((log, number), what)
        if before != what:
            self.find("order", f"{log} {number} was {before}, and is {what} to {whose}")
        self.newest[log] = max(number, self.newest.get(log, 0))
        if self.path is not None and (log, number) not in self.ever:
            self.find("unstored", f"{whose} sees {log} {number}, which is not stored: {what}")

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
            "SELECT id, kind, sender, recipient, text, author, time FROM events"
            " WHERE log = ? AND id > ? ORDER BY id",
            (number, last),
        ):
            if last and row[0] != last + 1:
                self.find("holes", f"the database has {row[0]} after {last} in {name}")
            last = row[0]
            known[last] = Row(*row[1:])
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
            if log.startswith("@"):
                if row.kind == "whisper" and not self.may_read(token, log[1:]):
                    self.find("private", f"the database has the whisper {token} in {log}")
            elif said.room != log:
                self.find("room", f"{row.text} was said in {said.room}, and is stored in {log}")
            else:
                before = self.places.setdefault(token, (log, number))
                if before != (log, number):
                    self.find("stored-twice", f"{row.text} is {before}, and {log} {number}")

    def _render(self, database: sqlite3.Connection) -> None:
        """Nothing that was seen is missing, nothing is kept of those who are gone."""
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

    def check_the_gone(self) -> None:
        """Nothing private is kept of anybody who is gone for good; nobody is here now."""
        if self.path is None:
            return
        with sqlite3.connect(f"file:{self.path}?mode=ro", uri=True) as database:
            row = database.execute(
                "SELECT logs.name, text FROM events LEFT JOIN logs USING (log)"
                " WHERE kind = 'whisper' OR logs.name IS NULL OR logs.name LIKE '@%' LIMIT 1"
            ).fetchone()
            tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master")]
            seats = [
                database.execute(f"SELECT * FROM {table} LIMIT 1").fetchone()
                for table in tables
                if table in ("seats", "sessions")
            ]
        database.close()
        if row:
            self.find("remains", f"the database still has {row} when everybody is gone")
        if any(seats):
            self.find("sessions", f"the database still has sessions when all are gone: {seats}")
