"""What kind of world it is: its people, its sizes, its database, and what may go wrong."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from tests.world.oracle import Oracle, Said
from tests.world.people import POSTER, Request, Somebody
from twisted_chat.limits import Limits, Pace

FAMILIES = (
    *("slow", "full", "unreadable", "kill", "stop", "clock", "hangup", "keep", "ban", "break"),
    *("unread", "rubbish", "telnet", "rename", "ignore", "rooms", "flood", "whisper", "again"),
    *("crowd", "quiet", "unshowable", "web", "accounts", "order"),
)
"""Whole kinds of things that happen; each is switched on or off for a world."""

CITIZENS = (
    *(("ada", "127.0.0.1"), ("ada", "10.0.0.8"), ("ben", "10.0.0.8"), ("ben", "10.0.0.9")),
    *(("wanda", "10.0.0.9"), ("will", "127.0.0.1")),
)
"""Those who may have accounts, some with two devices, and two guests among them."""

VETERAN, TOKEN = "0" * 16, "old-token"
"""Somebody in the old database, and what resumes their session."""

COURTS = ("#court", "#den")
"""Rooms where people keep order, and are kept out."""

OLD = Path(__file__).with_name("version1.sql")


@dataclass
class Header:
    """What kind of world it is.

    Args:
        seed: its number.
        people: what each wants to be called, where from, whether they are a program, and one on
            a page.
        limits: limits that are not the usual ones.
        memory: whether nothing is kept in a file.
        small: whether sizes are small, so that a few people find every edge.
        database: `new`, `old` (of version 1), or `orphans` (old, with rows of nobody).
        families: what may happen.
        citizens: people who keep order, as above, with whether their devices are remembered.
    """

    seed: int
    people: list[tuple[str, str, bool, bool]]
    limits: dict[str, Any]
    memory: bool = False
    small: bool = False
    database: str = "new"
    families: set[str] = field(default_factory=set)
    citizens: list[tuple[str, str, bool, bool, bool]] = field(default_factory=list)

    def __str__(self) -> str:
        usual = Limits()
        unusual = [
            f"{name} {value.lines} in {value.seconds} s"
            if isinstance(value, Pace)
            else f"{name} {value}"
            for name, value in self.limits.items()
            if value != getattr(usual, name)
        ]
        kind = "no database" if self.memory else f"{self.database} database"
        sizes = ", small sizes" if self.small else ""
        return f"{kind}{sizes}; {', '.join(unusual)}"

    def prepare(self, path: Path, oracle: Oracle, people: Sequence[Somebody], now: float) -> None:
        """Put the database there that the first server finds; somebody was there already."""
        if self.database == "new":
            return
        with sqlite3.connect(path) as database:
            database.executescript(OLD.read_text())
            if self.database == "orphans":
                database.execute(
                    "INSERT INTO events VALUES (7, 1, 1.0, 'whisper', 'x', 'y', '=w0=', 'z', NULL)"
                )
                database.execute(
                    "INSERT INTO events VALUES (8, 1, 1.0, 'whisper', 'x', 'y', '=w0=', 'z', NULL)"
                )
        database.close()
        for number, room in ((1, "#lobby"), (2, "#lobby"), (3, "#old")):
            text = f"=m0.{number}="
            oracle.said[text.strip("=")] = Said("message", VETERAN, "veteran", room, 0, text)
        others = {VETERAN: "veteran"}
        oracle.said["w0.4"] = Said("whisper", "f" * 16, "friend", "@", 0, "=w0.4=", others)
        oracle.by_token[TOKEN] = VETERAN
        for who in [who for who in people if who.is_program][:1]:
            who.person, who.nickname, who.token = VETERAN, "veteran", TOKEN
            who.rooms, who.seen = {"#lobby": None, "#old": None}, {"#lobby": 1, "@": 0}
            who.sent.append(Request({"do": "join"}))  # where they typed was not kept then
            who.lost_at = now


def chosen(seed: int) -> Header:
    """The header of a seed."""
    chance = Random(f"header {seed}")
    names = chance.sample(["alice", "bob", "carol", "dave", "zed"], chance.choice((2, 3, 3, 4)))
    families = {family for family in FAMILIES if chance.random() < 0.5}
    people = [
        (
            chance.choice(names),
            chance.choice(("127.0.0.1", "127.0.0.1", "10.0.0.5", "10.0.0.6")),
            (is_program := chance.random() < 0.5),
            is_program and "web" in families and chance.random() < 0.5,
        )
        for _ in range(chance.randint(3, 8))
    ]
    if chance.random() < 0.3:
        people.append((POSTER, "127.0.0.1", True, False))
    citizens = [
        (name, host, True, chance.random() < 0.3, chance.random() < 0.5)
        for name, host in chance.sample(CITIZENS, chance.randint(3, len(CITIZENS)))
    ]
    pace = chance.choice((None, None, Pace(10, 5), Pace(3, 1), Pace(5, 2)))
    limits: dict[str, Any] = {
        "pace": pace,
        "connections": Pace(1000, 1),
        "nameless_per_address": 16,
        "renames": Pace(50, 1),
        "replacements": Pace(50, 1),
        "registrations": Pace(50, 1),
        "devices_per_account": 100,
        "resume_seconds": 120.0,
        "rooms": chance.choice((10_000, 10_000, 4)),
        "entry_history": chance.choice((3, 5, 20)),
        "history_lines": chance.choice((5, 200)),
        "history_bytes": chance.choice((500, 65536)),
        "waiting_lines": chance.choice((3, 20)),
        "presence": chance.choice((Pace(20, 20), Pace(2, 20), Pace(4, 5))),
        "presence_per_person": chance.choice((Pace(4, 40), Pace(2, 10))),
    }
    return Header(
        seed,
        people,
        limits,
        memory=chance.random() < 0.15,
        small=chance.random() < 0.5,
        database=chance.choice(("new", "new", "new", "old", "orphans")),
        families=families,
        citizens=citizens if "accounts" in families else [],
    )
