"""A conversation in structured lines: the bundled client, web pages, bots."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from typing import Any

from twisted.internet.defer import Deferred

from twisted_chat.chat.chat import Chat
from twisted_chat.chat.person import Person, epoch_of
from twisted_chat.chat.presence import Shown
from twisted_chat.chat.request import Request
from twisted_chat.chat.room import Room
from twisted_chat.commands import table
from twisted_chat.commands.command import Lines
from twisted_chat.events import OWN, Entry
from twisted_chat.log.fanout import Fanout
from twisted_chat.refusal import Refused
from twisted_chat.sessions.session import Frontend, Session
from twisted_chat.text import names
from twisted_chat.text.cleaning import clean, is_blank
from twisted_chat.text.counted import seconds_to_wait
from twisted_chat.wire.plain import PlainWire
from twisted_chat.wire.structured import StructuredWire, decode, describe, encode, timestamp

COMMANDS = [
    {
        "name": f"/{command.name}",
        "usage": command.usage,
        "help": command.help,
        "aliases": [f"/{alias}" for alias in command.aliases],
    }
    for command in table.COMMANDS
]

REF = 100
"""Characters of a client's own name for a request."""


class StructuredSession(Session):
    """A conversation in structured lines.

    Args:
        chat: what the conversation is about.
        frontend: the connection that carries it.
        wire: how events are shown on it.
        plain: how the lines of an answer are shown that come from history.
    """

    _wire: StructuredWire
    may_resume = tells_members = True

    def __init__(
        self, chat: Chat, frontend: Frontend, wire: StructuredWire, plain: PlainWire
    ) -> None:
        super().__init__(chat, frontend, wire)
        self._plain = plain
        self._seen: dict[str, int] = {}  # by the room's key, what a client saw before it came back
        self._is_quiet = False
        self._is_of_old = False  # whether that was before the numbers began anew

    def handle(self, line: bytes) -> None:
        """Do what an object asks for; see `Session.handle`."""
        if not line.strip():
            return
        thing = decode(line)
        self.request.ref = _ref(thing)
        do = thing.get("do")
        act = _REQUESTS.get(do) if isinstance(do, str) else None
        if act is None:
            raise Refused(
                "bad-request", f'There is nothing to do: "do" is one of {", ".join(_REQUESTS)}.'
            )
        if self._person is None and do not in ("hello", "ping"):
            raise Refused("no-nick", 'Say {"do":"hello","nick":"..."} first.')
        act(self, thing)

    def refuse(self, why: Refused, ref: str | None = None) -> None:
        """Say why something is not done."""
        self.answer(self._wire.refusal(why, ref))

    def too_fast(self, line: bytes, wait: float) -> None:
        """Every request is answered, so that its sender can make it again."""
        ref, do = _named(line)
        if do in _ONCE and self._is_done(ref, do):
            return
        why = Refused("too-fast", f"That is too fast: wait {seconds_to_wait(wait)}.", wait)
        self.refuse(why, ref)

    def unheard(self, line: bytes) -> None:
        """Every request is answered."""
        self.refuse(table.unheard(), _named(line)[0])

    def announce(self, text: str) -> None:
        """Say something before there is a person to tell it."""
        self.refuse(Refused("closing", text))

    def _write(self, thing: dict[str, Any]) -> None:
        self.answer(self._wire.encode(thing))

    # hello

    def _hello(self, thing: dict[str, Any]) -> None:
        if self._person is not None:
            raise Refused("bad-request", "You said hello already: /nick changes your nickname.")
        seen, epoch, token, nickname = map(thing.get, ("seen", "epoch", "session", "nick"))
        self._seen = _seen({} if seen is None else seen, self.chat.limits.rooms_per_person + 1)
        person = self.chat.find_session(token) if isinstance(token, str) else None
        if epoch is None and isinstance(token, str):
            epoch = epoch_of(token)
        if epoch is not None:
            self._is_of_old = epoch != self.chat.epoch
        if person is not None:
            if person.connection is not None:
                person.connection.replace()
            if person.present:  # what they said last may have been that they leave
                self._resume_as(person, nickname if isinstance(nickname, str) else None)
                return
        self._is_quiet = thing.get("quiet") is True
        if not isinstance(nickname, str):
            raise Refused("bad-nick", 'Say which nickname: {"do":"hello","nick":"..."}')
        self._enter(clean(nickname, self.chat.limits.line_bytes).text, self._welcome)

    def _resume_as(self, person: Person, nickname: str | None) -> None:
        old = person.nickname
        self.chat.attach(person, self, nickname)
        self._be(person)
        self._greet(person, resumed=True)
        if person.fanout is not None:
            self._read_on(OWN, person.fanout, self._seen.get(OWN, 0))
            self._wait_to_hear()
            self._readers[OWN].when_here(self._hear_again)
            self._readers[OWN].catch_up()
        for key, entered in person.rooms.items():
            self._read_on(key, self.chat.rooms[key].fanout, self._seen.get(key, entered))
            self.entered(key)
        self._seen = {}  # who leaves a room and enters it anew is a newcomer
        typed_into = person.room if person.room in person.rooms else next(reversed(person.rooms))
        self.talk_in(self.chat.rooms[typed_into])
        if person.nickname != old:
            self.chat.tell(
                person,
                f"Somebody took the nickname {old} meanwhile: you are {person.nickname} now.",
            )
        self.chat.keep(person)

    def _welcome(self, person: Person) -> None:
        person.is_quiet = self._is_quiet
        self._greet(person, resumed=False)
        self.talk_in(self.chat.join(person, names.LOBBY))
        for key in list(self._seen):
            if key != OWN and key != self.chat.lobby.key:
                try:
                    self.chat.join(person, key)
                except Refused as why:
                    self.refuse(why)
        self.chat.keep(person)

    def _greet(self, person: Person, *, resumed: bool) -> None:
        welcome: dict[str, Any] = {
            "event": "welcome",
            "nick": person.nickname,
            "session": person.token,
            "resumed": resumed,
            "server": self.chat.name,
            "epoch": self.chat.epoch,
            "time": timestamp(self.chat.now()),
            "limits": {
                "line_bytes": self.chat.limits.line_bytes,
                "input_bytes": self.chat.limits.input_bytes,
            },
            "motd": list(self.chat.motd),
            "commands": COMMANDS,
        }
        if resumed:
            welcome["rooms"] = [self.chat.rooms[key].name for key in person.rooms]
        self._write(welcome)

    def follow(self, room: str, fanout: Fanout) -> None:
        """They are about to enter a room: show what they have not seen, or what was said last."""
        log, seen = fanout.log, self._seen.pop(room, None)
        if seen is None:
            self._read(room, fanout, max(0, log.last - self.chat.limits.entry_history))
        else:
            self._read_on(room, fanout, seen)

    def _read_on(self, room: str, fanout: Fanout, seen: int) -> None:
        """Show what comes after a number, unless that is one of another epoch."""
        log = fanout.log
        if self._is_of_old or seen > log.last:
            self._frontend.write(self._wire.missed(log.room, 0))  # how much is not known
            seen = 0
        self._read(room, fanout, seen)

    def describe(self, room: Room) -> None:
        """Say who is in a room, and what it is about."""
        me, most = self.person, self.chat.limits.listed_names
        members = room.shown
        if me.id not in members:
            members = members | {me.id: Shown(me.nickname, me)}
        self._write(
            {
                "event": "state",
                "room": room.name,
                "topic": room.topic,
                "members": [_member(each, me) for each in islice(members.values(), most)],
                "count": len(members),
            }
        )

    # say, command

    def _say(self, thing: dict[str, Any]) -> None:
        if self._is_done(self.request.ref, "say"):
            return
        text, _ = clean(_text(thing), self.chat.limits.line_bytes)
        if is_blank(text):
            raise Refused("empty", "There is nothing to say in that: send some text.")
        room = self._room_of(thing)
        self.person.remember(self.request, self.chat.limits.refs)
        table.say(self, room, text)

    def _command(self, thing: dict[str, Any]) -> None:
        if self._is_done(self.request.ref, "command"):
            return
        text, _ = clean(_text(thing), self.chat.limits.line_bytes)
        command = table.parse(text)
        if command is None:
            raise Refused("no-such-command", "That is no command: begin it with a slash.")
        if thing.get("existing") is True and table.is_join(command[0]):
            self.chat.room(command[1])  # whoever has mistyped a room's name makes none
        if "room" in thing:
            self.talk_in(self._room_of(thing))
        request = self.request
        self.person.remember(request, self.chat.limits.refs)
        answer = table.run(self, *command)
        if isinstance(answer, Deferred):
            self._answer_after(answer, partial(self._answer, request), request)
        else:
            self._answer_when_stored(request, answer)

    def _answer_when_stored(self, request: Request, lines: Lines) -> None:
        """Answer when everything is stored that was asked for, so that it survives the server."""
        stored: Deferred[None] = Deferred()
        request.when_settled(partial(stored.callback, None))
        kept = stored.addCallback(lambda _: self._keep(request, lines))
        self._answer_after(kept, partial(self._answer, request), request)

    def _keep(self, request: Request, lines: Lines) -> Deferred[Lines]:
        """Keep what a request has changed, unless it was refused; gives what is answered."""
        answer: Deferred[Lines] = Deferred()
        if request.is_refused:
            answer.callback(lines)
        else:
            self.chat.keep(self.person, request).addCallbacks(
                lambda _: answer.callback(lines),
                lambda why: answer.callback([*lines, why.getErrorMessage()]),  # it is done anyway
            )
        return answer

    def _is_done(self, ref: str | None, do: str) -> bool:
        """Whether this was asked for before; then what becomes of it is told again."""
        before = None if ref is None else self.person.refs.get(ref)
        if before is None or before.is_refused:
            return False
        if not before.is_pending:
            self._answer(before, [])
        else:
            before.ask_again(self)
            if do == "command":  # what is said comes back as an event
                self._answer_when_stored(before, [])
        return True

    def _answer(self, request: Request, lines: Sequence[str | Entry]) -> None:
        if request.is_refused:  # which was said
            return
        shown = [each if isinstance(each, str) else self._as_text(each) for each in lines]
        answer: dict[str, Any] = {"event": "answer", "lines": [each for each in shown if each]}
        if request.ref is not None:
            answer["ref"] = request.ref
        if request.id:
            answer["id"] = request.id
        self._write(answer)

    def _as_text(self, entry: Entry) -> str:
        seen = self.person.view(entry)
        if seen is None:
            return ""
        return self._plain.show(seen, self.person.id, replayed=True).decode().rstrip("\r\n")

    # history, ping

    def _history(self, thing: dict[str, Any]) -> None:
        limit = _number(thing, "limit", 50)
        limit = max(1, min(limit, self.chat.limits.history_lines))
        room = thing.get("room", self.room.name)
        log = self.chat.log_of(self.person) if room == OWN else self._room_of(thing).log
        if "after" in thing:
            page = log.after(_number(thing, "after", 0), limit + 1)
        else:
            page = log.before(_number(thing, "before", log.last + 1), limit + 1)
        answer = partial(
            self._page,
            ref=self.request.ref,
            room=log.room,
            limit=limit,
            newest_first="after" not in thing,
        )
        self._answer_after(page, answer, self.request)

    def _page(
        self,
        entries: Sequence[Entry],
        *,
        ref: str | None,
        room: str,
        limit: int,
        newest_first: bool,
    ) -> None:
        """Send as much of a page as an answer may be, from the end where it was asked for."""
        events: list[dict[str, Any]] = []
        room_left = self.chat.limits.history_bytes
        ordered = list(reversed(entries)) if newest_first else list(entries)
        for entry in ordered[:limit]:
            shown = self.person.view(entry) or entry
            thing = describe(shown, self.person.id, replayed=True)
            room_left -= len(encode(thing))
            if events and room_left < 0:
                break
            events.append(thing)
        more = len(events) < len(entries)
        if newest_first:
            events.reverse()
        page = {"event": "history", "room": room, "events": events, "more": more}
        self._write(page if ref is None else page | {"ref": ref})

    def _ping(self, thing: dict[str, Any]) -> None:
        pong: dict[str, Any] = {"event": "pong", "time": timestamp(self.chat.now())}
        ref = self.request.ref
        self._write(pong if ref is None else pong | {"ref": ref})

    def _room_of(self, thing: dict[str, Any]) -> Room:
        room = thing.get("room")
        if room is None:
            return self.room
        if not isinstance(room, str):
            raise Refused("bad-room", '"room" is a text such as "#lobby".')
        return self.chat.room_of(self.person, room)


