"""A chat that is made up, right in every way: transcripts of it, for the checker's own tests."""

from itertools import count
from typing import Any

from tests.cluster.transcript import Event, Line, Story, own_log

TOLD = ("join", "leave", "away")


class MadeUp:
    """People in rooms, on servers, whose transcripts are written while they talk."""

    def __init__(self) -> None:
        self.story = Story()
        self.members: dict[str, list[str]] = {}
        self.on: dict[str, str] = {}
        """Who is connected, and to which server."""
        self.nicknames: dict[str, str] = {}
        self._seen: dict[str, dict[str, int]] = {}
        self._time = count(1)
        self._refs = count(1)

    def _writes(self, who: str, kind: str, what: Any) -> None:
        self.story.people.setdefault(who, []).append(Line(float(next(self._time)), kind, what))

    def comes(self, who: str, node: str, *rooms: str) -> None:
        """Somebody new comes in."""
        self.on[who] = node
        self.nicknames[who] = who
        self._seen[who] = {}
        self._writes(who, "on", node)
        self._writes(who, "sent", {"do": "hello", "nick": who})
        self._welcome(who)
        for room in rooms:
            self._enters(who, room)

    def _welcome(self, who: str) -> None:
        welcome = {"event": "welcome", "nick": self.nicknames[who], "epoch": "e", "session": who}
        self._writes(who, "got", welcome)

    def _enters(self, who: str, room: str) -> None:
        members = self.members.setdefault(room, [])
        self._happens({"event": "join", "room": room, "from": self.nicknames[who]})
        members.append(who)
        for event in self.story.final.setdefault(room, [])[-3:]:
            self._gets(who, event | {"replayed": True})
        self._state(who, room)

    def _state(self, who: str, room: str) -> None:
        members = [{"nick": self.nicknames[each]} for each in self.members[room]]
        state = {"event": "state", "room": room, "members": members, "count": len(members)}
        self._writes(who, "got", state)

    def leaves(self, who: str) -> None:
        """Somebody leaves for good."""
        if self.on.pop(who, None):
            self._writes(who, "lost", True)
        for room, members in self.members.items():
            if who in members:
                members.remove(who)
                self._happens({"event": "leave", "room": room, "from": self.nicknames[who]})

    def drops(self, who: str) -> None:
        """Somebody's connection is lost; they are still a member."""
        del self.on[who]
        self._writes(who, "lost", True)

    def resumes(self, who: str, node: str) -> None:
        """They are back."""
        self.on[who] = node
        self._writes(who, "on", node)
        seen = dict(self._seen[who])
        self._writes(who, "sent", {"do": "hello", "nick": who, "session": who, "seen": seen})
        self._welcome(who)
        for log, events in self.story.final.items():
            room = "@" if log == own_log(who) else log
            if room == "@" or who in self.members.get(room, []):
                for event in events:
                    if event["id"] > seen.get(room, 0):
                        self._gets(who, event | {"replayed": True})
        for room, members in self.members.items():
            if who in members:
                self._state(who, room)

    def _happens(self, event: Event, author: str = "", ref: str = "") -> None:
        event = {"time": next(self._time), **event}
        if event["event"] not in TOLD:
            log = self.story.final.setdefault(event["room"], [])
            event["id"] = len(log) + 1
            log.append(event)
        for who in self.members.get(event["room"], []):
            if who in self.on:
                self._gets(who, event | ({"ref": ref} if ref and who == author else {}))

    def _gets(self, who: str, event: Event) -> None:
        if "id" in event:
            self._seen[who][event["room"]] = event["id"]
        self._writes(who, "got", event)

    def sends(self, who: str, room: str, text: str) -> str:
        """Somebody says something that has not arrived yet; gives its `ref`."""
        ref = f"r-{next(self._refs)}"
        self._writes(who, "sent", {"do": "say", "room": room, "text": text, "ref": ref})
        return ref

    def says(self, who: str, room: str, text: str) -> None:
        """Somebody says something."""
        ref = self.sends(who, room, text)
        message = {"event": "message", "room": room, "from": self.nicknames[who], "text": text}
        self._happens(message, who, ref)

    def is_refused(self, who: str, room: str, text: str) -> None:
        """Somebody says something that is not stored."""
        ref = self.sends(who, room, text)
        self._writes(who, "got", {"event": "error", "code": "not-stored", "ref": ref})

    def whispers(self, who: str, text: str) -> None:
        """Something comes that is for one person alone."""
        log = self.story.final.setdefault(own_log(who), [])
        event: Event = {"event": "whisper", "room": "@", "from": "x", "to": who, "text": text}
        event["id"] = len(log) + 1
        log.append(event)
        if who in self.on:
            self._gets(who, event)

    def renames(self, who: str, nickname: str) -> None:
        """Somebody has another nickname."""
        was, self.nicknames[who] = self.nicknames[who], nickname
        for room, members in self.members.items():
            if who in members:
                self._happens({"event": "rename", "room": room, "from": was, "to": nickname})

    def goes_away(self, who: str, text: str) -> None:
        """Somebody is away."""
        for room, members in self.members.items():
            if who in members:
                event = {"event": "away", "room": room, "from": self.nicknames[who]}
                self._happens(event | {"text": text})
