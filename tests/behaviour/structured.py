"""A program, at the frontend for structured lines."""

from itertools import count
from typing import Any, Self

from tests.behaviour import plain
from tests.behaviour.seen import (
    Did,
    Here,
    Joined,
    Left,
    Noticed,
    Refusal,
    Renamed,
    Said,
    Seen,
    Sent,
    TopicIs,
    TopicSet,
    Welcomed,
    Whispered,
)
from tests.behaviour.visitor import Visitor
from tests.people import NOW, Program
from twisted_chat.wire.plain import PlainWire
from twisted_chat.wire.structured import understand

_ORDER = (
    "role",
    "kick",
    "ban",
    "unban",
    "mute",
    "unmute",
    "invite",
    "setting",
    "close",
    "hands",
    "delete",
)
"""Kinds of which plain lines say all that there is to know."""


class Bot(Visitor):
    """Somebody whose program speaks structured lines."""

    kind = Program
    _refs = count()

    def answers(self, nickname: str) -> Self:
        """See `Visitor.answers`."""
        self.line.asks(do="hello", nick=nickname)
        return self

    def proves(self, nickname: str, password: str) -> Self:
        """See `Visitor.proves`."""
        self.line.asks(do="hello", nick=nickname, password=password)
        return self

    def says(self, *texts: str) -> Self:
        """See `Visitor.says`."""
        return self._asks("say", texts)

    def does(self, *commands: str) -> Self:
        """See `Visitor.does`."""
        return self._asks("command", commands)

    def _asks(self, do: str, texts: tuple[str, ...]) -> Self:
        for text in texts:
            self.line.asks(do=do, text=text, ref=f"r{next(self._refs)}")
        return self

    def _reads(self) -> list[Seen]:
        return [seen for thing in self.line.gets() for seen in self._read(thing)]

    def _read(self, thing: dict[str, Any]) -> list[Seen]:
        who, text, room = thing.get("from", ""), thing.get("text", ""), thing.get("room", "")
        understood = understand(thing) if thing["event"] in _ORDER else None
        match thing["event"]:
            case "message":
                own = who == self.nickname and "ref" in thing and not thing.get("replayed")
                return [] if own else [Said(who, text, room)]
            case "action":
                return [Did(who, text, room)]
            case "file":
                return [Sent(who, thing["name"], thing.get("url", ""), room)]
            case "whisper":
                return [Whispered(who, thing["to"], text)]
            case "join":
                return [] if who == self.nickname else [Joined(who, room)]
            case "leave":
                return [] if who == self.nickname else [Left(who, thing.get("reason", ""), room)]
            case "rename":
                if who == self.nickname and not thing.get("replayed"):
                    self.nickname = thing["to"]
                return [Renamed(who, thing["to"])]
            case "topic":
                return [TopicSet(who, text, room)]
            case "notice":
                return [Noticed(text)]
            case "welcome":
                self.nickname = thing["nick"]
                return [Welcomed(thing["nick"])]
            case "state":
                here = Here(tuple(map(_member, thing["members"])), room)
                return [here, TopicIs(thing["topic"], room)] if thing["topic"] else [here]
            case "answer":
                return [
                    seen
                    for line in thing["lines"]
                    for seen in plain.event(line, self.nickname) or [plain.answer(line)]
                ]
            case "error":
                return [Refusal(text)]
            case "away" | "hidden":
                return []
            case "hands" if thing["what"] == "gone":
                return []
            case _ if understood is not None:
                return [Noticed(PlainWire(lambda: NOW).text(understood.event).removeprefix("*** "))]
            case kind:
                raise AssertionError(f"what does this say? {kind}: {thing}")


def _member(member: dict[str, Any]) -> str:
    name = member["nick"] + ("*" if member.get("account") == member["nick"] else "")
    notes = [] if member["role"] == "member" else [member["role"]]
    if not member.get("connected", True):
        notes.append("reconnecting")
    elif member["away"]:
        notes.append(f"away: {member['away']}")
    return f"{name} ({', '.join(notes)})" if notes else str(name)
