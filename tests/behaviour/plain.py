"""Somebody with netcat, at the frontend for plain lines."""

import re
from typing import Self

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
    Told,
    TopicIs,
    TopicSet,
    Welcomed,
    Whispered,
)
from tests.behaviour.visitor import Visitor
from tests.people import Person

_STAMPED = re.compile(r"\[(?:\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d\] (.*)")
_QUESTION = re.compile(r"(Welcome to .*\. )?What is your nickname\?|Password for \S+:")
_WHISPER = re.compile(r"\[whisper (from|to) (\S+)\] (.*)")
_RENAMED = re.compile(r"\*\*\* (\S+) is now known as (\S+)")
_TOPIC = re.compile(r"\*\*\* (\S+) changed the topic of (\S+) to: (.*)")
_NO_TOPIC = re.compile(r"\*\*\* (\S+) removed the topic of (\S+)")
_JOINED = re.compile(r"\*\*\* (.+) ha(?:s|ve) joined (#\S+)")
_LEFT = re.compile(r"\*\*\* (.+) ha(?:s|ve) left (#\S+)(?: \((.*)\))?")
_NOTICE = re.compile(r"\*\*\* (.*)")
_DID = re.compile(r"(?:(#\S+) )?\* (\S+) (.*)")
_SENT = re.compile(r"(?:(#\S+) )?(\S+) sent (.*) \([^()]*\): (?:no longer available|(\S+))")
_SAID = re.compile(r"(?:(#\S+) )?(\S+): (.*)")
_WELCOMED = re.compile(r"Welcome, (\S+)! You are in .*")
_HERE = re.compile(r"In (#\S+): (.*) \(\d+\)")
_TOPIC_IS = re.compile(r"The topic of (#\S+) is: (.*)")


def answer(text: str) -> Seen:
    """What a line of an answer says."""
    if found := _WELCOMED.fullmatch(text):
        return Welcomed(found[1])
    if found := _HERE.fullmatch(text):
        return Here(tuple(re.split(r", (?![^(]*\))", found[2])), found[1])
    if found := _TOPIC_IS.fullmatch(text):
        return TopicIs(found[2], found[1])
    return Told(text)


def event(line: str, me: str) -> list[Seen] | None:
    """What a line says that begins with a time; None if it does not."""
    stamped = _STAMPED.fullmatch(line)
    if stamped is None:
        return None
    text = stamped[1]
    if found := _WHISPER.fullmatch(text):
        who, to = (me, found[2]) if found[1] == "to" else (found[2], me)
        return [Whispered(who, to, found[3])]
    if found := _RENAMED.fullmatch(text):
        return [Renamed(*found.groups())]
    if found := _TOPIC.fullmatch(text):
        return [TopicSet(found[1], found[3], found[2])]
    if found := _NO_TOPIC.fullmatch(text):
        return [TopicSet(found[1], "", found[2])]
    if found := _JOINED.fullmatch(text):
        return [Joined(who, found[2]) for who in _several(found[1])]
    if found := _LEFT.fullmatch(text):
        return [Left(who, found[3] or "", found[2]) for who in _several(found[1])]
    if found := _NOTICE.fullmatch(text):
        return [Noticed(found[1])]
    if found := _SENT.fullmatch(text):
        return [Sent(found[2], found[3], found[4] or "", found[1] or "#lobby")]
    if found := _DID.fullmatch(text):
        return [Did(found[2], found[3], found[1] or "#lobby")]
    if found := _SAID.fullmatch(text):
        return [Said(found[2], found[3], found[1] or "#lobby")]
    raise AssertionError(f"what does this say? {line!r}")


def _several(names: str) -> list[str]:
    return re.split(r", | and ", names)


class Netcat(Visitor):
    """Somebody with netcat."""

    kind = Person
    _wanted = ""  # the nickname that they asked for last; what history tells is of others

    def answers(self, nickname: str) -> Self:
        """See `Visitor.answers`."""
        self.line.types(nickname)
        return self

    def proves(self, nickname: str, password: str) -> Self:
        """See `Visitor.proves`."""
        self.line.types(nickname, password)
        return self

    def says(self, *texts: str) -> Self:
        """See `Visitor.says`."""
        self.line.types(*("/" + text if text.startswith("/") else text for text in texts))
        return self

    def does(self, *commands: str) -> Self:
        """See `Visitor.does`."""
        for command in commands:
            word, _, rest = command.partition(" ")
            if word == "/nick":
                self._wanted = rest
        self.line.types(*commands)
        return self

    def _reads(self) -> list[Seen]:
        return [seen for line in self.line.sees_with_times() for seen in self._read(line)]

    def _read(self, line: str) -> list[Seen]:
        if _QUESTION.fullmatch(line):
            return []
        seen = event(line, self.nickname)
        if seen is None:
            begin, text = line[:4], line[4:]
            assert begin in ("*** ", "!!! "), line
            seen = [answer(text) if begin == "*** " else Refusal(text)]
        for each in seen:
            if isinstance(each, Welcomed):
                self.nickname = each.nickname
            elif each == Renamed(self.nickname, self._wanted):
                self.nickname = self._wanted
        return seen
