"""A device of somebody with an account, or of a guest among them: what it asks for, and is told."""

import json
from typing import Any

from tests.world.header import COURTS
from tests.world.law import Owner
from tests.world.people import Request
from tests.world.visit import Visit

_OUTCOMES = ("answer", "error", "pong", "history")
PASSWORD = "a fine password"


class Device(Visit):
    """A connection in structured lines; its person may be here over others too."""

    token = ""  # which it came with
    is_fresh = True  # it came without one, or with one of which little is known
    has_missed = is_resumed = has_reason = False
    is_alone = True  # nobody had read for them over another device when they came
    is_false = False  # they came with what lets nobody in
    is_second = False  # they have logged in over a connection that was a guest's

    def __init__(self, *args: Any) -> None:
        self.requests: dict[str, Request] = {}
        self.entries: dict[str, int] = {}  # which entering of a room they read
        self.home: dict[str, int] = {}  # where they were, and how often they had entered that
        super().__init__(*args)

    # What they send

    def hello(self, how: str = "") -> None:
        """Come: with a token, or a password, or as a guest; or with what lets nobody in."""
        who, law = self.who, self.oracle.law
        thing: dict[str, Any] = {"do": "hello", "nick": who.wish}
        owner = law.accounts.get(who.wish)
        self.token, self.is_false = who.token, bool(how)
        if how == "a token that is over":
            thing |= {"session": who.dead_token}
            self.token = ""
        elif how:
            thing |= {"password": how}
            self.token = ""
        elif who.token:
            thing |= {"session": who.token, "seen": dict(who.seen), "epoch": who.epoch}
        elif owner is not None:
            thing |= {"password": owner.passwords[0], "remember": who.wants_to_stay}
        self.is_fresh = not self.token
        self.wishes += 1
        self.ask(thing)

    def ask(self, thing: dict[str, Any]) -> None:
        """Ask for something."""
        ref = f"d{self.number}.{len(self.who.requests)}"
        self.requests[ref] = self.who.requests[ref] = Request(thing, 1)
        self.sends(json.dumps(thing | {"ref": ref}).encode() + b"\n")

    def says(self, line: str, room: str = "") -> None:
        """Say or do something."""
        if not self.is_finishing:
            self.means(line)
            thing = {"do": "command" if line.startswith("/") else "say", "text": line}
            self.ask(thing | {"room": room} if room else thing)

    # What they are told

    def given(self, data: bytes) -> None:
        """See `Visit.given`: nobody is sent away who has not been told why."""
        was_open, has_quit = self.is_open, self.who.has_quit or self.socket.is_gone
        super().given(data)
        is_expected = self.is_finishing or self.who.is_ended or has_quit or self.has_reason
        if was_open and not self.is_open and self.is_named and self.is_clean and not is_expected:
            self.oracle.find("sent-away", f"{self} was sent away, and told nothing")

    def learns_who(self, line: str) -> None:
        """See `Visit.learns_who`."""
        if line.startswith('{"event":"welcome"'):  # once more if they log in while they are here
            self.guest = self.person
            self.person = self.oracle.by_token.get(json.loads(line)["session"], "")

    def reads(self, line: str, step: int) -> None:
        """See `Visit.reads`."""
        if self.who.visit is not self or not line.startswith("{"):
            return
        thing = json.loads(line)
        kind = thing["event"]
        if kind in ("welcome", "state", "answer", "error", "missed"):
            getattr(self, f"_{kind}")(thing)
        elif kind not in ("history", "pong"):
            self._event(kind, thing, line)
        request = self.requests.get(thing.get("ref", ""))
        if thing.get("ref", "") not in ("", *self.who.requests) and not thing.get("replayed"):
            self.oracle.find("ref", f"{self} never asked for this: {line}")
        if request is None or thing.get("replayed"):
            return
        if kind in _OUTCOMES or request.thing["do"] != "command":
            request.outcomes.append(kind)
            if len(request.outcomes) > 1:
                self.oracle.find("outcomes", f"{self} gets {request.outcomes} for {request}")

    def _welcome(self, thing: dict[str, Any]) -> None:
        who, law = self.who, self.oracle.law
        self.is_named = True
        owner = law.accounts.get(who.wish)
        hello = next(each for each in self.requests.values() if not each.outcomes)
        if hello.thing["do"] == "hello":
            hello.outcomes.append("welcome")
        else:
            self.token, self.is_fresh, owner = "", True, None
            self.is_second = True
        whose = self.oracle.by_token.get(self.token)
        if self.is_false and owner is not None and self.person == owner.id:
            self.oracle.find("open", f"{self} is let in with {hello.thing}")
        if self.token and self.person != whose:
            self._check_comes_back(f"as {thing['nick']}")
        elif not self.token and owner is not None and self.person != owner.id:
            self.oracle.find("session", f"{self} logs in as {who.wish}, and is {self.person}")
        if owner is not None and self.person == owner.id and thing.get("account") != who.wish:
            self.oracle.find("session", f"{self} is told {thing.get('account')} of its account")
        self.is_alone = self.oracle.came_alone.get(thing["session"], True)
        self.rooms.clear()
        self.is_resumed = thing["resumed"]
        if self.is_resumed:  # else they enter anew where they were
            who.seen = {room: who.seen.get(room, 0) for room in (*thing["rooms"], "@")}
        elif not self.token or thing["epoch"] != who.epoch:
            who.seen = {}
        if not thing["resumed"] and self.person != whose:
            who.seen.pop("@", None)
            who.is_remembered = bool(hello.thing.get("remember"))
        for room, last in who.seen.items():
            self.view(room).last = last or None
            self.entries[room] = self._entering(room)
        if "rooms" not in thing:
            here = self.world.server.person(self.person) if not self.world.had_trouble else None
            at_home = law.homes.get(self.person, ()) if here else ()
            self.home = {r: self._entering(r) for r in at_home if law.may_enter(here, r)}
        who.person, who.nickname, who.run = self.person, thing["nick"], self.world.run
        who.token, who.epoch = thing["session"], thing["epoch"]
        who.has_quit, who.is_ended = self.is_finishing, False

    def _check_comes_back(self, what: str) -> None:
        """Who has a token that was kept, and was not logged out, comes back with it."""
        who = self.who
        away = self.world.now - who.lost_at
        is_over = who.is_ended or (who.has_quit and not who.is_remembered)
        in_time = who.is_remembered or away < self.world.limits.resume_seconds - 1
        is_kept = who.run == self.world.run or self.oracle.law.is_kept(
            self.token, is_remembered=who.is_remembered
        )
        is_sure = not self.world.is_clock_set and not self.oracle.law.has_banned
        if in_time and is_kept and not is_over and is_sure:
            self.oracle.find("session-lost", f"{self} has a token, and is told {what}")

    def _error(self, thing: dict[str, Any]) -> None:
        who, law = self.who, self.oracle.law
        request = self.requests.get(thing.get("ref", ""))
        self.refused(thing["text"])
        if request is not None:
            request.lines.append(thing["code"])
        self.has_reason |= thing["code"] in _REASONS
        if thing["code"] == "logged-out":
            who.is_ended = True
        if request is None or request.thing["do"] != "hello" or self.is_named:
            return
        if self.token and thing["code"] == "registered-nick":
            self._check_comes_back(str(thing))
            who.token, who.seen = "", {}
        elif thing["code"] == "registered-nick" and who.wish not in law.accounts:
            account = self.world.server.account(who.wish)  # of which they were not told
            if account is not None:
                law.accounts[who.wish] = Owner(account, [PASSWORD])
        elif self.is_false:
            return
        elif thing["code"] == "bad-password" and who.wish in law.accounts:
            passwords, sent = law.accounts[who.wish].passwords, request.thing["password"]
            if passwords[0] == sent:
                passwords.append(passwords.pop(0))
            if passwords == [sent]:
                self.oracle.find("account-lost", f"{self} has the right password: {thing}")

    def _state(self, thing: dict[str, Any]) -> None:
        room, law = thing["room"].lower(), self.oracle.law
        self.view(room).told = self.oracle.step
        if not self.is_clean:
            return
        for member in thing["members"]:
            holder = self.oracle.holder_of(member["nick"])
            rank = law.court(room).shown_rank(holder, is_admin=law.is_admin(holder))
            if holder and member["role"] != rank:
                self.oracle.find("role", f"{self} is told {member} of a {rank} in {room}")

    def _missed(self, thing: dict[str, Any]) -> None:
        view = self.view(thing["room"])
        self.has_missed = True
        if thing["room"] == "@":
            self._misses_whispers()
        entering = self._entering(thing["room"].lower())
        is_anew = self.entries.get(thing["room"].lower(), entering) != entering
        is_known = view.last is not None and thing["count"] and not is_anew
        view.last = view.last + thing["count"] if is_known else None

    def _answer(self, thing: dict[str, Any]) -> None:
        request = self.requests.get(thing.get("ref", ""))
        law = self.oracle.law
        for line in thing["lines"]:
            if line.startswith("The nickname ") and line.endswith(" is yours."):
                name = line.split()[2].lower()
                password = request.text.partition(" ")[2] if request else PASSWORD
                law.accounts[name] = Owner(self.person, [password])
                if self.oracle.path is not None and not self.oracle.has_account(self.person):
                    self.oracle.find("unstored-answer", f"{self} is told {line}")
            elif line == "Your password is changed." and request is not None:
                owner = law.owners[self.person]
                owner.passwords = [request.text.partition(" / ")[2]]
            elif line == "You are logged out.":
                who = self.who
                who.dead_token, who.token, who.is_ended = who.token, "", True
        number = thing.get("id")
        room = str(request.thing.get("room", "")) if request else ""
        if (
            number
            and room
            and request
            and request.word in _DECIDING
            and "--server" not in request.text
        ):
            row = self.oracle.logs.get(room, {}).get(number)
            if self.oracle.path and (row is None or row.origin != self.person):
                self.oracle.find("unstored-answer", f"{self} is told {thing} of {request}: {row}")

    def _event(self, kind: str, thing: dict[str, Any], line: str) -> None:
        room = thing["room"].lower()
        log = "@" + self.person if room == "@" else room
        self.has_reason |= kind == "notice" and not thing["text"].startswith("Somebody")
        text = thing.get("text", "") or thing.get("reason", "")
        number = thing.get("id", 0)
        said = self.said(text)
        if number:
            self._counts(room, log, number, line, thing)
            if kind != "hidden":
                what = f"{kind} {thing['from']} {thing.get('to')} {text}"
                self.oracle.sees(log, number, what, str(self))
        if said is not None and kind != "hidden":
            if thing["from"] != said.nickname or text != said.text:
                self.oracle.find("forged", f"{self} reads {line} for {said}")
            if number:
                self.check_left(said, line)
        if thing.get("replayed") and number > self.oracle.entered.get((self.person, log), number):
            self.oracle.find("replayed", f"{self} reads as history what is new: {line}")

    def _counts(self, room: str, log: str, number: int, line: str, thing: dict[str, Any]) -> None:
        """Each event once, and none left out, but for rooms that were left and entered again."""
        view, entering = self.view(room), self._entering(log)
        is_anew = entering != self.entries.get(room, entering)
        is_anew |= not self.is_clean and entering > 1  # they may read that much later
        if self.is_second and view.last is not None and number <= view.last:
            return  # they read to the end as a guest too
        if view.last is not None and number != view.last + 1 and (room == "@" or not is_anew):
            name = "twice" if number <= view.last else "hole"
            self.oracle.find(name, f"{self} reads {line} after {room} {view.last}")
        self.entries[room] = entering
        view.last = self.who.seen[room] = number
        if room != "@":
            return
        own = self.oracle.own.setdefault(self.person, set())
        before = self.began_after.get(log, 0)
        is_kept = not self.world.had_trouble  # how far they had read
        is_read = is_kept and number in own and number <= self.oracle.read_until.get(self.person, 0)
        if self.is_fresh and number <= before and (is_read or not self.is_alone):
            self.oracle.find("twice", f"{self} reads on a new device what was read: {line}")
        own.add(number)

    def _entering(self, log: str) -> int:
        return self.oracle.entries.get((self.person, log), 0)

    def ends(self) -> None:
        """See `Visit.ends`: what is under way just now is lost with the line."""
        super().ends()
        if self.is_finishing or self.socket.capacity is None:
            self._misses_whispers()
        for _, line in self._unread:  # which the server has got rid of
            if '"room":"@"' in line:
                own = self.oracle.own.setdefault(self.person, set())
                own.add(json.loads(line).get("id", 0))

    def _misses_whispers(self) -> None:
        """No device is given again what there is now."""
        end = self.oracle.heard.get("@" + self.person, 0)
        self.oracle.own.setdefault(self.person, set()).update(range(end + 1))

    # What must be so when all is quiet

    @property
    def is_logging_in(self) -> bool:
        """See `Visit.is_logging_in`."""
        logins = [each for each in self.requests.values() if each.word == "/login"]
        return not all(each.outcomes for each in logins)

    def check_reads_on(self) -> None:
        """See `Visit.check_reads_on`."""
        oracle, person = self.oracle, self.world.server.person(self.person)
        for room, times in self.home.items() if self.world.limits.rooms > len(COURTS) + 8 else ():
            if times == self._entering(room) and oracle.law.may_enter(person, room):
                oracle.find("homeless", f"{self} was in {room} when they left, and is not now")
        for room, entered in self.world.server.rooms_of(self.person).items():
            last, end = self.view(room).last, oracle.heard.get(room, 0)
            is_due = end > entered if self.is_resumed else oracle.path is not None and end
            if last != end and (last is not None or (is_due and not self.has_missed)):
                oracle.find("deaf", f"{self} has read {room} up to {last}, and not to {end}")
        log = "@" + self.person
        last, end = self.view("@").last, oracle.heard.get(log, 0)
        if last not in (None, end):
            oracle.find("deaf", f"{self} has read its own log up to {last}, and not to {end}")
        if self.person not in oracle.law.owners or oracle.path is None:
            return
        whispers = (number for number, row in oracle.logs.get(log, {}).items() if row.text)
        unread = set(whispers) - oracle.own.get(self.person, set())
        if unread and not oracle.forgets_before:
            oracle.find("undelivered", f"no device of {self} was ever given {unread} of {end}")

    def unanswered(self) -> list[str]:
        """Requests of this connection that nothing came of."""
        return [
            ref
            for ref, request in self.requests.items()
            if not request.outcomes and "=x" not in request.text
        ]


_REASONS = ("closing", "flooding", "replaced", "logged-out", "disconnected", "banned")
_DECIDING = (
    *("/kick", "/mute", "/unmute", "/ban", "/unban", "/op", "/deop", "/voice", "/devoice"),
    *("/own", "/lock", "/unlock", "/close"),
)