_REQUESTS: dict[str, Callable[[StructuredSession, dict[str, Any]], None]] = {
    "hello": StructuredSession._hello,
    "say": StructuredSession._say,
    "command": StructuredSession._command,
    "history": StructuredSession._history,
    "ping": StructuredSession._ping,
}


_ONCE = ("say", "command")
"""What is not done again when it is sent again."""


def _member(member: Shown, viewer: Person) -> dict[str, Any]:
    person, away = member.person, member.person.away
    if away is not None and not viewer.hears(person.nickname, person.id):
        away = "away"
    told = {"nick": member.nickname, "away": away, "role": "member"}
    return told if person.connection is not None else told | {"connected": False}


def _ref(thing: dict[str, Any]) -> str | None:
    ref = thing.get("ref")
    if ref is None:
        return None
    if isinstance(ref, str) and len(ref) <= REF and ref.isprintable():
        return ref
    raise Refused("bad-ref", f'"ref" is a text of at most {REF} printable characters.')


def _named(line: bytes) -> tuple[str | None, str]:
    """The client's own name for a request that is not to be done, and what it asks for."""
    try:
        thing = decode(line)
        return _ref(thing), str(thing.get("do"))
    except Refused:
        return None, ""


def _text(thing: dict[str, Any]) -> str:
    text = thing.get("text")
    if not isinstance(text, str):
        raise Refused("bad-request", '"text" is missing, or is no text.')
    return text


def _number(thing: dict[str, Any], name: str, default: int) -> int:
    number = thing.get(name, default)
    if isinstance(number, int) and not isinstance(number, bool) and 0 <= number < 2**53:
        return number
    raise Refused("bad-request", f'"{name}" is a whole number, and not a negative one.')


def _seen(seen: object, most: int) -> dict[str, int]:
    if isinstance(seen, dict) and len(seen) > most:
        raise Refused("bad-request", f'"seen" has more rooms than one can be in: at most {most}.')
    if not isinstance(seen, dict):
        raise Refused("bad-request", '"seen" is an object of rooms and ids.')
    # what is refused is not called by its room's name, which may be anything
    return {names.key(room): _number({"seen": last}, "seen", 0) for room, last in seen.items()}
