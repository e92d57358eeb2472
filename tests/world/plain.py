"""Somebody with netcat: plain lines, read as a person reads them."""

import re

from tests.world.oracle import TOKEN, Said
from tests.world.visit import Visit

_STAMPED = re.compile(r"\[((?:\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d)\] (.*)", re.DOTALL)
_COMES = re.compile(r"\*\*\* (.+) (?:has|have) (joined|left) (#\S+)(?: \((.*)\))?")
_TOLD_ONCE = ("lines are lost", "not a JSON", "shutting down, and that was not done")
_SAFE = re.compile(r"\[[\d :-]+\] |\*\*\* |!!! |Welcome to |What is your nickname\?$")


class PlainVisit(Visit):
    """A connection in plain lines."""

    answers_heard = 0

    def types(self, line: str, token: str = "", kind: str = "") -> None:
        """Send a line.

        Args:
            line: what they type.
            token: what their line is known by, if it is said in a room.
            kind: `join`, `users`, `history` or `time`, if it is a question.
        """
        self.means(line)
        self.sends(line.encode() + b"\r\n")
        if token and not self.is_finishing:
            self.typed.append((self.socket.sent, token))
        if kind:
            self.asked.append((kind, line.partition(" ")[2]))

    def stops_reading(self, capacity: int) -> None:
        """See `Visit.stops_reading`."""
        super().stops_reading(capacity)
        for view in self.rooms.values():
            view.members = None  # what is only told may be missed, and nobody tells them then

    def answers(self, nickname: str) -> None:
        """Answer the question for a nickname."""
        self.asked.append(("join", "#lobby"))
        self.sends(nickname.encode() + b"\n")

    @property
    def asked(self) -> list[tuple[str, str]]:
        """Questions that have not been answered yet."""
        return self.__dict__.setdefault("_asked", [])  # type: ignore[no-any-return]

    def learns_who(self, line: str) -> None:
        """See `Visit.learns_who`."""
        found = re.match(r"\*\*\* Welcome, (\S+)! You are in #lobby", line)
        if found and not self.person:
            self.person = self.oracle.claim(found[1])
            self.is_named = True
            self.who.begins_anew(self.person, found[1])

    def reads(self, line: str, step: int) -> None:
        """See `Visit.reads`."""
        if self.who.visit is not self:
            return
        if not _SAFE.match(line):
            self.oracle.find("unsafe", f"{self} reads {line!r}")
        if line.startswith("!!! "):
            self.refused(line[4:])
            self.is_lossy |= any(each in line for each in _TOLD_ONCE)
        elif line.startswith("*** "):
            self._read_answer(line[4:], step)
        elif found := _STAMPED.fullmatch(line.removesuffix("\a")):
            self._read_event(found[2], found[1])
        if line.endswith("\a") and not self.has_bell:
            self.oracle.find("bell", f"{self} hears a bell that they did not ask for: {line!r}")

    def _read_answer(self, line: str, step: int) -> None:
        self.answered(line, step)
        if line.startswith("The server's time is "):
            self.answers_heard += 1
            self._is_answered("time", "")
        elif line.startswith("There is nothing in the history"):
            self._is_answered("history", "")
        elif found := re.fullmatch(r"In (#\S+): (.*) \(\d+\)", line):
            names = self.split_names(found[2])
            view = self.view(found[1])
            is_behind = names is None or not self.is_clean
            view.members = None if is_behind else dict.fromkeys(map(str.lower, names or ()), "")
            view.told = step
            self._is_answered("join", found[1])
        elif found := re.match(r"You missed \d+ lines?(?: of (#\S+?))?: ", line):
            self.view(found[1] or "@").last = None

    def _is_answered(self, kind: str, room: str) -> None:
        for index, (other, where) in enumerate(self.asked):
            if other == kind or (kind == "join" and other == "users"):
                if other == "join" and where.lower() != room.lower():
                    return
                del self.asked[: index + 1]
                return

    def _read_event(self, line: str, stamp: str) -> None:
        said = self.said(line)
        if said is None or said.kind == "leave":
            self._read_coming_and_going(line, said)
            return
        self.check_ignored(said, line)
        self._check_words(said, line)
        if said.time and not said.stamp.replace("T", " ").split(".")[0].endswith(stamp):
            self.oracle.find("time", f"{self} reads {line} at {stamp}, which was at {said.stamp}")
        if said.room.startswith("#"):
            self._check_place(said, TOKEN.findall(line)[0], line)

    def _check_words(self, said: Said, line: str) -> None:
        room = "" if said.room in ("#lobby", "@") else said.room + " "
        me = self.is_me(said)
        right = {
            "message": [f"{room}{said.nickname}: {said.text}"],
            "action": [f"{room}* {said.nickname} {said.text}"],
            "topic": [f"*** {said.nickname} changed the topic of {said.room} to: {said.text}"],
            "whisper": [f"[whisper to {other}] {said.text}" for other in said.others.values()]
            if me
            else [f"[whisper from {said.nickname}] {said.text}"],
        }
        if line not in right.get(said.kind, ()):
            self.oracle.find("forged", f"{self} reads {line!r} for {said}")

    def _check_place(self, said: Said, token: str, line: str) -> None:
        """What is no answer comes once, in its order, with nothing left out."""
        view = self.view(said.room)
        log, number = self.oracle.places.get(token, ("", 0))
        known = token in view.live
        view.texts[token] = None
        if not number:
            self.oracle.find("unstored", f"{self} reads what is not stored: {line}")
        if self.asked:
            return
        view.live[token] = None
        self.check_left(said, line)
        me = self.is_me(said) and said.kind == "message"
        if known or me:
            self.oracle.find("plain-order", f"{self} reads again, and has asked nothing: {line}")
            return
        if not self.is_me(said):
            view.acts(self.oracle, said.nickname, said, str(self))
        if number:
            if view.last is not None:
                self._check_between(log, view.last, number)
            view.last = number

    def _check_between(self, log: str, last: int, number: int) -> None:
        view = self.view(log)
        if number < last:
            self.oracle.find("order", f"{self} reads {log} {number} after {last}")
        rows = self.oracle.logs.get(log, {})
        for each in range(last + 1, number):
            row = rows.get(each)
            if row is None or (row.origin == self.person and row.kind == "message"):
                continue
            tokens = TOKEN.findall(row.text or "")
            hidden = {row.sender.lower(), row.origin} & self.who.ever_ignored
            if tokens and tokens[0] not in view.texts and tokens[0][0] != "x" and not hidden:
                self.oracle.find("hole", f"{self} never reads {log} {each}: {row}")

    def check_reads_on(self) -> None:
        """See `Visit.check_reads_on`."""
        for room in self.who.rooms:
            view = self.rooms.get(room)
            if view is not None and view.last is not None:
                self._check_between(room, view.last, self.oracle.heard.get(room, 0) + 1)

    def _read_coming_and_going(self, line: str, said: Said | None) -> None:
        if said is not None:
            self.check_ignored(said, line)
        if found := re.fullmatch(r"\*\*\* (\S+) is now known as (\S+)", line):
            if (
                self.oracle.path is None
                and found[1] == self.who.nickname
                and found[2] in self.renaming
            ):
                self.who.nickname = found[2]
            for view in self.rooms.values():
                if view.members is None or found[1].lower() not in view.members:
                    continue
                if self.asked or len(self.rooms) > 1:  # history, or not in this room yet
                    view.members[found[2].lower()] = ""
                else:
                    view.members[found[2].lower()] = view.members.pop(found[1].lower())
        elif found := _COMES.fullmatch(line):
            view = self.view(found[3])
            names = self.split_names(found[1])
            if names is None:
                view.members = None
            for name in names or ():
                (view.joined if found[2] == "joined" else view.left)(name)
