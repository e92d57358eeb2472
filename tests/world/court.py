"""Who may do what in a room, worked out from what was decided there."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.world.oracle import Row

RANKS = ("member", "voiced", "operator", "owner", "administrator")
VOICED, OPERATOR, OWNER, ADMINISTRATOR = range(1, 5)
DECISIONS = (
    *("role", "kick", "ban", "unban", "mute", "unmute"),
    *("invite", "setting", "close", "hands", "act"),
)
KEY = "sesame"
"""The one that every room is locked with that has a key."""


class Court:
    """What was decided in one room."""

    def __init__(self) -> None:
        self.ranks: dict[str, int] = {}  # by the person's id
        self.bans: dict[str, tuple[str, float | None]] = {}  # by mark: target, end
        self.mutes: dict[str, tuple[str, float | None]] = {}
        self.kicks: dict[str, int] = {}  # by the person's id: the number
        self.invited: set[str] = set()
        self.settings: dict[str, str] = {}
        self.word = ""
        self.spoke: dict[str, float] = {}  # when members did while it is slow: the steady time

    def decides(self, number: int, row: "Row") -> None:
        """This is so from now on."""
        more: Mapping[str, Any] = json.loads(row.more or "{}")
        person = more.get("person", "")
        for mark in more.get("ends", ()):  # also if the clock is set back
            for sentences in (self.bans, self.mutes):
                if mark in sentences and not _is_any(sentences, {mark}, row.time):
                    del sentences[mark]
        match row.kind:
            case "role":
                self.ranks[person] = RANKS.index(more["role"])
            case "kick":
                self.kicks[person] = number
                self.invited.discard(person)
            case "ban":
                self.bans |= dict.fromkeys(more["marks"], (more["target"], more["until"]))
                for mark in more["marks"]:
                    if mark.startswith("ban/person:"):
                        self.ranks.pop(mark[11:], None)
                        self.invited.discard(mark[11:])
            case "unban":
                self.bans = {k: v for k, v in self.bans.items() if v[0] != more["target"]}
            case "mute":
                self.mutes |= dict.fromkeys(more["marks"], (row.to or "", more["until"]))
            case "unmute":
                self.mutes = {k: v for k, v in self.mutes.items() if v[0] != row.to}
            case "invite":
                self.invited.add(person)
            case "setting":
                self.settings[more["setting"]] = more["value"]
            case "act":
                for name, value in more["changes"].items():
                    if name == "lockdown":
                        self.settings[name] = value or "off"
                    elif value is None:
                        self.bans.pop(name, None)
                    elif name.startswith("ban/"):
                        self.bans[name] = value["target"], value["until"]
            case "close":
                self.settings["lock"] = "closed"
            case "hands" if more["what"] == "next":
                self.word = more["persons"][0]
            case "hands" if more["what"] in ("done", "gone") and self.word in more["persons"]:
                self.word = ""

    def is_on(self, setting: str) -> bool:
        """Whether something is decided, and not off."""
        return self.settings.get(setting, "off") != "off"

    def rank(self, person: str, *, is_admin: bool = False) -> int:
        """The role that somebody has, and needs no ban fear."""
        return ADMINISTRATOR if is_admin else self.ranks.get(person, 0)

    def shown_rank(self, person: str, *, is_admin: bool) -> str:
        """The same as members are told: the word is as good as voice."""
        rank = self.rank(person, is_admin=is_admin)
        return RANKS[max(rank, VOICED if person == self.word else 0)]

    def is_muted(self, person: str, now: float) -> bool:
        """Whether somebody was muted themselves, wherever they are."""
        return _is_any(self.mutes, {f"mute/{person}"}, now)

    def may_speak(self, who: Any, now: float, *, is_admin: bool) -> bool:
        """Whether somebody who is here may say something; `who` is the server's `Person`."""
        rank = max(self.rank(who.id, is_admin=is_admin), VOICED if who.id == self.word else 0)
        marks = {f"mute/{who.id}"}
        if not who.account and rank == 0:
            marks |= {f"mute/address:{device.address}" for device in who.devices.values()}
        if _is_any(self.mutes, marks, now):
            return False
        if self.is_on("frozen"):
            return rank >= OPERATOR or who.id == self.word
        return not self.is_on("moderated") or rank >= VOICED

    def speaks(self, who: Any, now: float, *, is_admin: bool) -> bool:
        """Somebody has said something; says whether they might, where the room is slow."""
        word, before = self.settings.get("slow", "off").split()[0], self.spoke.get(who.id)
        if word == "off" or self.rank(who.id, is_admin=is_admin) or who.id == self.word:
            return True
        self.spoke[who.id] = now
        return before is None or now - before >= int(word)

    def is_banned(self, who: Any, now: float, *, is_admin: bool, comes: bool) -> bool:
        """Whether somebody may not be here; nobody who has a role is kept out."""
        if self.rank(who.id, is_admin=is_admin):
            return False
        marks = {f"ban/person:{who.id}", f"ban/nick:{who.key}"}
        if not who.account and comes:
            marks |= {f"ban/near:{device.address}" for device in who.devices.values()}
        return _is_any(self.bans, marks, now)

    def may_enter(self, who: Any, key: str, now: float, *, is_admin: bool) -> bool:
        """Whether somebody is let in."""
        if self.is_banned(who, now, is_admin=is_admin, comes=True):
            return False
        lock = self.settings.get("lock", "off")
        rank = max(self.rank(who.id, is_admin=is_admin), VOICED if who.id == self.word else 0)
        if lock == "closed":
            return rank >= OWNER
        return (
            lock == "off"
            or rank >= VOICED
            or who.id in self.invited
            or (lock == "key" and key == KEY)
        )

    def may_stay(self, who: Any, entered: int, now: float, *, is_admin: bool) -> bool:
        """Whether somebody may be here who entered after an event of this number."""
        if self.kicks.get(who.id, 0) > entered:
            return False
        if self.settings.get("lock") == "closed" and self.rank(who.id, is_admin=is_admin) < OWNER:
            return False
        return not self.is_banned(who, now, is_admin=is_admin, comes=False)


def _is_any(sentences: Mapping[str, tuple[str, float | None]], marks: set[str], now: float) -> bool:
    """Whether any of these is in force."""
    found = [sentences[mark][1] for mark in marks if mark in sentences]
    return any(until is None or until > now for until in found)
