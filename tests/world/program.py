"""A program on structured lines, which checks everything that it is told."""

import json
import re
from typing import Any

from tests.world.fitting import is_page
from tests.world.oracle import TOKEN
from tests.world.people import POSTER, Request
from tests.world.visit import Visit

_STORED = ("message", "action", "whisper", "rename", "topic", "hidden")
_ACTS = ("message", "action", "rename", "topic", "away")
_ANSWERS = ("answer", "history", "pong", "error")
_AT_ONCE = ("too-fast", "closing")
"""Codes of refusals that wait for nothing; over the rate limit, neither does a known outcome."""
_CLAIMS = ("/me", "/whisper", "/reply", "/topic", "/nick")
"""Commands whose answer says that something is stored."""


class ProgramVisit(Visit):
    """A connection in structured lines."""

    is_resumed = False
    has_missed = False
    last_answered = -1
    awaits_notice = False
    was = ""
    token = ""

    @property
    def asked(self) -> dict[str, list[int]]:
        """Requests on this connection: their places among all."""
        return self.__dict__.setdefault("_asked", {})  # type: ignore[no-any-return]

    @property
    def has_left(self) -> set[str]:
        """Rooms that they have left, and not entered again."""
        return self.__dict__.setdefault("_has_left", set())  # type: ignore[no-any-return]

    @property
    def stale(self) -> dict[str, int]:
        """What they had seen of rooms in an earlier run, of which nothing is kept."""
        return self.__dict__.setdefault("_stale", {})  # type: ignore[no-any-return]

    @property
    def outcomes(self) -> dict[str, list[str]]:
        """What came of them here."""
        return self.__dict__.setdefault("_outcomes", {})  # type: ignore[no-any-return]

    def hello(self, nickname: str, *, resume: bool) -> None:
        """Say hello, perhaps again."""
        who = self.who
        thing: dict[str, Any] = {"do": "hello", "nick": nickname, "ref": f"hello{self.number}"}
        thing["quiet"] = who.is_quiet
        self.stale.clear()
        if resume and who.token:
            self.token = who.token
            self.was = self.world.server.nickname_of(self.oracle.by_token[who.token])
            thing |= {"session": who.token, "seen": dict(who.seen)}
            for room, last in who.seen.items():
                self.view(room).last = last
                if self.oracle.path is None and who.run != self.world.run and room != "@":
                    self.stale[room] = last
        else:
            self.rooms.clear()
        if resume and who.epoch:
            thing["epoch"] = who.epoch
        self.write(thing)

    def write(self, thing: dict[str, Any]) -> None:
        """Send an object."""
        self.sends(json.dumps(thing).encode() + b"\n")

    @property
    def new_ref(self) -> str:
        """What they call their next request."""
        return f"c{self.oracle.step}.{len(self.who.requests)}"

    def asks(self, ref: str, thing: dict[str, Any]) -> None:
        """Ask for something, perhaps again."""
        if self.is_finishing:
            return
        request = self.who.requests.setdefault(ref, Request(thing))
        request.sends += 1
        if request.sends == 1:
            self.means(request.text)
        if request.word == "/join":
            self.may_enter(request.text.partition(" ")[2])
            self.view(request.text.partition(" ")[2]).entries += 1
        for token in TOKEN.findall(request.text) * (request.sends > 1):
            self.oracle.typed.pop(token, None)  # this may be done now or then
        self.who.sent.append(request)
        room = str(thing.get("room") or "").lower()
        request.known = self.oracle.newest.get(self._log(room), 0)
        if request.word == "/reply" and not self.who.ever_ignored:
            request.known = bool(self.oracle.last_whisperer(self.person))
        self.asked.setdefault(ref, []).append(sum(map(len, self.asked.values())))
        self.write(request.thing | {"ref": ref})

    def learns_who(self, line: str) -> None:
        """See `Visit.learns_who`."""
        if not self.person and line.startswith('{"event":"welcome"'):
            self.person = self.oracle.by_token.get(json.loads(line)["session"], "")

    def reads(self, line: str, step: int) -> None:
        """See `Visit.reads`."""
        if self.who.visit is not self:
            return  # they have come over another connection
        if not line.startswith("{"):
            if not line.startswith(("Welcome to ", "!!! ")):
                self.oracle.find("unsafe", f"{self} reads {line!r}")
            self.refusals += line.startswith("!!! ")
            return
        thing = json.loads(line)
        kind = thing["event"]
        if kind in ("welcome", "state", "answer", "history", "error", "missed"):
            getattr(self, f"_{kind}")(thing, step)
        elif kind != "pong":
            self._event(kind, thing, line)
        request = self.who.requests.get(thing.get("ref", ""))
        # what is sent again may be answered at once, and what is said is counted when it is heard
        is_asked = request and request.sends == 1 and request.thing["do"] != "say"
        is_due = kind in _ANSWERS and thing.get("code") not in _AT_ONCE
        if is_asked and is_due and self.is_clean:
            self.spends(1 + len(line) // self.world.limits.answer_bytes)
        if "ref" in thing:
            self._outcome(kind, thing)

    def _welcome(self, thing: dict[str, Any], step: int) -> None:
        who = self.who
        self.is_named = True
        self.is_resumed = thing["resumed"]
        self._check_session()
        if "epoch" in thing:
            who.epoch = thing["epoch"]
        if self.is_resumed:
            if self.person != (whose := self.oracle.by_token.get(self.token)):
                self.oracle.find("session", f"the token of {whose} opens {self.person}")
            former = self.world.server.names_of_all()[self.person][1:]
            self.awaits_notice = self.was in former and thing["nick"] != self.was
            who.nickname, who.rooms = thing["nick"], {}
            for room in [room for room in self.rooms if room not in (*thing["rooms"], "@")]:
                del self.rooms[room]  # which they left, perhaps without hearing of it
                who.seen.pop(room, None)
                self.has_left.add(room)
            if who.run != self.world.run and self.world.had_trouble:
                who.sent.append(Request({"do": "join"}))  # where they are may not be stored,
                who.ignoring, who.ignored = set(), set()  # nor whom they ignore
                who.floors = {}
        else:
            kept = {room: view.last for room, view in self.rooms.items() if room != "@"}
            self._leave_others()
            who.begins_anew(self.person, thing["nick"])
            self.rooms.clear()
            end = self.began_after.get("#lobby", 0)
            who.floors = {"#lobby": 0 if self.token else end - self.world.longest_entry + 1}
            for room, last in kept.items():
                self.view(room).last = last if self.oracle.path else None
        self.view("@").last = who.seen.get("@", 0)
        who.token = thing["session"]
        if who.is_quiet and not self.is_resumed:
            self.oracle.quiet.add(self.person)
        who.run = self.world.run

    def _leave_others(self) -> None:
        """A program that begins anew has nothing to do with its old connection."""
        for visit in self.world.visits:
            if visit.who is self.who and visit is not self:
                visit.socket.goes()

    def _check_session(self) -> None:
        """Who comes back in time finds their session."""
        who = self.who
        if not self.token or self.is_resumed or who.has_quit or self.oracle.law.has_banned:
            return
        in_time = self.world.now - who.lost_at < self.world.limits.resume_seconds - 1
        kept = who.run == self.world.run or who.person in self.oracle.origins
        if in_time and kept and (who.run == self.world.run or self.oracle.path is not None):
            self.oracle.find("session-lost", f"{self} comes back in time, and is a stranger")

    def _state(self, thing: dict[str, Any], step: int) -> None:
        room = thing["room"].lower()
        view = self.view(room)
        nicknames = [member["nick"] for member in thing["members"]]
        if len({nickname.lower() for nickname in nicknames}) < len(nicknames):
            self.oracle.find("two-of-one-name", f"{self} is told of {nicknames} in {room}")
        now = self.socket.capacity is None
        holder = self.world.server.holder_of
        view.members = {nick.lower(): holder(nick) if now else "" for nick in nicknames}
        if thing["count"] != len(nicknames):
            self.oracle.find("count", f"{self} is told of {thing}")
        if now and self.person not in view.members.values():
            self.oracle.find("state", f"{self} is told of {room} without them: {nicknames}")
        log = self.oracle.logs.get(room, {}).items()
        shown = [row for number, row in log if number <= self.oracle.heard.get(room, 0)]
        topics = [row.text for row in shown if row.kind == "topic"][-1:]
        if self.is_clean and topics not in ([], [thing["topic"]]):
            self.oracle.find("topic", f"{self} is told {thing['topic']} in {room}, not {topics}")
        view.told = step
        view.is_entered = True
        view.entries -= 1
        if self.is_clean and view.entries < 0:
            self.oracle.find("state-again", f"{self} has missed nothing, and is told {thing}")
        if room in self.has_left and not any(map(self._is_join, self.unanswered())):
            self.oracle.find("state-after-leave", f"{self} has left {room}, and is told its state")
        self.who.rooms[room] = None

    def _answer(self, thing: dict[str, Any], step: int) -> None:
        for line in thing["lines"]:
            self.answered(line, step)
            if found := re.match(r"You are in (#\S+): what you type", line):
                self.has_left.discard(found[1])
        request = self.who.requests.get(thing.get("ref", ""))
        if request is None:
            return
        text = request.text
        request.lines += thing["lines"]
        left = {line for line in request.lines if line.startswith("You left ")}
        rooms = {line.split(";")[0] for line in left}
        if request.is_kept and request.word == "/leave" and len(rooms) > 1:
            self.oracle.find("again", f"{self} asked once, and left twice: {left}")
        if request.word in _CLAIMS or request.thing["do"] == "say":
            self._check_stored(text, thing)
        if request.word == "/history":
            for line in thing["lines"]:
                said = self.said(line)
                if said is not None:
                    self.check_ignored(said, line)

    def _check_stored(self, text: str, answer: dict[str, Any]) -> None:
        """What an answer says is done survives a kill at this instant."""
        if self.oracle.path is None:
            return
        if text.startswith("/nick "):
            stored = any(
                row.kind == "rename" and row.to == text[6:] and row.origin == self.person
                for rows in self.oracle.logs.values()
                for row in rows.values()
            )
        elif text.startswith(("/whisper ", "/reply ")):
            rows = self.oracle.logs.get("@" + self.person, {})
            at_id = list(rows.values())
            is_there_still = self.is_clean and not self.oracle.forgets_before
            if answer.get("id") and is_there_still:
                at_id = [rows[answer["id"]]] if answer["id"] in rows else []
            is_erased = self.person in self.oracle.gone  # this was answered before, and read late
            stored = is_erased or any(row.text and row.text in text for row in at_id)
        else:
            places = [self.oracle.places.get(token, ("", 0))[1] for token in TOKEN.findall(text)]
            stored = all(place and answer.get("id", place) == place for place in places)
        if not stored:
            self.oracle.find("unstored-answer", f"{self} is told {answer} of {text}")

    def check_reads_on(self) -> None:
        """See `Visit.check_reads_on`."""
        if self.awaits_notice:
            self.oracle.find("notice", f"{self} is not told who took their nickname")
        for room in (*self.who.rooms, "@"):
            last = self.view(room).last
            end = self.oracle.heard.get(self._log(room), 0)
            if last not in (None, end):
                self.oracle.find("deaf", f"{self} has read {room} up to {last}, and not to {end}")

    def left(self, room: str) -> None:
        """See `Visit.left`."""
        view = self.view(room)
        view.joining += 1
        view.is_entered, view.members = False, None
        self.has_left.add(room)
        self.may_enter(room)

    def may_enter(self, room: str) -> None:
        """They may enter a room, where they are shown so much of its history."""
        if room in self.has_left and not any(map(self._is_join, self.unanswered())):
            self.who.floors.pop(room, None)
        end = self.oracle.heard.get(room, 0)
        self.who.floors.setdefault(room, end - self.world.longest_entry + 1)

    def _is_join(self, ref: str) -> bool:
        return self.who.requests[ref].word == "/join"

    def _error(self, thing: dict[str, Any], step: int) -> None:
        self.refused(thing["text"])
        if "ref" not in thing:  # they are not let into a room of theirs, and begin it anew later
            for room in self.rooms.keys() - self.who.rooms.keys() - {"@"}:
                self.view(room).last = None
        request = self.who.requests.get(thing.get("ref", ""))
        if request and request.known and thing["text"].startswith("Nobody has whispered to you"):
            self.oracle.find("reply", f"{self} cannot answer a whisper: {thing}")
        if request and request.word == "/reply" and thing["code"] == "whisper-to-self":
            self.oracle.find("reply", f"{self} would answer themselves: {thing}")

    def _missed(self, thing: dict[str, Any], step: int) -> None:
        view = self.view(thing["room"])
        self.stale.pop(thing["room"].lower(), None)
        self.has_missed = True
        if not thing["count"]:
            view.last = 0
        elif view.joining:  # what is missed is older than what they read before
            view.last, view.joining = None, view.joining - 1
        elif view.last is not None:
            view.last += thing["count"]

    def _event(self, kind: str, thing: dict[str, Any], line: str) -> None:
        room = thing["room"].lower()
        view = self.view(room)
        number = thing.get("id", 0)
        replayed = thing.get("replayed", False)
        if (number > 0) != (kind in _STORED):
            self.oracle.find("ids", f"{self} reads {line}")
        if number:
            self._counts(room, number, line)
            self.who.seen[room] = max(self.who.seen.get(room, 0), number)
        self._check_text(kind, thing, room, line)
        self._check_replayed(room, number, line, replayed=replayed)
        if replayed:
            return
        said = self.said(thing.get("text", "") or thing.get("reason", ""))
        if said is not None and number:
            self.check_left(said, line)
        if kind == "notice" and thing["text"].startswith("Somebody else took the nickname"):
            self.awaits_notice = False
        if kind in _ACTS and self.is_clean and (said is None or not self.is_me(said)):
            view.acts(self.oracle, thing["from"], said, str(self))
        if kind == "away" and TOKEN.fullmatch(thing.get("text", "")):  # else it is the server's
            if thing["text"] in view.texts:
                self.oracle.find("again", f"{self} is told again: {line}")
            view.texts[thing["text"]] = None
        if kind in ("join", "leave") and thing["from"].startswith(POSTER):
            self.oracle.find("quiet", f"{self} is told of who only posts: {line}")
        if kind == "join":
            view.joined(thing["from"])
        elif kind == "leave":
            view.left(thing["from"])
            view.farewells[thing["from"]] = thing.get("reason", "")
        elif kind == "rename":
            view.renamed(self.oracle, thing["from"], thing["to"], str(self))
            if (
                self.oracle.path is None
                and thing["from"] == self.who.nickname
                and thing["to"] in self.renaming
            ):
                self.who.nickname = thing["to"]

    def _check_replayed(self, room: str, number: int, line: str, *, replayed: bool) -> None:
        """What they come to is history, and nothing else is."""
        before = self.oracle.entered.get((self.person, self._log(room)), 0)
        if number and self.is_clean and (number <= before) != replayed:
            kind, other = ("history", "new") if replayed else ("new", "history")
            self.oracle.find("replayed", f"{self} reads as {kind} what is {other}: {line}")
        if replayed and (self.view(room).is_entered or not number):
            self.oracle.find("replayed", f"{self} reads as history what is new: {line}")

    def _log(self, room: str) -> str:
        """The name of what they know as a room."""
        return "@" + self.person if room == "@" else room

    def _counts(self, room: str, number: int, line: str) -> None:
        """Numbers go up by one, but for a room that was joined again."""
        view = self.view(room)
        if stale := self.stale.get(room):
            self.oracle.find("epoch", f"{self} had seen {stale} of another run, and reads {line}")
        is_next = number == (view.last or 0) + 1  # also the rest, after leaving
        if number < self.who.floors.get(room, 0) and not is_next:
            self.oracle.find("stale-seen", f"{self} reads {line} on entering again")
        if view.last is not None and not is_next:
            if not view.joining:
                name = "twice" if number <= view.last else "hole"
                self.oracle.find(name, f"{self} reads {line} after {room} {view.last}")
            view.joining -= 1
        view.last = number

    def _check_text(self, kind: str, thing: dict[str, Any], room: str, line: str) -> None:
        number = thing.get("id", 0)
        log = self._log(room)
        text = thing.get("text", "") or thing.get("reason", "")
        said = self.said(text)
        if kind == "hidden":
            return
        if number:
            what = f"{kind} {thing['from']} {thing.get('to')} {text}"
            self.oracle.sees(log, number, what, str(self))
        if said is None:
            return
        self.check_ignored(said, line)
        if said.time and number and thing["time"] != said.stamp:
            self.oracle.find("time", f"{self} reads {line}, which was done at {said.stamp}")
        if text != said.text or thing["from"] != said.nickname or kind != said.kind:
            self.oracle.find("forged", f"{self} reads {line} for {said}")
        if said.room and said.room != room:
            self.oracle.find("room", f"{self} reads in {room} what was said in {said.room}")

    def _history(self, thing: dict[str, Any], step: int) -> None:
        room = thing["room"].lower()
        request = self.who.requests.get(thing.get("ref", ""))
        if request is None:
            return
        asked, events = request.thing, thing["events"]
        ids = [event["id"] for event in events]
        for event in events:
            self._check_text(event["event"], event, room, json.dumps(event))
        if ids and ids != list(range(ids[0], ids[0] + len(ids))):
            self.oracle.find("hole", f"{self} reads a page of {room} with {ids}")
        if len(ids) > min(asked["limit"], self.world.most_history):
            self.oracle.find("history", f"{self} reads {len(ids)} events for {asked}")
        size = sum(len(json.dumps(event, separators=(",", ":"))) + 1 for event in events)
        if size > self.world.limits.history_bytes and len(ids) > 1:
            self.oracle.find("history", f"{self} reads {size} bytes for {asked}")
        last = self.oracle.heard.get(self._log(room), 0)
        first: int | None = 1
        if self.oracle.path is None or self.oracle.forgets_before:
            first = None
        if not is_page(asked, ids, first, request.known, last, more=thing["more"]):
            self.oracle.find("history", f"{self} reads {ids} of {room} for {asked}: {thing}")

    def _outcome(self, kind: str, thing: dict[str, Any]) -> None:
        ref = thing["ref"]
        request = self.who.requests.get(ref)
        if request is None or ref.startswith("hello"):
            return
        is_say = request.thing["do"] == "say"
        if kind not in _ANSWERS and not is_say:
            return
        if thing.get("replayed") and request.outcomes:
            return  # which they read once more
        request.outcomes.append(kind)
        places = self.asked.get(ref)
        if places is None:
            return
        here = self.outcomes.setdefault(ref, [])
        here.append(kind)
        was_done = request.is_kept and set(request.outcomes) - {"error"}
        if kind == "error" and thing["code"] not in _AT_ONCE and was_done:
            self.oracle.find("outcomes", f"{self} was told {request}, and now {thing}")
        answers = sum(each in _ANSWERS for each in here)
        if answers > len(places) or (request.sends == 1 and len(request.outcomes) > 1):
            self.oracle.find("outcomes", f"{self} gets {here} for {request.thing} ({ref})")
        if (
            kind in _ANSWERS
            and not is_say
            and request.sends == len(places) == 1
            and thing.get("code") not in _AT_ONCE
        ):
            place = places[0]
            if place < self.last_answered:
                self.oracle.find("answer-order", f"{self} gets {thing} after what it asked later")
            self.last_answered = max(place, self.last_answered)

    def unanswered(self) -> list[str]:
        """Requests of this connection that nothing came of."""
        return [
            ref
            for ref in self.asked
            if not self.outcomes.get(ref)
            and not (self.has_missed and self.who.requests[ref].thing["do"] == "say")
            and "=x" not in self.who.requests[ref].thing.get("text", "")
        ]
