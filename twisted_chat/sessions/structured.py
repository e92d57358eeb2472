"""A session in structured lines: the bundled client, web pages, bots."""

from collections.abc import Callable, Container, Sequence
from functools import partial
from itertools import islice
from typing import Any

from twisted.internet.defer import Deferred, succeed

from twisted_chat.chat.chat import Chat
from twisted_chat.chat.order import Role, Sentence
from twisted_chat.chat.person import Person
from twisted_chat.chat.presence import Shown
from twisted_chat.chat.request import Request
from twisted_chat.chat.rights import Right
from twisted_chat.chat.room import Room
from twisted_chat.commands import table
from twisted_chat.commands.command import Lines, Offered
from twisted_chat.events import OWN, Entry
from twisted_chat.log.window import rendered
from twisted_chat.refusal import Refused
from twisted_chat.sessions.fields import number, ref_and_kind, ref_of, text_of
from twisted_chat.sessions.frontend import Frontend
from twisted_chat.sessions.hello import HelloSession
from twisted_chat.text.cleaning import clean, is_blank
from twisted_chat.text.counted import seconds_to_wait
from twisted_chat.wire.plain import PlainWire
from twisted_chat.wire.structured import StructuredWire, decode, encode, timestamp


class StructuredSession(HelloSession):
    """A conversation in structured lines.

    Args:
        chat: what the conversation is about.
        frontend: the connection that carries it.
        wire: how events are shown on it.
        plain: how the lines of an answer are shown that come from history.
    """

    def __init__(
        self, chat: Chat, frontend: Frontend, wire: StructuredWire, plain: PlainWire
    ) -> None:
        super().__init__(chat, frontend, wire)
        self._plain = plain
        self._structured = wire
        self._read_elsewhere: dict[str, int] = {}  # by room, what is yet to be told of that

    def answer_nickname(self, line: bytes) -> None:
        """Take a program's first objects; see `Conversation.answer_nickname`."""
        self._request(line, _WITHOUT_NICKNAME)

    def handle(self, line: bytes) -> None:
        """Do what an object asks for; see `Conversation.handle`."""
        self._request(line, _REQUESTS)

    def _request(self, line: bytes, allowed: Container[str]) -> None:
        if not line.strip():
            return
        thing = decode(line)
        self.request.ref = ref_of(thing)
        do = thing.get("do")
        if not isinstance(do, str) or do not in _REQUESTS:
            raise Refused(
                "bad-request", f'Unknown request: "do" must be one of {", ".join(_REQUESTS)}.'
            )
        if do not in allowed:
            raise Refused("no-nick", 'Send {"do":"hello","nick":"..."} first.')
        _REQUESTS[do](self, thing)

    def refuse(self, why: Refused, ref: str | None = None) -> None:
        """Say why something is not done."""
        self.answer(self._wire.refusal(why, ref))

    def too_fast(self, line: bytes, wait: float) -> None:
        """Every request is answered, so that its sender can make it again.

        One that is already done is answered as such, at once, like every refusal here, although
        earlier requests may still be waiting for the rate limit.
        """
        ref, do = ref_and_kind(line)
        if do in _ONCE and self._is_done(ref, do):
            return
        why = Refused("too-fast", f"You are sending too fast: wait {seconds_to_wait(wait)}.", wait)
        self.refuse(why, ref)

    def too_late(self, line: bytes) -> None:
        """Every request is answered."""
        self.refuse(table.too_late(), ref_and_kind(line)[0])

    def announce(self, text: str) -> None:
        """Say something before there is a person to tell it."""
        self.refuse(Refused("closing", text))

    def describe(self, room: Room) -> None:
        """Say who is in a room, and what it is about."""
        me, most = self.person, self.chat.limits.listed_names
        mute_of = None if room.order.is_open else self._mute_of(room)
        members = room.shown
        if me.id not in members:
            members = members | {me.id: Shown(me.nickname, me)}
        self._write(
            {
                "event": "state",
                "room": room.name,
                "topic": room.topic,
                "members": [
                    self._member(each, room, mute_of) for each in islice(members.values(), most)
                ],
                "count": len(members),
            }
        )

    def _mute_of(self, room: Room) -> Callable[[Person, Role], Sentence | None]:
        """What they may know of: only operators are told who shares the address of who is muted."""
        if self.chat.rights.may(self.person, Right.KEEP_ORDER, room):
            return room.order.mute_of
        return lambda person, _: room.order.in_force("mute/" + person.id)

    def _member(
        self,
        member: Shown,
        room: Room,
        mute_of: Callable[[Person, Role], Sentence | None] | None,
    ) -> dict[str, Any]:
        person, away = member.person, member.person.away
        role = self.chat.rights.role_of(person, room)
        if away is not None and not self.person.hears(person.nickname, person.id):
            away = "away"
        told: dict[str, Any] = {"nick": member.nickname, "away": away, "role": role.word}
        if account := self.chat.accounts.name_of(person.account):
            told["account"] = account
        if mute_of is not None and mute_of(person, role) is not None:
            told["muted"] = True
        return told if person.is_connected else told | {"connected": False}

    def note(self, text: str) -> None:
        """Say something that they should know."""
        now = timestamp(self.chat.now())
        self._write({"event": "notice", "time": now, "room": OWN, "text": text})

    def has_read(self, room: str, number: int) -> None:
        """They have read a room up to a number on another device."""
        self._read_elsewhere[room] = number
        self._tell_what_is_read()

    def go_on(self) -> None:
        """The frontend takes more."""
        super().go_on()
        self._tell_what_is_read()

    def _tell_what_is_read(self) -> None:
        """Only the last that there is to tell of each room, so that nothing piles up."""
        while self._read_elsewhere and self._frontend.outlet.ready:
            room, number = self._read_elsewhere.popitem()
            self._write({"event": "read", "room": room, "id": number})

    # say, command

    def _say(self, thing: dict[str, Any]) -> None:
        if self._is_done(self.request.ref, "say"):
            return
        text = clean(text_of(thing), self.chat.limits.line_bytes)
        if is_blank(text):
            raise Refused("empty", "That message is empty: send some text.")
        room = self._room_of(thing) if "room" in thing else None
        self.device.remember(self.request, self.chat.limits.refs)
        table.say(self, room, text)

    def _command(self, thing: dict[str, Any]) -> None:
        if self._is_done(self.request.ref, "command"):
            return
        text = clean(text_of(thing), self.chat.limits.line_bytes)
        command = table.parse(text)
        if command is None:
            raise Refused("no-such-command", "That is not a command: commands begin with a slash.")
        if thing.get("existing") is True and table.is_join(command[0]):
            self._check_exists(command[1])  # whoever has mistyped a room's name makes none
        if "room" in thing:
            self.talk_in(self._room_of(thing))
            self.chat.keep(self.person, self.device)  # also if the rest is refused
        request = self.request
        self.device.remember(request, self.chat.limits.refs)
        answer = table.run(self, *command)
        if isinstance(answer, Deferred) and not answer.called:
            request.wait_for(answer)
        self._answer_when_stored(
            request, answer if isinstance(answer, Deferred) else succeed(answer)
        )

    def _check_exists(self, rest: str) -> None:
        name = rest.partition(" ")[0]  # a key may follow
        if self.chat.rooms.called("#" + name.removeprefix("#")) is None:
            self.chat.find_room(self.person, name)

    def _answer_when_stored(self, request: Request, answer: Deferred[Lines]) -> None:
        """Answer when everything is stored that was asked for, so that it survives the server."""
        kept = answer.addCallback(partial(self._when_kept, request))
        self._answer_after(kept, partial(self._answer, request), request)

    def _when_kept(self, request: Request, lines: Lines) -> Deferred[Lines]:
        stored: Deferred[None] = Deferred()
        request.when_settled(partial(stored.callback, None))
        return stored.addCallback(lambda _: self._keep(request, lines))

    def _keep(self, request: Request, lines: Lines) -> Deferred[Lines]:
        """Save what a request has changed, unless it was refused; returns the answer."""
        answer: Deferred[Lines] = Deferred()
        if request.is_refused:
            answer.callback(lines)
        else:
            self.chat.keep(self.person, self.device, request).addCallbacks(
                lambda _: answer.callback(lines),
                lambda why: answer.callback([*lines, why.getErrorMessage()]),  # it is done anyway
            )
        return answer

    def _is_done(self, ref: str | None, do: str) -> bool:
        """Whether this was requested before; if so, its outcome is sent again."""
        before = None if ref is None else self.device.again(ref)
        if before is None or before.is_refused:
            return False
        if not before.is_pending:
            self._answer(before, [])
        else:
            before.ask_again(self)
            if do == "command":  # what is said comes back as an event
                self._answer_when_stored(before, succeed([]))
        return True

    def _answer(self, request: Request, lines: Sequence[str | Entry]) -> None:
        if request.is_refused:  # which was said
            return
        shown = [each if isinstance(each, str) else self._as_text(each) for each in lines]
        answer: dict[str, Any] = {"event": "answer", "lines": [each for each in shown if each]}
        for each in lines:
            if isinstance(each, Offered):
                answer["url"] = each.url
        if request.ref is not None:
            answer["ref"] = request.ref
        if request.id:
            answer["id"] = request.id
        self._write(answer)

    def _as_text(self, entry: Entry) -> str:
        seen = self.person.view(entry)
        if seen is None:
            return ""
        by = entry.by(self.person.id, self.client)
        return rendered(self._plain, seen, by, replayed=True).decode().rstrip("\r\n")

    # history, ping

    def _history(self, thing: dict[str, Any]) -> None:
        limit = number(thing, "limit", 50)
        limit = max(1, min(limit, self.chat.limits.history_lines))
        room = thing.get("room", self.room.name)
        log = self.chat.log_of(self.person) if room == OWN else self._room_of(thing).log
        if "after" in thing:
            page = log.after(number(thing, "after", 0), limit + 1)
        else:
            page = log.before(number(thing, "before", log.last + 1), limit + 1)
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
        """Send as much of a page as fits into an answer, starting at the requested end."""
        events: list[dict[str, Any]] = []
        room_left = self.chat.limits.history_bytes
        ordered = list(reversed(entries)) if newest_first else list(entries)
        for entry in ordered[:limit]:
            shown = self.person.view(entry) or entry
            thing = self._structured.describe(
                shown, entry.by(self.person.id, self.client), replayed=True
            )
            room_left -= len(encode(thing))
            if events and room_left < 0:
                break
            events.append(thing)
        more = len(events) < len(entries)
        if newest_first:
            events.reverse()
        page = {"event": "history", "room": room, "events": events, "more": more}
        self._write(page if ref is None else page | {"ref": ref})

    def _read(self, thing: dict[str, Any]) -> None:
        if "id" not in thing:
            raise Refused("bad-request", '"id" is missing: send that of the last event read.')
        last, room = number(thing, "id", 0), thing.get("room")
        log = self.chat.log_of(self.person) if room == OWN else self._room_of(thing).log
        self.chat.read_marks.move(self.person, self.device, log, last)
        if self.request.ref is not None:
            self._answer(self.request, [])

    def _ping(self, thing: dict[str, Any]) -> None:
        pong: dict[str, Any] = {"event": "pong", "time": timestamp(self.chat.now())}
        ref = self.request.ref
        self._write(pong if ref is None else pong | {"ref": ref})

    def _room_of(self, thing: dict[str, Any]) -> Room:
        room = thing.get("room")
        if room is None:
            return self.room
        if not isinstance(room, str):
            raise Refused("bad-room", '"room" must be a string such as "#lobby".')
        return self.chat.room_of(self.person, room)


_REQUESTS: dict[str, Callable[[StructuredSession, dict[str, Any]], None]] = {
    "hello": StructuredSession._hello,
    "say": StructuredSession._say,
    "command": StructuredSession._command,
    "history": StructuredSession._history,
    "read": StructuredSession._read,
    "ping": StructuredSession._ping,
}


_WITHOUT_NICKNAME = ("hello", "ping")
"""What may be asked for without a nickname."""

_ONCE = ("say", "command")
"""Requests that are done only once, even if they are sent again."""
